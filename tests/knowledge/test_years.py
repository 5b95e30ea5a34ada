"""For which years a record speaks."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from knowledge.years import covers_year, years_told
from tests.knowledge.samples import policy


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"title": "某支持（2020年口径）", "window": "2022年度受理"}, (2020,)),
        ({"window": "受理期为2022-07-27至2022-11-30"}, (2022,)),
        ({"note": "标准为2022年度口径"}, (2022,)),
        ({"note": "辅导须在2021年内完成"}, ()),
        ({}, ()),
    ],
)
def test_years_told(values: dict[str, Any], told: tuple[int, ...]) -> None:
    assert years_told(policy("TT-001", **{"title": "某支持", **values})) == told


def test_days_in_force_cover_years() -> None:
    held = policy("TT-001", "某支持", valid_from=date(2024, 9, 30), valid_to=date(2029, 9, 29))
    assert [covers_year(held, year) for year in (2023, 2024, 2026, 2029, 2030)] == [
        False, True, True, True, False,
    ]  # fmt: skip


def test_open_end_covers_no_year_for_certain() -> None:
    assert not covers_year(policy("TT-001", "某支持", valid_from=date(2024, 1, 1)), 2026)
