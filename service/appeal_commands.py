"""The commands on appeals: ``qifu appeals …``."""

from __future__ import annotations

import sys

import typer

from service.terminal import AsJson, print_json, settings_with

appeals_app = typer.Typer(no_args_is_help=True, help="诉求。")

_AT_ONCE = 500


@appeals_app.callback()
def appeals() -> None:
    """诉求。"""


@appeals_app.command()
def verify(as_json: AsJson = False) -> None:
    """核对每件诉求：事件链是否完整，状态、部门、期限是否与事件一致。有问题时退出码为 1。"""
    from sqlalchemy import select

    from service.appeals.history import verify_chain
    from service.appeals.models import Appeal
    from service.db import Database

    database = Database.open(settings_with().database())
    checked, last, problems = 0, 0, list[str]()
    try:
        while True:
            with database.reading() as db:
                query = select(Appeal).where(Appeal.id > last).order_by(Appeal.id).limit(_AT_ONCE)
                some = list(db.scalars(query))
                problems += [said for appeal in some for said in verify_chain(db, appeal)]
            if not some:
                break
            checked, last = checked + len(some), some[-1].id
    finally:
        database.close()
    if as_json:
        print_json({"ok": not problems, "checked": checked, "problems": problems})
    else:
        for said in problems:
            print(f"✗ {said}")
        print(f"核对 {checked} 件诉求，{len(problems)} 处问题")
    sys.exit(1 if problems else 0)
