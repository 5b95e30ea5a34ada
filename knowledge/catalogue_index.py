"""The stored index of a catalogue: words of names, records and clauses, and the vectors of all that is searched."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.catalogue import Catalogue
from knowledge.clauses import LABELS
from knowledge.dense import Progress, VectorCache
from knowledge.encoder import Encoder
from knowledge.lexical import WordIndex
from knowledge.meaning import MeaningIndex
from knowledge.policy import Clause, Facet, Policy
from knowledge.stored import Generations, StoredIndexError

# These say when, where and who for nearly every item alike; as search text they only add noise.
_NOT_SEARCHED = frozenset({Facet.VALIDITY, Facet.CONTACT, Facet.DEPARTMENT})
_FORMAT = "2"


@dataclass(frozen=True)
class CatalogueTexts:
    """What of a catalogue is indexed. ``starts`` tells which passages belong to which policy: shape ``(policies + 1,)``."""

    names: tuple[str, ...]
    documents: tuple[str, ...]
    passages: tuple[str, ...]
    starts: NDArray[np.int64]

    @property
    def content_hash(self) -> str:
        """Thirty-two hex digits that change with any text or its order."""
        digest = hashlib.blake2b(_FORMAT.encode(), digest_size=16)
        for text in (*self.names, *self.documents, *self.passages):
            said = text.encode("utf-8", "surrogatepass")
            digest.update(len(said).to_bytes(8, "little") + said)
        digest.update(self.starts.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class CatalogueIndex:
    """Four indexes over one catalogue; rows of ``names`` and ``documents`` are policies, of the others passages."""

    names: WordIndex
    documents: WordIndex
    passages: WordIndex
    meaning: MeaningIndex
    starts: NDArray[np.int64]

    def best_per_policy(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """The best of each policy's passages: shape ``(passages,)`` to ``(policies,)``; every policy has one."""
        best: NDArray[np.float32] = np.maximum.reduceat(scores, self.starts[:-1])
        return best


def texts_of(catalogue: Catalogue) -> CatalogueTexts:
    """Names, whole records, and what is searched: title, every alias and every way it is asked for alone, each telling
    clause with the title in front.
    """
    policies = list(catalogue.policies.values())
    passages = [_passages(policy, catalogue.clauses_of(policy.id)) for policy in policies]
    return CatalogueTexts(
        tuple(" ".join([policy.title, *policy.aliases]) for policy in policies),
        tuple(_document(policy, catalogue.clauses_of(policy.id)) for policy in policies),
        tuple(text for texts in passages for text in texts),
        np.cumsum([0, *map(len, passages)]).astype(np.int64),
    )


def build_index(
    texts: CatalogueTexts, encoder: Encoder, cache: VectorCache, progress: Progress | None = None
) -> CatalogueIndex:
    """Indexes ``texts``; encodes what ``cache`` does not hold."""
    return CatalogueIndex(
        WordIndex(texts.names),
        WordIndex(texts.documents),
        WordIndex(texts.passages),
        MeaningIndex(cache.vectors(encoder, texts.passages, progress)),
        texts.starts,
    )


def open_index(
    folder: Path,
    texts: CatalogueTexts,
    encoder: Encoder,
    cache: VectorCache,
    progress: Progress | None = None,
) -> CatalogueIndex:
    """The index stored in ``folder``, memory-mapped, when it was made from these texts; else built, stored and mapped.

    A new generation comes into force as a whole; a process that still reads the former one is not disturbed.

    Raises:
        EncoderError: the encoder cannot be used.
    """
    generations, content = Generations(folder), texts.content_hash
    try:
        return generations.read(lambda generation: _load(generation, texts, encoder, content))
    except StoredIndexError:
        built = build_index(texts, encoder, cache, progress)
    with generations.write() as generation:
        for name in ("names", "documents", "passages"):
            getattr(built, name).save(generation / name)
        built.meaning.save(generation / "meaning", encoder, content)
    return generations.read(lambda generation: _load(generation, texts, encoder, content))


def _load(
    generation: Path, texts: CatalogueTexts, encoder: Encoder, content: str
) -> CatalogueIndex:
    return CatalogueIndex(
        WordIndex.load(generation / "names"),
        WordIndex.load(generation / "documents"),
        WordIndex.load(generation / "passages"),
        MeaningIndex.load(generation / "meaning", encoder, content),
        texts.starts,
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
