"""The record of who did and looked at what: added to, never changed, each entry chained to the last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, event, select, text
from sqlalchemy.orm import Mapper, Session

from service.staff.models import AuditEntry

GENESIS = "0" * 64
_LOCK = 0x71616466  # "qadf": names the PostgreSQL advisory lock that orders entries
_PAGE = 1000


class AuditIsFinal(Exception):
    """Code tried to change or delete an entry of the audit log."""


@dataclass(frozen=True)
class AuditFilter:
    """Which entries to list; what is absent does not restrict. ``before`` is an entry's id."""

    staff_id: str | None = None
    action: str | None = None
    subject: tuple[str, str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


def record(
    db: Session,
    staff_id: str | None,
    action: str,
    subject: tuple[str, str],
    now: datetime,
    *,
    purpose: str | None = None,
    detail: Mapping[str, Any] | None = None,
    address: str | None = None,
) -> AuditEntry:
    """Adds an entry about a subject (kind, id), in the caller's transaction.

    Entries of one database follow each other: the lock is held until that transaction ends.
    """
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    last = db.scalar(select(AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1))
    entry = AuditEntry(
        at=now,
        staff_id=staff_id,
        action=action,
        subject_kind=subject[0],
        subject_id=subject[1][:64],
        purpose=purpose[:200] if purpose else None,
        detail=dict(detail or {}),
        address=address,
        prev_hash=last or GENESIS,
    )
    entry.hash = _hash(entry)
    db.add(entry)
    db.flush()
    return entry


def entries(db: Session, wanted: AuditFilter, limit: int = 50) -> list[AuditEntry]:
    """The newest entries that fit, newest first."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if wanted.staff_id is not None:
        query = query.where(AuditEntry.staff_id == wanted.staff_id)
    if wanted.action is not None:
        query = query.where(AuditEntry.action == wanted.action)
    if wanted.subject is not None:
        kind, subject_id = wanted.subject
        query = query.where(AuditEntry.subject_kind == kind, AuditEntry.subject_id == subject_id)
    if wanted.since is not None:
        query = query.where(AuditEntry.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEntry.at < wanted.until)
    if wanted.before is not None:
        query = query.where(AuditEntry.id < wanted.before)
    return list(db.scalars(query))


def verify(db: Session) -> list[str]:
    """What is wrong with the log, one sentence each; empty when it is whole."""
    problems, expected, after = [], GENESIS, 0
    while rows := list(
        db.scalars(
            select(AuditEntry).where(AuditEntry.id > after).order_by(AuditEntry.id).limit(_PAGE)
        )
    ):
        for row in rows:
            if row.prev_hash != expected:
                problems.append(f"audit entry {row.id} does not follow what is before it")
            if row.hash != _hash(row):
                problems.append(f"audit entry {row.id} was changed")
            expected, after = row.hash, row.id
        db.expunge_all()
    return problems


def _hash(entry: AuditEntry) -> str:
    facts = {
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "staff_id": entry.staff_id,
        "action": entry.action,
        "subject_kind": entry.subject_kind,
        "subject_id": entry.subject_id,
        "purpose": entry.purpose,
        "detail": entry.detail,
        "address": entry.address,
        "prev_hash": entry.prev_hash,
    }
    canonical = json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _refuse(_mapper: Mapper[AuditEntry], _connection: Connection, row: AuditEntry) -> None:
    raise AuditIsFinal(f"audit entry {row.id} is final")


event.listen(AuditEntry, "before_update", _refuse)
event.listen(AuditEntry, "before_delete", _refuse)
