"""Records what arrives, once, and reads back what was said.

Every function works inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from service.conversations import search
from service.conversations.models import (
    CONVERSATIONS,
    IS_WAITING,
    MESSAGES,
    Conversation,
    Message,
    MessageStatus,
    OutboxRow,
    OutboxStatus,
    Owner,
)
from service.conversations.reception import cancels, ends_wait, reopens
from service.conversations.turns import Answer, Claim, Delivery, Lease, take_lease
from service.errors import Conflict, Overloaded, TooManyRequests

_OFFERED_ROWS = 30
_c, _m = CONVERSATIONS.c, MESSAGES.c
# An UPDATE locks the row on both databases, so two messages of one speaker queue there.
_LOCK = (
    update(CONVERSATIONS)
    .where(_c.id == bindparam("conversation"))
    .values(updated_at=bindparam("now"), revision=_c.revision + 1)
    .returning(_c.owner, _c.owner_version, _c.state, _c.lease_until)
)
_WAITING = select(
    func.count(), func.count().filter(_m.conversation_id == bindparam("conversation"))
).where(IS_WAITING)
_NEW_CONVERSATION = {
    "sqlite": sqlite.insert(CONVERSATIONS).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(CONVERSATIONS).on_conflict_do_nothing(),
}
_NEW_MESSAGE = {
    "sqlite": sqlite.insert(MESSAGES).on_conflict_do_nothing().returning(_m.seq),
    "postgresql": postgresql.insert(MESSAGES).on_conflict_do_nothing().returning(_m.seq),
}
_DELIVERIES = select(OutboxRow.seq, OutboxRow.body, OutboxRow.message_id).order_by(OutboxRow.seq)


@dataclass(frozen=True)
class Incoming:
    """A message as it arrived, cleaned. ``client_id`` is the sender's own name for it."""

    conversation_id: str
    message_id: str
    client_id: str
    text: str
    channel: str = "web"


@dataclass(frozen=True)
class Backlog:
    """How many messages may wait: in the whole service, and in one conversation."""

    overall: int
    per_conversation: int


@dataclass(frozen=True)
class Recorded:
    """``claim`` is set when this process has to answer now; ``answer`` when it is answered already.

    Neither: the message waits for an earlier one, or for another process.
    """

    message_id: str
    owner: Owner
    claim: Claim | None = None
    answer: Answer | None = None


@dataclass(frozen=True)
class Said:
    """One message with its replies (their JSON), or replies nobody asked for.

    ``text`` is what the person saw: for a button its title. Without a message ``message_id``,
    ``client_id`` and ``text`` are absent.
    """

    message_id: str | None
    client_id: str | None
    text: str | None
    at: datetime
    replies: list[dict[str, Any]] = field(default_factory=list)


def record(
    session: Session, incoming: Incoming, lease: Lease, backlog: Backlog, now: datetime
) -> Recorded:
    """Stores a message once per ``client_id`` and claims it when nothing is before it.

    ``Conflict`` when the ``client_id`` was used for another text; ``TooManyRequests`` and
    ``Overloaded`` when too much is waiting (a repeat is never refused for that).
    """
    conversation = _lock(session, incoming, now)
    waiting, waiting_here = session.execute(
        _WAITING, {"conversation": incoming.conversation_id}
    ).one()
    owner: Owner = conversation.owner
    is_over, waits_no_more = owner == Owner.CLOSED, owner == Owner.QUEUED and cancels(incoming.text)
    is_for_bot = is_over or owner == Owner.BOT
    is_idle = conversation.lease_until is None or conversation.lease_until < now
    may_claim = is_for_bot and is_idle and not waiting_here
    label = _button_title(session, incoming) if incoming.text.startswith("/") else None
    seq = _store(session, incoming, label, is_for_bot, may_claim, now)
    if seq is None:
        return _recorded_before(session, incoming)
    if label is None:
        search.add(session, seq, incoming.text)
    names = (incoming.conversation_id, incoming.message_id, now)
    if waits_no_more:
        return Recorded(
            incoming.message_id, Owner.BOT, answer=Answer(Owner.BOT, (ends_wait(session, *names),))
        )
    if not is_for_bot:
        return Recorded(incoming.message_id, owner, answer=Answer(owner))
    if waiting_here >= backlog.per_conversation:
        raise TooManyRequests("您的消息发得太快了，请等前面的消息回复后再发。", "session", 5)
    if waiting >= backlog.overall:
        raise Overloaded("当前咨询人数较多，请稍后再试。", "", 5)
    if is_over:
        reopens(session, *names)
    if not may_claim:
        return Recorded(incoming.message_id, Owner.BOT)
    take_lease(session, incoming.conversation_id, lease)
    claim = Claim(
        conversation_id=incoming.conversation_id,
        message_id=incoming.message_id,
        seq=seq,
        text=incoming.text,
        is_button=label is not None,
        channel=incoming.channel,
        state=None if is_over else conversation.state,
        attempts=1,
        owner_version=conversation.owner_version + is_over,
    )
    return Recorded(incoming.message_id, Owner.BOT, claim=claim)


def _lock(
    session: Session, incoming: Incoming, now: datetime
) -> Row[Owner, int, str | None, datetime | None]:
    touched = {"conversation": incoming.conversation_id, "now": now}
    found = session.execute(_LOCK, touched).first()
    if found is None:
        made = {
            "id": incoming.conversation_id,
            "channel": incoming.channel,
            "owner": Owner.BOT,
            "created_at": now,
            "updated_at": now,
        }
        session.execute(_NEW_CONVERSATION[session.get_bind().dialect.name], made)
        found = session.execute(_LOCK, touched).one()
    return found


