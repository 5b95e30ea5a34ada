"""The watch: each warning once, only in working hours, whoever looks and however late."""

from __future__ import annotations

import multiprocessing
import time as wall
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from actions.replies import Reply
from service.appeals import handling
from service.appeals.clock import SHANGHAI, is_working_time
from service.appeals.history import verify_chain
from service.appeals.models import Appeal, AppealEvent, AppealState, EventKind
from service.appeals.notices import tell_requesters
from service.appeals.projection import events_of
from service.appeals.reasons import PauseReason
from service.appeals.watch import AppealWatch
from service.db import Database, make_engine
from service.desk import ServiceDesk
from tests.service.appeals.people import CENTRE, POWER
from tests.service.appeals.seams import Clock, draft


def at(said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=SHANGHAI)


@pytest.fixture
def watch(database: Database, clock: Clock) -> AppealWatch:
    return AppealWatch(database, now=clock)


@pytest.fixture
def no(desk: ServiceDesk) -> str:
    """Filed Monday 10:00: 2460 working minutes, 80 % of them used on Friday at 16:48."""
    return desk.file_appeal(draft("m1")).no


@pytest.fixture
def lines(database: Database) -> Iterator[list[str]]:
    told: list[str] = []

    def keep(_db: Session, _session: str, reply: Reply) -> None:
        told.append(reply.text)

    stop = tell_requesters(database, keep)
    yield told
    stop()


def warned(database: Database) -> list[tuple[str, datetime]]:
    with database.reading() as db:
        rows = db.scalars(
            select(AppealEvent).where(AppealEvent.kind == EventKind.WARNED).order_by(AppealEvent.id)
        )
        return [((row.detail or {})["warning"], row.at.astimezone(SHANGHAI)) for row in rows]


def check_chains(database: Database) -> None:
    with database.reading() as db:
        assert [p for a in db.scalars(select(Appeal)) for p in verify_chain(db, a)] == []


def live(clock: Clock, watch: AppealWatch, until: str, step: timedelta) -> None:
    while clock.at < at(until):
        watch.make_rounds()
        clock.pass_(step)


def test_each_rung_is_told_once_and_only_while_people_work(
    database: Database, watch: AppealWatch, clock: Clock, no: str
) -> None:
    live(clock, watch, "2026-12-07T12:00", timedelta(minutes=97))
    got = warned(database)
    assert [alarm for alarm, _ in got] == ["near", "due", "overdue", "district"]
    assert all(is_working_time(moment) for _, moment in got)
    exact = ["2026-11-27T16:48", "2026-11-30T17:00", "2026-12-01T09:00", "2026-12-02T09:00"]
    for (_, moment), reached in zip(got, exact, strict=True):
        assert moment >= at(reached)
    check_chains(database)


@pytest.mark.parametrize("night", ["2026-11-30T20:00", "2026-12-01T03:00", "2026-12-01T08:59"])
def test_what_is_found_at_night_waits_for_nine(
    database: Database, watch: AppealWatch, clock: Clock, no: str, night: str
) -> None:
    clock.at = at(night)
    assert watch.make_rounds() == 0
    clock.at = at("2026-12-01T09:00")
    assert watch.make_rounds() == 3
    assert watch.make_rounds() == 0
    assert [alarm for alarm, _ in warned(database)] == ["near", "due", "overdue"]


def test_nothing_is_looked_at_before_its_time(
    database: Database, watch: AppealWatch, clock: Clock, no: str
) -> None:
    assert watch.make_rounds() == 0
    clock.at = at("2026-11-27T16:47")
    assert watch.make_rounds() == 0
    clock.at = at("2026-11-27T16:48")
    assert watch.make_rounds() == 1
    with database.reading() as db:
        assert db.scalar(select(Appeal.next_check_at)) == at("2026-11-30T17:00")


def test_an_office_may_warn_earlier(database: Database, clock: Clock, no: str) -> None:
    early = AppealWatch(database, now=clock, near_share=lambda: 0.5)
    clock.at = at("2026-11-26T10:00")
    assert early.make_rounds() == 1


def test_a_paused_clock_warns_nobody_and_an_extended_one_anew(
    database: Database, watch: AppealWatch, clock: Clock, no: str
) -> None:
    with database.session() as db:
        handling.pause(db, no, POWER, PauseReason.SUPERIOR, "", clock())
    clock.at = at("2026-12-11T10:00")
    assert watch.make_rounds() == 0
    with database.session() as db:
        handling.resume(db, no, POWER, clock())
    clock.at = at("2026-12-17T17:48")
    assert watch.make_rounds() == 1
    with database.session() as db:
        handling.ask_extension(db, no, POWER, 5, "设备在途", clock())
        handling.extend(db, no, CENTRE, True, now=clock())
    assert watch.make_rounds() == 0
    live(clock, watch, "2026-12-25T18:00", timedelta(minutes=30))
    assert [alarm for alarm, _ in warned(database)] == ["near", "near", "due"]
    check_chains(database)


def test_a_pause_forgotten_ends_by_itself(
    database: Database, watch: AppealWatch, clock: Clock, lines: list[str], no: str
) -> None:
    with database.session() as db:
        handling.pause(db, no, POWER, PauseReason.SITE_VISIT, "", clock())
    clock.at = at("2026-11-30T10:00")
    assert watch.make_rounds() == 1
    assert [line.partition("：")[2][:5] for line in lines] == ["计时已暂停", "计时已恢复"]
    with database.reading() as db:
        appeal = db.scalars(select(Appeal)).one()
        assert (appeal.pause_reason, appeal.due_at) == (None, at("2026-12-07T18:00"))


