"""Says how near each item lies to what an enterprise wants, for the order within a verdict."""

from __future__ import annotations

import math
from datetime import date

from knowledge.retrieval import Retriever

# Scores of the search lie between about -10 and 15; the curve keeps their order and reads as a share.
_SPREAD = 4.0


def similarity_to(need: str, retriever: Retriever, as_of: date) -> dict[str, float]:
    """The similarity (0-1) by policy id of every item the search considers; the others have nothing in common."""
    ranking = retriever.search(need, len(retriever.catalogue), as_of=as_of)
    return {hit.policy.id: 1 / (1 + math.exp(-hit.score / _SPREAD)) for hit in ranking.hits}
