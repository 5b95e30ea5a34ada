"""The two searches that an evaluation may ask: a corpus from outside, or the catalogue through the bot's own search."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Protocol

from knowledge.absence import PresenceModel, presence_features
from knowledge.catalogue import Catalogue
from knowledge.corpus import Corpus, Document, Query
from knowledge.encoder import WORDS_ONLY
from knowledge.index import HybridIndex, System
from knowledge.question import read_question
from knowledge.retrieval import Retriever


class Ranker(Protocol):
    """What an evaluation asks; documents are named by id, best first."""

    def hybrid(self, text: str, top: int) -> list[str]:
        """By words and meaning together: the search that is measured."""

    def dense(self, text: str, top: int) -> list[str]:
        """By meaning alone."""

    def chance(self, text: str, left_out: Collection[str]) -> float:
        """The chance (0-1) that an answer is here, ``left_out`` taken away."""


class CorpusRanker:
    """A corpus from outside, which has no places, levels or dates to go by."""

    def __init__(self, index: HybridIndex, presence: PresenceModel) -> None:
        self._index, self._presence = index, presence

    def hybrid(self, text: str, top: int) -> list[str]:
        return [each.id for each in self._index.rank(text, top)]

    def dense(self, text: str, top: int) -> list[str]:
        return [each.id for each in self._index.rank(text, top, System.DENSE)]

    def chance(self, text: str, left_out: Collection[str]) -> float:
        seen = self._index.without(left_out) if left_out else self._index
        return self._presence.chance(presence_features(seen, text))


class CatalogueRanker:
    """The catalogue, asked as the bot and ``qifu catalogue search`` ask it, on one day.

    ``by_clause`` ranks clauses: those of the first policy, then those of the second, as the search lists them.
    """

    def __init__(self, retriever: Retriever, as_of: date, by_clause: bool = False) -> None:
        self._retriever, self._as_of, self._by_clause = retriever, as_of, by_clause

    def hybrid(self, text: str, top: int) -> list[str]:
        if not self._by_clause:
            ranking = self._retriever.search(text, top, as_of=self._as_of)
            return [hit.policy.id for hit in ranking.hits]
        found = self._retriever.search_clauses(text, top, as_of=self._as_of)
        return [each.clause.id for _, clauses in found for each in clauses][:top]

    def dense(self, text: str, top: int) -> list[str]:
        if self._retriever.encoder.name == WORDS_ONLY:
            return []
        question = read_question(text)
        nearest = self._retriever.nearest(question, top)
        if not self._by_clause:
            return nearest
        clauses = (self._retriever.clauses(question, policy_id) for policy_id in nearest)
        found = [each for own in clauses for each in own]
        found.sort(key=lambda each: -(each.cosine or 0.0))
        return [each.clause.id for each in found[:top]]

    def chance(self, text: str, left_out: Collection[str]) -> float:
        gone = {each.split("#")[0] for each in left_out}
        return self._retriever.search(text, as_of=self._as_of, without=gone).chance


def catalogue_corpus(catalogue: Catalogue, queries: Sequence[Query]) -> tuple[Corpus, bool]:
    """The catalogue as a corpus, and whether its documents are clauses: where any question names one (``FT-001#amount``)."""
    by_clause = any("#" in doc_id for query in queries for doc_id in query.doc_ids)
    if by_clause:
        documents = tuple(
            Document(id=c.id, title=catalogue.policies[c.policy_id].title, text=c.text)
            for c in catalogue.clauses.values()
        )
    else:
        documents = tuple(
            Document(
                id=policy.id,
                title=" ".join([policy.title, *policy.aliases]),
                text="\n".join(c.text for c in catalogue.clauses_of(policy.id)),
            )
            for policy in catalogue.policies.values()
        )
    return Corpus(documents, tuple(queries)), by_clause
