"""What papers do to other papers is read as they write it; what only speaks of repeals does nothing."""

from __future__ import annotations

import time
from datetime import date

import pytest

from knowledge.acts import ActKind
from knowledge.documents.blocks import Block, Document, Kind, Paragraph, Table
from knowledge.documents.policy_of import draft_of, notice_of
from knowledge.documents.reading import read_document
from knowledge.documents.repeals import Aim, is_notice_of_ends, read_aims
from knowledge.errors import NotAPolicy
from tests.knowledge.documents.notices import (
    MEASURES_NO,
    MEASURES_TITLE,
    extension,
    notice,
    repeal_by_list,
    repeal_of_measures,
    successor_paper,
)
from tests.knowledge.documents.papers import Part, guide, measures, to_docx, to_html, to_pdf

DAY = date(2025, 1, 1)


def aims(title: str, *texts: str | Table) -> list[Aim]:
    blocks: list[Block] = [Paragraph(t) if isinstance(t, str) else t for t in texts]
    return list(read_aims(title, blocks, DAY))


def told(found: list[Aim]) -> list[tuple[str | None, str | None, tuple[str, ...]]]:
    return [(aim.title, aim.doc_no, aim.clauses) for aim in found]


A, A_NO = "福田区租金补贴办法", "深福规〔2019〕3号"
B, B_NO = "福田区贷款贴息细则", "福府办规〔2020〕12号"


@pytest.mark.parametrize(
    ("text", "wanted", "day", "word"),
    [
        (f"本办法自2025年3月1日起施行，《{A}》（{A_NO}）同时废止。", [(A, A_NO, ())], date(2025, 3, 1), "废止"),
        (f"本办法自发布之日起施行。原《{A}》（{A_NO}）、《{B}》（{B_NO}）同时废止。", [(A, A_NO, ()), (B, B_NO, ())], DAY, "废止"),
        (f"《{A}》（{A_NO}）自本办法施行之日起废止。", [(A, A_NO, ())], DAY, "废止"),
        (f"自2025年6月30日起，停止执行《{A}》（{A_NO}）第五条、第7条第二款。", [(A, A_NO, ("第五条", "第七条第二款"))], date(2025, 6, 30), "停止执行"),
        (f"《{A}》（{A_NO}）第三条至第五条不再执行。", [(A, A_NO, ("第三条", "第四条", "第五条"))], DAY, "停止执行"),
        (f"宣布《{A}》（{A_NO}）失效。", [(A, A_NO, ())], DAY, "宣布失效"),
        (f"决定废止{A_NO}文件。", [(None, A_NO, ())], DAY, "废止"),
        (f"经研究，决定对《{A}》予以废止。", [(A, None, ())], DAY, "废止"),
        (f"决定废止福田区人民政府办公室关于印发《{A}》的通知（深福规[2019]3号）。", [(A, A_NO, ())], DAY, "废止"),
        (f"根据《{B}》（{B_NO}）的规定，《{A}》（{A_NO}）停止执行。", [(A, A_NO, ())], DAY, "停止执行"),
    ],
)  # fmt: skip
def test_a_sentence_that_repeals(
    text: str,
    wanted: list[tuple[str | None, str | None, tuple[str, ...]]],
    day: date,
    word: str,
) -> None:
    found = aims("福田区某办法", text)
    assert told(found) == wanted
    assert {(aim.day, aim.word) for aim in found} == {(day, word)}


@pytest.mark.parametrize(
    "text",
    [
        "持有被废止的许可证的企业，不予受理。",
        f"《{A}》废止后尚未办结的事项，按本办法办理。",
        f"已废止的《{A}》（{A_NO}）不再适用于本办法。",
        f"《{A}》（{A_NO}）修改或者废止的，从其规定。",
        f"本办法与《{A}》（{A_NO}）不一致的，以本办法为准。",
        "此前发布的有关规定同时废止。",
        "证书有效期届满自行失效。",
        f"企业应当按照《{A}》（{A_NO}）执行；弄虚作假的，资格失效。",
        f"依据《{A}》制定本办法，本办法自2025年1月1日起施行，有效期3年。",
        "有关规范性文件的废止程序，按照《福田区规范性文件管理办法》执行。",
        f"《{A}》（{A_NO}）第三条修改为：“证照废止的，不予资助。”",
    ],
)
def test_speaking_of_repeals_repeals_nothing(text: str) -> None:
    assert aims("福田区某办法", text) == []


def test_a_draft_for_comment_repeals_nothing() -> None:
    text = f"现决定废止《{A}》（{A_NO}）。"
    assert aims(f"关于废止《{A}》的通知（征求意见稿）", text) == []
    assert aims(f"《关于废止〈{A}〉的通知》的政策解读", text) == []


def test_a_notice_that_names_the_paper_in_its_title_only() -> None:
    text = f"《{A}》（{A_NO}）已不适应当前工作需要，自2025年5月1日起停止受理申请，现决定予以废止。"
    (aim,) = aims(f"关于废止〈{A}〉的通知", text)
    assert (aim.title, aim.doc_no, aim.day) == (A, A_NO, date(2025, 5, 1))


