"""Reads tables of any of four kinds, row by row: xlsx, csv, jsonl, parquet."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.errors import RosterError

KINDS = (".xlsx", ".csv", ".jsonl", ".parquet")
IsKnown = Callable[[str], bool]

_HEADER_WITHIN = 10
_DELIMITERS = ",\t;|"
_LONGEST_CELL = 1_000_000


@dataclass(frozen=True)
class TableRow:
    """One row: ``number`` as an editor or Excel counts it, from 1; ``broken`` says what cannot be read, in Chinese."""

    number: int
    cells: tuple[object, ...]
    broken: str | None = None


@dataclass(frozen=True)
class Table:
    """A table whose rows come one by one, once. ``total`` is how many there are at most, absent when not known."""

    file: str
    columns: tuple[str, ...]
    rows: Iterator[TableRow]
    total: int | None = None


def open_table(path: Path, is_known: IsKnown) -> Table:
    """The table of a file. Of its first ten rows the header is the one with most names that ``is_known``.

    Raises:
        RosterError: another kind of file, not what it claims to be, or without a header.
        OSError: it cannot be opened.
    """
    kind = path.suffix.lower()
    readers = {".xlsx": _xlsx, ".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}
    if kind not in readers:
        raise RosterError(
            path.name, f"不能读 {kind or '没有扩展名的'} 文件；请存成 {'、'.join(KINDS)}"
        )
    if path.stat().st_size == 0:
        raise RosterError(path.name, "文件是空的")
    return readers[kind](path, is_known)


def _headed(file: str, rows: Iterator[TableRow], is_known: IsKnown, total: int | None) -> Table:
    """The rows under the header; what stands above it is a title."""
    first: list[TableRow] = []
    for row in rows:
        first.append(row)
        if len(first) == _HEADER_WITHIN:
            break
    hits = [sum(is_known(_name(cell)) for cell in row.cells) for row in first]
    if not hits or not max(hits):
        raise RosterError(
            file,
            "前10行里没有认识的列名；第一行应是列名，如 企业名称、统一社会信用代码、上年度营业收入",
        )
    at = hits.index(max(hits))
    columns = tuple(_name(cell) for cell in first[at].cells)

    def below() -> Iterator[TableRow]:
        yield from first[at + 1 :]
        yield from rows

    return Table(file, columns, below(), total)


def _name(cell: object) -> str:
    return " ".join(str(cell).split()) if cell is not None else ""


def _xlsx(path: Path, is_known: IsKnown) -> Table:
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        total = sheet.max_row
        sheet.reset_dimensions()  # a file may claim a million columns
    except (InvalidFileException, zipfile.BadZipFile, KeyError, IndexError, ValueError) as error:
        raise RosterError(path.name, "不是有效的 xlsx 文件；请用 Excel 另存一次") from error

    def rows() -> Iterator[TableRow]:
        try:
            for number, cells in enumerate(sheet.iter_rows(), 1):
                values = tuple(_excel_value(cell) for cell in cells)
                if any(value not in (None, "") for value in values):
                    yield TableRow(number, values)
        finally:
            book.close()

    return _headed(path.name, rows(), is_known, total)


def _excel_value(cell: Any) -> object:
    """The cell's value; a number shown as a percentage as people see it, 8%."""
    value = cell.value
    if type(value) in (int, float) and "%" in (cell.number_format or ""):
        return f"{round(value * 100, 6):g}%"
    return value


def _csv(path: Path, is_known: IsKnown) -> Table:
    text = _decoded(path)
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)

    def rows() -> Iterator[TableRow]:
        while True:
            number = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield TableRow(number, (), f"这一行读不出来：{error}")
                continue
            if any(cell.strip() for cell in cells):
                yield TableRow(number, tuple(cells))

    return _headed(path.name, rows(), is_known, text.count("\n") + 1)


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return data.decode(encoding).replace("\0", "")
        except UnicodeDecodeError:
            continue
    raise RosterError(path.name, "不是 UTF-8 也不是 GB18030 编码；请另存为 UTF-8 的 csv")


def _jsonl(path: Path, is_known: IsKnown) -> Table:
    records = list(_records(path))
    columns = tuple(dict.fromkeys(key for _, record in records if record for key in record))
    if not any(is_known(column) for column in columns):
        raise RosterError(
            path.name, '没有认识的键；每行应是一个对象，如 {"name": …, "credit_code": …}'
        )

    def rows() -> Iterator[TableRow]:
        for number, record in records:
            if record is None:
                yield TableRow(number, (), "不是一个 JSON 对象；每行应是一个完整的 {…}")
            else:
                yield TableRow(number, tuple(record.get(column) for column in columns))

    return Table(path.name, columns, rows(), len(records))


def _records(path: Path) -> Iterator[tuple[int, Mapping[str, object] | None]]:
    for number, line in enumerate(_decoded(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        yield number, record if isinstance(record, dict) else None


def _parquet(path: Path, is_known: IsKnown) -> Table:
    try:
        import pyarrow
        import pyarrow.parquet as pq
    except ImportError as error:
        raise RosterError(path.name, "读 parquet 需要 pyarrow：pip install pyarrow") from error
    try:
        file = pq.ParquetFile(path)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowException) as error:
        raise RosterError(path.name, "不是有效的 parquet 文件") from error
    columns = tuple(file.schema_arrow.names)
    if not any(is_known(column) for column in columns):
        raise RosterError(path.name, f"没有认识的列名，有的是：{'、'.join(columns[:10])}")

    def rows() -> Iterator[TableRow]:
        number = 0
        for batch in file.iter_batches(batch_size=4096):
            data: Sequence[Sequence[object]] = [column.to_pylist() for column in batch.columns]
            for cells in zip(*data, strict=True):
                number += 1
                yield TableRow(number, cells)

    return Table(path.name, columns, rows(), file.metadata.num_rows)
