"""Writes parquet whose columns are texts that have been numbered already, without looking at each row again.

A general writer takes 10 ns for each row of three such columns, most of the time of a sweep. Parquet keeps numbered texts
as a dictionary and numbers, packed or as runs: numbers of 16 bits are packed as they lie in memory, and runs are
written as runs. Uncompressed, data pages of version 1, no row without a value; any reader reads it.

Source: https://github.com/apache/parquet-format (Encodings.md, and parquet.thrift for the numbers of the fields)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from knowledge.thrift import Coded, binaries, binary, i32, i32s, i64, struct, structs, varint

_MAGIC = b"PAR1"
_BYTE_ARRAY, _REQUIRED, _UTF8, _UNCOMPRESSED = 6, 0, 0, 0
_DATA_PAGE, _DICTIONARY_PAGE = 0, 2
_PLAIN, _RLE, _RLE_DICTIONARY = 0, 3, 8
_WIDTH = 16  # bits of a number, the same in every column
_PAGE = 1 << 20  # rows; a multiple of eight, as packed numbers come in groups of eight


class Dictionary:
    """Distinct texts as parquet keeps them, at most 65,536; made once for all the row groups that use them."""

    def __init__(self, texts: Iterable[str]) -> None:
        coded = [text.encode() for text in texts]
        self.count = len(coded)
        self.data = b"".join(len(text).to_bytes(4, "little") + text for text in coded)
        self.low, self.high = min(coded, default=b""), max(coded, default=b"")


@dataclass(frozen=True)
class Packed:
    """A column of which each row has a number of its own, shape (n,)."""

    texts: Dictionary
    codes: NDArray[np.uint16]

    def pages(self) -> Iterable[tuple[int, bytes]]:
        """How many rows each page holds, and the page."""
        for first in range(0, len(self.codes), _PAGE):
            codes = self.codes[first : first + _PAGE]
            groups = -(-len(codes) // 8)
            padding = b"\0" * (groups * _WIDTH - codes.nbytes)
            packed = codes.astype("<u2", copy=False).tobytes() + padding
            yield len(codes), bytes([_WIDTH]) + varint(groups << 1 | 1) + packed


@dataclass(frozen=True)
class Runs:
    """A column in which the same text stands many times in a row: (number, how often)."""

    texts: Dictionary
    runs: Sequence[tuple[int, int]]

    def pages(self) -> Iterable[tuple[int, bytes]]:
        """As ``Packed.pages``; there is one."""
        parts = (
            varint(times << 1) + code.to_bytes(2, "little") for code, times in self.runs if times
        )
        yield sum(times for _, times in self.runs), bytes([_WIDTH]) + b"".join(parts)


class LabelFile:
    """A parquet file being written, one row group after the other."""

    def __init__(self, file: BinaryIO, names: Sequence[str]) -> None:
        self._file, self._names = file, names
        self._groups: list[Coded] = []
        self._rows = 0
        file.write(_MAGIC)

    def add(self, rows: int, columns: Sequence[Packed | Runs]) -> None:
        """A group of ``rows`` rows, at least one; each column has as many."""
        first = self._file.tell()
        chunks = [
            self._chunk(name, column) for name, column in zip(self._names, columns, strict=True)
        ]
        size = self._file.tell() - first
        self._groups.append(struct({1: structs(chunks), 2: i64(size), 3: i64(rows)}))
        self._rows += rows

    def close(self, facts: Mapping[str, str]) -> None:
        """Ends the file; ``facts`` are kept in its metadata. The file itself is left open."""
        root = struct({4: binary("schema"), 5: i32(len(self._names))})
        kept = [struct({1: binary(key), 2: binary(value)}) for key, value in facts.items()]
        natural = struct(
            {1: struct({})}
        )  # the order of the type, in which ``low`` and ``high`` hold
        footer = struct(
            {
                1: i32(1),
                2: structs([root, *(_column(name) for name in self._names)]),
                3: i64(self._rows),
                4: structs(self._groups),
                5: structs(kept),
                6: binary("qifu"),
                7: structs([natural] * len(self._names)),
            }
        )[1]
        self._file.write(footer + len(footer).to_bytes(4, "little") + _MAGIC)

    def _chunk(self, name: str, column: Packed | Runs) -> Coded:
        texts = column.texts
        first = self._file.tell()
        self._page(_DICTIONARY_PAGE, texts.data, {7: struct({1: i32(texts.count), 2: i32(_PLAIN)})})
        data, rows = self._file.tell(), 0
        for count, page in column.pages():
            head = {1: i32(count), 2: i32(_RLE_DICTIONARY), 3: i32(_RLE), 4: i32(_RLE)}
            self._page(_DATA_PAGE, page, {5: struct(head)})
            rows += count
        size = self._file.tell() - first
        about = struct(
            {
                1: i32(_BYTE_ARRAY),
                2: i32s([_PLAIN, _RLE, _RLE_DICTIONARY]),
                3: binaries([name]),
                4: i32(_UNCOMPRESSED),
                5: i64(rows),
                6: i64(size),
                7: i64(size),
                9: i64(data),
                11: i64(first),
                12: struct({3: i64(0), 5: binary(texts.high), 6: binary(texts.low)}),
            }
        )
        return struct({2: i64(0), 3: about})

    def _page(self, kind: int, data: bytes, head: Mapping[int, Coded]) -> None:
        size = i32(len(data))
        self._file.write(struct({1: i32(kind), 2: size, 3: size, **head})[1])
        self._file.write(data)


def _column(name: str) -> Coded:
    kinds = {1: i32(_BYTE_ARRAY), 3: i32(_REQUIRED), 4: binary(name), 6: i32(_UTF8)}
    return struct({**kinds, 10: struct({1: struct({})})})
