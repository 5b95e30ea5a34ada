"""The development questions, answered without the dialogue: right policy, refusals and citations reach the bar."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import pytest

from knowledge.answer import Answer, Answerer
from knowledge.catalogue import DATA
from knowledge.evaluate import CitedClause, Outcome, evaluate_answers
from knowledge.labels import LabelledQuestion, read_questions

TODAY = date(2026, 11, 24)


def outcome_of(answer: Answer, intent: str | None, latency_ms: float) -> Outcome:
    spoken_of = [answer.policy_id] if answer.policy_id else []
    found = [hit.policy.id for hit in answer.candidates]
    return Outcome(
        text=answer.text,
        citations=tuple(
            CitedClause(c.policy.id, c.policy.title, c.clause.label, c.clause.text)
            for c in answer.citations
        ),
        policies=tuple(dict.fromkeys([*spoken_of, *found])),
        refused=answer.refusal is not None,
        intent=intent,
        latency_ms=latency_ms,
    )


@pytest.fixture(scope="module")
def report(answerer: Answerer) -> dict[str, Any]:
    def respond(question: LabelledQuestion) -> Outcome:
        under_discussion: str | None = None
        for turn in question.context:
            if turn.is_person:
                said = answerer.answer(turn.text, TODAY, under_discussion)
                under_discussion = said.policy_id or under_discussion
        started = time.perf_counter()
        answer = answerer.answer(question.text, TODAY, under_discussion)
        return outcome_of(answer, question.intent, (time.perf_counter() - started) * 1e3)

    questions = read_questions(DATA / "eval" / "dev.jsonl")
    return evaluate_answers(questions, respond, answerer.catalogue)


def told(report: dict[str, Any]) -> str:
    """The failures, readable, for the message of a failing test."""
    return "\n".join(f"{f['id']} {f['text']} got {f['got']}" for f in report["failures"])


@pytest.mark.parametrize(("key", "at_least"), [("top1", 0.85), ("top3", 0.95)])
def test_right_policy_comes_first(report: dict[str, Any], key: str, at_least: float) -> None:
    assert report[key]["n"] >= 200
    assert report[key]["value"] >= at_least, told(report)


def test_unanswerable_questions_are_refused(report: dict[str, Any]) -> None:
    assert report["refused_unanswerable"]["n"] >= 80
    assert report["refused_unanswerable"]["value"] >= 0.90, told(report)


def test_answerable_questions_are_answered(report: dict[str, Any]) -> None:
    assert report["refused_answerable"]["n"] >= 200
    assert report["refused_answerable"]["value"] <= 0.10, told(report)


def test_every_answer_cites_stored_clauses(report: dict[str, Any]) -> None:
    assert report["citation_ok"]["n"] >= 200
    assert report["citation_ok"]["value"] == 1.0, told(report)


def test_most_answers_hold_the_expected_facts(report: dict[str, Any]) -> None:
    assert report["facts"]["n"] >= 200
    assert report["facts"]["value"] >= 0.80, told(report)
