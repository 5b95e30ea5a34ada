"""Who may see an appeal over HTTP, what they see, and how guessing ends."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from actions.desk import Appeal
from service.app import create_app
from service.appeals import handling
from service.appeals.clock import SHANGHAI
from service.appeals.models import AppealState
from service.appeals.operations import move
from service.appeals.routes import MissCounter, appeals_router
from service.auth import SessionTokens, WebSession
from service.db import Database
from service.desk import ServiceDesk
from service.settings import Settings
from tests.service.appeals.people import CENTRE, FINANCE
from tests.service.appeals.seams import Clock, draft
from tests.service.fakes import EchoBot, sorry

PHONE = "13800138000"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One kind is enough here: the queries are tested on both in test_desk."""
    return sqlite_database


@pytest.fixture
def client(settings: Settings, database: Database, clock: Clock) -> Iterator[TestClient]:
    misses = MissCounter(clock=lambda: clock.at.timestamp())
    app = create_app(
        settings, database, EchoBot(), sorry, routers=[appeals_router(misses, now=clock)]
    )
    with TestClient(app, client=("203.0.113.5", 50000)) as client:
        yield client


@pytest.fixture
def session(settings: Settings) -> WebSession:
    return SessionTokens(settings.signing_secret(), settings.session_days).issue()


@pytest.fixture
def appeal(desk: ServiceDesk, session: WebSession) -> Appeal:
    return desk.file_appeal(draft("m1", session=session.conversation_id, phone=PHONE))


def status(client: TestClient, no: str, **query: str) -> int:
    return int(client.get(f"/api/appeals/{no}", params=query).status_code)


def test_the_session_sees_its_appeal_and_its_history(
    client: TestClient, desk: ServiceDesk, database: Database, appeal: Appeal, session: WebSession
) -> None:
    owner = session.conversation_id
    desk.supplement_appeal(owner, appeal.no, "每天{note}下午三点", "m2")
    with database.session() as db:
        move(db, appeal.no, AppealState.ACCEPTED, "staff-7")
        move(db, appeal.no, AppealState.ANSWERED, "staff-7", note="已恢复供电")
    answer = client.get(f"/api/appeals/{appeal.no.lower()}", params={"session": session.token})
    assert answer.status_code == 200
    page = answer.json()
    assert page["no"] == appeal.no
    assert (page["state"], page["department"]) == ("answered", appeal.department)
    assert datetime.fromisoformat(page["due_at"]) == datetime(2026, 11, 30, 18, tzinfo=SHANGHAI)
    assert (page["matter"], page["due_note"]) == ("园区停电影响生产", None)
    assert [(e["state"], e["text"]) for e in page["timeline"]] == [
        ("filed", "已收到您的诉求"),
        ("dispatched", f"已分派给{appeal.department}"),
        ("dispatched", "您补充了说明：每天{note}下午三点"),
        ("accepted", "责任部门已受理"),
        ("answered", "责任部门已答复：已恢复供电"),
    ]
    assert PHONE not in answer.text and "staff-7" not in answer.text and owner not in answer.text


def test_every_state_has_words_for_the_requester(
    client: TestClient, database: Database, appeal: Appeal, session: WebSession
) -> None:
    steps = ["returned", "dispatched", "escalated", "explained", "closed", "reopened", "withdrawn"]
    with database.session() as db:
        for state in steps:
            move(db, appeal.no, AppealState(state), "staff", note="因为")
    page = client.get(f"/api/appeals/{appeal.no}", params={"session": session.token}).json()
    assert [e["state"] for e in page["timeline"]][2:] == steps
    assert all(e["text"] and "{" not in e["text"] for e in page["timeline"])


def test_the_full_phone_opens_it_and_nothing_less(client: TestClient, appeal: Appeal) -> None:
    assert status(client, appeal.no, phone=PHONE) == 200
    for wrong in (
        "13800138001",
        "1380013800",
        "138001380001",
        "+8613800138000",
        "",
        "138",
        "１３８００１３８０００",
    ):
        assert status(client, appeal.no, phone=wrong) == 404


def test_the_last_four_digits_open_it_but_are_guessed_less_often(
    client: TestClient, appeal: Appeal
) -> None:
    assert status(client, appeal.no, phone_last4=PHONE[-4:]) == 200
    for n, wrong in enumerate(("800", "80000", "", "８０００", PHONE)):
        assert status(client, appeal.no, phone_last4=wrong) == 404, n
    assert status(client, appeal.no, phone_last4=PHONE[-4:]) == 429, "five guesses an hour"
    for address in range(5):
        elsewhere = TestClient(client.app, client=(f"203.0.113.{address + 10}", 50000))
        for n in range(5):
            status(elsewhere, appeal.no, phone_last4=f"1{address}{n}1")
    fresh = TestClient(client.app, client=("203.0.113.99", 50000))
    assert status(fresh, appeal.no, phone_last4=PHONE[-4:]) == 429, "from wherever they come"


