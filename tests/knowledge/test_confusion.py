"""What was taken for what, and chances against what came true."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from knowledge.catalogue import Catalogue
from knowledge.confusion import (
    are_siblings,
    base_title,
    confused_facets,
    confused_policies,
    intent_matrix,
    reliability,
)
from knowledge.labels import LabelledQuestion
from knowledge.measures import Case, CitedClause, Outcome


def case(catalogue: Catalogue, outcome: Outcome, name: str = "q", **labels: Any) -> Case:
    question = LabelledQuestion(id=name, text="问", **labels)
    return Case(question, outcome, date(2026, 11, 24), catalogue)


def answered(catalogue: Catalogue, *clause_ids: str, intent: str | None = None) -> Outcome:
    clauses = [catalogue.clauses[clause_id] for clause_id in clause_ids]
    return Outcome(
        "x",
        tuple(
            CitedClause(c.policy_id, catalogue.policies[c.policy_id].title, c.label, c.text)
            for c in clauses
        ),
        tuple(clause.policy_id for clause in clauses),
        False,
        intent,
        1.0,
    )


def searched(chance: float | None, *considered: str) -> Outcome:
    return Outcome("x", (), (), True, None, 1.0, considered=considered, chance=chance)


def test_pairs_are_counted_most_frequent_first_with_siblings(catalogue: Catalogue) -> None:
    sibling, stranger = answered(catalogue, "FT-002#amount"), answered(catalogue, "FT-049#amount")
    pairs = confused_policies(
        [
            case(catalogue, stranger, "q1", policy_id="FT-001"),
            case(catalogue, sibling, "q2", policy_id="FT-001"),
            case(catalogue, sibling, "q3", policy_id="FT-001"),
            case(catalogue, sibling, "q4", policy_id="FT-002"),
            case(catalogue, sibling, "q5", unanswerable=True),
            case(catalogue, searched(0.1, "FT-002"), "q6", policy_id="FT-001"),
        ]
    )
    assert pairs == [
        {"want": ["FT-001"], "got": "FT-002", "n": 2, "siblings": True, "ids": ["q2", "q3"]},
        {"want": ["FT-001"], "got": "FT-049", "n": 1, "siblings": False, "ids": ["q1"]},
    ]


@pytest.mark.parametrize(
    ("title", "base"),
    [
        ("福田区国高企业认定支持（存量企业）", "福田区国高企业认定支持"),
        ("语料券 (2025)", "语料券"),
        ("语料券", "语料券"),
    ],
)
def test_base_title_ends_at_the_first_bracket(title: str, base: str) -> None:
    assert base_title(title) == base


def test_unknown_policy_has_no_siblings(catalogue: Catalogue) -> None:
    assert are_siblings("FT-001", "FT-002", catalogue)
    assert not are_siblings("FT-001", "XX-999", catalogue)


def test_facet_shown_counts_before_the_first_clause(catalogue: Catalogue) -> None:
    amount = answered(catalogue, "FT-001#amount")
    both = answered(catalogue, "FT-001#amount", "FT-001#conditions")
    wanted = {"policy_id": "FT-001", "facet": "conditions"}
    matrix = confused_facets(
        [
            case(catalogue, amount, **wanted),
            case(catalogue, both, **wanted),
            case(catalogue, amount, policy_id="FT-001", facet="overview"),
            case(catalogue, answered(catalogue, "FT-002#amount"), **wanted),
            case(catalogue, searched(0.2), **wanted),
        ]
    )
    assert matrix == {
        "labels": ["overview", "amount", "conditions"],
        "counts": [[1, 0, 0], [0, 0, 0], [0, 1, 1]],
    }


def test_intents_are_a_square_matrix_largest_first(catalogue: Catalogue) -> None:
    def said(intent: str | None) -> Outcome:
        return answered(catalogue, "FT-001#amount", intent=intent)

    matrix = intent_matrix(
        [
            case(catalogue, said("greet"), intent="greet"),
            case(catalogue, said("thanks"), intent="greet"),
            case(catalogue, said("greet"), intent="greet"),
            case(catalogue, said(None), intent="greet"),
            case(catalogue, said("greet")),
        ]
    )
    assert matrix["labels"][0] == "greet"
    assert set(matrix["labels"]) == {"greet", "thanks", "none"}
    assert sum(matrix["counts"][0]) == 4 and matrix["counts"][0][0] == 2
    assert all(sum(row) == 0 for row in matrix["counts"][1:])


class TestReliability:
    def test_bins_hold_chance_and_truth(self, catalogue: Catalogue) -> None:
        told = reliability(
            [
                case(catalogue, searched(0.92, "FT-001", "FT-002"), policy_id="FT-001"),
                case(catalogue, searched(0.98, "FT-002", "FT-001"), policy_id="FT-001"),
                case(catalogue, searched(1.0, "FT-001"), policy_id="FT-001"),
                case(catalogue, searched(0.1, "FT-001"), unanswerable=True),
            ]
        )
        assert told is not None
        low, high = told["bins"]
        assert (low["from"], low["n"], low["value"]) == (0.1, 1, 0.0)
        assert (high["to"], high["n"], high["value"]) == (1.0, 3, 0.6667)
        assert high["chance"] == pytest.approx((0.92 + 0.98 + 1.0) / 3, abs=1e-4)
        assert told["brier"] == pytest.approx((0.08**2 + 0.98**2 + 0 + 0.1**2) / 4, abs=1e-4)
        expected_gap = (3 * abs(2.9 / 3 - 2 / 3) + 0.1) / 4
        assert told["gap"] == pytest.approx(expected_gap, abs=1e-4)

    def test_refused_questions_count_too_and_unfit_ones_do_not(self, catalogue: Catalogue) -> None:
        sure = searched(0.9, "FT-001")
        left_out = [
            case(catalogue, sure, policy_id="FT-001", unanswerable=True),
            case(catalogue, sure, policy_id="FT-001", context=[{"role": "user", "text": "x"}]),
            case(catalogue, sure, expected_action="chat"),
            case(catalogue, searched(None, "FT-001"), policy_id="FT-001"),
        ]
        assert reliability(left_out) is None
        told = reliability([*left_out, case(catalogue, sure, policy_id="FT-001")])
        assert told is not None and told["n"] == 1 and told["bins"][0]["value"] == 1.0
