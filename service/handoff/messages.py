"""Sends what staff say to a visitor, keeps what they tell each other, and what they have read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from actions.replies import Author, CitationCard, Reply, ReplyKind
from service.conversations.models import Message, OutboxRow, Owner
from service.conversations.ownership import Held, OwnedByAnother, lock, touch
from service.conversations.turns import Delivery, store_reply
from service.errors import Conflict, InvalidInput
from service.handoff.models import Note, ReadMarker
from service.staff.permissions import Staff

MAX_CHARS = 4000


@dataclass(frozen=True)
class Sent:
    """A stored message of staff; ``is_new`` is false when the same one was sent before."""

    delivery: Delivery
    is_new: bool


def send(
    db: Session,
    conversation_id: str,
    staff: Staff,
    text: str,
    client_id: str,
    now: datetime,
    citations: Sequence[CitationCard] = (),
) -> Sent:
    """Says something to the visitor, once per ``client_id``.

    ``OwnedByAnother`` unless the conversation is theirs now (a repeat of what was sent is none);
    ``Conflict`` when the ``client_id`` was used for another text; ``InvalidInput`` for no text.
    """
    text = _checked(text)
    held = lock(db, conversation_id)
    reply_id = reply_id_of(conversation_id, staff.id, client_id)
    known = db.execute(
        select(OutboxRow.seq, OutboxRow.body, OutboxRow.message_id).where(OutboxRow.id == reply_id)
    ).first()
    if known is not None:
        if known.body["text"] != text:
            raise Conflict("这个消息编号已用于另一条内容，请换一个编号再发。", "client_id")
        return Sent(Delivery(*known), is_new=False)
    check_may_speak(held, staff)
    reply = Reply(
        id=reply_id,
        author=Author.PERSON,
        name=staff.name,
        kind=ReplyKind.ANSWER if citations else ReplyKind.TEXT,
        text=text,
        citations=list(citations),
    )
    delivery = store_reply(db, conversation_id, reply, now)
    touch(db, conversation_id, now)
    return Sent(delivery, is_new=True)


def check_may_speak(held: Held, staff: Staff) -> None:
    """``OwnedByAnother`` unless the locked conversation is theirs."""
    if held.owner == Owner.PERSON and held.staff == staff.id:
        return
    if held.owner == Owner.PERSON:
        raise OwnedByAnother(f"{held.name}正在服务这个会话，您不能发送消息。", "owner")
    raise OwnedByAnother("请先接入会话，再发送消息。", "owner")


def reply_id_of(conversation_id: str, staff_id: str, client_id: str) -> str:
    """The reply's id; the same message sent again has the same."""
    told = "\0".join((conversation_id, staff_id, client_id))
    return f"p-{hashlib.sha256(told.encode()).hexdigest()[:40]}"


def add_note(
    db: Session, conversation_id: str, staff: Staff, text: str, client_id: str, now: datetime
) -> Note:
    """Keeps an internal note, once per ``client_id``; anybody who may answer can add one."""
    text = _checked(text)
    lock(db, conversation_id)
    known = db.scalars(
        select(Note).where(Note.conversation_id == conversation_id, Note.client_id == client_id)
    ).one_or_none()
    if known is not None:
        if known.text != text:
            raise Conflict("这个备注编号已用于另一条内容，请换一个编号。", "client_id")
        return known
    note = Note(
        conversation_id=conversation_id,
        client_id=client_id,
        staff_id=staff.id,
        staff_name=staff.name,
        text=text,
        at=now,
    )
    db.add(note)
    db.flush()
    touch(db, conversation_id, now)
    return note


def mark_read(
    db: Session, conversation_id: str, staff: Staff, now: datetime, seq: int | None = None
) -> int:
    """Notes that they read up to a message (absent: the newest); a marker never goes back."""
    newest = db.scalar(
        select(func.max(Message.seq)).where(Message.conversation_id == conversation_id)
    )
    read = min(newest or 0, newest if seq is None else seq) if newest else 0
    if newest is None:
        return 0
    insert = sqlite.insert if db.get_bind().dialect.name == "sqlite" else postgresql.insert
    made = insert(ReadMarker).values(
        staff_id=staff.id, conversation_id=conversation_id, seq=read, at=now
    )
    db.execute(
        made.on_conflict_do_update(
            index_elements=["staff_id", "conversation_id"],
            set_={"seq": made.excluded.seq, "at": made.excluded.at},
            where=ReadMarker.seq < made.excluded.seq,
        )
    )
    return read


def _checked(text: str) -> str:
    cleaned = text.replace("\0", "").encode("utf-8", "ignore").decode("utf-8").strip()
    if not cleaned:
        raise InvalidInput("请输入内容。", "text")
    if len(cleaned) > MAX_CHARS:
        raise InvalidInput(f"内容太长了，一次最多 {MAX_CHARS} 个字。", "text")
    return cleaned
