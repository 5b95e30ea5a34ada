"""Comparisons by subject: up to four sides, money against money, more than four asked back."""

from __future__ import annotations

import re

import pytest

from knowledge.answer import Answerer
from knowledge.outcome import Refusal
from knowledge.segments import enumerated
from tests.knowledge.conversing import only, talk


class TestMoney:
    @pytest.mark.parametrize("asked", ["国高和专精特新哪个给得多", "专精特新跟国高哪个多"])
    def test_what_is_only_recognised_gives_way_to_what_gives(
        self, answerer: Answerer, asked: str
    ) -> None:
        answer = only(talk(answerer, asked))
        assert set(answer.listed) == {"FT-001", "SZ-015"}
        assert "“国高”比的是区级的《福田区国高企业认定支持（存量企业）》" in answer.text
        assert "“专精特新”比的是市级的《省级专精特新企业市级奖励》" in answer.text
        assert "更高（20万元" in answer.text

    def test_what_gives_nothing_anywhere_is_said_to(self, answerer: Answerer) -> None:
        answer = only(talk(answerer, "训力券和绿色工厂培育哪个给得多"))
        assert set(answer.listed) == {"SZ-036", "SZ-032"}
        assert "记录里没有写具体金额" in answer.text
        assert "《深圳市绿色工厂梯度培育》的记录里没有最高额" in answer.text

    def test_conditions_are_compared_between_the_recognitions_named(
        self, answerer: Answerer
    ) -> None:
        answer = only(talk(answerer, "国高和专精特新的认定条件有什么区别"))
        assert "CN-002" in answer.listed
        assert "比的是" not in answer.text


class TestSeveral:
    def test_three_are_shown_and_the_highest_is_named(self, answerer: Answerer) -> None:
        answer = only(talk(answerer, "训力券、模型券和语料券哪个给得多"))
        assert answer.listed == ("SZ-036", "SZ-039", "SZ-037")
        assert "《训力券（智能算力资助）》最高（1000万元" in answer.text
        assert "《模型券》为200万元" in answer.text

    def test_the_third_of_them_can_be_pointed_at(self, answerer: Answerer) -> None:
        answer = only(talk(answerer, "训力券、模型券和语料券哪个给得多", "第三个还有效吗"))
        assert answer.policy_id == "SZ-037"

    def test_of_more_than_four_it_is_asked_which(self, answerer: Answerer) -> None:
        asked = "A级景区、绿色饭店、旅行社、连锁商业企业、训力券哪个奖励多"
        answer = only(talk(answerer, asked))
        assert answer.refusal is Refusal.ASKS_WHICH
        assert "您列了5项" in answer.text
        assert "最多比4项" in answer.text

    @pytest.mark.parametrize(
        ("text", "sides"),
        [
            ("训力券、模型券和语料券哪个多", ("训力券", "模型券", "语料券")),
            ("国高跟专精特新哪个多", ("国高", "专精特新")),
            ("国高奖励多少钱", ()),
            ("、".join("一二三四五六七八九") + "哪个多", ()),
        ],
    )
    def test_sides_are_read_one_after_the_other(self, text: str, sides: tuple[str, ...]) -> None:
        assert enumerated(text) == sides

    def test_long_text_is_no_enumeration(self) -> None:
        assert enumerated("和" * 100_000 + "哪个多") == ()
        assert not re.search("和", "".join(enumerated("")))


def test_one_giver_is_compared_where_it_gives_both(answerer: Answerer) -> None:
    answer = only(talk(answerer, "境内上市和境外上市哪个奖励多"))
    policies = [answerer.catalogue.policies[each] for each in answer.listed]
    assert len({each.place for each in policies}) == 1
    assert ["境内" in each.title for each in policies] == [True, False]


def test_topic_named_first_is_no_side(answerer: Answerer) -> None:
    answer = only(talk(answerer, "创业大赛，企业参赛跟团队参赛哪个钱多"))
    assert set(answer.listed) == {"SZ-010", "SZ-011"}
