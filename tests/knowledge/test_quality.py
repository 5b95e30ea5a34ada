"""The development questions, answered without the dialogue: right policy, refusals and citations reach the bar."""

from __future__ import annotations

import time
from typing import Any

import pytest

from knowledge.answer import Answerer
from knowledge.catalogue import DATA
from knowledge.discussion import Discussion
from knowledge.evaluate import CitedClause, Outcome, evaluate_answers
from knowledge.labels import LABELLED_FOR, LabelledQuestion, read_questions
from knowledge.outcome import Answer, Refusal

# The two largest sets of the development questions, and the two that hold traps: ended policies, words never to be said.
SETS = ("dev.jsonl", "more/dev.jsonl", "date_trap/dev.jsonl", "adversarial/dev.jsonl")


def outcome_of(answers: list[Answer], latency_ms: float) -> Outcome:
    """Several answers of one message count as one; it was refused when none of them asserts anything."""
    asserted = [answer for answer in answers if answer.refusal is None]
    cited = [citation for answer in asserted for citation in answer.citations]
    found = [hit.policy.id for answer in answers for hit in answer.candidates]
    policies = [citation.policy.id for citation in cited] + found
    return Outcome(
        text="\n".join(answer.text for answer in answers),
        citations=tuple(
            CitedClause(c.policy.id, c.policy.title, c.clause.label, c.clause.text, c.status)
            for c in cited
        ),
        policies=tuple(dict.fromkeys(policies)) if asserted else (),
        refused=not asserted,
        intent=None,
        latency_ms=latency_ms,
        asked_back=any(answer.refusal is Refusal.UNCLEAR for answer in answers),
        offered=tuple(policy_id for answer in answers for policy_id in answer.offered),
        considered=tuple(found),
        chance=answers[0].chance,
    )


@pytest.fixture(scope="module")
def report(answerer: Answerer) -> dict[str, Any]:
    def respond(question: LabelledQuestion) -> Outcome:
        day, discussion = question.as_of or LABELLED_FOR, Discussion()
        for turn in question.context:
            if turn.is_person:
                discussion = answerer.answers(turn.text, day, discussion)[-1].discussion
        started = time.perf_counter()
        answers = answerer.answers(question.text, day, discussion)
        return outcome_of(answers, (time.perf_counter() - started) * 1e3)

    questions = [q for name in SETS for q in read_questions(DATA / "eval" / name)]
    # The intent model turns the others away before the catalogue is asked.
    asked = [question for question in questions if question.intent != "out_of_scope"]
    return evaluate_answers(asked, respond, answerer.catalogue)


def told(report: dict[str, Any]) -> str:
    """The failures, readable, for the message of a failing test."""
    failed = [f for f in report["failures"] if set(f["got"]) - {"intent"}]  # no dialogue ran
    return "\n".join(f"{f['id']} {f['text'][:60]} got {str(f['got'])[:120]}" for f in failed)


@pytest.mark.parametrize(("key", "at_least"), [("top1", 0.88), ("top3", 0.95)])
def test_right_policy_comes_first(report: dict[str, Any], key: str, at_least: float) -> None:
    assert report[key]["n"] >= 300
    assert report[key]["value"] >= at_least, told(report)


def test_unanswerable_questions_are_refused(report: dict[str, Any]) -> None:
    assert report["refused_unanswerable"]["n"] >= 40
    assert report["refused_unanswerable"]["value"] >= 0.88, told(report)


def test_answerable_questions_are_answered(report: dict[str, Any]) -> None:
    assert report["refused_answerable"]["n"] >= 300
    assert report["refused_answerable"]["value"] <= 0.06, told(report)


def test_every_answer_cites_stored_clauses(report: dict[str, Any]) -> None:
    assert report["citation_ok"]["n"] >= 300
    assert report["citation_ok"]["value"] == 1.0, told(report)


def test_nothing_that_has_ended_is_shown_as_if_it_held(report: dict[str, Any]) -> None:
    assert report["expired_as_valid"]["n"] >= 300
    assert report["expired_as_valid"]["count"] == 0, told(report)


def test_nothing_is_said_that_must_not_be(report: dict[str, Any]) -> None:
    assert report["forbidden_said"]["n"] >= 50
    assert report["forbidden_said"]["value"] == 0.0, told(report)


def test_most_answers_hold_the_expected_facts(report: dict[str, Any]) -> None:
    assert report["facts"]["n"] >= 250
    assert report["facts"]["value"] >= 0.85, told(report)
