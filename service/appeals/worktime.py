"""Adds and measures working time in whole minutes.

A minute is a number: minutes since 1970-01-01 00:00 in Asia/Shanghai, which has kept UTC+8 all the
year round since 1992. An instant belongs to the minute it falls in.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache

from service.appeals.clock import SHANGHAI, Hours, year_of

_DAY = 24 * 60
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_OFFSET_S = 8 * 3600


def minute_of(at: datetime) -> int:
    """The minute an aware instant falls in."""
    return (int(at.timestamp() // 1) + _OFFSET_S) // 60


def instant_of(minute: int) -> datetime:
    """When a minute begins, in Asia/Shanghai."""
    return datetime.fromtimestamp(minute * 60 - _OFFSET_S, UTC).astimezone(SHANGHAI)


def is_worked(minute: int, hours: Hours) -> bool:
    """Whether people work in that minute."""
    day, rest = divmod(minute, _DAY)
    return _is_working(day) and any(start <= rest < end for start, end in hours.spans)


def worked_between(start: int, end: int, hours: Hours) -> int:
    """Minutes worked from ``start`` to ``end``, the latter excluded; 0 when it is not later."""
    return max(0, _worked_before(end, hours) - _worked_before(start, hours))


def after_working(start: int, minutes: int, hours: Hours) -> int:
    """The first minute by which so many minutes were worked since ``start``; 0 gives ``start``.

    Work that fills a day ends at its closing time, not at the next opening.
    """
    if minutes <= 0:
        return start
    day, rest = divmod(start, _DAY)
    # Counted from the opening of the first day, what was worked of it already comes on top.
    left = minutes + (_worked_of_day(rest, hours) if _is_working(day) else 0)
    while True:
        if _is_working(day):
            if left <= hours.per_day:
                return day * _DAY + _minute_after(left, hours)
            left -= hours.per_day
        day += 1


def next_worked(minute: int, hours: Hours) -> int:
    """The minute itself when it is worked, else the first worked one after it."""
    return after_working(minute, 1, hours) - 1


def is_calendar_known(start: int, end: int) -> bool:
    """Whether the holidays of every year from one minute to the other are known."""
    years = range(_date(start // _DAY).year, _date(end // _DAY).year + 1)
    return all(year_of(year).is_known for year in years)


def _worked_before(minute: int, hours: Hours) -> int:
    day, rest = divmod(minute, _DAY)
    today = _worked_of_day(rest, hours) if _is_working(day) else 0
    return _working_days_before(day) * hours.per_day + today


def _worked_of_day(rest: int, hours: Hours) -> int:
    return sum(min(rest, end) - start for start, end in hours.spans if rest > start)


def _minute_after(worked: int, hours: Hours) -> int:
    """The minute of the day by which so many minutes (1 to a day's) were worked."""
    for start, end in hours.spans:
        if worked <= end - start:
            return start + worked
        worked -= end - start
    raise AssertionError("more than a day's work")


def _date(day: int) -> date:
    return date.fromordinal(day + _EPOCH_DAY)


@cache
def _is_working(day: int) -> bool:
    return _working_days_before(day + 1) > _working_days_before(day)


@cache
def _working_days_before(day: int) -> int:
    """Working days from the beginning of 1970 to the day, itself not counted."""
    year = _date(day).year
    return _before_year(year) + year_of(year).before[day + _EPOCH_DAY - year_of(year).first]


@cache
def _before_year(year: int) -> int:
    return sum(year_of(each).before[-1] for each in range(1970, year))
