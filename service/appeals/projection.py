"""Writes what the events say into the row that lists and filters read, and compares the two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from service.appeals.derived import Derived, derive
from service.appeals.ladder import LOWEST_NEAR_SHARE, next_check
from service.appeals.models import Appeal, AppealEvent, AppealParty
from service.appeals.worktime import instant_of


def events_of(db: Session, appeal: Appeal) -> list[AppealEvent]:
    """Everything that happened to the appeal, oldest first."""
    query = select(AppealEvent).where(AppealEvent.appeal_id == appeal.id)
    return list(db.scalars(query.order_by(AppealEvent.seq)))


def project(db: Session, appeal: Appeal, now: Derived) -> None:
    """Brings the appeal's row and its parties to what the events say."""
    for name, value in columns_of(now).items():
        setattr(appeal, name, value)
    wanted = parties_of(now)
    if _parties(db, appeal) != wanted:
        db.execute(delete(AppealParty).where(AppealParty.appeal_id == appeal.id))
        rows = [
            {"appeal_id": appeal.id, "department": name, "is_lead": lead}
            for name, lead in wanted.items()
        ]
        if rows:
            db.execute(insert(AppealParty), rows)
    db.flush()


def differences(db: Session, appeal: Appeal) -> list[str]:
    """Which columns of the row are not what its events say."""
    now = derive(events_of(db, appeal))
    wrong = [
        f"{name} {getattr(appeal, name)}"
        for name, value in columns_of(now).items()
        if getattr(appeal, name) != value and name != "next_check_at"
    ]
    if appeal.state != now.state:
        wrong.insert(0, f"the state {appeal.state}")
    return wrong + (["its departments"] if _parties(db, appeal) != parties_of(now) else [])


def columns_of(now: Derived) -> Mapping[str, Any]:
    """The derived columns of an appeal's row.

    The watch looks when the earliest warning an office may set is due, and then knows better.
    """
    clock = now.clock
    return {
        "state": now.state,
        "department": now.department,
        "first_department": now.first_department,
        "returns": now.returns,
        "is_arbitrated": now.is_arbitrated,
        "is_common": now.is_common,
        "is_closed_automatically": now.is_closed_automatically,
        "pause_reason": now.pause_reason,
        "extension": now.extension,
        "solved": now.solved,
        "satisfied": now.satisfied,
        "warned": now.warned[-1] if now.warned else None,
        "due_at": clock.due_at,
        "calendar_known": clock.is_calendar_known,
        "closed_at": now.closed_at,
        "clock_hours": str(clock.hours),
        "clock_budget": clock.budget,
        "clock_used": clock.used,
        "clock_since": None if clock.since is None else instant_of(clock.since),
        "next_check_at": next_check(now, LOWEST_NEAR_SHARE),
    }


def parties_of(now: Derived) -> dict[str, bool]:
    """The departments that see it now, and whether each leads."""
    assisting = dict.fromkeys(now.co_departments, False)
    return assisting | ({now.department: True} if now.department else {})


def _parties(db: Session, appeal: Appeal) -> dict[str, bool]:
    rows = db.execute(
        select(AppealParty.department, AppealParty.is_lead).where(
            AppealParty.appeal_id == appeal.id
        )
    )
    return {department: lead for department, lead in rows}
