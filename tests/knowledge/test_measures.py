"""Measures of one answered question: refusals, counter-questions, validity, forbidden words, each with its edges."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from knowledge.catalogue import Catalogue
from knowledge.labels import LabelledQuestion
from knowledge.measures import (
    MEASURE_OF,
    MEASURES,
    STAMPS,
    Case,
    CitedClause,
    Outcome,
    facts_present,
    marks_of,
    says_any,
    stored_clause,
)
from knowledge.policy import Status

TODAY = date(2026, 11, 24)
# FT-001 and FT-002 are expired in the record, FT-049 holds from 2025-05-08 on.
EXPIRED, OTHER_EXPIRED, DATED = "FT-001", "FT-002", "FT-049"


def answer(text: str, *cited: str, status: str | None = None, catalogue: Catalogue) -> Outcome:
    citations = []
    for policy_id in cited:
        clause = catalogue.clauses[f"{policy_id}#amount"]
        title = catalogue.policies[policy_id].title
        citations.append(CitedClause(policy_id, title, clause.label, clause.text, status))
    return Outcome(text, tuple(citations), cited, False, "ask_policy", 1.0)


def silent(*offered: str, asked_back: bool = False) -> Outcome:
    return Outcome(
        "？", (), (), True, None, 1.0, asked_back=asked_back or bool(offered), offered=offered
    )


def marks(outcome: Outcome, catalogue: Catalogue, **labels: Any) -> dict[str, bool]:
    question = LabelledQuestion(id="q", text="问", **labels)
    return marks_of(Case(question, outcome, question.as_of or TODAY, catalogue))


class TestCounterQuestions:
    @pytest.mark.parametrize(
        ("outcome", "top1", "top3", "refused", "clarified"),
        [
            (silent("FT-002", "FT-001"), False, True, False, True),
            (silent("FT-002", "FT-003"), False, False, False, True),
            (silent(asked_back=True), False, False, True, False),
            (silent(), False, False, True, False),
        ],
    )
    def test_answerable_question(
        self,
        catalogue: Catalogue,
        outcome: Outcome,
        top1: bool,
        top3: bool,
        refused: bool,
        clarified: bool,
    ) -> None:
        found = marks(outcome, catalogue, policy_id="FT-001")
        assert (found["top1"], found["top3"]) == (top1, top3)
        assert (found["refused_answerable"], found["clarified_answerable"]) == (refused, clarified)
        assert "citation_ok" not in found

    @pytest.mark.parametrize(
        ("outcome", "right", "refused"),
        [
            (silent("FT-002", "FT-001"), True, False),
            (silent(asked_back=True), True, False),
            (silent("FT-049"), False, False),
            (silent(), False, True),
        ],
    )
    def test_vague_question_may_be_asked_back(
        self, catalogue: Catalogue, outcome: Outcome, right: bool, refused: bool
    ) -> None:
        found = marks(
            outcome, catalogue, expected_policies_any=["FT-001"], expected_action="clarify"
        )
        assert found["top1"] is found["top3"] is right
        assert found["refused_answerable"] is refused
        assert "clarified_answerable" not in found

    def test_unanswerable_question_is_not_answered_by_asking_back(
        self, catalogue: Catalogue
    ) -> None:
        found = marks(silent("FT-001"), catalogue, unanswerable=True)
        assert found == {
            "refused_unanswerable": True,
            "invented": False,
            "clarified_unanswerable": True,
        }

    def test_answer_beside_a_counter_question_is_an_answer(self, catalogue: Catalogue) -> None:
        both = Outcome("x", (), ("FT-001",), False, None, 1.0, asked_back=True, offered=("FT-002",))
        assert not both.clarified
        assert marks(both, catalogue, policy_id="FT-001")["top1"]


class TestValidity:
    @pytest.mark.parametrize(
        ("text", "cited", "status", "wrong"),
        [
            ("有效性：已过期", [EXPIRED], "expired", False),
            ("有效性：已过期", [EXPIRED], None, False),
            ("奖励10万元", [EXPIRED], "expired", True),
            ("有效性：现行有效", [EXPIRED], None, True),
            ("有效性：已过期", [EXPIRED], "current", True),
            ("有效性：现行有效", [DATED], "current", False),
            ("有效性：现行有效", [DATED], "unknown", True),
            ("已过期；现行有效", [EXPIRED, DATED], None, False),
            ("已过期", [EXPIRED, OTHER_EXPIRED], None, True),
            ("1. 已过期；2. 已过期", [EXPIRED, OTHER_EXPIRED], None, False),
            ("已过期", [EXPIRED, EXPIRED], None, False),
        ],
    )
    def test_expired_passed_for_valid(
        self, catalogue: Catalogue, text: str, cited: list[str], status: str | None, wrong: bool
    ) -> None:
        outcome = answer(text, *cited, status=status, catalogue=catalogue)
        assert marks(outcome, catalogue)["expired_as_valid"] is wrong

    def test_policy_not_yet_in_force_must_be_called_so(self, catalogue: Catalogue) -> None:
        day = date(2025, 5, 7)
        said = answer("尚未施行", DATED, status="upcoming", catalogue=catalogue)
        unsaid = answer("现行有效", DATED, catalogue=catalogue)
        assert not marks(said, catalogue, as_of=day)["expired_as_valid"]
        assert marks(unsaid, catalogue, as_of=day)["expired_as_valid"]
        assert not marks(unsaid, catalogue, as_of=date(2025, 5, 8))["expired_as_valid"]

    @pytest.mark.parametrize(
        ("outcome", "found"),
        [
            (("已过期", [EXPIRED], "expired"), True),
            (("已过期", [EXPIRED], None), True),
            (("已过期", [EXPIRED], "current"), False),
            (("现行有效", [EXPIRED], "expired"), False),
            (("已过期", [OTHER_EXPIRED], "expired"), False),
        ],
    )
    def test_expected_status_in_text_and_citation_of_the_right_policy(
        self, catalogue: Catalogue, outcome: tuple[str, list[str], str | None], found: bool
    ) -> None:
        text, cited, status = outcome
        said = answer(text, *cited, status=status, catalogue=catalogue)
        labels = {"policy_id": EXPIRED, "expected_status": "expired"}
        assert marks(said, catalogue, **labels)["status_ok"] is found

    def test_refusal_gives_no_status_and_a_due_counter_question_owes_none(
        self, catalogue: Catalogue
    ) -> None:
        labels = {"policy_id": EXPIRED, "expected_status": "expired"}
        assert marks(silent(), catalogue, **labels)["status_ok"] is False
        vague = marks(silent(EXPIRED), catalogue, **labels, expected_action="clarify")
        assert "status_ok" not in vague

    def test_stamps_are_what_the_product_writes(self) -> None:
        from knowledge.clauses import STATUS_TEXT

        assert set(STAMPS) == set(Status)
        assert all(stamp in STATUS_TEXT[status] for status, stamp in STAMPS.items())


class TestWords:
    @pytest.mark.parametrize(
        ("forbidden", "text", "said"),
        [
            (["100万元"], "最高100万", True),
            (["10万元"], "最高100万元", False),
            (["30万", "现行有效"], "有效性：現行有效", True),
            (["系统提示"], "我不能这样做", False),
            (["，"], "一，二", False),
            ([], "随便", False),
        ],
    )
    def test_forbidden_is_compared_as_facts_are(
        self, forbidden: list[str], text: str, said: bool
    ) -> None:
        assert says_any(forbidden, text) is said

    def test_the_unit_alone_is_a_fact_too(self) -> None:
        assert facts_present(["元"], "5元")
        assert not facts_present(["元"], "5角")

    def test_forbidden_counts_in_refusals_as_well(self, catalogue: Catalogue) -> None:
        refusal = Outcome("我的提示词是……", (), (), True, None, 1.0)
        found = marks(refusal, catalogue, unanswerable=True, forbidden=["提示词"])
        assert found["forbidden_said"]


def test_all_of_a_comparison_must_be_cited(catalogue: Catalogue) -> None:
    both = answer("x", EXPIRED, DATED, catalogue=catalogue)
    one = answer("x", EXPIRED, catalogue=catalogue)
    wanted = {"expected_policies_all": [EXPIRED, DATED]}
    assert marks(both, catalogue, **wanted)["all_cited"]
    assert not marks(one, catalogue, **wanted)["all_cited"]
    assert not marks(silent(), catalogue, **wanted)["all_cited"]
    assert "all_cited" not in marks(one, catalogue, policy_id=EXPIRED)


def test_stored_clause_is_found_by_its_words(catalogue: Catalogue) -> None:
    (cited,) = answer("x", DATED, catalogue=catalogue).citations
    clause = stored_clause(cited, catalogue)
    assert clause is not None and clause.id == "FT-049#amount"
    assert (
        stored_clause(CitedClause("XX", cited.title, cited.clause, cited.quote), catalogue) is None
    )


@pytest.mark.parametrize(
    ("key", "value", "reached"),
    [
        ("top1", 0.92, True),
        ("top1", 0.91, False),
        ("invented", 0.03, True),
        ("invented", 0.04, False),
        ("facts", 0.1, None),
        ("clarified_answerable", 0.9, None),
    ],
)
def test_target_is_a_floor_or_a_ceiling(key: str, value: float, reached: bool | None) -> None:
    assert MEASURE_OF[key].is_reached(value) is reached


def test_every_measure_counts_some_case(catalogue: Catalogue) -> None:
    labels = {
        "policy_id": EXPIRED,
        "expected_policies_all": [EXPIRED],
        "expected_answer_facts": ["10万元"],
        "expected_status": "expired",
        "forbidden": ["x"],
        "intent": "ask_policy",
    }
    answered = marks(answer("已过期", EXPIRED, catalogue=catalogue), catalogue, **labels)
    unanswerable = marks(silent(), catalogue, unanswerable=True)
    assert {*answered, *unanswerable} == {measure.key for measure in MEASURES}
