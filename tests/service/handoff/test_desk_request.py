"""Asking for a person through the desk the dialogue holds, on real rooms: queue, appeal, time-out."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from actions.handoff import RequestPerson
from service.appeals.clock import SHANGHAI
from service.appeals.departments import load_departments
from service.appeals.dispatch import Dispatcher
from service.appeals.history import verify_chain
from service.appeals.models import Appeal
from service.conversations.models import Owner
from service.db import Database
from service.desk import ServiceDesk
from service.handoff.watch import look_after_queue
from tests.actions.hearing import hear
from tests.service.appeals.seams import Clock, LetterEncoder
from tests.service.handoff.conftest import RULES, Counter


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(database: Database, clock: Clock) -> ServiceDesk:
    dispatcher = Dispatcher(load_departments(), LetterEncoder())
    return ServiceDesk(database, dispatcher, LetterEncoder(), now=clock)


def appeals(database: Database) -> list[Appeal]:
    with database.reading() as db:
        found = list(db.scalars(select(Appeal).order_by(Appeal.no)))
        assert [problem for each in found for problem in verify_chain(db, each)] == []
    return found


def test_the_action_queues_and_the_desk_says_the_one_line(
    database: Database, desk: ServiceDesk, clock: Clock
) -> None:
    counter = Counter(database, now=clock.at)
    claim = counter.say("转人工").claim
    assert claim is not None
    heard = hear(
        RequestPerson(desk), "转人工", session=counter.conversation, message_id=claim.message_id
    )
    finished = counter.finish(claim, heard.text)
    assert finished.answer is not None and finished.answer.owner == Owner.QUEUED
    assert [line.body["text"] for line in finished.answer.deliveries] == [heard.text]
    assert counter.lines() == [heard.text]
    assert appeals(database) == []
    again = desk.request_person(counter.conversation, claim.message_id, "转人工")
    assert (again.position, again.appeal) == (1, None)
    assert len(counter.lines()) == 1


def test_a_wait_nobody_ends_is_an_appeal_whose_number_is_told(
    database: Database, desk: ServiceDesk, clock: Clock
) -> None:
    counter = Counter(database, now=clock.at)
    claim = counter.say("园区停电，转人工").claim
    assert claim is not None
    desk.request_person(counter.conversation, claim.message_id, "请求人工服务：园区停电")
    counter.finish(claim)
    clock.pass_(timedelta(minutes=10))
    (ended,) = look_after_queue(database, desk.prepare_appeal, RULES, clock.at)
    (filed,) = appeals(database)
    assert filed.no == ended.no
    assert "用户：园区停电，转人工" in filed.matter
    assert filed.no in counter.lines()[-1]
    assert counter.owner == Owner.BOT
    assert look_after_queue(database, desk.prepare_appeal, RULES, clock.at) == []


def test_at_night_the_appeal_comes_at_once_and_the_bot_stays(
    database: Database, desk: ServiceDesk, clock: Clock
) -> None:
    clock.at = datetime(2026, 11, 23, 20, tzinfo=SHANGHAI)
    counter = Counter(database, now=clock.at)
    claim = counter.say("转人工").claim
    assert claim is not None
    handoff = desk.request_person(counter.conversation, claim.message_id, "转人工", "13800138000")
    assert handoff.appeal is not None and handoff.position is None
    assert handoff.opens_at == datetime(2026, 11, 24, 9, tzinfo=SHANGHAI)
    (filed,) = appeals(database)
    assert (filed.no, filed.phone) == (handoff.appeal.no, "13800138000")
    assert (counter.owner, counter.lines()) == (Owner.BOT, [])
    assert counter.finish(claim, "已登记").answer is not None


def test_a_session_that_is_no_conversation_gets_its_appeal(
    database: Database, desk: ServiceDesk
) -> None:
    handoff = desk.request_person("nowhere", "m1", "转人工")
    assert handoff.appeal is not None
    assert len(appeals(database)) == 1
