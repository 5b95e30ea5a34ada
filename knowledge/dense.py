"""Ranks texts by meaning: encoded once and kept by content, searched exactly or through a FAISS index."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from knowledge.encoder import Encoder, Vectors
from knowledge.meaning import FLAT_BELOW, MeaningIndex
from knowledge.vectors import VectorStore, key_of

__all__ = ["FLAT_BELOW", "MeaningIndex", "Progress", "RememberingEncoder", "VectorCache"]

Progress = Callable[[int, int], None]

_BATCH = 16
_STORE_EVERY_S = 1.0


class VectorCache:
    """Vectors of texts on disk, one folder an encoder, found again by the text's hash.

    What is encoded is stored batch by batch: a process that dies half-way goes on where it stopped when it is run
    again. Several processes may share a cache.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def vectors(
        self, encoder: Encoder, texts: Sequence[str], progress: Progress | None = None
    ) -> Vectors:
        """Shape ``(len(texts), encoder.dim)``; encodes only texts not met before.

        ``progress(done, total)`` counts the texts that had to be encoded.

        Raises:
            EncoderError: stored vectors are damaged or of another dimension; says what to delete.
        """
        store = VectorStore(self.path(encoder), encoder.name, encoder.dim)
        keys = [key_of(text) for text in texts]
        missing = {
            key: text
            for key, text, place in zip(keys, texts, store.find(keys).tolist(), strict=True)
            if place < 0
        }
        if missing:
            self._encode(encoder, store, missing, progress)
            store.reload()
        return store.read(store.find(keys))

    def path(self, encoder: Encoder) -> Path:
        """The folder of one encoder's vectors."""
        return self._folder / f"{encoder.name.replace('/', '_')}.vectors"

    def is_filled(self, encoder: Encoder) -> bool:
        """Whether anything is stored for this encoder."""
        return any(self.path(encoder).glob("shard-*.keys"))

    def _encode(
        self,
        encoder: Encoder,
        store: VectorStore,
        missing: dict[bytes, str],
        progress: Progress | None,
    ) -> None:
        # Texts of one length together need no padding.
        keys = sorted(missing, key=lambda key: len(missing[key]))
        _Writer(store, keys, missing, progress).run(encoder)


class _Writer:
    """Encodes texts in order and stores what it has about once a second, and whenever it stops."""

    def __init__(
        self,
        store: VectorStore,
        keys: Sequence[bytes],
        texts: Mapping[bytes, str],
        progress: Progress | None,
    ) -> None:
        self._store, self._keys, self._texts, self._progress = store, keys, texts, progress
        self._done = 0

    def run(self, encoder: Encoder) -> None:
        waiting: list[Vectors] = []
        stored, since = self._done, time.monotonic()
        try:
            while self._done < len(self._keys):
                batch = self._keys[self._done : self._done + _BATCH]
                waiting.append(encoder.passages([self._texts[key] for key in batch]))
                self._done += len(batch)
                if time.monotonic() - since > _STORE_EVERY_S:
                    self._store.append(self._keys[stored : self._done], np.concatenate(waiting))
                    stored, since, waiting = self._done, time.monotonic(), []
                if self._progress:
                    self._progress(self._done, len(self._keys))
        finally:
            if waiting:
                self._store.append(self._keys[stored : self._done], np.concatenate(waiting))


class RememberingEncoder:
    """An encoder that keeps the vectors of passages on disk; questions pass through."""

    def __init__(self, encoder: Encoder, cache: VectorCache) -> None:
        self._encoder, self._cache = encoder, cache
        self.name, self.dim = encoder.name, encoder.dim

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.queries(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._cache.vectors(self._encoder, texts)
