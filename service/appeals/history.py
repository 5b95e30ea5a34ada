"""Keeps what happened to an appeal as a chain of events nobody can change unseen."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

from sqlalchemy import event, select
from sqlalchemy.orm import Mapper, Session

from service.appeals.models import OPEN_STATES, Appeal, AppealEvent, AppealState, EventKind


class EventsAreFinal(Exception):
    """Code tried to change or delete a stored event; append another one instead."""


def append_event(
    db: Session,
    appeal: Appeal,
    kind: EventKind,
    actor: str,
    at: datetime,
    *,
    to_state: AppealState | None = None,
    note: str | None = None,
    message_id: str | None = None,
) -> AppealEvent:
    """Adds the next event and moves the appeal with it.

    The caller holds the appeal's row lock and checked the move.
    """
    row = AppealEvent(
        appeal_id=appeal.id,
        seq=appeal.version + 1,
        at=at,
        kind=kind,
        actor=actor,
        from_state=appeal.state if to_state is not None and appeal.version else None,
        to_state=to_state,
        note=note,
        message_id=message_id,
        prev_hash=appeal.chain_head,
    )
    row.hash = event_hash(appeal.no, row)
    appeal.version, appeal.chain_head = row.seq, row.hash
    if to_state is not None:
        appeal.state = to_state
        appeal.closed_at = None if to_state in OPEN_STATES else at
    db.add(row)
    db.flush()
    return row


def events_of(db: Session, appeal: Appeal) -> list[AppealEvent]:
    """Everything that happened to the appeal, oldest first."""
    query = select(AppealEvent).where(AppealEvent.appeal_id == appeal.id)
    return list(db.scalars(query.order_by(AppealEvent.seq)))


def verify_chain(db: Session, appeal: Appeal) -> list[str]:
    """What is wrong with the appeal's history, one sentence each; empty when it is whole.

    Sees a changed, missing, added or reordered event, a lost end, and facts of the appeal that were
    changed later.
    """
    problems, expected, state = [], genesis_hash(appeal), None
    rows = events_of(db, appeal)
    for seq, row in enumerate(rows, start=1):
        if row.seq != seq:
            problems.append(
                f"{appeal.no}: event {seq} is missing or out of order (found {row.seq})"
            )
        if row.prev_hash != expected:
            problems.append(f"{appeal.no}: event {row.seq} does not follow what is before it")
        if row.hash != event_hash(appeal.no, row):
            problems.append(f"{appeal.no}: event {row.seq} was changed")
        expected, state = row.hash, row.to_state or state
    if (len(rows), expected) != (appeal.version, appeal.chain_head):
        problems.append(f"{appeal.no}: the history does not end where the appeal says")
    if state != appeal.state:
        problems.append(f"{appeal.no}: the state {appeal.state} does not come from the events")
    return problems


def genesis_hash(appeal: Appeal) -> str:
    """What the first event builds on: the facts of the appeal that never change."""
    return _sha256(
        {
            "no": appeal.no,
            "session": appeal.session,
            "source_message_id": appeal.source_message_id,
            "reason": appeal.reason,
            "matter": appeal.matter,
            "policy_id": appeal.policy_id,
            "received_at": _instant(appeal.received_at),
        }
    )


def event_hash(no: str, row: AppealEvent) -> str:
    """SHA-256, in hex, over the canonical JSON of the event and the hash before it."""
    return _sha256(
        {
            "no": no,
            "seq": row.seq,
            "at": _instant(row.at),
            "kind": row.kind,
            "actor": row.actor,
            "from_state": row.from_state,
            "to_state": row.to_state,
            "note": row.note,
            "message_id": row.message_id,
            "prev_hash": row.prev_hash,
        }
    )


def _sha256(facts: dict[str, object]) -> str:
    canonical = json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _refuse(_mapper: Mapper[AppealEvent], _connection: object, row: AppealEvent) -> None:
    raise EventsAreFinal(
        f"event {row.seq} of appeal {row.appeal_id} is final; append another event"
    )


event.listen(AppealEvent, "before_update", _refuse)
event.listen(AppealEvent, "before_delete", _refuse)
