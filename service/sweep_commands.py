"""The commands that hold all enterprises against policies: ``qifu sweep``, ``qifu reach``, ``qifu whatif``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from knowledge.policy import Op, Policy, Status
from service.catalogue import store_of
from service.errors import NotFound
from service.settings import Settings
from service.sweep_reports import (
    effect_document,
    effect_lines,
    problem_lines,
    reach_document,
    reach_lines,
    reason_lines,
    reasons_document,
    sweep_document,
    sweep_lines,
)
from service.terminal import AsJson, AsOf, err, print_json, settings_with

if TYPE_CHECKING:
    from knowledge.enterprise_table import EnterpriseTable
    from knowledge.sweep import SweepReport


class Engine(StrEnum):
    """What computes a sweep."""

    LOCAL = "local"
    SPARK = "spark"


Enterprises = Annotated[
    Path, typer.Option("--enterprises", metavar="FILE", help="企业表：parquet、csv 或 jsonl。")
]
_OVER = frozenset({Status.EXPIRED, Status.UPCOMING})


def sweep(
    enterprises: Enterprises,
    out: Annotated[
        Path | None, typer.Option("--out", help="结果写到这个 parquet；spark 时是一个文件夹。")
    ] = None,
    engine: Annotated[Engine, typer.Option(help="local 用本机，spark 用 Spark。")] = Engine.LOCAL,
    in_force: Annotated[
        bool, typer.Option("--in-force", help="不算已过期和还没开始的政策。")
    ] = False,
    why: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="企业 政策编号", help="不扫描，只说明这家企业对这一项的每个条件。"),
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """全部企业 × 全部政策：写出符合的和还不能确定的每一对。"""
    settings = settings_with(as_of=as_of.date() if as_of else None)
    policies = store_of(settings).read().policies
    if why:
        _explain(settings, policies, enterprises, why, as_json)
        return
    if out is None:
        raise typer.BadParameter("请写明结果写到哪个文件", param_hint="--out")
    day = settings.today()
    chosen = [p for p in policies.values() if not in_force or p.status_on(day) not in _OVER]
    table, started = _table(enterprises), time.perf_counter()
    report = _run(engine, chosen, table, out, settings)
    seconds = time.perf_counter() - started
    if as_json:
        about = {
            "out": str(out),
            "engine": engine.value,
            "as_of": day,
            "seconds": round(seconds, 3),
        }
        print_json({**sweep_document(report), **about})
        return
    _tell(table)
    for line in sweep_lines(report, out, seconds):
        print(line)


def reach(
    policy_id: Annotated[str, typer.Argument(help="政策编号。")],
    enterprises: Enterprises,
    out: Annotated[
        Path | None, typer.Option("--out", help="把符合的和不能确定的企业列到这个 csv。")
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """一项政策够得着哪些企业：按行业和街道计数。"""
    from knowledge.reach import reach as find_reach

    settings = settings_with(as_of=as_of.date() if as_of else None)
    policy, table = _policy(settings, policy_id), _table(enterprises)
    with _bar() as progress:
        tally = find_reach(policy, table, out, progress)
    status = policy.status_on(settings.today())
    if as_json:
        print_json(reach_document(policy, status, tally, table))
        return
    _tell(table)
    for line in reach_lines(policy, status, tally, table.is_synthetic):
        print(line)


def whatif(
    policy_id: Annotated[str, typer.Argument(help="政策编号。")],
    field: Annotated[str, typer.Argument(help="条件的字段，名称或中文名。")],
    value: Annotated[str, typer.Argument(help="改成多少，例如 2000万、8%、是、软件、文化。")],
    enterprises: Enterprises,
    op: Annotated[Op | None, typer.Option(help="同一字段有几个条件时，改哪一个。")] = None,
    as_json: AsJson = False,
) -> None:
    """条件改成另一个值，谁会进来、谁会出去；不改动目录。"""
    from knowledge.fields import read_fields
    from knowledge.reach import what_if
    from knowledge.thresholds import with_threshold

    settings, fields = settings_with(), read_fields()
    policy, table = _policy(settings, policy_id), _table(enterprises)
    name = next((each.name for each in fields.values() if each.label == field), field)
    changed = with_threshold(policy, name, value, fields, op)
    with _bar() as progress:
        effect = what_if(policy, changed, table, progress)
    if as_json:
        print_json(effect_document(effect, name, table))
        return
    _tell(table)
    for line in effect_lines(effect, fields[name], table.is_synthetic):
        print(line)


def _run(
    engine: Engine, policies: list[Policy], table: EnterpriseTable, out: Path, settings: Settings
) -> SweepReport:
    if engine is Engine.SPARK:
        from knowledge.spark_sweep import sweep_on_spark

        return sweep_on_spark(policies, table, out, settings.today())
    from knowledge.sweep import sweep as run

    with _bar() as progress:
        return run(policies, table, out, settings.today(), progress)


def _explain(
    settings: Settings, policies: dict[str, Policy], file: Path, why: tuple[str, str], as_json: bool
) -> None:
    from knowledge.fields import read_fields
    from knowledge.sweep import reasons

    key, policy_id = why
    policy = _policy(settings, policy_id)
    profile = _table(file).find(key)
    verdict, checked = reasons(policy, profile, read_fields())
    status = policy.status_on(settings.today())
    if as_json:
        print_json(reasons_document(policy, status, profile, verdict, checked))
        return
    for line in reason_lines(policy, status, profile, verdict, checked):
        print(line)


def _policy(settings: Settings, policy_id: str) -> Policy:
    found = store_of(settings).read().policies.get(policy_id)
    if found is None:
        raise NotFound(f"目录里没有编号是 {policy_id} 的政策。", "policy_id")
    return found


def _table(file: Path) -> EnterpriseTable:
    from knowledge.enterprise_table import EnterpriseTable
    from knowledge.fields import read_fields

    return EnterpriseTable(file, read_fields())


def _tell(table: EnterpriseTable) -> None:
    for line in problem_lines(table.problems, table.file.path.name):
        err.print(line, style="yellow", markup=False, soft_wrap=True)


@contextmanager
def _bar() -> Iterator[Callable[[int, int | None], None]]:
    """Enterprises done, on stderr; without an end where only reading tells how many there are."""
    columns: tuple[Any, ...] = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("企业", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
