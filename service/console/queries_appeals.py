"""Counts appeals for the dashboard: filed, closed, overdue, answered in time, solved, satisfied."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Date, and_, case, cast, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.appeals.board import is_overdue
from service.appeals.departments import directory
from service.appeals.models import Appeal, AppealEvent, AppealState
from service.console.shares import Share, share_of
from service.staff.permissions import Role, Staff

_Time = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]

_ANSWERING = (AppealState.ANSWERED, AppealState.EXPLAINED, AppealState.CLOSED)
_SATISFIED_FROM = 4

_IS_TAKEN_UP = Appeal.state.not_in((AppealState.REFUSED, AppealState.WITHDRAWN))


@dataclass(frozen=True)
class Span:
    """A time from ``since`` (included) to ``until`` (not included), both aware, and the moment it is looked at."""

    since: datetime
    until: datetime
    now: datetime


class DepartmentLine(BaseModel):
    """The appeals of one department within the span; ``overdue`` are those overdue now."""

    department: str
    filed: int
    closed: int
    overdue: int
    in_time: Share


class AppealFigures(BaseModel):
    """Appeals within a span; ``filed`` and ``closed`` by day (Asia/Shanghai), days without any left out."""

    filed: dict[date, int]
    closed: dict[date, int]
    overdue: int
    in_time: Share
    solved: Share
    satisfied: Share
    departments: list[DepartmentLine]


def departments_seen(staff: Staff) -> frozenset[str] | None:
    """The names a department's appeals may stand under; ``None`` for who sees those of all."""
    if staff.role is not Role.DEPARTMENT:
        return None
    return directory().names_of(staff.department or "")


def appeal_figures(db: Session, span: Span, seen: Collection[str] | None = None) -> AppealFigures:
    """What happened to the appeals of the departments ``seen``, of all where that is absent."""
    own = [] if seen is None else [Appeal.department.in_(sorted(seen))]
    closed = _within(Appeal.closed_at, span)
    departments = _departments(db, span, own)
    in_time = sum(each.in_time.hits for each in departments)
    return AppealFigures(
        filed=_by_day(db, Appeal.received_at, span, own),
        closed=_by_day(db, Appeal.closed_at, span, own),
        overdue=sum(each.overdue for each in departments),
        in_time=share_of(in_time, sum(each.in_time.n for each in departments)),
        solved=_share(db, ~_was_reopened(), [closed, *own]),
        satisfied=_share(
            db, Appeal.satisfied >= _SATISFIED_FROM, [closed, Appeal.satisfied.is_not(None), *own]
        ),
        departments=departments,
    )


def _within(column: _Time, span: Span) -> ColumnElement[bool]:
    return and_(column >= span.since, column < span.until)


def local_day(db: Session, column: _Time) -> ColumnElement[object]:
    """The day of a time in Asia/Shanghai, which knows no summer time."""
    if db.get_bind().dialect.name == "sqlite":
        return func.date(column, "+8 hours")
    return cast(func.timezone("Asia/Shanghai", column), Date)


def _by_day(
    db: Session,
    column: _Time,
    span: Span,
    own: Sequence[ColumnElement[bool]],
) -> dict[date, int]:
    day = local_day(db, column)
    query = select(day, func.count()).where(_within(column, span), *own).group_by(day).order_by(day)
    return {date.fromisoformat(str(each)): count for each, count in db.execute(query)}


def _first_answer() -> ColumnElement[datetime]:
    return (
        select(func.min(AppealEvent.at))
        .where(AppealEvent.appeal_id == Appeal.id, AppealEvent.to_state.in_(_ANSWERING))
        .scalar_subquery()
    )


def _was_reopened() -> ColumnElement[bool]:
    return (
        select(AppealEvent.id)
        .where(AppealEvent.appeal_id == Appeal.id, AppealEvent.to_state == AppealState.REOPENED)
        .exists()
    )


def _departments(
    db: Session, span: Span, own: Sequence[ColumnElement[bool]]
) -> list[DepartmentLine]:
    """In the order of how many were filed."""
    rows = (
        select(
            Appeal.department,
            Appeal.due_at,
            _IS_TAKEN_UP.label("counts"),
            _first_answer().label("answered"),
        )
        .where(_within(Appeal.received_at, span), *own)
        .subquery()
    )
    is_judged = and_(rows.c.counts, or_(rows.c.answered.is_not(None), rows.c.due_at < span.now))
    is_in_time = and_(rows.c.counts, rows.c.answered <= rows.c.due_at)
    query = select(
        rows.c.department,
        func.count(),
        func.coalesce(func.sum(case((is_judged, 1), else_=0)), 0),
        func.coalesce(func.sum(case((is_in_time, 1), else_=0)), 0),
    ).group_by(rows.c.department)
    filed = {name: (count, judged, kept) for name, count, judged, kept in db.execute(query)}
    closed = _by_department(db, [_within(Appeal.closed_at, span), *own])
    # What is unanswered is not closed; said in these words it is looked for among the few open ones.
    overdue = _by_department(db, [Appeal.closed_at.is_(None), is_overdue(span.now), *own])
    lines = []
    for name in filed.keys() | closed.keys() | overdue.keys():
        count, judged, kept = filed.get(name, (0, 0, 0))
        lines.append(
            DepartmentLine(
                department=name,
                filed=count,
                closed=closed.get(name, 0),
                overdue=overdue.get(name, 0),
                in_time=share_of(kept, judged),
            )
        )
    return sorted(lines, key=lambda line: (-line.filed, line.department))


def _by_department(db: Session, conditions: Sequence[ColumnElement[bool]]) -> dict[str, int]:
    query = select(Appeal.department, func.count()).where(*conditions)
    return {name: count for name, count in db.execute(query.group_by(Appeal.department))}


def _share(
    db: Session, hit: ColumnElement[bool], conditions: Sequence[ColumnElement[bool]]
) -> Share:
    counted = select(func.count(), func.sum(case((hit, 1), else_=0))).where(*conditions)
    n, hits = db.execute(counted.select_from(Appeal)).one()
    return share_of(hits or 0, n)
