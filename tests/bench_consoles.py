"""Measures how soon open consoles show a change: ``python -m tests.bench_consoles``.

Many consoles of different members of the staff listen to one real feed over a full desk; visitors write
some messages a second, in this process or (``--apart``) in another. For each change and console the time
from its commit to the refreshed list, counts and open thread counts. The desk keeps what was written.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.console import showing
from service.console.seat import _RECENT_S
from service.conversations import operations
from service.conversations.models import Conversation, Owner
from service.conversations.operations import Backlog, Incoming
from service.conversations.turns import Lease
from service.db import Database, utc_now
from service.handoff import inbox, messages
from service.handoff.board import Board
from service.handoff.context import packet_of
from service.handoff.feed import Changed, StaffFeed
from service.handoff.inbox import InboxPage, View
from service.handoff.thread import thread_of
from service.staff.access import refreshed
from service.staff.permissions import Role, Staff
from tests.desk_load import postgresql_desk, sqlite_desk
from tests.desk_rows import Sizes, token_of

ALLOWED_S = 1.0
_VIEWS = (View.ALL,) * 7 + (View.MINE, View.QUEUED, View.OTHERS)
_Found = TypeVar("_Found")
Listed = tuple[InboxPage, dict[View, int]]


@dataclass(frozen=True)
class Written:
    """A change and when its commit had returned (``time.time``)."""

    conversation_id: str
    revision: int
    at: float


@dataclass
class OpenConsole:
    """One member of the staff before a screen; ``seen`` is (conversation, revision, when shown)."""

    database: Database
    board: Board | None
    staff: Staff
    view: View
    chosen: str | None
    html: bool
    seen: list[tuple[str, int, float]] = field(default_factory=list)
    checked_at: float = 0.0

    async def watch(self, feed: StaffFeed, pool: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        with feed.subscribe() as subscription:
            async for batch in subscription.batches():
                await loop.run_in_executor(pool, self.refresh, batch)
                now = time.time()
                self.seen += [(each.conversation_id, each.revision, now) for each in batch]

    def refresh(self, batch: list[Changed]) -> None:
        """What the inbox does on a change: the open thread if it is concerned, list and counts."""
        touched: tuple[str, ...] = ()
        if any(change.conversation_id == self.chosen for change in batch) and self.chosen:
            touched = (self.chosen,)
            self._read(lambda db: thread_of(db, touched[0], self.staff))
            self._read(lambda db: packet_of(db, touched[0]))
            with self.database.session() as db:
                messages.mark_read(db, self.chosen, self.staff, utc_now())
        page, _counts = self._read(lambda db: self._listed(db, touched))
        if self.html:
            showing.inbox_rows(page.rows, self.chosen, None, self.staff.id)

    def _listed(self, db: Session, touched: tuple[str, ...]) -> Listed:
        if self.board is not None:
            return self.board.page(db, self.staff, self.view, touched=touched)
        return inbox.list_conversations(db, self.staff, self.view), inbox.counts(db, self.staff)

    def _read(self, ask: Callable[[Session], _Found]) -> _Found:
        if time.monotonic() > self.checked_at + _RECENT_S:  # as ``Seat.show_again``
            assert refreshed(self.database, token_of(int(self.staff.id[1:]))) is not None
            self.checked_at = time.monotonic()
        with self.database.reading() as db:
            return ask(db)


def write(database: Database, names: list[str], rate: float, seconds: float) -> Iterator[Written]:
    """Has visitors of these conversations write, so many messages a second."""
    rng, lease = random.Random(), Lease("bench:1", utc_now() + timedelta(seconds=-1))
    began = time.perf_counter()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, began + number / rate - time.perf_counter()))
        name = rng.choice(names)
        said = Incoming(name, uuid4().hex, uuid4().hex, f"请问国高认定怎么申请，第{number}次")
        with database.session() as db:
            operations.record(db, said, lease, Backlog(10**6, 10**6), utc_now())
        at = time.time()
        with database.reading() as db:
            revision = db.scalars(
                select(Conversation.revision).where(Conversation.id == name)
            ).one()
        yield Written(name, revision, at)


def conversations_of(database: Database) -> dict[Owner, list[tuple[str, str | None]]]:
    """Some of each owner's, the last touched first, with who holds them."""
    found = {}
    with database.reading() as db:
        for owner in Owner:
            query = select(Conversation.id, Conversation.owner_staff).where(
                Conversation.owner == owner
            )
            ordered = query.order_by(Conversation.updated_at.desc(), Conversation.id.desc())
            found[owner] = [(name, staff) for name, staff in db.execute(ordered.limit(2000))]
    return found


