"""Application windows: only what is written in full counts."""

from __future__ import annotations

from datetime import date

import pytest

from knowledge.catalogue import Catalogue
from knowledge.windows import Span, Window, read_window


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("受理期为2022-07-27至2022-11-30", [("2022-07-27", "2022-11-30")]),
        ("2022-07-27至2022-11-30", [("2022-07-27", "2022-11-30")]),
        ("申报期为2024-09-12至2024-09-27（材料提交至10-10）", [("2024-09-12", "2024-09-27")]),
        ("2026年3月15日至4月15日", [("2026-03-15", "2026-04-15")]),
        ("2026年3月15日起至2026年4月15日止", [("2026-03-15", "2026-04-15")]),
        ("第一批2026-03-01至2026-03-31；第二批2026-09-01至2026-09-30",
         [("2026-03-01", "2026-03-31"), ("2026-09-01", "2026-09-30")]),
        ("受理截至2020-09-30", [(None, "2020-09-30")]),
        ("截止日为2020-06-25", [(None, "2020-06-25")]),
        ("申报截止2025-05-10", [(None, "2025-05-10")]),
        ("请于2025年5月10日前提交", [(None, "2025-05-10")]),
        ("2026-03-01起受理", [("2026-03-01", None)]),
    ],
)  # fmt: skip
def test_days_written_in_full_are_read(
    text: str, spans: list[tuple[str | None, str | None]]
) -> None:
    assert read_window(text).spans == tuple(Span(day(first), day(last)) for first, last in spans)


@pytest.mark.parametrize(
    "text",
    [
        None, "", "适用于2018年度", "按2022年度受理，所读页面没有写明起止日期", "08-15至09-01，没有注明年度",
        "2025年度的截止日为10月25日", "2024年度，受理到3月20日18:00为止", "通常在每年9-10月",
        "2026年度指南已于2025-07-03发布", "属2023年度；其中第三批公示期为2023-06-11至06-20",
        "通常为2026-03-01至2026-03-31", "2026-03-31至2026-03-01", "2026-02-30至2026-03-31",
        "不再受理2026-03-01至2026-03-31的申请", "时间由当年通知确定", "2025年度（针对2024年12月租金）",
    ],
)  # fmt: skip
def test_what_is_not_certain_stays_open(text: str | None) -> None:
    assert read_window(text) == Window()


@pytest.mark.parametrize(
    ("text", "is_all_year"),
    [
        ("全年开放申请，评价分批进行", True), ("常年受理", True), ("全年可申报", True), ("随时可以申请", True),
        ("不再常年受理", False), ("全年分三批", False), ("常年受理，2026-03-01至2026-03-31集中申报", False),
    ],
)  # fmt: skip
def test_all_year(text: str, is_all_year: bool) -> None:
    assert read_window(text).is_all_year is is_all_year


def test_windows_of_the_catalogue(catalogue: Catalogue) -> None:
    read = {p.id: read_window(p.window) for p in catalogue.policies.values()}
    dated = {policy_id for policy_id, window in read.items() if window.spans}
    assert dated == {
        "FT-003", "FT-015", "FT-021", "FT-033", "FT-038", "CN-001", "SZ-002", "SZ-003", "SZ-004", "SZ-005",
        "SZ-037", "SZ-038", "SZ-041", "SZ-042", "SZ-043", "SZ-061",
    }  # fmt: skip
    assert [policy_id for policy_id, window in read.items() if window.is_all_year] == ["GD-001"]
