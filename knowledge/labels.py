"""Reads labelled question files, the format of ``qifu eval qa``."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from knowledge.errors import LabelError
from knowledge.label_rows import SeenIds, unknown_name
from knowledge.policy import Facet, Status

# The day the shipped questions were written for; a question may name a day of its own.
LABELLED_FOR = date(2026, 11, 24)
CLARIFY = "clarify"
_PEOPLE = frozenset({"user", "human", "enterprise", "customer"})
_ROLES = _PEOPLE | {"bot", "assistant", "system", "agent", "staff"}
_WRITTEN_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _calendar_day(value: object) -> object:
    """Only YYYY-MM-DD; pydantic alone would also read numbers, as seconds since 1970."""
    if isinstance(value, date) or (isinstance(value, str) and _WRITTEN_DAY.fullmatch(value)):
        return value
    raise ValueError("write a date as YYYY-MM-DD")


Day = Annotated[date, BeforeValidator(_calendar_day)]


class ContextTurn(BaseModel):
    """An earlier turn of the same conversation."""

    model_config = ConfigDict(extra="ignore")

    role: str
    text: str

    @property
    def is_person(self) -> bool:
        return self.role in _PEOPLE


class LabelledQuestion(BaseModel):
    """One question with what a right answer must hold.

    ``policy_id`` of an unanswerable question names the policy whose record lacks the detail asked for.
    ``expected_policies_all`` are policies that must each be cited: a comparison, or two questions in one message.
    ``as_of`` is the day of the question, absent means the day of the run. ``expected_status`` is the status the
    answer must be stamped with. No string of ``forbidden`` may stand in the answer. ``kind`` names the sort of trap
    in one word. ``file`` is the name of the file it was read from and no label.
    """

    model_config = ConfigDict(extra="ignore")

    id: Annotated[str, Field(min_length=1)]
    text: Annotated[str, Field(min_length=1)]
    intent: str | None = None
    policy_id: str | None = None
    expected_policies_any: list[str] = Field(default_factory=list)
    expected_policies_all: list[str] = Field(default_factory=list)
    facet: str | None = None
    expected_answer_facts: list[str] = Field(default_factory=list)
    context: list[ContextTurn] = Field(default_factory=list)
    expected_action: str | None = None
    unanswerable: bool = False
    adversarial: bool = False
    as_of: Day | None = None
    expected_status: Status | None = None
    forbidden: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)
    kind: str | None = None
    file: str = Field("", exclude=True)

    @property
    def right_policies(self) -> set[str]:
        """Every policy whose answer is right; empty when no policy is the answer."""
        named = {self.policy_id} if self.policy_id else set()
        return named.union(self.expected_policies_any, self.expected_policies_all)

    @property
    def is_findable(self) -> bool:
        """Whether some policy of the catalogue answers it."""
        return not self.unanswerable and bool(self.right_policies)

    @property
    def is_answerable(self) -> bool:
        """Whether an answer is due: neither unanswerable nor small talk."""
        return not self.unanswerable and (
            bool(self.right_policies) or self.expected_action == "answer"
        )

    @property
    def is_vague(self) -> bool:
        """Whether a counter-question is as right as an answer."""
        return not self.unanswerable and self.expected_action == CLARIFY


def read_questions(path: Path, intents: Collection[str] = ()) -> list[LabelledQuestion]:
    """All questions of a JSON-lines file; ``intents`` are those a row may name, any where none are given.

    Raises:
        LabelError: naming file, line and field of the first defect, and what to write instead.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise LabelError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: byte {error.start}: not UTF-8") from error
    found: list[LabelledQuestion] = []
    seen = SeenIds()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            question = LabelledQuestion.model_validate_json(line)
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            name = ".".join(str(part) for part in detail["loc"]) or "record"
            raise LabelError(f"{path.name}:{number}: {name}: {detail['msg']}") from error
        defect = seen.defect(question.id, number) or _misnamed(question, intents)
        if defect:
            raise LabelError(f"{path.name}:{number}: {defect}")
        found.append(question.model_copy(update={"file": path.name}))
    if not found:
        raise LabelError(f"{path}: no question in it; expected one JSON object a line")
    return found


def _misnamed(question: LabelledQuestion, intents: Collection[str]) -> str | None:
    """The first name of a row that stands for nothing: a facet, an intent, the role of an earlier turn."""
    if question.facet is not None:
        defect = unknown_name("facet", question.facet, [facet.value for facet in Facet])
        if defect:
            return defect
    if question.intent is not None and intents:
        defect = unknown_name("intent", question.intent, intents)
        if defect:
            return defect
    roles = (
        unknown_name(f"context.{at}.role", turn.role, _ROLES)
        for at, turn in enumerate(question.context)
    )
    return next((defect for defect in roles if defect), None)
