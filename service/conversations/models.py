"""Tables of what people said and what was said back, with who may answer now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    Enum,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, UtcDateTime, utc_now

_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")


class Owner(StrEnum):
    """Who answers a conversation. Only ``BOT`` lets the bot take turns."""

    BOT = "bot"
    QUEUED = "queued"
    PERSON = "person"
    CLOSED = "closed"


class MessageStatus(StrEnum):
    """``RECEIVED → PROCESSING → ANSWERED``; a process that dies leaves ``PROCESSING`` behind."""

    RECEIVED = "received"
    PROCESSING = "processing"
    ANSWERED = "answered"


class OutboxStatus(StrEnum):
    """``PLANNED → SENT → ACKED``, or ``FAILED``. ``SENT``: handed to a response or a platform."""

    PLANNED = "planned"
    SENT = "sent"
    ACKED = "acked"
    FAILED = "failed"


def _stored(kind: type[StrEnum]) -> Enum:
    return Enum(kind, native_enum=False, length=16, values_callable=lambda k: [e.value for e in k])


class Conversation(Base):
    """One speaker in one chat; ``id`` is the session key.

    ``state`` is the dialogue state the bot returned last, opaque here. ``lease_by`` names the
    process that takes this conversation's turns now, until ``lease_until``; both absent when idle.

    ``owner_version`` counts the changes of owner and ``owner_since`` is the last one's time (absent:
    the bot's from the beginning); ``owner_staff`` and ``owner_name`` are set while a person owns it.
    ``assigned_to`` is the staff member suggested while it is queued. ``group_id`` names the service
    group it belongs to. ``revision`` grows with whatever a console shows of it.
    """

    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    channel: Mapped[str] = mapped_column(String(32))
    owner: Mapped[Owner] = mapped_column(_stored(Owner), default=Owner.BOT)
    state: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    lease_by: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    owner_version: Mapped[int] = mapped_column(server_default=text("0"))
    owner_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    owner_staff: Mapped[str | None] = mapped_column(String(64))
    owner_name: Mapped[str | None] = mapped_column(String(100))
    assigned_to: Mapped[str | None] = mapped_column(String(64))
    group_id: Mapped[str | None] = mapped_column(String(64))
    revision: Mapped[int] = mapped_column(server_default=text("0"))


Index(
    "ix_conversations_owner_updated", Conversation.owner, Conversation.updated_at, Conversation.id
)
Index(
    "ix_conversations_leased",
    Conversation.lease_by,
    sqlite_where=Conversation.lease_by.is_not(None),
    postgresql_where=Conversation.lease_by.is_not(None),
)


class Message(Base):
    """What a person said. ``seq`` is the order of arrival; ``client_id`` makes a retry harmless.

    ``label`` is the title of the button pressed, absent for typed text. ``attempts`` counts how
    often a turn was begun for it. ``intent``, ``confidence`` (0-1) and ``candidates`` ([[policy id,
    score], …], best first) say why the bot answered as it did; absent when it did not.
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index("uq_messages_conversation_client", "conversation_id", "client_id", unique=True),
        Index("ix_messages_conversation_seq", "conversation_id", "seq"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(_SEQUENCE, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    client_id: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    is_button: Mapped[bool]
    label: Mapped[str | None] = mapped_column(Text)
    status: Mapped[MessageStatus] = mapped_column(_stored(MessageStatus))
    attempts: Mapped[int] = mapped_column(default=0)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    intent: Mapped[str | None] = mapped_column(String(64))
    confidence: Mapped[float | None]
    candidates: Mapped[list[Any] | None] = mapped_column(JSON)


class OutboxRow(Base):
    """One reply, stored before it leaves. ``id`` is the reply's id and ``body`` its JSON.

    ``message_id`` is the message it answers, absent for a line nobody asked for. ``seq`` grows with
    every reply of a conversation, so "after seq" means "what I have not seen".
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_conversation_seq", "conversation_id", "seq"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(_SEQUENCE, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(64), unique=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    message_id: Mapped[str | None] = mapped_column(ForeignKey("messages.id"), index=True)
    position: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    status: Mapped[OutboxStatus] = mapped_column(
        _stored(OutboxStatus), default=OutboxStatus.PLANNED
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ChangeReason(StrEnum):
    """Why a conversation changed hands."""

    REQUESTED = "requested"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    CLAIMED = "claimed"
    TRANSFERRED = "transferred"
    RELEASED = "released"
    CLOSED = "closed"
    REOPENED = "reopened"


class OwnerChange(Base):
    """One change of owner; rows are added, never changed.

    ``version`` counts from 1 within the conversation. ``by`` is the staff member who did it, absent
    for the visitor and the clock; ``to_staff`` who owns it from then on. ``message_id`` is the
    visitor's message that caused it. ``line_id`` is the one visible line (``outbox.id``), ``held_s``
    how many seconds the former owner had it.
    """

    __tablename__ = "owner_changes"
    __table_args__ = (
        UniqueConstraint(
            "conversation_id", "version", name="uq_owner_changes_conversation_version"
        ),
        Index("ix_owner_changes_reason_at", "reason", "at"),
    )

    id: Mapped[int] = mapped_column(_SEQUENCE, primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    version: Mapped[int]
    from_owner: Mapped[Owner] = mapped_column(_stored(Owner))
    to_owner: Mapped[Owner] = mapped_column(_stored(Owner))
    reason: Mapped[ChangeReason] = mapped_column(_stored(ChangeReason))
    by: Mapped[str | None] = mapped_column(String(64))
    by_name: Mapped[str | None] = mapped_column(String(100))
    to_staff: Mapped[str | None] = mapped_column(String(64))
    to_name: Mapped[str | None] = mapped_column(String(100))
    message_id: Mapped[str | None] = mapped_column(String(64), index=True)
    line_id: Mapped[str] = mapped_column(String(64), unique=True)
    held_s: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)


_O = Owner

MOVES: Mapping[Owner, frozenset[Owner]] = {
    _O.BOT: frozenset({_O.QUEUED, _O.PERSON, _O.CLOSED}),
    _O.QUEUED: frozenset({_O.BOT, _O.PERSON, _O.CLOSED}),
    _O.PERSON: frozenset({_O.BOT, _O.PERSON, _O.CLOSED}),
    _O.CLOSED: frozenset({_O.BOT, _O.PERSON}),
}
"""From person to person is a transfer."""


# Each turn's statements are built once, on the tables: building them anew costs more than running.
CONVERSATIONS = cast(Table, Conversation.__table__)
MESSAGES = cast(Table, Message.__table__)
OUTBOX = cast(Table, OutboxRow.__table__)

# A literal, not a parameter: only then do both databases see that the partial index applies.
IS_WAITING = MESSAGES.c.status != literal_column(f"'{MessageStatus.ANSWERED}'")
Index(
    "ix_messages_waiting",
    Message.conversation_id,
    Message.seq,
    sqlite_where=IS_WAITING,
    postgresql_where=IS_WAITING,
)

# What the dashboard counts by time. The words must be those of the index, or it is not used.
IS_REFUSAL = {
    "sqlite": text("json_extract(body, '$.kind') = 'refusal'"),
    "postgresql": text("(body ->> 'kind') = 'refusal'"),
}
IS_QUESTION = {
    "sqlite": text("json_extract(body, '$.kind') = 'question'"),
    "postgresql": text("(body ->> 'kind') = 'question'"),
}
Index(
    "ix_outbox_refusals",
    OutboxRow.created_at,
    OutboxRow.message_id,
    sqlite_where=IS_REFUSAL["sqlite"],
    postgresql_where=IS_REFUSAL["postgresql"],
)
Index(
    "ix_outbox_questions",
    OutboxRow.created_at,
    OutboxRow.message_id,
    sqlite_where=IS_QUESTION["sqlite"],
    postgresql_where=IS_QUESTION["postgresql"],
)
Index("ix_conversations_created", Conversation.created_at)
Index("ix_messages_received", Message.received_at)
Index(
    "ix_messages_answered_by_bot",
    Message.answered_at,
    sqlite_where=Message.intent.is_not(None),
    postgresql_where=Message.intent.is_not(None),
)
