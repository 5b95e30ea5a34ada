"""Lists the policies that a question for all of a kind asks for, those in force first."""

from __future__ import annotations

from datetime import date

from knowledge.aptness import Aptness
from knowledge.composition import listing_text
from knowledge.kinds import policies_of_kind
from knowledge.outcome import Answer
from knowledge.policy import Facet, Status
from knowledge.retrieval import Ranking, Retriever
from knowledge.telling import Teller

MOST_LISTED = 5
# A list holds what is at least this likely, as a share of the likeliest.
LISTED_SHARE = 0.2
_IN_FORCE_FIRST = (Status.CURRENT, Status.UNKNOWN, Status.UPCOMING, Status.EXPIRED)
CONSIDERED = 10


class Listing:
    """Lists from one catalogue; never changes, so threads may share it."""

    def __init__(self, retriever: Retriever, teller: Teller, aptness: Aptness) -> None:
        self._retriever = retriever
        self._teller = teller
        self._aptness = aptness

    def list_of(self, ranking: Ranking, as_of: date) -> Answer | None:
        """Every policy that fits a question for all of a kind, those in force first; ``None`` for fewer than two."""
        floor = max(self._retriever.cuts.clarify_from, LISTED_SHARE * ranking.chance)
        fitting = [hit for hit in ranking.hits if hit.chance >= floor]
        if len(fitting) < 2 or not self._aptness.may_answer(ranking):
            kind = policies_of_kind(ranking.question, self._retriever.catalogue.policies.values())
            text = ranking.question.text
            found = self._retriever.search(text, CONSIDERED, as_of=as_of, only=kind)
            fitting = list(found.hits) if kind else []
        fitting = sorted(
            fitting[:MOST_LISTED],
            key=lambda hit: _IN_FORCE_FIRST.index(hit.policy.status_on(as_of)),
        )
        if len(fitting) < 2:
            return None
        citations = tuple(self._teller.cite(hit.policy.id, Facet.AMOUNT, as_of) for hit in fitting)
        return Answer(
            text=listing_text(citations),
            citations=citations,
            refusal=None,
            policy_id=None,
            facets=(Facet.OVERVIEW,),
            candidates=tuple(fitting),
            chance=ranking.chance,
            listed=tuple(hit.policy.id for hit in fitting),
        )
