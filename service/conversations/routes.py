"""The web channel: post a message, follow a conversation, read it back."""

from __future__ import annotations

import asyncio
import json
import math
import re
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError
from starlette.concurrency import run_in_threadpool

from actions.replies import Reply
from service.auth import SessionTokens, WebSession
from service.conversations import operations
from service.conversations.models import Owner
from service.conversations.operations import Backlog, Incoming, Recorded
from service.conversations.stream import Hub, Subscription, Typing
from service.conversations.turns import Answer, Delivery
from service.conversations.worker import TurnWorker
from service.db import Database, utc_now
from service.errors import TooManyRequests
from service.limits import TokenBuckets, caller
from service.settings import Settings

MAX_TEXT_CHARS = 2000
_MAX_UNCLEANED_CHARS = 10 * MAX_TEXT_CHARS
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_INVISIBLE = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
_HISTORY_MESSAGES = 200
_LOOK_AGAIN_S = 1.0
_RETRY_MS = 2000

router = APIRouter(tags=["chat"])


@dataclass(frozen=True)
class Room:
    """Everything the endpoints of this room use; made once by ``create_app``."""

    settings: Settings
    database: Database
    tokens: SessionTokens
    hub: Hub
    worker: TurnWorker
    messages: TokenBuckets
    sessions: TokenBuckets


def _room(request: Request) -> Room:
    room: Room = request.app.state.room
    return room


InRoom = Annotated[Room, Depends(_room)]


def clean_text(value: object) -> object:
    """Text without control characters and lone surrogates, stripped; anything but text as it is."""
    if not isinstance(value, str):
        return value
    if len(value) <= _MAX_UNCLEANED_CHARS:
        value = _UNPRINTABLE.sub("", value).strip()
    if len(value) > MAX_TEXT_CHARS:
        raise PydanticCustomError(
            "too_long", f"内容太长了，一次最多 {MAX_TEXT_CHARS} 个字，请分几次发送。"
        )
    if all(unicodedata.category(char) in _INVISIBLE for char in value):
        raise PydanticCustomError("empty", "请输入内容后再发送。")
    return value


class ChatRequest(BaseModel):
    """One message. ``session`` absent begins a conversation; resend with the same ``client_id``."""

    session: str | None = None
    text: Annotated[str, BeforeValidator(clean_text)] = Field(
        description=f"1-{MAX_TEXT_CHARS} characters, or the payload of a button that was offered"
    )
    client_id: str | None = Field(None, pattern=r"^[^\x00-\x1f\x7f]{1,64}$")


class ChatAnswer(BaseModel):
    """``replies`` is empty with 202 (they come by the stream), and while a person answers."""

    session: str
    message_id: str
    owner: Owner
    replies: list[Reply]


class HistoryLine(BaseModel):
    """A message (``text``: for a button its title) with its replies; or replies without one."""

    message_id: str | None
    client_id: str | None
    text: str | None
    received_at: datetime
    replies: list[Reply]


class History(BaseModel):
    """The last messages of a conversation, oldest first; ``owner_name`` is set while a person answers."""

    session: str
    owner: Owner
    owner_name: str | None
    messages: list[HistoryLine]


@router.post("/api/chat", response_model=ChatAnswer, responses={202: {"model": ChatAnswer}})
async def chat(request: Request, room: InRoom, body: ChatRequest) -> Response:
    """Records a message, waits a while for its answer, and returns it."""
    _limit(room.messages, request)
    if body.session is None:
        _limit(room.sessions, request)
        web = room.tokens.issue()
    else:
        web = room.tokens.read(body.session)
    incoming = Incoming(
        conversation_id=web.conversation_id,
        message_id=uuid4().hex,
        client_id=body.client_id or uuid4().hex,
        text=body.text,
    )
    request.state.log_fields = {
        "conversation": web.conversation_id,
        "message_id": incoming.message_id,
    }
    with room.hub.waiting(incoming.message_id) as future:
        recorded = await run_in_threadpool(_record, room, incoming)
        if recorded.message_id == incoming.message_id:
            answer = recorded.answer or await _wait(room, recorded.message_id, future)
        else:
            request.state.log_fields["repeat_of"] = recorded.message_id
            answer = recorded.answer or await _wait_again(room, recorded.message_id)
    return _respond(room, web, recorded, answer)


def _limit(buckets: TokenBuckets, request: Request) -> None:
    address = caller(request)
    wait_s = buckets.wait_s(address) if address else 0.0
    if wait_s:
        raise TooManyRequests("操作太频繁了，请稍后再试。", "", math.ceil(wait_s))


def _record(room: Room, incoming: Incoming) -> Recorded:
    backlog = Backlog(room.settings.max_pending, room.settings.max_pending_per_session)
    with room.database.session() as session:
        recorded = operations.record(session, incoming, room.worker.lease(), backlog, utc_now())
    if recorded.claim:
        room.worker.submit(recorded.claim)
    return recorded


