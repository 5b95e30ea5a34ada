"""Claims waiting messages for a turn, and stores what came of it in one step.

A conversation is leased to one process while it takes turns, so its messages are answered one at a
time and in order of arrival. Every function works inside the caller's transaction and locks the
conversation's row before it writes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, insert, or_, select, update
from sqlalchemy.orm import Session

from actions.replies import Author, Reply
from bot.turn import TurnTrace
from service.conversations.models import (
    CONVERSATIONS,
    IS_WAITING,
    MESSAGES,
    OUTBOX,
    Conversation,
    Message,
    MessageStatus,
    OutboxStatus,
    Owner,
)
from service.debt.keeping import keep_debt
from service.recall.keeping import keep_sources

_c, _m = CONVERSATIONS.c, MESSAGES.c
_LEASE = (
    update(CONVERSATIONS)
    .where(_c.id == bindparam("conversation"))
    .values(lease_by=bindparam("holder"), lease_until=bindparam("until"))
)
_LOCK = select(_c.owner, _c.state, _c.lease_by, _c.owner_version).where(
    _c.id == bindparam("conversation")
)
_LOCK = _LOCK.with_for_update()
_END = (
    update(MESSAGES)
    .where(_m.seq == bindparam("message"), IS_WAITING)
    .values(
        status=MessageStatus.ANSWERED,
        answered_at=bindparam("now"),
        intent=bindparam("intent_"),
        confidence=bindparam("confidence_"),
        candidates=bindparam("candidates_"),
    )
    .returning(_m.seq)
)
_PLAN = insert(OUTBOX).values(status=OutboxStatus.PLANNED).returning(OUTBOX.c.seq)
_NEXT = (
    select(_m.id, _m.seq, _m.text, _m.is_button, _m.attempts)
    .where(_m.conversation_id == bindparam("conversation"), IS_WAITING)
    .order_by(_m.seq)
    .limit(1)
)
_BEGIN = (
    update(MESSAGES)
    .where(_m.seq == bindparam("message"))
    .values(status=MessageStatus.PROCESSING, attempts=_m.attempts + 1)
)
_CONCLUDE = (
    update(CONVERSATIONS)
    .where(_c.id == bindparam("conversation"))
    .values(
        state=bindparam("state_"),
        updated_at=bindparam("now"),
        revision=_c.revision + 1,
        lease_by=bindparam("holder"),
        lease_until=bindparam("until"),
    )
)
_REPLIES = (
    select(OUTBOX.c.seq, OUTBOX.c.body, OUTBOX.c.message_id)
    .where(OUTBOX.c.message_id == bindparam("message"))
    .order_by(OUTBOX.c.seq)
)
# An UPDATE locks the row as well, and consoles see that there is something new.
_NOTE_NEWS = (
    update(CONVERSATIONS)
    .where(_c.id == bindparam("conversation"))
    .values(updated_at=bindparam("now"), revision=_c.revision + 1)
    .returning(_c.owner)
)
_SPEAKS_AS = {Author.BOT: Owner.BOT, Author.PERSON: Owner.PERSON}
_QUIETLY = {"synchronize_session": False}


@dataclass(frozen=True)
class Lease:
    """Who takes a conversation's turns, and until when; see ``worker.holder_name``."""

    holder: str
    until: datetime


@dataclass(frozen=True)
class Claim:
    """A message this process has to answer now, with the dialogue state to start from.

    ``attempts`` is 1 for the first time it is tried. ``owner_version`` is the conversation's when it
    was claimed: a turn begun before a change of owner counts for nothing after it.
    """

    conversation_id: str
    message_id: str
    seq: int
    text: str
    is_button: bool
    channel: str
    state: str | None
    attempts: int
    owner_version: int = 0


@dataclass(frozen=True)
class Delivery:
    """A stored reply on its way out: its place in the outbox, its JSON, the message it answers."""

    seq: int
    body: dict[str, Any]
    message_id: str | None


@dataclass(frozen=True)
class Answer:
    """What a message got; no deliveries while a person owns the conversation."""

    owner: Owner
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True)
class Finished:
    """``answer`` is absent when the claim was lost and nothing was stored; ``next`` must be run."""

    answer: Answer | None
    next: Claim | None = None


