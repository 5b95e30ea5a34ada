"""Remembers how each clause of the catalogue has read, so that a patch can be told from a promise."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from knowledge.catalogue import Catalogue
from service.debt.models import ClauseVersion

_GONE = ""


def note_catalogue(db: Session, catalogue: Catalogue, now: datetime) -> int:
    """Keeps what reads otherwise than when it was last noted; how many clauses that were.

    To be called when a catalogue comes into force: at the start, and at every exchange.
    """
    before = _read_last(db)
    current = {clause.id: clause.hash for clause in catalogue.clauses.values()}
    gone = {
        clause_id: _GONE
        for clause_id, known in before.items()
        if known and clause_id not in current
    }
    changed = {i: hash_ for i, hash_ in current.items() if before.get(i) != hash_} | gone
    if changed:
        rows = [{"clause_id": i, "seen_at": now, "hash": each} for i, each in changed.items()]
        db.execute(insert(ClauseVersion), rows)
    return len(changed)


def has_changed_since(db: Session, catalogue: Catalogue, clause_id: str, since: datetime) -> bool:
    """Whether the clause reads otherwise now than at ``since``; one that was not there then does."""
    then = db.scalars(
        select(ClauseVersion.hash)
        .where(ClauseVersion.clause_id == clause_id, ClauseVersion.seen_at <= since)
        .order_by(ClauseVersion.seen_at.desc())
        .limit(1)
    ).first()
    if then is None and not _was_noted(db, since):
        return False  # nothing is known of that time, so nothing is proven
    return catalogue.clauses[clause_id].hash != then


def _was_noted(db: Session, since: datetime) -> bool:
    query = select(ClauseVersion.clause_id).where(ClauseVersion.seen_at <= since).limit(1)
    return db.scalars(query).first() is not None


def _read_last(db: Session) -> dict[str, str]:
    newest = (
        select(ClauseVersion.clause_id, func.max(ClauseVersion.seen_at).label("seen_at"))
        .group_by(ClauseVersion.clause_id)
        .subquery()
    )
    rows = db.execute(
        select(ClauseVersion.clause_id, ClauseVersion.hash).join(
            newest,
            (newest.c.clause_id == ClauseVersion.clause_id)
            & (newest.c.seen_at == ClauseVersion.seen_at),
        )
    )
    return {row.clause_id: row.hash for row in rows}
