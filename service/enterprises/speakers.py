"""Says which enterprise the speaker of a conversation may speak for, once somebody who knows has bound them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from service.db import utc_now
from service.enterprises.models import Enterprise, Speaker


def bind(db: Session, session: str, enterprise: Enterprise, bound_by: str) -> None:
    """From now on the speaker speaks for this enterprise, and for no other."""
    row = db.get(Speaker, session) or Speaker(session=session)
    row.enterprise_id, row.bound_by, row.bound_at = enterprise.id, bound_by, utc_now()
    db.add(row)
    db.flush()


def unbind(db: Session, session: str) -> bool:
    """Takes a binding back; whether there was one."""
    row = db.get(Speaker, session)
    if row is not None:
        db.delete(row)
        db.flush()
    return row is not None


def enterprise_of(db: Session, session: str) -> Enterprise | None:
    """The enterprise the speaker is bound to; ``None`` for an anonymous one."""
    row = db.get(Speaker, session)
    return db.get(Enterprise, row.enterprise_id) if row is not None else None
