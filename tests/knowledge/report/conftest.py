"""A run with something of everything in it: hits, misses, traps, hostile text."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from knowledge.catalogue import Catalogue
from knowledge.evaluate import judge_answers, report_on
from knowledge.labels import LabelledQuestion
from knowledge.measures import CitedClause, Outcome
from knowledge.runs import Run, RunIdentity, record_run

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)"> {{ 7*7 }} $x^2$ </style>&amp;'


def outcome_of(number: int, catalogue: Catalogue) -> Outcome:
    """In turn: an answer from FT-001, a refusal, a counter-question, an answer from FT-002, a failed turn."""
    kind = number % 5
    took = 5.0 + 7 * number
    if kind == 1:
        return Outcome(
            "不知道", (), (), True, "out_of_scope", took, considered=("FT-001",), chance=0.2
        )
    if kind == 2:
        offered = ("FT-001", "FT-002")
        return Outcome("哪项？", (), (), True, "ask_policy", took, True, offered, offered, 0.5)
    if kind == 4:
        return Outcome("", (), (), True, None, took, error=f"TurnFailed: {HOSTILE}")
    policy = catalogue.policies["FT-001" if kind == 0 else "FT-002"]
    clause = catalogue.clauses[f"{policy.id}#amount"]
    cited = CitedClause(policy.id, policy.title, clause.label, clause.text, "expired")
    said = f"已过期 {HOSTILE}" if kind == 0 else "现行有效"
    return Outcome(
        said, (cited,), (policy.id,), False, "ask_policy", took, considered=(policy.id,), chance=0.9
    )


def questions() -> list[LabelledQuestion]:
    made = []
    for number in range(20):
        unanswerable = number % 4 == 3
        made.append(
            LabelledQuestion(
                id=f"q{number:02}",
                text=f"第{number}问 {HOSTILE}",
                policy_id=None if unanswerable else "FT-001",
                facet=None if unanswerable else ("amount", "conditions")[number % 2],
                intent=("ask_policy", "out_of_scope")[number % 2],
                expected_answer_facts=["10万元", HOSTILE] if number == 5 else [],
                unanswerable=unanswerable,
                adversarial=number % 2 == 0,
                kind=(HOSTILE, "别名", None)[number % 3],
                forbidden=["现行有效"] if number == 8 else [],
                file="题集.jsonl",
            )
        )
    return made


def play(catalogue: Catalogue, name: str, shift: int = 0) -> Run:
    numbers = iter(range(shift, 1000))
    judged = judge_answers(questions(), lambda _: outcome_of(next(numbers), catalogue), catalogue)
    identity = RunIdentity(
        files=["题集.jsonl", HOSTILE],
        file_sha256=["0" * 64, "1" * 64],
        questions="d" * 64,
        as_of=date(2026, 11, 24),
        catalogue="c" * 64,
        encoder="fake",
        calibration=f"{shift}" * 64,
    )
    at = datetime(2026, 11, 23, 19, 30, tzinfo=UTC)
    return record_run(name, identity, report_on(judged), judged, at)


@pytest.fixture(scope="session")
def run(catalogue: Catalogue) -> Run:
    return play(catalogue, "after")


@pytest.fixture(scope="session")
def before(catalogue: Catalogue) -> Run:
    return play(catalogue, "before", shift=2)


@pytest.fixture(scope="session")
def titles(catalogue: Catalogue) -> dict[str, str]:
    return {policy.id: policy.title for policy in catalogue.policies.values()}
