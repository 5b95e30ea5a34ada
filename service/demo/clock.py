"""Lets the demo happen in the past: a clock that can be set, and working time counted backwards."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from service.appeals.clock import Hours
from service.appeals.worktime import after_working, instant_of, minute_of, worked_between
from service.db import utc_now

_FURTHEST_BACK = timedelta(days=120)


class SetClock:
    """Tells the present moment, or the one it is set to. To be set only before the product serves."""

    def __init__(self) -> None:
        self._set_to: datetime | None = None

    def __call__(self) -> datetime:
        return self._set_to or utc_now()

    @contextmanager
    def at(self, moment: datetime) -> Iterator[datetime]:
        """Whatever happens inside happens at this moment."""
        before, self._set_to = self._set_to, moment
        try:
            yield moment
        finally:
            self._set_to = before


class WorkingDays:
    """Counts working days of the office's hours from one moment, back and on."""

    def __init__(self, now: datetime, hours: Hours) -> None:
        self._now, self._hours = now, hours

    def ago(self, days: float) -> datetime:
        """The last worked minute with so many working days (parts too) between it and now."""
        wanted, end = max(1, self._minutes(days)), minute_of(self._now)
        minutes = range(minute_of(self._now - _FURTHEST_BACK), end)
        place = bisect_right(
            minutes, -wanted, key=lambda minute: -worked_between(minute, end, self._hours)
        )
        return instant_of(minutes[place - 1])

    def later(self, moment: datetime, days: float) -> datetime:
        """So many working days after a moment, not later than now."""
        minute = after_working(minute_of(moment), max(1, self._minutes(days)), self._hours)
        return min(instant_of(minute), self._now)

    def _minutes(self, days: float) -> int:
        return round(days * self._hours.per_day)
