"""Working minutes on known days, and hours as they are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.appeals.clock import DISTRICT_HOURS, SHANGHAI, Hours
from service.appeals.worktime import (
    after_working,
    instant_of,
    is_calendar_known,
    is_worked,
    minute_of,
    next_worked,
    worked_between,
)


def minute(text: str) -> int:
    return minute_of(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI))


@pytest.mark.parametrize(
    ("start", "end", "worked"),
    [
        ("2026-11-23T09:00", "2026-11-23T18:00", 420),
        ("2026-11-23T11:30", "2026-11-23T14:30", 60),
        ("2026-11-23T12:00", "2026-11-23T14:00", 0),
        ("2026-11-27T17:00", "2026-11-30T10:00", 120),
        ("2026-09-30T17:00", "2026-10-08T10:00", 120),
        ("2026-10-10T08:00", "2026-10-10T20:00", 420),
        ("2026-11-23T18:00", "2026-11-23T09:00", 0),
    ],
)
def test_worked_minutes_between(start: str, end: str, worked: int) -> None:
    assert worked_between(minute(start), minute(end), DISTRICT_HOURS) == worked


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-11-23T10:00", 0, "2026-11-23T10:00"),
        ("2026-11-23T10:00", 120, "2026-11-23T12:00"),
        ("2026-11-23T10:00", 121, "2026-11-23T14:01"),
        ("2026-11-23T10:00", 360, "2026-11-23T18:00"),
        ("2026-11-23T10:00", 361, "2026-11-24T09:01"),
        ("2026-11-28T10:00", 1, "2026-11-30T09:01"),
        ("2026-11-23T19:00", 420, "2026-11-24T18:00"),
    ],
)
def test_after_so_many_worked_minutes(start: str, minutes: int, end: str) -> None:
    assert after_working(minute(start), minutes, DISTRICT_HOURS) == minute(end)


def test_the_next_worked_minute() -> None:
    for given, found in (
        ("2026-11-23T10:00", "2026-11-23T10:00"),
        ("2026-11-23T12:00", "2026-11-23T14:00"),
        ("2026-11-23T18:00", "2026-11-24T09:00"),
        ("2026-11-28T03:00", "2026-11-30T09:00"),
    ):
        assert next_worked(minute(given), DISTRICT_HOURS) == minute(found)
        assert is_worked(minute(found), DISTRICT_HOURS)


def test_an_instant_belongs_to_the_minute_it_falls_in() -> None:
    at = datetime(2026, 11, 23, 2, 0, 59, 999999, UTC)
    assert instant_of(minute_of(at)) == at - timedelta(seconds=59, microseconds=999999)
    assert instant_of(minute_of(at)).utcoffset() == timedelta(hours=8)


def test_unknown_years_are_told() -> None:
    assert is_calendar_known(minute("2025-12-31T10:00"), minute("2026-12-31T10:00"))
    assert not is_calendar_known(minute("2026-12-31T10:00"), minute("2199-01-01T10:00"))


def test_hours_are_read_as_they_are_written() -> None:
    assert Hours.parse("09:00-12:00,14:00-18:00") == DISTRICT_HOURS
    assert str(DISTRICT_HOURS) == "09:00-12:00,14:00-18:00"
    for wrong in (
        "",
        "9-12",
        "09:00",
        "12:00-09:00",
        "09:00-12:00,11:00-18:00",
        "09:00-25:00",
        "a-b",
    ):
        with pytest.raises(ValueError):
            Hours.parse(wrong)
