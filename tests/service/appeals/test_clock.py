"""Working time: known dates of 2026, the year nobody has published yet, and a slow oracle."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.appeals.clock import (
    SHANGHAI,
    due_after_working_days,
    is_working_day,
    is_working_time,
    shanghai_day,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("received", "due"),
    [
        pytest.param("2026-11-23T10:00", "2026-11-30T18:00", id="monday morning"),
        pytest.param(
            "2026-11-23T07:00", "2026-11-30T18:00", id="before the doors open is the same day"
        ),
        pytest.param("2026-11-23T13:00", "2026-11-30T18:00", id="lunch break is the same day"),
        pytest.param(
            "2026-11-23T18:00", "2026-11-30T18:00", id="closing time is still the same day"
        ),
        pytest.param(
            "2026-11-23T18:01", "2026-12-01T18:00", id="after closing time is the next day"
        ),
        pytest.param("2026-11-27T18:01", "2026-12-07T18:00", id="friday evening is monday"),
        pytest.param("2026-11-28T10:00", "2026-12-07T18:00", id="saturday is monday"),
        pytest.param("2026-11-29T23:59", "2026-12-07T18:00", id="sunday is monday"),
        pytest.param(
            "2026-09-30T10:00", "2026-10-13T18:00", id="national day and its make-up saturday"
        ),
        pytest.param("2026-10-03T10:00", "2026-10-14T18:00", id="received inside national day"),
        pytest.param(
            "2026-02-13T10:00", "2026-02-27T18:00", id="spring festival, make-up saturday before"
        ),
        pytest.param(
            "2026-02-14T10:00", "2026-02-28T18:00", id="received and due on make-up saturdays"
        ),
    ],
)
def test_due_on_known_dates(received: str, due: str) -> None:
    got = due_after_working_days(at(received))
    assert (got.due_at, got.calendar_known) == (at(due), True)


def test_due_reaching_an_unpublished_year_counts_weekdays_and_says_so() -> None:
    got = due_after_working_days(datetime(2199, 12, 30, 2, tzinfo=UTC))
    assert got.due_at == at("2200-01-06T18:00")
    assert not got.calendar_known


def test_due_crossing_from_the_last_known_year_says_so() -> None:
    last = max(chinese_calendar.holidays).year
    assert due_after_working_days(at(f"{last}-12-01T10:00")).calendar_known
    assert not due_after_working_days(at(f"{last}-12-30T10:00")).calendar_known


def test_utc_time_is_read_as_shanghai_time() -> None:
    late_in_utc = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
    assert shanghai_day(late_in_utc) == date(2026, 11, 23)
    assert due_after_working_days(late_in_utc).due_at == at("2026-11-30T18:00")


def test_naive_time_and_zero_days_are_refused() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        due_after_working_days(datetime(2026, 11, 23, 10))
    with pytest.raises(ValueError, match="at least 1"):
        due_after_working_days(at("2026-11-23T10:00"), days=0)


@pytest.mark.parametrize(
    ("moment", "working"),
    [
        ("2026-11-23T08:59", False),
        ("2026-11-23T09:00", True),
        ("2026-11-23T11:59", True),
        ("2026-11-23T12:00", False),
        ("2026-11-23T13:59", False),
        ("2026-11-23T14:00", True),
        ("2026-11-23T17:59", True),
        ("2026-11-23T18:00", False),
        ("2026-11-22T10:00", False),
        ("2026-10-10T10:00", True),
        ("2026-10-05T10:00", False),
    ],
)
def test_working_time(moment: str, working: bool) -> None:
    assert is_working_time(at(moment)) is working


def oracle(received_at: datetime, days: int) -> datetime:
    """Lists every working day from receipt on, the slow way, and takes the one asked for."""
    local = received_at.astimezone(SHANGHAI)
    following = [local.date() + timedelta(days=n) for n in range(days * 3 + 30)]
    if local.time() > time(18):
        following = following[1:]
    working = [day for day in following if is_working_day(day)]
    return datetime.combine(working[days], time(18), SHANGHAI)


@settings(max_examples=300, deadline=None)
@given(
    received_at=st.datetimes(
        min_value=datetime(2004, 1, 1), max_value=datetime(2030, 12, 31), timezones=st.just(UTC)
    ),
    days=st.integers(1, 40),
)
def test_due_agrees_with_a_day_by_day_oracle(received_at: datetime, days: int) -> None:
    due = due_after_working_days(received_at, days)
    assert due.due_at == oracle(received_at, days)
    assert is_working_day(due.due_at.date())
    assert due.due_at > received_at
