"""The report of `qifu eval qa`: keys of the contract, shares with Wilson intervals, what counts as a failure."""

from __future__ import annotations

import json
from collections.abc import Callable
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

SHARES = (
    "top1", "top3", "facts", "citation_ok", "refused_unanswerable", "refused_answerable", "intent_accuracy",
)  # fmt: skip


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
    return Outcome(
        "一次性奖励10万元", (citation(catalogue),), ("FT-001", "FT-002"), False, "ask_policy", 5.0
    )


REFUSED = Outcome("不知道", (), (), True, "ask_policy", 1.0)


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
        assert set(result) == {*SHARES, "latency_ms", "failures"}
        for key in SHARES:
            assert set(result[key]) == {"value", "low", "high", "n"}
        assert set(result["latency_ms"]) == {"p50", "p95"}
        assert result["failures"] == []
        assert json.loads(json.dumps(result)) == result

    def test_right_answer_counts_everywhere(
        self, report: Callable[..., dict[str, Any]], good: Outcome
    ) -> None:
        asked = question(policy_id="FT-001", expected_answer_facts=["10万元"], intent="ask_policy")
        result = report((asked, good))
        assert {key: (result[key]["value"], result[key]["n"]) for key in SHARES} == {
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
        assert failure["got"] == {"text": "一次性奖励10万元"}
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
