"""Turning away, wanting a promise, asking for another year: in conversation and one text at a time."""

from __future__ import annotations

from datetime import date

import pytest

from knowledge.answer import Answerer
from knowledge.discussion import Discussion
from knowledge.lexical import fold
from knowledge.moods import drop_subject, other_year, wants_only_promise
from knowledge.outcome import Refusal
from knowledge.policy import Facet
from tests.knowledge.conversing import TODAY, only, talk

GRANT = "福田区国高企业认定支持存量企业多少钱"


class TestTurningAway:
    @pytest.mark.parametrize(
        "text", ["换个话题", "算了", "不问这个了", "好吧，换个话题吧", "先不说这个了", "说点别的"]
    )
    def test_is_acknowledged_and_forgotten(self, answerer: Answerer, text: str) -> None:
        answer = only(talk(answerer, GRANT, text))
        assert answer.refusal is Refusal.NEW_SUBJECT
        assert "您想了解什么" in answer.text
        assert answer.discussion == Discussion()

    def test_what_follows_is_answered_for_itself(self, answerer: Answerer) -> None:
        answer = only(talk(answerer, GRANT, "算了，稳岗返还比例是多少"))
        assert answer.policy_id == "SZ-051"

    @pytest.mark.parametrize(
        "text", ["算了一下营收多少", "算数吗", "国高算了吗", "换一个", "", "算" * 100_000]
    )
    def test_other_texts_do_not(self, text: str) -> None:
        assert drop_subject(fold(text)) is None


class TestPromise:
    ASKED = ("一定能拿到吗", "保证能批下来吗", "肯定能过吗", "交了材料就一定能批吗", "能打包票吗")

    @pytest.mark.parametrize("text", ASKED)
    def test_without_a_subject_it_is_asked_which(self, answerer: Answerer, text: str) -> None:
        answer = only(talk(answerer, text))
        assert answer.refusal is Refusal.ASKS_WHICH
        assert "谁都不能事先承诺" in answer.text
        assert "哪一项" in answer.text

    @pytest.mark.parametrize("text", ASKED)
    def test_of_a_policy_its_conditions_are_stated(self, answerer: Answerer, text: str) -> None:
        answer = only(talk(answerer, GRANT, text))
        assert answer.policy_id == "FT-001"
        assert Facet.CONDITIONS in {each.clause.facet for each in answer.citations}
        assert "我不能代为承诺" in answer.text

    @pytest.mark.parametrize("text", ["国高一定能拿到吗", "要什么材料", "稳" * 100_000])
    def test_with_a_subject_it_is_a_question(self, text: str) -> None:
        assert not wants_only_promise(fold(text))


class TestAnotherYear:
    def test_no_record_of_that_year(self, answerer: Answerer) -> None:
        answer = only(talk(answerer, GRANT, "2026年的呢"))
        assert answer.policy_id == "FT-001"
        assert answer.text.startswith("目录里没有2026年的记录。目录里有的是2022年的")

    def test_year_of_another_record(self, answerer: Answerer) -> None:
        assert only(talk(answerer, GRANT, "2020年的呢")).policy_id == "FT-004"

    def test_year_the_record_is_for(self, answerer: Answerer) -> None:
        answer = only(talk(answerer, GRANT, "2022年的呢"))
        assert answer.policy_id == "FT-001"
        assert "目录里没有" not in answer.text

    @pytest.mark.parametrize(
        ("text", "year"),
        [
            ("2026年的呢", 2026),
            ("今年的呢", 2026),
            ("那去年呢", 2025),
            ("26年的呢", 2026),
            ("2026年有吗", 2026),
            ("2026年国高的呢", None),
            ("材料呢", None),
            ("今年能报吗", None),
        ],
    )
    def test_read(self, text: str, year: int | None) -> None:
        assert other_year(fold(text), TODAY) == year
        assert other_year(fold(text), date(2026, 1, 1)) == year
