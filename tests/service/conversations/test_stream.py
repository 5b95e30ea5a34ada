"""The stream over a real connection: what arrives later arrives, once, and after a break too."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest
import uvicorn
from sqlalchemy import select

from actions.replies import Author, Reply
from service.app import create_app
from service.conversations import turns
from service.conversations.models import Message, OutboxRow, OutboxStatus, Owner
from service.conversations.stream import Hub, Subscription, Typing
from service.conversations.turns import Delivery
from service.conversations.worker import Bot
from service.db import Database, utc_now
from service.settings import Settings
from tests.service.fakes import EchoBot, sleeping, sorry


@dataclass
class Event:
    """One server-sent event; ``data`` is parsed."""

    name: str
    id: str | None
    data: dict[str, object]

    @property
    def text(self) -> object:
        reply = self.data["reply"]
        assert isinstance(reply, dict)
        return reply["text"]


class Listener:
    """Reads one stream; ``next`` gives the events in order."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()
        self.raw: list[str] = []

    def next(self) -> Event:
        fields: dict[str, str] = {}
        for line in self._lines:
            self.raw.append(line)
            if line and not line.startswith(":"):
                key, _, value = line.partition(": ")
                fields[key] = value
            elif "event" in fields:
                return Event(fields["event"], fields.get("id"), json.loads(fields["data"]))
        raise EOFError("the stream ended")


@dataclass
class Live:
    """A served application."""

    client: httpx.Client

    @contextmanager
    def listen(self, session: str | None = None, **headers: str) -> Iterator[Listener]:
        params = {"session": session} if session else {}
        with self.client.stream("GET", "/api/chat/stream", params=params, headers=headers) as r:
            assert r.status_code == 200
            assert r.headers["content-type"].startswith("text/event-stream")
            yield Listener(r)

    def say(self, text: str, session: str | None = None) -> dict[str, object]:
        response = self.client.post("/api/chat", json={"session": session, "text": text})
        body: dict[str, object] = response.json()
        return body

    def begin(self) -> str:
        return str(self.say("零")["session"])


StartServer = Callable[..., "Live"]


@pytest.fixture
def serve(settings: Settings, sqlite_database: Database) -> Iterator[StartServer]:
    """Serves the application on a free port of this machine."""
    running = []

    def start(bot: Bot | None = None, **changes: object) -> Live:
        changed = settings.model_copy(update=changes)
        app = create_app(changed, sqlite_database, bot or EchoBot(), sorry)
        config = uvicorn.Config(
            app, port=0, log_config=None, access_log=False, timeout_graceful_shutdown=2
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10)
        running.append((app, server, thread, client))
        return Live(client)

    yield start
    for app, server, thread, client in running:
        client.close()
        server.servers[0].get_loop().call_soon_threadsafe(app.state.hub.close)
        server.should_exit = True
        thread.join(10)


def texts(listener: Listener, number: int) -> list[object]:
    found: list[object] = []
    while len(found) < number:
        event = listener.next()
        if event.name == "reply":
            found.append(event.text)
    return found


def test_a_stream_without_session_begins_one(serve: StartServer, sqlite_database: Database) -> None:
    live = serve()
    with live.listen() as listener:
        event = listener.next()
        assert event.name == "session"
        token = str(event.data["session"])
        with sqlite_database.reading() as session:
            assert session.scalars(select(Message)).all() == []
        body = live.say("你好", token)
        assert body["session"] == token
        assert listener.next().name == "typing"
        reply = listener.next()
        assert (reply.name, reply.text) == ("reply", "1:你好")
        assert reply.data["message_id"] == body["message_id"]
        assert body["replies"] == [reply.data["reply"]]


def test_a_late_answer_comes_by_the_stream(serve: StartServer) -> None:
    live = serve(EchoBot(sleeping(0.3)), reply_wait_s=0.0)
    token = live.begin()
    with live.listen(token) as listener:
        assert texts(listener, 1) == ["1:零"]
        assert live.say("慢", token)["replies"] == []
        assert listener.next().name == "typing"
        assert listener.next().text == "2:慢"


def test_every_open_page_hears_the_answer(serve: StartServer) -> None:
    live = serve()
    token = live.begin()
    with live.listen(token) as one, live.listen(token) as two:
        live.say("一", token)
        assert texts(one, 1)[-1:] == texts(two, 1)[-1:] == ["2:一"]


def test_nobody_hears_another_conversation(serve: StartServer) -> None:
    live = serve()
    mine, other = live.begin(), live.begin()
    with live.listen(mine) as listener:
        live.say("别人的", other)
        live.say("我的", mine)
        assert texts(listener, 1) == ["2:我的"]


