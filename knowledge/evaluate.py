"""Scores answers against labelled questions: shares with 95 % intervals, by group, with what was mixed up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from scipy.stats import binomtest

from knowledge.catalogue import Catalogue
from knowledge.confusion import (
    confused_facets,
    confused_policies,
    intent_matrix,
    reliability,
)
from knowledge.labels import LABELLED_FOR, LabelledQuestion
from knowledge.measures import (
    MEASURES,
    Case,
    CitedClause,
    Outcome,
    citations_are_stored,
    facts_present,
    marks_of,
)

__all__ = [
    "CitedClause",
    "Judged",
    "Outcome",
    "Respond",
    "citations_are_stored",
    "evaluate_answers",
    "facts_present",
    "judge_answers",
    "report_on",
    "share",
]

Respond = Callable[[LabelledQuestion], Outcome]
Share = dict[str, float | int | None]
NONE = "none"


@dataclass(frozen=True)
class Judged:
    """A question played and judged: what each measure that counts it found."""

    case: Case
    marks: Mapping[str, bool]

    @property
    def question(self) -> LabelledQuestion:
        return self.case.question

    @property
    def outcome(self) -> Outcome:
        return self.case.outcome


def share(hits: Iterable[bool]) -> Share:
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
    as_of: date = LABELLED_FOR,
) -> dict[str, Any]:
    """The report of ``qifu eval qa``; see ``report_on``."""
    return report_on(judge_answers(questions, respond, catalogue, progress, as_of))


def judge_answers(
    questions: Sequence[LabelledQuestion],
    respond: Respond,
    catalogue: Catalogue,
    progress: Callable[[], None] = lambda: None,
    as_of: date = LABELLED_FOR,
) -> list[Judged]:
    """Plays every question, in their order. ``as_of`` is the day of those that name none."""
    judged = []
    for question in questions:
        case = Case(question, respond(question), question.as_of or as_of, catalogue)
        judged.append(Judged(case, marks_of(case)))
        progress()
    return judged


def report_on(judged: Sequence[Judged]) -> dict[str, Any]:
    """The report of ``qifu eval qa``; its keys are a contract.

    Shares are ``{"value","low","high","n"}``. They count:

    - ``top1``, ``top3``: findable questions (not unanswerable, some policy is right) whose answer is first from a
      right policy, or has one among the first three. A refusal misses. A clarification (a counter-question that
      offers policies to choose from, citing none) misses ``top1`` and hits ``top3`` when an offered policy is right;
      where the label wants ``clarify`` a counter-question hits both, unless all it offers is wrong.
    - ``facts``: findable questions with expected facts, all of which stand in the text.
    - ``citation_ok``: answers that cite stored clauses, letter for letter. ``all_cited``: questions with
      ``expected_policies_all`` whose answer cites each.
    - ``refused_unanswerable``: unanswerable questions for which nothing was asserted, a clarification included;
      ``invented`` is the rest. ``refused_answerable``: answerable questions that were refused, or asked back without
      offering a policy. ``clarified_answerable`` (those labelled ``clarify`` left out), ``clarified_unanswerable``.
    - ``expired_as_valid``: answers that cite a policy not in force on the day (``Policy.status_on``) and do not say
      so, or that cite one under another status than it has that day; ``count`` beside the share is their number.
    - ``status_ok``: questions with ``expected_status`` whose answer gives it in text and citation; a refusal misses.
    - ``forbidden_said``: questions with ``forbidden`` strings of which one stands in the text.
    - ``intent_accuracy``: questions with an intent.

    ``breakdown`` has the same shares by ``facet level kind intent adversarial context file``; ``confusion`` what was
    taken for what; ``reliability`` the told chance against what came true, absent (null) where none was told;
    ``errors`` is the number of turns that brought nothing at all.
    """
    latencies = [each.outcome.latency_ms for each in judged]
    cases = [each.case for each in judged]
    shares = _shares(judged)
    expired = sum(each.marks.get("expired_as_valid", False) for each in judged)
    return {
        **shares,
        "expired_as_valid": {**shares["expired_as_valid"], "count": expired},
        "latency_ms": {
            "p50": round(float(np.percentile(latencies, 50)), 2),
            "p95": round(float(np.percentile(latencies, 95)), 2),
        },
        "errors": sum(each.outcome.error is not None for each in judged),
        "breakdown": {name: _grouped(judged, group) for name, group in GROUPS.items()},
        "confusion": {
            "policies": confused_policies(cases),
            "facets": confused_facets(cases),
            "intents": intent_matrix(cases),
        },
        "reliability": reliability(cases),
        "failures": [failure for each in judged if (failure := _failure(each))],
    }


def _shares(judged: Sequence[Judged]) -> dict[str, Share]:
    return {
        measure.key: share(each.marks[measure.key] for each in judged if measure.key in each.marks)
        for measure in MEASURES
    }


def _grouped(judged: Sequence[Judged], group: Callable[[Case], str]) -> dict[str, Any]:
    """The shares of each group, largest first, without the measures that count nobody in it."""
    members: dict[str, list[Judged]] = {}
    for each in judged:
        members.setdefault(group(each.case), []).append(each)
    return {
        name: {key: found for key, found in _shares(each).items() if found["n"]}
        for name, each in sorted(members.items(), key=lambda item: -len(item[1]))
    }


def _level(case: Case) -> str:
    """The level of the right policy, of any of them where several are."""
    question = case.question
    for policy_id in (question.policy_id, *sorted(question.right_policies)):
        if policy_id in case.catalogue.policies:
            return case.catalogue.policies[policy_id].level.value
    return NONE


GROUPS: Mapping[str, Callable[[Case], str]] = {
    "facet": lambda case: case.question.facet or NONE,
    "level": _level,
    "kind": lambda case: case.question.kind or NONE,
    "intent": lambda case: case.question.intent or NONE,
    "adversarial": lambda case: "yes" if case.question.adversarial else "no",
    "context": lambda case: "with" if case.question.context else "without",
    "file": lambda case: case.question.file or NONE,
}


def _failure(judged: Judged) -> dict[str, Any] | None:
    """What went wrong with one question, ``None`` when nothing did."""
    question, outcome, marks = judged.question, judged.outcome, judged.marks
    got: dict[str, Any] = {}
    want: dict[str, Any] = {}
    if outcome.error is not None:
        got["error"], want["error"] = outcome.error, None
    if marks.get("invented"):
        got["answered"], want["answered"] = outcome.policies[:1], None
    if marks.get("refused_answerable"):
        got["refused"], want["refused"] = True, False
    if marks.get("clarified_answerable"):
        got["offered"], want["answered"] = list(outcome.offered), sorted(question.right_policies)
    elif marks.get("top1") is False:
        got["policies"] = list(outcome.policies[:3])
        want["policies"] = sorted(question.right_policies)
    if _lacks_facts(judged):
        got["text"], want["facts"] = outcome.text, question.expected_answer_facts
    if marks.get("citation_ok") is False:
        got["citations"], want["citations"] = len(outcome.citations), "stored clauses"
    if marks.get("all_cited") is False:
        got["cited"] = sorted({cited.policy_id for cited in outcome.citations})
        want["cited"] = question.expected_policies_all
    if marks.get("expired_as_valid") or marks.get("status_ok") is False:
        got["status"] = {cited.policy_id: cited.status for cited in outcome.citations}
        want["status"] = _statuses(judged)
    if marks.get("forbidden_said"):
        got["text"], want["forbidden"] = outcome.text, question.forbidden
    if marks.get("intent_accuracy") is False:
        got["intent"], want["intent"] = outcome.intent, question.intent
    return {"id": question.id, "text": question.text, "got": got, "want": want} if got else None


def _lacks_facts(judged: Judged) -> bool:
    """Whether an answer, right or wrong, lacks expected facts; a refusal is told as such."""
    facts = judged.question.expected_answer_facts
    outcome = judged.outcome
    return (
        judged.question.is_answerable
        and not outcome.refused
        and not facts_present(facts, outcome.text)
    )


def _statuses(judged: Judged) -> dict[str, str]:
    """The status on the day of every policy cited, and of the right ones when one was expected."""
    case = judged.case
    named = {cited.policy_id for cited in judged.outcome.citations}
    if judged.question.expected_status is not None:
        named |= judged.question.right_policies
    known = case.catalogue.policies
    return {each: known[each].status_on(case.day).value for each in sorted(named & set(known))}
