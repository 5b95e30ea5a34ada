"""The stored index of a catalogue: what of each policy is searched, and the scores of a question policy by policy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.catalogue import Catalogue
from knowledge.clauses import LABELS
from knowledge.dense import Progress, VectorCache
from knowledge.encoder import Encoder, Vectors
from knowledge.fusion import Rows
from knowledge.index import HybridIndex, Source, stored_content
from knowledge.lexical import Scores, WordIndex
from knowledge.policy import Clause, Facet, Policy
from knowledge.stored import StoredIndexError

# These say when, where and who for nearly every item alike; as search text they only add noise.
_NOT_SEARCHED = frozenset({Facet.VALIDITY, Facet.CONTACT, Facet.DEPARTMENT})


class PolicyWords:
    """A word index seen policy by policy, in the order of the catalogue."""

    def __init__(self, index: WordIndex, rows: Rows) -> None:
        self._index, self._rows = index, rows

    def scores(self, words: Sequence[str]) -> Scores:
        """BM25, shape ``(policies,)``."""
        scores: Scores = self._index.scores(words)[self._rows]
        return scores

    def idf(self, word: str) -> float:
        """As ``WordIndex.idf``."""
        return self._index.idf(word)

    def cover(self, words: Sequence[str], at: int) -> float:
        """As ``WordIndex.cover``, of the policy at this place."""
        return self._index.cover(words, int(self._rows[at]))

    def held(self, words: Sequence[str], at: Sequence[int] | Rows) -> NDArray[np.bool_]:
        """Shape ``(len(words), len(at))``: which of the policies at these places hold which words."""
        return self._index.held(words, self._rows[np.asarray(at, np.int64)])


class CatalogueIndex:
    """The ``HybridIndex`` of a catalogue, each policy a document; every array is in the order of the catalogue.

    It never changes: ``updated`` makes the next one, which shares with it what has not changed.
    """

    def __init__(self, index: HybridIndex, sources: Sequence[Source]) -> None:
        parts = index.parts
        if parts.names is None:
            raise ValueError("the index of a catalogue keeps names apart")
        self._index, self._parts = index, parts
        self._rows = index.rows(source.id for source in sources)
        self.documents = PolicyWords(parts.documents, self._rows)
        self.names = PolicyWords(parts.names, self._rows)

    @property
    def content_hash(self) -> str:
        """Changes with any text that is searched."""
        return self._index.content_hash

    @property
    def passage_count(self) -> int:
        """How many passages are searched, those of removed policies left out."""
        return int(np.diff(self._parts.starts)[self._rows].sum())

    def clause_scores(self, words: Sequence[str]) -> Scores:
        """BM25 of each policy's best passage, shape ``(policies,)``."""
        best: Scores = self._parts.best_of(self._parts.passages.scores(words))[self._rows]
        return best

    def cosines(self, query: Vectors) -> Scores:
        """The cosine of each policy's nearest passage, shape ``(policies,)``."""
        best: Scores = self._parts.best_of(self._parts.meaning.scores(query))[self._rows]
        return best

    def passages_of(self, at: int, last: int) -> Rows:
        """The rows of the last passages of the policy at this place: its clauses (``searched``)."""
        end = int(self._parts.starts[self._rows[at] + 1])
        return np.arange(end - last, end)

    def passage_words(self, words: Sequence[str], rows: Rows) -> tuple[Scores, NDArray[np.bool_]]:
        """BM25 of passages, shape ``(rows,)``, and which of them hold which words, ``(words, rows)``."""
        passages = self._parts.passages
        return passages.scores(words)[rows], passages.held(words, rows)

    def passage_cosines(self, query: Vectors, rows: Rows) -> Scores:
        """Shape ``(rows,)``."""
        return self._parts.meaning.cosines(query, rows)

    def updated(
        self, catalogue: Catalogue, cache: VectorCache, progress: Progress | None = None
    ) -> CatalogueIndex:
        """The index of a changed catalogue, which ranks as one built of it.

        Raises:
            EncoderError: the encoder cannot be used.
        """
        sources = sources_of(catalogue)
        return CatalogueIndex(self._index.updated(sources, cache, progress), sources)

    def keep(self, folder: Path) -> None:
        """Stores it in ``folder``, unless another process has stored the same already.

        Raises:
            OSError: the folder cannot be written.
        """
        if stored_content(folder) != self.content_hash:
            self._index.save(folder)


def build_index(
    catalogue: Catalogue, encoder: Encoder, cache: VectorCache, progress: Progress | None = None
) -> CatalogueIndex:
    """Indexes a catalogue; encodes what ``cache`` does not hold.

    Raises:
        EncoderError: the encoder cannot be used.
    """
    sources = sources_of(catalogue)
    return CatalogueIndex(HybridIndex.build(sources, encoder, cache, progress, named=True), sources)


def open_index(
    folder: Path,
    catalogue: Catalogue,
    encoder: Encoder,
    cache: VectorCache,
    progress: Progress | None = None,
) -> CatalogueIndex:
    """The index stored in ``folder``, memory-mapped, brought up to this catalogue; else built, stored and mapped.

    A new generation comes into force as a whole; a process that still reads the former one is not disturbed.

    Raises:
        EncoderError: the encoder cannot be used.
    """
    sources = sources_of(catalogue)
    try:
        stored = _load(folder, encoder, cache)
    except StoredIndexError:
        HybridIndex.build(sources, encoder, cache, progress, named=True).save(folder)
        stored = _load(folder, encoder, cache)
    index = CatalogueIndex(stored.updated(sources, cache, progress), sources)
    index.keep(folder)
    return index


def _load(folder: Path, encoder: Encoder, cache: VectorCache) -> HybridIndex:
    index = HybridIndex.load(folder, encoder, cache)
    if index.parts.names is None:
        raise StoredIndexError(f"{folder}: the stored index lacks the words of names")
    return index


def sources_of(catalogue: Catalogue) -> list[Source]:
    """Names, whole records, and what is searched: title, every alias and every way it is asked for alone, each telling
    clause with the title in front.
    """
    return [
        source_of(policy, catalogue.clauses_of(policy.id)) for policy in catalogue.policies.values()
    ]


def texts_encoded(catalogue: Catalogue) -> list[str]:
    """What the index asks the vector cache for, in its order."""
    return [text for source in sources_of(catalogue) for text in source.searched]


def source_of(policy: Policy, clauses: Sequence[Clause]) -> Source:
    """One policy as the index takes it."""
    return Source(
        policy.id,
        policy.title,
        tuple(_passages(policy, clauses)),
        _document(policy, clauses),
        " ".join([policy.title, *policy.aliases]),
    )


def _document(policy: Policy, clauses: Sequence[Clause]) -> str:
    names = [policy.title, *policy.aliases, policy.category, policy.benefit_type]
    texts = (clause.text for clause in clauses)
    return " ".join([*names, *policy.industries, *policy.asked, *texts])


def searched(clauses: Sequence[Clause]) -> list[Clause]:
    """The clauses of a policy that are searched; theirs are the last of its passages, in this order."""
    return [clause for clause in clauses if clause.facet not in _NOT_SEARCHED]


def _passages(policy: Policy, clauses: Sequence[Clause]) -> list[str]:
    return [
        policy.title,
        *policy.aliases,
        *policy.asked,
        *(f"{policy.title} {_heading(clause)}：{clause.text}" for clause in searched(clauses)),
    ]


def _heading(clause: Clause) -> str:
    """What a clause is about: its facet for a record, the headings it stands under for a document."""
    return " ".join(clause.path) if clause.path else LABELS[clause.facet]
