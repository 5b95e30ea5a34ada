"""What a support policy is: its facts, its conditions, the clauses an answer may cite, its validity on a day."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from knowledge.acts import Act, ActKind

# Years a paper without a stated end holds at most: 深圳市行政规范性文件管理规定 (市政府令第368号, in force from 2026-02-01; before it
# 市政府令第305号). Beyond them nobody may say that it holds, though another rule may let it: it is unknown.
LONGEST_TERM_YEARS = 5
LONGEST_TRIAL_YEARS = 3
_TRIAL = re.compile(r"暂行|试行")


class Level(StrEnum):
    DISTRICT = "区"
    CITY = "市"
    PROVINCE = "省"
    NATION = "国家"


class Status(StrEnum):
    """What the record says of a policy's validity; ``UPCOMING`` only ever comes from ``Policy.status_on``."""

    CURRENT = "current"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    UPCOMING = "upcoming"


class Facet(StrEnum):
    """What one can ask about a policy."""

    OVERVIEW = "overview"
    AMOUNT = "amount"
    CONDITIONS = "conditions"
    MATERIALS = "materials"
    WINDOW = "window"
    PROCESS = "process"
    DEPARTMENT = "department"
    CONTACT = "contact"
    VALIDITY = "validity"


class Op(StrEnum):
    """How a criterion compares; meaning as in the catalogue's format description (CONTRIBUTING.md)."""

    EQ = "eq"
    GTE = "gte"
    GT = "gt"
    LTE = "lte"
    LT = "lt"
    IN = "in"
    INCLUDES_ANY = "includes_any"
    EXCLUDES = "excludes"
    OR = "or"


Scalar = bool | int | float | str


@dataclass(frozen=True)
class Criterion:
    """One condition. ``value`` is a scalar, a list of strings, or for ``or`` the alternatives."""

    field: str
    op: Op
    value: Scalar | tuple[str, ...] | tuple[Criterion, ...]
    note: str


@dataclass(frozen=True)
class Clause:
    """A piece of a policy that an answer may rest on. ``id`` stays the same while the policy lives.

    ``path`` is where it stands in an imported document, outermost first (第二章 资助标准, 第八条, 第二款), ``page`` the
    page it begins on, counted from 1; both absent for a record of facts.
    """

    id: str
    policy_id: str
    facet: Facet
    label: str
    text: str
    path: tuple[str, ...] = ()
    page: int | None = None

    @property
    def hash(self) -> str:
        """Sixteen hex digits that change whenever what it says, or what it is called, changes."""
        return clause_hash(self.label, self.text)


@dataclass(frozen=True)
class Policy:
    """One support item. ``place`` is the district, city or province it is for, ``None`` for the whole nation. Dates and strings that the source does not give are ``None``, never guessed.

    ``amount_max_cny`` is the most one enterprise can get, in yuan. ``inferred`` names keys whose value was concluded
    from the subject, not read in the source. ``asked`` are ways in which people bring it up in their own words: search
    text, never shown. ``acts`` are what later papers did to it, oldest first. ``status_as_of`` is the day on which its
    ``status`` was written down, where known. A record of facts has a ``summary``; an imported document has its own
    ``wording`` instead, in the order of the document. A policy may have both.
    """

    id: str
    title: str
    aliases: tuple[str, ...]
    level: Level
    place: str | None
    issuer: str
    doc_no: str | None
    source_url: str | None
    published: date | None
    valid_from: date | None
    valid_to: date | None
    status: Status
    category: str
    industries: tuple[str, ...]
    benefit_type: str
    amount_max_cny: int | None
    summary: str | None
    criteria: tuple[Criterion, ...]
    materials: tuple[str, ...]
    window: str | None
    department: str
    phone: str | None
    confidence: str
    note: str | None
    inferred: tuple[str, ...]
    asked: tuple[str, ...] = ()
    wording: tuple[Clause, ...] = ()
    acts: tuple[Act, ...] = ()
    status_as_of: date | None = None

    def status_on(self, day: date) -> Status:
        """The record's status, corrected by its dates and by what later papers did to it, for ``day``.

        Where no first day is given, nothing holds before its publication. Without a last day ``CURRENT`` is
        only said for as long as a paper may hold without being renewed; later, or where nothing tells since
        when, it is ``UNKNOWN``.
        """
        first_day = self.valid_from or self.published
        if first_day is not None and day < first_day:
            return Status.UPCOMING
        if self.repeal_on(day):
            return Status.EXPIRED
        if self.valid_to is not None:
            if day > self.valid_to:
                return Status.EXPIRED
            if self.status is Status.EXPIRED:
                return Status.CURRENT
        elif self.status is Status.CURRENT and not self._may_be_asserted(day):
            return Status.UNKNOWN
        return self.status

    def status_of(self, clause: Clause, day: date) -> Status:
        """The policy's status, but a clause that was repealed alone is expired."""
        status = self.status_on(day)
        is_repealed = status is not Status.UPCOMING and self.clause_repeal_on(clause.label, day)
        return Status.EXPIRED if is_repealed else status

    def clause_repeal_on(self, label: str, day: date) -> Act | None:
        """The act that repealed the clause of this label by ``day``, and not the whole policy."""
        return next((a for a in self.acts if a.repeals(label) and a.counts_on(day)), None)

    def repeal_on(self, day: date) -> Act | None:
        """The act that repealed the whole policy by ``day``."""
        return next((act for act in self.whole_repeals if act.counts_on(day)), None)

    @property
    def whole_repeals(self) -> tuple[Act, ...]:
        return tuple(a for a in self.acts if a.kind is ActKind.REPEALED and not a.clauses)

    def _may_be_asserted(self, day: date) -> bool:
        """Whether a status without a last day may still be told as it was written down."""
        years = LONGEST_TRIAL_YEARS if _TRIAL.search(self.title) else LONGEST_TERM_YEARS
        first_day, seen = self.valid_from or self.published, self.status_as_of
        if first_day is not None and day < years_after(first_day, years):
            return True
        if seen is None or (first_day is not None and seen < years_after(first_day, years)):
            return False
        # What held on the day it was written down had begun by then; a record speaks of the year it is of.
        return seen.replace(month=1, day=1) <= day < years_after(seen, years)


def clause_hash(label: str, text: str) -> str:
    """``Clause.hash`` of a clause that is shown under this label with these words."""
    return hashlib.sha256(f"{label}\n{text}".encode()).hexdigest()[:16]


def years_after(day: date, years: int) -> date:
    """The same day ``years`` years later; of a 29th of February the 1st of March where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # the 29th of February
        return date(day.year + years, 3, 1)
