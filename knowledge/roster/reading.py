"""Reads a file of enterprises: good rows as facts, everything wrong named by row and column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from knowledge.credit_code import checked_code
from knowledge.fields import Fields
from knowledge.policy import Scalar
from knowledge.roster.cells import read_cell
from knowledge.roster.columns import CODE, NAME, ColumnMap, Unmapped, is_known_name, map_columns
from knowledge.roster.tables import Table, TableRow, open_table

_MOST_PROBLEMS = 1000
_MOST_UNLISTED = 5


@dataclass(frozen=True)
class RosterRow:
    """One enterprise of a file; ``name`` is absent where its cell is, ``facts`` are by field name."""

    number: int
    credit_code: str
    name: str | None
    facts: Mapping[str, Scalar | tuple[str, ...]]


@dataclass(frozen=True)
class RosterProblem:
    """What is wrong in a row (from 1), in Chinese, and what to do. ``column`` is absent where it is the whole row.

    ``is_whole_row``: the row was left out, not one cell.
    """

    file: str
    row: int
    column: str | None
    message: str
    is_whole_row: bool

    def __str__(self) -> str:
        at = f"“{self.column}”列：" if self.column else ""
        return f"{self.file}：第{self.row}行：{at}{self.message}"


@dataclass
class Roster:
    """A file being read; ``problems`` and ``unlisted`` are complete once ``rows`` has been gone through.

    ``problems`` holds the first thousand, ``problem_count`` all. ``unlisted`` counts, by field, values that the
    dictionary does not list: no condition of the catalogue can name them.
    """

    file: str
    mapping: ColumnMap
    rows: Iterator[RosterRow]
    total: int | None
    problems: list[RosterProblem] = field(default_factory=list)
    problem_count: int = 0
    rows_left_out: int = 0
    unlisted: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def unmapped(self) -> tuple[Unmapped, ...]:
        return self.mapping.unmapped

    def note(self, row: int, column: str | None, message: str, is_whole_row: bool) -> None:
        self.problem_count += 1
        self.rows_left_out += is_whole_row
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(RosterProblem(self.file, row, column, message, is_whole_row))


def open_roster(
    path: Path, fields: Fields, given: Mapping[str, str] | None = None, day: date | None = None
) -> Roster:
    """The enterprises of a file. ``day`` is the one the file tells of, today when absent.

    Raises:
        RosterError: the file cannot be used as a whole: its kind, its header, the columns named in ``given``.
        OSError: it cannot be opened.
    """
    table = open_table(path, lambda header: is_known_name(header, fields))
    mapping = map_columns(path.name, table.columns, fields, given or {})
    roster = Roster(path.name, mapping, iter(()), table.total)
    roster.rows = _rows(table, roster, fields, day or date.today())
    return roster


def _rows(table: Table, roster: Roster, fields: Fields, day: date) -> Iterator[RosterRow]:
    seen: dict[str, int] = {}
    for row in table.rows:
        if row.broken is not None:
            roster.note(row.number, None, row.broken, is_whole_row=True)
            continue
        code = _code(row, roster)
        if code is None:
            continue
        if code in seen:
            message = f"{code} 在第{seen[code]}行已经有了，只用了那一行；请删掉一行"
            roster.note(row.number, None, message, is_whole_row=True)
            continue
        seen[code] = row.number
        yield _row(row, code, roster, fields, day)


def _code(row: TableRow, roster: Roster) -> str | None:
    column = next(each for each in roster.mapping.columns if each.key == CODE)
    cell = row.cells[column.index] if column.index < len(row.cells) else None
    said = "" if cell is None else str(cell).strip()
    if isinstance(cell, float) or "E+" in said.upper():
        wrong = "信用代码被表格软件改成了数字；请把这一列设为文本后重新粘贴"
    elif not said:
        wrong = "没有统一社会信用代码，这一行没有导入；请补上"
    else:
        code, off = checked_code(said)
        if code is not None:
            return code
        wrong = f"{said[:30]}：{off}，这一行没有导入"
    roster.note(row.number, column.header, wrong, is_whole_row=True)
    return None


def _row(row: TableRow, code: str, roster: Roster, fields: Fields, day: date) -> RosterRow:
    name: str | None = None
    facts: dict[str, Scalar | tuple[str, ...]] = {}
    for column in roster.mapping.columns:
        if column.index >= len(row.cells) or column.key == CODE:
            continue
        cell = row.cells[column.index]
        if column.key == NAME:
            name = " ".join(str(cell).split()) or None if cell is not None else None
            continue
        spec = fields[column.key]
        value, wrong = read_cell(cell, spec, column.factor, day)
        if wrong:
            message = f"{wrong}，这一格没有用上"
            roster.note(row.number, column.header, message, is_whole_row=False)
        elif value is not None:
            facts[column.key] = value
            _count_unlisted(value, spec.name, spec.values, roster)
    if name is not None and not 2 <= len(name) <= 200:
        roster.note(row.number, "企业名称", "应为2至200个字，没有用上", is_whole_row=False)
        name = None
    return RosterRow(row.number, code, name, facts)


def _count_unlisted(
    value: Scalar | tuple[str, ...], name: str, listed: Mapping[str, object], roster: Roster
) -> None:
    if not listed or not isinstance(value, str | tuple):
        return
    for each in (value,) if isinstance(value, str) else value:
        if each not in listed:
            roster.unlisted.setdefault(name, Counter())[each] += 1
