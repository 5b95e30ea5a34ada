"""The shape of a match as it leaves the service: design notes, chapter 8."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import BaseModel

from knowledge.conditions import Truth
from knowledge.exclusions import Rule
from knowledge.fields import FieldType
from knowledge.policy import Op, Status
from knowledge.profile import Source
from knowledge.timing import DateState
from knowledge.verdicts import Verdict


class GapOut(BaseModel):
    """How far a number is from what is needed, in the field's unit; ``text`` is Chinese."""

    amount: float
    unit: str | None
    text: str


class CriterionOut(BaseModel):
    """One condition. ``have`` and ``need`` are Chinese; ``value`` is the fact as given, with its source and day.

    ``clause`` is the id of the catalogue clause it stands in. An alternative has its ``parts``; it is met where one is.
    """

    field: str
    verdict: Truth
    have: str | None
    need: str
    clause: str
    label: str
    op: Op
    note: str
    value: Any
    source: Source | None
    day: date | None
    gap: GapOut | None
    parts: list[CriterionOut]


class DatesOut(BaseModel):
    """The date state, apart from eligibility; ``days_left`` until it closes, absent where that is not known."""

    state: DateState
    text: str
    opens: date | None
    closes: date | None
    days_left: int | None
    status: Status
    valid_from: date | None
    valid_to: date | None


class MatchOut(BaseModel):
    """One item against one enterprise; ``score`` is its similarity (0-1) to the stated need, 0 where none was stated."""

    policy_id: str
    title: str
    verdict: Verdict
    score: float
    amount_max_cny: int | None
    criteria: list[CriterionOut]
    dates: DatesOut
    window: str | None
    department: str
    url: str | None


class NearMissOut(MatchOut):
    """An item failed by exactly one condition."""

    missing: CriterionOut


class QuestionOut(BaseModel):
    """The one question that settles most: expected number of items, and expected yuan, of ``unknown`` items."""

    field: str
    label: str
    question: str
    type: FieldType
    unit: str | None
    settles: float
    money_cny: float
    unknown: int


class BundleItemOut(BaseModel):
    """An item of the bundle with the most it can pay, in yuan."""

    policy_id: str
    title: str
    amount_max_cny: int | None


class DroppedOut(BundleItemOut):
    """An item left out for others, by which group and why."""

    group: str
    rule: Rule
    reason: str
    inferred: bool
    in_favour_of: list[str]


class LimitOut(BaseModel):
    """A cap on several items of the bundle that cannot be computed from the catalogue."""

    group: str
    policies: list[str]
    reason: str


class BundleOut(BaseModel):
    """The best compatible set of what the enterprise is eligible for and can still apply for."""

    items: list[BundleItemOut]
    total_cny: int
    dropped: list[DroppedOut]
    limits: list[LimitOut]


class ProblemOut(BaseModel):
    """A fact of the profile that was not used, and why."""

    field: str
    message: str


class MatchAnswer(BaseModel):
    """What ``POST /api/match`` and ``qifu match --json`` answer."""

    matches: list[MatchOut]
    next_question: QuestionOut | None
    near_misses: list[NearMissOut]
    bundle: BundleOut
    problems: list[ProblemOut]
