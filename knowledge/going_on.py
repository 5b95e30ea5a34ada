"""Goes on about what a conversation is about: the like of it elsewhere or in another year, a listed one by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from knowledge.aptness import is_out_of_reach
from knowledge.clauses import facets_recorded
from knowledge.composition import (
    NO_PROMISE,
    PROMISE_OF_WHAT,
    holds_there_text,
    no_such_year_text,
    not_alike_text,
    only_listed_text,
)
from knowledge.discussion import Discussion, matter_of
from knowledge.follow_up import features_of, read_model
from knowledge.lexical import fold, tokens
from knowledge.outcome import Answer, Refusal, refuse
from knowledge.policy import Facet, Policy
from knowledge.question import Question, is_ellipsis, points_back, read_places
from knowledge.retrieval import Ranking, Retriever
from knowledge.telling import Teller
from knowledge.years import covers_year, years_told


class GoingOn:
    """Goes on within one catalogue; never changes, so threads may share it."""

    def __init__(self, retriever: Retriever, teller: Teller) -> None:
        self._retriever = retriever
        self._catalogue = retriever.catalogue
        self._teller = teller
        self._follow_ups = read_model()

    def first_with(self, facets: Sequence[Facet], listed: Sequence[str]) -> str | None:
        """The first of the policies offered whose record tells what is asked; nobody has chosen between them."""
        known = [policy_id for policy_id in listed if policy_id in self._catalogue.policies]
        telling = (
            policy_id
            for policy_id in known
            if set(facets) <= facets_recorded(self._catalogue.policies[policy_id])
        )
        return next(telling, known[0] if known else None)

    def called(self, asked: Question, discussion: Discussion) -> str | None:
        """The one listed policy whose name holds all of what a short question names: 那个团队的呢."""
        text = asked.search_text
        if not asked.subject or not (is_ellipsis(text) or points_back(text)):
            return None
        named = [
            policy_id
            for policy_id in discussion.listed
            if (policy := self._catalogue.policies.get(policy_id))
            and set(asked.subject) <= set(tokens(fold(policy.title)))
        ]
        return named[0] if len(named) == 1 else None

    def alike(
        self, discussed: Policy, asked: Question, facets: Sequence[Facet], as_of: date
    ) -> Answer:
        """The like of the policy under discussion in the place named, or an honest no."""
        inside = {p.id for p in self._catalogue.policies.values() if p.place in asked.places}
        text = f"{asked.places[0]}{matter_of(discussed)}"
        ranking = self._retriever.search(text, as_of=as_of, only=inside)
        ranking = replace(ranking, question=replace(ranking.question, facets=tuple(facets)))
        if not ranking.hits or ranking.chance < self._retriever.cuts.answer_from:
            if discussed.place is None or discussed.place in read_places().around(asked.places[0]):
                answer = self._teller.detail(discussed.id, facets, as_of, asked.text)
                return replace(answer, text=f"{holds_there_text(asked.places)}\n{answer.text}")
            refused = not_alike_text(discussed, asked.places)
            return refuse(refused, Refusal.NOTHING_FOUND, ranking)
        return self._teller.about(ranking.hits[0].policy, ranking.question, as_of, ranking)

    def in_year(self, discussed: Policy, year: int, facets: Sequence[Facet], as_of: date) -> Answer:
        """The record of that year on the same matter; where there is none, the one there is, not taken for that year's."""
        if covers_year(discussed, year):
            return self._teller.detail(discussed.id, facets, as_of)
        policies = self._catalogue.policies.values()
        beside = {p.id for p in policies if p.place == discussed.place and covers_year(p, year)}
        ranking = self._retriever.search(matter_of(discussed), 1, as_of=as_of, only=beside)
        if beside and ranking.chance >= self._retriever.cuts.answer_from:
            return self._teller.detail(ranking.hits[0].policy.id, facets, as_of)
        answer = self._teller.detail(discussed.id, facets, as_of)
        if answer.refusal:
            return answer
        lead = no_such_year_text(year, years_told(discussed))
        return replace(answer, text=f"{lead}\n{answer.text}")

    def promise(self, asked: Question, discussion: Discussion, as_of: date) -> Answer:
        """Conditions instead of a promise, of what is under discussion; else which item is meant."""
        spoken_of = discussion.policy_id or self.first_with((), discussion.listed)
        if spoken_of not in self._catalogue.policies:
            return refuse(PROMISE_OF_WHAT, Refusal.ASKS_WHICH, Ranking(asked, ()))
        answer = self._teller.detail(spoken_of, (Facet.CONDITIONS,), as_of)
        if answer.refusal:
            answer = self._teller.detail(spoken_of, (), as_of)
        return replace(answer, text=f"{answer.text}\n{NO_PROMISE}")

    def only_listed(self, asked: Question, discussion: Discussion, as_of: date) -> Answer:
        """第八个 of five: says how many there are and asks which of them is meant."""
        listed = [self._catalogue.policies.get(policy_id) for policy_id in discussion.listed]
        policies = [policy for policy in listed if policy]
        text = only_listed_text(policies, as_of)
        answer = refuse(text, Refusal.UNCLEAR, Ranking(asked, ()))
        return replace(answer, offered=tuple(policy.id for policy in policies))

    def is_follow_up(self, ranking: Ranking, discussed: Policy) -> bool:
        """Whether the question leans on the policy under discussion instead of naming a subject of its own.

        What it names, and what search finds for it alone, tell (``follow_up``); nothing found surely decides nothing.
        """
        question = ranking.question
        if question.elsewhere or question.doc_no or is_out_of_reach(question, discussed):
            return False
        if not question.subject or (ranking.hits and ranking.hits[0].policy.id == discussed.id):
            return True
        return self._follow_ups.says(features_of(ranking, discussed, self._retriever))
