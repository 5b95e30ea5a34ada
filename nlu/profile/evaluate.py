"""Measures the reading of an enterprise's facts against a labelled file."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from knowledge.fields import Fields, read_fields
from nlu.evaluate import Labelled, read_jsonl, share_of
from nlu.profile.reading import read_facts
from nlu.profile.said import Answer, SaidFact

# The day the labelled messages were said on.
DAY = date(2026, 11, 20)


class LabelledField(BaseModel):
    """What was said of a field. ``lacks`` and ``complete`` are of a list."""

    model_config = ConfigDict(extra="forbid")

    field: str
    answer: Answer = Answer.STATED
    value: bool | int | float | str | list[str] | None = None
    lacks: list[str] = Field(default_factory=list)
    complete: bool = False
    approximate: bool = False
    correction: bool = False


class LabelledMessage(Labelled):
    """One message, what was asked and given before it, and every fact in it; what only follows is not labelled."""

    model_config = ConfigDict(extra="forbid")

    id: str
    text: str = Field(min_length=1)
    asked: str | None = None
    given: list[str] = Field(default_factory=list)
    facts: list[LabelledField]


def evaluate_profile_facts(path: Path, fields: Fields | None = None) -> dict[str, Any]:
    """Precision and recall of facts (field, answer and value right), and the share of messages read without a fault.

    Raises:
        LabelError: the file is missing or breaks the format; names file and line.
    """
    known = read_fields() if fields is None else fields
    right = found = labelled = 0
    whole: list[bool] = []
    failures = []
    for row in read_jsonl(path, LabelledMessage):
        said = read_facts(row.text, known, row.asked, given=row.given, day=DAY)
        want = {_wanted(fact) for fact in row.facts}
        got = {_got(fact) for fact in said if not fact.is_derived or fact.field == "operating_city"}
        right, found, labelled = right + len(want & got), found + len(got), labelled + len(want)
        whole.append(want == got)
        if want != got:
            failures.append(
                {
                    "id": row.id,
                    "text": row.text,
                    "extra": sorted(map(str, got - want)),
                    "missed": sorted(map(str, want - got)),
                }
            )
    return {
        "precision": share_of(right, found),
        "recall": share_of(right, labelled),
        "messages": share_of(sum(whole), len(whole)),
        "failures": failures,
    }


_Compared = tuple[str, str, str, tuple[str, ...], bool, bool, bool]


def _wanted(fact: LabelledField) -> _Compared:
    value = tuple(sorted(fact.value)) if isinstance(fact.value, list) else fact.value
    lacks = tuple(sorted(fact.lacks))
    is_complete = fact.complete if isinstance(fact.value, list) else True
    return (
        fact.field, fact.answer.value, _plain(value), lacks, is_complete, fact.approximate, fact.correction,
    )  # fmt: skip


def _got(fact: SaidFact) -> _Compared:
    value = tuple(sorted(fact.value)) if isinstance(fact.value, tuple) else fact.value
    return (
        fact.field, fact.answer.value, _plain(value), tuple(sorted(fact.lacks)), fact.is_complete,
        fact.is_approximate, fact.is_correction,
    )  # fmt: skip


def _plain(value: object) -> str:
    return str(float(value)) if type(value) in (int, float) else repr(value)  # type: ignore[arg-type]
