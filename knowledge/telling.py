"""Tells what is stored of one policy: the facets asked for, what its record lacks, its validity."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from knowledge.clauses import grants_money
from knowledge.composition import (
    NO_PROMISE,
    Citation,
    compose,
    detail_not_recorded_text,
    not_recorded_text,
)
from knowledge.detail import Details
from knowledge.discussion import Discussion
from knowledge.outcome import Answer, Refusal, refuse
from knowledge.policy import Clause, Facet, Policy, Status
from knowledge.question import Question, asks_for_money, asks_for_promise, read_question
from knowledge.retrieval import Hit, Ranking, Retriever

# A clause that holds this share of the question's words is shown although its facet was not asked for by name.
SPEAKS_OF_IT = 0.35
WORDING_SHOWN = 2
# The clauses nearest to a question come with the others of their article up to this many characters.
WORDING_CHARS = 800
OFFERED = 2
_HOW = re.compile(r"免申|免.{0,2}申请|申请|申报|平台|网")
# What a policy gives, and the note on it, belong to these facets: whoever asks for conditions asks what for.
_ALONG_WITH = frozenset(
    {Facet.AMOUNT, Facet.CONDITIONS, Facet.PROCESS, Facet.VALIDITY, Facet.WINDOW}
)
_ALONG = (Facet.AMOUNT, Facet.OVERVIEW)
# Where one of these is asked for, 申请 beside it asks for nothing more.
_TELL_HOW = frozenset({Facet.MATERIALS, Facet.WINDOW, Facet.CONTACT, Facet.DEPARTMENT})
# What is recorded for these is all that can be asked of them.
_WHOLE_ANSWERS = frozenset({Facet.CONTACT, Facet.DEPARTMENT, Facet.VALIDITY})


class Teller:
    """Tells of the policies of one catalogue; never changes, so threads may share it."""

    def __init__(self, retriever: Retriever, before: Teller | None = None) -> None:
        """``before`` tells of an earlier state of the catalogue: what has not changed is not read again."""
        self._retriever = retriever
        self._catalogue = retriever.catalogue
        known = None if before is None else before._details
        self._details: Details = Details(retriever.catalogue, before=known)

    def detail(
        self, policy_id: str, facets: Sequence[Facet], as_of: date, text: str = ""
    ) -> Answer:
        """Answers about a known policy: the facets asked for, or an overview.

        Raises:
            KeyError: the catalogue holds no such policy.
        """
        question = read_question(text)
        chosen = frozenset(facets) - set(question.facets)  # by the caller, not read from the text
        sure = question.sure_facets | chosen
        question = replace(question, facets=tuple(facets), sure_facets=sure)
        hit = Hit(self._catalogue.policies[policy_id], 0.0, 1.0, None, ())
        answer = self.about(hit.policy, question, as_of, Ranking(question, (hit,)))
        return replace(
            answer, question=text, discussion=Discussion(policy_id, tuple(answer.facets))
        )

    def cite(self, policy_id: str, facet: Facet, as_of: date) -> Citation:
        """The stored clause that shows a policy best for one facet, else its first. Raises ``KeyError`` for no policy."""
        policy = self._catalogue.policies[policy_id]
        clauses = self._catalogue.clauses_of(policy_id)
        clause = next((c for c in clauses if c.facet is facet), clauses[0])
        return Citation(clause, policy, policy.status_of(clause, as_of))

    def about(self, policy: Policy, question: Question, as_of: date, ranking: Ranking) -> Answer:
        asked = tuple(meant(facet, policy, question) for facet in question.facets)
        if set(asked) & _TELL_HOW:
            asked = tuple(facet for facet in asked if facet is not Facet.PROCESS)
        asked = asked or (Facet.OVERVIEW,)
        shown: list[Clause] = []
        missing: list[Facet] = []
        for facet in asked:
            found = self.clauses_for(facet, policy, question)
            shown += found
            if not found:
                missing.append(facet)
        stating = self._details.facets_stating(question.text, policy) if missing else ()
        if stating and missing[0] is asked[0] and question.text:
            # 认哪天以后搬来的 asks for a time that stands among the conditions.
            asked, missing = stating, []
            shown = [c for facet in stating for c in self.clauses_for(facet, policy, question)]
        if missing and missing[0] is asked[0] and question.text:
            # The rest is a guess beside it: what was really asked for is not there.
            found_surely = (set(asked) - set(missing)) & question.sure_facets
            shown = shown if found_surely else []
        if not shown:
            refused = not_recorded_text(policy, missing, as_of)
            answer = refuse(refused, Refusal.NOT_RECORDED, ranking)
            return replace(answer, policy_id=policy.id, facets=tuple(asked))
        is_told = bool(set(asked) & question.sure_facets & _WHOLE_ANSWERS)
        if question.text and not is_told and self._details.is_missing(question.text, policy):
            unstated = self._details.unstated(question.text, policy)
            refused = detail_not_recorded_text(policy, as_of, unstated)
            answer = refuse(refused, Refusal.DETAIL_NOT_RECORDED, ranking)
            return replace(answer, policy_id=policy.id)
        for facet in question.likely_facets if question.text else ():
            shown += self.clauses_for(facet, policy, question)
        for facet in _ALONG if set(asked) & _ALONG_WITH else ():
            shown += [
                c for c in self.clauses_for(facet, policy, question) if c not in policy.wording
            ]
        clauses = self._catalogue.clauses_of(policy.id)
        best = self._retriever.best_clause(policy.id, question.subject, clauses)
        if best and best[1] >= SPEAKS_OF_IT:
            shown.append(best[0])
        shown = list(dict.fromkeys(shown))
        if Facet.PROCESS in asked and not _tells_how(policy, shown):
            missing.append(Facet.PROCESS)
        status = policy.status_on(as_of)
        return Answer(
            text=compose(policy, shown, missing, status, asked, as_of) + _disclaimer(question),
            citations=tuple(Citation(c, policy, policy.status_of(c, as_of)) for c in shown),
            refusal=None,
            policy_id=policy.id,
            facets=tuple(asked),
            candidates=ranking.hits,
            chance=ranking.chance,
            related=self._related(policy, ranking, as_of),
        )

    def _related(self, policy: Policy, ranking: Ranking, as_of: date) -> tuple[str, ...]:
        """Other policies that may well be meant: surely fitting, not ended ones of the ranking, at most ``OFFERED``."""
        sure = self._retriever.cuts.answer_from
        useful = {Status.CURRENT, Status.UNKNOWN}
        fitting = [
            h.policy.id
            for h in ranking.hits
            if h.policy.id != policy.id and h.chance >= sure and h.policy.status_on(as_of) in useful
        ]
        return tuple(fitting[:OFFERED])

    def clauses_for(self, facet: Facet, policy: Policy, question: Question) -> list[Clause]:
        """The stored clauses that answer one facet; empty when the record does not hold the detail."""
        clauses = self._catalogue.clauses_of(policy.id)
        found: list[Clause] = []
        for wanted in _facets_that_answer(facet, policy):
            worded = [c for c in policy.wording if c.facet is wanted]
            recorded = [c for c in clauses if c.facet is wanted and c not in worded]
            found += recorded or self._worded(question, worded)
        if not found and facet is Facet.OVERVIEW:
            found = self._retriever.nearest_clauses(question, policy.wording, WORDING_SHOWN + 1)
        return found

    def _worded(self, question: Question, worded: Sequence[Clause]) -> list[Clause]:
        """What a document says on a facet, in its order: the nearest clauses, each with the rest of its article.

        A clause such as 应当符合以下条件： says nothing without its items, nor do they without it.
        """
        nearest = self._retriever.nearest_clauses(question, worded, WORDING_SHOWN)
        articles = [_article_of(clause, worded) for clause in nearest]
        whole = [c for c in worded if c in nearest or any(_stands_in(c, at) for at in articles)]
        is_short = sum(len(clause.text) for clause in whole) <= WORDING_CHARS
        return whole if is_short else nearest


def _tells_how(policy: Policy, shown: Sequence[Clause]) -> bool:
    """Whether what is shown says how to apply; department, time and papers alone do not."""
    is_process = any(clause.facet is Facet.PROCESS for clause in shown)
    return is_process or _HOW.search(policy.summary or "") is not None


def _article_of(clause: Clause, among: Sequence[Clause]) -> tuple[str, ...]:
    """Where the outermost of the clauses that this one stands in, or is, stands itself."""
    around = [each.path for each in among if _stands_in(clause, each.path)]
    return min(around, key=len, default=())


def _stands_in(clause: Clause, path: tuple[str, ...]) -> bool:
    return bool(path) and clause.path[: len(path)] == path


def _disclaimer(question: Question) -> str:
    return f"\n{NO_PROMISE}" if asks_for_promise(question.search_text) else ""


def meant(facet: Facet, policy: Policy, question: Question) -> Facet:
    """打分多少才过 asks how much, but of a condition: where no money is granted and none is asked for."""
    if question.text and facet is Facet.AMOUNT and not grants_money(policy):
        return facet if asks_for_money(question.search_text) else Facet.CONDITIONS
    return facet


def _facets_that_answer(facet: Facet, policy: Policy) -> list[Facet]:
    if facet is Facet.OVERVIEW:
        return [Facet.AMOUNT, Facet.CONDITIONS, Facet.OVERVIEW]
    if facet is Facet.PROCESS:
        how = [Facet.AMOUNT] if _HOW.search(policy.summary or "") else []
        return [
            Facet.PROCESS,
            *how,
            Facet.WINDOW,
            Facet.MATERIALS,
            Facet.DEPARTMENT,
            Facet.OVERVIEW,
        ]
    if facet is Facet.AMOUNT:
        return [Facet.AMOUNT] if grants_money(policy) else []
    if facet is Facet.VALIDITY:
        return [Facet.VALIDITY, Facet.WINDOW]
    return [facet]
