"""Cuts a message into clauses and tells which of them claim something of the speaker's own enterprise."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from pathlib import Path

import yaml

WORDS_FILE = Path(__file__).with_name("words.yml")
# A comma between digits belongs to a number.
_BREAK = re.compile(
    r"(?<!\d)[,]|,(?!\d)|[，。；;！!？?\n]|(?<=[\u4e00-\u9fff\w]) (?=[\u4e00-\u9fff])"
)
_ENDS = ("。", "！", "!", "？", "?", "\n")


@dataclass(frozen=True)
class Talk:
    """The patterns of ``words.yml``, each an alternation of its entries."""

    question: re.Pattern[str]
    question_lead: re.Pattern[str]
    question_verb: re.Pattern[str]
    wish: re.Pattern[str]
    demand: re.Pattern[str]
    others: re.Pattern[str]
    subject: re.Pattern[str]
    policy_nouns: re.Pattern[str]
    decoys: re.Pattern[str]
    place_decoys: re.Pattern[str]
    shares_of: re.Pattern[str]
    about_before: re.Pattern[str]
    about_within: re.Pattern[str]
    about_after: re.Pattern[str]
    below_before: re.Pattern[str]
    below_after: re.Pattern[str]
    above_before: re.Pattern[str]
    above_after: re.Pattern[str]
    figure_denied: re.Pattern[str]
    correction: re.Pattern[str]
    other_years: re.Pattern[str]
    has_before: re.Pattern[str]
    lacks_before: re.Pattern[str]
    has_after: re.Pattern[str]
    lacks_after: re.Pattern[str]
    agrees: re.Pattern[str]
    denies: re.Pattern[str]
    does: re.Pattern[str]
    does_not: re.Pattern[str]
    bare: re.Pattern[str]
    particles: re.Pattern[str]
    unknown: re.Pattern[str]
    refused: re.Pattern[str]
    that_is_all: re.Pattern[str]
    no_qualification: re.Pattern[str]
    list_joint: re.Pattern[str]


@lru_cache(maxsize=1)
def talk() -> Talk:
    """The patterns of the package, read once."""
    data: dict[str, str | list[str]] = yaml.safe_load(WORDS_FILE.read_text("utf-8"))
    assert set(data) == {each.name for each in fields(Talk)}
    return Talk(
        **{
            name: re.compile(given if isinstance(given, str) else "|".join(given), re.IGNORECASE)
            for name, given in data.items()
        }
    )


@dataclass(frozen=True)
class Clause:
    """``text`` stands at ``start`` of the message; ``mark`` is the punctuation behind it.

    ``is_of_others``: it speaks of another enterprise, or goes on after a clause that does.
    """

    start: int
    text: str
    mark: str
    is_of_others: bool = False

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @cached_property
    def _asks_at(self) -> int | None:
        """Where the question begins, the end of the clause for 吗 and ?; ``None`` where nothing is asked."""
        found = talk().question.search(self.text)
        if found is not None:
            return found.start()
        asks = self.mark in ("?", "？") or talk().question_lead.search(self.text)
        return len(self.text) if asks else None

    @property
    def is_question(self) -> bool:
        return self.mark in ("?", "？") or talk().question.search(self.text) is not None

    @cached_property
    def _may_claim(self) -> bool:
        return not self.is_of_others and talk().demand.search(self.text) is None

    def claims(self, start: int, end: int) -> bool:
        """Whether what stands at ``start:end`` of the message is said of the speaker's own enterprise."""
        words, start, end = talk(), start - self.start, end - self.start
        if not self._may_claim or words.policy_nouns.match(self.text, end):
            return False
        wish = words.wish.search(self.text)
        if wish is not None and end > wish.start():
            return False
        if self._asks_at is None:
            return True
        if start >= self._asks_at or words.subject.search(self.text[:start]) is None:
            return False
        behind = self.text[end:]
        is_open = re.search(r"什么|哪|多少|怎么|如何|几", behind) is not None
        return is_open or words.question_verb.search(behind) is not None


def clauses_of(text: str) -> list[Clause]:
    """The clauses of a normalised message, empty ones left out."""
    found: list[Clause] = []
    at, is_of_others = 0, False
    for cut in [*_BREAK.finditer(text), None]:
        end, mark = (len(text), "") if cut is None else (cut.start(), cut[0])
        part = text[at:end]
        if part.strip():
            if talk().others.search(part):
                is_of_others = True
            elif talk().subject.search(part):
                is_of_others = False
            found.append(Clause(at, part, mark, is_of_others))
            is_of_others = is_of_others and mark not in _ENDS
        at = end if cut is None else cut.end()
    return found


def clause_at(clauses: list[Clause], position: int) -> Clause:
    """The clause a position of the message is in."""
    return next(clause for clause in reversed(clauses) if clause.start <= position)
