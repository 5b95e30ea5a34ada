"""An encoder without an engine: a vector is drawn from the hash of the text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from knowledge.encoder import Vectors


class HashEncoder:
    """Equal texts get equal unit vectors; ``asked`` counts the texts it was given."""

    dim = 16

    def __init__(self, name: str = "hash-1") -> None:
        self.name = name
        self.asked = 0

    def queries(self, texts: Sequence[str]) -> Vectors:
        self.asked += len(texts)
        return np.stack([self._vector(text) for text in texts])

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self.queries(texts)

    def _vector(self, text: str) -> Vectors:
        seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
        row = np.random.default_rng(seed).normal(size=self.dim).astype(np.float32)
        unit: Vectors = row / np.linalg.norm(row)
        return unit
