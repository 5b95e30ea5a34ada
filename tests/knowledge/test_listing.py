"""Lists by place, level, industry, department and deadline: how many there are, the next ones, the like elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from knowledge.answer import Answerer
from knowledge.filters import is_open_on, read_filter
from knowledge.listing import MOST_LISTED
from knowledge.outcome import Refusal
from knowledge.policy import Level, Status
from knowledge.question import read_question
from knowledge.spans import read_days
from tests.knowledge.conversing import TODAY, only, talk
from tests.knowledge.samples import ALWAYS_ANSWER, answerer_of, policy


class TestList:
    def test_by_department_with_count_and_rest(self, answerer: Answerer) -> None:
        answer = only(talk(answerer, "科工局管哪些政策"))
        shown = [answerer.catalogue.policies[each] for each in answer.listed]
        held = [
            each
            for each in answerer.catalogue.policies.values()
            if each.department == "福田区科技和工业信息化局"
        ]
        assert len(shown) == MOST_LISTED
        assert all(each in held for each in shown)
        assert f"有{len(held)}项" in answer.text
        assert f"还有{len(held) - MOST_LISTED}项没有列出" in answer.text

    def test_goes_on_to_the_end(self, answerer: Answerer) -> None:
        first = only(talk(answerer, "国家级的有哪些"))
        second = only(talk(answerer, "国家级的有哪些", "还有呢"))
        nation = {p.id for p in answerer.catalogue.policies.values() if p.level is Level.NATION}
        assert set(first.listed) | set(second.listed) == nation
        assert not set(first.listed) & set(second.listed)
        ended = only(talk(answerer, "国家级的有哪些", "还有呢", "还有呢"))
        assert ended.refusal is Refusal.NONE_LISTED
        assert "已经全部列出" in ended.text

    def test_ordinal_means_the_page_shown_last(self, answerer: Answerer) -> None:
        second = only(talk(answerer, "国家级的有哪些", "还有呢"))
        chosen = only(talk(answerer, "国家级的有哪些", "还有呢", "第一个的条件"))
        assert chosen.policy_id == second.listed[0]

    @pytest.mark.parametrize("asked", ["南山区有什么补贴", "南山有哪些政策"])
    def test_by_place(self, answerer: Answerer, asked: str) -> None:
        answer = only(talk(answerer, asked))
        assert set(answer.listed) == {"XQ-003", "XQ-004"}
        assert "“南山区”的政策有2项" in answer.text

    def test_only_one(self, answerer: Answerer) -> None:
        answer = only(talk(answerer, "罗湖有哪些政策"))
        assert answer.policy_id == "XQ-002"
        assert answer.text.startswith("目录里“罗湖区”的政策有1项：")

    def test_the_like_elsewhere(self, answerer: Answerer) -> None:
        answer = only(talk(answerer, "罗湖有哪些政策", "那南山呢"))
        assert set(answer.listed) == {"XQ-003", "XQ-004"}

    def test_place_with_nothing_of_its_own(self, answerer: Answerer) -> None:
        answer = only(talk(answerer, "盐田有哪些政策"))
        assert answer.refusal is Refusal.NONE_LISTED
        assert "目录里没有“盐田区”的政策" in answer.text
        assert only(talk(answerer, "盐田有哪些政策", "那罗湖呢")).policy_id == "XQ-002"

    def test_place_that_is_not_served(self, answerer: Answerer) -> None:
        assert only(talk(answerer, "广州有哪些政策")).refusal is Refusal.ELSEWHERE

    @pytest.mark.parametrize("asked", ["人工智能有什么政策", "AI行业的政策有哪些"])
    def test_by_industry(self, answerer: Answerer, asked: str) -> None:
        answer = only(talk(answerer, asked))
        policies = answerer.catalogue.policies
        assert all("人工智能" in policies[each].industries for each in answer.listed)
        assert "有6项" in answer.text

    def test_no_deadline_in_the_days_named(self, answerer: Answerer) -> None:
        answer = only(talk(answerer, "这个月截止的有哪些"))
        assert answer.refusal is Refusal.NONE_LISTED
        assert "没有写明这样的日期" in answer.text

    def test_papers_of_all_listed(self, answerer: Answerer) -> None:
        answer = only(talk(answerer, "南山区有什么补贴", "都要什么材料"))
        assert set(answer.listed) == {"XQ-003", "XQ-004"}
        assert answer.text.count("记录里没有写申报材料") == 2

    def test_back_and_forth(self, answerer: Answerer) -> None:
        first, second, *_ = only(talk(answerer, "人工智能有什么政策")).listed
        talked = ("人工智能有什么政策", "第二个呢", "上一个")
        assert only(talk(answerer, *talked)).policy_id == first
        assert only(talk(answerer, *talked, "下一个")).policy_id == second

    def test_subject_beside_the_filter_is_searched_for(self, answerer: Answerer) -> None:
        policies = answerer.catalogue.policies.values()
        assert read_filter(read_question("福田上市有哪些奖励"), policies, TODAY) is None


class TestFilter:
    OPEN = replace(policy("TT-101", "福田区开放的"), window="2026-11-01至2026-11-30受理")
    CLOSED = replace(policy("TT-102", "福田区关闭的"), window="2026-09-01至2026-09-30受理")
    ENDS = policy("TT-103", "福田区到期的", valid_to=date(2026, 12, 31))
    GONE = policy("TT-104", "福田区过去的", status=Status.EXPIRED)
    ALL = (OPEN, CLOSED, ENDS, GONE)

    @pytest.mark.parametrize(
        ("asked", "ids"),
        [
            ("这个月截止的有哪些", ["TT-101"]),
            ("9月截止的有哪些", ["TT-102"]),
            ("年底前到期的有哪些", ["TT-103"]),
            ("下个月到期的有哪些", ["TT-103"]),
            ("过期的有哪些", ["TT-104"]),
            ("现在能报的有哪些", ["TT-101", "TT-103"]),
            ("福田区还没过期的政策有哪些", ["TT-101", "TT-103"]),
            ("区级的有哪些", ["TT-101", "TT-102", "TT-103", "TT-104"]),
        ],
    )
    def test_days_and_validity(self, asked: str, ids: list[str]) -> None:
        wanted = read_filter(read_question(asked), self.ALL, TODAY)
        assert wanted is not None
        assert [each.id for each in wanted.of(self.ALL, TODAY)] == ids

    def test_closed_window_is_not_open(self) -> None:
        assert [is_open_on(each, TODAY) for each in self.ALL] == [True, False, True, False]

    def test_in_force_comes_first(self, tmp_path: Path) -> None:
        town = answerer_of(reversed(self.ALL), tmp_path, ALWAYS_ANSWER)
        answer = only(talk(town, "福田区有哪些政策"))
        assert answer.listed[-1] == "TT-104"

    @pytest.mark.parametrize(
        ("text", "first", "last"),
        [
            ("12月截止", date(2026, 12, 1), date(2026, 12, 31)),
            ("下个月截止", date(2026, 12, 1), date(2026, 12, 31)),
            ("本周截止", date(2026, 11, 23), date(2026, 11, 29)),
            ("快截止", TODAY, date(2026, 12, 24)),
            ("明年到期", date(2027, 1, 1), date(2027, 12, 31)),
        ],
    )
    def test_bounds(self, text: str, first: date, last: date) -> None:
        days = read_days(text, TODAY)
        assert days is not None
        assert (days.first, days.last) == (first, last)

    def test_next_month_at_the_end_of_a_year(self) -> None:
        days = read_days("下个月截止", date(2026, 12, 5))
        assert days is not None
        assert days.first == date(2027, 1, 1)

    @pytest.mark.parametrize(
        "text", ["有哪些政策", "材料有哪些", "什么时候截止", "", "月" * 100_000]
    )
    def test_nothing_to_filter_by(self, text: str) -> None:
        assert read_filter(read_question(text), self.ALL, TODAY) is None


def test_which_of_the_listed_gives_most(answerer: Answerer) -> None:
    answer = only(talk(answerer, "南山区有什么补贴", "哪个给得最多"))
    assert set(answer.listed) == {"XQ-003", "XQ-004"}
    assert "《南山区企业研发高成长支持》更高（200万元" in answer.text


def test_enterprise_that_says_where_it_is_asks_for_no_list(answerer: Answerer) -> None:
    (answer,) = talk(answerer, "我们在罗湖，有哪些政策")
    assert answer.listing is None