async def _wait(room: Room, message_id: str, future: asyncio.Future[Answer]) -> Answer | None:
    """The answer, or ``None`` when it takes longer than ``reply_wait_s``."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + room.settings.reply_wait_s
    while (left_s := deadline - loop.time()) > 0:
        await asyncio.wait({future}, timeout=min(left_s, _LOOK_AGAIN_S))
        if future.done():
            return future.result()
        # Another process may be the one that answers.
        if answer := await run_in_threadpool(_answer, room, message_id):
            return answer
    return None


async def _wait_again(room: Room, message_id: str) -> Answer | None:
    with room.hub.waiting(message_id) as future:
        # It may have been answered between the look at the database and the waiting.
        answer = await run_in_threadpool(_answer, room, message_id)
        return answer or await _wait(room, message_id, future)


def _answer(room: Room, message_id: str) -> Answer | None:
    with room.database.reading() as session:
        return operations.answer_of(session, message_id)


def _respond(
    room: Room, web: WebSession, recorded: Recorded, answer: Answer | None
) -> JSONResponse:
    deliveries = answer.deliveries if answer else ()
    room.hub.sent(deliveries)
    content = {
        "session": web.token,
        "message_id": recorded.message_id,
        "owner": answer.owner if answer else recorded.owner,
        "replies": [delivery.body for delivery in deliveries],
    }
    return JSONResponse(content, status_code=200 if answer else 202)


@router.get("/api/chat/history")
def read_history(room: InRoom, session: str) -> History:
    """The last 200 messages of the conversation, for a page that was loaded again."""
    web = room.tokens.read(session)
    with room.database.reading() as database:
        said = operations.history(database, web.conversation_id, _HISTORY_MESSAGES)
        owner, owner_name = operations.owner_of(database, web.conversation_id)
    lines = [
        HistoryLine(
            message_id=line.message_id,
            client_id=line.client_id,
            text=line.text,
            received_at=line.at,
            replies=[Reply.model_validate(reply) for reply in line.replies],
        )
        for line in said
    ]
    return History(session=web.token, owner=owner, owner_name=owner_name, messages=lines)


@dataclass(frozen=True)
class Stream:
    """An open stream: what to send at once, and where the rest comes from."""

    subscription: Subscription
    new_token: str | None
    missed: list[Delivery]


async def _open_stream(
    request: Request,
    room: InRoom,
    session: str | None = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[Stream]:
    if session:
        web = room.tokens.read(session)
    else:
        _limit(room.sessions, request)
        web = room.tokens.issue()
    request.state.log_fields = {"conversation": web.conversation_id}
    after = int(last_event_id) if last_event_id and last_event_id.isdecimal() else None
    with room.hub.subscribe(web.conversation_id) as subscription:
        missed: list[Delivery] = []
        if session:
            missed = await run_in_threadpool(_missed, room, subscription, after)
        else:
            subscription.begin_after(0)
        yield Stream(subscription, None if session else web.token, missed)


def _missed(room: Room, subscription: Subscription, after: int | None) -> list[Delivery]:
    """What the reader has not seen: all after its last event, else all that was never sent."""
    conversation_id = subscription.conversation_id
    handed_over = room.hub.sent_seqs()  # first: what is marked meanwhile is still among them
    with room.database.reading() as session:
        latest = operations.latest_seq(session, [conversation_id]).get(conversation_id, 0)
        if after is None:
            planned = operations.undelivered_replies(session, conversation_id)
            missed = [delivery for delivery in planned if delivery.seq not in handed_over]
        else:
            missed = operations.replies_after(session, conversation_id, after)
    subscription.begin_after(latest)
    return missed


@router.get("/api/chat/stream", response_class=EventSourceResponse)
async def stream(
    room: InRoom, opened: Annotated[Stream, Depends(_open_stream)]
) -> AsyncIterator[ServerSentEvent]:
    """Everything that arrives later: events ``session``, ``typing`` and ``reply``.

    ``session`` comes first when none was given: ``{"session"}``, a fresh token. ``reply`` is
    ``{"message_id","reply"}``; its id goes back as ``Last-Event-ID``. A reply may also have come by
    another way (its ``id`` tells): the response of the post, another stream.
    """
    if opened.new_token:
        yield ServerSentEvent(event="session", data={"session": opened.new_token}, retry=_RETRY_MS)
    else:
        yield ServerSentEvent(comment="ok", retry=_RETRY_MS)
    for delivery in opened.missed:
        yield _reply_event(room, delivery)
    sent = {delivery.seq for delivery in opened.missed}
    async for event in opened.subscription.events():
        if isinstance(event, Typing):
            yield ServerSentEvent(event="typing", data={})
        elif event.seq not in sent:
            yield _reply_event(room, event)


def _reply_event(room: Room, delivery: Delivery) -> ServerSentEvent:
    room.hub.sent([delivery])
    data = json.dumps(
        {"message_id": delivery.message_id, "reply": delivery.body}, ensure_ascii=False
    )
    return ServerSentEvent(event="reply", id=str(delivery.seq), raw_data=data)
