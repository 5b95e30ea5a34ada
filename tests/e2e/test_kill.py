"""Kills a real process in the middle of its work: every message is answered once all the same."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Row, select

from service.conversations.models import Message, MessageStatus, OutboxRow
from service.db import Database
from tests.service.conftest import postgres_schema

SESSIONS = 20
MESSAGES = 10
KILLS = 2
PATIENCE_S = 90.0


@dataclass
class Served:
    """A server process that can be killed and started again on the same data and port."""

    folder: Path
    port: int
    database_url: str
    process: subprocess.Popen[str] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with (self.folder / "log.jsonl").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.serve_echo", str(self.folder), str(self.port)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "QIFU_DATABASE_URL": self.database_url},
            )
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == str(self.port), self.log_tail()

    def end(self, signal_number: int) -> int:
        assert self.process is not None
        self.process.send_signal(signal_number)
        code = self.process.wait(timeout=30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code

    def log_tail(self) -> str:
        return (self.folder / "log.jsonl").read_text()[-3000:]


@dataclass
class Sent:
    """One message of a client, and what came back each time it was answered."""

    token: str
    text: str
    answers: list[list[str]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    async def insist(self, client: httpx.AsyncClient) -> None:
        """Sends the message, and again under the same name until it is answered."""
        body = {"session": self.token, "text": self.text, "client_id": self.text}
        while not self.answers:
            try:
                response = await client.post("/api/chat", json=body)
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            assert response.status_code in (200, 202), response.text
            told = response.json()
            self.ids.add(told["message_id"])
            if response.status_code == 200:
                self.answers.append([reply["text"] for reply in told["replies"]])


def new_token(base_url: str) -> str:
    with httpx.stream("GET", f"{base_url}/api/chat/stream", timeout=20) as response:
        for line in response.iter_lines():
            if line.startswith("data: "):
                return str(json.loads(line[6:])["session"])
    raise EOFError("the stream named no session")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'qifu.db'}"
        if request.param == "postgresql":
            url = stack.enter_context(postgres_schema())
        server = Served(tmp_path, free_port(), url)
        server.start()
        yield server
        if server.process:
            server.end(signal.SIGKILL)


def messages_for(served: Served) -> list[Sent]:
    tokens = [new_token(served.base_url) for _ in range(SESSIONS)]
    return [
        Sent(token, f"{name}-{n}") for n in range(MESSAGES) for name, token in enumerate(tokens)
    ]


@pytest.mark.timeout(240)
@pytest.mark.asyncio
async def test_no_message_is_lost_or_answered_twice(served: Served) -> None:
    messages = messages_for(served)
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=served.base_url, timeout=30, limits=limits) as client:
        sending = [asyncio.create_task(message.insist(client)) for message in messages]
        for kill in range(1, KILLS + 1):
            while sum(task.done() for task in sending) < kill * len(messages) // (KILLS + 2):
                await asyncio.sleep(0.005)
            assert served.end(signal.SIGKILL) == -signal.SIGKILL
            assert not all(task.done() for task in sending), "killed too late to show anything"
            await asyncio.to_thread(served.start)
        await asyncio.wait_for(asyncio.gather(*sending), PATIENCE_S)
        for message in messages:  # and once more, for the answer stored
            answers, message.answers = message.answers, []
            await message.insist(client)
            assert message.answers == answers
            assert len(message.ids) == 1
    assert_stored_once(served, messages)
    assert served.end(signal.SIGTERM) == 0


@pytest.mark.timeout(240)
def test_what_nobody_asks_for_again_is_answered_after_the_restart(served: Served) -> None:
    messages = messages_for(served)

    def send_and_forget(message: Sent) -> None:
        body = {"session": message.token, "text": message.text}
        timeout = httpx.Timeout(5, read=0.001)
        with suppress(httpx.ReadTimeout):
            httpx.post(f"{served.base_url}/api/chat", json=body, timeout=timeout)

    with ThreadPoolExecutor(SESSIONS) as pool:
        list(pool.map(send_and_forget, messages))
    served.end(signal.SIGKILL)
    served.start()
    database = Database.open(served.database_url)
    deadline = time.monotonic() + PATIENCE_S
    while not (stored := stored_rows(database)) or not all(row.body for row in stored):
        assert time.monotonic() < deadline, served.log_tail()
        time.sleep(0.1)
    database.close()
    assert_in_order(stored)


def stored_rows(database: Database) -> Sequence[Row[str, str, str, MessageStatus, dict[str, Any]]]:
    """Every message with each of its replies (``body`` absent: none), in order of arrival."""
    with database.reading() as session:
        return session.execute(
            select(
                Message.conversation_id,
                Message.id,
                Message.text,
                Message.status,
                OutboxRow.body,
            )
            .join(OutboxRow, OutboxRow.message_id == Message.id, isouter=True)
            .order_by(Message.seq, OutboxRow.seq)
        ).all()


def assert_in_order(stored: Sequence[Row[str, str, str, MessageStatus, dict[str, Any]]]) -> None:
    """The bot numbers its turns by the dialogue state, so a lost or repeated turn would show."""
    turns: Counter[str] = Counter()
    for row in stored:
        turns[row.conversation_id] += 1
        assert row.status == MessageStatus.ANSWERED
        assert row.body["text"] == f"{turns[row.conversation_id]}:{row.text}"


def assert_stored_once(served: Served, messages: list[Sent]) -> None:
    database = Database.open(served.database_url)
    stored = stored_rows(database)
    database.close()
    assert sorted(row.text for row in stored) == sorted(message.text for message in messages)
    assert len({row.id for row in stored}) == len(messages)
    assert_in_order(stored)
    told = {message.text: message.answers for message in messages}
    assert told == {row.text: [[row.body["text"]]] for row in stored}
