"""Finds the vectors nearest to a question's: every one compared, or, for very many, through a FAISS index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from knowledge.cells import REFINE_FROM, Cells, build_cells, read_cells
from knowledge.encoder import Encoder, Vectors, prompts_of
from knowledge.errors import EncoderError
from knowledge.stored import damaged, link, read_array, read_json, write_array, write_json

Rows = NDArray[np.int64]

FORMAT = 1
FLAT_BELOW = 150_000
_TAIL_SHARE = 0.1
_GROWTH = 4
_REFINE = 3


class MeaningIndex:
    """Cosines of a question with many texts. Rows are texts in the order they came; rows may be added and stored.

    All vectors are kept as float32, so every cosine given is exact. Below ``flat_below`` vectors every one is compared.
    From there an inverted file with 8-bit vectors proposes candidates, three for each one wanted, which are then compared
    exactly; rows added later are compared exactly until they are a tenth, when the inverted file is built anew.
    """

    def __init__(
        self,
        vectors: Vectors,
        flat_below: int = FLAT_BELOW,
        asked: Vectors | None = None,
    ) -> None:
        """``asked`` are vectors of questions, some two hundred, from which an inverted file learns how far to look;
        without them it supposes questions that lie between two texts.
        """
        self._blocks = [np.ascontiguousarray(vectors, np.float32)]
        self._files: list[Path | None] = [None]
        self._flat_below = flat_below
        self._cells: Cells | None = None
        self._divide(asked)

    def __len__(self) -> int:
        return sum(map(len, self._blocks))

    @property
    def dim(self) -> int:
        return int(self._blocks[0].shape[1])

    @property
    def kind(self) -> str:
        """``flat``, or the cells, probes and measured recall of the inverted file."""
        if self._cells is None:
            return "flat"
        return f"ivf{self._cells.index.nlist}-sq8, {self._cells.probes} probes, recall@50 {self._cells.recall:.3f}"

    @property
    def is_exact(self) -> bool:
        """Whether ``search`` finds the true nearest."""
        return self._cells is None

    def copy(self) -> MeaningIndex:
        """Another index that changes on its own; they share what neither changes."""
        twin = MeaningIndex.__new__(MeaningIndex)
        twin._blocks, twin._files = list(self._blocks), list(self._files)
        twin._flat_below, twin._cells = self._flat_below, self._cells
        return twin

    def add(self, vectors: Vectors) -> range:
        """Takes rows in; returns their numbers. Blocks grow in size backwards, so there are few of them."""
        first = len(self)
        block = np.ascontiguousarray(vectors, np.float32).reshape(-1, self.dim)
        if len(block):
            blocks, files = list(self._blocks), list(self._files)
            while blocks and len(blocks[-1]) < _GROWTH * len(block):
                block = np.concatenate([blocks.pop(), block])
                files.pop()
            self._blocks, self._files = [*blocks, block], [*files, None]
            self._divide()
        return range(first, len(self))

    def scores(self, query: Vectors) -> Vectors:
        """Cosine of ``query`` (shape ``(dim,)``) with every text, shape ``(texts,)``, in text order."""
        query = self._checked(query)
        return np.concatenate([_products(block, query) for block in self._blocks])

    def search(self, query: Vectors, k: int) -> tuple[Rows, Vectors]:
        """The ``k`` nearest texts and their cosines, nearest first, equal ones by row; fewer if there are fewer."""
        query = self._checked(query)
        cells = self._cells
        found, first = [], 0
        if cells is not None:
            found.append(
                np.sort(cells.search(query, min(max(_REFINE * k, REFINE_FROM), cells.count)))
            )
            first = cells.count
        offset = 0
        for block in self._blocks:
            start = min(max(first - offset, 0), len(block))
            if start < len(block):
                found.append(offset + start + _nearest(block[start:], query, k))
            offset += len(block)
        rows = np.concatenate(found) if found else np.zeros(0, np.int64)
        cosines = self.cosines(query, rows)
        order = np.lexsort((rows, -cosines))[:k]
        return rows[order], cosines[order]

    def cosines(self, query: Vectors, rows: Rows | Sequence[int]) -> Vectors:
        """Exact cosines of ``query`` with these rows, shape ``(len(rows),)``."""
        query, rows = self._checked(query), np.asarray(rows, np.int64)
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"rows {rows.min()} to {rows.max()}: the index has {len(self)}")
        if len(self._blocks) == 1:
            return _products_at(self._blocks[0], query, rows)
        found = np.empty(len(rows), np.float32)
        starts = np.cumsum([0, *map(len, self._blocks)])
        block_of = np.searchsorted(starts, rows, side="right") - 1
        for number in np.unique(block_of).tolist():
            here = block_of == number
            found[here] = _products_at(
                self._blocks[number], query, rows[here] - int(starts[number])
            )
        return found

    def _checked(self, query: Vectors) -> Vectors:
        """The query as FAISS reads it, which trusts the dimension it is told."""
        # One thread a search: OpenMP's threads wait for each other, and where other work wants the cores a scan of 50,000
        # took 70 ms instead of 5. The setting belongs to the calling thread, so it is made every time.
        faiss.omp_set_num_threads(1)
        if query.shape != (self.dim,):
            raise ValueError(f"a query of shape {query.shape} for vectors of dimension {self.dim}")
        return np.ascontiguousarray(query, np.float32)

    def _divide(self, asked: Vectors | None = None) -> None:
        """Builds the inverted file where there are vectors enough and it is absent or lags behind."""
        total, cells = len(self), self._cells
        if total < self._flat_below or not total:
            return
        if cells is None or total - cells.count > _TAIL_SHARE * total:
            self._cells = build_cells(self._blocks, asked if cells is None else cells.asked)

    def save(self, folder: Path, encoder: Encoder, content: str) -> None:
        """Fills a new folder; blocks and cells stored before are linked. ``content`` is what the rows were made from."""
        folder.mkdir()
        for number, (block, file) in enumerate(zip(self._blocks, self._files, strict=True)):
            target = folder / f"rows-{number:03d}.npy"
            if file is not None and file.exists():
                link(file, target)
            else:
                write_array(target, block)
        cells = self._cells
        described: dict[str, object] = {
            "format": FORMAT,
            "encoder": encoder.name,
            "prompts": prompts_of(encoder),
            "dim": self.dim,
            "count": len(self),
            "content": content,
            "kind": self.kind,
            "blocks": [len(block) for block in self._blocks],
            "flat_below": self._flat_below,
            "cells": None,
        }
        if cells is not None:
            target = folder / "cells.faiss"
            if cells.file is not None and cells.file.exists():
                link(cells.file, target)
            else:
                faiss.write_index(cells.index, str(target))
            if cells.asked is not None:
                write_array(folder / "asked.npy", cells.asked)
            described["cells"] = {
                "count": cells.count,
                "probes": cells.probes,
                "recall": cells.recall,
                "asked": cells.asked is not None,
                "bytes": target.stat().st_size,
            }
        write_json(folder / "manifest.json", described)

    def stored_in(self, folder: Path) -> None:
        """Notes that ``folder`` holds this state, so that the next ``save`` can link to it."""
        self._files = [folder / f"rows-{number:03d}.npy" for number in range(len(self._blocks))]
        cells = self._cells
        if cells is not None:
            self._cells = replace(cells, file=folder / "cells.faiss")

    @classmethod
    def load(cls, folder: Path, encoder: Encoder, content: str | None = None) -> MeaningIndex:
        """A stored index, mapped. ``content``, where given, must be what ``save`` was told.

        Raises:
            EncoderError: it was made by another encoder, with another dimension or other prompts.
            StoredIndexError: a file is damaged, or the content is another.
            FileNotFoundError: a file is absent.
        """
        path = folder / "manifest.json"
        told = read_json(path)
        try:
            check_manifest(path, told, encoder)
            if content is not None and told["content"] != content:
                raise damaged(path, "it was made from other texts")
            index = cls.__new__(cls)
            index._flat_below = told["flat_below"]
            files = [folder / f"rows-{number:03d}.npy" for number in range(len(told["blocks"]))]
            index._blocks = [read_array(file, np.float32, ndim=2) for file in files]
            if [block.shape for block in index._blocks] != [
                (count, encoder.dim) for count in told["blocks"]
            ]:
                raise damaged(path, "its counts are not those of the files")
            index._files = list(files)
            index._cells = read_cells(folder / "cells.faiss", told["cells"])
        except (KeyError, TypeError) as error:
            raise damaged(path, f"no {error}") from error
        return index


def check_manifest(path: Path, told: dict[str, Any], encoder: Encoder) -> None:
    """Whether a stored index fits this version and this encoder.

    Raises:
        EncoderError: it does not; says what it was made with and what to do.
        KeyError: the manifest lacks an entry.
    """
    for name, stored, own in (
        ("format", told["format"], FORMAT),
        ("encoder", told["encoder"], encoder.name),
        ("dim", told["dim"], encoder.dim),
        ("prompts", told["prompts"], prompts_of(encoder)),
    ):
        if stored != own:
            raise EncoderError(
                f"{path}: the stored index has {name} {stored!r}, in use is {own!r}; build the index anew or set the "
                "encoder it was made with"
            )


# Three of FAISS's functions that compute one row like another, wherever it stands: equal vectors get equal cosines, and
# a cosine is the same whichever of them gave it. NumPy's product promises neither, and takes twice the time.


def _products(block: Vectors, query: Vectors) -> Vectors:
    """The inner products of ``query`` with all rows."""
    products = np.empty(len(block), np.float32)
    out, of, rows = faiss.swig_ptr(products), faiss.swig_ptr(query), faiss.swig_ptr(block)
    faiss.fvec_inner_products_ny(out, of, rows, len(query), len(block))  # type: ignore[attr-defined]
    return products


def _products_at(block: Vectors, query: Vectors, places: Rows) -> Vectors:
    """The inner products of ``query`` with some rows; none is copied."""
    products, places = np.empty(len(places), np.float32), np.ascontiguousarray(places)
    out, of, rows = faiss.swig_ptr(products), faiss.swig_ptr(query), faiss.swig_ptr(block)
    faiss.fvec_inner_products_by_idx(  # type: ignore[attr-defined]
        out, of, rows, faiss.swig_ptr(places), len(query), 1, len(places)
    )
    return products


def _nearest(block: Vectors, query: Vectors, k: int) -> Rows:
    """The ``k`` rows nearest, in no order."""
    k = min(k, len(block))
    _, rows = faiss.knn(query.reshape(1, -1), block, k, metric=faiss.METRIC_INNER_PRODUCT)
    nearest: Rows = rows[0]
    return nearest
