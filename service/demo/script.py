"""Reads what the demo consists of from its data files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from service.staff.permissions import Role

DATA = Path(__file__).parent / "data"
ENTERPRISES = DATA / "enterprises.csv"
# The same as the safe loader, ten times as fast; absent where PyYAML was built without libyaml.
_FAST_SAFE = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(_Part):
    """Somebody of the staff. ``topics`` are words of matters they take first."""

    id: str
    name: str
    role: Role
    department: str | None = None
    topics: tuple[str, ...] = ()


class Group(_Part):
    """A group with its commissioner."""

    id: str
    name: str
    commissioner: str
    street: str
    lead_department: str


class CannedText(_Part):
    """A text commissioners send often."""

    shortcut: str
    title: str
    text: str


class Line(_Part):
    """One thing that happens in a conversation: exactly one of the six, ``after`` minutes."""

    after: float = 1
    say: str | None = None
    claim: str | None = None
    release: str | None = None
    close: str | None = None
    send: str | None = None
    note: str | None = None
    by: str | None = None


class Talk(_Part):
    """A conversation. It began ``minutes_ago`` on the wall clock, or ``days_ago`` in working days."""

    id: str
    lines: tuple[Line, ...]
    minutes_ago: float | None = None
    days_ago: float | None = None
    enterprise: str | None = None
    group: str | None = None


class Step(BaseModel):
    """What is done with an appeal; further fields are those of the step's request."""

    model_config = ConfigDict(extra="allow", frozen=True)

    after: float
    do: str | None = None
    say: str | None = None
    by: str | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the step's request."""
        return dict(self.model_extra or {})


class Matter(_Part):
    """An appeal and what became of it."""

    key: str
    days_ago: float
    enterprise: str
    phone: str
    department: str
    matter: str
    steps: tuple[Step, ...] = ()


class Common(_Part):
    """The common issue that is confirmed: the one with the appeal of this key."""

    has: str
    title: str
    by: str


class Signed(_Part):
    """A signed answer; a draft without ``approver``."""

    question: str
    text: str
    clauses: tuple[str, ...]
    author: str
    approver: str | None = None
    variants: tuple[str, ...] = ()


class Closed(_Part):
    """The debt whose question holds these words, closed for a reason."""

    question: str
    by: str
    reason: str


class Owned(_Part):
    """The debt whose question holds these words, given to somebody."""

    question: str
    owner: str


class Script(_Part):
    """The whole demo."""

    staff: tuple[Person, ...]
    groups: tuple[Group, ...]
    canned: tuple[CannedText, ...]
    talks: tuple[Talk, ...]
    appeals: tuple[Matter, ...]
    common: Common
    answers: tuple[Signed, ...]
    closed_debt: Closed
    owner_of_debt: Owned

    def person(self, staff_id: str) -> Person:
        """Somebody of the staff by id."""
        return next(each for each in self.staff if each.id == staff_id)


def read_script(folder: Path = DATA) -> Script:
    """The demo as its files say."""
    parts: dict[str, Any] = {}
    for name in ("people", "talks", "appeals", "answers"):
        parts |= yaml.load((folder / f"{name}.yml").read_text(encoding="utf-8"), _FAST_SAFE)
    return Script.model_validate(parts)
