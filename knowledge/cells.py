"""Proposes the nearest of very many vectors: cells around centres, of which a search visits the nearest few."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from knowledge.encoder import Vectors
from knowledge.stored import damaged, read_array

Rows = NDArray[np.int64]

RECALL_WANTED = 0.96
ASKED = 200
REFINE_FROM = 150
_TRAIN_PER_CELL = 48
_PROBES = (8, 16, 32, 64, 96, 128, 192, 256, 384, 512)
_NEIGHBOURS = 50
_BATCH = 65_536


@dataclass(frozen=True)
class Cells:
    """An inverted file over the first ``count`` rows: 8-bit vectors in cells, ``probes`` of which a search visits.

    ``recall`` is the share of the true first fifty found then, measured with the vectors ``asked`` when it was built.
    """

    index: Any
    count: int
    probes: int
    recall: float
    asked: Vectors | None = None
    file: Path | None = None

    def search(self, query: Vectors, k: int) -> Rows:
        """The rows nearest by 8-bit vectors, at most ``k``, in no order worth relying on."""
        visit = faiss.SearchParametersIVF()
        visit.nprobe = self.probes
        _, rows = self.index.search(query.reshape(1, -1), k, params=visit)
        found: Rows = rows[0][rows[0] >= 0]
        return found


def build_cells(blocks: Sequence[Vectors], asked: Vectors | None) -> Cells:
    faiss.omp_set_num_threads(os.cpu_count() or 1)  # a search sets it back to one
    count, dim = sum(map(len, blocks)), blocks[0].shape[1]
    cells = max(1, min(int(2 * np.sqrt(count)), count // 40))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dim),
        dim,
        cells,
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
    )
    index.cp.niter = 10
    index.cp.seed = 7
    rng = np.random.default_rng(7)
    wanted = min(1.0, _TRAIN_PER_CELL * cells / count)
    sample = [
        block[np.sort(rng.choice(len(block), max(1, int(wanted * len(block))), False))]
        for block in blocks
    ]
    index.train(np.ascontiguousarray(np.concatenate(sample)))
    for block in blocks:
        for at in range(0, len(block), _BATCH):
            index.add(np.ascontiguousarray(block[at : at + _BATCH]))
    probes, recall = _choose_probes(index, blocks, asked if asked is not None else _between(blocks))
    return Cells(index, count, probes, recall, asked)


def _between(blocks: Sequence[Vectors]) -> Vectors:
    """What may be asked where no questions are known: points between two texts, nearer to the first."""
    rng = np.random.default_rng(7)
    biggest = max(blocks, key=len)
    first, second = (biggest[np.sort(rng.integers(0, len(biggest), ASKED))] for _ in range(2))
    asked = 0.65 * first + 0.35 * rng.permutation(second)
    between: Vectors = np.asarray(asked / np.linalg.norm(asked, axis=1, keepdims=True), np.float32)
    return between


def _choose_probes(index: Any, blocks: Sequence[Vectors], asked: Vectors) -> tuple[int, float]:
    """The fewest cells to visit for the recall wanted, and the recall."""
    merged = blocks[0] if len(blocks) == 1 else np.concatenate(list(blocks))
    k = min(_NEIGHBOURS, len(merged))
    _, true = faiss.knn(asked, merged, k, metric=faiss.METRIC_INNER_PRODUCT)
    probes, recall = 1, 0.0
    for probes in (p for p in _PROBES if p <= index.nlist):
        visit = faiss.SearchParametersIVF()
        visit.nprobe = probes
        _, found = index.search(asked, min(REFINE_FROM, len(merged)), params=visit)
        hits = [len(set(t) & set(f)) for t, f in zip(true.tolist(), found.tolist(), strict=True)]
        recall = sum(hits) / true.size
        if recall >= RECALL_WANTED:
            break
    return probes, recall


def read_cells(file: Path, told: dict[str, Any] | None) -> Cells | None:
    if told is None:
        return None
    if file.stat().st_size != told["bytes"]:
        raise damaged(file, f"{file.stat().st_size} bytes where {told['bytes']} were written")
    try:
        index = faiss.read_index(str(file), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
    except RuntimeError as error:
        raise damaged(file, str(error).splitlines()[0]) from error
    asked = read_array(file.with_name("asked.npy"), np.float32, ndim=2) if told["asked"] else None
    return Cells(index, told["count"], told["probes"], told["recall"], asked, file)
