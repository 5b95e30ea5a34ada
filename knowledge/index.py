"""Finds documents by words and meaning together: the stored engine under catalogue search, evaluation and benches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from knowledge.cells import ASKED
from knowledge.dense import Progress, VectorCache
from knowledge.encoder import Encoder, Vectors
from knowledge.fusion import FEATURES, Found, Parts, Rows, Search, System
from knowledge.growth import with_sources, without
from knowledge.lexical import WordIndex, fold, question_words, tokens
from knowledge.meaning import FLAT_BELOW, MeaningIndex
from knowledge.sources import Source, combined, content_hash, different_ids
from knowledge.stored import (
    Generations,
    StoredIndexError,
    damaged,
    read_array,
    read_json,
    write_array,
    write_json,
)

__all__ = ["FEATURES", "Found", "HybridIndex", "Source", "System", "content_hash"]

_THREADS = 2
# Removed documents keep their rows; from this share on the index is built anew without them.
_DEAD_SHARE = 0.25


class HybridIndex:
    """BM25 of whole documents and of passages, and cosines of passages, fused as z-scores (shared notes §3).

    ``rank`` and ``features`` may run in many threads beside one writer. Nothing is written before ``save``.
    """

    def __init__(self, parts: Parts, encoder: Encoder, cache: VectorCache | None = None) -> None:
        self._parts = parts
        self._encoder = encoder
        self._cache = cache
        self._row_of = {id_: row for row, id_ in enumerate(parts.ids) if parts.alive[row]}
        self._threads = ThreadPoolExecutor(_THREADS, "encode-question")

    @classmethod
    def build(
        cls,
        sources: Iterable[Source],
        encoder: Encoder,
        cache: VectorCache,
        progress: Progress | None = None,
        singles: bool = False,
        named: bool = False,
    ) -> HybridIndex:
        """Indexes ``sources``; encodes what ``cache`` does not hold, so a build that was killed goes on where it stopped.

        ``singles`` takes single characters as words too: better for spoken questions, twice the postings. ``named``
        keeps the words of names apart as well.

        Raises:
            EncoderError: the encoder or its stored vectors cannot be used.
            ValueError: two sources have one id.
        """
        sources = list(sources)
        ids = different_ids(sources)
        texts = [text for source in sources for text in source.searched]
        asked = None
        if len(texts) >= FLAT_BELOW:  # titles are the likest thing to questions there is
            asked = encoder.queries([s.title for s in sources[:: max(1, len(sources) // ASKED)]])
        parts = Parts(
            ids,
            tuple(source.digest for source in sources),
            np.cumsum([0, *(len(source.searched) for source in sources)]).astype(np.int64),
            np.ones(len(sources), bool),
            WordIndex((source.text for source in sources), singles),
            WordIndex(texts, singles),
            MeaningIndex(cache.vectors(encoder, texts, progress), asked=asked),
            WordIndex((source.names for source in sources), singles) if named else None,
        )
        return cls(parts, encoder, cache)

    def updated(
        self, sources: Sequence[Source], cache: VectorCache, progress: Progress | None = None
    ) -> HybridIndex:
        """Another index that holds exactly ``sources``, made of this one by the documents that differ.

        It ranks as one built of them; this one stays as it is for whoever searches it, and itself where nothing differs.
        Where a quarter of the rows would be dead it is built anew.

        Raises:
            EncoderError: the encoder or its stored vectors cannot be used.
            ValueError: two sources have one id.
        """
        different_ids(sources)
        parts = self._parts
        wanted = {source.id: source.digest for source in sources}
        gone = [row for id_, row in self._row_of.items() if wanted.get(id_) != parts.digests[row]]
        kept = self._row_of.keys() - {parts.ids[row] for row in gone}
        new = [source for source in sources if source.id not in kept]
        if not gone and not new:
            return self
        dead = len(parts.ids) - len(kept)
        if dead > _DEAD_SHARE * (len(parts.ids) + len(new)):
            singles, named = parts.documents.singles, parts.names is not None
            return self.build(sources, self._encoder, cache, progress, singles, named)
        texts = [text for source in new for text in source.searched]
        vectors = cache.vectors(self._encoder, texts, progress)
        return HybridIndex(with_sources(without(parts, gone), new, vectors), self._encoder, cache)

    def __len__(self) -> int:
        return len(self._row_of)

    def __contains__(self, id: str) -> bool:
        return id in self._row_of

    @property
    def parts(self) -> Parts:
        """The state it is in now, for those who weigh its scores by themselves."""
        return self._parts

    def rows(self, ids: Iterable[str]) -> Rows:
        """Where documents stand among the rows of ``parts``, in the order of ``ids``.

        Raises:
            KeyError: one of them is not in the index.
        """
        return np.fromiter((self._row_of[id_] for id_ in ids), np.int64)

    @property
    def content_hash(self) -> str:
        """As ``content_hash`` of the sources it holds now."""
        return _content(self._parts)

    @property
    def kind(self) -> str:
        """How meaning is searched, for a report."""
        return self._parts.meaning.kind

    def add(self, source: Source) -> None:
        """Takes a document in; one with the same id is replaced.

        Raises:
            EncoderError: the encoder or its stored vectors cannot be used; nothing has changed then.
        """
        texts = list(source.searched)
        vectors = (
            self._cache.vectors(self._encoder, texts)
            if self._cache
            else self._encoder.passages(texts)
        )
        old = self._parts
        if source.id in self._row_of:
            old = without(old, [self._row_of[source.id]])
        self._parts = with_sources(old, [source], vectors)
        self._row_of[source.id] = len(old.ids)

    def remove(self, id: str) -> None:
        """Takes a document out.

        Raises:
            KeyError: it is not in the index.
        """
        if id not in self._row_of:
            raise KeyError(f"document {id!r} is not in the index")
        self._parts = without(self._parts, [self._row_of[id]])
        del self._row_of[id]

    def without(self, ids: Iterable[str]) -> HybridIndex:
        """Another index, as this one would be without some documents; they share what is large. Unknown ids may be named."""
        rows = sorted({self._row_of[id_] for id_ in ids if id_ in self._row_of})
        return HybridIndex(without(self._parts, rows), self._encoder, self._cache)

    def rank(
        self,
        text: str,
        top: int = 10,
        system: System = System.BOTH,
        words: Sequence[str] | None = None,
    ) -> list[Found]:
        """The best ``top`` documents, best first, equal ones by id; none for a text without any word or sign.

        ``words`` are searched instead of the text's own (with synonyms, say). Words alone find only what shares one.
        """
        parts = self._parts
        if top < 1 or not parts.count or not fold(text):
            return []
        asked = self._words(text) if words is None else list(words)
        return Search(parts, asked, self._query(text, system), system).best(top)

    def features(self, text: str, words: Sequence[str] | None = None) -> tuple[float, ...]:
        """What a model of "the index holds the answer" needs, as named by ``FEATURES``; zeros where nothing is found."""
        parts = self._parts
        if not parts.count or not fold(text):
            return (0.0,) * len(FEATURES)
        asked = self._words(text) if words is None else list(words)
        return Search(parts, asked, self._query(text, System.BOTH), System.BOTH).features()

    def _words(self, text: str) -> list[str]:
        return question_words(text) if self._parts.documents.singles else tokens(text)

    def _query(self, text: str, system: System) -> Callable[[], Vectors] | None:
        """The question's vector in the making; the words are scored meanwhile."""
        if system is System.WORDS:
            return None
        return self._threads.submit(lambda: self._encoder.queries([text])[0]).result

    def save(self, folder: Path) -> None:
        """Stores the index as a new generation of ``folder``; what has not changed is not written again.

        Raises:
            OSError: the folder cannot be written; the generation in force stays.
        """
        parts = self._parts
        with Generations(folder).write() as target:
            content = _content(parts)
            parts.documents.save(target / "documents")
            parts.passages.save(target / "passages")
            if parts.names is not None:
                parts.names.save(target / "names")
            parts.meaning.save(target / "meaning", self._encoder, content)
            write_json(target / "ids.json", parts.ids)
            write_array(target / "starts.npy", parts.starts)
            write_array(target / "alive.npy", parts.alive)
            digests = np.frombuffer(b"".join(parts.digests), np.uint8).reshape(-1, 16)
            write_array(target / "digests.npy", digests)
        for index, name in (
            (parts.documents, "documents"),
            (parts.passages, "passages"),
            (parts.meaning, "meaning"),
            (parts.names, "names"),
        ):
            if index is not None:
                index.stored_in(target / name)

    @classmethod
    def load(cls, folder: Path, encoder: Encoder, cache: VectorCache | None = None) -> HybridIndex:
        """The index stored in ``folder``, mapped. ``cache`` keeps the vectors of what is added later.

        Raises:
            StoredIndexError: nothing is stored there, or a file is damaged; names it.
            EncoderError: the index was made with another encoder, dimension or prompts.
        """
        return cls(Generations(folder).read(lambda path: _read(path, encoder)), encoder, cache)