def test_a_right_guess_costs_nothing(client: TestClient, appeal: Appeal) -> None:
    for _ in range(30):
        assert status(client, appeal.no, phone_last4=PHONE[-4:]) == 200


def test_guesses_made_at_once_are_counted_too(client: TestClient, appeal: Appeal) -> None:
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda n: status(client, appeal.no, phone_last4=f"{n:04}"), range(40)))
    assert got.count(404) == 5 and got.count(429) == 35


def test_the_page_shows_clock_pause_and_departments_but_no_notes(
    client: TestClient, database: Database, appeal: Appeal, session: WebSession, clock: Clock
) -> None:
    with database.session() as db:
        handling.dispatch_to(db, appeal.no, CENTRE, "finance", ["power"], now=clock())
        handling.note(db, appeal.no, CENTRE, "内部意见", clock())
        handling.pause(db, appeal.no, FINANCE, "more_from_requester", "要合同", clock())
    answer = client.get(f"/api/appeals/{appeal.no}", params={"session": session.token})
    page = answer.json()
    assert page["first_department"] == appeal.department
    assert (page["department"], page["co_departments"]) == ("福田区金融工作局", [appeal.department])
    assert page["remaining"]["paused"] == "等待企业补充材料"
    assert page["remaining"]["left_min"] == 5 * 420 + 360
    assert datetime.fromisoformat(page["remaining"]["paused_until"]) == datetime(
        2026, 12, 7, 10, tzinfo=SHANGHAI
    )
    assert [e["text"] for e in page["timeline"]][2:] == [
        f"已转由福田区金融工作局办理，{appeal.department}协办",
        "计时暂停：等待企业补充材料（要合同）",
    ]
    for hidden in ("内部意见", CENTRE.name, FINANCE.name, PHONE):
        assert hidden not in answer.text


def test_an_appeal_without_phone_is_opened_by_none(client: TestClient, desk: ServiceDesk) -> None:
    no = desk.file_appeal(draft("m9", session="web-x")).no
    assert status(client, no, phone="") == status(client, no, phone=PHONE) == 404


def test_others_cannot_tell_that_it_exists(
    client: TestClient, settings: Settings, appeal: Appeal
) -> None:
    other = SessionTokens(settings.signing_secret(), settings.session_days).issue().token
    forged = SessionTokens("another secret of enough length", 90).issue().token
    answers = [
        client.get(f"/api/appeals/{no}", params=query)
        for no in (appeal.no, "FT-20261123-7777", "nonsense", "%00", "FT-20261123-0001;--")
        for query in ({}, {"session": other}, {"session": forged}, {"phone": "13900139000"})
    ]
    assert {a.status_code for a in answers} == {404}
    assert len({a.text for a in answers}) == 1
    assert answers[0].json()["error"]["code"] == "appeal_not_found"


def test_guessing_ends_after_ten_misses_an_hour(
    client: TestClient, appeal: Appeal, session: WebSession, clock: Clock
) -> None:
    for n in range(10):
        assert status(client, appeal.no, phone=f"1380013{n:04d}") == 404
    answer = client.get(f"/api/appeals/{appeal.no}", params={"phone": PHONE})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 3600
    assert status(client, "FT-20261123-0002", phone=PHONE) == 404, "another number counts apart"
    assert status(client, appeal.no, session=session.token) == 200, "its own session is no guess"
    clock.pass_(timedelta(minutes=61))
    assert status(client, appeal.no, phone=PHONE) == 200


def test_guesses_of_another_address_count_apart(client: TestClient, appeal: Appeal) -> None:
    for _ in range(11):
        last = status(client, appeal.no, phone="13900139000")
    assert last == 429
    elsewhere = TestClient(client.app, client=("203.0.113.6", 50000))
    assert status(elsewhere, appeal.no, phone=PHONE) == 200


def test_misses_are_forgotten_oldest_first() -> None:
    misses = MissCounter(limit=1, max_keys=2, clock=lambda: 0.0)
    for key in ("a", "b", "c"):
        misses.add(key)
    assert misses.wait_s("a") == 0
    assert misses.wait_s("b") == misses.wait_s("c") == 3600


def test_a_due_date_in_an_unpublished_year_says_so(
    client: TestClient, desk: ServiceDesk, session: WebSession, clock: Clock
) -> None:
    clock.at = datetime(2199, 12, 30, 10, tzinfo=SHANGHAI)
    no = desk.file_appeal(draft("m1", session=session.conversation_id)).no
    page = client.get(f"/api/appeals/{no}", params={"session": session.token}).json()
    assert "周一至周五" in page["due_note"]
