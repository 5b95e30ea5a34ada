"""Enterprises from a table, slice by slice, as columns of facts; tells what of the table could not be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from knowledge.columns import Column, Tell, read_mixed, read_texts, read_typed, unknown_column
from knowledge.errors import TableError
from knowledge.fields import Fields, FieldSpec, nearest_name
from knowledge.profile import Known, Profile, Source
from knowledge.table_files import Piece, TableFile

SLICE = 32_768  # enterprises held at once: masks of 4 KiB stay in the processor's cache, row numbers in 16 bits
SYNTHETIC = "synthetic"
_NO_FACTS = {
    "name": "name",
    "企业名称": "name",
    "credit_code": "credit_code",
    "统一社会信用代码": "credit_code",
    SYNTHETIC: SYNTHETIC,
}
_SHOWN = 20


@dataclass
class Problems:
    """What was not used. ``shown`` holds the first few in words, ``by_column`` how many there are in all."""

    shown: list[str] = field(default_factory=list)
    by_column: Counter[str] = field(default_factory=Counter)
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Cells that were not used."""
        return self.by_column.total()

    def add(self, where: str, column: str, message: str) -> None:
        self.by_column[column] += 1
        if len(self.shown) < _SHOWN:
            self.shown.append(f"{where} {column}：{message}")

    def merge(self, other: Problems) -> None:
        self.shown = (self.shown + other.shown)[:_SHOWN]
        self.by_column += other.by_column
        self.columns |= other.columns


@dataclass(frozen=True)
class Slice:
    """Some enterprises. ``keys`` names each: its credit code, else its name, else where it stands in the table."""

    keys: pa.StringArray
    names: pa.StringArray
    credit_codes: pa.StringArray
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.keys)

    def column(self, name: str) -> Column:
        """The fact of a field; unknown for all where the table has no such column."""
        return self.columns.get(name) or unknown_column(len(self))

    def profile(self, row: int) -> Profile:
        """The facts of one enterprise."""
        held = {name: column.value(row) for name, column in self.columns.items()}
        facts = {
            name: Known(value, Source.PROFILE) for name, value in held.items() if value is not None
        }
        return Profile(facts, self.names[row].as_py(), self.credit_codes[row].as_py())

    def rows_of(self, key: str) -> list[int]:
        """Where the enterprise of a name, a credit code or a key stands."""
        same = (
            pc.fill_null(pc.equal(each, key), False)
            for each in (self.keys, self.names, self.credit_codes)
        )
        return [int(row) for row in np.flatnonzero(reduce(pc.or_, same))]


