"""Reads the appeals a page of the board shows: rows with their clocks, counts, columns by state."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from service.appeals import board
from service.appeals.board import Page, Wanted
from service.appeals.models import AppealState
from service.staff.office import office_of
from service.staff.permissions import Staff

ROWS = 50
CARDS = 15
MOST_COUNTED = 1000
_S = AppealState
COLUMNS = (
    _S.FILED, _S.RETURNED, _S.DISPATCHED, _S.ACCEPTED, _S.ESCALATED, _S.REOPENED, _S.ANSWERED,
    _S.EXPLAINED,
)  # fmt: skip
"""The open states in the order work goes through them."""


@dataclass(frozen=True)
class Listed:
    """A page of the table.

    ``total`` counts what passes the filters, up to ``MOST_COUNTED``; ``counts`` all they may see, by
    state. ``near_share`` is the share of the time used from which a clock is shown as near its end.
    """

    page: Page
    total: int
    counts: Mapping[AppealState, int]
    near_share: float


@dataclass(frozen=True)
class Column:
    """The most urgent appeals of one state and how many there are under the filters."""

    state: AppealState
    page: Page
    total: int


@dataclass(frozen=True)
class Board:
    """The open appeals by state."""

    columns: tuple[Column, ...]
    counts: Mapping[AppealState, int]
    near_share: float


def listed(
    db: Session, staff: Staff, wanted: Wanted, now: datetime, after: str | None = None
) -> Listed:
    """A page of the table with the numbers above it."""
    return Listed(
        page=board.list_appeals(db, staff, wanted, now, after, ROWS),
        total=board.count_appeals(db, staff, wanted, now, MOST_COUNTED),
        counts=board.count_by_state(db, staff),
        near_share=office_of(db).warning_share,
    )


def columns(db: Session, staff: Staff, wanted: Wanted, now: datetime) -> Board:
    """The board under the filters; states that are not open have no column."""
    shown = [state for state in COLUMNS if not wanted.states or state in wanted.states]
    return Board(
        columns=tuple(_column(db, staff, wanted, now, state) for state in shown),
        counts=board.count_by_state(db, staff),
        near_share=office_of(db).warning_share,
    )


def _column(db: Session, staff: Staff, wanted: Wanted, now: datetime, state: AppealState) -> Column:
    own = replace(wanted, states=frozenset({state}))
    page = board.list_appeals(db, staff, own, now, limit=CARDS)
    is_all = page.next is None
    total = len(page.rows) if is_all else board.count_appeals(db, staff, own, now, MOST_COUNTED)
    return Column(state, page, total)


def sum_of(counts: Mapping[AppealState, int], states: Collection[AppealState]) -> int:
    """How many there are in these states together."""
    return sum(counts.get(state, 0) for state in states)