@dataclass(frozen=True)
class Outcome:
    """What a turn produced. ``state`` absent leaves the stored state as it is."""

    replies: Sequence[Reply]
    state: str | None = None
    trace: TurnTrace | None = None


def take_lease(session: Session, conversation_id: str, lease: Lease | None) -> None:
    """Leases the conversation, or frees it (``None``)."""
    session.execute(
        _LEASE,
        {
            "conversation": conversation_id,
            "holder": lease.holder if lease else None,
            "until": lease.until if lease else None,
        },
    )


def finish(
    session: Session, claim: Claim, outcome: Outcome, lease: Lease, now: datetime
) -> Finished:
    """Stores replies with the clauses they rest on, state and the end of the message; claims the
    conversation's next message.

    A reply gets the id ``<message id>-<n>``, so a message can never be answered twice. Replies and
    state are dropped when the conversation changed hands meanwhile (the answer then is the line that
    says so, when this message was the cause); all is dropped when the lease is another's by now or
    the message is answered.
    """
    conversation = session.execute(_LOCK, {"conversation": claim.conversation_id}).one()
    if conversation.lease_by != lease.holder or not _end(session, claim, outcome.trace, now):
        return Finished(None)
    version = conversation.owner_version
    is_ours = conversation.owner == Owner.BOT and version == claim.owner_version
    if is_ours:
        deliveries = _plan(session, claim, outcome, now)
    else:
        deliveries = replies_to(session, claim.message_id)
    keeps_state = not is_ours or outcome.state is None
    state = conversation.state if keeps_state else outcome.state
    following = _next_claim(
        session, claim.conversation_id, claim.channel, state, conversation.owner, version, now
    )
    session.execute(
        _CONCLUDE,
        {
            "conversation": claim.conversation_id,
            "state_": state,
            "now": now,
            "holder": lease.holder if following else None,
            "until": lease.until if following else None,
        },
    )
    return Finished(Answer(conversation.owner, deliveries), following)


def _end(session: Session, claim: Claim, trace: TurnTrace | None, now: datetime) -> bool:
    ended = session.execute(
        _END,
        {
            "message": claim.seq,
            "now": now,
            "intent_": trace.intent[:64] if trace and trace.intent else None,
            "confidence_": trace.confidence if trace else None,
            "candidates_": [list(pair) for pair in trace.candidates] if trace else None,
        },
    )
    return ended.first() is not None


def _plan(session: Session, claim: Claim, outcome: Outcome, now: datetime) -> tuple[Delivery, ...]:
    replies, sources = outcome.replies, outcome.trace.sources if outcome.trace else ()
    keep_sources(session, claim.message_id, claim.conversation_id, replies, sources, now)
    keep_debt(
        session, claim.message_id, claim.conversation_id, claim.text, claim.is_button, replies,
        outcome.trace, now,
    )  # fmt: skip
    return tuple(
        store_reply(
            session,
            claim.conversation_id,
            reply.model_copy(update={"id": f"{claim.message_id}-{position}"}),
            now,
            claim.message_id,
            position,
        )
        for position, reply in enumerate(replies)
    )


def replies_to(session: Session, message_id: str) -> tuple[Delivery, ...]:
    """What is stored in answer to a message, in order."""
    return tuple(Delivery(*row) for row in session.execute(_REPLIES, {"message": message_id}))


def store_reply(
    session: Session,
    conversation_id: str,
    reply: Reply,
    now: datetime,
    message_id: str | None = None,
    position: int = 0,
) -> Delivery:
    """Plans a reply; who may speak now was checked by the caller, on the locked conversation."""
    body = reply.model_dump(mode="json")
    values = {
        "id": reply.id,
        "conversation_id": conversation_id,
        "message_id": message_id,
        "position": position,
        "body": body,
        "created_at": now,
    }
    seq = session.execute(_PLAN, values).scalar_one()
    return Delivery(seq, body, message_id)


