"""What a support policy is: its facts, its conditions, the clauses an answer may cite, its validity on a day."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


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
        return hashlib.sha256(f"{self.label}\n{self.text}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Policy:
    """One support item. ``place`` is the district, city or province it is for, ``None`` for the whole nation. Dates and strings that the source does not give are ``None``, never guessed.

    ``amount_max_cny`` is the most one enterprise can get, in yuan. ``inferred`` names keys whose value was concluded
    from the subject, not read in the source. ``asked`` are ways in which people bring it up in their own words: search
    text, never shown. A record of facts has a ``summary``; an imported document has its own
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

    def status_on(self, day: date) -> Status:
        """The record's status, corrected by its dates for ``day``.

        Where no first day is given, nothing holds before its publication.
        """
        first_day = self.valid_from or self.published
        if first_day is not None and day < first_day:
            return Status.UPCOMING
        if self.valid_to is not None:
            if day > self.valid_to:
                return Status.EXPIRED
            if self.status is Status.EXPIRED:
                return Status.CURRENT
        return self.status
