"""Answers in words: figures exactly as in the clause, validity before the fold, no promise, whatever is put together."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from knowledge.catalogue import Catalogue
from knowledge.composition import (
    NOTHING_FOUND,
    SHORT_CLAUSE_CHARS,
    Citation,
    Side,
    clarification_text,
    clause_line,
    comparison_text,
    compose,
    elsewhere_text,
    ended_mark,
    facet_names,
    heading,
    in_words,
    list_line,
    listing_text,
    not_alike_text,
    not_recorded_text,
    stamp,
    validity_line,
)
from knowledge.policy import Clause, Facet, Policy, Status
from tests.knowledge.honesty import PROMISES, STAMPS
from tests.knowledge.samples import policy

ANY_DAY = date(2026, 11, 24)
DATED = policy(
    "TT-001",
    "甲奖励",
    doc_no="福府办规〔2023〕5号",
    published=date(2023, 8, 1),
    valid_from=date(2023, 9, 1),
    valid_to=date(2026, 8, 31),
    amount_max_cny=1_000_000,
)
PLAIN = policy("TT-002", "乙奖励", amount_max_cny=500_000)
SILENT = policy("TT-003", "丙奖励")


def clause(text: str, facet: Facet = Facet.AMOUNT, label: str = "扶持内容") -> Clause:
    return Clause(f"TT-001#{facet.value}", "TT-001", facet, label, text)


def side(
    cited: Policy,
    text: str = "奖励10万元。",
    status: Status = Status.CURRENT,
    missing: tuple[Facet, ...] = (),
) -> Side:
    return Side((Citation(clause(text), cited, status),), missing)


class TestValidityLine:
    @pytest.mark.parametrize(
        ("status", "line"),
        [
            (
                Status.CURRENT,
                "有效性：现行有效（2023-08-01发布），2023-09-01起施行，有效至2026-08-31。资金以当年安排为准。",
            ),
            (
                Status.EXPIRED,
                "有效性：已过期（2023-08-01发布），有效至2026-08-31，仅供了解，不能再按此申报。",
            ),
            (Status.UPCOMING, "有效性：尚未施行，2023-09-01起施行，有效至2026-08-31。"),
            (
                Status.UNKNOWN,
                "有效性：有效期未核实（2023-08-01发布），有效至2026-08-31，申报前请向福田区某局确认。",
            ),
        ],
    )
    def test_with_every_date(self, status: Status, line: str) -> None:
        assert validity_line(DATED, status) == line

    @pytest.mark.parametrize(
        ("status", "line"),
        [
            (Status.CURRENT, "有效性：现行有效。资金以当年安排为准。"),
            (Status.EXPIRED, "有效性：已过期，仅供了解，不能再按此申报。"),
            (Status.UPCOMING, "有效性：尚未施行。"),
            (Status.UNKNOWN, "有效性：有效期未核实，申报前请向福田区某局确认。"),
        ],
    )
    def test_without_any_date(self, status: Status, line: str) -> None:
        assert validity_line(PLAIN, status) == line

    def test_not_yet_in_force_without_a_first_day_names_the_publication(self) -> None:
        published = policy("TT-004", "丁奖励", published=date(2027, 1, 1))
        assert validity_line(published, Status.UPCOMING) == "有效性：尚未施行（2027-01-01发布）。"

    def test_of_every_policy_carries_its_own_stamp_only(self, catalogue: Catalogue) -> None:
        for each, status in product(catalogue.policies.values(), Status):
            for said in (validity_line(each, status), stamp(each, status)):
                assert [s for s in STAMPS.values() if s in said] == [STAMPS[status]]


class TestStamp:
    @pytest.mark.parametrize(
        ("status", "dated", "plain"),
        [
            (Status.CURRENT, "现行有效，至2026-08-31", "现行有效"),
            (Status.EXPIRED, "已过期，有效至2026-08-31", "已过期"),
            (Status.UPCOMING, "尚未施行", "尚未施行"),
            (Status.UNKNOWN, "有效期未核实", "有效期未核实"),
        ],
    )
    def test_short_form(self, status: Status, dated: str, plain: str) -> None:
        assert stamp(DATED, status).startswith(dated)
        assert stamp(PLAIN, status).startswith(plain)


class TestCompose:
    def test_name_clause_validity_then_the_rest(self) -> None:
        shown = [clause("奖励10万元。"), clause("注册在福田", Facet.CONDITIONS, "申报条件")]
        text = compose(DATED, shown, [], Status.CURRENT, [Facet.AMOUNT])
        assert text.split("\n") == [
            "《甲奖励》（福田区某局，福府办规〔2023〕5号）",
            "扶持内容：奖励10万元。",
            validity_line(DATED, Status.CURRENT),
            "申报条件：注册在福田",
        ]

    def test_long_first_clause_comes_after_the_validity(self) -> None:
        text = compose(DATED, [clause("奖" * 300)], [], Status.EXPIRED, [Facet.AMOUNT])
        assert text.split("\n")[1] == validity_line(DATED, Status.EXPIRED)

    def test_question_on_validity_is_answered_with_it_first(self) -> None:
        shown = [clause("现行有效", Facet.VALIDITY, "有效期"), clause("全年", Facet.WINDOW, "时间")]
        text = compose(DATED, shown, [], Status.CURRENT, [Facet.VALIDITY])
        _, validity, window = text.split("\n")
        assert validity == validity_line(DATED, Status.CURRENT)
        assert window == "时间：全年"

    def test_what_the_record_lacks_is_named(self) -> None:
        text = compose(DATED, [clause("奖励10万元。")], [Facet.CONTACT], Status.CURRENT, ())
        assert "记录里没有写咨询电话。" in text.split("\n")

    def test_missing_amount_is_told_from_missing_content(self) -> None:
        assert facet_names([Facet.AMOUNT, Facet.MATERIALS]) == "具体金额、申报材料"

    @given(
        st.lists(st.text("奖励一二3４%万元，。\n 至-.", min_size=1, max_size=300), max_size=4),
        st.lists(st.sampled_from(Facet), unique=True, max_size=3),
        st.sampled_from(Status),
        st.lists(st.sampled_from(Facet), unique=True, max_size=3),
    )
    def test_every_clause_stands_in_it_unchanged_and_validity_comes_early(
        self, texts: list[str], missing: list[Facet], status: Status, asked: list[Facet]
    ) -> None:
        shown = [clause(text) for text in texts]
        text = compose(DATED, shown, missing, status, asked)
        assert text.startswith(heading(DATED) + "\n")
        for each in shown:
            assert clause_line(each) in text
        assert text.count("有效性：") == 1
        assert (
            text.index(validity_line(DATED, status))
            <= len(heading(DATED)) + 2 + len("扶持内容：") + SHORT_CLAUSE_CHARS
        )
        assert not any(promise in text for promise in PROMISES)

    def test_of_the_real_catalogue_validity_comes_within_200_characters(
        self, catalogue: Catalogue
    ) -> None:
        for each in catalogue.policies.values():
            shown = catalogue.clauses_of(each.id)
            for first in shown:
                if first.facet is not Facet.VALIDITY:
                    text = compose(each, [first, *shown], [], Status.EXPIRED, [])
                    assert text.index("有效性：") <= 200


class TestLists:
    CITED = (
        Citation(clause("奖励1,234.50万元，约67%-80%。"), DATED, Status.EXPIRED),
        Citation(clause("奖励10万元。"), PLAIN, Status.UPCOMING),
    )

    def test_line_holds_number_title_stamp_and_clause(self) -> None:
        assert list_line(2, self.CITED[0]) == (
            "2. 《甲奖励》（已过期，有效至2026-08-31）：奖励1,234.50万元，约67%-80%。"
        )

    def test_list_counts_and_numbers_its_lines(self) -> None:
        lines = listing_text(self.CITED).split("\n")
        assert "2项" in lines[0]
        assert lines[1:3] == [list_line(1, self.CITED[0]), list_line(2, self.CITED[1])]
        assert "第几个" in lines[3]


class TestComparison:
    def test_higher_maximum_is_named_with_both_figures(self) -> None:
        text = comparison_text([side(DATED), side(PLAIN)], with_verdict=True)
        verdict = text.split("\n")[-1]
        assert verdict.startswith("按记录的最高额，《甲奖励》更高（100万元，《乙奖励》为50万元）")
        swapped = comparison_text([side(PLAIN), side(DATED)], with_verdict=True)
        assert swapped.split("\n")[-1] == verdict

    def test_equal_maxima_are_told(self) -> None:
        same = policy("TT-005", "戊奖励", amount_max_cny=1_000_000)
        text = comparison_text([side(DATED), side(same)], with_verdict=True)
        assert "最高额相同，都是100万元" in text

    @pytest.mark.parametrize(
        ("first", "second", "lacking"),
        [(DATED, SILENT, "《丙奖励》的"), (SILENT, DATED, "《丙奖励》的")],
    )
    def test_no_verdict_where_a_maximum_is_absent(
        self, first: Policy, second: Policy, lacking: str
    ) -> None:
        verdict = comparison_text([side(first), side(second)], with_verdict=True).split("\n")[-1]
        assert verdict.startswith(f"{lacking}记录里没有最高额")
        assert "更高" not in verdict
        assert "100万" not in verdict

    def test_no_verdict_where_amounts_were_not_asked_for(self) -> None:
        text = comparison_text([side(DATED), side(PLAIN)], with_verdict=False)
        assert "最高额" not in text
        assert text.split("\n")[-1] == clause_line(side(PLAIN).citations[0].clause)

    def test_both_are_stamped_beside_their_titles(self) -> None:
        sides = [side(DATED, status=Status.EXPIRED), side(PLAIN, status=Status.UPCOMING)]
        text = comparison_text(sides, with_verdict=True)
        assert "1. 《甲奖励》（已过期" in text
        assert "2. 《乙奖励》（尚未施行" in text

    def test_every_clause_of_a_side_is_shown(self) -> None:
        more = Citation(clause("注册在福田", Facet.CONDITIONS, "申报条件"), DATED, Status.CURRENT)
        both = Side((*side(DATED).citations, more), ())
        text = comparison_text([both, side(PLAIN)], with_verdict=True)
        assert "申报条件：注册在福田" in text

    def test_what_one_record_lacks_is_named_on_its_side(self) -> None:
        sides = [side(DATED, missing=(Facet.CONTACT,)), side(PLAIN)]
        first, second = comparison_text(sides, with_verdict=False).split("2. 《乙奖励》")
        assert "记录里没有写咨询电话。" in first
        assert "没有写" not in second


class TestInWords:
    @pytest.mark.parametrize(
        ("amount", "words"),
        [
            (1, "1元"),
            (3_000, "3000元"),
            (9_999, "9999元"),
            (10_000, "1万元"),
            (15_000, "1.5万元"),
            (1_000_000, "100万元"),
            (99_990_000, "9999万元"),
            (100_000_000, "1亿元"),
            (150_000_000, "1.5亿元"),
        ],
    )
    def test_as_people_say_it(self, amount: int, words: str) -> None:
        assert in_words(amount) == words

    def test_of_the_catalogue_says_the_amount_exactly(self, catalogue: Catalogue) -> None:
        amounts = {p.amount_max_cny for p in catalogue.policies.values() if p.amount_max_cny}
        assert len(amounts) > 10
        for amount in amounts:
            assert yuan(in_words(amount)) == amount

    @given(st.integers(1, 10**13))
    @example(9_999_999)
    @example(12_345_678)
    @example(1_234_567_890)
    def test_every_amount_is_said_exactly(self, amount: int) -> None:
        assert yuan(in_words(amount)) == amount


def yuan(words: str) -> Fraction:
    """What the words say, in yuan."""
    for unit, factor in (("亿元", 100_000_000), ("万元", 10_000), ("元", 1)):
        if words.endswith(unit):
            return Fraction(words.removesuffix(unit)) * factor
    raise AssertionError(f"no unit in {words}")


class TestRefusals:
    def test_nothing_is_promised_or_cited(self) -> None:
        said = [
            NOTHING_FOUND,
            elsewhere_text("福田区", "北京"),
            not_alike_text(DATED, ["南山区"]),
            not_recorded_text(DATED, [Facet.CONTACT], ANY_DAY),
        ]
        for text in said:
            assert "不能" in text
            assert not any(promise in text for promise in PROMISES)
            assert "万元" not in text

    def test_place_is_named(self) -> None:
        assert "没有北京的政策" in elsewhere_text("福田区", "北京")
        assert "没有南山区、龙岗区与《甲奖励》同类" in not_alike_text(DATED, ["南山区", "龙岗区"])

    def test_missing_details_are_named_and_that_it_is_over(self) -> None:
        missing = [Facet.CONTACT, Facet.AMOUNT]
        after, before = date(2026, 9, 1), date(2026, 8, 31)
        assert not_recorded_text(DATED, missing, before).startswith(
            "《甲奖励》的记录里没有写咨询电话、具体金额，"
        )
        assert not_recorded_text(DATED, missing, after).startswith("这一项已过期；《甲奖励》")
        early = date(2023, 8, 31)
        assert not_recorded_text(DATED, missing, early).startswith("这一项尚未施行；《甲奖励》")

    @pytest.mark.parametrize(
        ("day", "mark"),
        [
            (date(2026, 9, 1), "（已过期，有效至2026-08-31）"),
            (date(2026, 8, 31), ""),
            (date(2023, 8, 31), "（尚未施行）"),
        ],
    )
    def test_mark_behind_a_name_is_only_for_what_does_not_hold(self, day: date, mark: str) -> None:
        assert ended_mark(DATED, day) == mark

    def test_those_offered_are_numbered_and_marked(self) -> None:
        lines = clarification_text([DATED, PLAIN], ANY_DAY).split("\n")
        assert lines[1] == "1. 《甲奖励》（已过期，有效至2026-08-31）"
        assert lines[2] == "2. 《乙奖励》"
        assert "转人工" in lines[3]


@given(st.text("奖励一定能保证0123456789.%万亿元-~，", min_size=1, max_size=80))
def test_a_promise_is_only_ever_the_clauses_own(text: str) -> None:
    cited = [
        Citation(clause(text), DATED, Status.CURRENT),
        Citation(clause(text), PLAIN, Status.EXPIRED),
    ]
    said = [
        compose(DATED, [cited[0].clause], [], Status.CURRENT, []),
        listing_text(cited),
        comparison_text([Side((each,), ()) for each in cited], with_verdict=True),
    ]
    for each in said:
        assert text in each
        left = each.replace(text, "")
        assert not any(promise in left for promise in PROMISES)