def _store(
    session: Session,
    incoming: Incoming,
    label: str | None,
    is_for_bot: bool,
    is_claimed: bool,
    now: datetime,
) -> int | None:
    """The new message's place in the order of arrival; ``None`` when its ``client_id`` is known."""
    if not is_for_bot:
        status = MessageStatus.ANSWERED
    else:
        status = MessageStatus.PROCESSING if is_claimed else MessageStatus.RECEIVED
    values = {
        "id": incoming.message_id,
        "conversation_id": incoming.conversation_id,
        "client_id": incoming.client_id,
        "text": incoming.text,
        "is_button": label is not None,
        "label": label,
        "status": status,
        "attempts": int(is_claimed),
        "received_at": now,
        "answered_at": now if status == MessageStatus.ANSWERED else None,
    }
    return session.execute(_NEW_MESSAGE[session.get_bind().dialect.name], values).scalar()


def _button_title(session: Session, incoming: Incoming) -> str | None:
    """What the button with this payload said; ``None`` when none was offered lately."""
    bodies = session.scalars(
        select(OutboxRow.body)
        .where(OutboxRow.conversation_id == incoming.conversation_id)
        .order_by(OutboxRow.seq.desc())
        .limit(_OFFERED_ROWS)
    )
    titles = (
        str(button["title"])
        for body in bodies
        for button in body["buttons"]
        if button["payload"] == incoming.text
    )
    return next(titles, None)


def _recorded_before(session: Session, incoming: Incoming) -> Recorded:
    message_id, text = session.execute(
        select(Message.id, Message.text).where(
            Message.conversation_id == incoming.conversation_id,
            Message.client_id == incoming.client_id,
        )
    ).one()
    if text != incoming.text:
        raise Conflict("这个消息编号已用于另一条内容，请换一个编号再发。", "client_id")
    answer = answer_of(session, message_id)
    return Recorded(message_id, answer.owner if answer else Owner.BOT, answer=answer)


def answer_of(session: Session, message_id: str) -> Answer | None:
    """The stored answer of a message; ``None`` while it is not answered or not known."""
    owner = session.execute(
        select(Conversation.owner)
        .join(Message, Message.conversation_id == Conversation.id)
        .where(Message.id == message_id, Message.status == MessageStatus.ANSWERED)
    ).scalar()
    if owner is None:
        return None
    planned = _DELIVERIES.where(OutboxRow.message_id == message_id)
    return Answer(owner, tuple(_read(session, planned)))


def owner_of(session: Session, conversation_id: str) -> tuple[Owner, str | None]:
    """Who answers, and their name when a person does; the bot where nothing was said yet."""
    row = session.execute(
        select(Conversation.owner, Conversation.owner_name).where(
            Conversation.id == conversation_id
        )
    ).first()
    return (row.owner, row.owner_name) if row else (Owner.BOT, None)


def history(session: Session, conversation_id: str, limit: int) -> list[Said]:
    """The last ``limit`` messages with their replies, and the lines nobody asked for among them."""
    messages = session.execute(
        select(
            Message.id,
            Message.client_id,
            func.coalesce(Message.label, Message.text),
            Message.received_at,
        )
        .where(Message.conversation_id == conversation_id)
        .order_by(Message.seq.desc())
        .limit(limit)
    ).all()
    said = {row[0]: Said(*row) for row in reversed(messages)}
    replies = select(OutboxRow.message_id, OutboxRow.body, OutboxRow.created_at).where(
        OutboxRow.conversation_id == conversation_id
    )
    if len(messages) == limit:
        replies = replies.where(OutboxRow.created_at >= messages[-1].received_at)
    unasked = []
    for message_id, body, at in session.execute(replies.order_by(OutboxRow.seq)):
        if message_id is None:
            unasked.append(Said(None, None, None, at, [body]))
        elif message_id in said:
            said[message_id].replies.append(body)
    return sorted([*said.values(), *unasked], key=lambda line: line.at)


def replies_after(session: Session, conversation_id: str, seq: int) -> list[Delivery]:
    """Every reply of the conversation stored after ``seq``, in order."""
    return _read(
        session,
        _DELIVERIES.where(OutboxRow.conversation_id == conversation_id, OutboxRow.seq > seq),
    )


def undelivered_replies(session: Session, conversation_id: str) -> list[Delivery]:
    """Every reply that was never handed to a response or a stream, in order."""
    return _read(
        session,
        _DELIVERIES.where(
            OutboxRow.conversation_id == conversation_id,
            OutboxRow.status == OutboxStatus.PLANNED,
        ),
    )


def _read(session: Session, query: Select[int, dict[str, Any], str | None]) -> list[Delivery]:
    return [Delivery(*row) for row in session.execute(query)]


def latest_seq(session: Session, conversation_ids: Sequence[str]) -> dict[str, int]:
    """The newest outbox number of each conversation that has one."""
    rows = session.execute(
        select(OutboxRow.conversation_id, func.max(OutboxRow.seq))
        .where(OutboxRow.conversation_id.in_(conversation_ids))
        .group_by(OutboxRow.conversation_id)
    )
    return {conversation_id: seq for conversation_id, seq in rows}


def mark_sent(session: Session, seqs: Sequence[int], now: datetime) -> None:
    """Notes that planned replies were handed over."""
    session.execute(
        update(OutboxRow)
        .where(OutboxRow.seq.in_(seqs), OutboxRow.status == OutboxStatus.PLANNED)
        .values(status=OutboxStatus.SENT, sent_at=now),
        execution_options={"synchronize_session": False},
    )
