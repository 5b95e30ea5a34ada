"""Days and validity as papers write them."""

from __future__ import annotations

from datetime import date

import pytest

from knowledge.documents.dates import is_day, read_day, read_validity

ISSUED = date(2024, 3, 5)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024年3月5日", date(2024, 3, 5)),
        ("二〇二四年三月五日", date(2024, 3, 5)),
        ("二○二五年十二月三十一日", date(2025, 12, 31)),
        ("二零二五年十月二十日", date(2025, 10, 20)),
        ("发布日期：2024-03-05 10:00", date(2024, 3, 5)),
        ("2024/3/5", date(2024, 3, 5)),
        ("2024年2月30日", None),
        ("一九九年三月", None),
        ("没有日期", None),
    ],
)
def test_day(text: str, day: date | None) -> None:
    assert read_day(text) == day


def test_a_day_alone() -> None:
    assert is_day("2024年3月5日")
    assert is_day("（2024年3月5日）")
    assert not is_day("自2024年3月5日起施行")


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("本措施自2024年1月1日起施行，有效期3年。", "2024-01-01", "2026-12-31"),
        ("本办法自2024年4月1日起施行。有效期为三年。", "2024-04-01", "2027-03-31"),
        ("本措施自2024年4月1日起正式实施，有效期至2026年12月31日。", "2024-04-01", "2026-12-31"),
        ("有效期自2024年5月1日至2026年4月30日。", "2024-05-01", "2026-04-30"),
        ("本通知自印发之日起施行，试行期2年。", "2024-03-05", "2026-03-04"),
        ("本通知自发布之日起施行。", "2024-03-05", None),
        ("本办法自发布之日起30日后施行，有效期5年。", None, None),
        ("本细则自2024年2月29日起施行，有效期1年。", "2024-02-29", "2025-02-28"),
        ("本措施自2024年1月31日起施行，有效期1个月。", "2024-01-31", "2024-02-29"),
        ("本政策执行至2025年12月31日。", None, "2025-12-31"),
        ("本办法自2023年1月1日至2025年12月31日有效。", "2023-01-01", "2025-12-31"),
        ("本办法自2023年1月1日起试行，试行一年。", "2023-01-01", "2023-12-31"),
        ("本通知自印发之日起试行一年。", "2024-03-05", "2025-03-04"),
        ("本办法执行期为三年，自2024年1月1日起计算。", "2024-01-01", "2026-12-31"),
        ("本办法自发布之日起施行，有效期五年。", "2024-03-05", "2029-03-04"),
        ("自2024年1月1日至2024年3月1日申报的项目。", None, None),
        ("项目申报有效期3年。", None, None),
        ("证书有效期3年，到期重新认定。", None, None),
        ("2024年1月1日至2024年3月1日受理申报。", None, None),
        ("对2024年1月1日起实际发生的贷款，执行至2025年1月1日。", None, None),
        ("第三年起减半。", None, None),
    ],
)
def test_validity(text: str, first: str | None, last: str | None) -> None:
    found = read_validity([text], ISSUED)
    assert found.valid_from == (date.fromisoformat(first) if first else None)
    assert found.valid_to == (date.fromisoformat(last) if last else None)


def test_day_of_issue_unknown_leaves_the_first_day_open() -> None:
    assert read_validity(["本通知自印发之日起施行，有效期2年。"], None).valid_from is None


def test_what_the_paper_says_of_itself_outweighs_what_it_says_of_an_item() -> None:
    texts = ["本措施自2024年4月1日起施行，有效期3年。", "加力标准自2024年6月1日起执行。"]
    assert read_validity(texts, ISSUED).valid_from == date(2024, 4, 1)
