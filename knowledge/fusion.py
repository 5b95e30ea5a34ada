"""Ranks the documents of one index for one question: words and meaning as z-scores, weighed by what the words know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from knowledge.encoder import Vectors
from knowledge.lexical import Scores, WordIndex, telling
from knowledge.meaning import MeaningIndex

Rows = NDArray[np.int64]

FEATURES = (
    "best_cosine",
    "cosine",
    "cosine_z",
    "margin",
    "cover",
    "document_cover",
    "document_share",
    "passage_share",
    "known_share",
)

TOP = 50
_DEPTH = 100  # documents each system proposes at first
_DEEPER = 4
_PASSAGES_EACH = 3
_BLOCK = 64
_MARGIN_MAX = 3.0
_MEANING_LEAST, _MEANING_MOST = 0.25, 0.7
_WHOLE_PROOF = 30.0


class System(StrEnum):
    """What ranks."""

    BOTH = "both"
    WORDS = "words"
    DENSE = "dense"


@dataclass(frozen=True)
class Found:
    """One document found: its score (higher is better; comparable within one list only), the cosine of its nearest
    passage (absent where words alone ranked), the number of its best passage, the question's words it holds.
    """

    id: str
    score: float
    cosine: float | None
    passage: int
    matched: tuple[str, ...]


@dataclass(frozen=True)
class Parts:
    """One unchanging state of an index.

    Document ``d`` has the passages ``starts[d]:starts[d + 1]``, at least one; a removed one is not ``alive``.
    ``names`` are the words of the documents' names alone, absent where they are not asked for.
    """

    ids: tuple[str, ...]
    digests: tuple[bytes, ...]
    starts: Rows
    alive: NDArray[np.bool_]
    documents: WordIndex
    passages: WordIndex
    meaning: MeaningIndex
    names: WordIndex | None = None

    @property
    def count(self) -> int:
        """Documents that are alive."""
        return int(np.count_nonzero(self.alive))

    def owners(self, passages: Rows) -> Rows:
        owners: Rows = np.searchsorted(self.starts, passages, side="right") - 1
        return owners

    def best_of(self, scores: Scores) -> Scores:
        """The best of each document's passages: shape ``(passages,)`` to ``(documents,)``."""
        best: Scores = np.maximum.reduceat(scores, self.starts[:-1])
        return best


@dataclass(frozen=True)
class _Proposal:
    """What one system puts forward: documents best first, their scores, and the most any other can have."""

    rows: Rows
    scores: Scores
    rest: float

    def scale(self, count: int, floor: float | None) -> tuple[float, float]:
        """Mean and deviation of the system's best 50 of ``count`` documents; those not listed score ``floor``."""
        top = self.scores[:TOP]
        if floor is not None:
            top = np.append(top, np.full(min(TOP, count) - len(top), floor, np.float32))
        return float(top.mean()), float(top.std()) + 1e-6