class Intake:
    """Turns pieces of a table into slices and remembers what could not be used."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._by_label = {spec.label: name for name, spec in fields.items()}
        self.problems = Problems()
        self.is_synthetic = False

    def slice(self, piece: Piece) -> Slice:
        """The enterprises of a piece."""
        placed = self.placed(piece.cells)
        codes, names = (
            _texts(piece.cells[placed[name]])
            if name in placed
            else pa.nulls(piece.count, pa.string())
            for name in ("credit_code", "name")
        )
        keys = (
            pc.coalesce(codes, names, _places(piece))
            if names.null_count
            else pc.coalesce(codes, names)
        )
        if SYNTHETIC in placed:
            self.is_synthetic |= _says_true(piece.cells[placed[SYNTHETIC]])
        columns = {
            name: _column(piece, heading, self._fields[name], self._teller(piece, keys, heading))
            for name, heading in placed.items()
            if name in self._fields
        }
        return Slice(keys, names, codes, columns)

    def placed(self, headings: Iterable[str]) -> dict[str, str]:
        """The heading of each field and name in the table; tells the others.

        Raises ``TableError`` where two are the same field.
        """
        placed: dict[str, str] = {}
        for heading in headings:
            name = self._name_of(heading)
            if name is None:
                self._unknown(heading)
            elif name in placed:
                both = f"“{placed[name]}”和“{heading}”两列"
                raise TableError(both, f"是同一项（{name}），只能留一列")
            else:
                placed[name] = heading
        return placed

    def _name_of(self, heading: str) -> str | None:
        if heading in self._fields:
            return heading
        return _NO_FACTS.get(heading) or self._by_label.get(heading)

    def _unknown(self, heading: str) -> None:
        near = nearest_name(heading, [*self._fields, *self._by_label, *_NO_FACTS])
        name = self._name_of(near) if near else None
        label = f"（{self._fields[name].label}）" if name and name in self._fields else ""
        hint = f"，是不是 {name}{label}" if name else ""
        self.problems.columns.setdefault(heading, f"没有“{heading}”这个字段{hint}，这一列没有用上")

    def _teller(self, piece: Piece, keys: pa.StringArray, heading: str) -> Tell:
        def tell(row: int, message: str) -> None:
            where = f"第 {piece.lines[row]} 行" if piece.lines else keys[row].as_py()
            self.problems.add(where, heading, message)

        return tell


class EnterpriseTable:
    """All enterprises of a file. ``problems`` and ``is_synthetic`` are complete once it has been read."""

    def __init__(self, path: Path, fields: Fields) -> None:
        """Raises ``TableError`` for a file that is missing or of another kind."""
        self.file, self.fields = TableFile(path), fields
        self._intake = Intake(fields)
        self._intake.is_synthetic = self.file.metadata.get(SYNTHETIC) == "true"

    @property
    def problems(self) -> Problems:
        return self._intake.problems

    @property
    def is_synthetic(self) -> bool:
        return self._intake.is_synthetic

    def slices(self, size: int = SLICE) -> Iterator[Slice]:
        """The enterprises in the order of the file, at most ``size`` at a time.

        Raises:
            TableError: a file that cannot be read, that holds no enterprise, or none of whose columns is a field.
        """
        is_first = True
        for piece in self.file.pieces(size):
            if is_first:
                self._check(piece.cells)
            is_first = False
            yield self._intake.slice(piece)
        if is_first:
            raise TableError(self.file.path.name, "一家企业也没有")

    def check(self) -> None:
        """Raises ``TableError`` for a parquet file that ``slices`` would refuse; reads no row."""
        if self.file.rows == 0:
            raise TableError(self.file.path.name, "一家企业也没有")
        self._check(self.file.headings)

    def _check(self, headings: Iterable[str]) -> None:
        if not any(name in self.fields for name in self._intake.placed(headings)):
            said = "；".join(self.problems.columns.values())
            raise TableError(self.file.path.name, f"没有一列是认识的字段。{said}")

    def find(self, key: str) -> Profile:
        """The enterprise of a credit code or name. Raises ``TableError`` where there is none, or several."""
        found = [each.profile(row) for each in self.slices() for row in each.rows_of(key)]
        if len(found) != 1:
            said = f"有 {len(found)} 家企业" if found else "没有一家企业"
            raise TableError(self.file.path.name, f"{said}的名称或信用代码是“{key}”")
        return found[0]


def _column(piece: Piece, heading: str, spec: FieldSpec, tell: Tell) -> Column:
    cells = piece.cells[heading]
    if piece.is_text:
        return read_texts(cells, spec, tell)
    if isinstance(cells, list):
        # Arrow would take true for 1 among numbers; JSON tells them apart, and so does ``read_value``.
        if (
            len({float if kind is int else kind for kind in set(map(type, cells)) - {type(None)}})
            > 1
        ):
            return read_mixed(cells, spec, tell)
        try:
            cells = pa.array(cells)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError):
            return read_mixed(cells, spec, tell)
    return read_typed(cells, spec, tell)


def _places(piece: Piece) -> pa.StringArray:
    """What names an enterprise without a name."""
    if piece.lines is None:
        return pa.array(["没有名称的企业"] * piece.count, pa.string())
    return pa.array([f"第 {line} 行" for line in piece.lines], pa.string())


def _texts(cells: Any) -> pa.StringArray:
    """Text without outer blanks; what is blank or no text is nothing."""
    if isinstance(cells, list):
        cells = pa.array([_text(each) for each in cells], pa.string())
    elif pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
        return pa.nulls(len(cells), pa.string())
    trimmed = pc.utf8_trim_whitespace(cells.cast(pa.string()))
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def _text(given: object) -> str | None:
    """JSON may hold halves of characters, which no file can."""
    return given.encode("utf-8", "replace").decode() if isinstance(given, str) else None


def _says_true(cells: Any) -> bool:
    given = cells if isinstance(cells, list) else cells.to_pylist()
    return any(str(each).strip().lower() == "true" for each in given)
