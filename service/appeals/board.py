"""Lists, filters, searches and counts appeals for the desk, a page at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    false,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from service.appeals.departments import directory
from service.appeals.models import (
    APPEAL_SEARCH,
    OPEN_STATES,
    UNANSWERED_STATES,
    Appeal,
    AppealParty,
    AppealState,
    AppealText,
)
from service.appeals.remaining import RemainingTime, remaining
from service.appeals.visibility import visible_to
from service.db import UtcDateTime
from service.errors import InvalidInput
from service.staff.permissions import Staff
from service.text_search import MAX_WORDS, folded, one_of, words_of

MOST_ROWS = 200
# So few hits are looked at one by one; of more, the list's order is walked until the page is full.
_FEW_HITS = 1000
# Words in more appeals than that are so frequent that walking the list finds them at once.
_MOST_HITS = 20_000
_IS_OPEN = Appeal.closed_at.is_(None)
"""Says the same as the open states, in the words of the index of open appeals."""

_NUMBER = re.compile(r"[A-Z0-9]{1,8}-\d{8}(?:-\d{1,8})?", re.ASCII)


class Order(StrEnum):
    """Most urgent first, or newest first."""

    DUE = "due"
    NEWEST = "newest"


@dataclass(frozen=True)
class Wanted:
    """What a list shows; an absent filter lets all pass.

    ``text`` is looked for in matter, company and number. ``department`` is a name or code, of the
    lead or one that assists. ``received_from`` is included, ``received_to`` is not.
    """

    states: frozenset[AppealState] = frozenset()
    department: str | None = None
    overdue: bool = False
    paused: bool = False
    common: bool = False
    extension_asked: bool = False
    text: str = ""
    credit_code: str | None = None
    received_from: datetime | None = None
    received_to: datetime | None = None
    order: Order = Order.DUE


@dataclass(frozen=True)
class Row:
    """One appeal of a list, with its clock now and those that assist."""

    appeal: Appeal
    remaining: RemainingTime
    co_departments: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """Rows in order; ``next`` begins the page after it, absent on the last."""

    rows: tuple[Row, ...]
    next: str | None


def list_appeals(
    db: Session, staff: Staff, wanted: Wanted, now: datetime, after: str | None = None,
    limit: int = 50,
) -> Page:  # fmt: skip
    """A page of what they may see, from the place ``after`` names on.

    ``InvalidInput`` for a place that is none.
    """
    limit = max(1, min(limit, MOST_ROWS))
    filters = [*_filters(staff, wanted, now), *_text_filters(db, wanted.text)]
    query = _ordered(select(Appeal).where(*filters), wanted.order, after)
    found: list[Appeal] = list(db.scalars(query.limit(limit + 1)))
    shown = found[:limit]
    assisting = _co_departments(db, shown)
    rows = tuple(Row(a, remaining(a, now), tuple(assisting.get(a.id, ()))) for a in shown)
    return Page(rows, _place(shown[-1], wanted.order) if len(found) > limit else None)


def count_by_state(db: Session, staff: Staff) -> dict[AppealState, int]:
    """How many they may see in each state."""
    query = select(Appeal.state, func.count()).where(visible_to(staff)).group_by(Appeal.state)
    return {state: number for state, number in db.execute(query)}


def count_appeals(
    db: Session, staff: Staff, wanted: Wanted, now: datetime, most: int = 1000
) -> int:
    """How many pass the filters, counted no further than ``most``."""
    filters = [*_filters(staff, wanted, now), *_text_filters(db, wanted.text)]
    some = select(Appeal.id).where(*filters).limit(most).subquery()
    return int(db.execute(select(func.count()).select_from(some)).scalar_one())


def is_overdue(now: datetime) -> ColumnElement[bool]:
    """The filter for what somebody owes an answer to and is late."""
    is_late = or_(
        and_(Appeal.clock_since.is_not(None), Appeal.due_at < now),
        and_(Appeal.clock_since.is_(None), Appeal.clock_used > Appeal.clock_budget),
    )
    unanswered = Appeal.state.in_(sorted(UNANSWERED_STATES))
    return and_(_IS_OPEN, unanswered, Appeal.due_at < now, is_late)


def _filters(staff: Staff, wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    filters = [visible_to(staff)]
    if wanted.states:
        filters.append(Appeal.state.in_(sorted(wanted.states)))
        if wanted.states <= OPEN_STATES:
            filters.append(_IS_OPEN)
    if wanted.department is not None:
        filters.append(_of_department(wanted.department))
    if wanted.overdue:
        filters.append(is_overdue(now))
    if wanted.paused:
        filters += [Appeal.pause_reason.is_not(None), _IS_OPEN]
    if wanted.common:
        filters.append(Appeal.is_common.is_(True))
    if wanted.extension_asked:
        filters += [Appeal.extension == "asked", _IS_OPEN]
        filters.append(Appeal.state.in_(sorted(UNANSWERED_STATES)))
    if wanted.credit_code is not None:
        filters.append(Appeal.credit_code == wanted.credit_code)
    if wanted.received_from is not None:
        filters.append(Appeal.received_at >= wanted.received_from)
    if wanted.received_to is not None:
        filters.append(Appeal.received_at < wanted.received_to)
    return filters


def _of_department(name: str) -> ColumnElement[bool]:
    known = directory().today(name)
    names = sorted(directory().names_of(known.code)) if known else [name]
    return Appeal.id.in_(select(AppealParty.appeal_id).where(AppealParty.department.in_(names)))


def _text_filters(db: Session, wanted: str) -> list[ColumnElement[bool]]:
    """Every word must occur; a number is looked up by its beginning, without reading any text."""
    filters: list[ColumnElement[bool]] = []
    words: list[str] = []
    for word in wanted[:200].split()[:MAX_WORDS]:
        number = folded(word).upper()
        if _NUMBER.fullmatch(number):
            filters.append(and_(Appeal.no >= number, Appeal.no < f"{number}~"))
        else:
            words += words_of(word)
    if not words:
        is_nothing = bool(wanted.strip()) and not filters
        return [false()] if is_nothing else filters
    hits = APPEAL_SEARCH.newest(db, words, _MOST_HITS + 1)
    if not hits:
        return [false()]
    if len(hits) <= _MOST_HITS:
        # The sign keeps SQLite from fetching many hits one by one to sort them.
        is_walked = len(hits) > _FEW_HITS and db.get_bind().dialect.name == "sqlite"
        filters.append(one_of(db, "+appeals.id" if is_walked else "appeals.id", hits))
    has_all = [_position(AppealText.text, word) > 0 for word in words]
    same = select(AppealText.appeal_id).where(AppealText.appeal_id == Appeal.id, *has_all)
    return [*filters, same.correlate(Appeal).exists()]


class _position(FunctionElement[int]):
    """Where a text begins within another, from 1; 0 for nowhere."""

    inherit_cache = True
    type = Integer()


@compiles(_position)
def _strpos(element: _position, compiler: SQLCompiler, **more: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **more)})"


@compiles(_position, "sqlite")
def _instr(element: _position, compiler: SQLCompiler, **more: Any) -> str:
    return f"instr({compiler.process(element.clauses, **more)})"


def _ordered(query: Select[Any], order: Order, after: str | None) -> Select[Any]:
    at = Appeal.due_at if order is Order.DUE else Appeal.received_at
    if after is not None:
        place = tuple_(*_read_place(after), types=[UtcDateTime(), Appeal.id.type])
        here = tuple_(at, Appeal.id)
        query = query.where(here > place if order is Order.DUE else here < place)
    return (
        query.order_by(at, Appeal.id)
        if order is Order.DUE
        else query.order_by(at.desc(), Appeal.id.desc())
    )


def _place(appeal: Appeal, order: Order) -> str:
    at = appeal.due_at if order is Order.DUE else appeal.received_at
    return f"{at.isoformat()}_{appeal.id}"


def _read_place(text: str) -> tuple[datetime, int]:
    try:
        at, _, number = text[:60].rpartition("_")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError(at)
        return moment, int(number)
    except ValueError as error:
        raise InvalidInput("翻页位置不正确，请从头查看。", "after") from error


def _co_departments(db: Session, appeals: Sequence[Appeal]) -> dict[int, list[str]]:
    query = select(AppealParty.appeal_id, AppealParty.department).where(
        AppealParty.appeal_id.in_([a.id for a in appeals]), AppealParty.is_lead.is_(False)
    )
    found: dict[int, list[str]] = {}
    for number, department in db.execute(query.order_by(AppealParty.department)):
        found.setdefault(number, []).append(department)
    return found
