"""Shows policies side by side: what is stored of each on what was asked, and which gives more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from knowledge.composition import Citation, Side, comparison_text
from knowledge.outcome import Answer
from knowledge.policy import Facet, Policy
from knowledge.question import Question, asks_which_is_more, read_question
from knowledge.retrieval import Hit, Retriever
from knowledge.telling import Teller, meant


class SideBySide:
    """Shows the policies of one catalogue; never changes, so threads may share it."""

    def __init__(self, retriever: Retriever, teller: Teller) -> None:
        self._catalogue = retriever.catalogue
        self._teller = teller

    def show(
        self, text: str, hits: Sequence[Hit], as_of: date, notes: Sequence[str] = ()
    ) -> Answer:
        """At least two policies, in order; ``notes`` say what was left out or chosen."""
        question = read_question(text)
        asked = compared_facets(text)
        sides = [self._side(hit.policy, asked, question, as_of) for hit in hits]
        return Answer(
            text=comparison_text(sides, with_verdict=Facet.AMOUNT in asked, notes=notes),
            citations=tuple(citation for side in sides for citation in side.citations),
            refusal=None,
            policy_id=None,
            facets=tuple(asked),
            candidates=tuple(hits),
            chance=min(hit.chance for hit in hits),
            listed=tuple(hit.policy.id for hit in hits),
        )

    def _side(
        self, policy: Policy, asked: Sequence[Facet], question: Question, as_of: date
    ) -> Side:
        """What the record says of the facets asked for; where it says nothing, what the policy is."""
        wanted = dict.fromkeys(
            facet if asks_which_is_more(question.search_text) else meant(facet, policy, question)
            for facet in asked
        )
        found = {facet: self._teller.clauses_for(facet, policy, question) for facet in wanted}
        clauses = [clause for each in found.values() for clause in each]
        cited = list(dict.fromkeys(clauses)) or self._catalogue.clauses_of(policy.id)[:1]
        return Side(
            tuple(Citation(clause, policy, policy.status_of(clause, as_of)) for clause in cited),
            tuple(facet for facet, each in found.items() if not each),
        )


def compared_facets(text: str) -> tuple[Facet, ...]:
    """What of the sides a comparison is about."""
    question = read_question(text)
    if asks_which_is_more(question.search_text):
        return (Facet.AMOUNT,)
    return question.facets or (Facet.AMOUNT,)
