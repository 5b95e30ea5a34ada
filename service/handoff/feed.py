"""Tells open consoles within a second which conversations have changed, wherever it happened.

The database is the truth: one thread a process looks which conversations have a new ``revision``. A
change made in this process wakes it at once; those of other processes are found by its next look.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from service.conversations.models import Conversation, Owner
from service.db import Database, utc_now

log = structlog.get_logger("qifu.feed")

# A transaction may commit after a later one was seen: rows this much older are compared again.
_OVERLAP = timedelta(seconds=15)
_LEAST_BETWEEN_S = 0.1
_REST_S = 0.25


@dataclass(frozen=True)
class Changed:
    """A conversation with something new for consoles; ``owner`` is who has it now."""

    conversation_id: str
    owner: Owner
    owner_staff: str | None
    revision: int


class FeedSubscription:
    """One console's ear, on its event loop. Changes of one conversation that pile up are one."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pending: dict[str, Changed] = {}
        self._news = asyncio.Event()
        self._is_closed = False

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Where it must be told."""
        return self._loop

    def offer(self, changes: list[Changed]) -> None:
        """Keeps changes until they are taken; called on its loop."""
        for change in changes:
            self._pending[change.conversation_id] = change
        self._news.set()

    def close(self) -> None:
        """Ends ``batches`` after what is pending; called on its loop."""
        self._is_closed = True
        self._news.set()

    async def batches(self) -> AsyncIterator[list[Changed]]:
        """All that changed since the last batch, as soon as there is something.

        Between two batches is a short rest, so that many consoles leave the processor to visitors.
        """
        while True:
            await self._news.wait()
            self._news.clear()
            if self._pending:
                batch, self._pending = list(self._pending.values()), {}
                yield batch
            if self._is_closed:
                return
            await asyncio.sleep(_REST_S)


class StaffFeed:
    """Looks for changes and hands them to every subscription; ``start`` and ``stop`` with the process.

    ``every_s`` is how often it looks unwoken.
    """

    def __init__(
        self, database: Database, every_s: float = 0.25, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._database = database
        self._every_s = every_s
        self._now = now
        self._since = now() - _OVERLAP
        self._known: dict[str, tuple[int, datetime]] = {}
        self._subscriptions: set[FeedSubscription] = set()
        self._first_told: list[Callable[[list[Changed]], None]] = []
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="qifu-feed", daemon=True)

    def start(self) -> None:
        """Begins to look; what happened before is not told."""
        self.look()
        self._database.after_commit(self.wake)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and every subscription."""
        self._is_stopping = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        for loop, group in self._by_loop().items():
            _call(loop, [subscription.close for subscription in group])

    def before_telling(self, tell: Callable[[list[Changed]], None]) -> None:
        """Has ``tell`` called with all news before any subscription hears them; it must be quick."""
        self._first_told.append(tell)

    def wake(self) -> None:
        """Says that something was committed just now; from any thread."""
        self._woken.set()

    @contextmanager
    def subscribe(self) -> Iterator[FeedSubscription]:
        """A subscription for as long as the block lasts; entered on an event loop."""
        subscription = FeedSubscription()
        with self._lock:
            self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            with self._lock:
                self._subscriptions.discard(subscription)

    def look(self) -> list[Changed]:
        """Finds what changed since the last look and tells it; returns it, too."""
        begun = self._now()
        with self._database.reading() as db:
            rows = db.execute(
                select(
                    Conversation.id,
                    Conversation.owner,
                    Conversation.owner_staff,
                    Conversation.revision,
                    Conversation.updated_at,
                ).where(Conversation.owner.in_(list(Owner)), Conversation.updated_at >= self._since)
            ).all()
        news = [
            Changed(name, owner, staff, revision)
            for name, owner, staff, revision, _ in rows
            if self._known.get(name, (-1, begun))[0] != revision
        ]
        for name, _, _, revision, at in rows:
            self._known[name] = (revision, at)
        self._since = begun - _OVERLAP
        self._known = {
            name: known for name, known in self._known.items() if known[1] >= self._since
        }
        if news:
            for tell in self._first_told:
                tell(news)
            for loop, group in self._by_loop().items():
                _call(loop, [subscription.offer for subscription in group], news)
        return news

    def _by_loop(self) -> dict[asyncio.AbstractEventLoop, list[FeedSubscription]]:
        with self._lock:
            grouped = defaultdict(list)
            for subscription in self._subscriptions:
                grouped[subscription.loop].append(subscription)
            return grouped

    def _run(self) -> None:
        while not self._is_stopping:
            self._woken.wait(self._every_s)
            self._woken.clear()
            if self._is_stopping:
                return
            try:
                self.look()
            except Exception:
                log.exception("feed_look_failed")
            time.sleep(_LEAST_BETWEEN_S)  # a busy service is looked at ten times a second, not more


def _call(
    loop: asyncio.AbstractEventLoop, tell: list[Callable[..., None]], *arguments: object
) -> None:
    """One hop to the loop for all of its subscriptions."""

    def tell_all() -> None:
        for each in tell:
            each(*arguments)

    try:
        loop.call_soon_threadsafe(tell_all)
    except RuntimeError:
        return  # the loop closed; its consoles are gone
