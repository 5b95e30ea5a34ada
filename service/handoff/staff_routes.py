"""The desk's JSON interface to conversations: list, read, take, answer, give back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from actions.replies import CitationCard, Reply
from knowledge.answer import Answerer
from service.conversations.models import Owner
from service.conversations.ownership import lock
from service.conversations.turns import Delivery
from service.db import Database, utc_now
from service.errors import NotFound
from service.handoff import draft, inbox, messages, routing, taking
from service.handoff.context import Packet, packet_of
from service.handoff.inbox import InboxRow, View
from service.handoff.thread import Line, thread_of
from service.limits import caller
from service.staff.audit import record
from service.staff.permissions import Permission, Staff

Require = Callable[[Permission], Callable[..., Staff]]

_CLIENT_ID = r"^[^\x00-\x1f\x7f]{1,64}$"


@dataclass(frozen=True)
class DeskParts:
    """What this room needs of others.

    ``colleague`` finds an active staff member who may answer; ``answerer`` what answers come from now;
    ``today`` the day they are given for; ``named`` conversations that other rooms know by a text (an
    appeal's number).
    """

    colleague: Callable[[Session, str], Staff | None]
    answerer: Callable[[], Answerer]
    today: Callable[[], date]
    named: Callable[[Session, str], Sequence[str]] = lambda _db, _text: ()


class ConversationList(BaseModel):
    """A page; ``after`` asks for the next, absent on the last. ``counts``: queued, mine, others."""

    rows: list[InboxRow]
    after: str | None
    counts: dict[View, int]


class ThreadPage(BaseModel):
    """A conversation with its lines, oldest first; ``before`` asks for earlier ones."""

    row: InboxRow
    lines: list[Line]
    before: datetime | None


class OwnerNow(BaseModel):
    """Who has the conversation after a change; ``line`` is what the visitor was told, absent if nothing."""

    conversation_id: str
    owner: Owner
    owner_staff: str | None
    owner_name: str | None
    version: int
    line: Reply | None


class SendRequest(BaseModel):
    """``draft_id`` names the draft it came from: its clauses go along, the changes are counted."""

    text: str
    client_id: str = Field(pattern=_CLIENT_ID)
    draft_id: str | None = None


class SentNow(BaseModel):
    """The stored message; ``is_new`` is false when it was sent before."""

    reply: Reply
    is_new: bool


class NoteRequest(BaseModel):
    text: str
    client_id: str = Field(pattern=_CLIENT_ID)


class TransferRequest(BaseModel):
    """``to`` is a staff id."""

    to: str


class ReadRequest(BaseModel):
    """``seq`` is the message read last; absent means all."""

    seq: int | None = Field(None, ge=0)


class PresenceRequest(BaseModel):
    is_present: bool


class DraftNow(BaseModel):
    """A proposed answer; ``text`` is empty where the catalogue has none."""

    id: str
    text: str
    citations: list[CitationCard]
    why: str


class ColleagueNotFound(NotFound):
    """No staff member of this id who may answer."""

    code = "colleague_not_found"


def handoff_staff_router(require: Require, parts: DeskParts) -> APIRouter:
    """The endpoints; ``require(permission)`` is the dependency that says who is signed in.

    ``request.app.state`` holds ``database`` and ``hub``.
    """
    router = APIRouter(prefix="/api/staff/conversations", tags=["staff"])
    reader = Depends(require(Permission.INBOX_READ))
    answering = Depends(require(Permission.INBOX_ANSWER))

    @router.get("")
    def read_list(
        request: Request,
        staff: Staff = reader,
        view: View = View.ALL,
        text: Annotated[str | None, Query(max_length=200)] = None,
        after: Annotated[str | None, Query(max_length=400)] = None,
        limit: Annotated[int, Query(ge=1, le=inbox.MAX_PER_PAGE)] = 50,
    ) -> ConversationList:
        """Conversations: who waits first, then mine, others' and the bot's newest; or one view."""
        with _database(request).reading() as db:
            named = parts.named(db, text) if text else ()
            page = inbox.list_conversations(db, staff, view, text, after, limit, named)
            counts = inbox.counts(db, staff)
        return ConversationList(rows=page.rows, after=page.after, counts=counts)

    @router.post("/presence")
    def set_presence(
        request: Request, body: PresenceRequest, staff: Staff = answering
    ) -> dict[str, bool]:
        """Says whether I am there; to be repeated every minute while a console is open."""
        with _database(request).session() as db:
            routing.set_presence(db, staff.id, staff.name, body.is_present, utc_now())
        return {"is_present": body.is_present}

    @router.get("/{conversation_id}")
    def read_thread(
        request: Request,
        conversation_id: str,
        staff: Staff = reader,
        before: datetime | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 100,
    ) -> ThreadPage:
        """Everything said, told and noted, oldest first. Noted in the audit log."""
        with _database(request).session() as db:
            thread = thread_of(db, conversation_id, staff, before, limit)
            subject = ("conversation", conversation_id)
            record(db, staff.id, "conversation_opened", subject, utc_now(), address=caller(request))
        return ThreadPage(row=thread.row, lines=thread.lines, before=thread.before)

    @router.get("/{conversation_id}/context")
    def read_context(request: Request, conversation_id: str, staff: Staff = reader) -> Packet:
        """Enterprise, last match, clauses cited, what the bot tried, open appeals."""
        with _database(request).reading() as db:
            return packet_of(db, conversation_id)

    @router.post("/{conversation_id}/claim")
    def claim(request: Request, conversation_id: str, staff: Staff = answering) -> OwnerNow:
        """Takes it; 409 names who has it already."""
        return _change(
            request, conversation_id, lambda db: taking.claim(db, conversation_id, staff, utc_now())
        )

    @router.post("/{conversation_id}/release")
    def release(request: Request, conversation_id: str, staff: Staff = answering) -> OwnerNow:
        """Gives it back to the bot."""
        return _change(
            request,
            conversation_id,
            lambda db: taking.release(db, conversation_id, staff, utc_now()),
        )

    @router.post("/{conversation_id}/close")
    def close(request: Request, conversation_id: str, staff: Staff = answering) -> OwnerNow:
        """Ends it; what the visitor writes next goes to the bot."""
        return _change(
            request, conversation_id, lambda db: taking.close(db, conversation_id, staff, utc_now())
        )

    @router.post("/{conversation_id}/transfer")
    def transfer(
        request: Request,
        conversation_id: str,
        body: TransferRequest,
        staff: Staff = answering,
    ) -> OwnerNow:
        """Passes it on to a colleague who may answer."""

        def pass_on(db: Session) -> Delivery:
            to = parts.colleague(db, body.to)
            if to is None or not to.may(Permission.INBOX_ANSWER):
                raise ColleagueNotFound("没有找到可以接手的同事。", "to")
            return taking.transfer(db, conversation_id, staff, to, utc_now())

        return _change(request, conversation_id, pass_on)

    @router.post("/{conversation_id}/send")
    def send(
        request: Request,
        conversation_id: str,
        body: SendRequest,
        staff: Staff = answering,
    ) -> SentNow:
        """Says something to the visitor, once per ``client_id``; only who has the conversation."""
        with _database(request).session() as db:
            cited = draft.citations_of(db, conversation_id, body.draft_id) if body.draft_id else ()
            sent = messages.send(
                db, conversation_id, staff, body.text, body.client_id, utc_now(), cited
            )
            reply = Reply.model_validate(sent.delivery.body)
            if body.draft_id and sent.is_new:
                draft.note_sent(db, body.draft_id, reply.id, reply.text)
        if sent.is_new:
            request.app.state.hub.posted(conversation_id, [sent.delivery])
        return SentNow(reply=reply, is_new=sent.is_new)

    @router.post("/{conversation_id}/note")
    def note(
        request: Request,
        conversation_id: str,
        body: NoteRequest,
        staff: Staff = answering,
    ) -> dict[str, int]:
        """Keeps a note for colleagues; the visitor never sees it."""
        with _database(request).session() as db:
            kept = messages.add_note(
                db, conversation_id, staff, body.text, body.client_id, utc_now()
            )
            return {"id": kept.id}

    @router.post("/{conversation_id}/read")
    def mark_read(
        request: Request,
        conversation_id: str,
        body: ReadRequest,
        staff: Staff = reader,
    ) -> dict[str, int]:
        """Notes that I have read up to a message."""
        with _database(request).session() as db:
            return {"seq": messages.mark_read(db, conversation_id, staff, utc_now(), body.seq)}

    @router.post("/{conversation_id}/draft")
    def make_draft(
        request: Request, conversation_id: str, staff: Staff = answering
    ) -> DraftNow | None:
        """What the bot would answer, with its clauses; ``null`` while the visitor said nothing."""
        proposed = draft.propose(
            _database(request), conversation_id, staff, parts.answerer(), parts.today(), utc_now()
        )
        return DraftNow.model_validate(proposed, from_attributes=True) if proposed else None

    return router


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _change(
    request: Request, conversation_id: str, change: Callable[[Session], Delivery | None]
) -> OwnerNow:
    with _database(request).session() as db:
        line = change(db)
        held = lock(db, conversation_id)
    if line is not None:
        request.app.state.hub.posted(conversation_id, [line])
    return OwnerNow(
        conversation_id=conversation_id,
        owner=held.owner,
        owner_staff=held.staff,
        owner_name=held.name,
        version=held.version,
        line=Reply.model_validate(line.body) if line else None,
    )
