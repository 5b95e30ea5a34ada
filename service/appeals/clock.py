"""Counts Chinese working time: which days and hours are worked, and when an appeal is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
WORKING_HOURS = ((time(9), time(12)), (time(14), time(18)))
END_OF_DAY = WORKING_HOURS[-1][1]
ANSWER_WITHIN_WORKING_DAYS = 5
"""Handling rule 2 of the district: the responsible department answers within five working days of
receipt.
"""


@dataclass(frozen=True)
class Due:
    """When something is due: an aware time in Asia/Shanghai.

    ``calendar_known`` is false when a counted day lies in a year whose holidays are not published
    (or not installed) yet; such days were counted Monday to Friday, so the date may move.
    """

    due_at: datetime
    calendar_known: bool


def shanghai_day(at: datetime) -> date:
    """The calendar day of an aware time in Asia/Shanghai; a naive time raises ``ValueError``."""
    return _local(at).date()


def is_working_day(day: date) -> bool:
    """Whether people in China work on this day; Monday to Friday in an unknown year."""
    return _working_day(day)[0]


def is_working_time(at: datetime) -> bool:
    """Whether an aware time falls into working hours; 12:00 and 18:00 themselves do not."""
    local = _local(at)
    if not is_working_day(local.date()):
        return False
    return any(start <= local.time() < end for start, end in WORKING_HOURS)


def due_after_working_days(received_at: datetime, days: int = ANSWER_WITHIN_WORKING_DAYS) -> Due:
    """18:00 of the ``days``-th working day after the day of receipt, which itself is not counted.

    What arrives on a day off or after 18:00 counts as received on the next working day.
    ``received_at`` must be aware and ``days`` at least 1, else ``ValueError``.
    """
    if days < 1:
        raise ValueError(f"days must be at least 1, got {days}")
    local = _local(received_at)
    day, known = local.date(), True
    if local.time() > END_OF_DAY:
        day += timedelta(days=1)
    worked, sure = _working_day(day)
    known &= sure
    left = days if worked else days + 1
    while left:
        day += timedelta(days=1)
        worked, sure = _working_day(day)
        known &= sure
        left -= worked
    return Due(datetime.combine(day, END_OF_DAY, SHANGHAI), known)


def _working_day(day: date) -> tuple[bool, bool]:
    """Whether the day is worked, and whether the calendar of its year is known."""
    try:
        return bool(chinese_calendar.is_workday(day)), True
    except NotImplementedError:
        return day.weekday() < 5, False


def _local(at: datetime) -> datetime:
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError(f"an aware time is needed, got {at.isoformat()} without a time zone")
    return at.astimezone(SHANGHAI)
