"""Finds the policies that a message sets against each other, two to four of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import product

from knowledge.aptness import Aptness
from knowledge.clauses import LABELS, grants_money
from knowledge.composition import compared_for_money_text, too_many_sides_text
from knowledge.outcome import Answer, Refusal, refuse
from knowledge.policy import Level
from knowledge.question import asks_which_is_more, read_places, read_question
from knowledge.retrieval import Hit, Ranking, Retriever
from knowledge.segments import compared_subjects, enumerated
from knowledge.side_by_side import SideBySide, compared_facets

# How many readings of either side of a comparison are weighed.
SIDE_HITS = 3
MOST_SIDES = 4
# Which gives more is asked of one giver: 境内上市和境外上市哪个奖励多 compares what the district gives for either.
SAME_PLACE = 2.0
CONSIDERED = 10
# What is asked of either side to find what it gives, where the side itself is only recognised: 国高 against 专精特新.
_REWARD = "奖励"
_NEAREST_FIRST = (Level.DISTRICT, Level.CITY, Level.PROVINCE, Level.NATION)


class Comparing:
    """Compares policies of one catalogue; never changes, so threads may share it."""

    def __init__(self, retriever: Retriever, side_by_side: SideBySide, aptness: Aptness) -> None:
        self._retriever = retriever
        self._side_by_side = side_by_side
        self._aptness = aptness

    def compare(self, text: str, as_of: date) -> Answer | None:
        """The policies that a message sets against each other side by side; ``None`` where it sets none, or one is unsure."""
        compared = compared_subjects(text)
        if not compared:
            return None
        several = self._several(text, as_of)
        if several:
            return several
        whole = self._retriever.search(text, CONSIDERED, as_of=as_of)
        for sides in compared:
            pair = self._pair(self._searched(sides, text, as_of), whole)
            if pair:
                return self._shown(text, sides, pair, as_of)
        cut = self._retriever.cuts.clarify_from  # that two are meant is said already
        sure = [hit for hit in self._one_each(whole) if hit.chance >= cut][:2]
        if len(sure) < 2 or not self._aptness.may_answer(whole):
            return None
        return self._side_by_side.show(text, sure, as_of)

    def _searched(self, sides: Sequence[str], text: str, as_of: date) -> list[Ranking]:
        asked = "".join(LABELS[facet] for facet in compared_facets(text))
        return [
            self._retriever.search(f"{side} {asked}", CONSIDERED, as_of=as_of) for side in sides
        ]

    def _several(self, text: str, as_of: date) -> Answer | None:
        """Three or four things named one after the other; of more it is asked which are meant."""
        sides = enumerated(text)
        if len(sides) < 3:
            return None
        searched = self._searched(sides, text, as_of)
        if not all(map(self._is_sure, searched)):
            return None
        if len(sides) > MOST_SIDES:
            if len({ranking.hits[0].policy.id for ranking in searched}) <= MOST_SIDES:
                return None
            asked_back = too_many_sides_text(sides, MOST_SIDES)
            return refuse(asked_back, Refusal.ASKS_WHICH, Ranking(read_question(text), ()))
        found = self._apart(searched, {})
        return self._shown(text, sides, found, as_of) if found else None

    def _pair(self, sides: Sequence[Ranking], whole: Ranking) -> list[Hit] | None:
        """The two different policies that the two sides name: 购房支持 beside 文化企业落户支持 is the one for 文化企业.

        A side may be short for what the whole message says, so what both find counts.
        """
        if not all(map(self._is_sure, sides)):
            return None
        told = {hit.policy.id: hit.score for hit in whole.hits}
        alike = asks_which_is_more(whole.question.search_text)
        return self._apart(sides, told, SAME_PLACE if alike else 0.0)

    def _apart(
        self, sides: Sequence[Ranking], told: dict[str, float], same_place: float = 0.0
    ) -> list[Hit] | None:
        """The likeliest different policies, one for each side.

        ``told`` are the scores for the whole message, ``same_place`` what counts for those that one place gives.
        """
        cut = self._retriever.cuts.clarify_from
        least = min(told.values(), default=0.0)
        likely = [[h for h in side.hits[:SIDE_HITS] if h.chance >= cut] for side in sides]

        def weight(hits: Iterable[Hit]) -> float:
            more = (told.get(hit.policy.id, least - 1.0) / 2 if told else 0.0 for hit in hits)
            alike = same_place if len({hit.policy.place for hit in hits}) == 1 else 0.0
            return sum(hit.score for hit in hits) + sum(more) + alike

        apart = [
            hits for hits in product(*likely) if len({hit.policy.id for hit in hits}) == len(hits)
        ]
        return list(max(apart, key=weight)) if apart else None

    def _shown(self, text: str, sides: Sequence[str], hits: Sequence[Hit], as_of: date) -> Answer:
        """Side by side; whoever asks which gives more is shown what gives, not what is only recognised."""
        if not asks_which_is_more(read_question(text).search_text):
            return self._side_by_side.show(text, hits, as_of)
        chosen, notes = list(hits), list[str]()
        for at, side in enumerate(sides):
            if grants_money(hits[at].policy):
                continue
            others = {hit.policy.id for hit in chosen if hit is not chosen[at]}
            giving = self._giving(side, others, as_of)
            if giving:
                chosen[at] = giving
                notes.append(compared_for_money_text(side, hits[at].policy, giving.policy))
        return self._side_by_side.show(text, chosen, as_of, notes)

    def _giving(self, side: str, others: set[str], as_of: date) -> Hit | None:
        """What gives money for the subject of a side: from the district before the city, then the likeliest."""
        ranking = self._retriever.search(f"{side}{_REWARD}", CONSIDERED, as_of=as_of)
        sure = self._retriever.cuts.answer_from
        reach = {None, *read_places().around(read_places().home)}
        reach |= set(ranking.question.places)
        fitting = [
            hit
            for hit in ranking.hits
            if hit.chance >= sure
            and hit.policy.amount_max_cny is not None
            and hit.policy.place in reach
            and hit.policy.id not in others
        ]
        order = {hit.policy.id: number for number, hit in enumerate(fitting)}
        return min(
            fitting,
            key=lambda hit: (_NEAREST_FIRST.index(hit.policy.level), order[hit.policy.id]),
            default=None,
        )

    def _one_each(self, ranking: Ranking) -> list[Hit]:
        """The hits, only the best one of each place where several places are set against each other."""
        districts = [p for p in ranking.question.places if not read_places().inside(p)]
        if len(districts) < 2:
            return list(ranking.hits)
        best = {hit.policy.place: hit for hit in reversed(ranking.hits)}
        return [
            hit for hit in ranking.hits if hit in best.values() and hit.policy.place in districts
        ]

    def _is_sure(self, ranking: Ranking) -> bool:
        return (
            self._aptness.may_answer(ranking) and ranking.chance >= self._retriever.cuts.answer_from
        )
