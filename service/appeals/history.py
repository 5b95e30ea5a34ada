"""Keeps what happened to an appeal as a chain of events nobody can change unseen."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

from sqlalchemy import event
from sqlalchemy.orm import Mapper, Session

from service.appeals.derived import derive
from service.appeals.details import Detail, checked
from service.appeals.models import Appeal, AppealEvent, AppealState, EventKind
from service.appeals.projection import differences, events_of, project


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
    detail: Detail | None = None,
    once: str | None = None,
) -> AppealEvent:
    """Adds the next event and brings the appeal's row to what its events now say.

    The caller holds the appeal's row lock and checked that it may happen.
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
        detail=checked(kind, detail),
        once=once,
        prev_hash=appeal.chain_head,
    )
    row.hash = event_hash(appeal.no, row)
    appeal.version, appeal.chain_head = row.seq, row.hash
    db.add(row)
    db.flush()
    project(db, appeal, derive(events_of(db, appeal)))
    return row


def verify_chain(db: Session, appeal: Appeal) -> list[str]:
    """What is wrong with the appeal's history, one sentence each; empty when it is whole.

    Sees a changed, missing, added or reordered event, a lost end, facts of the appeal that were
    changed later, and a row that is not what its events say.
    """
    problems, expected = [], genesis_hash(appeal)
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
        expected = row.hash
    if (len(rows), expected) != (appeal.version, appeal.chain_head):
        problems.append(f"{appeal.no}: the history does not end where the appeal says")
    try:
        wrong = differences(db, appeal)
    except (AssertionError, KeyError, TypeError, ValueError):  # only from a detail that was changed
        return [*problems, f"{appeal.no}: the state cannot be derived from the events"]
    return problems + [f"{appeal.no}: {name} does not come from the events" for name in wrong]


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
            # Events of before these existed keep their hash.
            **({} if row.detail is None else {"detail": row.detail}),
            **({} if row.once is None else {"once": row.once}),
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
