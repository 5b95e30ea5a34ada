"""The web channel over HTTP: what is accepted, what is refused, what comes back."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from service.conversations.models import Conversation, Message, OutboxRow, OutboxStatus, Owner
from service.db import Database
from tests.service.conftest import StartApp
from tests.service.fakes import EchoBot, sleeping, waiting_for

Json = dict[str, Any]


def post(client: TestClient, body: object) -> Response:
    """Posts what an ordinary JSON client would refuse to write, too: NaN, lone surrogates."""
    headers = {"content-type": "application/json"}
    return client.post("/api/chat", content=json.dumps(body), headers=headers)


def count(database: Database, table: type[Message] | type[OutboxRow] = Message) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_first_message_begins_a_conversation(start_app: StartApp) -> None:
    client = start_app()
    response = client.post("/api/chat", json={"session": None, "text": "你好", "client_id": "c1"})
    assert response.status_code == 200
    body: Json = response.json()
    assert set(body) == {"session", "message_id", "owner", "replies"}
    assert body["owner"] == "bot"
    assert set(body["replies"][0]) == {
        "id", "author", "name", "kind", "text", "citations", "matches", "appeal", "buttons",
    }  # fmt: skip
    assert body["replies"][0]["text"] == "1:你好"
    again = client.post("/api/chat", json={"session": body["session"], "text": "再问"}).json()
    assert again["session"] == body["session"]
    assert again["replies"][0]["text"] == "2:再问"


def test_what_is_sent_twice_is_answered_once(start_app: StartApp) -> None:
    bot = EchoBot()
    client = start_app(bot)
    token = client.post("/api/chat", json={"text": "一"}).json()["session"]
    sent = {"session": token, "text": "二", "client_id": "c2"}
    first, second = (client.post("/api/chat", json=sent) for _ in range(2))
    assert first.json() == second.json()
    assert len(bot.turns) == 2
    other = client.post("/api/chat", json={**sent, "text": "三"})
    assert other.status_code == 409
    assert other.json()["error"]["where"] == "client_id"


def test_ten_requests_at_once_with_one_client_id_get_one_answer(
    start_app: StartApp, sqlite_database: Database
) -> None:
    bot = EchoBot(sleeping(0.2))
    client = start_app(bot)
    token = client.post("/api/chat", json={"text": "一"}).json()["session"]
    sent = {"session": token, "text": "二", "client_id": "c2"}
    with ThreadPoolExecutor(10) as pool:
        bodies = list(pool.map(lambda _: client.post("/api/chat", json=sent).json(), range(10)))
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["replies"][0]["text"] == "2:二"
    assert count(sqlite_database) == count(sqlite_database, OutboxRow) == len(bot.turns) == 2


def test_sessions_do_not_mix(start_app: StartApp) -> None:
    client = start_app()

    def talk(name: int) -> list[str]:
        token, said = None, []
        for n in range(5):
            sent = {"session": token, "text": f"{name}-{n}"}
            body = client.post("/api/chat", json=sent).json()
            token = body["session"]
            said.append(body["replies"][0]["text"])
        return said

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(talk, range(8)))
    assert said == [[f"{n + 1}:{name}-{n}" for n in range(5)] for name in range(8)]


def test_a_slow_answer_is_promised_and_found_later(start_app: StartApp) -> None:
    client = start_app(EchoBot(sleeping(0.6)), reply_wait_s=0.1)
    sent = {"text": "慢", "client_id": "c1"}
    response = client.post("/api/chat", json=sent)
    assert response.status_code == 202
    body = response.json()
    assert (body["owner"], body["replies"]) == ("bot", [])
    time.sleep(1.0)
    again = client.post("/api/chat", json={**sent, "session": body["session"]})
    assert again.status_code == 200
    assert again.json()["message_id"] == body["message_id"]
    assert again.json()["replies"][0]["text"] == "1:慢"


def test_a_message_is_recorded_before_the_bot_sees_it(
    start_app: StartApp, sqlite_database: Database
) -> None:
    seen: list[int] = []
    client = start_app(EchoBot(lambda _turn: seen.append(count(sqlite_database))))
    client.post("/api/chat", json={"text": "你好"})
    assert seen == [1]


def test_while_a_person_answers_the_bot_is_silent(
    start_app: StartApp, sqlite_database: Database
) -> None:
    bot = EchoBot()
    client = start_app(bot)
    token = client.post("/api/chat", json={"text": "转人工"}).json()["session"]
    with sqlite_database.session() as session:
        session.execute(update(Conversation).values(owner=Owner.PERSON))
    response = client.post("/api/chat", json={"session": token, "text": "在吗"})
    assert response.status_code == 200
    assert (response.json()["owner"], response.json()["replies"]) == ("person", [])
    assert len(bot.turns) == 1


def test_an_answer_handed_over_is_marked_sent(
    start_app: StartApp, sqlite_database: Database
) -> None:
    start_app().post("/api/chat", json={"text": "你好"})
    deadline = time.monotonic() + 5
    status = None
    while status != OutboxStatus.SENT and time.monotonic() < deadline:
        with sqlite_database.reading() as session:
            status = session.scalar(select(OutboxRow.status))
    assert status == OutboxStatus.SENT


def test_a_button_is_known_by_its_offer(start_app: StartApp) -> None:
    client = start_app()
    body = client.post("/api/chat", json={"text": "buttons"}).json()
    button = body["replies"][0]["buttons"][0]
    pressed = {"session": body["session"], "text": button["payload"]}
    assert client.post("/api/chat", json=pressed).json()["replies"][0]["text"] == (
        "2:button/talk_to_human"
    )
    typed = {"session": body["session"], "text": "/restart"}
    assert client.post("/api/chat", json=typed).json()["replies"][0]["text"] == "3:/restart"
    history = client.get("/api/chat/history", params={"session": body["session"]}).json()
    assert [line["text"] for line in history["messages"]] == ["buttons", "转人工", "/restart"]


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "status", "where"),
    [
        ({}, 422, "text"),
        ({"text": None}, 422, "text"),
        ({"text": ""}, 422, "text"),
        ({"text": " \t\n　\u200b\u2060"}, 422, "text"),
        ({"text": "\x00\x01\ud800"}, 422, "text"),
        ({"text": 5}, 422, "text"),
        ({"text": True}, 422, "text"),
        ({"text": ["你好"]}, 422, "text"),
        ({"text": {"a": 1}}, 422, "text"),
        ({"text": "长" * 2001}, 422, "text"),
        ({"text": "长" * 100_000}, 422, "text"),
        ({"text": "你好", "session": 5}, 422, "session"),
        ({"text": "你好", "session": {}}, 422, "session"),
        ({"text": "你好", "session": "made up"}, 401, "session"),
        ({"text": "你好", "session": ""}, 401, "session"),
        ({"text": "你好", "client_id": ""}, 422, "client_id"),
        ({"text": "你好", "client_id": "c" * 65}, 422, "client_id"),
        ({"text": "你好", "client_id": "c\x00"}, 422, "client_id"),
        ({"text": "你好", "client_id": "\ud800"}, 422, "client_id"),
        ({"text": "你好", "client_id": 7}, 422, "client_id"),
        ([], 422, "body"),
        ("你好", 422, "body"),
        (None, 422, "body"),
    ],
)
def test_bad_input_is_refused_in_plain_words(
    start_app: StartApp, sqlite_database: Database, sent: object, status: int, where: str
) -> None:
    response = post(start_app(), sent)
    assert response.status_code == status
    error = response.json()["error"]
    assert set(error) == {"code", "message", "where"}
    assert error["where"] == where
    assert not error["message"].isascii()
    assert count(sqlite_database) == 0


def test_the_limit_is_named(start_app: StartApp) -> None:
    response = start_app().post("/api/chat", json={"text": "长" * 2001})
    assert "2000" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b'{"text": "a",}', 400),
        (b"\xff\xfe", 400),
        (b'{"text": "\xff"}', 400),
        (b"[" * 50_000, 400),
        (b'{"text": ' + b"1" * 10_000 + b"}", 400),
        (b'{"text": NaN}', 422),
    ],
)
def test_what_is_not_json_is_refused(start_app: StartApp, content: bytes, status: int) -> None:
    headers = {"content-type": "application/json"}
    response = start_app().post("/api/chat", content=content, headers=headers)
    assert response.status_code == status
    assert not response.json()["error"]["message"].isascii()


def test_json_must_be_declared(start_app: StartApp) -> None:
    headers = {"content-type": "text/plain"}
    response = start_app().post("/api/chat", content=b'{"text": "a"}', headers=headers)
    assert response.status_code == 422


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  你好\r\n ", "你好"),
        ("a\x00b\x1bc\x7f\x85d", "abcd"),
        ("\ud800你\udfff好", "你好"),
        ("👩‍👩‍👧 🇨🇳", "👩‍👩‍👧 🇨🇳"),
        ("\u202e反\u202c", "\u202e反\u202c"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("'; DROP TABLE messages; --", "'; DROP TABLE messages; --"),
        ("一\n二\t三", "一\n二\t三"),
        ("长" * 2000, "长" * 2000),
        (" " * 3000 + "短", "短"),
    ],
)
def test_odd_text_is_kept_as_text(start_app: StartApp, text: str, kept: str) -> None:
    response = post(start_app(), {"text": text})
    assert response.json()["replies"][0]["text"] == f"1:{kept}"


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    text=anything | st.text(st.characters(codec=None), max_size=2100),
    session=st.none() | anything,
    client_id=st.none() | anything,
)
def test_no_input_breaks_the_service(
    shared_client: TestClient, text: object, session: object, client_id: object
) -> None:
    body = {"text": text, "session": session, "client_id": client_id}
    response = post(shared_client, body)
    assert response.status_code in (200, 400, 401, 422)
    if response.status_code == 200:
        assert len(response.json()["replies"]) == 1
    else:
        assert set(response.json()["error"]) == {"code", "message", "where"}


@pytest.fixture
def shared_client(start_app: StartApp) -> TestClient:
    """One application for all examples of a property."""
    return start_app(EchoBot())


# -- back-pressure -----------------------------------------------------------------------------


def test_a_full_service_says_when_to_come_back(start_app: StartApp) -> None:
    release = threading.Event()
    bot = EchoBot(waiting_for(release))
    client = start_app(bot, max_pending=2, reply_wait_s=0.0)
    tokens = [client.post("/api/chat", json={"text": "问"}).json()["session"] for _ in range(2)]
    refused = client.post("/api/chat", json={"text": "问"})
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "overloaded"
    assert int(refused.headers["retry-after"]) >= 1
    release.set()
    time.sleep(0.5)
    assert client.post("/api/chat", json={"session": tokens[0], "text": "再问"}).status_code == 202


def test_one_session_cannot_fill_the_service(start_app: StartApp) -> None:
    release = threading.Event()
    bot = EchoBot(waiting_for(release))
    client = start_app(bot, max_pending_per_session=3, reply_wait_s=0.0)
    token = client.post("/api/chat", json={"text": "问0"}).json()["session"]
    sent = [{"session": token, "text": f"问{n}", "client_id": f"c{n}"} for n in range(1, 5)]
    codes = [client.post("/api/chat", json=body).status_code for body in sent]
    assert codes == [202, 202, 429, 429]
    assert client.post("/api/chat", json=sent[0]).status_code == 202
    assert client.post("/api/chat", json={"text": "别人"}).status_code == 202
    release.set()


# -- history -----------------------------------------------------------------------------------


def test_a_history_shows_both_sides(start_app: StartApp) -> None:
    client = start_app()
    body = client.post("/api/chat", json={"text": "一", "client_id": "c1"}).json()
    client.post("/api/chat", json={"session": body["session"], "text": "二"})
    history = client.get("/api/chat/history", params={"session": body["session"]}).json()
    assert (history["session"], history["owner"]) == (body["session"], "bot")
    first, second = history["messages"]
    assert (first["message_id"], first["client_id"]) == (body["message_id"], "c1")
    assert first["replies"] == body["replies"]
    assert first["received_at"] < second["received_at"]
    assert second["replies"][0]["text"] == "2:二"


def test_nobody_reads_without_a_token(start_app: StartApp) -> None:
    client = start_app()
    assert client.get("/api/chat/history").status_code == 422
    assert client.get("/api/chat/history", params={"session": "web-x"}).status_code == 401
    assert client.get("/api/chat/stream", params={"session": "web-x"}).status_code == 401
