"""The commands on enterprises: ``qifu enterprises …``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from service.errors import InvalidInput, NotFound
from service.terminal import AsJson, err, print_json, session_named, settings_with

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from knowledge.fields import Fields
    from knowledge.profile import Known
    from service.enterprises.importing import ImportReport
    from service.enterprises.importing import Progress as Tell
    from service.enterprises.models import Enterprise
    from service.enterprises.profiles import Pending

enterprises_app = typer.Typer(no_args_is_help=True, help="企业名录与企业画像。")

_SOURCES = {"registry": "登记", "profile": "画像", "said": "本人说的"}
_MOST_SHOWN = 50


@enterprises_app.command("import")
def enterprises_import(
    file: Annotated[Path, typer.Argument(help="xlsx、csv、jsonl 或 parquet 文件。")],
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", help="列名=字段，可多次；字段写名称、中文名或“忽略”。"),
    ] = None,
    source: Annotated[str, typer.Option(help="registry（登记）或 profile（画像）。")] = "registry",
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="数据是哪一天的，默认今天。")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查，不写入。")] = False,
    as_json: AsJson = False,
) -> None:
    """导入企业；再次导入就是更新。写错的行和格列出来，其余照常导入。"""
    from knowledge.fields import read_fields
    from knowledge.profile import Source
    from service.db import Database
    from service.enterprises.importing import import_enterprises

    if source not in (Source.REGISTRY, Source.PROFILE):
        raise InvalidInput(f"--source 只能是 registry 或 profile，写的是 {source}", "source")
    fields, settings = read_fields(), settings_with()
    database = Database.open(settings.database())
    try:
        with _import_bar() as tell:
            report = import_enterprises(
                database,
                file,
                fields,
                _given(map_ or []),
                Source(source),
                day.date() if day else settings.today(),
                dry_run,
                tell,
            )
    finally:
        database.close()
    if as_json:
        print_json(_report_row(report, dry_run))
    else:
        _tell(report, fields, dry_run)
    sys.exit(0 if not report.problem_count else 2)


@enterprises_app.command("show")
def enterprises_show(
    who: Annotated[str, typer.Argument(help="企业名称或统一社会信用代码。", metavar="NAME|CODE")],
    as_json: AsJson = False,
) -> None:
    """看一家企业已知的情况；名称写得不全时列出最接近的几家。"""
    from knowledge.fields import read_fields
    from service.db import Database
    from service.enterprises.profiles import pending_of, profile_of

    database = Database.open(settings_with().database())
    try:
        with database.reading() as db:
            enterprise = _found(db, who)
            facts = dict(profile_of(db, enterprise).facts)
            pending = pending_of(db, enterprise)
    finally:
        database.close()
    if as_json:
        print_json(_enterprise_row(enterprise, facts, pending))
    else:
        _tell_enterprise(enterprise, facts, pending, read_fields())


@enterprises_app.command("bind")
def enterprises_bind(
    who: Annotated[str, typer.Argument(help="企业名称或统一社会信用代码。", metavar="NAME|CODE")],
    session: Annotated[
        str | None, typer.Option(help="会话编号，如 web-…；日志和诉求里能看到。")
    ] = None,
    ask_session: Annotated[
        str | None, typer.Option("--ask-session", help="qifu ask --session 用的会话名。")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="解除绑定。")] = False,
) -> None:
    """核实身份后，把一个会话的说话人绑定到企业：匹配时用这家企业登记的信息。"""
    from service.db import Database
    from service.enterprises.speakers import bind, unbind

    bound = session_named(ask_session) if ask_session else session
    if not bound:
        raise InvalidInput("请用 --session 或 --ask-session 说明是哪个会话", "session")
    database = Database.open(settings_with().database())
    try:
        with database.session() as db:
            enterprise = _found(db, who)
            if undo:
                done = "已解除绑定" if unbind(db, bound) else "这个会话没有绑定"
            else:
                bind(db, bound, enterprise, "cli")
                done = f"已绑定到{enterprise.name}（{enterprise.credit_code}）"
    finally:
        database.close()
    print(f"{bound}：{done}")


def _given(said: list[str]) -> dict[str, str]:
    given = {}
    for each in said:
        column, sign, name = each.partition("=")
        if not sign or not column.strip() or not name.strip():
            raise InvalidInput(f"--map 应写成 列名=字段，写的是 {each}", "map")
        given[column.strip()] = name.strip()
    return given


def _found(db: Session, who: str) -> Enterprise:
    from knowledge.credit_code import checked_code
    from service.enterprises.models import Enterprise
    from service.enterprises.names import find_by_name
    from service.enterprises.operations import find_enterprise

    code, _ = checked_code(who)
    if code is not None:
        enterprise = find_enterprise(db, code)
        if enterprise is None:
            raise NotFound(f"名录里没有 {code}")
        return enterprise
    found = find_by_name(db, who)
    if len(found.exact) == 1:
        enterprise = db.get(Enterprise, found.exact[0].id)
        assert enterprise is not None
        return enterprise
    if found.exact:
        rows = [db.get(Enterprise, each.id) for each in found.exact]
        codes = "、".join(row.credit_code for row in rows if row is not None)
        raise NotFound(f"有{len(rows)}家企业叫“{who}”，请用信用代码：{codes}")
    if found.near:
        raise NotFound(f"没有“{who}”，最接近的是：{'、'.join(each.name for each in found.near)}")
    raise NotFound(f"没有“{who}”，也没有名称相近的企业")


@contextmanager
def _import_bar() -> Iterator[Tell]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("读取", total=None)
        yield lambda step, done, total: bar.update(
            task, description=step, completed=done, total=total
        )


def _report_row(report: ImportReport, is_dry: bool) -> dict[str, Any]:
    return {
        "ok": not report.problem_count,
        "written": report.is_written,
        "dry_run": is_dry,
        "file": report.file,
        "added": report.added,
        "updated": report.updated,
        "left_out": report.left_out,
        "facts": report.facts,
        "suspended": report.suspended,
        "columns": report.mapped,
        "unmapped": [{"column": each.header, "near": each.near} for each in report.unmapped],
        "unlisted": {name: dict(found.most_common(20)) for name, found in report.unlisted.items()},
        "problem_count": report.problem_count,
        "problems": [
            {
                "row": each.row,
                "column": each.column,
                "message": each.message,
                "whole_row": each.is_whole_row,
            }
            for each in report.problems
        ],
    }


def _tell(report: ImportReport, fields: Fields, is_dry: bool) -> None:
    for problem in report.problems[:_MOST_SHOWN]:
        err.print(str(problem), style="red", markup=False, soft_wrap=True)
    if report.problem_count > _MOST_SHOWN:
        err.print(f"……共{report.problem_count}处问题，--json 列出前1000处", style="red")
    for column in report.unmapped:
        hint = f"，是不是“{column.near}”" if column.near else ""
        print(f"没有用上的列：{column.header}{hint}（--map {column.header}=字段）")
    for name, found in report.unlisted.items():
        shown = "、".join(f"{value}（{n}）" for value, n in found.most_common(5))
        print(f"{fields[name].label}：有词典里没有的写法，条件比对不上：{shown}")
    verb = "将" if is_dry else ""
    print(
        f"{report.file}：{verb}新增 {report.added} 家，{verb}更新 {report.updated} 家，{report.facts} 项数据；"
        f"{report.left_out} 行没有导入"
    )
    if report.suspended:
        print(f"{report.suspended} 项企业自己说的数据与文件不一致，待确认")
    if is_dry:
        print("这是试运行，没有写入")


def _enterprise_row(
    enterprise: Enterprise, facts: dict[str, Known], pending: list[Pending]
) -> dict[str, Any]:
    return {
        "credit_code": enterprise.credit_code,
        "name": enterprise.name,
        "verified": enterprise.is_verified,
        "facts": {name: _known_row(fact) for name, fact in facts.items()},
        "pending": [
            {
                "field": each.field,
                "said": _known_row(each.said),
                "official": _known_row(each.official),
            }
            for each in pending
        ],
    }


def _known_row(fact: Known) -> dict[str, Any]:
    return {
        "value": list(fact.value) if isinstance(fact.value, tuple) else fact.value,
        "source": fact.source.value,
        "day": fact.day,
        "complete": fact.is_complete,
        "lacks": list(fact.lacks),
        "approximate": fact.is_approximate,
    }


def _tell_enterprise(
    enterprise: Enterprise, facts: dict[str, Known], pending: list[Pending], fields: Fields
) -> None:
    known = "" if enterprise.is_verified else "（名称未核实）"
    print(f"{enterprise.name}{known}  {enterprise.credit_code}")
    for name, fact in facts.items():
        print(f"  {_line(name, fact, fields)}")
    if not facts:
        print("  还没有任何数据")
    for each in pending:
        print(f"  待确认：{_line(each.field, each.said, fields)}")


def _line(name: str, fact: Known, fields: Fields) -> str:
    from knowledge.conditions import in_unit

    spec = fields.get(name)
    label, unit = (spec.label, spec.unit) if spec else (name, None)
    about = "约" if fact.is_approximate else ""
    part = "" if fact.is_complete else "（只知道一部分）"
    lacks = f"，没有{'、'.join(fact.lacks)}" if fact.lacks else ""
    return f"{label}：{about}{in_unit(fact.value, unit)}{part}{lacks}（{_SOURCES[fact.source]}，{_day(fact.day)}）"


def _day(day: date | None) -> str:
    return day.isoformat() if day else "日期不详"
