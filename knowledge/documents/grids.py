"""Turns a table into lines a person can read alone: every row carries the names of its columns."""

from __future__ import annotations

import re
from dataclasses import dataclass

from knowledge.documents.blocks import Table

# First cells that say what the row is about: then the table is a form of names and values, without a header.
_ROW_NAMES = re.compile(
    r"(申[报请]|受理|办理|支持|扶持|资助|奖励|补贴|服务|设定|政策|项目)?(条件|对象|材料|时间|期限|时限|流程|程序|方式|依据|标准|内容|地址|地点|范围|额度|金额|名称)"
    r"|(受理|主管|责任|实施|咨询|联系)(部门|单位|机构|人|电话|方式)|(咨询|联系)?(电话|邮箱)|索引号|文号|发文?字号|发布(机构|机关|日期)"
)
_IS_SENTENCE = re.compile(r"[。；！？;!?]")
_IS_FIGURE = re.compile(r"[\d.,，%％\s\-—/年月日至元万亿人家]+$")


@dataclass(frozen=True)
class Row:
    """One row as text. ``number`` counts data rows from 1; ``name`` is its own name in a form of names and values."""

    number: int
    text: str
    name: str | None = None


@dataclass(frozen=True)
class Grid:
    """A table as rows; ``caption`` is a line over the whole width above them, ``header`` the column names."""

    caption: str | None
    header: tuple[str, ...]
    rows: tuple[Row, ...]


def read_grid(table: Table) -> Grid:
    """The rows of ``table``, which is not blank, each with its header (项目：…；金额：…).

    The name of a column without a value in any row is left out with it.
    """
    rows = [row for row in table.rows if any(row)]
    caption = None
    while len(rows) > 1 and len(set(rows[0])) == 1 and len(rows[0]) > 1:
        caption = rows[0][0] if caption is None else f"{caption} {rows[0][0]}"
        rows.pop(0)
    if _is_form(rows):
        return Grid(caption, (), tuple(_named(number, row) for number, row in enumerate(rows, 1)))
    depth = _header_depth(rows)
    header = tuple(_joined([row[i] for row in rows[:depth]]) for i in range(len(rows[0])))
    body = rows[depth:] or rows
    shown = header if depth and rows[depth:] else ()
    return Grid(
        caption, header, tuple(Row(n, _with_header(shown, row)) for n, row in enumerate(body, 1))
    )


def _is_form(rows: list[tuple[str, ...]]) -> bool:
    if not rows or len(rows[0]) % 2 or len(rows[0]) > 4:
        return False
    names = [row[i] for row in rows for i in range(0, len(row), 2) if row[i]]
    hits = sum(1 for name in names if _ROW_NAMES.search(name) and len(name) <= 12)
    is_header = all(_ROW_NAMES.search(cell) and len(cell) <= 12 for cell in rows[0] if cell)
    return bool(names) and hits * 2 > len(names) and not (is_header and len(rows[0]) == 2)


def _named(number: int, row: tuple[str, ...]) -> Row:
    pairs = [(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    text = "；".join(
        f"{name}：{value}" if name and value else name or value
        for name, value in pairs
        if name or value
    )
    return Row(number, text, row[0] or None)


def _header_depth(rows: list[tuple[str, ...]]) -> int:
    """How many rows at the top name columns: none, one, or two where the first has merged cells."""
    if len(rows) < 2 or not _names_columns(rows[0]):
        return 0
    repeats = len(set(rows[0])) < len(rows[0])
    continues = any(a == b for a, b in zip(rows[0], rows[1], strict=True) if a)
    return 2 if repeats and continues and len(rows) > 2 and _names_columns(rows[1]) else 1


def _names_columns(row: tuple[str, ...]) -> bool:
    cells = [cell for cell in row if cell]
    return all(row[1:]) and all(
        len(cell) <= 20 and not _IS_SENTENCE.search(cell) and not _IS_FIGURE.match(cell)
        for cell in cells
    )


def _joined(names: list[str]) -> str:
    return " ".join(dict.fromkeys(name for name in names if name))


def _with_header(header: tuple[str, ...], row: tuple[str, ...]) -> str:
    parts: list[str] = []
    for index, cell in enumerate(row):
        if not cell or (
            index and cell == row[index - 1] and (not header or header[index] == header[index - 1])
        ):
            continue
        name = header[index] if index < len(header) else ""
        parts.append(f"{name}：{cell}" if name else cell)
    return "；".join(parts)
