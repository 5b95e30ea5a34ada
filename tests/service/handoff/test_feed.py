"""Consoles hear of every change within a second, also of another process's, and cheaply."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from service.conversations.models import Owner
from service.db import Database, utc_now
from service.handoff import messages, taking
from service.handoff.feed import Changed, FeedSubscription, StaffFeed
from tests.service.handoff.conftest import LI, Counter


@pytest.fixture
def feed(database: Database) -> Iterator[StaffFeed]:
    feed = StaffFeed(database)
    feed.start()
    yield feed
    feed.stop()


async def next_batch(subscription: FeedSubscription) -> list[Changed]:
    async with asyncio.timeout(5):
        async for batch in subscription.batches():
            return batch
    raise AssertionError("the feed ended")


@pytest.mark.asyncio
async def test_each_kind_of_change_is_heard(database: Database, feed: StaffFeed) -> None:
    counter = Counter(database, now=utc_now())
    with feed.subscribe() as heard:
        claim = (await asyncio.to_thread(counter.say, "你好")).claim
        (change,) = await next_batch(heard)
        assert (change.conversation_id, change.owner) == ("web-a", Owner.BOT)
        for step in (
            lambda: counter.finish(claim),
            lambda: counter.run(taking.claim, LI),
            lambda: counter.run(messages.send, LI, "您好", "c1"),
            lambda: counter.run(messages.add_note, LI, "备注", "n1"),
            lambda: counter.run(taking.release, LI),
        ):
            counter.now = utc_now()
            await asyncio.to_thread(step)
            (news,) = await next_batch(heard)
            assert news.revision > change.revision
            change = news


@pytest.mark.asyncio
async def test_changes_of_another_process_are_found(database: Database, feed: StaffFeed) -> None:
    other = Database(database.engine)  # its commits wake nobody here
    counter = Counter(other, now=utc_now())
    with feed.subscribe() as heard:
        begun = time.monotonic()
        await asyncio.to_thread(counter.say, "你好")
        await next_batch(heard)
        assert time.monotonic() - begun < 4


@pytest.mark.asyncio
async def test_two_hundred_consoles_hear_one_look(database: Database, feed: StaffFeed) -> None:
    counter = Counter(database, now=utc_now())
    subscriptions = [feed.subscribe() for _ in range(200)]
    heard = [each.__enter__() for each in subscriptions]
    await asyncio.to_thread(counter.say, "你好")
    batches = await asyncio.gather(*(next_batch(each) for each in heard))
    assert {batch[0].conversation_id for batch in batches} == {"web-a"}
    for each in subscriptions:
        each.__exit__(None, None, None)


@pytest.mark.asyncio
async def test_a_slow_console_gets_the_newest_of_each_conversation(database: Database) -> None:
    feed = StaffFeed(database)
    with feed.subscribe() as heard:
        for name in ("a", "b"):
            counter = Counter(database, name, now=utc_now())
            for _ in range(3):
                await asyncio.to_thread(counter.say, "你好")
                await asyncio.to_thread(feed.look)
        await asyncio.sleep(0)
        batch = await next_batch(heard)
    assert sorted(change.conversation_id for change in batch) == ["a", "b"]


@pytest.mark.asyncio
async def test_the_end_of_the_feed_ends_the_consoles(database: Database) -> None:
    feed = StaffFeed(database)
    feed.start()
    with feed.subscribe() as heard:
        await asyncio.to_thread(feed.stop)
        async with asyncio.timeout(5):
            assert [batch async for batch in heard.batches()] == []


def test_nothing_new_tells_nothing(database: Database) -> None:
    feed = StaffFeed(database)
    Counter(database, now=utc_now()).say("你好")
    assert len(feed.look()) == 1
    assert feed.look() == []


def test_a_commit_that_comes_late_is_not_missed(database: Database) -> None:
    feed = StaffFeed(database)
    Counter(database, "new", now=utc_now()).say("你好")
    feed.look()
    Counter(database, "late", now=utc_now().replace(microsecond=0)).say("稍早开始，现在才提交")
    assert [change.conversation_id for change in feed.look()] == ["late"]
