"""The command ``qifu catalogue affected``: whom a changed catalogue has answered differently before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.catalogue import store_of
from service.terminal import AsJson, AsOf, print_json, settings_with

if TYPE_CHECKING:
    from service.affected import Affected

_SAID = {
    "removed": "条款已删除",
    "changed": "内容已改",
    "expired": "政策已过期",
    "renewed": "当时已过期，现已延续",
}


def affected(
    since: Annotated[
        datetime | None,
        typer.Option("--since", formats=["%Y-%m-%d"], help="只看这一天以后的答复。"),
    ] = None,
    policy: Annotated[str | None, typer.Option("--policy", help="只看这一项政策的编号。")] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """目录改动后，哪些答复、政策列表和未办结诉求依据的条款变了、没了或过期了。"""
    from service.affected import affected as find_affected
    from service.db import Database
    from service.errors import NotFound

    settings = settings_with(as_of=as_of.date() if as_of else None)
    store = store_of(settings)
    catalogue = store.read()
    database = Database.open(settings.database())
    try:
        with database.reading() as session:
            day = settings.today()
            first_day = since.date() if since else None
            imported = {record.policy_id: record.time for record in store.history()}
            found = find_affected(session, catalogue, day, first_day, policy, imported)
    finally:
        database.close()
    if policy and policy not in catalogue.policies and not found:
        raise NotFound(f"--policy {policy}：目录里没有这个编号，也没有答复依据过它。", "policy")
    if as_json:
        print_json(_document(found, day))
    else:
        _print_table(found, day)


def _document(found: Sequence[Affected], day: date) -> dict[str, Any]:
    """One JSON document; ``answers`` and ``appeals`` count each answer and appeal once."""
    return {
        "as_of": day,
        "answers": len(_messages(found)),
        "appeals": len(_appeals(found)),
        "affected": [asdict(each) for each in found],
    }


def _print_table(found: Sequence[Affected], day: date) -> None:
    from rich.console import Console
    from rich.table import Table

    if not found:
        print(f"按 {day} 的目录，没有答复、政策列表或未办结诉求受影响。")
        return
    table = Table("条款", "发生了什么", "答复", "政策列表", "未办结诉求")
    for each in found:
        lists = sum(use.kind == "match" for use in each.uses)
        table.add_row(
            _name(each),
            _SAID[each.change],
            str(len(each.uses) - lists),
            str(lists),
            "、".join(appeal.no for appeal in each.appeals) or "无",
        )
    Console().print(table)
    print(
        f"按 {day} 的目录，共 {len(_messages(found))} 次答复、"
        f"{len(_appeals(found))} 件未办结诉求受影响；加 --json 列出每一条。"
    )


def _name(each: Affected) -> str:
    title = f"《{each.title}》" if each.title else "（目录里已没有这项政策）"
    label = each.label or ("" if each.clause_id else "整项政策")
    return f"{each.clause_id or each.policy_id} {title}{label}"


def _messages(found: Sequence[Affected]) -> set[str]:
    return {use.message_id for each in found for use in each.uses}


def _appeals(found: Sequence[Affected]) -> set[str]:
    return {appeal.no for each in found for appeal in each.appeals}
