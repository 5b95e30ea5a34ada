"""Says of one answered question which measures count it, and what each of them found."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from knowledge.catalogue import Catalogue
from knowledge.labels import LabelledQuestion
from knowledge.lexical import fold
from knowledge.policy import Clause, Status

# What a text says so that nobody relies on the wrong thing; ``knowledge.answer.validity_line`` writes these words.
STAMPS = {
    Status.CURRENT: "现行有效",
    Status.EXPIRED: "已过期",
    Status.UPCOMING: "尚未施行",
    Status.UNKNOWN: "未核实",
}
_NOT_IN_FORCE = frozenset({Status.EXPIRED, Status.UPCOMING})
_SPACE = re.compile(r"[\s,]+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_BETWEEN_FIGURES = re.compile(r"(?<=[\d.])[\s,]+(?=\d)")


@dataclass(frozen=True)
class CitedClause:
    """What an answer shows as its source. ``status`` is the validity it was stamped with, absent when none was."""

    policy_id: str
    title: str
    clause: str
    quote: str
    status: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What one question brought.

    ``policies`` is the ranking answered from, best first. ``refused`` means that nothing was asserted: a refusal, a
    counter-question or small talk; ``asked_back`` that it was a counter-question, ``offered`` the policies it offered
    to choose from. ``considered`` is the ranking whether or not anything was asserted, ``chance`` (0-1, absent when
    not told) how sure the search was that its first policy answers. ``latency_ms`` is the time of the turn;
    ``error`` why the turn brought nothing at all.
    """

    text: str
    citations: tuple[CitedClause, ...]
    policies: tuple[str, ...]
    refused: bool
    intent: str | None
    latency_ms: float
    asked_back: bool = False
    offered: tuple[str, ...] = ()
    considered: tuple[str, ...] = ()
    chance: float | None = None
    error: str | None = None

    @property
    def clarified(self) -> bool:
        """Whether it asserted nothing and let the person choose between policies."""
        return self.refused and bool(self.offered)


@dataclass(frozen=True)
class Case:
    """A question, what it brought, and the day it was asked, against the catalogue it was asked of."""

    question: LabelledQuestion
    outcome: Outcome
    day: date
    catalogue: Catalogue

    @property
    def asks_back_rightly(self) -> bool:
        """A counter-question to a vague question is right unless all it offers is wrong."""
        right, outcome = self.question.right_policies, self.outcome
        return (
            self.question.is_vague
            and outcome.refused
            and outcome.asked_back
            and (not outcome.offered or not right or bool(right & set(outcome.offered)))
        )

    @property
    def is_refused(self) -> bool:
        """Refused for good: neither answered nor led on to a policy."""
        return self.outcome.refused and not self.outcome.clarified and not self.asks_back_rightly

    def finds(self, ranked: Sequence[str]) -> bool:
        return bool(self.question.right_policies.intersection(ranked)) or self.asks_back_rightly

    def passes_expired_for_valid(self) -> bool:
        """Whether it cites a policy not in force that day without saying so, or under another status.

        Every policy needs a stamp of its own: two expired ones are not told by one 已过期.
        """
        unsaid: dict[Status, set[str]] = {}
        for cited in self.outcome.citations:
            policy = self.catalogue.policies.get(cited.policy_id)
            if policy is None:
                continue
            status = policy.status_on(self.day)
            is_alone = policy.clause_repeal_on(cited.clause, self.day) is not None
            right = Status.EXPIRED if is_alone and status is not Status.UPCOMING else status
            if cited.status is not None and cited.status != right:
                return True
            if status in _NOT_IN_FORCE:
                unsaid.setdefault(status, set()).add(policy.id)
        text = self.outcome.text
        return any(text.count(STAMPS[status]) < len(ids) for status, ids in unsaid.items())

    def has_status(self, expected: Status) -> bool:
        """Whether a right policy is cited, and citation and text both give the expected status."""
        right = self.question.right_policies
        given = {
            cited.status
            for cited in self.outcome.citations
            if not right or cited.policy_id in right
        }
        return bool(given & {expected.value, None}) and STAMPS[expected] in self.outcome.text


@dataclass(frozen=True)
class Measure:
    """One number of the report: a share of the cases it counts.

    ``wants`` is the finding one hopes for, ``None`` where neither is better; ``target`` the share to reach (at least
    where ``wants`` is true, at most where it is false), absent when none was set. ``find`` gives what was found, and
    ``None`` for a case that does not count.
    """

    key: str
    title: str
    wants: bool | None
    target: float | None
    find: Callable[[Case], bool | None]

    def is_reached(self, value: float) -> bool | None:
        """Whether a share meets the target; ``None`` when there is none."""
        if self.target is None or self.wants is None:
            return None
        return value >= self.target if self.wants else value <= self.target


def _among(counts: bool, found: Callable[[], bool]) -> bool | None:
    return found() if counts else None


