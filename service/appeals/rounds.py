"""Looks at the appeals whose time has come: warns, lets pauses end, closes what nobody reacted to.

The truth is in rows (``next_check_at``) and events (``once``), so it does not matter how often, by
how many processes, or how late it is looked: each thing happens once, and only in working hours.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.appeals.derived import Derived, derive
from service.appeals.history import append_event
from service.appeals.ladder import NEAR_SHARE, closes_at, due_rungs, next_check, pause_ends_at
from service.appeals.models import SYSTEM, Appeal, AppealState, EventKind
from service.appeals.projection import events_of, project
from service.appeals.worktime import is_worked, minute_of


def appeals_to_look_at(db: Session, now: datetime, limit: int = 200) -> list[str]:
    """Numbers of appeals whose next check is due, longest waiting first."""
    query = (
        select(Appeal.no)
        .where(Appeal.next_check_at <= now)
        .order_by(Appeal.next_check_at)
        .limit(limit)
    )
    return list(db.scalars(query))


def provisional_appeals(db: Session) -> list[str]:
    """Open appeals due in a year whose holidays were unknown when they were counted."""
    query = select(Appeal.no).where(
        Appeal.calendar_known.is_(False), Appeal.clock_since.is_not(None)
    )
    return list(db.scalars(query.order_by(Appeal.id)))


def look(db: Session, no: str, now: datetime, near_share: float = NEAR_SHARE) -> int:
    """Does what is due for one appeal, and says when to look next; how many events came of it.

    Another process that looks at it now is let alone (0), as is everything outside working hours.
    """
    query = select(Appeal).where(Appeal.no == no, Appeal.next_check_at <= now)
    query = query.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    appeal = db.scalars(query).one_or_none()
    if appeal is None:
        return 0
    derived = derive(events_of(db, appeal))
    if not is_worked(minute_of(now), derived.clock.hours):
        return 0
    before = appeal.version
    _warn(db, appeal, derived, now, near_share)
    _end_wait(db, appeal, derived, now)
    return _put_down(db, appeal, near_share) - before


def recount(db: Session, no: str, near_share: float = NEAR_SHARE) -> None:
    """Brings the row to its events again, after the holidays of a year became known."""
    query = select(Appeal).where(Appeal.no == no).with_for_update()
    appeal = db.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if appeal is not None:
        _put_down(db, appeal, near_share)


def _put_down(db: Session, appeal: Appeal, near_share: float) -> int:
    derived = derive(events_of(db, appeal))
    project(db, appeal, derived)
    appeal.next_check_at = next_check(derived, near_share)
    db.flush()
    return appeal.version


def _warn(db: Session, appeal: Appeal, now: Derived, at: datetime, near_share: float) -> None:
    for rung in due_rungs(now, minute_of(at), near_share):
        append_event(
            db, appeal, EventKind.WARNED, SYSTEM, at, note=rung.text,
            once=f"{now.clock.round}:{rung.alarm}",
            detail={"warning": str(rung.alarm), "round": now.clock.round, "to": str(rung.to)},
        )  # fmt: skip


def _end_wait(db: Session, appeal: Appeal, now: Derived, at: datetime) -> None:
    ends, closes = pause_ends_at(now), closes_at(now)
    if ends is not None and ends <= minute_of(at):
        append_event(db, appeal, EventKind.RESUMED, SYSTEM, at, detail={"because": "limit"})
    if closes is not None and closes <= minute_of(at):
        append_event(
            db, appeal, EventKind.MOVED, SYSTEM, at, to_state=AppealState.CLOSED,
            detail={"automatic": True},
        )  # fmt: skip