def test_an_answer_nobody_reacts_to_closes_by_itself_without_a_survey(
    database: Database, desk: ServiceDesk, watch: AppealWatch, clock: Clock, lines: list[str],
    no: str,
) -> None:  # fmt: skip
    with database.session() as db:
        handling.accept(db, no, POWER, clock())
        handling.answer(db, no, POWER, "已恢复", clock())
    clock.at = at("2026-11-30T18:00")
    assert watch.make_rounds() == 0
    clock.at = at("2026-12-01T09:00")
    assert watch.make_rounds() == 1
    with database.reading() as db:
        appeal = db.scalars(select(Appeal)).one()
        assert (appeal.state, appeal.is_closed_automatically) == (AppealState.CLOSED, True)
        assert (appeal.solved, appeal.next_check_at) == (None, None)
    assert "自动办结" in lines[-1] and "？" not in lines[-1] and len(lines) == 3
    reopened = desk.say_solved("web-1", no, False, "没解决", "m2")
    assert reopened is not None and reopened.state == "reopened"
    check_chains(database)


def test_one_appeal_that_cannot_be_looked_at_does_not_silence_the_others(
    database: Database, desk: ServiceDesk, watch: AppealWatch, clock: Clock, no: str
) -> None:
    desk.file_appeal(draft("m2", "另一件事", "web-2"))
    with database.session() as db:
        broken = select(Appeal.id).where(Appeal.no == no).scalar_subquery()
        db.execute(
            update(AppealEvent)
            .where(AppealEvent.appeal_id == broken, AppealEvent.seq == 1)
            .values(detail={"hours": "?"}),
            execution_options={"synchronize_session": False},
        )
    clock.at = at("2026-12-01T09:00")
    assert watch.make_rounds() == 3


def test_due_dates_counted_without_holidays_are_counted_anew(
    database: Database, desk: ServiceDesk, clock: Clock
) -> None:
    clock.at = datetime(2199, 12, 30, 10, tzinfo=SHANGHAI)
    desk.file_appeal(draft("m1"))
    with database.session() as db:
        db.execute(text("UPDATE appeals SET due_at = '2030-01-01 00:00:00+00:00'"))
    AppealWatch(database, now=clock).recount_provisional()
    check_chains(database)


def test_rows_of_before_the_watch_are_brought_to_their_events(
    database: Database, watch: AppealWatch, clock: Clock, no: str
) -> None:
    """As the migration leaves them: to be looked at, nothing derived yet."""
    with database.session() as db:
        db.execute(
            text(
                "UPDATE appeals SET next_check_at = received_at, clock_budget = 0, clock_since = NULL,"
                " clock_hours = ''"
            )
        )
    assert watch.make_rounds() == 0
    check_chains(database)
    with database.reading() as db:
        assert db.scalar(select(Appeal.next_check_at)) == at("2026-11-27T16:48")


def test_the_scheduler_looks_at_once_and_again_after_a_restart(
    database: Database, clock: Clock, no: str
) -> None:
    clock.at = at("2026-12-01T09:00")
    for _ in range(2):
        watch = AppealWatch(database, now=clock, every_s=0.2)
        watch.start()
        wait_for(lambda: len(warned(database)) == 3)
        watch.stop()
        watch.stop()
    assert len(warned(database)) == 3
    check_chains(database)


def wait_for(done: Callable[[], bool], seconds: float = 30.0) -> None:
    until = wall.monotonic() + seconds
    while not done():
        assert wall.monotonic() < until, "it did not happen"
        wall.sleep(0.05)


def keep_looking(url: str, moment: datetime, is_ready: multiprocessing.synchronize.Event) -> None:
    """Another process of the service: looks until it is killed."""
    database = Database(make_engine(url))
    watch = AppealWatch(database, now=lambda: moment)
    is_ready.set()
    while True:
        watch.make_rounds()


def test_two_processes_and_a_kill_warn_once(
    database: Database, desk: ServiceDesk, clock: Clock
) -> None:
    numbers = [desk.file_appeal(draft(f"m{n}", f"事项{n}", f"web-{n}")).no for n in range(30)]
    url = database.engine.url.render_as_string(hide_password=False)
    context = multiprocessing.get_context("spawn")
    moment = at("2026-12-01T09:00")
    ready = [context.Event() for _ in range(3)]
    processes = [
        context.Process(target=keep_looking, args=(url, moment, each), daemon=True)
        for each in ready
    ]
    for process in processes:
        process.start()
    try:
        assert ready[0].wait(120)
        wait_for(lambda: bool(warned(database)), 120)
        processes[0].kill()
        wait_for(lambda: len(warned(database)) >= 3 * len(numbers), 120)
        for each in ready[1:]:
            assert each.wait(120)
        wall.sleep(0.5)
    finally:
        for process in processes:
            process.kill()
            process.join()
    assert len(warned(database)) == 3 * len(numbers)
    check_chains(database)
    with database.reading() as db:
        for appeal in db.scalars(select(Appeal)):
            told = [e.once for e in events_of(db, appeal) if e.kind is EventKind.WARNED]
            assert told == ["1:near", "1:due", "1:overdue"]
