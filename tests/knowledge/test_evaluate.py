"""The report of `qifu eval qa`: keys of the contract, shares with Wilson intervals, what counts as a failure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from knowledge.catalogue import Catalogue
from knowledge.evaluate import (
    CitedClause,
    Outcome,
    citations_are_stored,
    evaluate_answers,
    facts_present,
    share,
)
from knowledge.labels import LabelledQuestion

CONTRACT = (
    "top1", "top3", "facts", "citation_ok", "refused_unanswerable", "refused_answerable", "intent_accuracy",
)  # fmt: skip
SHARES = (
    *CONTRACT, "all_cited", "invented", "clarified_answerable", "clarified_unanswerable", "expired_as_valid",
    "status_ok", "forbidden_said",
)  # fmt: skip
# The record calls FT-001 expired: an answer must say so.
SAID = "一次性奖励10万元。有效性：已过期"


def question(name: str = "q1", **labels: Any) -> LabelledQuestion:
    return LabelledQuestion(id=name, text=f"问题{name}", **labels)


def citation(catalogue: Catalogue, clause_id: str = "FT-001#amount") -> CitedClause:
    clause = catalogue.clauses[clause_id]
    title = catalogue.policies[clause.policy_id].title
    return CitedClause(clause.policy_id, title, clause.label, clause.text)


@pytest.fixture
def report(catalogue: Catalogue) -> Callable[..., dict[str, Any]]:
    """Plays fixed outcomes to questions in their order."""

    def play(*pairs: tuple[LabelledQuestion, Outcome]) -> dict[str, Any]:
        outcomes = iter([outcome for _, outcome in pairs])
        return evaluate_answers([q for q, _ in pairs], lambda _: next(outcomes), catalogue)

    return play


@pytest.fixture
def good(catalogue: Catalogue) -> Outcome:
    return Outcome(SAID, (citation(catalogue),), ("FT-001", "FT-002"), False, "ask_policy", 5.0)


REFUSED = Outcome("不知道", (), (), True, "ask_policy", 1.0)
OFFERS = Outcome(
    "您问的是哪一项？", (), (), True, "ask_policy", 1.0, asked_back=True, offered=("FT-002", "FT-001")
)  # fmt: skip


class TestShare:
    @pytest.mark.parametrize(
        ("hits", "n", "low", "high"),
        [
            # Wilson's score interval at 95 %, as in Newcombe 1998, table I (81/263, 15/148, 0/20).
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (20, 20, 0.8389, 1.0),
        ],
    )
    def test_interval_equals_the_published_value(
        self, hits: int, n: int, low: float, high: float
    ) -> None:
        assert share([True] * hits + [False] * (n - hits)) == {
            "value": round(hits / n, 4),
            "low": low,
            "high": high,
            "n": n,
        }

    def test_nothing_counted_is_no_number(self) -> None:
        assert share([]) == {"value": None, "low": None, "high": None, "n": 0}


class TestFacts:
    @pytest.mark.parametrize(
        ("facts", "text"),
        [
            (["10万元"], "一次性奖励10万元。"),
            (["10万元"], "最高10万"),
            (["１０万"], "最高10万"),
            (["10 万元"], "最高10万元"),
            (["1,000元"], "给1000元"),
            (["1000元"], "给1，000元"),
            (["獎勵"], "奖励"),
            (["5%", "3年"], "补3年，每年5%"),
            (["200万元"], "依次最高800/200/400万元，第二档200万"),
            (["5年"], "1. 成立2年；2. 5年以上"),
            (["10万"], "按2022, 10万起"),
            (["2022"], "按2022，10万起"),
            (["0755-25942986"], "电话：0755-25942986"),
            ([], ""),
        ],
    )
    def test_stands_in_the_text(self, facts: list[str], text: str) -> None:
        assert facts_present(facts, text)

    @pytest.mark.parametrize(
        ("facts", "text"),
        [
            (["10万元"], "一次性奖励20万元"),
            (["10万元", "3年"], "一次性奖励10万元"),
            (["5万元"], "一次性奖励15万元"),
            (["5%"], "按25%"),
            (["5%"], "按0.5%"),
            (["3年"], "2023年"),
            (["20"], "2023"),
            (["3"], "3.5"),
            (["10万元"], ""),
        ],
    )
    def test_does_not_stand_in_the_text(self, facts: list[str], text: str) -> None:
        assert not facts_present(facts, text)


class TestCitations:
    def test_stored_clause_word_for_word(self, catalogue: Catalogue) -> None:
        assert citations_are_stored([citation(catalogue)], catalogue)

    def test_none_is_not_enough(self, catalogue: Catalogue) -> None:
        assert not citations_are_stored([], catalogue)

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("policy_id", "FT-002"),
            ("policy_id", "TT-404"),
            ("title", "福田区国高企业认定支持"),
            ("clause", "申报条件"),
            ("quote", "可得到一次性奖励10万元。"),
            ("quote", ""),
        ],
    )
    def test_any_other_word_is_not_stored(self, catalogue: Catalogue, key: str, value: str) -> None:
        stored = citation(catalogue)
        spoiled = CitedClause(**{**vars(stored), key: value})
        assert not citations_are_stored([stored, spoiled], catalogue)


class TestReport:
    def test_keys_and_shapes_of_the_contract(
        self, report: Callable[..., dict[str, Any]], good: Outcome
    ) -> None:
        result = report((question(policy_id="FT-001"), good))
        assert set(result) == {
            *SHARES, "latency_ms", "errors", "breakdown", "confusion", "reliability", "failures",
        }  # fmt: skip
        for key in SHARES:
            assert set(result[key]) - {"count"} == {"value", "low", "high", "n"}
        assert set(result["latency_ms"]) == {"p50", "p95"}
        assert result["failures"] == []
        assert json.loads(json.dumps(result)) == result

    def test_right_answer_counts_everywhere(
        self, report: Callable[..., dict[str, Any]], good: Outcome
    ) -> None:
        asked = question(policy_id="FT-001", expected_answer_facts=["10万元"], intent="ask_policy")
        result = report((asked, good))
        assert {key: (result[key]["value"], result[key]["n"]) for key in CONTRACT} == {
            "top1": (1.0, 1),
            "top3": (1.0, 1),
            "facts": (1.0, 1),
            "citation_ok": (1.0, 1),
            "refused_unanswerable": (None, 0),
            "refused_answerable": (0.0, 1),
            "intent_accuracy": (1.0, 1),
        }

    def test_second_place_counts_for_three_only(
        self, report: Callable[..., dict[str, Any]], good: Outcome
    ) -> None:
        result = report((question(policy_id="FT-002"), good))
        assert (result["top1"]["value"], result["top3"]["value"]) == (0.0, 1.0)
        (failure,) = result["failures"]
        assert failure["got"] == {"policies": ["FT-001", "FT-002"]}
        assert failure["want"] == {"policies": ["FT-002"]}

    def test_any_accepted_policy_is_right(
        self, report: Callable[..., dict[str, Any]], good: Outcome
    ) -> None:
        asked = question(policy_id="FT-004", expected_policies_any=["FT-001"])
        assert report((asked, good))["top1"]["value"] == 1.0

    def test_unanswerable_counts_by_its_refusal_alone(
        self, report: Callable[..., dict[str, Any]], good: Outcome
    ) -> None:
        result = report(
            (question("q1", unanswerable=True), REFUSED),
            (question("q2", unanswerable=True, policy_id="FT-001"), good),
        )
        assert result["refused_unanswerable"]["value"] == 0.5
        assert result["refused_answerable"]["n"] == result["top1"]["n"] == 0
        (failure,) = result["failures"]
        assert (failure["id"], failure["text"]) == ("q2", "问题q2")
        assert list(failure["got"]["answered"]) == ["FT-001"]
        assert failure["want"] == {"answered": None}

    def test_refusal_of_an_answerable_question_fails(
        self, report: Callable[..., dict[str, Any]]
    ) -> None:
        asked = question(policy_id="FT-001", expected_answer_facts=["10万元"])
        result = report((asked, REFUSED))
        assert result["refused_answerable"]["value"] == 1.0
        assert result["facts"]["value"] == result["top1"]["value"] == 0.0
        assert result["citation_ok"]["n"] == 0
        (failure,) = result["failures"]
        assert failure["got"]["refused"] is True
        assert failure["want"]["refused"] is False

    def test_missing_figure_is_told_with_the_text(
        self, report: Callable[..., dict[str, Any]], good: Outcome
    ) -> None:
        asked = question(policy_id="FT-001", expected_answer_facts=["99万元"])
        (failure,) = report((asked, good))["failures"]
        assert failure["got"] == {"text": SAID}
        assert failure["want"] == {"facts": ["99万元"]}

    def test_answer_without_a_stored_citation_fails(
        self, report: Callable[..., dict[str, Any]]
    ) -> None:
        bare = Outcome("10万元", (), ("FT-001",), False, None, 1.0)
        result = report((question(policy_id="FT-001"), bare))
        assert result["citation_ok"]["value"] == 0.0
        (failure,) = result["failures"]
        assert failure["got"] == {"citations": 0}

    def test_wrong_intent_fails_and_unlabelled_one_is_not_counted(
        self, report: Callable[..., dict[str, Any]], good: Outcome
    ) -> None:
        result = report(
            (question("q1", policy_id="FT-001", intent="greet"), good),
            (question("q2", policy_id="FT-001"), good),
        )
        assert (result["intent_accuracy"]["value"], result["intent_accuracy"]["n"]) == (0.0, 1)
        (failure,) = result["failures"]
        assert failure["got"] == {"intent": "ask_policy"}
        assert failure["want"] == {"intent": "greet"}

    def test_small_talk_is_neither_answerable_nor_unanswerable(
        self, report: Callable[..., dict[str, Any]]
    ) -> None:
        result = report((question(intent="ask_policy", expected_action="chat"), REFUSED))
        assert result["refused_answerable"]["n"] == result["refused_unanswerable"]["n"] == 0
        assert result["failures"] == []

    def test_clarification_of_an_answerable_question_is_third_place_at_best(
        self, report: Callable[..., dict[str, Any]]
    ) -> None:
        result = report((question(policy_id="FT-001"), OFFERS))
        assert (result["top1"]["value"], result["top3"]["value"]) == (0.0, 1.0)
        assert result["refused_answerable"]["value"] == 0.0
        assert result["clarified_answerable"]["value"] == 1.0
        (failure,) = result["failures"]
        assert failure["got"] == {"offered": ["FT-002", "FT-001"]}
        assert failure["want"] == {"answered": ["FT-001"]}

    def test_clarification_of_an_unanswerable_question_invents_nothing(
        self, report: Callable[..., dict[str, Any]], good: Outcome
    ) -> None:
        result = report(
            (question("q1", unanswerable=True), OFFERS),
            (question("q2", unanswerable=True), REFUSED),
            (question("q3", unanswerable=True), good),
        )
        assert result["invented"]["value"] == pytest.approx(1 / 3, abs=1e-4)
        assert result["refused_unanswerable"]["value"] == pytest.approx(2 / 3, abs=1e-4)
        assert result["clarified_unanswerable"]["value"] == pytest.approx(1 / 3, abs=1e-4)
        assert [failure["id"] for failure in result["failures"]] == ["q3"]

    def test_expired_policy_told_as_valid_is_counted_and_shown(
        self, report: Callable[..., dict[str, Any]], good: Outcome
    ) -> None:
        unsaid = replace(good, text="一次性奖励10万元")
        result = report(
            (question(policy_id="FT-001"), good), (question(policy_id="FT-001"), unsaid)
        )
        assert result["expired_as_valid"]["count"] == 1
        assert (result["expired_as_valid"]["value"], result["expired_as_valid"]["n"]) == (0.5, 2)
        (failure,) = result["failures"]
        assert failure["want"] == {"status": {"FT-001": "expired"}}

    def test_missing_citation_of_a_comparison_and_a_forbidden_word_are_told(
        self, report: Callable[..., dict[str, Any]], good: Outcome
    ) -> None:
        asked = question(expected_policies_all=["FT-001", "FT-002"], forbidden=["10万元"])
        result = report((asked, good))
        assert (result["all_cited"]["value"], result["forbidden_said"]["value"]) == (0.0, 1.0)
        (failure,) = result["failures"]
        assert failure["got"] == {"cited": ["FT-001"], "text": SAID}
        assert failure["want"] == {"cited": ["FT-001", "FT-002"], "forbidden": ["10万元"]}

    def test_failed_turn_is_a_refusal_that_is_counted(
        self, report: Callable[..., dict[str, Any]]
    ) -> None:
        broken = Outcome("", (), (), True, None, 1.0, error="TurnTimeout: 8 s")
        result = report((question(policy_id="FT-001"), broken))
        assert (result["errors"], result["refused_answerable"]["value"]) == (1, 1.0)
        assert result["failures"][0]["got"]["error"] == "TurnTimeout: 8 s"

    @pytest.mark.parametrize(
        ("asked_on", "run_on", "is_right"),
        [
            (None, date(2026, 11, 24), False),
            (None, date(2024, 1, 1), True),
            (date(2024, 1, 1), date(2026, 11, 24), True),
            (date(2026, 11, 24), date(2024, 1, 1), False),
        ],
    )
    def test_day_of_the_question_goes_before_the_day_of_the_run(
        self, catalogue: Catalogue, asked_on: date | None, run_on: date, is_right: bool
    ) -> None:
        cited = replace(citation(catalogue, "FT-049#amount"), status="upcoming")
        upcoming = Outcome("尚未施行", (cited,), ("FT-049",), False, None, 1.0)
        asked = question(policy_id="FT-049", as_of=asked_on)
        result = evaluate_answers([asked], lambda _: upcoming, catalogue, as_of=run_on)
        assert result["expired_as_valid"]["value"] == (0.0 if is_right else 1.0)

    def test_latencies_are_percentiles_of_the_turns(
        self, report: Callable[..., dict[str, Any]]
    ) -> None:
        turns = [
            (question(f"q{n}", unanswerable=True), Outcome("", (), (), True, None, float(n)))
            for n in range(101)
        ]
        assert report(*turns)["latency_ms"] == {"p50": 50.0, "p95": 95.0}

    def test_progress_is_told_once_a_question(self, catalogue: Catalogue) -> None:
        told: list[None] = []
        evaluate_answers(
            [question("q1"), question("q2")],
            lambda _: REFUSED,
            catalogue,
            lambda: told.append(None),
        )
        assert len(told) == 2


class TestBreakdown:
    def test_each_group_has_the_measures_that_count_in_it(
        self, report: Callable[..., dict[str, Any]], good: Outcome
    ) -> None:
        groups = report(
            (question("q1", policy_id="FT-001", facet="amount", kind="别名"), good),
            (question("q2", policy_id="SZ-001", facet="amount", adversarial=True), good),
            (question("q3", unanswerable=True, context=[{"role": "user", "text": "x"}]), REFUSED),
        )["breakdown"]
        assert set(groups) == {
            "facet", "level", "kind", "intent", "adversarial", "context", "file",
        }  # fmt: skip
        assert list(groups["facet"]) == ["amount", "none"]
        assert (groups["facet"]["amount"]["top1"]["value"], groups["level"]["区"]["top1"]["n"]) == (
            0.5,
            1,
        )
        assert set(groups["level"]) == {"区", "市", "none"}
        assert set(groups["kind"]) == {"别名", "none"}
        assert groups["adversarial"]["yes"]["top1"]["value"] == 0.0
        assert groups["context"]["with"]["invented"] == groups["facet"]["none"]["invented"]
        assert "top1" not in groups["context"]["with"]

    def test_sums_of_the_groups_are_the_whole(
        self, report: Callable[..., dict[str, Any]], good: Outcome
    ) -> None:
        kinds = ["a", "b", "a", None, "c"]
        result = report(
            *((question(f"q{n}", policy_id="FT-001", kind=k), good) for n, k in enumerate(kinds))
        )
        counted = [shares["top1"]["n"] for shares in result["breakdown"]["kind"].values()]
        assert sorted(counted) == [1, 1, 1, 2]
        assert sum(counted) == result["top1"]["n"]