@pytest.mark.parametrize(
    ("text", "until", "years"),
    [
        (f"《{A}》（{A_NO}）有效期延长至2027年12月31日。", date(2027, 12, 31), None),
        (f"《{A}》（{A_NO}）将于2025年3月31日到期，经研究，有效期延长2年。", None, 2),
        (f"决定延长《{A}》（{A_NO}）有效期至2026年6月30日。", date(2026, 6, 30), None),
        (f"我局印发的《{A}》（{A_NO}）实施效果良好。决定将有效期延续至2027年3月31日。", date(2027, 3, 31), None),
        (f"《{A}》（{A_NO}）继续执行至2026年12月31日。", date(2026, 12, 31), None),
    ],
)  # fmt: skip
def test_an_extension(text: str, until: date | None, years: int | None) -> None:
    (aim,) = aims(f"关于延长〈{A}〉有效期的通知", text)
    assert (aim.kind, aim.title, aim.doc_no) == (ActKind.EXTENDED, A, A_NO)
    assert (aim.until, aim.years) == (until, years)


@pytest.mark.parametrize(
    ("title", "is_notice"),
    [
        ("深圳市福田区人民政府关于废止《福田区甲办法》的通知", True),
        ("关于废止部分规范性文件的决定", True),
        ("关于公布继续有效、废止和失效的规范性文件目录的通知", True),
        ("关于延长《福田区甲办法》有效期的通知", True),
        ("关于印发《福田区规范性文件废止办法》的通知", False),
        ("关于废止《甲办法》公开征求意见的公告", False),
        ("福田区支持企业研发创新若干措施", False),
        ("关于失信企业名单的通知", False),
    ],
)
def test_titles_of_notices(title: str, is_notice: bool) -> None:
    assert is_notice_of_ends(title) is is_notice


@pytest.mark.parametrize(
    ("make", "kind"), [(to_docx, Kind.DOCX), (to_pdf, Kind.PDF), (to_html, Kind.HTML)]
)
def test_lists_and_tables_of_what_is_repealed_but_not_of_what_stays(
    make: object, kind: Kind
) -> None:
    assert callable(make)
    found = notice_of(read_document("a", make(repeal_by_list()), kind))
    assert found is not None
    assert told(list(found.aims)) == [
        (MEASURES_TITLE, MEASURES_NO, ()),
        ("福田区孵化载体认定办法", "福科规〔2018〕2号", ()),
        ("福田区技术合同奖励细则", "福科规〔2017〕5号", ()),
        ("福田区科技保险补贴办法", "福科规〔2016〕9号", ()),
    ]
    assert {aim.day for aim in found.aims} == {date(2025, 2, 1)}
    assert (found.doc_no, found.issuer) == ("福科规〔2025〕1号", "深圳市福田区科技创新局")


def test_a_row_may_give_its_own_day_or_say_that_it_stays() -> None:
    table = Table(
        (
            ("文件名称", "文号", "失效日期", "处理意见"),
            ("甲产业资金办法", "福府规〔2018〕1号", "2024年12月31日", "失效"),
            ("乙产业资金办法", "福府规〔2019〕1号", "", "继续有效"),
        )
    )
    (aim,) = aims("关于公布失效规范性文件目录的通知", "现将失效的规范性文件目录公布如下：", table)
    assert (aim.title, aim.day) == ("甲产业资金办法", date(2024, 12, 31))


def of(parts: list[Part]) -> Document:
    return read_document("通知.docx", to_docx(parts), Kind.DOCX)


@pytest.mark.parametrize("parts", [measures(), guide(), successor_paper()])
def test_a_policy_is_no_notice(parts: list[Part]) -> None:
    assert notice_of(of(parts)) is None


def test_notices_and_the_last_article_of_a_successor() -> None:
    assert notice_of(of(repeal_of_measures())) is not None
    assert notice_of(of(extension(f"《{MEASURES_TITLE}》有效期延长至2029年3月31日。"))) is not None
    (aim,) = draft_of(of(successor_paper())).aims
    assert (aim.doc_no, aim.day) == (MEASURES_NO, date(2026, 1, 1))


def test_a_notice_in_which_no_paper_can_be_read_is_refused() -> None:
    with pytest.raises(NotAPolicy, match="没有读出废止了哪些文件"):
        notice_of(of(notice("关于废止有关政策的通知", "有关政策不再执行，请知悉。")))


@pytest.mark.parametrize(
    "text",
    ["《" * 100_000, f"《{A}》、" * 10_000 + "同时废止。", "废止" * 50_000, f"《{A}》（" * 8_000, "自" * 100_000 + "废止",
     "第五条、" * 25_000 + "废止", f"《{A}》同时废止，" * 6_000, "（" * 100_000, "延长至" * 33_000]
)  # fmt: skip
def test_long_texts_are_read_in_time(text: str) -> None:
    began = time.perf_counter()
    aims("关于废止部分文件的通知", text)
    assert time.perf_counter() - began < 20
