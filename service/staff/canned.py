"""Texts commissioners send often."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.errors import Conflict, InvalidInput, NotFound
from service.staff.audit import record
from service.staff.models import CannedReply

_SHORTCUT = re.compile(r"[\w一-鿿-]{1,32}")
_MAX_CHARS = 2000
_LISTED = 50


def keep_canned(
    db: Session,
    shortcut: str,
    title: str,
    text: str,
    by: str,
    now: datetime,
    canned_id: int | None = None,
) -> CannedReply:
    """Adds a canned reply, or changes that of ``canned_id``.

    ``InvalidInput`` naming the field; ``Conflict`` when another one has the shortcut; ``NotFound``.
    """
    shortcut, title, text = shortcut.strip().lstrip("/"), title.strip(), text.strip()
    if not _SHORTCUT.fullmatch(shortcut):
        raise InvalidInput("快捷词应为1至32个字母、数字或汉字。", "shortcut")
    if not 1 <= len(title) <= 60:
        raise InvalidInput("标题应为1至60个字。", "title")
    if not 1 <= len(text) <= _MAX_CHARS:
        raise InvalidInput(f"内容应为1至{_MAX_CHARS}个字。", "text")
    taken = db.scalars(select(CannedReply).where(CannedReply.shortcut == shortcut)).one_or_none()
    if taken is not None and taken.id != canned_id:
        raise Conflict(f"快捷词 {shortcut} 已被“{taken.title}”使用。", "shortcut")
    row = CannedReply() if canned_id is None else canned_reply(db, canned_id)
    row.shortcut, row.title, row.text, row.changed_by, row.changed_at = (
        shortcut,
        title,
        text,
        by,
        now,
    )
    db.add(row)
    db.flush()
    record(db, by, "canned_reply_kept", ("canned_reply", shortcut), now)
    return row


def delete_canned(db: Session, canned_id: int, by: str, now: datetime) -> None:
    """Deletes a canned reply; ``NotFound`` when there is none."""
    row = canned_reply(db, canned_id)
    record(
        db,
        by,
        "canned_reply_deleted",
        ("canned_reply", row.shortcut),
        now,
        detail={"text": row.text},
    )
    db.delete(row)
    db.flush()


def canned_reply(db: Session, canned_id: int) -> CannedReply:
    """One canned reply; ``NotFound`` when there is none."""
    row = db.get(CannedReply, canned_id)
    if row is None:
        raise NotFound("没有找到这条常用回复。", "id")
    return row


def canned_replies(db: Session, looked_for: str = "") -> list[CannedReply]:
    """Those whose shortcut begins with, or whose title or text holds, what is looked for."""
    query = select(CannedReply).order_by(CannedReply.shortcut).limit(_LISTED)
    wanted = looked_for.strip().lstrip("/")
    if wanted:
        query = query.where(
            or_(
                CannedReply.shortcut.startswith(wanted, autoescape=True),
                CannedReply.title.contains(wanted, autoescape=True),
                CannedReply.text.contains(wanted, autoescape=True),
            )
        )
    return list(db.scalars(query))
