"""Keeps the vectors of texts on disk, found again by the hash of their text: files that only ever grow."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from knowledge.errors import EncoderError

Vectors = NDArray[np.float32]
Places = NDArray[np.int64]

SHARD_ROWS = 65_536
_FORMAT = 1
_RECORD = np.dtype([("head", "<u8"), ("tail", "<u8"), ("check", "<u4")])


def key_of(text: str) -> bytes:
    """Sixteen bytes that stand for a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


@dataclass(frozen=True)
class _Shard:
    """Two files that grow together: rows of float32, and one record a row with the text's key and a checksum.

    A row counts once its record is written, and records are written after their rows are on the disk: whatever a
    dying process leaves at the ends is overwritten by the next writer.
    """

    rows: Path
    records: Path
    dim: int

    def count(self) -> int:
        try:
            rows, records = self.rows.stat().st_size, self.records.stat().st_size
        except FileNotFoundError:
            return 0
        return min(rows // (4 * self.dim), records // _RECORD.itemsize)

    def append(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        records = np.zeros(len(keys), _RECORD)
        heads = np.frombuffer(b"".join(keys), "<u8").reshape(-1, 2)
        records["head"], records["tail"] = heads[:, 0], heads[:, 1]
        records["check"] = [zlib.crc32(row.tobytes()) for row in vectors]
        whole = self.count()
        for path, size, content in (
            (self.rows, 4 * self.dim, vectors.tobytes()),
            (self.records, _RECORD.itemsize, records.tobytes()),
        ):
            with path.open("r+b" if path.exists() else "w+b") as file:
                file.truncate(whole * size)
                file.seek(whole * size)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())

    def read_records(self) -> NDArray[np.void]:
        count = self.count()
        return np.fromfile(self.records, _RECORD, count) if count else np.zeros(0, _RECORD)

    def read_rows(self, places: Places, checks: NDArray[np.uint32]) -> Vectors:
        """The rows at ``places``.

        Raises:
            EncoderError: one is not what was written.
        """
        stored = np.memmap(self.rows, "<f4", "r", shape=(self.count(), self.dim))
        rows: Vectors = np.array(stored[places], np.float32)
        for row, check in zip(rows, checks.tolist(), strict=True):
            if zlib.crc32(row.data) != check:
                raise EncoderError(
                    f"{self.rows}: damaged file of stored vectors; delete it and {self.records.name} to encode anew"
                )
        return rows


class VectorStore:
    """The stored vectors of one encoder, in one folder. Several processes may read and append at the same time."""

    def __init__(self, folder: Path, name: str, dim: int) -> None:
        self._folder = folder
        self._name, self._dim = name, dim
        self._check_description()
        self._shards: list[_Shard] = []
        records = [shard.read_records() for shard in self._all()]
        self._refresh(records)

    def find(self, keys: Sequence[bytes]) -> Places:
        """Where each key's vector stands, shape ``(len(keys),)``; -1 where there is none."""
        asked = np.frombuffer(b"".join(keys), "<u8").reshape(-1, 2)
        if not len(self._records) or not len(asked):
            return np.full(len(keys), -1, np.int64)
        at = np.searchsorted(self._heads, asked[:, 0])
        places = self._order[np.minimum(at, len(self._order) - 1)]
        same = (self._records["head"][places] == asked[:, 0]) & (
            self._records["tail"][places] == asked[:, 1]
        )
        return np.where(same, places, -1)

    def read(self, places: Places) -> Vectors:
        """The vectors at places that ``find`` gave, shape ``(len(places), dim)``.

        Raises:
            EncoderError: a file is damaged; names it.
        """
        if len(places) and places.min() < 0:
            raise EncoderError(
                f"{self._folder}: a vector just stored is gone; is another program deleting files here?"
            )
        found = np.empty((len(places), self._dim), np.float32)
        shard_of = np.searchsorted(self._starts, places, side="right") - 1
        for number in np.unique(shard_of).tolist():
            here = np.flatnonzero(shard_of == number)
            inside = places[here] - self._starts[number]
            found[here] = self._shards[number].read_rows(
                inside, self._records["check"][places[here]]
            )
        return found

    def append(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        """Stores vectors for good; ``find`` knows them after ``reload``."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self._folder / "writer.lock"):
            self._describe()
            shards = self._all()
            last = shards[-1] if shards else self._shard(0)
            if last.count() + len(keys) > SHARD_ROWS and last.count():
                last = self._shard(len(shards))
            last.append(keys, np.ascontiguousarray(vectors, "<f4"))

    def reload(self) -> None:
        """Learns what was appended since."""
        self._refresh([shard.read_records() for shard in self._all()])

    def _refresh(self, records: list[NDArray[np.void]]) -> None:
        self._shards = self._all()[: len(records)]
        self._starts = np.cumsum([0, *(len(part) for part in records)])[:-1]
        self._records = np.concatenate([np.zeros(0, _RECORD), *records])
        self._order = np.argsort(self._records["head"], kind="stable")
        self._heads = self._records["head"][self._order]

    def _shard(self, number: int) -> _Shard:
        stem = self._folder / f"shard-{number:05d}"
        return _Shard(stem.with_suffix(".rows"), stem.with_suffix(".keys"), self._dim)

    def _all(self) -> list[_Shard]:
        """Every shard there is, those deleted by hand as empty ones."""
        numbers = [
            int(path.stem.removeprefix("shard-")) for path in self._folder.glob("shard-*.keys")
        ]
        return [self._shard(number) for number in range(max(numbers, default=-1) + 1)]

    def _check_description(self) -> None:
        path = self._folder / "encoder.json"
        try:
            described = json.loads(path.read_text(encoding="utf-8"))
            dim, form = described["dim"], described["format"]
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError) as error:
            raise EncoderError(
                f"{path}: damaged description of stored vectors ({error}); delete the folder {self._folder} to encode anew"
            ) from error
        if form != _FORMAT:
            raise EncoderError(
                f"{path}: stored vectors have format {form}, this version reads {_FORMAT}; delete the folder to encode anew"
            )
        if dim != self._dim:
            raise EncoderError(
                f"{self._folder}: stored vectors have {dim} dimensions, encoder {self._name!r} gives {self._dim}; "
                "delete the folder to encode anew"
            )

    def _describe(self) -> None:
        path = self._folder / "encoder.json"
        if not path.exists():
            fresh = path.with_suffix(".new")
            described = {"encoder": self._name, "dim": self._dim, "format": _FORMAT}
            fresh.write_text(json.dumps(described), encoding="utf-8")
            os.replace(fresh, path)
