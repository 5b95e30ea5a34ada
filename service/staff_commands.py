"""``qifu staff``: opens accounts, sets passwords, closes accounts, checks the audit log."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from service.appeals.departments import load_departments
from service.db import Database, utc_now
from service.errors import InvalidInput
from service.staff import accounts, audit
from service.staff.permissions import ROLE_NAMES, Role
from service.terminal import AsJson, print_json, settings_with

COMMAND_LINE = "cli"
PASSWORD_VARIABLE = "QIFU_STAFF_PASSWORD"

staff_app = typer.Typer(no_args_is_help=True, help="工作台账号：新增、改密码、停用、核对审计日志。")

Login = Annotated[str, typer.Argument(help="用户名：小写字母、数字、点、横线。")]


@staff_app.command("add")
def add(
    login: Login,
    name: Annotated[str, typer.Option(help="姓名。")],
    role: Annotated[Role, typer.Option(help="角色。")],
    department: Annotated[str | None, typer.Option(help="部门代码，见 departments.yml。")] = None,
) -> None:
    """新增账号；密码在终端输入（或取自环境变量 QIFU_STAFF_PASSWORD）。"""
    codes = {each.code for each in load_departments()}
    if department is not None and department not in codes:
        raise InvalidInput(
            f"没有代码为 {department} 的部门；可用：{'、'.join(sorted(codes))}", "department"
        )
    new = accounts.NewAccount(login, name, role, _password(), department)
    with _opened() as database, database.session() as db:
        accounts.create_account(db, new, accounts.default_passwords(), COMMAND_LINE, utc_now())
    print(f"已新增 {login}（{ROLE_NAMES[role]}）。")


@staff_app.command("passwd")
def passwd(login: Login) -> None:
    """改密码；该账号在各处的登录随即结束。"""
    with _opened() as database, database.session() as db:
        accounts.account(db, login)
        accounts.change_password(
            db, login, _password(), accounts.default_passwords(), COMMAND_LINE, utc_now()
        )
    print(f"已更改 {login} 的密码。")


@staff_app.command("lock")
def lock(login: Login) -> None:
    """停用账号，立即退出登录。"""
    _set_active(login, False, "已停用")


@staff_app.command("unlock")
def unlock(login: Login) -> None:
    """启用账号，解除密码输错的锁定。"""
    _set_active(login, True, "已启用")


@staff_app.command("list")
def list_staff(as_json: AsJson = False) -> None:
    """列出账号。"""
    with _opened() as database, database.reading() as db:
        rows = accounts.accounts(db)
    if as_json:
        print_json(
            [
                {
                    "id": row.id,
                    "name": row.name,
                    "role": row.role,
                    "department": row.department,
                    "is_active": row.is_active,
                    "is_demo": row.is_demo,
                }
                for row in rows
            ]
        )
        return
    for row in rows:
        state = "" if row.is_active else "（已停用）"
        print(f"{row.id}\t{row.name}\t{ROLE_NAMES[row.role]}\t{row.department or ''}{state}")


@staff_app.command("verify-audit")
def verify_audit() -> None:
    """核对审计日志是否完整、未被改动。"""
    with _opened() as database, database.reading() as db:
        problems = audit.verify(db)
    for problem in problems:
        print(problem)
    print("审计日志完整。" if not problems else f"发现 {len(problems)} 处问题。")
    sys.exit(1 if problems else 0)


def _set_active(login: str, is_active: bool, said: str) -> None:
    with _opened() as database, database.session() as db:
        accounts.set_active(db, login, is_active, COMMAND_LINE, utc_now())
    print(f"{said} {login}。")


def _password() -> str:
    given = os.environ.get(PASSWORD_VARIABLE)
    if given:
        return given
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return str(typer.prompt("密码", hide_input=True, confirmation_prompt=True))


@contextmanager
def _opened() -> Iterator[Database]:
    database = Database.open(settings_with().database())
    try:
        yield database
    finally:
        database.close()
