"""What every command shares: settings from options, JSON on stdout, progress bars on stderr."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from service.settings import Settings

err = Console(stderr=True, highlight=False)
AsJson = Annotated[bool, typer.Option("--json", help="标准输出只有一个 JSON 文档。")]
AsOf = Annotated[
    datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="按这一天的情况回答。")
]


def settings_with(**overrides: Any) -> Settings:
    return Settings(**{name: value for name, value in overrides.items() if value is not None})


def session_named(name: str) -> str:
    """The session of ``qifu ask --session NAME``: the same name always means the same conversation on this machine."""
    return f"cli-{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def print_json(document: object) -> None:
    print(json.dumps(document, ensure_ascii=False, default=_json_value))


def _json_value(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")


def print_report(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    for name, value in report.items():
        if isinstance(value, dict) and {"value", "low", "high", "n"} <= value.keys():
            if value["value"] is not None:
                print(
                    f"{name:24} {value['value']:.3f}  [{value['low']:.3f}, {value['high']:.3f}]  n={value['n']}"
                )
        elif isinstance(value, list):
            print(f"{name}: {len(value)}")
            for row in value:
                print(f"  {json.dumps(row, ensure_ascii=False)}")
        else:
            print(f"{name:24} {json.dumps(value, ensure_ascii=False)}")


@contextmanager
def counting_bar(title: str, total: int) -> Iterator[Callable[[], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda: progress.advance(task)


@contextmanager
def encoding_bar() -> Iterator[Callable[[int, int], None]]:
    """A progress bar that appears only when something really has to be encoded."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("编码语句", total=None, visible=False)
        yield lambda done, total: progress.update(task, completed=done, total=total, visible=True)