def post_reply(
    session: Session, conversation_id: str, reply: Reply, now: datetime
) -> Delivery | None:
    """Plans a line nobody asked for just now (an appeal's progress); streams pick it up by itself.

    ``None`` when the conversation is unknown, or the reply's author may not speak: only the owner
    does, and the system.
    """
    owner = session.execute(_NOTE_NEWS, {"conversation": conversation_id, "now": now}).scalar()
    if owner is None or _SPEAKS_AS.get(reply.author, owner) != owner:
        return None
    return store_reply(session, conversation_id, reply, now)


def _next_claim(
    session: Session,
    conversation_id: str,
    channel: str,
    state: str | None,
    owner: Owner,
    owner_version: int,
    now: datetime,
) -> Claim | None:
    if owner != Owner.BOT:
        end_unanswered(session, conversation_id, now)
        return None
    message = session.execute(_NEXT, {"conversation": conversation_id}).first()
    if message is None:
        return None
    session.execute(_BEGIN, {"message": message.seq})
    return Claim(
        conversation_id=conversation_id,
        message_id=message.id,
        seq=message.seq,
        text=message.text,
        is_button=message.is_button,
        channel=channel,
        state=state,
        attempts=message.attempts + 1,
        owner_version=owner_version,
    )


def end_unanswered(session: Session, conversation_id: str, now: datetime) -> None:
    """Ends what waits: a person reads it in the console, the bot owes no reply."""
    _end_where(session, conversation_id, now, IS_WAITING)


def end_unbegun(session: Session, conversation_id: str, now: datetime) -> None:
    """Ends what waits and is in no turn yet; a turn that runs ends its message itself."""
    _end_where(session, conversation_id, now, Message.status == MessageStatus.RECEIVED)


def _end_where(
    session: Session, conversation_id: str, now: datetime, which: ColumnElement[bool]
) -> None:
    session.execute(
        update(Message)
        .where(Message.conversation_id == conversation_id, which)
        .values(status=MessageStatus.ANSWERED, answered_at=now),
        execution_options=_QUIETLY,
    )


def claim_waiting(session: Session, lease: Lease, now: datetime, limit: int) -> list[Claim]:
    """Claims messages nobody is taking care of: those of a former run or of a dead process."""
    idle = session.execute(
        select(
            Conversation.id,
            Conversation.channel,
            Conversation.state,
            Conversation.owner,
            Conversation.owner_version,
        )
        .where(
            or_(Conversation.lease_by.is_(None), Conversation.lease_by != lease.holder),
            or_(Conversation.lease_until.is_(None), Conversation.lease_until < now),
            Conversation.id.in_(select(Message.conversation_id).where(IS_WAITING)),
        )
        .order_by(Conversation.updated_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Conversation)
    ).all()
    claims = []
    for conversation_id, channel, state, owner, version in idle:
        claim = _next_claim(session, conversation_id, channel, state, owner, version, now)
        take_lease(session, conversation_id, lease if claim else None)
        if claim:
            claims.append(claim)
    return claims


def renew_leases(session: Session, lease: Lease) -> None:
    """Prolongs every lease this process holds."""
    session.execute(
        update(Conversation)
        .where(Conversation.lease_by == lease.holder)
        .values(lease_until=lease.until),
        execution_options=_QUIETLY,
    )


def release_leases(session: Session, holder: str, conversation_ids: Sequence[str]) -> None:
    """Gives conversations back unanswered; the next poll of any process claims them again."""
    session.execute(
        update(Conversation)
        .where(Conversation.lease_by == holder, Conversation.id.in_(conversation_ids))
        .values(lease_by=None, lease_until=None),
        execution_options=_QUIETLY,
    )


def release_dead(session: Session, is_dead: Callable[[str], bool]) -> None:
    """Frees what holders known to be dead have left, without waiting for their leases to end."""
    holders = session.scalars(
        select(Conversation.lease_by).where(Conversation.lease_by.is_not(None)).distinct()
    ).all()
    dead = [holder for holder in holders if holder and is_dead(holder)]
    if dead:
        session.execute(
            update(Conversation)
            .where(Conversation.lease_by.in_(dead))
            .values(lease_by=None, lease_until=None),
            execution_options=_QUIETLY,
        )
