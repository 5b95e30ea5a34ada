"""Scores answers against labelled questions: right policy, figures, citations, refusals, with 95 % intervals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest

from knowledge.catalogue import Catalogue
from knowledge.labels import LabelledQuestion
from knowledge.lexical import fold

_SPACE = re.compile(r"[\s,]+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_BETWEEN_FIGURES = re.compile(r"(?<=[\d.])[\s,]+(?=\d)")


@dataclass(frozen=True)
class CitedClause:
    """What an answer shows as its source."""

    policy_id: str
    title: str
    clause: str
    quote: str


@dataclass(frozen=True)
class Outcome:
    """What one question brought.

    ``policies`` is the ranking considered, best first. ``refused`` means that nothing was asserted: a refusal, a
    counter-question or small talk. ``latency_ms`` is the time of the turn.
    """

    text: str
    citations: tuple[CitedClause, ...]
    policies: tuple[str, ...]
    refused: bool
    intent: str | None
    latency_ms: float


Respond = Callable[[LabelledQuestion], Outcome]


def share(hits: Iterable[bool]) -> dict[str, float | int | None]:
    """A share with its 95 % Wilson interval (Wilson 1927); all ``None`` when nothing was counted."""
    counted = list(hits)
    if not counted:
        return {"value": None, "low": None, "high": None, "n": 0}
    interval = binomtest(sum(counted), len(counted)).proportion_ci(0.95, "wilson")
    return {
        "value": round(sum(counted) / len(counted), 4),
        "low": round(float(interval.low), 4),
        "high": round(float(interval.high), 4),
        "n": len(counted),
    }


def evaluate_answers(
    questions: Sequence[LabelledQuestion],
    respond: Respond,
    catalogue: Catalogue,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """The report of ``qifu eval qa``; its keys are a contract."""
    outcomes: list[tuple[LabelledQuestion, Outcome]] = []
    for question in questions:
        outcomes.append((question, respond(question)))
        progress()
    findable = [(q, o) for q, o in outcomes if not q.unanswerable and q.right_policies]
    answerable = [(q, o) for q, o in outcomes if not q.unanswerable and _wants_answer(q)]
    latencies = [outcome.latency_ms for _, outcome in outcomes]
    return {
        "top1": share(bool(set(o.policies[:1]) & q.right_policies) for q, o in findable),
        "top3": share(bool(set(o.policies[:3]) & q.right_policies) for q, o in findable),
        "facts": share(
            facts_present(q.expected_answer_facts, o.text)
            for q, o in findable
            if q.expected_answer_facts
        ),
        "citation_ok": share(
            citations_are_stored(o.citations, catalogue) for _, o in outcomes if not o.refused
        ),
        "refused_unanswerable": share(o.refused for q, o in outcomes if q.unanswerable),
        "refused_answerable": share(o.refused for q, o in answerable),
        "intent_accuracy": share(o.intent == q.intent for q, o in outcomes if q.intent),
        "latency_ms": {
            "p50": round(float(np.percentile(latencies, 50)), 2),
            "p95": round(float(np.percentile(latencies, 95)), 2),
        },
        "failures": [failure for q, o in outcomes if (failure := _failure(q, o, catalogue))],
    }


def facts_present(facts: Sequence[str], text: str) -> bool:
    """Whether every expected figure stands in the text; spelling of width, spaces and a final 元 do not matter.

    A figure counts only as a whole: 5万元 does not stand in 15万元.
    """
    said = _plain(text)
    return all(_stands_in(_plain(fact).removesuffix("元"), said) for fact in facts)


def _stands_in(fact: str, said: str) -> bool:
    before = r"(?<!\d)(?<!\d\.)" if fact[:1].isdigit() else ""
    after = r"(?!\.?\d)" if fact[-1:].isdigit() else ""
    return re.search(before + re.escape(fact) + after, said) is not None


def citations_are_stored(citations: Sequence[CitedClause], catalogue: Catalogue) -> bool:
    """Whether there is a citation and each is a stored clause, letter for letter."""
    stored = {
        (clause.policy_id, catalogue.policies[clause.policy_id].title, clause.label, clause.text)
        for clause in catalogue.clauses.values()
    }
    return bool(citations) and all(
        (c.policy_id, c.title, c.clause, c.quote) in stored for c in citations
    )


def _wants_answer(question: LabelledQuestion) -> bool:
    return bool(question.right_policies) or question.expected_action == "answer"


def _plain(text: str) -> str:
    apart = _BETWEEN_FIGURES.sub("|", _THOUSANDS.sub("", fold(text)))
    return _SPACE.sub("", apart)


def _failure(
    question: LabelledQuestion, outcome: Outcome, catalogue: Catalogue
) -> dict[str, Any] | None:
    """What went wrong with one question, ``None`` when nothing did."""
    got: dict[str, Any] = {}
    want: dict[str, Any] = {}
    if question.unanswerable:
        if not outcome.refused:
            got["answered"], want["answered"] = outcome.policies[:1], None
    elif _wants_answer(question):
        if outcome.refused:
            got["refused"], want["refused"] = True, False
        if question.right_policies and not set(outcome.policies[:1]) & question.right_policies:
            got["policies"], want["policies"] = (
                list(outcome.policies[:3]),
                sorted(question.right_policies),
            )
        if not outcome.refused and not facts_present(question.expected_answer_facts, outcome.text):
            got["text"], want["facts"] = outcome.text, question.expected_answer_facts
    if not outcome.refused and not citations_are_stored(outcome.citations, catalogue):
        got["citations"], want["citations"] = len(outcome.citations), "stored clauses"
    if question.intent and outcome.intent != question.intent:
        got["intent"], want["intent"] = outcome.intent, question.intent
    return {"id": question.id, "text": question.text, "got": got, "want": want} if got else None
