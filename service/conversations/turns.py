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

from sqlalchemy import bindparam, insert, or_, select, update
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
_LOCK = select(_c.owner, _c.state, _c.lease_by).where(_c.id == bindparam("conversation"))
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
        lease_by=bindparam("holder"),
        lease_until=bindparam("until"),
    )
)
_QUIETLY = {"synchronize_session": False}


@dataclass(frozen=True)
class Lease:
    """Who takes a conversation's turns, and until when; see ``worker.holder_name``."""

    holder: str
    until: datetime


@dataclass(frozen=True)
class Claim:
    """A message this process has to answer now, with the dialogue state to start from.

    ``attempts`` is 1 for the first time it is tried.
    """

    conversation_id: str
    message_id: str
    seq: int
    text: str
    is_button: bool
    channel: str
    state: str | None
    attempts: int


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

    A reply gets the id ``<message id>-<n>``, so a message can never be answered twice. Replies are
    dropped when a person took the conversation over meanwhile; all is dropped when the lease is
    another's by now or the message is answered.
    """
    conversation = session.execute(_LOCK, {"conversation": claim.conversation_id}).one()
    if conversation.lease_by != lease.holder or not _end(session, claim, outcome.trace, now):
        return Finished(None)
    is_ours = conversation.owner == Owner.BOT
    deliveries = _plan(session, claim, outcome, now) if is_ours else ()
    state = conversation.state if outcome.state is None else outcome.state
    following = _next_claim(
        session, claim.conversation_id, claim.channel, state, conversation.owner, now
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
        _store(
            session,
            claim.conversation_id,
            reply.model_copy(update={"id": f"{claim.message_id}-{position}"}),
            now,
            claim.message_id,
            position,
        )
        for position, reply in enumerate(replies)
    )


def _store(
    session: Session,
    conversation_id: str,
    reply: Reply,
    now: datetime,
    message_id: str | None = None,
    position: int = 0,
) -> Delivery:
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

    ``None`` when the conversation is unknown, or the bot would speak while a person owns it.
    """
    owner = session.execute(
        select(Conversation.owner).where(Conversation.id == conversation_id).with_for_update()
    ).scalar()
    if owner is None or (reply.author == Author.BOT and owner != Owner.BOT):
        return None
    return _store(session, conversation_id, reply, now)


def _next_claim(
    session: Session,
    conversation_id: str,
    channel: str,
    state: str | None,
    owner: Owner,
    now: datetime,
) -> Claim | None:
    if owner != Owner.BOT:
        _end_unanswered(session, conversation_id, now)
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
    )


def _end_unanswered(session: Session, conversation_id: str, now: datetime) -> None:
    # A person reads them in the console; the bot owes no reply.
    session.execute(
        update(Message)
        .where(Message.conversation_id == conversation_id, IS_WAITING)
        .values(status=MessageStatus.ANSWERED, answered_at=now),
        execution_options=_QUIETLY,
    )


def claim_waiting(session: Session, lease: Lease, now: datetime, limit: int) -> list[Claim]:
    """Claims messages nobody is taking care of: those of a former run or of a dead process."""
    idle = session.execute(
        select(Conversation.id, Conversation.channel, Conversation.state, Conversation.owner)
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
    for conversation_id, channel, state, owner in idle:
        claim = _next_claim(session, conversation_id, channel, state, owner, now)
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
