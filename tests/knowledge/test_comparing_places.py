"""Comparisons by place: each side is an item of that very place, or the catalogue is said to have none there."""

from __future__ import annotations

import pytest

from knowledge.answer import Answerer
from knowledge.comparing_places import placed_sides
from knowledge.outcome import Refusal
from tests.knowledge.conversing import only, talk


@pytest.mark.parametrize(
    "asked",
    [
        "福田跟南山的研发补贴哪个给得多",
        "研发补贴福田和南山哪个多",
        "福田的研发投入支持和南山的研发支持比哪个高",
    ],
)
def test_each_side_is_of_its_place(answerer: Answerer, asked: str) -> None:
    answer = only(talk(answerer, asked))
    assert answer.listed == ("FT-006", "XQ-003")
    assert "都是200万元" in answer.text


def test_three_places(answerer: Answerer) -> None:
    answer = only(talk(answerer, "福田、南山和龙岗的研发补贴哪个多"))
    places = [answerer.catalogue.policies[each].place for each in answer.listed]
    assert places == ["福田区", "南山区", "龙岗区"]


def test_place_without_the_like_is_named(answerer: Answerer) -> None:
    answer = only(talk(answerer, "福田和罗湖的研发补贴哪个多"))
    assert answer.policy_id == "FT-006"
    assert answer.text.startswith("目录里没有罗湖区自己的同类政策")


def test_wider_item_is_mentioned_and_is_no_side(answerer: Answerer) -> None:
    answer = only(talk(answerer, "福田和龙岗的专精特新奖励哪个多"))
    assert answer.policy_id == "XQ-001"
    assert "目录里没有福田区自己的同类政策" in answer.text
    assert "市级另有《" in answer.text
    assert "不能算作其中哪个区给的" in answer.text


def test_nothing_in_either_place(answerer: Answerer) -> None:
    answer = only(talk(answerer, "盐田和坪山的无人机补贴哪个多"))
    assert answer.refusal is Refusal.NOTHING_FOUND
    assert "没有盐田区、坪山区自己的同类政策" in answer.text


def test_places_alone_are_asked_about_what(answerer: Answerer) -> None:
    answer = only(talk(answerer, "福田和罗湖哪个多"))
    assert answer.refusal is Refusal.ASKS_WHICH
    assert "福田区和罗湖区的哪一类支持" in answer.text


def test_places_alone_go_on_about_what_is_discussed(answerer: Answerer) -> None:
    answer = only(talk(answerer, "福田区R&D投入支持给多少", "福田和龙岗哪个多"))
    assert answer.listed == ("FT-006", "XQ-008")


def test_too_many_places_are_asked_back(answerer: Answerer) -> None:
    answer = only(talk(answerer, "研发补贴，福田、罗湖、南山、宝安、龙岗哪个多"))
    assert answer.refusal is Refusal.ASKS_WHICH
    assert "最多比4项" in answer.text


@pytest.mark.parametrize(
    "text",
    [
        "国家级小巨人跟省级专精特新哪个多",
        "市级专精特新和省级专精特新哪个多",
        "我们在福田，国高和专精特新哪个多",
        "福田有哪些政策",
        "福田和南山" * 10_000,
    ],
)
def test_no_comparison_of_places(text: str) -> None:
    assert placed_sides(text) == []


def test_district_against_city() -> None:
    sides = placed_sides("区里和市里的国高奖励哪个多")
    assert [side.place for side in sides] == ["福田区", "深圳市"]
    assert {side.matter for side in sides} == {"国高奖励"}


def test_city_side_is_what_gives_money(answerer: Answerer) -> None:
    answer = only(talk(answerer, "龙岗和市里的专精特新哪个给得多"))
    assert answer.listed == ("XQ-001", "SZ-015")


def test_matter_behind_a_comma(answerer: Answerer) -> None:
    answer = only(talk(answerer, "南山和龙岗两边，研发补贴上限各是多少"))
    assert answer.listed == ("XQ-003", "XQ-008")
