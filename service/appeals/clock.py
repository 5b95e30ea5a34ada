"""Counts Chinese working time: which days and hours are worked, and when an appeal is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, cached_property, lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

import chinese_calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
ANSWER_WITHIN_WORKING_DAYS = 5
"""Handling rule 2 of the district: the responsible department answers within five working days of
receipt.
"""


@dataclass(frozen=True)
class Hours:
    """The hours worked on a working day: ``spans`` of minutes of the day, in order, end excluded."""

    spans: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        edges = [edge for span in self.spans for edge in span]
        if not edges or edges != sorted(set(edges)) or edges[0] < 0 or edges[-1] > 24 * 60:
            raise ValueError(f"hours must be spans in order within one day, got {self.spans}")

    @classmethod
    def parse(cls, text: str) -> Hours:
        """Reads ``09:00-12:00,14:00-18:00``; ``ValueError`` for anything else."""
        return _read_hours(text)

    def __str__(self) -> str:
        return ",".join(f"{_clock_time(start)}-{_clock_time(end)}" for start, end in self.spans)

    @cached_property
    def per_day(self) -> int:
        """Minutes worked on a working day."""
        return sum(end - start for start, end in self.spans)

    @property
    def closing(self) -> int:
        """The minute of the day at which work ends."""
        return self.spans[-1][1]


DISTRICT_HOURS = Hours(((9 * 60, 12 * 60), (14 * 60, 18 * 60)))
"""09:00–12:00 and 14:00–18:00, unless the office is set otherwise."""


@dataclass(frozen=True)
class Due:
    """When something is due: an aware time in Asia/Shanghai.

    ``calendar_known`` is false when a counted day lies in a year whose holidays are not published
    (or not installed) yet; such days were counted Monday to Friday, so the date may move.
    """

    due_at: datetime
    calendar_known: bool


@dataclass(frozen=True)
class Year:
    """The working days of a year: ``before[n]`` of them lie before its day ``n`` (0 is January 1st)."""

    first: int
    before: tuple[int, ...]
    is_known: bool


@cache
def year_of(year: int) -> Year:
    """The working days of a year; Monday to Friday where its holidays are not known."""
    first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
    days = [date.fromordinal(ordinal) for ordinal in range(first, last + 1)]
    try:
        worked, is_known = [bool(chinese_calendar.is_workday(day)) for day in days], True
    except NotImplementedError:
        worked, is_known = [day.weekday() < 5 for day in days], False
    return Year(first, (0, *accumulate(map(int, worked))), is_known)


def shanghai_day(at: datetime) -> date:
    """The calendar day of an aware time in Asia/Shanghai; a naive time raises ``ValueError``."""
    return _local(at).date()


def is_working_day(day: date) -> bool:
    """Whether people in China work on this day; Monday to Friday in an unknown year."""
    year = year_of(day.year)
    index = day.toordinal() - year.first
    return year.before[index + 1] > year.before[index]


def is_working_time(at: datetime, hours: Hours = DISTRICT_HOURS) -> bool:
    """Whether an aware time falls into working hours; 12:00 and 18:00 themselves do not."""
    local = _local(at)
    minute = local.hour * 60 + local.minute
    return is_working_day(local.date()) and any(start <= minute < end for start, end in hours.spans)


def due_after_working_days(
    received_at: datetime, days: int = ANSWER_WITHIN_WORKING_DAYS, hours: Hours = DISTRICT_HOURS
) -> Due:
    """The end of work of the ``days``-th working day after the day of receipt, itself not counted.

    What arrives on a day off or after the end of work counts as received on the next working day.
    ``received_at`` must be aware and ``days`` at least 1, else ``ValueError``.
    """
    if days < 1:
        raise ValueError(f"days must be at least 1, got {days}")
    local = _local(received_at)
    day, one = local.date(), timedelta(days=1)
    end_of_work = (datetime.combine(day, time()) + timedelta(minutes=hours.closing)).replace(
        tzinfo=SHANGHAI
    )
    if local > end_of_work:
        day += one
    known = year_of(day.year).is_known
    left = days if is_working_day(day) else days + 1
    while left:
        day += one
        known &= year_of(day.year).is_known
        left -= is_working_day(day)
    midnight = datetime.combine(day, time(), SHANGHAI)
    return Due(midnight + timedelta(minutes=hours.closing), known)


def _local(at: datetime) -> datetime:
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError(f"an aware time is needed, got {at.isoformat()} without a time zone")
    return at.astimezone(SHANGHAI)


@lru_cache(maxsize=64)
def _read_hours(text: str) -> Hours:
    spans = [tuple(map(_minute_of_day, span.split("-"))) for span in text.split(",")]
    if any(len(span) != 2 for span in spans):
        raise ValueError(f"hours must read 09:00-12:00,14:00-18:00, got {text!r}")
    return Hours(tuple((span[0], span[1]) for span in spans))


def _minute_of_day(text: str) -> int:
    hour, _, minute = text.strip().partition(":")
    if not (len(hour) == 2 and len(minute) == 2 and (hour + minute).isdecimal()):
        raise ValueError(f"a time must read 09:00, got {text!r}")
    return int(hour) * 60 + int(minute)


def _clock_time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
