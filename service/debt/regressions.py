"""Keeps the file of questions that paid debts must not fail again, one line each, in the format of ``qifu eval qa``."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db import Database
from service.debt.models import Debt

_LOCK_S = 10


def regressions_path(data_dir: Path) -> Path:
    return data_dir / "eval" / "regressions.jsonl"


def write_regressions(database: Database, path: Path) -> int:
    """Brings the file in line with the database; how many questions of debts it holds.

    The database decides, so a crash between closing and writing loses nothing, and each closed debt stands there once.
    Lines with other ids, added by hand, are kept where they are. Safe to call from many processes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock"), timeout=_LOCK_S):
        with database.reading() as db:
            ours = kept_regressions(db)
        _exchange(path, _merged(_lines(path), ours))
    return len(ours)


def kept_regressions(db: Session) -> dict[str, dict[str, Any]]:
    """By id the questions of all debts that were ever closed, in the order of the debts."""
    rows = db.scalars(select(Debt).where(Debt.merged_into.is_(None)).order_by(Debt.id))
    return {row.regression["id"]: row.regression for row in rows if row.regression}


def debt_of(question_id: str) -> int | None:
    """The debt a question came from; ``None`` for one added by hand."""
    number = question_id.removeprefix("debt-")
    is_ours = number != question_id and number.isascii() and number.isdigit()
    return int(number) if is_ours else None


def _lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def _merged(lines: Sequence[str], ours: Mapping[str, Mapping[str, Any]]) -> list[str]:
    written: set[str] = set()
    merged = []
    for line in lines:
        key = _id_of(line)
        if debt_of(key) is None:
            merged.append(line)
        elif key in ours and key not in written:
            merged.append(json.dumps(ours[key], ensure_ascii=False))
            written.add(key)
    return merged + [
        json.dumps(ours[key], ensure_ascii=False) for key in ours if key not in written
    ]


def _id_of(line: str) -> str:
    try:
        return str(json.loads(line).get("id", ""))
    except (ValueError, AttributeError):
        return ""


def _exchange(path: Path, lines: Sequence[str]) -> None:
    """Whole or not at all."""
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, suffix=".part", delete=False, encoding="utf-8"
    ) as file:
        draft = Path(file.name)
        try:
            file.write("".join(f"{line}\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
