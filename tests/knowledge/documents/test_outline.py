"""The outline: numbers become labels and paths, lists and tables become clauses, and no wording is lost."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.documents.blocks import Block, Paragraph, Table, bare, tidy
from knowledge.documents.facets import facet_of
from knowledge.documents.outline import GATHER_UP_TO, Piece, outline
from knowledge.policy import Facet


def cut(*texts: str) -> list[Piece]:
    return outline([Paragraph(text) for text in texts])


def told(pieces: Sequence[Piece]) -> list[tuple[str, str]]:
    return [(piece.label, piece.text) for piece in pieces]


def labels(pieces: Sequence[Piece]) -> list[str]:
    return [piece.label for piece in pieces]


class TestArticles:
    def test_article_of_one_paragraph_is_one_clause(self) -> None:
        (piece,) = cut("第八条 对首次认定的，给予十万元奖励。")
        assert told([piece]) == [("第八条", "对首次认定的，给予十万元奖励。")]
        assert piece.path == ("第八条",)

    def test_further_paragraphs_are_numbered_as_kuan(self) -> None:
        pieces = cut("第二章 资助标准", "第八条 甲类给予十万元。", "乙类给予五万元。")
        assert labels(pieces) == ["第八条第一款", "第八条第二款"]
        assert pieces[1].path == ("第二章 资助标准", "第八条", "第二款")

    def test_items_are_clauses_and_the_paragraph_after_them_is_the_next_kuan(self) -> None:
        pieces = cut(
            "第四条 按下列档次资助：",
            "（一）甲档，二十万元；",
            "（二）乙档，五十万元。",
            "前款资助不重复享受。",
        )
        assert labels(pieces) == [
            "第四条第一款", "第四条第一款第（一）项", "第四条第一款第（二）项", "第四条第二款",
        ]  # fmt: skip

    def test_items_of_an_article_with_one_paragraph_skip_the_kuan(self) -> None:
        pieces = cut(
            "第五条 应当符合下列条件：", "（一）依法登记，正常经营；", "（二）信用良好，没有失信。"
        )
        assert labels(pieces) == ["第五条", "第五条第（一）项", "第五条第（二）项"]

    def test_title_of_an_article_is_in_its_path(self) -> None:
        pieces = cut(
            "第九条 【研发投入】对研发投入给予资助。", "第十条 房租补贴", "按实付租金的三成补贴。"
        )
        assert [piece.path for piece in pieces] == [("第九条 【研发投入】",), ("第十条 房租补贴",)]

    @pytest.mark.parametrize(
        "text",
        [
            "第八条规定的条件，由区局核实。",
            "第三条、第五条的资助不重复。",
            "第八条第二款所称企业，是指小微企业。",
        ],
    )
    def test_a_mention_of_an_article_opens_none(self, text: str) -> None:
        pieces = cut("第七条 按本办法执行。", text)
        assert labels(pieces) == ["第七条第一款", "第七条第二款"]

    def test_inserted_article_keeps_its_zhi(self) -> None:
        assert labels(cut("第十条之一 补充规定，自即日起执行。")) == ["第十条之一"]

    def test_chapters_and_sections_are_headings(self) -> None:
        (piece,) = cut(
            "第一编 通则", "第二章 申 报", "第一节 材料", "第三条 提交申请表、营业执照。"
        )
        assert piece.path == ("第一编 通则", "第二章 申报", "第一节 材料", "第三条")


class TestOfficialOutline:
    def test_one_and_two_make_the_label(self) -> None:
        pieces = cut("一、支持标准", "（一）首次认定，给予10万元。", "（二）重新认定，给予5万元。")
        assert labels(pieces) == ["一、（一）", "一、（二）"]
        assert pieces[1].path == ("一、支持标准", "（二）")

    def test_short_list_below_stays_with_its_heading(self) -> None:
        (piece,) = cut("三、申报材料", "1. 申请表；", "2. 营业执照；", "（1）正本；", "（2）副本。")
        assert piece.label == "三、"
        assert piece.text.split("\n") == [
            "1.申请表；",
            "2.营业执照；",
            "（1）正本；",
            "（2）副本。",
        ]

    def test_long_list_is_cut_into_its_items(self) -> None:
        long = "按照规定提交完整的材料并加盖公章，" * 10
        pieces = cut("三、申报材料", f"1. {long}", f"2. {long}", f"（1）{long}", f"（2）{long}")
        assert len(long) * 4 > GATHER_UP_TO
        assert labels(pieces) == ["三、1.", "三、2.", "三、2.（1）", "三、2.（2）"]

    def test_item_without_a_full_stop_is_a_clause_not_an_empty_heading(self) -> None:
        assert told(cut("二、申报条件", "（一）信用良好", "（二）在本区注册")) == [
            ("二、（一）", "信用良好"), ("二、（二）", "在本区注册"),
        ]  # fmt: skip

    def test_first_words_up_to_a_stop_are_the_heading(self) -> None:
        (piece,) = cut("（一）研发投入支持。对上年度研发投入增长的企业给予资助。")
        assert piece.path == ("（一）研发投入支持",)
        assert piece.text.startswith("研发投入支持。对上年度")

    def test_paragraph_after_a_list_belongs_to_the_heading(self) -> None:
        pieces = cut(
            "三、申报材料", "1. 申请表，一份；", "2. 营业执照，一份。", "以上材料均需加盖公章。"
        )
        assert [(p.label, p.path) for p in pieces] == [("三、", ("三、申报材料",))] * 2

    def test_unnumbered_headings(self) -> None:
        blocks = [
            Paragraph("扶持标准", heading=2),
            Paragraph("最高十万元。"),
            Paragraph("申报材料"),
            Paragraph("申请表一份。"),
        ]
        pieces = outline(blocks)
        assert labels(pieces) == ["扶持标准", "申报材料"]

    def test_text_without_any_number_is_numbered_by_paragraph(self) -> None:
        assert labels(cut("甲事项，照旧办理。", "乙事项，另行通知。")) == ["正文第1段", "正文第2段"]


class TestAnnexes:
    TABLE = Table((("项目", "金额"), ("首次认定", "15万元"), ("重新认定", "8万元")), page=3)

    def test_rows_carry_their_header(self) -> None:
        blocks: list[Block] = [
            Paragraph("第一条 见附件，按表执行。"),
            Paragraph("附件1"),
            Paragraph("标准表"),
            self.TABLE,
        ]
        pieces = outline(blocks)
        assert told(pieces[1:]) == [
            ("附件1 第1行", "项目：首次认定；金额：15万元"), ("附件1 第2行", "项目：重新认定；金额：8万元"),
        ]  # fmt: skip
        assert pieces[1].path == ("附件1 标准表",)
        assert pieces[1].page == 3

    def test_table_in_the_text_is_named_after_its_clause(self) -> None:
        assert labels(outline([Paragraph("第八条 按下表执行，不重复享受。"), self.TABLE]))[1:] == [
            "第八条 表 第1行", "第八条 表 第2行",
        ]  # fmt: skip

    def test_two_tables_are_told_apart(self) -> None:
        blocks: list[Block] = [
            Paragraph("附件2：标准"),
            self.TABLE,
            Paragraph("以下为另一档。"),
            self.TABLE,
        ]
        assert [each for each in labels(outline(blocks)) if "行" in each] == [
            "附件2 表1 第1行", "附件2 表1 第2行", "附件2 表2 第1行", "附件2 表2 第2行",
        ]  # fmt: skip

    def test_list_of_annexes_is_not_the_annexes(self) -> None:
        pieces = cut(
            "一、事项，照办。",
            "附件：1. 申请表",
            "2. 承诺书",
            "附件1",
            "申请表",
            "甲事项，填写完整。",
            "附件2",
            "承诺书",
            "乙事项，如实承诺。",
        )
        assert labels(pieces) == ["一、", "附件清单", "附件1", "附件2"]
        assert pieces[1].text == "附件：1. 申请表\n2. 承诺书"

    def test_sentence_about_an_annex_opens_none(self) -> None:
        assert labels(cut("附件1所列企业，优先支持。")) == ["正文"]

    def test_caption_over_the_whole_width_is_a_heading(self) -> None:
        table = Table((("分档表", "分档表"), ("档次", "金额"), ("甲", "10万元")))
        (piece,) = outline([table])
        assert piece.path == ("分档表",)
        assert piece.text == "档次：甲；金额：10万元"

    def test_header_of_two_rows_is_joined(self) -> None:
        table = Table(
            (("档次", "金额", "金额"), ("档次", "首次", "再次"), ("甲", "10万元", "5万元"))
        )
        assert outline([table])[0].text == "档次：甲；金额 首次：10万元；金额 再次：5万元"

    def test_form_of_names_and_values(self) -> None:
        table = Table(
            (("申报条件", "在本区注册，信用良好。"), ("申报时间", "全年。"), ("咨询电话", "0755-1"))
        )
        pieces = outline([table])
        assert labels(pieces) == ["表 申报条件", "表 申报时间", "表 咨询电话"]
        assert [facet_of(p.context, p.text) for p in pieces] == [
            Facet.CONDITIONS,
            Facet.WINDOW,
            Facet.CONTACT,
        ]

    def test_blank_form_gets_no_values(self) -> None:
        table = Table((("企业名称", "", "电话", ""), ("地址", "", "邮编", "")))
        assert [piece.text for piece in outline([table])] == ["企业名称；电话", "地址；邮编"]


MARKS = st.sampled_from(
    [
        "",
        "第一章 ",
        "第二节 ",
        "第三条 ",
        "第三条之一 ",
        "一、",
        "二、",
        "（一）",
        "（二）",
        "1.",
        "2、",
        "（1）",
        "①",
        "附件1 ",
        "附件2：",
        "附件：1. ",
        "第八条规定",
    ]
)
WORDS = st.text(
    st.sampled_from("申报条件企业给予奖励万元12.：；。，、（）《》 附件第条章abc"), max_size=40
)
PARAGRAPHS = st.builds(
    lambda mark, text, heading: Paragraph(tidy(mark + text) or "空", heading=heading),
    MARKS, WORDS, st.sampled_from([None, None, None, 1, 3]),
)  # fmt: skip
CELLS = st.text(st.sampled_from("项目金额10万元：；。"), max_size=6)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.tuples(*[CELLS] * width), min_size=1, max_size=4).map(
        lambda rows: Table(tuple(rows))
    )
)


def kept_words(pieces: Sequence[Piece]) -> str:
    return "\n".join(bare(f"{part}") for p in pieces for part in (p.label, *p.path, p.text))


@given(st.lists(st.one_of(PARAGRAPHS, TABLES), max_size=14))
def test_no_wording_is_lost(blocks: list[Block]) -> None:
    pieces = outline(blocks)
    kept = re.sub(r"[\W_]", "", kept_words(pieces))
    for block in blocks:
        for text in [block.text] if isinstance(block, Paragraph) else cells_with_a_value(block):
            left = re.sub(r"[\W_]", "", bare(text))  # marks of punctuation may go
            if re.fullmatch(r"[\d一二三四五六七八九十第章节条款项附件①]*", left):
                continue  # a number without words counts items, it says nothing
            assert all(char in kept for char in left)
            assert longest_shared(left, kept) >= len(left) - 8, (text, kept)
    assert all(piece.text.strip() and piece.label and all(piece.path) for piece in pieces)


def cells_with_a_value(table: Table) -> list[str]:
    """All cells but names of columns that hold nothing."""
    return [
        cell
        for number, row in enumerate(table.rows)
        for cell, *below in zip(row, *table.rows[number + 1 :], strict=True)
        if any(below) or number + 1 == len(table.rows)
    ]


def longest_shared(text: str, kept: str) -> int:
    """Length of the longest tail of ``text`` (its number may have gone to the label) that stands in ``kept``."""
    return next((len(text) - start for start in range(len(text)) if text[start:] in kept), 0)


@given(st.lists(st.text(max_size=60), max_size=12))
def test_any_text_is_cut_without_a_crash(texts: list[str]) -> None:
    blocks = [Paragraph(tidy(text)) for text in texts if tidy(text)]
    pieces = outline(blocks)
    assert bool(pieces) == bool(blocks)
    kept = kept_words(pieces)
    assert all(char in kept or char in "：:" for block in blocks for char in bare(block.text))