# The definitions in words are in docs/evaluation.md; the targets come from the design notes, chapter 9.
MEASURES: tuple[Measure, ...] = (
    Measure("top1", "政策排第一", True, 0.92, lambda c: _among(
        c.question.is_findable, lambda: c.finds(c.outcome.policies[:1]))),
    Measure("top3", "政策在前三", True, 0.98, lambda c: _among(
        c.question.is_findable, lambda: c.finds([*c.outcome.policies[:3], *c.outcome.offered]))),
    Measure("facts", "数字与事实齐全", True, None, lambda c: _among(
        c.question.is_findable and bool(c.question.expected_answer_facts),
        lambda: facts_present(c.question.expected_answer_facts, c.outcome.text))),
    Measure("citation_ok", "引用与库中条款一致", True, 1.0, lambda c: _among(
        not c.outcome.refused, lambda: citations_are_stored(c.outcome.citations, c.catalogue))),
    Measure("all_cited", "该引用的政策全都引用", True, None, lambda c: _among(
        not c.question.unanswerable and bool(c.question.expected_policies_all),
        lambda: set(c.question.expected_policies_all) <= {x.policy_id for x in c.outcome.citations})),
    Measure("refused_unanswerable", "答不了的如实不答", True, 0.97, lambda c: _among(
        c.question.unanswerable, lambda: c.outcome.refused)),
    Measure("invented", "答不了的硬答", False, 0.03, lambda c: _among(
        c.question.unanswerable, lambda: not c.outcome.refused)),
    Measure("refused_answerable", "能答的误拒", False, 0.05, lambda c: _among(
        c.question.is_answerable, lambda: c.is_refused)),
    Measure("clarified_answerable", "能答的反问", None, None, lambda c: _among(
        c.question.is_answerable and not c.question.is_vague, lambda: c.outcome.clarified)),
    Measure("clarified_unanswerable", "答不了的反问", None, None, lambda c: _among(
        c.question.unanswerable, lambda: c.outcome.clarified)),
    Measure("expired_as_valid", "过期或未施行的当作有效", False, 0.0, lambda c: _among(
        not c.outcome.refused, c.passes_expired_for_valid)),
    Measure("status_ok", "有效性标注正确", True, None, lambda c: (
        None if c.question.expected_status is None or c.question.unanswerable or c.asks_back_rightly
        else c.has_status(c.question.expected_status))),
    Measure("forbidden_said", "说了不该说的", False, 0.0, lambda c: _among(
        bool(c.question.forbidden), lambda: says_any(c.question.forbidden, c.outcome.text))),
    Measure("intent_accuracy", "意图正确", True, None, lambda c: _among(
        bool(c.question.intent), lambda: c.outcome.intent == c.question.intent)),
)  # fmt: skip
MEASURE_OF: Mapping[str, Measure] = {measure.key: measure for measure in MEASURES}


def marks_of(case: Case) -> dict[str, bool]:
    """What each measure found; a measure that does not count the case is absent."""
    found = {measure.key: measure.find(case) for measure in MEASURES}
    return {key: mark for key, mark in found.items() if mark is not None}


def facts_present(facts: Sequence[str], text: str) -> bool:
    """Whether every expected figure stands in the text; spelling of width, spaces and a final 元 do not matter.

    A figure counts only as a whole: 5万元 does not stand in 15万元.
    """
    said = _plain(text)
    wanted = [_plain(fact) for fact in facts]
    return all(_stands_in(fact.removesuffix("元") or fact, said) for fact in wanted)


def says_any(forbidden: Sequence[str], text: str) -> bool:
    """Whether one of the strings stands in the text, compared as ``facts_present`` does."""
    return any(_plain(each) and facts_present([each], text) for each in forbidden)


def citations_are_stored(citations: Sequence[CitedClause], catalogue: Catalogue) -> bool:
    """Whether there is a citation and each is a stored clause, letter for letter."""
    return bool(citations) and all(stored_clause(cited, catalogue) for cited in citations)


def stored_clause(cited: CitedClause, catalogue: Catalogue) -> Clause | None:
    """The clause of the catalogue that reads as cited, ``None`` when there is none."""
    policy = catalogue.policies.get(cited.policy_id)
    if policy is None or policy.title != cited.title:
        return None
    for clause in catalogue.clauses_of(policy.id):
        if (clause.label, clause.text) == (cited.clause, cited.quote):
            return clause
    return None


def _stands_in(fact: str, said: str) -> bool:
    before = r"(?<!\d)(?<!\d\.)" if fact[:1].isdigit() else ""
    after = r"(?!\.?\d)" if fact[-1:].isdigit() else ""
    return re.search(before + re.escape(fact) + after, said) is not None


def _plain(text: str) -> str:
    apart = _BETWEEN_FIGURES.sub("|", _THOUSANDS.sub("", fold(text)))
    return _SPACE.sub("", apart)
