"""Writes a conversation down as text, for the appeal it becomes."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.conversations.models import Message, OutboxRow

_LAST = 20
_MAX_LINE_CHARS = 200
_MAX_CHARS = 1600
_SPEAKERS = {"bot": "小福", "person": "专员", "system": "系统"}


def transcript(db: Session, conversation_id: str) -> str:
    """The end of the conversation, one line each, at most 1,600 characters; oldest first."""
    said = db.execute(
        select(Message.received_at, func.coalesce(Message.label, Message.text))
        .where(Message.conversation_id == conversation_id)
        .order_by(Message.seq.desc())
        .limit(_LAST)
    )
    told = db.execute(
        select(OutboxRow.created_at, OutboxRow.body)
        .where(OutboxRow.conversation_id == conversation_id)
        .order_by(OutboxRow.seq.desc())
        .limit(_LAST)
    )
    lines = [(at, 0, f"用户：{_short(text)}") for at, text in said]
    lines += [(at, 1, f"{_SPEAKERS[body['author']]}：{_short(body['text'])}") for at, body in told]
    kept: list[str] = []
    length = 0
    for _, _, line in sorted(lines, reverse=True):
        length += len(line) + 1
        if length > _MAX_CHARS:
            break
        kept.append(line)
    return "\n".join(reversed(kept))


def last_words(db: Session, conversation_id: str, limit: int = 3) -> list[str]:
    """What the visitor said last, oldest first; buttons are left out."""
    texts = db.scalars(
        select(Message.text)
        .where(Message.conversation_id == conversation_id, Message.is_button.is_(False))
        .order_by(Message.seq.desc())
        .limit(limit)
    ).all()
    return list(reversed(texts))


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _MAX_LINE_CHARS else f"{flat[:_MAX_LINE_CHARS]}…"
