"""Puts a conversation into the queue for a person, says where in it it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.handoff import QUEUE_BUTTONS, queued_text
from actions.replies import Reply
from service.conversations.models import ChangeReason, Conversation, Owner, OwnerChange
from service.conversations.ownership import Change, Held, change_owner, lock
from service.handoff.hours import Rules, is_open
from service.handoff.routing import Wanted, is_anybody_free, suggest

_LAST_CLAIMS = 20
_USUAL_WAIT_S = 180.0


class Asked(StrEnum):
    """What came of asking for a person. ``NOBODY``: the desk is closed and nobody is there."""

    QUEUED = "queued"
    ALREADY = "already"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Place:
    """Where somebody stands in the queue, from 1, and within how many minutes somebody should come."""

    position: int
    wait_minutes: int


@dataclass(frozen=True)
class Answered:
    """The outcome of a request; ``place`` is absent unless the conversation is queued."""

    asked: Asked
    place: Place | None = None


def ask_for_person(
    db: Session, conversation_id: str, message_id: str, wanted: Wanted, rules: Rules, now: datetime
) -> Answered:
    """Queues the conversation with its one visible line, unless it waits or is served already.

    Repeating it for one message changes nothing. ``ConversationNotFound``.
    """
    held = lock(db, conversation_id)
    if held.owner == Owner.QUEUED:
        return Answered(Asked.ALREADY, place_of(db, held, rules))
    if held.owner != Owner.BOT or _was_asked(db, message_id):
        return Answered(Asked.ALREADY)
    if not is_open(now, rules) and not is_anybody_free(db, rules, now):
        return Answered(Asked.NOBODY)
    position = _queued_before(db, None) + 1
    place = Place(position, expected_minutes(db, position, rules))
    text = queued_text(place.position, place.wait_minutes, rules.hours(), rules.wait_minutes)
    change = Change(
        Owner.QUEUED,
        ChangeReason.REQUESTED,
        text,
        message_id=message_id,
        reply=Reply(text=text, buttons=list(QUEUE_BUTTONS)),
        assigned_to=suggest(db, held.group_id, wanted, rules, now),
    )
    change_owner(db, held, change, now)
    return Answered(Asked.QUEUED, place)


def place_of(db: Session, held: Held, rules: Rules) -> Place:
    """Where a queued conversation stands now."""
    position = _queued_before(db, held.since) + 1
    return Place(position, expected_minutes(db, position, rules))


def expected_minutes(db: Session, position: int, rules: Rules) -> int:
    """How long the place usually takes: the middle of the last 20 waits, for each one before it.

    At least 1, at most ``rules.wait_minutes``, for then it becomes an appeal.
    """
    held = db.scalars(
        select(OwnerChange.held_s)
        .where(
            OwnerChange.reason == ChangeReason.CLAIMED,
            OwnerChange.from_owner == Owner.QUEUED,
            OwnerChange.held_s.is_not(None),
        )
        .order_by(OwnerChange.at.desc())
        .limit(_LAST_CLAIMS)
    ).all()
    waits = [seconds for seconds in held if seconds is not None]
    wait_s = median(waits) if waits else _USUAL_WAIT_S
    return max(1, min(rules.wait_minutes, round(wait_s * position / 60)))


def _queued_before(db: Session, since: datetime | None) -> int:
    query = select(func.count()).where(Conversation.owner == Owner.QUEUED)
    if since is not None:
        query = query.where(Conversation.owner_since < since)
    return int(db.execute(query).scalar_one())


def _was_asked(db: Session, message_id: str) -> bool:
    query = select(OwnerChange.id).where(
        OwnerChange.message_id == message_id, OwnerChange.reason == ChangeReason.REQUESTED
    )
    return db.scalars(query.limit(1)).first() is not None