def consoles_of(
    database: Database, board: Board | None, count: int, html: bool
) -> list[OpenConsole]:
    """Consoles of so many people, most of them with one of their conversations open."""
    held = {staff: name for name, staff in conversations_of(database)[Owner.PERSON]}
    return [
        OpenConsole(
            database, board, Staff(f"s{n + 1}", f"专员{n + 1}", Role.COMMISSIONER),
            _VIEWS[n % len(_VIEWS)], held.get(f"s{n + 1}"), html,
        )
        for n in range(count)
    ]  # fmt: skip


async def run(
    database: Database, consoles: list[OpenConsole], feed: StaffFeed, writing: Callable[[], None]
) -> None:
    """Has the consoles watch while ``writing`` goes on in a thread, and two seconds more."""
    with ThreadPoolExecutor(40) as pool:
        watching = [asyncio.create_task(console.watch(feed, pool)) for console in consoles]
        await asyncio.sleep(0.5)
        await asyncio.to_thread(writing)
        await asyncio.sleep(2)
        await asyncio.to_thread(feed.stop)
        await asyncio.gather(*watching)


def waits(written: list[Written], consoles: list[OpenConsole]) -> list[float]:
    """Seconds from each change to each console's showing it or a later one."""
    found = []
    for console in consoles:
        for each in written:
            shown = [
                at
                for name, revision, at in console.seen
                if name == each.conversation_id and revision >= each.revision
            ]
            found.append(min(shown) - each.at if shown else float("inf"))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=Sizes.messages)
    parser.add_argument("--appeals", type=int, default=Sizes.appeals)
    parser.add_argument("--postgresql", metavar="URL")
    parser.add_argument("--consoles", type=int, default=200)
    parser.add_argument("--rate", type=float, default=5.0, help="changes a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--apart", action="store_true", help="changes come from another process")
    parser.add_argument("--alone", action="store_true", help="each console reads for itself")
    parser.add_argument("--html", action="store_true", help="the rows are also put into HTML")
    parser.add_argument("--minutes", type=float, default=40, help="for filling, at most")
    parser.add_argument("--write-to", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.write_to:
        _write_here(given.write_to, given.rate, given.seconds)
        return
    sizes = Sizes(messages=given.messages, appeals=given.appeals)
    limit = given.minutes * 60
    url = given.postgresql
    database = postgresql_desk(url, sizes, limit) if url else sqlite_desk(sizes, limit)
    board = None if given.alone else Board()
    feed = StaffFeed(database)
    if board is not None:
        feed.before_telling(board.take)
    consoles = consoles_of(database, board, given.consoles, given.html)
    if board is not None:  # as when consoles are opened: long before
        with database.reading() as db:
            board.page(db, consoles[0].staff)
    feed.start()
    written: list[Written] = []

    def writing() -> None:
        there = _elsewhere(database, given) if given.apart else None
        here = write(database, _names(database), given.rate, given.seconds)
        written.extend(there if there is not None else here)

    began, used = time.perf_counter(), time.process_time()
    asyncio.run(run(database, consoles, feed, writing))
    used, took = time.process_time() - used, time.perf_counter() - began
    found = waits(written, consoles)
    parts = statistics.quantiles(found, n=100)
    print(
        f"{database.engine.dialect.name}, {given.consoles} consoles, {len(written)} changes"
        f"{' of another process' if given.apart else ''}{', each alone' if given.alone else ''}"
        f"{', with HTML' if given.html else ''}: p50 {parts[49]:.3f} s, p95 {parts[94]:.3f} s, most {max(found):.3f} s,"
        f" {sum(each > ALLOWED_S for each in found)} of {len(found)} over {ALLOWED_S:.0f} s;"
        f" {used / took:.0%} of one processor, load {os.getloadavg()[0]:.1f}"
    )
    database.close()


def _names(database: Database) -> list[str]:
    of = conversations_of(database)
    return [
        name for owner in (Owner.PERSON, Owner.QUEUED, Owner.BOT) for name, _ in of[owner][:600]
    ]


def _write_here(url: str, rate: float, seconds: float) -> None:
    database = Database.open(url)
    for each in write(database, _names(database), rate, seconds):
        print(json.dumps([each.conversation_id, each.revision, each.at]), flush=True)
    database.close()


def _elsewhere(database: Database, given: argparse.Namespace) -> list[Written]:
    url = database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.bench_consoles", "--write-to", url]
    told = ["--rate", str(given.rate), "--seconds", str(given.seconds)]
    done = subprocess.run(
        [*command, *told], capture_output=True, text=True, check=True, timeout=300
    )
    return [Written(*json.loads(line)) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    main()
