"""What later papers did to a policy: they repealed it, or a part of it, or let it hold for longer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class ActKind(StrEnum):
    REPEALED = "repealed"
    EXTENDED = "extended"


@dataclass(frozen=True)
class Act:
    """One thing a later paper did. ``title``, ``doc_no`` and ``issuer`` are that paper's.

    ``day`` is the first day on which it counts, absent where the paper gives none: then it counts at once. ``clauses``
    are the articles it names (第五条), empty where the whole policy is meant. ``until`` is the new last day of an
    extension. ``word`` is how the paper puts a repeal: 废止, 宣布失效, 停止执行.
    """

    kind: ActKind
    title: str
    doc_no: str | None
    issuer: str
    day: date | None
    word: str = "废止"
    clauses: tuple[str, ...] = ()
    until: date | None = None

    def counts_on(self, day: date) -> bool:
        return self.day is None or day >= self.day

    def repeals(self, label: str) -> bool:
        """Whether it repeals the clause of this label: 第五条 goes with 第五条第二款, not with 第五条之一."""
        return self.kind is ActKind.REPEALED and any(
            re.match(rf"{re.escape(clause)}(?!之)", label) for clause in self.clauses
        )

    @property
    def source(self) -> str:
        """What tells the paper from others: its number, else its title and issuer."""
        return source_of(self.title, self.doc_no, self.issuer)


def source_of(title: str, doc_no: str | None, issuer: str) -> str:
    return doc_no or f"{title}|{issuer}"


def repeal_words(act: Act) -> str:
    """自2025-01-01起被深圳市福田区人民政府《…》（福府规〔2024〕3号）废止"""
    since = f"自{act.day:%Y-%m-%d}起" if act.day else ""
    number = f"（{act.doc_no}）" if act.doc_no else ""
    issuer = "" if act.title.startswith(act.issuer) else act.issuer
    title = act.title.replace("《", "〈").replace("》", "〉")
    return f"{since}被{issuer}《{title}》{number}{act.word}"
