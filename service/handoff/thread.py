"""Reads one conversation back with all that belongs to it, in the order it happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.conversations.models import Message, OutboxRow, Owner
from service.conversations.ownership import ConversationNotFound
from service.handoff.inbox import InboxRow, row_of
from service.handoff.models import Note
from service.staff.permissions import Staff

MAX_LINES = 200


class LineKind(StrEnum):
    """Who speaks: the visitor, a reply (bot, person or system, as its ``author`` says), a note."""

    VISITOR = "visitor"
    REPLY = "reply"
    NOTE = "note"


@dataclass(frozen=True)
class Line:
    """One thing in the thread. ``seq`` is its number within its kind.

    ``reply`` is the JSON of a reply; ``intent`` and ``confidence`` say how the bot understood a
    visitor's message; ``by`` is who wrote a note. Each absent for other kinds.
    """

    kind: LineKind
    id: str
    seq: int
    at: datetime
    text: str
    reply: dict[str, Any] | None = None
    intent: str | None = None
    confidence: float | None = None
    by: str | None = None


@dataclass(frozen=True)
class Thread:
    """The end of a conversation, oldest first; ``before`` asks for earlier lines, absent at the top."""

    row: InboxRow
    owner: Owner
    lines: list[Line]
    before: datetime | None


def thread_of(
    db: Session,
    conversation_id: str,
    staff: Staff,
    before: datetime | None = None,
    limit: int = 100,
) -> Thread:
    """The last lines (before a time). ``ConversationNotFound``."""
    row = row_of(db, staff, conversation_id)
    if row is None:
        raise ConversationNotFound("没有找到这个会话。", "conversation_id")
    limit = max(1, min(limit, MAX_LINES))
    lines = [
        *_messages(db, conversation_id, before, limit + 1),
        *_replies(db, conversation_id, before, limit + 1),
        *_notes(db, conversation_id, before, limit + 1),
    ]
    # What happened at one moment: the message, what it caused, then remarks on it.
    order = {LineKind.VISITOR: 0, LineKind.REPLY: 1, LineKind.NOTE: 2}
    lines.sort(key=lambda line: (line.at, order[line.kind], line.seq))
    earlier = None
    if len(lines) > limit:
        earlier = lines[-limit].at
        lines = [line for line in lines if line.at >= earlier]
    return Thread(row, row.owner, lines, earlier)


def _messages(db: Session, name: str, before: datetime | None, limit: int) -> list[Line]:
    query = select(
        Message.id,
        Message.seq,
        Message.received_at,
        func.coalesce(Message.label, Message.text),
        Message.intent,
        Message.confidence,
    ).where(Message.conversation_id == name)
    if before:
        query = query.where(Message.received_at < before)
    return [
        Line(LineKind.VISITOR, id_, seq, at, text, intent=intent, confidence=confidence)
        for id_, seq, at, text, intent, confidence in _last(db, query, Message.seq, limit)
    ]


def _replies(db: Session, name: str, before: datetime | None, limit: int) -> list[Line]:
    query = select(OutboxRow.id, OutboxRow.seq, OutboxRow.created_at, OutboxRow.body).where(
        OutboxRow.conversation_id == name
    )
    if before:
        query = query.where(OutboxRow.created_at < before)
    return [
        Line(LineKind.REPLY, id_, seq, at, body["text"], reply=body)
        for id_, seq, at, body in _last(db, query, OutboxRow.seq, limit)
    ]


def _notes(db: Session, name: str, before: datetime | None, limit: int) -> list[Line]:
    query = select(Note.id, Note.at, Note.text, Note.staff_name).where(Note.conversation_id == name)
    if before:
        query = query.where(Note.at < before)
    return [
        Line(LineKind.NOTE, f"n-{id_}", id_, at, text, by=by)
        for id_, at, text, by in _last(db, query, Note.id, limit)
    ]


def _last(db: Session, query: Any, order: Any, limit: int) -> list[Any]:
    return list(db.execute(query.order_by(order.desc()).limit(limit)))
