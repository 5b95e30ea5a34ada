"""What a conversation is about: ordinals point into the list last shown, places alone ask for the like elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.catalogue import Catalogue
from knowledge.discussion import Discussion, asks_same_elsewhere, matter_of
from knowledge.question import read_places, read_question

LISTED = ("FT-001", "FT-002", "FT-003", "FT-004", "FT-005")
LIST = Discussion("FT-002", (), LISTED)


def pointed_at(text: str, discussion: Discussion = LIST) -> str | None:
    return discussion.pointed_at(read_question(text))


class TestPointing:
    @pytest.mark.parametrize(
        ("text", "policy_id"),
        [
            ("第一个", "FT-001"),
            ("第二个呢", "FT-002"),
            ("第三项要什么材料", "FT-003"),
            ("那第4个呢", "FT-004"),
            ("第 2 个", "FT-002"),
            ("第５种", "FT-005"),
            ("我想看第二项的条件", "FT-002"),
            ("第二個呢", "FT-002"),
            ("最后那个呢", "FT-005"),
            ("最后一项", "FT-005"),
            ("头一个", "FT-001"),
            ("下一个呢", "FT-003"),
            ("另一个呢", "FT-003"),
        ],
    )
    def test_ordinal_means_that_one(self, text: str, policy_id: str) -> None:
        assert pointed_at(text) == policy_id

    @pytest.mark.parametrize(
        "text",
        [
            "第六个呢",
            "第0个",
            "第99个",
            "第二",
            "二号文",
            "5号文",
            "15号呢",
            "5号截止吗",
            "第三个月开始的社保补贴",
            "我们在3号楼，有租金补贴吗",
            "第二批什么时候",
            "国高奖励多少",
            "",
            "个",
        ],
    )
    def test_nothing_is_pointed_at(self, text: str) -> None:
        assert pointed_at(text) is None

    @pytest.mark.parametrize("text", ["第一个", "最后那个", "头一个", "下一个"])
    def test_without_a_list_nothing_is_pointed_at(self, text: str) -> None:
        assert pointed_at(text, Discussion("FT-001")) is None

    def test_there_is_nothing_after_the_last(self) -> None:
        assert pointed_at("下一个呢", Discussion("FT-005", (), LISTED)) is None

    def test_the_other_one_needs_one_under_discussion(self) -> None:
        assert pointed_at("下一个呢", Discussion(None, (), LISTED)) is None
        assert pointed_at("下一个呢", Discussion("SZ-001", (), LISTED)) is None


class TestSameElsewhere:
    @pytest.mark.parametrize("text", ["南山的呢", "那龙岗呢", "深圳市的呢", "罗湖"])
    def test_place_alone_asks_for_the_like(self, text: str) -> None:
        assert asks_same_elsewhere(read_question(text))

    @pytest.mark.parametrize(
        "text", ["南山的国高奖励", "那材料呢", "福府办规〔2023〕5号呢", "北京呢", ""]
    )
    def test_a_subject_or_no_place_does_not(self, text: str) -> None:
        assert not asks_same_elsewhere(read_question(text))


class TestMatter:
    @pytest.mark.parametrize(
        ("policy_id", "matter"),
        [
            ("FT-006", "R&D投入支持"),
            ("FT-026", "总部企业认定支持"),
            ("FT-001", "国高企业认定支持"),
            ("SZ-009", "科技型中小企业贷款加大贴息"),
        ],
    )
    def test_place_year_and_brackets_are_left_out(
        self, catalogue: Catalogue, policy_id: str, matter: str
    ) -> None:
        assert matter_of(catalogue.policies[policy_id]) == matter

    def test_every_policy_is_about_something(self, catalogue: Catalogue) -> None:
        for policy in catalogue.policies.values():
            matter = matter_of(policy)
            assert matter.strip()
            assert not any(place in matter for place in read_places().names)


@given(
    st.text(st.characters(codec=None), max_size=20)
    | st.lists(st.sampled_from("第最后下一二三九十百0123456789²٣①个项号另头前呢")).map("".join),
    st.lists(st.sampled_from(LISTED), unique=True, max_size=5),
)
def test_any_text_points_into_the_list_or_nowhere(text: str, listed: list[str]) -> None:
    found = pointed_at(text, Discussion("FT-002", (), tuple(listed)))
    assert found is None or found in listed
