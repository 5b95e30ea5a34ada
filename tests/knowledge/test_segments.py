"""Messages cut into questions, comparisons into sides; nothing of a message is lost."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.lexical import fold
from knowledge.segments import (
    MOST_COMMAS,
    MOST_QUESTIONS,
    compared_subjects,
    split_clauses,
    split_questions,
)

FRAGMENTS = st.sampled_from(
    [
        "国高认定奖励多少钱",
        "要什么材料",
        "另外",
        "还有就是",
        "顺便问",
        "稳岗返还比例是多少",
        "我们是福田的软件公司",
        "你好",
        "？",
        "?",
        "。",
        "，",
        "；",
        "\n",
        " ",
        "1.",
        "2、",
        "和",
        "与",
        "哪个多",
        "还是",
        "区别",
        "第二个呢",
    ]
)
TEXTS = st.lists(FRAGMENTS | st.text(st.characters(codec=None), max_size=6), max_size=12).map(
    "".join
)


class TestQuestions:
    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            (
                "国高认定奖励多少钱？稳岗返还比例是多少？",
                ["国高认定奖励多少钱？", "稳岗返还比例是多少？"],
            ),
            (
                "国高认定奖励多少钱，另外稳岗返还比例是多少",
                ["国高认定奖励多少钱，", "另外稳岗返还比例是多少"],
            ),
            (
                "国高认定奖励多少钱\n稳岗返还要什么材料",
                ["国高认定奖励多少钱\n", "稳岗返还要什么材料"],
            ),
            (
                "国高奖多少?要什么材料?几时截止?",
                ["国高奖多少?", "要什么材料?", "几时截止?"],
            ),
        ],
    )
    def test_each_question_is_a_part(self, text: str, parts: list[str]) -> None:
        assert split_questions(text) == parts

    @pytest.mark.parametrize(
        "text",
        [
            "国高认定奖励多少钱",
            "国高认定奖励多少钱？",
            "你好。国高认定奖励多少钱？",
            "我们是福田的软件公司。去年刚搬来。国高认定奖励多少钱？谢谢！",
            "",
            "？？？",
            "你好",
        ],
    )
    def test_one_question_stays_whole(self, text: str) -> None:
        assert split_questions(text) == [text]

    def test_what_asks_nothing_stays_with_the_question_after_it(self) -> None:
        first, second = split_questions("国高奖多少？我们刚搬来。要什么材料？")
        assert (first, second) == ("国高奖多少？", "我们刚搬来。要什么材料？")

    def test_what_follows_the_last_question_stays_with_it(self) -> None:
        assert split_questions("国高奖多少？要什么材料？谢谢。")[-1] == "要什么材料？谢谢。"

    def test_more_than_the_most_are_answered_as_far_as_it_goes(self) -> None:
        text = "国高奖多少？" * (MOST_QUESTIONS + 2)
        parts = split_questions(text)
        assert len(parts) == MOST_QUESTIONS
        assert "".join(parts) == text


class TestClauses:
    def test_two_parts_are_cut_apart_at_a_connective_without_a_comma(self) -> None:
        ways = split_clauses("请问训力券最高多少以及模型券最高多少")
        assert ["请问训力券最高多少", "以及模型券最高多少"] in ways

    def test_two_parts_that_ask_are_cut_apart(self) -> None:
        ways = split_clauses("国高认定奖励多少钱，稳岗返还要什么材料")
        assert ways == [["国高认定奖励多少钱", "稳岗返还要什么材料"]]

    def test_what_leaves_out_the_asking_is_a_part_as_well(self) -> None:
        assert split_clauses("国高奖励多少，上市补贴呢") == [["国高奖励多少", "上市补贴呢"]]

    def test_a_detail_without_a_subject_stays_with_its_question(self) -> None:
        assert split_clauses("国高认定奖励多少，什么时候发") == []

    @pytest.mark.parametrize("text", ["国高认定奖励多少钱", "你好，国高认定奖励多少钱", "", "，"])
    def test_one_question_stays_whole(self, text: str) -> None:
        assert split_clauses(text) == []


class TestComparisons:
    @pytest.mark.parametrize(
        ("text", "sides"),
        [
            ("境内上市奖励和境外上市奖励哪个多", ("境内上市奖励", "境外上市奖励")),
            ("请问语料券跟模型券有什么区别", ("语料券", "模型券")),
            ("比较一下首台套与智能化改造", ("首台套", "智能化改造")),
            ("稳岗返还、社保补贴哪个高", ("稳岗返还", "社保补贴")),
            ("设备更新和智能化改造哪个划算", ("设备更新", "智能化改造")),
            ("稳岗返还vs社保补贴", ("稳岗返还", "社保补贴")),
        ],
    )
    def test_both_sides_are_found(self, text: str, sides: tuple[str, str]) -> None:
        assert sides in [(left, right) for left, right in compared_subjects(text)]

    @pytest.mark.parametrize(
        "text", ["国高认定奖励多少钱", "国高和小巨人的奖励", "哪个部门负责", "最多能拿多少", ""]
    )
    def test_nothing_is_compared(self, text: str) -> None:
        assert compared_subjects(text) == []

    def test_name_with_a_joining_word_can_be_cut_anywhere(self) -> None:
        sides = compared_subjects("技术改造贷款和租赁贴息和研发加计扣除哪个划算")
        assert ("技术改造贷款和租赁贴息", "研发加计扣除") in sides

    def test_sides_come_most_balanced_first(self) -> None:
        sides = compared_subjects("国高和境内上市培育资助与境外上市奖励哪个多")
        gaps = [abs(len(left) - len(right)) for left, right in sides]
        assert gaps == sorted(gaps)
        assert len(gaps) > 1


@given(TEXTS)
def test_no_character_is_lost(text: str) -> None:
    parts = split_questions(text)
    assert "".join(parts) == text
    assert 1 <= len(parts) <= MOST_QUESTIONS


@given(TEXTS)
def test_only_commas_are_lost_between_clauses(text: str) -> None:
    def without_commas(said: str) -> str:
        return "".join(each for each in said if not each.isspace() and each not in "，,、")

    ways = split_clauses(text)
    assert len(ways) <= MOST_COMMAS
    for parts in ways:
        assert len(parts) == 2
        assert without_commas("".join(parts)) == without_commas(text)


@given(TEXTS)
def test_sides_stand_in_the_message(text: str) -> None:
    folded = fold(text)
    for left, right in compared_subjects(text):
        assert left in folded
        assert right in folded
        assert len(left) >= 2
        assert len(right) >= 2


@pytest.mark.parametrize(
    "text",
    ["，" * 50_000, "？" * 50_000, "另外，" * 20_000, "和" * 1_000 + "哪个多", "国高，" * 20_000],
    ids=lambda text: f"{text[:4]}x{len(text)}",
)
def test_long_message_is_cut_in_time(text: str) -> None:
    began = time.monotonic()
    assert "".join(split_questions(text)) == text
    split_clauses(text)
    compared_subjects(text)
    assert time.monotonic() - began < 5
