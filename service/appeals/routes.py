"""Shows an appeal to the person it belongs to and takes what they say to it; for nobody else."""

from __future__ import annotations

import math
import re
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request

from service.appeals.clock import DISTRICT_HOURS, Hours
from service.appeals.operations import AppealNotFound, get_visible
from service.appeals.progress import AppealPage, progress_page
from service.appeals.reactions import Reaction, react
from service.db import Database, utc_now
from service.errors import TooManyRequests, UnknownSession
from service.limits import TokenBuckets, caller

MANY_CALLERS = 0.5
"""What a miss weighs against the appeal alone: twice ten misses an hour from wherever they come."""

REACTIONS_PER_MINUTE = 20

_PHONE = re.compile(r"1\d{10}", re.ASCII)
_LAST_FOUR = re.compile(r"\d{4}", re.ASCII)
_NUMBER = re.compile(r"[A-Z0-9]{1,8}-\d{8}-\d{4,8}", re.ASCII)


class MissCounter:
    """Counts wrong guesses per key in a sliding hour, in memory; oldest keys go first.

    A guess may weigh less than one.
    """

    def __init__(
        self,
        limit: int = 10,
        window_s: float = 3600.0,
        max_keys: int = 20_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit, self._window_s, self._max_keys, self._clock = limit, window_s, max_keys, clock
        self._misses: OrderedDict[str, deque[tuple[float, float]]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, key: str) -> float:
        """Seconds until the key may guess again; 0 when it may now."""
        with self._lock:
            return self._wait_s(key)

    def add(self, key: str, weight: float = 1.0) -> None:
        """Counts one miss."""
        with self._lock:
            self._add(key, weight)

    def take(self, keys: Mapping[str, float], weight: float = 1.0) -> float:
        """Counts a guess on every key before it is made, times the key's own weight.

        The seconds to wait, nothing counted, when one of them may not guess now.
        """
        with self._lock:
            wait_s = max(self._wait_s(key) for key in keys)
            if wait_s <= 0:
                for key, own in keys.items():
                    self._add(key, own * weight)
            return wait_s

    def forgive(self, keys: Iterable[str]) -> None:
        """The last guess was right: it does not count."""
        with self._lock:
            for key in keys:
                times = self._recent(key)
                if times:
                    times.pop()

    def _wait_s(self, key: str) -> float:
        times = self._recent(key)
        if sum(weight for _, weight in times) < self._limit:
            return 0.0
        return times[0][0] + self._window_s - self._clock()

    def _add(self, key: str, weight: float) -> None:
        times = self._recent(key)
        times.append((self._clock(), weight))
        self._misses[key] = times
        self._misses.move_to_end(key)
        while len(self._misses) > self._max_keys:
            self._misses.popitem(last=False)

    def _recent(self, key: str) -> deque[tuple[float, float]]:
        times = self._misses.get(key, deque())
        while times and times[0][0] <= self._clock() - self._window_s:
            times.popleft()
        return times


def appeals_router(
    misses: MissCounter,
    now: Callable[[], datetime] = utc_now,
    hours: Callable[[], Hours] = lambda: DISTRICT_HOURS,
    reactions: TokenBuckets | None = None,
) -> APIRouter:
    """The endpoints of this room; ``request.app.state`` holds ``database`` and ``tokens``.

    Four digits are guessed soon, so ``misses`` must be strict; it counts for the appeal and the
    caller, and for the appeal alone against many callers. ``reactions`` limits what is said to one
    appeal.
    """
    router = APIRouter(tags=["appeals"])
    buckets = reactions or TokenBuckets(REACTIONS_PER_MINUTE)

    @router.get("/api/appeals/{no}")
    def read_appeal(
        request: Request,
        no: str,
        session: str | None = None,
        phone: str | None = None,
        phone_last4: str | None = None,
    ) -> AppealPage:
        """One appeal, with the ``session`` that filed it, or the ``phone`` it carries: in full or
        its last four digits (``phone_last4``).

        404 when it does not exist or belongs to somebody else; 429 after ten wrong guesses an hour.
        """
        opened = _opened(request, misses, no, session, phone, phone_last4)
        return _page(request, opened, now())

    @router.post("/api/appeals/{no}/reaction")
    def react_to(request: Request, no: str, said: Reaction) -> AppealPage:
        """What the requester says to it, with the same proof: ``solved``, ``not_solved`` (with ``text``),
        ``rate`` (``score`` 1 to 5), and with the ``session`` also ``supplement`` (``text``) and ``withdraw``.

        409 when the appeal does not stand so (any more), 403 without the session where it is needed.
        """
        opened = _opened(request, misses, no, said.session, said.phone, said.phone_last4)
        wait_s = buckets.wait_s(opened.no)
        if wait_s > 0:
            raise TooManyRequests("操作太频繁，请稍后再试。", "no", math.ceil(wait_s))
        with _database(request).session() as db:
            react(db, opened.no, opened.owner, said, opened.by_session, now(), hours())
        return _page(request, opened, now())

    return router


@dataclass(frozen=True)
class _Opened:
    """An appeal whose proof was right: the conversation it belongs to, and whether that was the proof."""

    no: str
    owner: str
    by_session: bool


def _opened(
    request: Request,
    misses: MissCounter,
    no: str,
    session: str | None,
    phone: str | None,
    last_four: str | None,
) -> _Opened:
    """``AppealNotFound`` for a wrong proof, ``TooManyRequests`` after too many."""
    number = no.strip().upper()
    keys = {f"{number[:40]} {caller(request) or 'local'}": 1.0, number[:40]: MANY_CALLERS}
    found = _prove(request, number, session=session)
    if found is None:
        # Four digits are guessed a thousand times sooner than eleven.
        weight = 1.0 if last_four is None else 2.0
        wait_s = misses.take(keys, weight)
        if wait_s > 0:
            raise TooManyRequests("查询次数过多，请稍后再试。", "no", math.ceil(wait_s))
        found = _prove(request, number, phone=phone, last_four=last_four)
        if found is not None:
            misses.forgive(keys)
    if found is None:
        raise AppealNotFound("没有找到这个诉求，请核对编号，并用提交时的会话或手机号查询。", "no")
    return found


def _prove(
    request: Request,
    number: str,
    session: str | None = None,
    phone: str | None = None,
    last_four: str | None = None,
) -> _Opened | None:
    """The appeal when the session's token or the phone opens it."""
    owner = None if session is None else _conversation_id(request, session)
    if phone is not None and not _PHONE.fullmatch(phone):
        phone = None
    if last_four is not None and not _LAST_FOUR.fullmatch(last_four):
        last_four = None
    if not _NUMBER.fullmatch(number) or not any((owner, phone, last_four)):
        return None
    with _database(request).reading() as db:
        appeal = get_visible(db, number, owner, phone, last_four)
        return None if appeal is None else _Opened(number, appeal.session, owner is not None)


def _page(request: Request, opened: _Opened, now: datetime) -> AppealPage:
    with _database(request).reading() as db:
        appeal = get_visible(db, opened.no, opened.owner)
        if appeal is None:
            raise AppealNotFound("没有找到这个诉求。", "no")
        return progress_page(db, appeal, now, opened.by_session)


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _conversation_id(request: Request, token: str) -> str | None:
    try:
        return str(request.app.state.tokens.read(token).conversation_id)
    except UnknownSession:
        return None