def test_after_a_break_only_the_rest_comes(serve: StartServer) -> None:
    live = serve()
    token = live.begin()
    with live.listen(token) as listener:
        live.say("一", token)
        event = listener.next()
        while event.name != "reply" or event.text != "2:一":
            event = listener.next()
    live.say("二", token)
    live.say("三", token)
    with live.listen(token, **{"Last-Event-ID": str(event.id)}) as listener:
        assert texts(listener, 2) == ["3:二", "4:三"]
        live.say("四", token)
        assert texts(listener, 1) == ["5:四"]


def test_an_odd_last_event_id_is_ignored(serve: StartServer) -> None:
    live = serve()
    token = live.begin()
    with live.listen(token, **{"Last-Event-ID": "-1; DROP"}) as listener:
        live.say("一", token)
        assert texts(listener, 1) == ["2:一"]


def test_what_was_never_handed_over_comes_first(
    serve: StartServer, sqlite_database: Database
) -> None:
    live = serve(reply_wait_s=0.0)
    token = live.begin()
    time.sleep(0.5)
    with live.listen(token) as listener:
        assert texts(listener, 1) == ["1:零"]
    deadline = time.monotonic() + 5
    status = None
    while status != OutboxStatus.SENT and time.monotonic() < deadline:
        with sqlite_database.reading() as session:
            status = session.scalar(select(OutboxRow.status))
    assert status == OutboxStatus.SENT


def test_a_line_nobody_asked_for_comes_by_the_stream(
    serve: StartServer, sqlite_database: Database
) -> None:
    live = serve()
    token = live.begin()
    conversation = token.split(".")[0]
    with live.listen(token, **{"Last-Event-ID": "1"}) as listener:
        with sqlite_database.session() as session:
            for n in range(3):
                reply = Reply(author=Author.SYSTEM, text=f"进展{n}")
                turns.post_reply(session, conversation, reply, utc_now())
        assert texts(listener, 3) == ["进展0", "进展1", "进展2"]
        live.say("一", token)
        assert texts(listener, 1) == ["2:一"]


def test_an_idle_stream_is_kept_alive(serve: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.05)
    live = serve()
    with live.listen() as listener:
        token = str(listener.next().data["session"])
        time.sleep(0.3)
        live.say("一", token)
        texts(listener, 1)
    assert any(line.startswith(": ping") for line in listener.raw)
    assert any(line.startswith("retry: ") for line in listener.raw)


def test_a_closed_stream_is_forgotten(serve: StartServer) -> None:
    live = serve()
    token = live.begin()
    for _ in range(5):
        with live.listen(token):
            pass
    assert live.say("一", token)["replies"]


# -- without a server --------------------------------------------------------------------------


def delivery(seq: int) -> Delivery:
    return Delivery(seq, {"text": str(seq)}, None)


async def drain(subscription: Subscription) -> list[int]:
    subscription.close()
    return [event.seq async for event in subscription.events() if isinstance(event, Delivery)]


@pytest.mark.asyncio
async def test_a_reply_offered_twice_comes_once() -> None:
    subscription = Subscription("web-a")
    subscription.begin_after(3)
    for seq in (2, 3, 5, 4, 5):
        subscription.offer(delivery(seq))
    subscription.advance(5)
    subscription.offer(delivery(4))
    subscription.offer(delivery(6))
    assert await drain(subscription) == [5, 4, 6]


@pytest.mark.asyncio
async def test_a_slow_reader_is_dropped_and_may_come_back() -> None:
    subscription = Subscription("web-a")
    for seq in range(1, 500):
        subscription.offer(delivery(seq))
    received = [event async for event in subscription.events()]
    assert 50 < len(received) <= 100


@pytest.mark.asyncio
async def test_the_hub_forgets_who_left() -> None:
    hub = Hub()
    hub.start(asyncio.get_running_loop())
    with hub.subscribe("web-a") as subscription, hub.waiting("m"):
        assert hub.positions() == {}
        subscription.begin_after(7)
        assert hub.positions() == {"web-a": 7}
    assert hub.positions() == {}
    hub.typing("web-a")
    hub.answered("web-a", "m", turns.Answer(Owner.BOT, (delivery(8),)))
    await asyncio.sleep(0)


@pytest.mark.asyncio
async def test_a_closed_hub_ends_streams_old_and_new() -> None:
    hub = Hub()
    with hub.subscribe("web-a") as before:
        hub.close()
        with hub.subscribe("web-a") as after:
            assert [event async for event in before.events()] == []
            assert [event async for event in after.events()] == []


@pytest.mark.asyncio
async def test_typing_reaches_only_its_conversation() -> None:
    hub = Hub()
    hub.start(asyncio.get_running_loop())
    with hub.subscribe("web-a") as mine, hub.subscribe("web-b") as other:
        hub.typing("web-a")
        await asyncio.sleep(0)
        mine.close()
        other.close()
        assert [event async for event in mine.events()] == [Typing()]
        assert [event async for event in other.events()] == []
