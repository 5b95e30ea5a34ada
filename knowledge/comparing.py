"""Sets policies side by side: finds the sides a message compares and shows what is stored of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from knowledge.aptness import Aptness
from knowledge.clauses import LABELS
from knowledge.composition import Citation, Side, comparison_text
from knowledge.outcome import Answer
from knowledge.policy import Facet, Policy
from knowledge.question import Question, asks_which_is_more, read_places, read_question
from knowledge.retrieval import Hit, Ranking, Retriever
from knowledge.segments import compared_subjects
from knowledge.telling import Teller, meant

# How many readings of either side of a comparison are weighed.
SIDE_HITS = 3
CONSIDERED = 10


class Comparing:
    """Compares policies of one catalogue; never changes, so threads may share it."""

    def __init__(self, retriever: Retriever, teller: Teller, aptness: Aptness) -> None:
        self._retriever = retriever
        self._teller = teller
        self._aptness = aptness

    def compare(self, text: str, as_of: date) -> Answer | None:
        """Two policies side by side, when the message sets two against each other and both are surely found."""
        compared = compared_subjects(text)
        if not compared:
            return None
        whole = self._retriever.search(text, CONSIDERED, as_of=as_of)
        asked = "".join(LABELS[facet] for facet in _compared_facets(text))
        for sides in compared:
            searched = [
                self._retriever.search(f"{side} {asked}", CONSIDERED, as_of=as_of) for side in sides
            ]
            pair = self._pair(searched, whole)
            if pair:
                return self.side_by_side(text, pair, as_of)
        cut = self._retriever.cuts.clarify_from  # that two are meant is said already
        sure = [hit for hit in self._one_each(whole) if hit.chance >= cut][:2]
        if len(sure) < 2 or not self._aptness.may_answer(whole):
            return None
        return self.side_by_side(text, sure, as_of)

    def _pair(self, sides: Sequence[Ranking], whole: Ranking) -> list[Hit] | None:
        """The two different policies that the two sides name: 购房支持 beside 文化企业落户支持 is the one for 文化企业.

        A side may be short for what the whole message says, so what both find counts.
        """
        if not all(map(self._is_sure, sides)):
            return None
        cuts = self._retriever.cuts
        told = {hit.policy.id: hit.score for hit in whole.hits}
        least = min(told.values(), default=0.0)
        left, right = (
            [hit for hit in side.hits[:SIDE_HITS] if hit.chance >= cuts.clarify_from]
            for side in sides
        )

        def weight(pair: Iterable[Hit]) -> float:
            return sum(hit.score + told.get(hit.policy.id, least - 1.0) / 2 for hit in pair)

        pairs = [(one, other) for one in left for other in right if one.policy != other.policy]
        return list(max(pairs, key=weight)) if pairs else None

    def _one_each(self, ranking: Ranking) -> list[Hit]:
        """The hits, only the best one of each place where several places are set against each other."""
        districts = [p for p in ranking.question.places if not read_places().inside(p)]
        if len(districts) < 2:
            return list(ranking.hits)
        best = {hit.policy.place: hit for hit in reversed(ranking.hits)}
        return [
            hit for hit in ranking.hits if hit in best.values() and hit.policy.place in districts
        ]

    def side_by_side(self, text: str, hits: Sequence[Hit], as_of: date) -> Answer:
        question = read_question(text)
        asked = _compared_facets(text)
        sides = [self._side(hit.policy, asked, question, as_of) for hit in hits]
        return Answer(
            text=comparison_text(sides, with_verdict=Facet.AMOUNT in asked and len(sides) == 2),
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
        wanted = dict.fromkeys(meant(facet, policy, question) for facet in asked)
        found = {facet: self._teller.clauses_for(facet, policy, question) for facet in wanted}
        clauses = [clause for each in found.values() for clause in each]
        status = policy.status_on(as_of)
        cited = list(dict.fromkeys(clauses)) or self._retriever.catalogue.clauses_of(policy.id)[:1]
        return Side(
            tuple(Citation(clause, policy, status) for clause in cited),
            tuple(facet for facet, each in found.items() if not each),
        )

    def _is_sure(self, ranking: Ranking) -> bool:
        return (
            self._aptness.may_answer(ranking) and ranking.chance >= self._retriever.cuts.answer_from
        )


def _compared_facets(text: str) -> tuple[Facet, ...]:
    question = read_question(text)
    if asks_which_is_more(question.search_text):
        return (Facet.AMOUNT,)
    return question.facets or (Facet.AMOUNT,)