def stored_content(folder: Path) -> str | None:
    """The ``content_hash`` of the index stored in ``folder``; absent where there is none that can be read."""
    try:
        told = Generations(folder).read(lambda path: read_json(path / "meaning" / "manifest.json"))
        return str(told["content"])
    except (StoredIndexError, KeyError, TypeError):
        return None


def _content(parts: Parts) -> str:
    return combined(parts.digests[row] for row in np.flatnonzero(parts.alive).tolist())


def _read(folder: Path, encoder: Encoder) -> Parts:
    manifest = folder / "meaning" / "manifest.json"
    told = read_json(manifest)
    parts = Parts(
        tuple(read_json(folder / "ids.json")),
        tuple(bytes(row) for row in read_array(folder / "digests.npy", np.uint8, ndim=2)),
        np.array(read_array(folder / "starts.npy", np.int64)),
        np.array(read_array(folder / "alive.npy", np.bool_)),
        WordIndex.load(folder / "documents"),
        WordIndex.load(folder / "passages"),
        MeaningIndex.load(folder / "meaning", encoder),
        WordIndex.load(folder / "names") if (folder / "names").is_dir() else None,
    )
    counts = {len(parts.ids), len(parts.digests), len(parts.alive), len(parts.documents)}
    counts |= set() if parts.names is None else {len(parts.names)}
    rows = {
        len(parts.starts) - 1 and int(parts.starts[-1]),
        len(parts.passages),
        len(parts.meaning),
    }
    if counts != {len(parts.starts) - 1} or len(rows) != 1:
        raise damaged(folder, "its files do not fit each other")
    if told["content"] != _content(parts):
        raise damaged(manifest, "it was made from other texts")
    return parts
