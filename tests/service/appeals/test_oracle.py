"""The clock against a slow oracle: a list of every worked minute, made minute by minute."""

from __future__ import annotations

import random
import time as wall
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import chinese_calendar
import numpy as np
import pytest

from service.appeals.derived import derive
from service.appeals.ladder import Alarm, due_rungs, next_check
from service.appeals.models import AppealState, EventKind
from service.appeals.worktime import minute_of

HISTORIES = 100_000
FIRST, LAST = date(2025, 1, 1), date(2026, 12, 31)
ZERO = datetime(2025, 1, 1, tzinfo=UTC) - timedelta(hours=8)
HOURS = (
    ("09:00-12:00,14:00-18:00", ((9, 12), (14, 18))),
    ("08:30-12:00,13:30-17:30", ((8.5, 12), (13.5, 17.5))),
)


@dataclass(frozen=True)
class Event:
    """A made-up event."""

    kind: EventKind
    at: datetime
    to_state: AppealState | None = None
    note: str | None = None
    detail: dict[str, Any] | None = None


def walked(hours: tuple[tuple[float, float], ...]) -> tuple[list[int], list[int]]:
    """Every worked minute, counted from ZERO, and the closing minutes of all working days."""
    worked, closings = [], []
    (m0, m1), (a0, a1) = hours
    for day in range((LAST - FIRST).days + 1):
        if not chinese_calendar.is_workday(FIRST + timedelta(days=day)):
            continue
        for minute in range(24 * 60):
            if m0 * 60 <= minute < m1 * 60 or a0 * 60 <= minute < a1 * 60:
                worked.append(day * 1440 + minute)
        closings.append(day * 1440 + int(hours[-1][1] * 60))
    return worked, closings


class Oracle:
    """What a clerk with a list of all worked minutes would say."""

    def __init__(self, hours: tuple[tuple[float, float], ...]) -> None:
        worked, closings = walked(hours)
        self.listed, self.closings = worked, closings
        self.is_worked = np.zeros(((LAST - FIRST).days + 1) * 1440, dtype=bool)
        self.is_worked[worked] = True
        self.per_day = len(worked) // len(closings)

    def promised(self, start: int, days: int) -> int:
        """Worked minutes from ``start`` to closing time of the ``days``-th working day after it."""
        first = bisect_left(self.closings, start)
        due = self.closings[first]
        is_day_of_receipt = due // 1440 == start // 1440
        # On a day off, or after closing, the next working day counts as the day of receipt.
        due = self.closings[first + days]
        assert is_day_of_receipt or due // 1440 > start // 1440
        return self.count(start, due)

    def count(self, start: int, end: int) -> int:
        return self.rank(end) - self.rank(start)

    def rank(self, minute: int) -> int:
        """How many minutes of the list lie before it."""
        return bisect_left(self.listed, minute)

    def nth(self, running: list[tuple[int, int]], n: int) -> int | None:
        """The ``n``-th worked minute (from 1) during which the clock ran; ``None`` when it had fewer."""
        for start, end in running:
            first, last = self.rank(start), self.rank(end)
            if n <= last - first:
                return self.listed[first + n - 1]
            n -= last - first
        return None


FOREVER = 10**9


@dataclass
class Expected:
    """What must hold after a history: minute numbers count from ZERO."""

    budget: int
    used: int
    due: int
    warned: dict[str, int]


def moment(minute: int, rng: random.Random) -> datetime:
    return ZERO + timedelta(minutes=minute, seconds=rng.randrange(60))