class Search:
    """One question at one state of the index.

    The order is that of all documents fused (shared notes §3), though only those are fused that a system proposes: the
    lists are made longer until no other document can reach the last place asked for. Only what an inverted file
    misses can be missed.
    """

    def __init__(
        self,
        parts: Parts,
        words: Sequence[str],
        query: Callable[[], Vectors] | None,
        system: System,
    ) -> None:
        """``query`` gives the question's vector; it is called once the words are scored."""
        self._parts, self._words, self._system = parts, list(words), system
        kept = telling(self._words) if parts.documents.singles else self._words
        self._telling = list(dict.fromkeys(kept))
        self._depth = _DEPTH
        self._count = parts.count
        self._by_document = parts.documents.scores(self._words)
        self._by_passage = parts.passages.scores(self._words)
        self._query = query() if query else None
        self._share = self._meaning_share()

    def best(self, top: int) -> list[Found]:
        rows, scores, cosines, passages = self._ranked(top)
        held = self._parts.documents.held(self._telling, rows)
        return [
            Found(
                self._parts.ids[row],
                float(scores[at]),
                None if cosines is None else float(cosines[at]),
                int(passages[at]),
                tuple(word for word, has in zip(self._telling, held[:, at], strict=True) if has),
            )
            for at, row in enumerate(rows.tolist())
        ]

    def features(self) -> tuple[float, ...]:
        """As named by ``FEATURES``; scores of words are shares of the most they could be, so that lengths compare."""
        rows, scores, cosines, _ = self._ranked(2)
        if cosines is None or not len(rows):
            return (0.0,) * len(FEATURES)
        parts, best = self._parts, int(rows[0])
        mass = sum(parts.documents.idf(word) for word in self._words) or 1.0
        known = sum(parts.documents.idf(w) for w in self._telling if parts.documents.count(w))
        nearest = self._near()
        mean, deviation = nearest.scale(self._count, None)
        own = slice(int(parts.starts[best]), int(parts.starts[best + 1]))
        return (
            float(nearest.scores[0]),
            float(cosines[0]),
            (float(cosines[0]) - mean) / deviation,
            min(float(scores[0] - scores[1]), _MARGIN_MAX) if len(rows) > 1 else _MARGIN_MAX,
            self._cover(),
            float(parts.documents.covers(self._telling, [best])[0]),
            float(self._by_document[best]) / mass,
            float(self._by_passage[own].max()) / mass,
            known / (self._mass() or 1.0),
        )

    def _ranked(self, top: int) -> tuple[Rows, Scores, Scores | None, Rows]:
        """The best rows, their scores, cosines and best passages."""
        while True:
            proposals = self._proposals()
            rows = self._candidates(proposals)
            if not len(rows):
                return rows, np.zeros(0, np.float32), None, rows
            scores, cosines, passages = self._fused(rows, proposals)
            order = self._in_order(rows, scores, top)
            bound = self._bound(proposals)
            is_whole = len(rows) >= self._count or self._depth >= self._count
            if is_whole or (len(order) == top and scores[order[-1]] > bound):
                found = None if cosines is None else cosines[order]
                return rows[order], scores[order], found, passages[order]
            self._depth *= _DEEPER

    def _in_order(self, rows: Rows, scores: Scores, top: int) -> Rows:
        """Positions of the best ``top``, equal ones by id."""
        cut = np.partition(scores, -top)[-top] if len(scores) > top else -np.inf
        near = np.flatnonzero(scores >= cut).tolist()
        near.sort(key=lambda at: (-scores[at], self._parts.ids[rows[at]]))
        return np.array(near[:top], np.int64)

    def _proposals(self) -> dict[str, _Proposal]:
        proposals = {}
        if self._system is not System.DENSE:
            proposals["document"] = self._by_words(self._by_document, None)
            proposals["passage"] = self._by_words(self._by_passage, self._parts.owners)
        if self._query is not None:
            proposals["cosine"] = self._near()
        return proposals

    def _candidates(self, proposals: dict[str, _Proposal]) -> Rows:
        if self._depth < self._count:
            return np.unique(np.concatenate([each.rows for each in proposals.values()]))
        if self._query is not None:
            return np.flatnonzero(self._parts.alive)
        owners = self._parts.owners(np.flatnonzero(self._by_passage))
        return np.union1d(np.flatnonzero(self._by_document), owners)

    def _by_words(self, scores: Scores, owners: Callable[[Rows], Rows] | None) -> _Proposal:
        """The best documents by a word score, of documents or (with ``owners``) of passages; none that scores zero."""
        k = max(self._depth, TOP) * (1 if owners is None else _PASSAGES_EACH)
        while True:
            found = best_rows(scores, k)
            rest = float(scores[found[-1]]) if len(found) >= k else 0.0
            if owners is None:
                return _Proposal(found, scores[found], rest)
            of, first = _firsts(owners(found))
            if len(of) >= min(TOP, self._count) or len(found) < k:
                return _Proposal(of, scores[found[first]], rest)
            k *= _DEEPER

    def _near(self) -> _Proposal:
        """The documents of the nearest passages."""
        parts = self._parts
        assert self._query is not None
        k = self._depth * _PASSAGES_EACH
        while True:
            passages, cosines = parts.meaning.search(self._query, k)
            owners = parts.owners(passages)
            alive = parts.alive[owners]
            of, first = _firsts(owners[alive])
            if len(of) >= min(TOP, self._count) or k >= len(parts.meaning):
                is_all = k >= len(parts.meaning)
                rest = -1.0 if is_all or not len(cosines) else float(cosines[-1])
                return _Proposal(of, cosines[alive][first], rest)
            k *= _DEEPER

    def _fused(
        self, rows: Rows, proposals: dict[str, _Proposal]
    ) -> tuple[Scores, Scores | None, Rows]:
        """Scores, nearest cosines and best passages of documents."""
        parts = self._parts
        inside, edges = _ranges(parts.starts[rows], parts.starts[rows + 1])
        fused = np.zeros(len(rows), np.float32)
        of_passage = np.zeros(len(inside), np.float32)
        cosines: Scores | None = None
        if "document" in proposals:
            weight = (1 - self._share) / 2
            mean, deviation = proposals["document"].scale(self._count, 0.0)
            fused += weight * (self._by_document[rows] - mean) / deviation
            mean, deviation = proposals["passage"].scale(self._count, 0.0)
            words = self._by_passage[inside]
            fused += weight * (np.maximum.reduceat(words, edges) - mean) / deviation
            of_passage += (1 - self._share) * (words - mean) / deviation
        if "cosine" in proposals:
            assert self._query is not None
            near = parts.meaning.cosines(self._query, inside)
            cosines = np.maximum.reduceat(near, edges)
            mean, deviation = proposals["cosine"].scale(self._count, None)
            alone = self._system is System.DENSE
            fused += cosines if alone else self._share * (cosines - mean) / deviation
            of_passage += self._share * (near - mean) / deviation
        return fused, cosines, _firsts_of_most(of_passage, edges)

    def _bound(self, proposals: dict[str, _Proposal]) -> float:
        """The most a document can score that no system proposes."""
        if self._system is System.DENSE:
            return proposals["cosine"].rest
        bound = 0.0
        for name, weight, floor in (
            ("document", (1 - self._share) / 2, 0.0),
            ("passage", (1 - self._share) / 2, 0.0),
            ("cosine", self._share, None),
        ):
            if name in proposals:
                mean, deviation = proposals[name].scale(self._count, floor)
                bound += weight * (proposals[name].rest - mean) / deviation
        return bound

    def _meaning_share(self) -> float:
        """The weight of meaning: the less of the question the best document's best passage covers, the more.

        A short question is soon covered, which proves little: its cover counts as the share its words have of what six
        telling words would weigh (docs/models.md).
        """
        if self._system is not System.BOTH:
            return 1.0 if self._system is System.DENSE else 0.0
        proof = min(1.0, self._mass() / _WHOLE_PROOF)
        return max(_MEANING_LEAST, _MEANING_MOST * (1 - self._cover() * proof))

    def _mass(self) -> float:
        """How telling the question's words are together: the sum of their idf, in nats."""
        return sum(self._parts.documents.idf(word) for word in self._telling)

    def _cover(self) -> float:
        if not len(self._by_document):
            return 0.0
        best = int(np.argmax(self._by_document))
        if not self._by_document[best]:
            return 0.0
        own = np.arange(self._parts.starts[best], self._parts.starts[best + 1])
        return float(self._parts.passages.covers(self._telling, own).max())


