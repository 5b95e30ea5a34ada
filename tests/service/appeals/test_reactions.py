"""What a requester may do on the public page, with which proof, and what the desk then holds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from actions.replies import Author, Reply
from service.app import create_app
from service.appeals import handling
from service.appeals.models import Appeal, AppealEvent, EventKind, Rating
from service.appeals.notices import notice_of, tell_requesters
from service.appeals.routes import MissCounter, appeals_router
from service.auth import SessionTokens, WebSession
from service.db import Database
from service.desk import ServiceDesk
from service.limits import TokenBuckets
from service.settings import Settings
from tests.service.appeals.people import CENTRE
from tests.service.appeals.seams import Clock, draft
from tests.service.fakes import EchoBot, sorry

PHONE = "13800138000"
NAMES = count(1)


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One kind is enough here: the operations are tested on both."""
    return sqlite_database


@pytest.fixture
def client(settings: Settings, database: Database, clock: Clock) -> Iterator[TestClient]:
    misses = MissCounter(clock=lambda: clock.at.timestamp())
    buckets = TokenBuckets(20, clock=lambda: clock.at.timestamp())
    router = appeals_router(misses, now=clock, reactions=buckets)
    app = create_app(settings, database, EchoBot(), sorry, routers=[router])
    with TestClient(app, client=("203.0.113.5", 50000)) as client:
        yield client


@pytest.fixture
def session(settings: Settings) -> WebSession:
    return SessionTokens(settings.signing_secret(), settings.session_days).issue()


@pytest.fixture
def no(desk: ServiceDesk, session: WebSession) -> str:
    matter = f"园区停电影响生产，请打{PHONE}"
    return desk.file_appeal(draft("m1", matter, session=session.conversation_id, phone=PHONE)).no


def say(client: TestClient, no: str, act: str, want: int = 200, **more: Any) -> Any:
    name = more.pop("client_id", f"client-{next(NAMES):06}")
    body = {"act": act, "client_id": name, **more}
    answer = client.post(f"/api/appeals/{no}/reaction", json=body)
    assert answer.status_code == want, answer.text
    return answer.json()


def answer(database: Database, no: str, clock: Clock) -> None:
    with database.session() as db:
        handling.answer(db, no, CENTRE, "已恢复供电", clock())


def accepted(database: Database, no: str, clock: Clock) -> None:
    with database.session() as db:
        handling.accept(db, no, CENTRE, clock())
    answer(database, no, clock)


def test_not_solved_reopens_with_a_shorter_clock_and_solved_asks_for_a_score(
    client: TestClient, database: Database, no: str, clock: Clock
) -> None:
    accepted(database, no, clock)
    proof: dict[str, Any] = {"phone_last4": PHONE[-4:]}
    page = client.get(f"/api/appeals/{no}", params=proof).json()
    assert page["may"] == ["solved", "not_solved"]
    first = page["remaining"]["budget_min"]
    say(client, no, "not_solved", 422, **proof)
    page = say(client, no, "not_solved", text="机器还停着", **proof)
    assert (page["state"], page["may"]) == ("reopened", [])
    assert page["remaining"]["budget_min"] < first
    say(client, no, "solved", 409, **proof)
    answer(database, no, clock)
    page = say(client, no, "solved", **proof)
    assert (page["state"], page["asks"], page["may"]) == (
        "closed",
        "satisfied",
        ["not_solved", "rate"],
    )
    say(client, no, "rate", 422, **proof)
    say(client, no, "rate", 422, score=6, **proof)
    page = say(client, no, "rate", score=4, **proof)
    assert page["may"] == ["not_solved"]
    say(client, no, "rate", 409, score=1, **proof)
    with database.reading() as db:
        appeal = db.scalars(select(Appeal)).one()
        assert (appeal.solved, appeal.satisfied) == (True, 4)
        assert [each.score for each in db.scalars(select(Rating))] == [4]