def made_up(rng: random.Random, oracle: Oracle, hours: str) -> tuple[list[Event], Expected]:
    """A random history, and the oracle's word on it, from the list of worked minutes alone."""
    at, days = rng.randrange(0, 480 * 1440), rng.randint(1, 8)
    # Spent exactly on the second: the day of receipt ends with the closing minute itself.
    events = [
        Event(
            EventKind.MOVED, ZERO + timedelta(minutes=at), AppealState.FILED, None,
            {"days": days, "hours": hours},
        )
    ]  # fmt: skip
    running: list[tuple[int, int]] = []
    budget, since = oracle.promised(at, days), at
    is_paused = is_answered = False
    for _ in range(rng.randrange(9)):
        at += rng.choice((0, rng.randrange(600), rng.randrange(4 * 1440)))
        step = rng.random()
        if is_answered:
            events.append(
                Event(
                    EventKind.MOVED, ZERO + timedelta(minutes=at), AppealState.REOPENED, "没解决",
                    {"days": 2, "hours": hours},
                )
            )  # fmt: skip
            budget, running, since, is_answered = oracle.promised(at, 2), [], at, False
        elif is_paused and step < 0.7:
            events.append(Event(EventKind.RESUMED, moment(at, rng)))
            since, is_paused = at, False
        elif step < 0.45 and not is_paused:
            detail = {"reason": "superior"}
            events.append(Event(EventKind.PAUSED, moment(at, rng), detail=detail))
            running.append((since, at))
            is_paused = True
        elif step < 0.7:
            more = rng.randint(1, 5)
            events.append(Event(EventKind.EXTENDED, moment(at, rng), detail={"days": more}))
            budget += more * oracle.per_day
        elif step < 0.8:
            events.append(Event(EventKind.NOTED, moment(at, rng), note="…"))
        elif not is_paused:
            to = rng.choice((AppealState.ANSWERED, AppealState.EXPLAINED))
            events.append(Event(EventKind.MOVED, moment(at, rng), to, "答复"))
            running.append((since, at))
            is_answered = True
    still = is_paused or is_answered
    used = sum(oracle.count(start, end) for start, end in running)
    # While it stands still, the due date is told as if it ran on from where it stopped.
    ahead = [*running, (running[-1][1] if still else since, FOREVER)]
    due = oracle.nth(ahead, budget)
    assert due is not None
    known = running if still else ahead
    warned = {}
    for alarm, needed in thresholds(budget, oracle.per_day).items():
        last = None if is_answered else oracle.nth(known, needed)
        if last is not None:
            warned[alarm] = oracle.listed[oracle.rank(last + 1)]
    return events, Expected(budget, used, due + 1, warned)


def thresholds(budget: int, per_day: int) -> dict[str, int]:
    eighty = max(1, -(-budget * 4 // 5))
    return {
        "near": eighty,
        "due": max(eighty, budget - 60),
        "overdue": budget,
        "district": budget + per_day,
    }


def probe_at(rng: random.Random, expected: Expected) -> int:
    """A minute to look at: that of a warning, the one before, or any other."""
    told = list(expected.warned.values())
    return rng.choice(told) - rng.randrange(2) if told else expected.due + rng.randrange(5000)


@pytest.mark.timeout(600)
def test_a_hundred_thousand_random_histories_equal_the_oracle() -> None:
    rng, began = random.Random(20261123), wall.perf_counter()
    oracles = [(text, Oracle(spans)) for text, spans in HOURS]
    zero = minute_of(ZERO)
    outside = 0
    for number in range(HISTORIES):
        hours, oracle = oracles[number % 2]
        events, expected = made_up(rng, oracle, hours)
        now = derive(events)
        got = (now.clock.budget, now.clock.used, now.clock.due - zero)
        assert got == (expected.budget, expected.used, expected.due), (number, events)
        probe = probe_at(rng, expected)
        told = {str(rung.alarm) for rung in due_rungs(now, probe + zero)}
        assert told == {a for a, at in expected.warned.items() if at <= probe}, (number, events)
        first = next_check(now)
        if first is not None:
            at = minute_of(first) - zero
            assert not expected.warned or at <= min(expected.warned.values())
            outside += not oracle.is_worked[at]
    assert outside == 0
    print(f"{HISTORIES} histories in {wall.perf_counter() - began:.1f} s")


def test_the_ladder_is_climbed_from_the_bottom() -> None:
    for budget in (300, 840, 2100, 5000):
        steps = thresholds(budget, 420)
        assert list(steps.values()) == sorted(steps.values())
        assert list(steps) == [str(alarm) for alarm in Alarm]
