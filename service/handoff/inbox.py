"""Lists the conversations of the desk, who waits first, with what is unread and what was said last."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, or_, select, tuple_
from sqlalchemy.orm import Session

from service.conversations import search
from service.conversations.models import Conversation, Message, Owner
from service.enterprises.models import Enterprise, Speaker
from service.errors import InvalidInput
from service.handoff.models import ReadMarker, ServiceGroup
from service.staff.permissions import Staff

MAX_PER_PAGE = 100
UNREAD_COUNTED = 99
_FOUND_MESSAGES = 300
_FOUND_ENTERPRISES = 100
_PREVIEW_CHARS = 80
_READ_CHARS = 400
_C = Conversation


class View(StrEnum):
    """Which conversations: ``ALL`` shows queued ones, then mine, others', and the bot's newest."""

    ALL = "all"
    QUEUED = "queued"
    MINE = "mine"
    OTHERS = "others"
    BOT = "bot"
    CLOSED = "closed"


ORDER = (View.QUEUED, View.MINE, View.OTHERS, View.BOT)


@dataclass(frozen=True)
class InboxRow:
    """One conversation in the list.

    ``since`` is when the owner got it, absent for the bot from the beginning. ``unread`` counts the
    visitor's messages after the reader's marker, 99 at most. ``preview`` is what the visitor said
    last. ``enterprise``, ``group``, ``owner_name`` and ``assigned_to`` are absent where not known.
    """

    conversation_id: str
    owner: Owner
    owner_staff: str | None
    owner_name: str | None
    assigned_to: str | None
    since: datetime | None
    updated_at: datetime
    revision: int
    channel: str
    enterprise: str | None
    group: str | None
    preview: str
    unread: int


@dataclass(frozen=True)
class InboxPage:
    """A page of the list; ``after`` asks for the next one and is absent on the last."""

    rows: list[InboxRow]
    after: str | None


@dataclass(frozen=True)
class _Cursor:
    view: View
    at: datetime
    name: str


def list_conversations(
    db: Session,
    staff: Staff,
    view: View = View.ALL,
    text: str | None = None,
    after: str | None = None,
    limit: int = 50,
    named: Sequence[str] = (),
) -> InboxPage:
    """One page of conversations as this reader sees them.

    ``text`` searches messages, enterprises and conversation ids; ``named`` are conversations found by
    other rooms (an appeal's number). ``InvalidInput`` for an ``after`` that is none of ours.
    """
    limit = max(1, min(limit, MAX_PER_PAGE))
    cursor = _read_cursor(after) if after else None
    found = None if text is None or not text.strip() else _found(db, text, named)
    if found is not None and not found:
        return InboxPage([], None)
    views: tuple[View, ...] = ORDER if view is View.ALL else (view,)
    if view is View.ALL and found is not None:
        views = (*views, View.CLOSED)
    if cursor:
        if cursor.view not in views:
            raise InvalidInput("翻页位置无效，请从头查看。", "after")
        views = views[views.index(cursor.view) :]
    names: list[tuple[View, str]] = []
    for each in views:
        start = cursor if cursor and cursor.view is each else None
        ids = db.scalars(_section(each, staff, found, start).limit(limit + 1 - len(names)))
        names += [(each, name) for name in ids]
        if len(names) > limit:
            break
    rows = _rows(db, staff, [name for _, name in names[:limit]])
    more = len(names) > limit
    return InboxPage(rows, place_after(names[limit - 1][0], rows[-1]) if more and rows else None)


def counts(db: Session, staff: Staff) -> dict[View, int]:
    """How many conversations wait, are mine, and are others'."""
    grouped = db.execute(
        select(_C.owner, _C.owner_staff, func.count())
        .where(_C.owner.in_((Owner.QUEUED, Owner.PERSON)))
        .group_by(_C.owner, _C.owner_staff)
    )
    told = {View.QUEUED: 0, View.MINE: 0, View.OTHERS: 0}
    for owner, holder, number in grouped:
        if owner == Owner.QUEUED:
            told[View.QUEUED] += number
        else:
            told[View.MINE if holder == staff.id else View.OTHERS] += number
    return told


def row_of(db: Session, staff: Staff, conversation_id: str) -> InboxRow | None:
    """One conversation as the list shows it; ``None`` when there is none of this id."""
    return next(iter(_rows(db, staff, [conversation_id])), None)


def _section(
    view: View, staff: Staff, found: list[str] | None, start: _Cursor | None
) -> Select[Any]:
    query = select(_C.id).where(_of(view, staff))
    if found is not None:
        query = query.where(_C.id.in_(found))
    if view is View.QUEUED:
        # Who waits longest comes first. Few rows: sorting them costs nothing.
        if start:
            query = query.where(tuple_(_C.owner_since, _C.id) > (start.at, start.name))
        return query.order_by(_C.owner_since, _C.id)
    if start:
        query = query.where(
            or_(
                _C.updated_at < start.at,
                and_(_C.updated_at == start.at, _C.id < start.name),
            )
        )
    return query.order_by(_C.updated_at.desc(), _C.id.desc())


def _of(view: View, staff: Staff) -> ColumnElement[bool]:
    if view is View.MINE:
        return and_(_C.owner == Owner.PERSON, _C.owner_staff == staff.id)
    if view is View.OTHERS:
        return and_(_C.owner == Owner.PERSON, _C.owner_staff != staff.id)
    return _C.owner == Owner(view.value)


def _found(db: Session, text: str, named: Sequence[str]) -> list[str]:
    wanted = text.strip()[:100]
    key = search.escaped("".join(wanted.casefold().split()))
    speakers = select(Speaker.session).join(Enterprise, Enterprise.id == Speaker.enterprise_id)
    by_name = speakers.where(Enterprise.name_key.like(f"%{key}%", escape="\\"))
    by_code = speakers.where(Enterprise.credit_code == wanted.upper())
    exact = select(_C.id).where(_C.id == wanted)
    others = [
        name
        for query in (exact, by_code, by_name)
        for name in db.scalars(query.limit(_FOUND_ENTERPRISES))
    ]
    return list(dict.fromkeys([*named, *others, *search.find(db, wanted, _FOUND_MESSAGES)]))


def _rows(db: Session, staff: Staff, names: list[str]) -> list[InboxRow]:
    if not names:
        return []
    unread = (
        select(Message.seq)
        .where(Message.conversation_id == _C.id, Message.seq > func.coalesce(ReadMarker.seq, 0))
        .limit(UNREAD_COUNTED)
        .correlate(_C, ReadMarker)
        .subquery()
    )
    is_mine = and_(ReadMarker.conversation_id == _C.id, ReadMarker.staff_id == staff.id)
    query = _shown(select(func.count()).select_from(unread).scalar_subquery())
    found: Any = db.execute(query.outerjoin(ReadMarker, is_mine).where(_C.id.in_(names)))
    rows = {each[0]: _row(each) for each in found}
    return [rows[name] for name in names if name in rows]


def rows_for_all(db: Session, names: Sequence[str]) -> list[tuple[InboxRow, list[int]]]:
    """Rows with nothing unread, each with the ``seq`` of the visitor's last 99 messages, rising.

    Whoever reads it counts what is unread from their own marker on.
    """
    last = (
        select(cast(Message.seq, String).label("seq"))
        .where(Message.conversation_id == _C.id)
        .order_by(Message.seq.desc())
        .limit(UNREAD_COUNTED)
        .correlate(_C)
        .subquery()
    )
    numbers = select(func.aggregate_strings(last.c.seq, ",")).scalar_subquery()
    found: Any = db.execute(_shown(numbers).where(_C.id.in_(names)))
    return [
        (_row((*each[:-1], 0)), sorted(map(int, each[-1].split(","))) if each[-1] else [])
        for each in found
    ]


def newest_of(db: Session, owner: Owner, limit: int | None) -> list[str]:
    """The conversations somebody owns, the last touched first; ``None`` for all."""
    query = select(_C.id).where(_C.owner == owner)
    return list(db.scalars(query.order_by(_C.updated_at.desc(), _C.id.desc()).limit(limit)))


def _shown(last: ColumnElement[Any]) -> Select[Any]:
    """What a row shows, with one more column."""
    preview = (
        select(func.coalesce(Message.label, Message.text))
        .where(Message.conversation_id == _C.id)
        .order_by(Message.seq.desc())
        .limit(1)
        .correlate(_C)
        .scalar_subquery()
    )
    columns: list[Any] = [
        _C.id,
        _C.owner,
        _C.owner_staff,
        _C.owner_name,
        _C.assigned_to,
        _C.owner_since,
        _C.updated_at,
        _C.revision,
        _C.channel,
        Enterprise.name,
        ServiceGroup.name,
        func.coalesce(preview, ""),
        last,
    ]
    return (
        select(*columns)
        .select_from(_C)
        .outerjoin(Speaker, Speaker.session == _C.id)
        .outerjoin(Enterprise, Enterprise.id == Speaker.enterprise_id)
        .outerjoin(ServiceGroup, ServiceGroup.id == _C.group_id)
    )


def _row(told: Sequence[Any]) -> InboxRow:
    row = InboxRow(*told)
    return replace(row, preview=" ".join(row.preview[:_READ_CHARS].split())[:_PREVIEW_CHARS])


def place_after(view: View, row: InboxRow) -> str:
    """What asks for the page after this row of this view."""
    at = row.since if view is View.QUEUED and row.since else row.updated_at
    told = json.dumps([view.value, at.isoformat(), row.conversation_id])
    return base64.urlsafe_b64encode(told.encode()).decode()


def _read_cursor(text: str) -> _Cursor:
    try:
        view, at, name = json.loads(base64.urlsafe_b64decode(text.encode()))
        cursor = _Cursor(View(view), datetime.fromisoformat(at), str(name))
    except (ValueError, TypeError) as error:
        raise InvalidInput("翻页位置无效，请从头查看。", "after") from error
    if cursor.at.tzinfo is None:
        raise InvalidInput("翻页位置无效，请从头查看。", "after")
    return cursor
