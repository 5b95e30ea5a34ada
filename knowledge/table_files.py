"""Reads a parquet, csv or jsonl file piece by piece, as columns under their headings."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from knowledge.errors import TableError

KINDS = (".parquet", ".csv", ".jsonl")
_LONGEST_CELL = 1_000_000  # characters


@dataclass(frozen=True)
class Piece:
    """Some rows of a table.

    ``cells`` holds an Arrow array, or a list of JSON values, for each heading. ``lines`` are the rows' numbers in the
    file, counted from 1 as an editor shows them (parquet: the row's number), absent where rows come in no order. In a
    text file (``is_text``) every cell is text.
    """

    count: int
    cells: Mapping[str, Any]
    lines: Sequence[int] | None = None
    is_text: bool = False


class TableFile:
    """A table on disk. How many ``rows`` it has, and its ``headings``, are known beforehand of parquet only."""

    def __init__(self, path: Path) -> None:
        """Raises ``TableError`` for a file that is missing or of another kind."""
        self.path, self.kind = path, path.suffix.lower()
        if self.kind not in KINDS:
            raise TableError(path.name, f"只能读 {'、'.join(KINDS)} 文件")
        if not path.is_file():
            raise TableError(str(path), "没有这个文件")
        self.rows: int | None = None
        self.headings: tuple[str, ...] = ()
        self.metadata: dict[str, str] = {}
        if self.kind == ".parquet":
            head = self._open_parquet()
            self.rows = head.metadata.num_rows
            self.headings = tuple(head.schema_arrow.names)
            if len(set(self.headings)) < len(self.headings):
                raise TableError(path.name, f"有重名的列：{_twice(self.headings)}")
            found = head.schema_arrow.metadata or {}
            self.metadata = {
                key.decode(): value.decode("utf-8", "replace") for key, value in found.items()
            }

    def pieces(self, rows: int) -> Iterator[Piece]:
        """All rows, at most ``rows`` at a time. Raises ``TableError`` naming file and line."""
        read = {".parquet": self._parquet, ".csv": self._csv, ".jsonl": self._jsonl}[self.kind]
        try:
            yield from read(rows)
        except UnicodeDecodeError as error:
            raise TableError(self.path.name, "不是 UTF-8 编码；请另存为 UTF-8 再试") from error

    def _open_parquet(self) -> Any:
        try:
            return pq.ParquetFile(self.path)
        except (pa.ArrowInvalid, OSError) as error:
            raise TableError(
                self.path.name, f"不是完整的 parquet 文件：{_first_line(error)}"
            ) from error

    def _parquet(self, rows: int) -> Iterator[Piece]:
        first = 1
        file = self._open_parquet()
        try:
            for batch in file.iter_batches(batch_size=rows):
                lines = range(first, first + batch.num_rows)
                cells = dict(zip(self.headings, batch.columns, strict=True))
                yield Piece(batch.num_rows, cells, lines)
                first += batch.num_rows
        except (pa.ArrowInvalid, OSError) as error:
            raise TableError(
                self.path.name, f"第 {first} 行之后读不出来：{_first_line(error)}"
            ) from error

    def _csv(self, rows: int) -> Iterator[Piece]:
        csv.field_size_limit(_LONGEST_CELL)
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            headings = [heading.strip() for heading in self._row(reader) or ()]
            if not any(headings):
                raise TableError(self.path.name, "是空的，第一行应为列名")
            if len(set(headings)) < len(headings):
                raise TableError(self.path.name, f"有重名的列：{_twice(headings)}")
            while block := list(islice(self._csv_rows(reader, len(headings)), rows)):
                columns = zip(*(row for _, row in block), strict=True)
                cells = {
                    h: pa.array(c, pa.string()) for h, c in zip(headings, columns, strict=True)
                }
                yield Piece(len(block), cells, [line for line, _ in block], is_text=True)

    def _csv_rows(self, reader: Any, width: int) -> Iterator[tuple[int, list[str]]]:
        line = reader.line_num + 1
        while (row := self._row(reader)) is not None:
            if row and len(row) != width:
                at = f"{self.path.name}:{line}"
                raise TableError(at, f"有 {len(row)} 格，表头有 {width} 格；含逗号的格要加引号")
            if row:
                yield line, row
            line = reader.line_num + 1

    def _row(self, reader: Any) -> list[str] | None:
        try:
            return next(reader, None)
        except csv.Error as error:
            raise TableError(
                f"{self.path.name}:{reader.line_num}", f"不是正确的 csv：{error}"
            ) from error

    def _jsonl(self, rows: int) -> Iterator[Piece]:
        with self.path.open(encoding="utf-8-sig") as file:
            written = ((number, line) for number, line in enumerate(file, 1) if line.strip())
            while block := list(islice(written, rows)):
                records = [self._object(number, line) for number, line in block]
                keys = dict.fromkeys(key for record in records for key in record)
                cells = {key: [record.get(key) for record in records] for key in keys}
                yield Piece(len(block), cells, [number for number, _ in block])

    def _object(self, number: int, line: str) -> dict[str, object]:
        at = f"{self.path.name}:{number}"
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise TableError(at, f"第 {error.colno} 个字符起不是 JSON：{error.msg}") from error
        except (ValueError, RecursionError) as error:
            raise TableError(at, f"读不出来的 JSON：{error}") from error
        if not isinstance(record, dict):
            raise TableError(at, '应为一个 JSON 对象：{"name": …}')
        return record


def _twice(headings: Sequence[str]) -> str:
    return "、".join(dict.fromkeys(h or "（空）" for h in headings if headings.count(h) > 1))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
