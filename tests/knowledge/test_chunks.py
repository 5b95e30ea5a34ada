"""Passages: whole sentences up to the limit, every character kept, the title in front where it tells something."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.chunks import PASSAGE_CHARS, TITLE_CHARS, is_article, passages, sentences


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_a_short_text_is_one_passage_with_its_title() -> None:
    assert passages("租金补贴", "补贴一半。最高十万元。") == ("租金补贴\n补贴一半。最高十万元。",)


def test_sentences_are_never_cut_where_they_fit() -> None:
    text = "".join(f"第{n}项措施由街道办事处会同有关部门负责落实并公布结果。" for n in range(60))
    whole = {sentence for sentence, _ in sentences(text)}
    for passage in passages("", text):
        assert {sentence for sentence, _ in sentences(passage)} <= whole
        assert len(passage) <= PASSAGE_CHARS


def test_passages_are_filled() -> None:
    text = "由街道办事处会同有关部门负责落实并公布结果。" * 60
    assert len(passages("", text)) == -(-60 // (PASSAGE_CHARS // 22))


def test_a_title_stands_before_every_passage() -> None:
    found = passages("租金补贴", "由街道办事处会同有关部门负责落实并公布结果。" * 60)
    assert len(found) > 3
    assert all(passage.startswith("租金补贴\n") for passage in found)


@pytest.mark.parametrize(
    "text", ["租金补贴：补贴一半。", "租金 补贴，补一半。", "租金補貼的標準。"]
)
def test_a_title_the_text_holds_is_not_repeated(text: str) -> None:
    assert passages("租金补贴", text) == (text,)


def test_a_long_title_is_cut() -> None:
    first = passages("关于" * 100, "补贴一半。")[0]
    assert first == f"{'关于' * (TITLE_CHARS // 2)}\n补贴一半。"


@pytest.mark.parametrize(
    "title", ["中华人民共和国民法典 第十条", "治安管理处罚法第四十二条之一", "公司法 第12条 "]
)
def test_an_article_number_is_no_title(title: str) -> None:
    assert is_article(title)
    assert passages(title, "劳动合同应当以书面形式订立。") == ("劳动合同应当以书面形式订立。",)


@pytest.mark.parametrize("title", ["第十条修改说明", "若干措施", "条", ""])
def test_other_titles_are_titles(title: str) -> None:
    assert not is_article(title)


def test_a_sentence_too_long_is_cut_at_a_comma() -> None:
    clause = "符合下列条件的企业可以申请"
    found = passages("", "，".join([clause] * 60) + "。")
    assert all(len(passage) <= PASSAGE_CHARS for passage in found)
    assert all(passage.endswith(("，", "。")) for passage in found)


def test_a_run_without_any_stop_is_cut_at_the_limit() -> None:
    assert [len(passage) for passage in passages("", "甲" * 650)] == [300, 300, 50]


def test_lines_of_a_list_or_a_table_stay_lines() -> None:
    text = "申请材料\n1. 营业执照\n2. 租赁合同\n\n金额 | 十万元"
    assert passages("", text) == ("申请材料\n1. 营业执照\n2. 租赁合同\n金额 | 十万元",)


def test_a_closing_quote_belongs_to_its_sentence() -> None:
    found = [sentence for sentence, _ in sentences("他说：“可以申请。”然后走了！？好。")]
    assert found == ["他说：“可以申请。”", "然后走了！？", "好。"]


@pytest.mark.parametrize("text", ["", "  \n \u3000"])
def test_a_document_of_a_title_alone_is_its_title(text: str) -> None:
    assert passages("租金补贴", text) == ("租金补贴",)


@settings(max_examples=150, deadline=None)
@given(st.text('甲乙丙，。；\n "”a1第', max_size=1500))
def test_nothing_is_lost_and_nothing_is_too_long(text: str) -> None:
    found = passages("", text)
    assert bare("".join(found)) == bare(text)
    assert all(len(passage) <= PASSAGE_CHARS for passage in found)
