"""Who issued a paper, wherever it says so; a line that says more than that is text."""

from __future__ import annotations

from datetime import date

import pytest

from knowledge.documents.blocks import Document, Kind, Paragraph
from knowledge.documents.bylines import organs_of, read_byline
from knowledge.documents.front import Front, read_front

TITLE = "福田区支持企业研发创新若干措施"
A, B, C = "深圳市福田区科技创新局", "深圳市福田区财政局", "深圳市福田区人力资源局"
TEXT = ("第一条 为支持企业，制定本措施。", "第二条 给予奖励10万元。")


def front(*lines: str) -> Front:
    return read_front(Document("a.docx", Kind.DOCX, tuple(Paragraph(line) for line in lines)))


@pytest.mark.parametrize(
    ("lines", "issuer"),
    [
        ((TITLE, A, *TEXT), A),
        ((TITLE, f"{A} {B}", *TEXT), f"{A}、{B}"),
        ((TITLE, A, B, *TEXT), f"{A}、{B}"),
        ((TITLE, f"（{A} 2024年3月5日）", *TEXT), A),
        ((TITLE, f"发布单位 {A}", *TEXT), A),
        ((TITLE, f"{A}、{B}、{C}联合发布", *TEXT), f"{A}、{B}、{C}"),
        ((A, TITLE, *TEXT), A),
        ((TITLE, *TEXT, A), A),
        ((TITLE, *TEXT, A, B, C), f"{A}、{B}、{C}"),
        ((TITLE, *TEXT, f"{A}（盖章）", "2024年3月5日"), A),
        ((TITLE, *TEXT, f"{A} {B}", "2024年3月5日"), f"{A}、{B}"),
        ((TITLE, *TEXT, f"{A} 2024年3月5日"), A),
        ((A, f"{B}文件", "福科规〔2024〕3号", TITLE, *TEXT), f"{A}、{B}"),
        ((f"{A} {B}文件", "福科规〔2024〕3号", TITLE, *TEXT), f"{A}、{B}"),
        (("深 圳 市 福 田 区 财 政 局 文 件", "福财规〔2024〕3号", TITLE, *TEXT), B),
        ((TITLE, f"发布机关：{A}、{B}", *TEXT), f"{A}、{B}"),
    ],
)
def test_issuer(lines: tuple[str, ...], issuer: str) -> None:
    found = front(*lines)
    assert found.title == TITLE
    assert found.issuer == issuer
    assert [block.text for block in found.body if isinstance(block, Paragraph)] == [*TEXT]


def test_the_day_beside_or_below_the_issuer_is_read() -> None:
    assert front(TITLE, f"（{A} 2024年3月5日）", *TEXT).published == date(2024, 3, 5)
    assert front(TITLE, f"{A} {B}", "2024年3月5日", *TEXT).published == date(2024, 3, 5)


@pytest.mark.parametrize(
    "line",
    [
        "第一条 福田区财政局",
        "福田区财政局负责拨付资金。",
        "各有关单位：",
        "一、支持对象",
        "申报单位",
    ],
)
def test_other_lines_name_no_issuer(line: str) -> None:
    assert front(TITLE, line, *TEXT).issuer is None


def test_offices_that_end_a_list_have_not_signed() -> None:
    found = front(TITLE, TEXT[0], "联系单位名单：", A, B)
    assert found.issuer is None


def test_one_office_stays_one() -> None:
    assert organs_of("深圳市和平区财政局") == ("深圳市和平区财政局",)
    assert organs_of("福田区科技创新局和福田区财政局") == ("福田区科技创新局", "福田区财政局")
    assert read_byline("福田区的企业在这里可以得到支持") is None
    assert read_byline("局" * 100_000) is None
