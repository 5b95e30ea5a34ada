"""The date state of an item: by its window, its validity and the day, never by who asks."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from knowledge.policy import Status
from knowledge.timing import DateState, timing_of
from knowledge.windows import read_window
from tests.knowledge.samples import policy

WINDOW = "申报期为2026-03-15至2026-04-15"


def state_of(day: str, **values: Any) -> tuple[DateState, int | None]:
    item = policy("TT-001", "奖励", **values)
    timing = timing_of(item, read_window(item.window), date.fromisoformat(day))
    return timing.state, timing.days_left


@pytest.mark.parametrize(
    ("day", "values", "state", "left"),
    [
        ("2026-03-14", {"window": WINDOW}, DateState.UPCOMING, None),
        ("2026-03-15", {"window": WINDOW}, DateState.OPEN, 31),
        ("2026-03-16", {"window": WINDOW}, DateState.CLOSING_SOON, 30),
        ("2026-04-15", {"window": WINDOW}, DateState.CLOSING_SOON, 0),
        ("2026-04-16", {"window": WINDOW}, DateState.CLOSED, None),
        ("2026-03-20", {"window": None}, DateState.UNKNOWN, None),
        ("2026-03-20", {"window": "以通知为准", "valid_to": date(2026, 12, 31)}, DateState.UNKNOWN, None),
        ("2026-03-20", {"window": "全年受理"}, DateState.OPEN, None),
        ("2026-03-20", {"window": "截止日为2026-03-25"}, DateState.CLOSING_SOON, 5),
        ("2026-03-20", {"window": "2026-03-01起受理"}, DateState.UNKNOWN, None),
        ("2026-02-20", {"window": "2026-03-01起受理"}, DateState.UPCOMING, None),
        ("2026-03-20", {"window": WINDOW, "status": Status.EXPIRED}, DateState.EXPIRED, None),
        ("2026-03-20", {"window": WINDOW, "valid_to": date(2026, 3, 19)}, DateState.EXPIRED, None),
        ("2026-03-20", {"window": "全年受理", "valid_from": date(2026, 7, 1)}, DateState.UPCOMING, None),
        ("2026-03-20", {"window": WINDOW, "status": Status.UNKNOWN}, DateState.CLOSING_SOON, 26),
    ],
)  # fmt: skip
def test_state(day: str, values: dict[str, Any], state: DateState, left: int | None) -> None:
    assert state_of(day, **values) == (state, left)


@pytest.mark.parametrize(
    ("day", "state"),
    [
        ("2026-02-01", DateState.UPCOMING),
        ("2026-03-10", DateState.CLOSING_SOON),
        ("2026-06-01", DateState.UPCOMING),
        ("2026-10-01", DateState.CLOSED),
    ],
)
def test_of_several_periods_the_one_that_matters_counts(day: str, state: DateState) -> None:
    assert state_of(day, window="2026-03-01至2026-03-31；2026-09-01至2026-09-30")[0] is state


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2026-03-01", "2026-03-15开始受理，2026-04-15截止"),
        ("2026-03-15", "受理中，2026-04-15截止"),
        ("2026-04-10", "还有5天截止（2026-04-15）"),
        ("2026-04-15", "今天截止（2026-04-15）"),
        ("2026-04-20", "本期已于2026-04-15截止"),
    ],
)
def test_text_says_it_in_words(day: str, said: str) -> None:
    item = policy("TT-001", "奖励", window=WINDOW)
    assert timing_of(item, read_window(WINDOW), date.fromisoformat(day)).text == said


@pytest.mark.parametrize(
    ("values", "is_offered"),
    [
        ({"status": Status.EXPIRED}, False),
        ({"window": WINDOW}, False),
        ({}, True),
        ({"window": "全年受理"}, True),
    ],
)
def test_expired_and_closed_are_no_offer(values: dict[str, Any], is_offered: bool) -> None:
    item = policy("TT-001", "奖励", **values)
    timing = timing_of(item, read_window(item.window), date(2026, 5, 1))
    assert timing.can_be_offered is is_offered
