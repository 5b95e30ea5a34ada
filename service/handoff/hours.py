"""Says when people answer: whether now, when next, and how long somebody has waited in that time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from service.appeals.clock import SHANGHAI, is_working_day

Spans = tuple[tuple[time, time], ...]
WORKING_HOURS: Spans = ((time(9), time(12)), (time(14), time(18)))
_LONGEST_HOLIDAY_DAYS = 30


@dataclass(frozen=True)
class Rules:
    """How the desk takes conversations; the office's settings, handed in.

    ``wait_minutes`` is how much working time somebody waits before it becomes an appeal; ``spans`` the
    hours of a working day in Asia/Shanghai; who was not seen for ``away_after_s`` counts as away.
    """

    wait_minutes: int = 10
    spans: Spans = WORKING_HOURS
    away_after_s: int = 120

    def hours(self) -> str:
        """The hours in words: ``工作日 9:00–12:00、14:00–18:00``."""
        return "工作日 " + "、".join(f"{_clock(start)}–{_clock(end)}" for start, end in self.spans)


def is_open(at: datetime, rules: Rules) -> bool:
    """Whether an aware time falls into the desk's hours; their ends do not."""
    return any(start <= at < end for start, end in _spans_of(at.astimezone(SHANGHAI).date(), rules))


def next_opening(at: datetime, rules: Rules) -> datetime:
    """When the desk opens next, in Asia/Shanghai; ``at`` itself while it is open."""
    if is_open(at, rules):
        return at.astimezone(SHANGHAI)
    return next(start for start, _ in _spans_from(at, rules) if start >= at)


def minutes_waited(since: datetime, now: datetime, rules: Rules) -> float:
    """Minutes of the desk's hours between two times; what is outside them does not count."""
    waited = timedelta()
    for start, end in _spans_from(since, rules):
        if start >= now:
            break
        waited += max(min(end, now) - max(start, since), timedelta())
    return waited / timedelta(minutes=1)


def has_ended_for_the_day(at: datetime, rules: Rules) -> bool:
    """Whether the desk opens again on another day only; a noon break is not the end."""
    return next_opening(at, rules).date() != at.astimezone(SHANGHAI).date()


def _spans_from(at: datetime, rules: Rules) -> Iterator[tuple[datetime, datetime]]:
    day = at.astimezone(SHANGHAI).date()
    idle_days = 0
    while idle_days <= _LONGEST_HOLIDAY_DAYS:
        spans = _spans_of(day, rules)
        idle_days = 0 if spans else idle_days + 1
        yield from spans
        day += timedelta(days=1)
    raise ValueError(f"no working day within {_LONGEST_HOLIDAY_DAYS} days of {at.isoformat()}")


def _spans_of(day: date, rules: Rules) -> list[tuple[datetime, datetime]]:
    if not is_working_day(day):
        return []
    return [
        (datetime.combine(day, start, SHANGHAI), datetime.combine(day, end, SHANGHAI))
        for start, end in rules.spans
    ]


def _clock(at: time) -> str:
    return f"{at.hour}:{at.minute:02d}"
