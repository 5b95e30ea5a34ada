"""Keeps the conversations that consoles show, so that a change is read once, not once a console.

Who waits and who is served are kept whole, of the bot's and the closed ones the newest. What has
changed is marked by the feed and read by the first console that asks; all others find it here.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.conversations.models import Owner
from service.handoff.feed import Changed
from service.handoff.inbox import (
    MAX_PER_PAGE,
    ORDER,
    InboxPage,
    InboxRow,
    View,
    newest_of,
    place_after,
    rows_for_all,
)
from service.handoff.models import ReadMarker
from service.staff.permissions import Staff

_LIVE = (Owner.QUEUED, Owner.PERSON)
_NEWEST_KEPT = 3 * MAX_PER_PAGE
_READ_AT_ONCE = 500
# More changes than these are read anew with everything else.
_MOST_CHANGES = 1000
# Names of enterprises and groups change without a word to the feed.
_KEPT_S = 300.0
_MARKERS_EVERY_S = 0.2
# A marker may be committed after a later one was seen.
_OVERLAP = timedelta(seconds=15)


@dataclass
class _Kept:
    """A conversation, what its visitor said last (``seq``, rising), who has read how far."""

    row: InboxRow
    said: list[int]
    read: dict[str, int]
    _shown: dict[int, InboxRow] = field(default_factory=dict)

    def shown_to(self, staff_id: str) -> InboxRow:
        unread = len(self.said) - bisect_right(self.said, self.read.get(staff_id, 0))
        if unread not in self._shown:
            self._shown[unread] = replace(self.row, unread=unread)
        return self._shown[unread]

    @property
    def newness(self) -> tuple[datetime, str]:
        return self.row.updated_at, self.row.conversation_id


@dataclass(frozen=True)
class _Lists:
    """All that is kept, in the order of the views."""

    queued: list[_Kept]
    persons: list[_Kept]
    of_staff: dict[str, list[_Kept]]
    bot: list[_Kept]
    closed: list[_Kept]

    def of(self, view: View, staff_id: str) -> Iterable[_Kept]:
        if view is View.MINE:
            return self.of_staff.get(staff_id, ())
        if view is View.OTHERS:
            return (each for each in self.persons if each.row.owner_staff != staff_id)
        return {View.QUEUED: self.queued, View.BOT: self.bot, View.CLOSED: self.closed}[view]


class Board:
    """The first page of every view for every console of one process; safe to use from many threads.

    ``take`` is to hear of every change before the consoles do (``StaffFeed.before_telling``).
    """

    def __init__(self, tick: Callable[[], float] = time.monotonic) -> None:
        self._tick = tick
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._floors: dict[Owner, tuple[datetime, str]] = {}
        self._lists: _Lists | None = None
        self._read_until = -1.0
        self._markers_until = -1.0
        self._markers_since: datetime | None = None
        self._marking = threading.Lock()
        self._changed: set[str] = set()

    def take(self, changes: Collection[Changed]) -> None:
        """Notes what has to be read again."""
        with self._marking:
            self._changed.update(change.conversation_id for change in changes)

    def page(
        self,
        db: Session,
        staff: Staff,
        view: View = View.ALL,
        limit: int = 50,
        touched: Collection[str] = (),
    ) -> tuple[InboxPage, dict[View, int]]:
        """The first page of a view and the counts, as ``inbox`` would read them.

        ``touched`` are conversations the reader changed just now, whether the feed told yet or not.
        """
        limit = max(1, min(limit, MAX_PER_PAGE))
        with self._lock:
            lists = self._current(db, touched)
            views = ORDER if view is View.ALL else (view,)
            found = []
            for each in views:
                for kept in lists.of(each, staff.id):
                    found.append((each, kept.shown_to(staff.id)))
                    if len(found) > limit:
                        break
                if len(found) > limit:
                    break
        mine = len(lists.of_staff.get(staff.id, ()))
        counts = {
            View.QUEUED: len(lists.queued),
            View.MINE: mine,
            View.OTHERS: len(lists.persons) - mine,
        }
        after = place_after(*found[limit - 1]) if len(found) > limit else None
        return InboxPage([row for _, row in found[:limit]], after), counts

    def _current(self, db: Session, touched: Collection[str]) -> _Lists:
        with self._marking:
            changed, self._changed = self._changed, set()
        try:
            if self._tick() >= self._read_until or len(changed) > _MOST_CHANGES:
                self._read_all(db)
            elif changed or touched:
                self._read_again(db, changed.union(touched))
            if self._tick() >= self._markers_until:
                self._read_markers(db)
        except BaseException:
            with self._marking:
                self._changed |= changed.union(touched)
            raise
        if self._lists is None:
            self._lists = _in_order(self._kept.values())
        return self._lists

    def _read_all(self, db: Session) -> None:
        self._kept, self._floors, self._lists = {}, {}, None
        self._markers_since = db.scalar(select(func.max(ReadMarker.at)))
        for owner in Owner:
            self._fill(db, owner)
        self._read_until = self._tick() + _KEPT_S

    def _fill(self, db: Session, owner: Owner) -> None:
        """Reads all that somebody owns, or the newest of it."""
        if owner in _LIVE:
            self._keep(db, newest_of(db, owner, None))
            return
        names = newest_of(db, owner, _NEWEST_KEPT + 1)
        self._floors.pop(owner, None)
        self._keep(db, names[:_NEWEST_KEPT])
        if len(names) > _NEWEST_KEPT and names[_NEWEST_KEPT - 1] in self._kept:
            self._floors[owner] = self._kept[names[_NEWEST_KEPT - 1]].newness

    def _read_again(self, db: Session, names: Collection[str]) -> None:
        for name in names:
            self._kept.pop(name, None)
        self._keep(db, list(names))
        for owner, floor in list(self._floors.items()):
            mine = sorted(
                (each.newness for each in self._kept.values() if each.row.owner == owner),
                reverse=True,
            )
            if len(mine) <= MAX_PER_PAGE:
                self._fill(db, owner)
            elif len(mine) > 2 * _NEWEST_KEPT:
                for _, name in mine[_NEWEST_KEPT:]:
                    del self._kept[name]
                floor = mine[_NEWEST_KEPT - 1]
                self._floors[owner] = floor

    def _keep(self, db: Session, names: Sequence[str]) -> None:
        self._lists = None
        for start in range(0, len(names), _READ_AT_ONCE):
            some = names[start : start + _READ_AT_ONCE]
            readers: defaultdict[str, dict[str, int]] = defaultdict(dict)
            markers = select(ReadMarker.conversation_id, ReadMarker.staff_id, ReadMarker.seq)
            for name, staff, seq in db.execute(markers.where(ReadMarker.conversation_id.in_(some))):
                readers[name][staff] = seq
            for row, said in rows_for_all(db, some):
                kept = _Kept(row, said, readers[row.conversation_id])
                floor = self._floors.get(row.owner)
                if floor is None or kept.newness >= floor:
                    self._kept[row.conversation_id] = kept

    def _read_markers(self, db: Session) -> None:
        """What anybody has read meanwhile, in this process or another."""
        query = select(
            ReadMarker.conversation_id, ReadMarker.staff_id, ReadMarker.seq, ReadMarker.at
        )
        if self._markers_since is not None:
            query = query.where(ReadMarker.at >= self._markers_since - _OVERLAP)
        for name, staff, seq, at in db.execute(query):
            if name in self._kept:
                self._kept[name].read[staff] = seq
            if self._markers_since is None or at > self._markers_since:
                self._markers_since = at
        self._markers_until = self._tick() + _MARKERS_EVERY_S


def _in_order(kept: Iterable[_Kept]) -> _Lists:
    by_owner: dict[Owner, list[_Kept]] = {owner: [] for owner in Owner}
    for each in kept:
        by_owner[each.row.owner].append(each)
    for owner in (Owner.PERSON, Owner.BOT, Owner.CLOSED):
        by_owner[owner].sort(key=lambda each: each.newness, reverse=True)
    by_owner[Owner.QUEUED].sort(key=_waiting)
    of_staff: defaultdict[str, list[_Kept]] = defaultdict(list)
    for each in by_owner[Owner.PERSON]:
        if each.row.owner_staff is not None:
            of_staff[each.row.owner_staff].append(each)
    return _Lists(
        by_owner[Owner.QUEUED], by_owner[Owner.PERSON], dict(of_staff), by_owner[Owner.BOT],
        by_owner[Owner.CLOSED],
    )  # fmt: skip


def _waiting(each: _Kept) -> tuple[datetime, str]:
    return each.row.since or each.row.updated_at, each.row.conversation_id
