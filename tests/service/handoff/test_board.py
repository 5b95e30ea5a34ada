"""The list kept for all consoles says at any time what the database would say."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import event

from service.conversations.models import Owner
from service.db import Database
from service.enterprises.models import Enterprise
from service.enterprises.speakers import bind
from service.handoff import board as module
from service.handoff import inbox, messages, taking
from service.handoff.board import Board
from service.handoff.feed import StaffFeed
from service.handoff.inbox import InboxPage, View
from service.staff.permissions import Staff
from tests.service.handoff.conftest import LI, MONDAY, WANG, Counter
from tests.service.handoff.world import EVENTS, STAFF, World

Kept = tuple[InboxPage, dict[View, int]]


class Desk:
    """A board that hears of every change, on a clock that stands still unless it is moved."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.seconds = 0.0
        self.board = Board(tick=lambda: self.seconds)
        self.feed = StaffFeed(database, now=lambda: MONDAY)
        self.feed.before_telling(self.board.take)

    def kept(
        self, staff: Staff = LI, view: View = View.ALL, limit: int = 50, *touched: str
    ) -> Kept:
        with self.database.reading() as db:
            return self.board.page(db, staff, view, limit, touched)

    def names(self, staff: Staff = LI, view: View = View.ALL) -> list[str]:
        return [row.conversation_id for row in self.kept(staff, view)[0].rows]

    def check(self, limit: int = 50) -> None:
        """Everybody's every view is as read by themselves."""
        self.feed.look()
        self.seconds += 1
        for staff in STAFF:
            for view in View:
                with self.database.reading() as db:
                    page = inbox.list_conversations(db, staff, view, limit=limit)
                    counts = inbox.counts(db, staff)
                assert self.kept(staff, view, limit) == (page, counts), (staff.id, view)


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


@pytest.mark.parametrize("seed", [1, 2])
def test_after_any_event_it_is_what_the_database_says(
    database: Database, desk: Desk, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Few are kept beyond a page, so that lists run empty and over.
    monkeypatch.setattr(module, "_NEWEST_KEPT", 4)
    monkeypatch.setattr(module, "MAX_PER_PAGE", 3)
    rng = random.Random(seed)
    world = World(database, tuple(f"w{n}" for n in range(14)))
    for number in range(160):
        name = rng.choice(world.conversations)
        world.step(rng.choice(EVENTS), name, rng.choice(STAFF))
        if rng.random() < 0.2 and name in world.said:
            with database.session() as db:
                messages.mark_read(db, name, rng.choice(STAFF), world.now)
        if number % 8 == 7:
            desk.check(limit=2)
    desk.check(limit=3)


def test_a_change_is_read_once_for_all(database: Database, desk: Desk) -> None:
    for name in ("a", "b"):
        Counter(database, name).say("你好")
    desk.kept()
    Counter(database, "b", MONDAY + timedelta(minutes=1)).say("在吗")
    desk.feed.look()
    asked: list[str] = []
    event.listen(
        database.engine, "before_cursor_execute", lambda _c, _cursor, said, *_: asked.append(said)
    )
    assert desk.names() == ["b", "a"]
    first = len(asked)
    assert 0 < first <= 4
    for staff in STAFF:
        assert desk.names(staff) == ["b", "a"]
    assert len(asked) == first


def test_what_is_read_counts_at_once_for_the_reader_and_soon_from_elsewhere(
    database: Database, desk: Desk
) -> None:
    Counter(database).say("你好")
    assert [row.unread for row in desk.kept()[0].rows] == [1]
    with database.session() as db:
        messages.mark_read(db, "web-a", LI, MONDAY)
    assert [row.unread for row in desk.kept(LI, View.ALL, 50, "web-a")[0].rows] == [0]
    assert [row.unread for row in desk.kept(WANG)[0].rows] == [1]
    with database.session() as db:
        messages.mark_read(db, "web-a", WANG, MONDAY)
    desk.seconds += 1
    assert [row.unread for row in desk.kept(WANG)[0].rows] == [0]


def test_own_changes_show_before_the_feed_tells(database: Database, desk: Desk) -> None:
    counter = Counter(database)
    counter.ask_for_person()
    assert desk.names(LI, View.QUEUED) == ["web-a"]
    counter.run(taking.claim, LI)
    assert desk.kept(LI, View.MINE, 50, "web-a")[0].rows[0].owner is Owner.PERSON
    assert desk.names(LI, View.QUEUED) == []


def test_names_that_change_silently_show_after_a_while(database: Database, desk: Desk) -> None:
    Counter(database).say("你好")
    assert desk.kept()[0].rows[0].enterprise is None
    with database.session() as db:
        enterprise = Enterprise(credit_code="91440300MA5EXAMPL0", name="云帆", name_key="云帆")
        db.add(enterprise)
        db.flush()
        bind(db, "web-a", enterprise, "li")
    desk.seconds += 301
    assert desk.kept()[0].rows[0].enterprise == "云帆"


def test_changes_are_not_lost_when_the_database_fails(database: Database, desk: Desk) -> None:
    Counter(database).say("你好")
    desk.kept()
    Counter(database, "web-b").say("在吗")
    desk.feed.look()
    with pytest.raises(AttributeError):
        desk.board.page(None, LI)  # type: ignore[arg-type]
    assert sorted(desk.names()) == ["web-a", "web-b"]


def test_the_next_page_follows_the_kept_one(database: Database, desk: Desk) -> None:
    for number in range(7):
        Counter(database, f"c{number}", MONDAY + timedelta(minutes=number)).say("你好")
    page, _ = desk.kept(LI, View.ALL, 3)
    with database.reading() as db:
        rest = inbox.list_conversations(db, LI, after=page.after)
    names = [row.conversation_id for row in (*page.rows, *rest.rows)]
    assert names == [f"c{number}" for number in reversed(range(7))]
