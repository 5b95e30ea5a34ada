"""Two runs side by side: paired test, what got better and worse, for measures of either direction."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from knowledge.comparison import compare_runs, mcnemar
from knowledge.runs import Run, RunIdentity, RunOutcome


def run(*marks: dict[str, bool], name: str = "r", **identity: Any) -> Run:
    """A run of which only the marks matter, question by question."""
    told = {
        "files": ["q.jsonl"],
        "file_sha256": ["0"],
        "questions": "d",
        "as_of": date(2026, 11, 24),
        "catalogue": "c",
        "encoder": "e",
        "calibration": "k",
    }
    outcomes = [
        RunOutcome(
            id=f"q{number}",
            text=f"问题{number}",
            marks=each,
            policies=["FT-001"],
            offered=[],
            refused=False,
            intent=None,
            chance=None,
            latency_ms=1.0,
            said="x",
        )
        for number, each in enumerate(marks, 1)
    ]
    return Run(
        name=name,
        saved_at=datetime(2026, 11, 24, tzinfo=UTC),
        identity=RunIdentity(**{**told, **identity}),
        report={"latency_ms": {"p50": 1.0, "p95": 2.0}},
        outcomes=outcomes,
    )


@pytest.mark.parametrize(
    ("better", "worse", "p"),
    [
        # Exact two-sided binomial values; 2 of 10 is 2 * (1 + 10 + 45) / 1024.
        (0, 0, 1.0),
        (1, 0, 1.0),
        (5, 0, 0.0625),
        (6, 0, 0.03125),
        (8, 2, 0.109375),
        (2, 8, 0.109375),
        (5, 5, 1.0),
    ],
)
def test_paired_test_is_the_exact_one(better: int, worse: int, p: float) -> None:
    assert mcnemar(better, worse) == pytest.approx(p)


def test_shares_differences_and_moves_of_one_measure() -> None:
    before = run({"top1": True}, {"top1": False}, {"top1": False}, {"top1": True})
    after = run({"top1": True}, {"top1": True}, {"top1": True}, {"top1": False})
    comparison = compare_runs(before, after)
    top1 = comparison["measures"]["top1"]
    assert (top1["before"]["value"], top1["after"]["value"], top1["difference"]) == (
        0.5,
        0.75,
        0.25,
    )
    assert (top1["better"], top1["worse"], top1["p"]) == (2, 1, 1.0)
    assert [(case["id"], case["measures"]) for case in comparison["better"]] == [
        ("q2", ["top1"]),
        ("q3", ["top1"]),
    ]
    assert [case["id"] for case in comparison["worse"]] == ["q4"]
    assert comparison["worse"][0]["text"] == "问题4"


def test_fewer_of_what_should_not_be_is_better() -> None:
    comparison = compare_runs(run({"invented": True}), run({"invented": False}))
    invented = comparison["measures"]["invented"]
    assert (invented["difference"], invented["better"], invented["worse"]) == (-1.0, 1, 0)
    assert [case["id"] for case in comparison["better"]] == ["q1"]


def test_question_that_gains_here_and_loses_there_is_in_both_lists() -> None:
    comparison = compare_runs(
        run({"top1": False, "facts": True}), run({"top1": True, "facts": False})
    )
    assert comparison["better"][0]["measures"] == ["top1"]
    assert comparison["worse"][0]["measures"] == ["facts"]


def test_neither_way_measure_changes_no_list() -> None:
    comparison = compare_runs(
        run({"clarified_answerable": True}), run({"clarified_answerable": False})
    )
    assert comparison["measures"]["clarified_answerable"]["worse"] == 1
    assert comparison["better"] == comparison["worse"] == []


def test_question_counted_in_one_run_only_is_not_paired() -> None:
    comparison = compare_runs(
        run({"citation_ok": True}, {}), run({"citation_ok": True}, {"citation_ok": False})
    )
    cited = comparison["measures"]["citation_ok"]
    assert (cited["before"]["n"], cited["after"]["n"]) == (1, 2)
    assert (cited["better"], cited["worse"]) == (0, 0)
    assert comparison["worse"] == []


def test_measure_counted_nowhere_has_no_difference() -> None:
    status = compare_runs(run({}), run({}))["measures"]["status_ok"]
    assert status["difference"] is None
    assert status["p"] == 1.0


def test_what_else_changed_is_told() -> None:
    before = run({"top1": True}, name="old", catalogue="other", as_of=date(2026, 1, 1))
    comparison = compare_runs(before, run({"top1": True}, name="new"))
    assert comparison["changed"] == ["as_of", "catalogue"]
    assert (comparison["before"]["name"], comparison["after"]["name"]) == ("old", "new")
    assert comparison["before"]["as_of"] == "2026-01-01"
