"""Ranks texts by meaning: their vectors in a FAISS index, encoded once and kept by content."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from zipfile import BadZipFile

import faiss
import numpy as np

from knowledge.encoder import Encoder, Vectors
from knowledge.errors import EncoderError

Progress = Callable[[int, int], None]
_BATCH = 16


class VectorCache:
    """Vectors of texts on disk, one file an encoder, found again by the text's hash."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def vectors(
        self, encoder: Encoder, texts: Sequence[str], progress: Progress | None = None
    ) -> Vectors:
        """Shape ``(len(texts), encoder.dim)``; encodes only texts not met before.

        ``progress(done, total)`` counts the texts that had to be encoded.
        """
        path = self._folder / f"{encoder.name.replace('/', '_')}.npz"
        known = self._read(path, encoder)
        keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        missing = {k: text for k, text in zip(keys, texts, strict=True) if k not in known}
        new = list(missing)
        for start in range(0, len(new), _BATCH):
            batch = new[start : start + _BATCH]
            vectors = encoder.passages([missing[key] for key in batch])
            known.update(zip(batch, vectors, strict=True))
            if progress:
                progress(start + len(batch), len(new))
        if new:
            self._write(path, known)
        rows = [known[key] for key in keys]
        return np.array(rows, np.float32).reshape(len(rows), encoder.dim)

    def _read(self, path: Path, encoder: Encoder) -> dict[str, Vectors]:
        if not path.exists():
            return {}
        try:
            with path.open("rb") as file, np.load(file) as stored:
                keys, matrix = stored["keys"], stored["vectors"]
        except (ValueError, KeyError, EOFError, BadZipFile) as error:
            raise EncoderError(
                f"{path}: damaged file of stored vectors ({error}); delete it to encode anew"
            ) from error
        if matrix.shape[1] != encoder.dim:
            raise EncoderError(
                f"{path.name}: stored vectors have {matrix.shape[1]} dimensions, encoder {encoder.name!r} gives "
                f"{encoder.dim}; delete the file to encode anew"
            )
        return dict(zip(keys.tolist(), matrix, strict=True))

    def _write(self, path: Path, known: dict[str, Vectors]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".npz", delete=False) as file:
            try:
                np.savez(file, keys=np.array(list(known)), vectors=np.stack(list(known.values())))
            except BaseException:
                os.unlink(file.name)
                raise
        os.replace(file.name, path)


class RememberingEncoder:
    """An encoder that keeps the vectors of passages on disk; questions pass through."""

    def __init__(self, encoder: Encoder, cache: VectorCache) -> None:
        self._encoder, self._cache = encoder, cache
        self.name, self.dim = encoder.name, encoder.dim

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.queries(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._cache.vectors(self._encoder, texts)


class MeaningIndex:
    """Exact inner-product search; flat is fastest below about 300,000 vectors."""

    def __init__(self, vectors: Vectors) -> None:
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(np.ascontiguousarray(vectors, np.float32))

    def scores(self, query: Vectors) -> Vectors:
        """Cosine of ``query`` (shape ``(dim,)``) with every text, shape ``(texts,)``, in text order."""
        found, order = self._index.search(
            query.reshape(1, -1).astype(np.float32), self._index.ntotal
        )
        scores = np.empty(self._index.ntotal, np.float32)
        scores[order[0]] = found[0]
        return scores