def test_sent_twice_it_is_done_once(
    client: TestClient, database: Database, no: str, clock: Clock, session: WebSession
) -> None:
    own: dict[str, Any] = {"session": session.token}
    for _ in range(2):
        say(client, no, "supplement", text="每天下午三点", client_id="same-name", **own)
    accepted(database, no, clock)
    for _ in range(2):
        say(client, no, "solved", client_id="same-word", **own)
    for _ in range(2):
        say(client, no, "rate", score=5, client_id="same-rate", **own)
    with database.reading() as db:
        kinds = [each.kind for each in db.scalars(select(AppealEvent))]
    assert kinds.count(EventKind.SUPPLEMENTED) == 1
    assert kinds.count(EventKind.RATED) == 1


def test_only_the_conversation_adds_and_withdraws(
    client: TestClient, settings: Settings, no: str, session: WebSession
) -> None:
    other = SessionTokens(settings.signing_secret(), settings.session_days).issue().token
    for act in ("supplement", "withdraw"):
        say(client, no, act, 403, text="补充", phone_last4=PHONE[-4:])
        say(client, no, act, 403, text="补充", phone=PHONE)
        say(client, no, act, 404, text="补充", session=other)
    say(client, no, "supplement", 422, text="  ", session=session.token)
    page = say(client, no, "withdraw", session=session.token)
    assert (page["state"], page["may"]) == ("withdrawn", [])
    say(client, no, "supplement", 409, text="补充", session=session.token)


def test_wrong_proof_is_a_guess_and_guesses_end(client: TestClient, no: str) -> None:
    codes = []
    for n in range(8):
        body = {"act": "solved", "client_id": "guess-guess", "phone_last4": f"{n:04}"}
        codes.append(client.post(f"/api/appeals/{no}/reaction", json=body).status_code)
    assert codes[0] == 404
    assert codes[-1] == 429


def test_saying_much_is_slowed_down(client: TestClient, no: str, session: WebSession) -> None:
    for n in range(20):
        say(client, no, "supplement", text=f"第{n}句", session=session.token)
    told = client.post(
        f"/api/appeals/{no}/reaction",
        json={
            "act": "supplement",
            "client_id": "one-more",
            "text": "再说",
            "session": session.token,
        },
    )
    assert told.status_code == 429
    assert int(told.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"act": "close", "client_id": "12345678"},
        {"act": "solved", "client_id": "短"},
        {"act": "solved", "client_id": "a" * 33},
        {"act": "solved", "client_id": "12345678", "text": "字" * 2001},
        {"act": "solved", "client_id": "12345678", "by": "staff"},
    ],
)
def test_what_is_no_reaction_is_refused(client: TestClient, no: str, body: dict[str, Any]) -> None:
    answer = client.post(f"/api/appeals/{no}/reaction", json=body)
    assert answer.status_code == 422


def test_a_phone_written_into_the_matter_is_shown_only_to_the_conversation(
    client: TestClient, no: str, session: WebSession
) -> None:
    by_digits = client.get(f"/api/appeals/{no}", params={"phone_last4": PHONE[-4:]}).text
    assert PHONE not in by_digits and "138****8000" in by_digits
    assert PHONE in client.get(f"/api/appeals/{no}", params={"session": session.token}).text


def test_what_was_said_on_the_page_is_told_in_the_conversation_and_what_was_said_there_is_not(
    client: TestClient, database: Database, no: str, clock: Clock, session: WebSession
) -> None:
    told: list[Reply] = []
    stop = tell_requesters(database, lambda db, session, reply: told.append(reply))
    try:
        accepted(database, no, clock)
        told.clear()
        say(client, no, "not_solved", text="机器还停着", session=session.token)
    finally:
        stop()
    assert [reply.author for reply in told] == [Author.SYSTEM]
    assert "机器还停着" in told[0].text and "重新办理" in told[0].text
    assert told[0].buttons == []
    with database.reading() as db:
        appeal = db.scalars(select(Appeal)).one()
        filed = db.scalars(select(AppealEvent).order_by(AppealEvent.seq)).first()
        assert filed is not None
        assert notice_of(appeal, filed) is None
