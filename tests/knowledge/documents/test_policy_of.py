"""Facts around a text: title, number, issuer, days, department; what is not said stays open, nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.catalogue import read_row
from knowledge.documents.blocks import Document, Kind, Paragraph, bare, tidy
from knowledge.documents.classify import Seat, department_of, seat_of
from knowledge.documents.policy_of import UNSTATED_ISSUER, Draft, clauses_from, draft_of
from knowledge.documents.reading import read_document
from knowledge.documents.rows import row_of
from knowledge.errors import NotAPolicy
from knowledge.policy import Facet, Level, Status
from tests.knowledge.documents.papers import P, Part, guide, measures, to_docx, to_html, to_pdf


def draft(parts: list[Part], name: str = "文件.docx") -> Draft:
    return draft_of(read_document(name, to_docx(parts), Kind.DOCX))


def page(body: str, head: str = "") -> Draft:
    html = f'<html><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'
    return draft_of(read_document("网页.html", html.encode(), Kind.HTML))


NATION: list[Part] = [
    P("财政部 税务总局", "title"),
    P("关于支持小微企业发展有关税收政策的公告", "title"),
    P("财政部 税务总局公告2024年第16号", "centre"),
    P("现将有关政策公告如下："),
    P("一、对月销售额10万元以下的小规模纳税人，免征增值税。"),
    P("二、本公告执行至2027年12月31日。"),
    P("特此公告。"),
    P("财政部 税务总局", "right"),
    P("2024年1月8日", "right"),
]


@pytest.mark.parametrize(
    "parts", [measures(), guide(), NATION], ids=["measures", "guide", "nation"]
)
@pytest.mark.parametrize(
    ("make", "kind"), [(to_docx, Kind.DOCX), (to_pdf, Kind.PDF), (to_html, Kind.HTML)]
)
def test_every_line_is_a_fact_or_in_a_clause(parts: list[Part], make: object, kind: Kind) -> None:
    assert callable(make)
    found = draft_of(read_document("a", make(parts), kind))
    pieces = [part for piece in found.pieces for part in (piece.label, *piece.path, piece.text)]
    kept = bare("\n".join([*found.taken, *pieces]))
    for part in parts:
        cells = [part.text] if isinstance(part, P) else [cell for row in part for cell in row]
        for text in cells:
            words = bare(text)
            assert words in kept or words[4:] in kept, text


@pytest.mark.parametrize(
    "parts", [measures(), guide(), NATION], ids=["measures", "guide", "nation"]
)
def test_three_kinds_tell_the_same(parts: list[Part]) -> None:
    drafts = [
        draft_of(read_document("a", make(parts), kind))
        for make, kind in ((to_docx, Kind.DOCX), (to_pdf, Kind.PDF), (to_html, Kind.HTML))
    ]
    assert drafts[0].policy == drafts[1].policy == drafts[2].policy
    told = [[(p.label, p.path, bare(p.text)) for p in each.pieces] for each in drafts]
    assert told[0] == told[1] == told[2]


class TestFacts:
    def test_guide(self) -> None:
        policy = draft(guide()).policy
        assert policy.title == "福田区2025年度专精特新企业奖励申报指南"
        assert policy.issuer == "深圳市福田区工业和信息化局"
        assert (policy.level, policy.place) == (Level.DISTRICT, "福田区")
        assert policy.published == date(2025, 4, 28)
        assert (policy.doc_no, policy.valid_from, policy.valid_to, policy.amount_max_cny) == (
            None,
        ) * 4
        assert policy.status is Status.UNKNOWN
        assert policy.department == "福田区工业和信息化局"
        assert policy.phone == "0755-83000001"

    def test_national_announcement(self) -> None:
        policy = draft(NATION).policy
        assert policy.title == "财政部 税务总局关于支持小微企业发展有关税收政策的公告"
        assert policy.doc_no == "财政部 税务总局公告2024年第16号"
        assert policy.issuer == "财政部、税务总局"
        assert (policy.level, policy.place) == (Level.NATION, None)
        assert policy.valid_to == date(2027, 12, 31)

    def test_government_page(self) -> None:
        policy = page(
            "<table><tr><td>索 引 号：</td><td>114403/2025-12</td><td>发布机构：</td><td>深圳市商务局</td></tr>"
            "<tr><td>发布日期：</td><td>2025-02-18</td><td>文　　号：</td><td>深商务规〔2025〕2号</td></tr></table>"
            "<h1>促进外贸稳定增长若干措施</h1><p>来源：深圳市商务局 发布时间：2025-02-18</p>"
            "<p>一、支持参展。对参加境外展会的，给予资助。</p>"
        ).policy
        assert (policy.title, policy.doc_no) == ("促进外贸稳定增长若干措施", "深商务规〔2025〕2号")
        assert (policy.issuer, policy.place) == ("深圳市商务局", "深圳市")
        assert policy.published == date(2025, 2, 18)

    def test_meta_tags_stand_in_for_a_missing_title(self) -> None:
        policy = page(
            "<p>一、支持参展，给予资助。</p>",
            '<meta name="ArticleTitle" content="深圳市商务局外贸扶持措施"><meta name="PubDate" content="2025-02-18 09:00">',
        ).policy
        assert policy.title == "深圳市商务局外贸扶持措施"
        assert policy.published == date(2025, 2, 18)

    def test_unnamed_issuer_is_said_to_be_so(self) -> None:
        policy = draft([P("福田区扶持产业办法", "title"), P("第一条 给予奖励。")]).policy
        assert policy.issuer == UNSTATED_ISSUER
        assert {"issuer", "department"} <= set(policy.inferred)

    def test_several_phones_are_none(self) -> None:
        parts: list[Part] = [
            P("福田区扶持产业办法", "title"),
            P("第一条 咨询电话：0755-82900001。"),
            P("第二条 咨询电话：0755-82900002。"),
        ]
        assert draft(parts).policy.phone is None

    def test_contents_are_no_clauses(self) -> None:
        parts: list[Part] = [
            P("福田区扶持产业办法", "title"), P("目 录", "centre"), P("第一章 总则…………1"), P("第二章 附则…………2"),
            P("第一章 总则", "centre"), P("第一条 制定本办法。"), P("第二章 附则", "centre"), P("第二条 负责解释。"),
        ]  # fmt: skip
        assert [piece.label for piece in draft(parts).pieces] == ["第一条", "第二条"]

    def test_list_of_annexes_is_an_overview(self) -> None:
        found = draft(
            [
                P("福田区申报通知", "title"),
                P("一、提交申请表，按时办理。"),
                P("附件：1. 申请表"),
                P("2. 承诺书"),
            ]
        )
        assert (
            dict(zip([p.label for p in found.pieces], found.facets, strict=True))["附件清单"]
            is Facet.OVERVIEW
        )


class TestNoPolicy:
    def test_page_of_something_else(self) -> None:
        with pytest.raises(NotAPolicy, match="不像政策文件"):
            page("<h1>周末天气</h1><p>周末多云，气温二十度。</p>")

    def test_no_clause(self) -> None:
        with pytest.raises(NotAPolicy, match="没有读出任何条款"):
            draft_of(Document("空.docx", Kind.DOCX, ()))

    def test_nobody_can_have_issued_it(self) -> None:
        with pytest.raises(NotAPolicy, match="看不出是哪里的政策"):
            draft([P("企业奖励办法", "title"), P("第一条 给予奖励。")])


@pytest.mark.parametrize(
    ("issuer", "title", "doc_no", "seat"),
    [
        ("深圳市福田区科技创新局", None, None, Seat(Level.DISTRICT, "福田区")),
        ("深圳市科技创新局", None, None, Seat(Level.CITY, "深圳市")),
        ("国家税务总局深圳市税务局", None, None, Seat(Level.CITY, "深圳市")),
        ("广东省工业和信息化厅", None, None, Seat(Level.PROVINCE, "广东省")),
        ("工业和信息化部", None, None, Seat(Level.NATION, None)),
        ("深圳市前海管理局", None, None, Seat(Level.DISTRICT, "前海合作区")),
        ("杭州市西湖区科技局", None, None, Seat(Level.DISTRICT, "西湖区")),
        ("浙江省科学技术厅", None, None, Seat(Level.PROVINCE, "浙江省")),
        (None, "企业奖励办法", "深府规〔2021〕1号", Seat(Level.CITY, "深圳市")),
        (None, "企业奖励办法", "福府办规〔2023〕5号", Seat(Level.DISTRICT, "福田区")),
        (None, "深圳市龙岗区企业奖励办法", None, Seat(Level.DISTRICT, "龙岗区")),
        (None, "企业奖励办法", None, None),
    ],
)
def test_level_and_place(
    issuer: str | None, title: str | None, doc_no: str | None, seat: Seat | None
) -> None:
    assert seat_of(issuer, title, doc_no) == seat


@pytest.mark.parametrize(
    ("text", "department"),
    [
        ("本措施由区科技创新局负责解释。", "福田区科技创新局"),
        ("本办法由福田区发展和改革局会同区财政局负责解释。", "福田区发展和改革局"),
        ("本措施由我局负责解释。", "福田区人民政府"),
        ("受理部门：福田区企业服务中心。", "福田区企业服务中心"),
        ("区商务局是本专项资金的主管部门。", "福田区商务局"),
        (
            "给予奖励（责任单位：区商务局）。\n由区科技创新局会同相关部门负责解释。",
            "福田区科技创新局",
        ),
        ("给予奖励（责任单位：区商务局、区财政局）。", "福田区商务局"),
        ("按规定办理。", "福田区人民政府"),
    ],
)
def test_department(text: str, department: str) -> None:
    assert department_of([text], "福田区人民政府", Seat(Level.DISTRICT, "福田区")) == department


LINES = st.sampled_from(
    ["深圳市福田区科技局文件", "福科规〔2024〕3号", "关于印发《福田区甲办法》的通知", "各单位：", "福田区甲办法", "第一章 总则", "第一条 给予奖励。",
     "一、支持标准", "（一）十万元。", "1. 营业执照", "附件：1. 表", "附件1", "福田区科技局", "2024年3月5日", "目 录", "第一章 总则……1",
     "本办法自2024年1月1日起施行，有效期至2023年1月1日。", "抄送：某局", "发布日期：2024-01-01 文号：", "由我局负责解释。", "咨询电话：0755-82918333"]
)  # fmt: skip


@given(st.lists(st.one_of(LINES, st.text(max_size=30)), max_size=14), st.booleans())
def test_any_document_is_a_strict_row_or_refused(lines: list[str], is_display: bool) -> None:
    blocks = tuple(Paragraph(tidy(line), is_display=is_display) for line in lines if tidy(line))
    try:
        found = draft_of(Document("甲.docx", Kind.DOCX, blocks))
    except NotAPolicy:
        return
    numbers = range(1, len(found.pieces) + 1)
    wording = clauses_from(found, "FT-201", list(numbers))
    policy = replace(found.policy, id="FT-201", wording=wording)
    assert read_row(row_of(policy), {}) == ([], policy)
    kept = bare(
        "".join([*found.taken, *(f"{p.label}{''.join(p.path)}{p.text}" for p in found.pieces)])
    )
    assert all(char in kept or char in "：:" for block in blocks for char in bare(block.text))