def best_rows(scores: Scores, k: int) -> Rows:
    """The rows of the ``k`` highest scores above zero, best first, equal ones by row.

    The k-th highest maximum of blocks is a lower bound of the k-th highest score; finding it takes a tenth of the time
    of ``np.partition`` over a million scores.
    """
    cut = np.float32(0)
    whole = len(scores) // _BLOCK
    if whole > k:
        tops = scores[: whole * _BLOCK].reshape(whole, _BLOCK).max(axis=1)
        cut = np.partition(tops, -k)[-k]
    near = np.flatnonzero((scores >= cut) & (scores > 0))
    order = np.lexsort((near, -scores[near]))[:k]
    return near[order].astype(np.int64)


def _firsts(values: Rows) -> tuple[Rows, Rows]:
    """The different values in the order they first come, and where."""
    different, first = np.unique(values, return_index=True)
    order = np.argsort(first)
    return different[order], first[order]


def _ranges(starts: Rows, stops: Rows) -> tuple[Rows, Rows]:
    """All numbers of the ranges one after another, and where each range begins among them."""
    sizes = stops - starts
    edges = np.cumsum(sizes) - sizes
    return np.repeat(starts - edges, sizes) + np.arange(sizes.sum()), edges


def _firsts_of_most(values: Scores, edges: Rows) -> Rows:
    """For each range, the place inside it of its highest value, the first of equal ones."""
    ends = np.append(edges[1:], len(values))
    is_most = values == np.repeat(np.maximum.reduceat(values, edges), ends - edges)
    places = np.flatnonzero(is_most)
    most: Rows = places[np.searchsorted(places, edges)] - edges
    return most
