"""Nobody waits for ever: in working time the wait becomes an appeal, once, and the bot is back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from actions.desk import Appeal, AppealDraft
from service.appeals.clock import SHANGHAI
from service.conversations.models import ChangeReason, Owner
from service.db import Database
from service.handoff import routing, taking
from service.handoff.hours import (
    Rules,
    has_ended_for_the_day,
    is_open,
    minutes_waited,
    next_opening,
)
from service.handoff.models import ServiceGroup, Skill
from service.handoff.queue import Asked
from service.handoff.routing import Wanted
from service.handoff.watch import QueueWatch, look_after_queue
from tests.service.handoff.conftest import LI, MONDAY, RULES, WANG, Counter


class Appeals:
    """Files appeals inside the transaction it is given: one that is rolled back leaves none."""

    def __init__(self, database: Database) -> None:
        with database.session() as db:
            db.execute(text("CREATE TABLE filed (message_id VARCHAR(64), matter TEXT)"))
        self._database = database

    def prepare(self, draft: AppealDraft) -> Callable[[Session], Appeal]:
        def file(db: Session) -> Appeal:
            db.execute(
                text("INSERT INTO filed VALUES (:id, :matter)"),
                {"id": draft.message_id, "matter": draft.matter},
            )
            due = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
            return Appeal("FT-20261123-0001", "dispatched", "企服中心", due, draft.matter)

        return file

    def filed(self) -> list[str]:
        with self._database.reading() as db:
            return list(db.scalars(text("SELECT matter FROM filed")))


@pytest.fixture
def appeals(database: Database) -> Appeals:
    return Appeals(database)


def look(counter: Counter, appeals: Appeals) -> int:
    return len(look_after_queue(counter.database, appeals.prepare, RULES, counter.now))


def test_nobody_in_time_is_an_appeal_with_the_transcript(
    counter: Counter, appeals: Appeals
) -> None:
    counter.finish(counter.say("国高补贴多少钱").claim, "五万元")
    counter.ask_for_person()
    counter.say("楼里还停电了")
    counter.later(minutes=9, seconds=59)
    assert look(counter, appeals) == 0
    counter.later(seconds=1)
    assert look(counter, appeals) == 1
    assert counter.owner == Owner.BOT
    (matter,) = appeals.filed()
    for told in ("用户：国高补贴多少钱", "小福：五万元", "用户：楼里还停电了"):
        assert told in matter
    assert "FT-20261123-0001" in counter.lines()[-1]
    assert counter.changes()[-1].reason is ChangeReason.TIMED_OUT
    assert counter.say("那租金呢").claim is not None


def test_of_many_that_look_at_once_one_files(counter: Counter, appeals: Appeals) -> None:
    counter.ask_for_person()
    counter.later(minutes=11)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: look(counter, appeals), range(6)))
    assert sum(found) == 1
    assert len(appeals.filed()) == 1
    assert len(counter.lines()) == 2


def test_a_claim_between_look_and_step_wins(counter: Counter, appeals: Appeals) -> None:
    counter.ask_for_person()
    counter.later(minutes=11)

    def prepare(draft: AppealDraft) -> Callable[[Session], Appeal]:
        counter.run(taking.claim, LI)
        return appeals.prepare(draft)

    assert look_after_queue(counter.database, prepare, RULES, counter.now) == []
    assert (counter.owner, appeals.filed()) == (Owner.PERSON, [])


def test_a_step_that_fails_leaves_the_wait_as_it_was(counter: Counter, appeals: Appeals) -> None:
    counter.ask_for_person()
    counter.later(minutes=11)

    def prepare(draft: AppealDraft) -> Callable[[Session], Appeal]:
        def fail(db: Session) -> Appeal:
            appeals.prepare(draft)(db)
            raise OSError("the power went")

        return fail

    with pytest.raises(OSError):
        look_after_queue(counter.database, prepare, RULES, counter.now)
    assert (counter.owner, appeals.filed(), len(counter.lines())) == (Owner.QUEUED, [], 1)
    assert look(counter, appeals) == 1


def test_the_noon_break_does_not_count_and_the_evening_ends_the_wait(
    database: Database, appeals: Appeals
) -> None:
    counter = Counter(database, now=MONDAY + timedelta(hours=2, minutes=55))  # 11:55
    counter.ask_for_person()
    counter.later(hours=2, minutes=9)  # 14:04: nine minutes of working time
    assert look(counter, appeals) == 0
    counter.later(minutes=1)
    assert look(counter, appeals) == 1
    counter.later(hours=3, minutes=53)  # 17:58
    assert counter.ask_for_person().asked is Asked.QUEUED
    counter.later(minutes=1)
    assert look(counter, appeals) == 0
    counter.later(minutes=1)  # 18:00: nobody comes today
    assert look(counter, appeals) == 1


def test_the_watch_goes_on_after_a_failure() -> None:
    looked = Event()
    times = []

    def look() -> None:
        times.append(1)
        if len(times) == 1:
            raise OSError("no database")
        looked.set()

    watch = QueueWatch(look, every_s=0.01)
    watch.start()
    assert looked.wait(5)
    watch.stop()


# -- hours -------------------------------------------------------------------------------------


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("when", "opens"),
    [
        ("2026-11-23T09:00", "2026-11-23T09:00"),
        ("2026-11-23T12:00", "2026-11-23T14:00"),
        ("2026-11-23T18:00", "2026-11-24T09:00"),
        ("2026-11-28T10:00", "2026-11-30T09:00"),  # a Saturday
        ("2026-09-30T18:00", "2026-10-08T09:00"),  # the holidays of National Day
        ("2026-10-10T08:00", "2026-10-10T09:00"),  # a Saturday worked instead
    ],
)
def test_when_the_desk_opens(when: str, opens: str) -> None:
    assert next_opening(at(when), RULES) == at(opens)
    assert is_open(at(when), RULES) is (when == opens)


def test_only_hours_of_the_desk_are_waited() -> None:
    assert minutes_waited(at("2026-11-23T17:50"), at("2026-11-24T09:05"), RULES) == 15
    assert minutes_waited(at("2026-11-28T10:00"), at("2026-11-29T10:00"), RULES) == 0
    assert not has_ended_for_the_day(at("2026-11-23T12:30"), RULES)
    assert has_ended_for_the_day(at("2026-11-23T18:30"), RULES)


# -- routing -----------------------------------------------------------------------------------


def skill(staff_id: str, **facts: object) -> Skill:
    values: dict[str, object] = {
        "name": staff_id,
        "topics": [],
        "departments": [],
        "max_conversations": 2,
        "is_present": True,
        "last_seen": MONDAY,
    }
    return Skill(staff_id=staff_id, **(values | facts))


def suggested(counter: Counter, *skills: Skill, group: ServiceGroup | None = None) -> str | None:
    counter.say("你好")
    with counter.database.session() as db:
        db.add_all([*skills, *([group] if group else [])])
        db.flush()
        wanted = Wanted("办公用房租金怎么申请", "住建局")
        return routing.suggest(db, group.id if group else None, wanted, RULES, counter.now)


def test_the_commissioner_of_the_group_comes_first(counter: Counter) -> None:
    group = ServiceGroup(id="g", name="软件企业群", commissioner="wang")
    assert suggested(counter, skill("li", topics=["租金"]), skill("wang"), group=group) == "wang"


def test_then_who_knows_the_topic_then_the_department(counter: Counter) -> None:
    people = [skill("a"), skill("b", departments=["住建局"]), skill("c", topics=["租金"])]
    assert suggested(counter, *people) == "c"
    with counter.database.session() as db:
        db.delete(db.get(Skill, "c"))
        db.flush()
        wanted = Wanted("办公用房租金怎么申请", "住建局")
        assert routing.suggest(db, None, wanted, RULES, counter.now) == "b"


def test_who_has_enough_or_is_away_is_not_suggested(counter: Counter) -> None:
    counter.say("你好")
    counter.run(taking.claim, LI)
    away = skill("c", topics=["租金"], last_seen=MONDAY - timedelta(minutes=5))
    gone = skill("d", topics=["租金"], is_present=False)
    full = skill("li", topics=["租金"], max_conversations=1)
    assert suggested(counter, full, away, gone, skill("wang")) == "wang"


def test_nobody_there_is_nobody_suggested(counter: Counter) -> None:
    assert suggested(counter) is None


def test_the_least_busy_of_equals_is_suggested_and_anybody_may_claim(counter: Counter) -> None:
    other = Counter(counter.database, "web-b")
    other.say("你好")
    other.run(taking.claim, LI)
    with counter.database.session() as db:
        for person in (LI, WANG):
            routing.set_presence(db, person.id, person.name, True, counter.now)
    counter.ask_for_person()
    assert counter.row.assigned_to == "wang"
    counter.run(taking.claim, LI)
    row = counter.row
    assert (row.owner_staff, row.assigned_to) == ("li", None)


def test_somebody_there_after_hours_is_queued_for(database: Database) -> None:
    evening = Counter(database, now=MONDAY.replace(hour=12))
    with database.session() as db:
        routing.set_presence(db, LI.id, LI.name, True, evening.now)
    assert evening.ask_for_person().asked is Asked.QUEUED


def test_the_wait_told_follows_the_waits_of_late(counter: Counter) -> None:
    for number in range(3):
        each = Counter(counter.database, f"web-{number}", now=counter.now)
        each.ask_for_person()
        each.later(minutes=5)
        each.run(taking.claim, LI)
    first = counter.ask_for_person()
    second = Counter(counter.database, "web-b", now=counter.now + timedelta(seconds=1))
    answered = second.ask_for_person()
    assert first.place is not None and answered.place is not None
    assert (first.place.position, first.place.wait_minutes) == (1, 5)
    assert (answered.place.position, answered.place.wait_minutes) == (2, Rules().wait_minutes)
