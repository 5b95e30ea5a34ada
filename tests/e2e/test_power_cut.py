"""kill -9 while 200 messages are in flight: after the restart each is answered exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from knowledge.labels import read_questions
from tests.server import ROOT, Server, prepare_data, start

SESSIONS = 20
MESSAGES_EACH = 10
FREE = {"messages_per_minute": "0", "sessions_per_minute": "0"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return prepare_data(tmp_path)


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    started: list[Server] = []
    yield started
    for server in started:
        server.stop()


async def send(client: httpx.AsyncClient, session: str, number: int, text: str) -> None:
    body = {"session": session, "text": text, "client_id": f"m{number}"}
    await client.post("/api/chat", json=body)


async def flood(url: str, sessions: list[str], texts: list[str], server: Server) -> None:
    """Sends everything at once and pulls the plug when a part is answered."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        tasks = [
            asyncio.create_task(send(client, session, number, texts[number]))
            for number in range(MESSAGES_EACH)
            for session in sessions
        ]
        await asyncio.wait(tasks, timeout=1.2)
        server.kill()
        await asyncio.gather(*tasks, return_exceptions=True)


async def send_again(url: str, sessions: list[str], texts: list[str]) -> None:
    """What a careful client does: every message again, in order, under its own id."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:

        async def person(session: str) -> None:
            for number, text in enumerate(texts):
                await send(client, session, number, text)

        await asyncio.gather(*(person(session) for session in sessions))


def test_every_message_is_answered_exactly_once(data: Path, servers: list[Server]) -> None:
    questions = read_questions(ROOT / "knowledge" / "data" / "eval" / "train.jsonl")
    texts = [question.text for question in questions if not question.context][:MESSAGES_EACH]
    first = start(data, max_pending="1000", **FREE)
    servers.append(first)
    sessions = [
        httpx.post(
            f"{first.url}/api/chat", json={"session": None, "text": "你好"}, timeout=30
        ).json()["session"]
        for _ in range(SESSIONS)
    ]
    asyncio.run(flood(first.url, sessions, texts, first))

    second = start(data, max_pending="1000", **FREE)
    servers.append(second)
    asyncio.run(send_again(second.url, sessions, texts))

    with httpx.Client(base_url=second.url, timeout=30) as client:
        for session in sessions:
            said = client.get("/api/chat/history", params={"session": session}).json()["messages"]
            assert sorted(m["client_id"] for m in said[1:]) == sorted(
                f"m{n}" for n in range(MESSAGES_EACH)
            )
            ids = [reply["id"] for message in said for reply in message["replies"]]
            assert len(ids) == len(set(ids))
            for message in said:
                kinds = [reply["kind"] for reply in message["replies"]]
                assert kinds, message
                assert kinds.count("answer") <= 1 and kinds.count("appeal") <= 1, kinds
