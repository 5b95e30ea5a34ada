"""Facts of an enterprise out of one message: each case of talk once, and the labelled file as a floor."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.fields import FieldSpec, read_fields
from knowledge.profile import Known, Source
from nlu.profile.evaluate import evaluate_profile_facts
from nlu.profile.reading import read_facts
from nlu.profile.said import Answer, SaidFact

LABELLED = Path(__file__).parents[3] / "nlu" / "eval" / "profile_facts.jsonl"
FIELDS = read_fields()
DAY = date(2026, 11, 20)
GAOQI, XIAOJUREN, KEXIAO, ZJTX = (
    "国家高新技术企业",
    "专精特新小巨人",
    "科技型中小企业",
    "专精特新中小企业",
)

Read = Callable[..., dict[str, SaidFact]]


def read(text: str, asked: str | None = None, **situation: Any) -> dict[str, SaidFact]:
    facts = read_facts(text, FIELDS, asked, **{"day": DAY, **situation})
    return {fact.field: fact for fact in facts}


def values(text: str, asked: str | None = None, **situation: Any) -> dict[str, object]:
    """What is stated and not only follows."""
    said = read(text, asked, **situation)
    return {
        name: fact.value
        for name, fact in said.items()
        if fact.answer is Answer.STATED and not fact.is_derived
    }


def answers(text: str, asked: str | None = None) -> dict[str, Answer]:
    return {name: fact.answer for name, fact in read(text, asked).items()}


def test_several_facts_in_any_order() -> None:
    want = {
        "registered_district": "福田区",
        "industry": "软件",
        "annual_revenue_cny": 32_000_000,
        "qualifications": (GAOQI,),
        "employees": 86,
    }
    assert values("我们是福田的软件公司，去年营收3200万，国高，86个人") == want
    assert values("86个人，国高，去年营收3200万，软件公司，福田的") == want


class TestAnswers:
    @pytest.mark.parametrize(
        ("text", "asked", "value"),
        [
            ("3200万", "annual_revenue_cny", 32_000_000),
            ("有", "core_ip", True),
            ("没有", "core_ip", False),
            ("86", "employees", 86),
            ("没有", "rd_expense_cny", 0),
            ("没有贷款", "loan_amount_cny", 0),
            ("半年", "loan_months", 6),
            ("福田", "tax_district", "福田区"),
            ("还没有", "listing_stage", "未上市"),
            ("没有", "qualifications", ()),
            ("义乌市", "registered_city", "义乌市"),
        ],
    )
    def test_bare_answer_is_of_the_field_asked(self, text: str, asked: str, value: object) -> None:
        assert values(text, asked) == {asked: value}
        assert "annual_revenue_cny" not in values(text)

    @pytest.mark.parametrize(
        ("text", "answer"),
        [
            ("不清楚", Answer.UNKNOWN),
            ("得问下财务", Answer.UNKNOWN),
            ("跳过", Answer.REFUSED),
            ("不方便说", Answer.REFUSED),
        ],
    )
    def test_not_knowing_and_refusing_are_no_denial(self, text: str, answer: Answer) -> None:
        for asked in ("core_ip", "annual_revenue_cny", "qualifications"):
            assert answers(text, asked) == {asked: answer}
        assert answers(text) == {}

    def test_not_knowing_one_field_leaves_the_others(self) -> None:
        assert answers("营收不方便说，人数86") == {
            "annual_revenue_cny": Answer.REFUSED,
            "employees": Answer.STATED,
        }

    @pytest.mark.parametrize("asked", ["no_own_office", "credit_ok", "loan_repaid_on_time"])
    def test_bare_denial_of_a_denial_is_unclear(self, asked: str) -> None:
        fact = read("没有", asked)[asked]
        assert (fact.answer, fact.value) == (Answer.UNCLEAR, None)
        assert fact.note is not None and "请答“是”或“不是”" in fact.note
        assert values("是的", asked) == {asked: True}

    @pytest.mark.parametrize(
        "text", ["这个政策有什么要求？", "没有其他问题了", "国高补贴有哪些", "为什么要问", "停止"]
    )
    def test_digression_answers_nothing(self, text: str) -> None:
        assert read(text, "core_ip") == {}
        assert read(text, "annual_revenue_cny") == {}


class TestNumbers:
    def test_approximate_number_is_marked(self) -> None:
        fact = read("营收三千来万")["annual_revenue_cny"]
        assert (fact.value, fact.is_approximate) == (30_000_000, True)
        assert not read("营收3200万")["annual_revenue_cny"].is_approximate

    def test_range_is_asked_again(self) -> None:
        fact = read("20到30人")["employees"]
        assert (fact.answer, fact.note) == (
            Answer.UNCLEAR,
            "20人到30人是一个范围，请给一个大概的数",
        )

    def test_range_that_no_condition_divides_is_used(self) -> None:
        fact = read("20到30人", cuts={"employees": {300, 500}})["employees"]
        assert (fact.answer, fact.value, fact.is_approximate) == (Answer.STATED, 20, True)
        divided = read("20到30人", cuts={"employees": {25}})["employees"]
        assert divided.answer is Answer.UNCLEAR

    @pytest.mark.parametrize("text", ["不到100人", "100人以下"])
    def test_upper_bound_is_asked_again(self, text: str) -> None:
        assert answers(text) == {"employees": Answer.UNCLEAR}

    def test_sum_without_unit_is_asked_again(self) -> None:
        fact = read("3200", "annual_revenue_cny")["annual_revenue_cny"]
        assert fact.note == "3200是3200元还是3200万元？请带上单位"

    @pytest.mark.parametrize("text", ["3.2kw", "500万美元", "注册资本500万", "利润500万"])
    def test_other_sums_are_none_of_ours(self, text: str) -> None:
        assert read(text, "annual_revenue_cny") == {}

    def test_impossible_number_is_named(self) -> None:
        fact = read("-3人", "employees")["employees"]
        assert (fact.answer, fact.note) == (
            Answer.UNCLEAR,
            "职工人数：-3人 太小，不应低于 0人",
        )

    @pytest.mark.parametrize("text", ["今年营收5000万", "2023年营收5000万", "前年营收5000万"])
    def test_figure_of_another_year_is_not_last_year_s(self, text: str) -> None:
        assert answers(text) == {"annual_revenue_cny": Answer.UNCLEAR}
        assert values("2025年营收5000万") == {"annual_revenue_cny": 50_000_000}

    def test_age_follows_from_the_year_at_a_day(self) -> None:
        assert values("2019年3月成立的") == {"registered_years": 7.72}
        assert values("成立于2019年") == {"registered_years": 7}
        assert read("成立于2019年")["registered_years"].is_approximate
        assert values("成立于2019年", day=None) == {}

    def test_growth_belongs_to_what_is_named_before(self) -> None:
        assert values("营收下降10%") == {"revenue_growth_pct": -10}
        assert values("税收增长20%") == {}


class TestCorrections:
    def test_number_corrects_the_last_field_it_fits(self) -> None:
        said = read("不对，是2300万", given=("annual_revenue_cny", "employees"))
        assert list(said) == ["annual_revenue_cny"]
        assert said["annual_revenue_cny"].is_correction
        assert values("说错了，90人", given=("employees", "annual_revenue_cny")) == {
            "employees": 90
        }

    @pytest.mark.parametrize(
        "text", ["营收不是3200万，是2300万", "营收不是3200万是2300万", "营收说错了，应该是2300万"]
    )
    def test_denied_number_is_not_taken(self, text: str) -> None:
        assert values(text) == {"annual_revenue_cny": 23_000_000}

    def test_place_is_corrected(self) -> None:
        assert values("不是福田，是南山") == {"registered_district": "南山区"}


class TestQualifications:
    def held(self, text: str, asked: str | None = None) -> tuple[object, object, bool]:
        fact = read(text, asked)["qualifications"]
        return fact.value, fact.lacks, fact.is_complete

    @pytest.mark.parametrize(
        ("text", "held", "lacks", "is_complete"),
        [
            ("国高", (GAOQI,), (), False),
            ("没有国高", (), (GAOQI,), False),
            ("没有国高和专精特新", (), (GAOQI, ZJTX), False),
            ("国高有，专精特新没有", (GAOQI,), (ZJTX,), False),
            ("还不是专精特新", (), (ZJTX,), False),
            ("只有国高", (GAOQI,), (), True),
            ("国高、科小，就这些", (GAOQI, KEXIAO), (), True),
            ("国高，没有其他的", (GAOQI,), (), True),
            ("什么资质都没有", (), (), True),
            ("国高已经过期了", (), (GAOQI,), False),
        ],
    )
    def test_only_what_is_said_is_known(
        self, text: str, held: object, lacks: object, is_complete: bool
    ) -> None:
        assert self.held(text) == (held, lacks, is_complete)

    def test_both_of_two_lack(self) -> None:
        held, lacks, _ = self.held("国高和专精特新都没有")
        assert held == () and isinstance(lacks, tuple)
        assert set(lacks) == {GAOQI, ZJTX}

    @pytest.mark.parametrize(
        "text",
        ["国高补贴多少钱", "准备申报国高", "今年冲小巨人", "科小评分70分", "首次纳入规上工业"],
    )
    def test_mention_is_no_claim(self, text: str) -> None:
        assert "qualifications" not in read(text)

    def test_answer_to_the_question_is_still_a_part(self) -> None:
        assert self.held("国高", "qualifications") == ((GAOQI,), (), False)


class TestPlaces:
    def test_each_place_goes_to_what_is_named_beside_it(self) -> None:
        assert values("注册在福田，税也交在南山，统计关系在福田") == {
            "registered_district": "福田区",
            "tax_district": "南山区",
            "stat_district": "福田区",
        }

    def test_wider_places_follow(self) -> None:
        said = read("注册在南山")
        assert {name: fact.value for name, fact in said.items() if fact.is_derived} == {
            "registered_city": "深圳市",
            "registered_province": "广东省",
        }
        assert read("办公在车公庙")["operating_city"].is_derived

    @pytest.mark.parametrize("text", ["分公司在福田", "南山的政策", "不在福田"])
    def test_other_places_are_not_where_it_is_registered(self, text: str) -> None:
        assert read(text) == {}

    def test_two_trades_are_asked_again(self) -> None:
        fact = read("做AI芯片的")["industry"]
        assert (fact.answer, fact.note) == (
            Answer.UNCLEAR,
            "人工智能、集成电路，主要是哪一个？",
        )


class TestClaims:
    @pytest.mark.parametrize(
        ("text", "field", "value"),
        [
            ("有核心知识产权", "core_ip", True),
            ("没有核心知识产权", "core_ip", False),
            ("核心知识产权还没有", "core_ip", False),
            ("我们去年亏损", "net_profit_positive", False),
            ("没有亏损", "net_profit_positive", True),
            ("没有自有办公用房", "no_own_office", True),
            ("有自己的办公楼", "no_own_office", False),
            ("民营企业", "is_private_or_sme", True),
        ],
    )
    def test_claim_and_denial(self, text: str, field: str, value: bool) -> None:
        assert values(text) == {field: value}

    def test_part_of_a_qualification_is_no_claim(self) -> None:
        assert set(values("我们是专精特新中小企业")) == {"qualifications"}


class TestNoFacts:
    @pytest.mark.parametrize(
        "text",
        [
            "如果营收到了5000万能拿多少",
            "明年目标营收1个亿",
            "打算招到100人",
            "需要贷款500万",
            "我朋友公司营收8000万，国高",
            "要求营收2000万以上吗",
            "我们是国高吗",
            "福田区有什么租金补贴",
            "第3条是什么意思",
            "",
            "？",
            "   ",
        ],
    )
    def test_asked_wished_or_of_others(self, text: str) -> None:
        assert read(text) == {}

    def test_own_facts_in_a_question_count(self) -> None:
        assert values("请问我们国高企业能拿多少补贴") == {"qualifications": (GAOQI,)}
        assert values("我们86个人能申请什么") == {"employees": 86}


class TestFacts:
    def test_span_is_that_of_the_message_as_typed(self) -> None:
        typed = "@小福 我哋公司營收 １２００萬，國高"
        facts = read_facts(typed, FIELDS)
        assert [fact.text for fact in facts] == ["１２００萬", "國高"]
        assert all(typed[fact.start : fact.end] == fact.text for fact in facts)

    def test_becomes_a_known_fact_of_the_profile(self) -> None:
        assert read("没有国高")["qualifications"].known(DAY) == Known(
            (), Source.SAID, DAY, is_complete=False, lacks=(GAOQI,)
        )
        assert read("三千来万", "annual_revenue_cny")["annual_revenue_cny"].known(DAY) == Known(
            30_000_000, Source.SAID, DAY, is_approximate=True
        )
        assert read("不清楚", "core_ip")["core_ip"].known(DAY) is None

    def test_new_field_is_read_from_its_entry_alone(self) -> None:
        robots = FieldSpec("robots", "number", "项", "机器人数量", "？", 0, 99, ("机器人",))
        union = FieldSpec("union", "boolean", None, "是否有工会", "有工会吗？", synonyms=("工会",))
        fields = {"robots": robots, "union": union}
        facts = read_facts("我们有工会，机器人12个", fields)
        assert [(fact.field, fact.value) for fact in facts] == [("union", True), ("robots", 12)]

    def test_unknown_field_asked_for_is_ignored(self) -> None:
        assert read("86", "no_such_field", given=("neither",)) == {}

    @given(
        st.text(
            "没有国高不是福田86人3200万去年营收，。？到-%0年成立跳过/专精特新和都", max_size=40
        ),
        st.sampled_from([None, "core_ip", "employees", "annual_revenue_cny", "qualifications"]),
    )
    def test_any_text_gives_well_formed_facts(self, typed: str, asked: str | None) -> None:
        facts = read_facts(typed, FIELDS, asked, day=DAY)
        assert len({fact.field for fact in facts}) == len(facts)
        for fact in facts:
            assert typed[fact.start : fact.end] == fact.text
            assert (fact.value is None) is (fact.answer is not Answer.STATED)
            assert (fact.note is not None) is (fact.answer is Answer.UNCLEAR)

    @pytest.mark.parametrize(
        "part", ["1", "没有", "福田", "营收", "国高", "3200万，", "不是", "？"]
    )
    def test_hostile_length_does_not_cost_seconds(self, part: str) -> None:
        started = time.process_time()
        read_facts(part * 5_000, FIELDS, "employees", day=DAY)
        assert time.process_time() - started < 2.0


def test_labelled_messages_are_read() -> None:
    report = evaluate_profile_facts(LABELLED)
    assert report["messages"]["n"] >= 120
    assert report["precision"]["value"] >= 0.97
    assert report["recall"]["value"] >= 0.95
    assert report["messages"]["value"] >= 0.95
