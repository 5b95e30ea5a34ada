"""Reads and writes the catalogue as an Excel workbook: one policy a row, its clauses on a second sheet."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Any, Literal

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import IllegalCharacterError

from knowledge.catalogue import read_row
from knowledge.documents.rows import row_of
from knowledge.errors import CatalogueError
from knowledge.fields import FieldSpec
from knowledge.policy import Policy

POLICY_SHEET, CLAUSE_SHEET = "政策", "条款"
NAMES: Mapping[str, str] = {
    "id": "政策编号", "title": "标题", "aliases": "别名", "level": "层级", "place": "地区", "issuer": "发布机关",
    "doc_no": "文号", "source_url": "链接", "published": "发布日期", "valid_from": "施行日期", "valid_to": "有效期至",
    "status": "状态", "category": "类别", "industries": "行业", "benefit_type": "支持方式",
    "amount_max_cny": "最高金额（元）", "summary": "扶持内容", "criteria": "申报条件", "materials": "申报材料",
    "window": "申报时间", "department": "受理部门", "phone": "咨询电话", "confidence": "可信度", "note": "备注",
    "inferred": "推断的字段", "asked": "常见问法", "acts": "后续文件", "status_as_of": "状态记录日期",
}  # fmt: skip
CLAUSE_NAMES: Mapping[str, str] = {
    "id": "条款编号", "facet": "方面", "label": "条款", "text": "原文", "path": "所在标题", "page": "页码",
}  # fmt: skip
_LISTS = frozenset({"aliases", "industries", "materials", "inferred", "asked", "path"})
_DAYS = frozenset({"published", "valid_from", "valid_to", "status_as_of"})
_JSON = frozenset({"criteria", "acts"})
_NUMBERS = frozenset({"amount_max_cny", "page"})
_WORDS = {
    "现行有效": "current",
    "已过期": "expired",
    "未核实": "unknown",
    "高": "high",
    "中": "medium",
    "低": "low",
}
_HEADER_WITHIN = 10
_MOST_ROWS = 200_000
_LONGEST_CELL = 32_767


@dataclass(frozen=True)
class _Found:
    """A table on a sheet: which column (from 0) holds which key, and its rows by number (from 1)."""

    sheet: str
    columns: Mapping[int, str]
    rows: tuple[tuple[int, tuple[Any, ...]], ...]

    def at(self, row: int, key: str | None = None) -> str:
        """政策!C3 issuer"""
        column = next((c for c, name in self.columns.items() if name == key), None)
        place = f"{get_column_letter(column + 1)}{row}" if column is not None else f"{row}"
        return f"{self.sheet}!{place}" + (f" {key}" if key else "")


def read_sheet(file: str, data: bytes, fields: Mapping[str, FieldSpec]) -> list[Policy]:
    """The policies of a workbook.

    Raises:
        CatalogueError: every defect as ``file: sheet!cell key: what is wrong``; also where no sheet has a header.
    """
    problems: list[str] = []
    tables = list(_tables(file, data, problems))
    policies = [table for kind, table in tables if kind == "policies"]
    if not policies:
        known = "、".join(list(NAMES.values())[:6])
        raise CatalogueError(
            problems
            or [
                f"{file}: 不是政策目录表：没有一张表有表头（{known}……或 id、title、issuer……）；政策文件请存成 docx 或 pdf"
            ]
        )
    wording = _wording(file, [table for kind, table in tables if kind == "clauses"], problems)
    found: dict[str, Policy] = {}
    for table in policies:
        for number, cells in table.rows:
            policy = _policy(file, table, number, cells, wording, fields, problems)
            if policy is not None and policy.id in found:
                problems.append(
                    f"{file}: {table.at(number, 'id')}: {policy.id!r} 在前面的行已经用过"
                )
            elif policy is not None:
                found[policy.id] = policy
    problems += [
        f"{file}: {CLAUSE_SHEET}: 条款 {rows[0]['id']!r} 的政策不在表里"
        for rows in wording.values()
    ]
    if problems:
        raise CatalogueError(problems)
    if not found:
        raise CatalogueError([f"{file}: 只有表头，没有政策"])
    return list(found.values())


def _tables(
    file: str, data: bytes, problems: list[str]
) -> Iterator[tuple[Literal["policies", "clauses"], _Found]]:
    book = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True, keep_links=False)
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # a file may claim a million columns
            rows = [
                (number, tuple(row))
                for number, row in zip(
                    range(1, _MOST_ROWS + 1), sheet.iter_rows(values_only=True), strict=False
                )
                if any(cell is not None and cell != "" for cell in row)
            ]
            kind, table = _table(file, sheet.title, rows, problems)
            if kind is not None and table is not None:
                yield kind, table
    finally:
        book.close()


def _table(
    file: str, sheet: str, rows: Sequence[tuple[int, tuple[Any, ...]]], problems: list[str]
) -> tuple[Literal["policies", "clauses"] | None, _Found | None]:
    """The table under the first row (of ten) with three known names; ``None`` where no row has them."""
    for at, (number, cells) in enumerate(rows[:_HEADER_WITHIN]):
        said = {
            c: str(cell).strip()
            for c, cell in enumerate(cells)
            if cell is not None and str(cell).strip()
        }
        for kind, names in (("clauses", CLAUSE_NAMES), ("policies", NAMES)):
            meaning = {name: key for key, name in names.items()} | {key: key for key in names}
            known = {c: meaning[name] for c, name in said.items() if name in meaning}
            if len(known) < 3 or (kind == "clauses" and "text" not in known.values()):
                continue
            for c in sorted(set(said) - set(known)):
                problems.append(
                    f"{file}: {sheet}!{get_column_letter(c + 1)}{number}: 不认识的列名 {said[c]!r}"
                )
            for key in {key for key in known.values() if list(known.values()).count(key) > 1}:
                problems.append(f"{file}: {sheet}!{number}: 列 {key}（{names[key]}）出现了两次")
            table = _Found(sheet, known, tuple(rows[at + 1 :]))
            return ("clauses", table) if kind == "clauses" else ("policies", table)
    return None, None


def _wording(
    file: str, tables: Iterable[_Found], problems: list[str]
) -> dict[str, list[dict[str, Any]]]:
    """Rows of clauses by policy id, in order."""
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for table in tables:
        for number, cells in table.rows:
            row = _record(file, table, number, cells, problems)
            row = {key: row.get(key, [] if key == "path" else None) for key in CLAUSE_NAMES}
            found[str(row["id"]).partition("#")[0]].append(row)
    return dict(found)


def _policy(
    file: str,
    table: _Found,
    number: int,
    cells: Sequence[Any],
    wording: dict[str, list[dict[str, Any]]],
    fields: Mapping[str, FieldSpec],
    problems: list[str],
) -> Policy | None:
    row = _record(file, table, number, cells, problems)
    for key in NAMES:
        row.setdefault(key, [] if key in _LISTS | _JSON else None)
    row["wording"] = wording.pop(str(row["id"]), [])
    found, policy = read_row(row, fields)
    for problem in found:
        key = problem.partition(":")[0].partition(".")[0]
        problems.append(f"{file}: {table.at(number, key)}: {problem}")
    return policy


def _record(
    file: str, table: _Found, number: int, cells: Sequence[Any], problems: list[str]
) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column, key in table.columns.items():
        cell = cells[column] if column < len(cells) else None
        try:
            row[key] = _value(key, cell)
        except ValueError as error:
            problems.append(f"{file}: {table.at(number, key)}: {error}")
    return row


def _value(key: str, cell: Any) -> Any:
    """A cell as the row of the catalogue has it; what does not fit is left for the strict reader to name."""
    if isinstance(cell, str):
        cell = cell.strip()
    if cell is None or cell == "":
        return [] if key in _LISTS | _JSON else None
    if key in _JSON:
        return _json(cell)
    if key in _LISTS:
        text = _text(cell)
        return (
            _json(text)
            if text.startswith("[")
            else [part.strip() for part in text.split("；") if part.strip()]
        )
    if key in _DAYS and isinstance(cell, date):
        return (cell.date() if isinstance(cell, datetime) else cell).isoformat()
    if key in _NUMBERS:
        return _whole(cell)
    text = _text(cell)
    return _WORDS.get(text, text) if key in {"status", "confidence"} else text


def _whole(cell: Any) -> Any:
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    if isinstance(cell, str) and cell.isascii() and cell.isdigit():
        return int(cell)
    return cell


def _text(cell: Any) -> str:
    return str(_whole(cell)) if isinstance(cell, float) else str(cell)


def _json(text: Any) -> Any:
    try:
        return json.loads(str(text))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"不是有效的 JSON：{error}") from error


def write_sheet(policies: Iterable[Policy]) -> bytes:
    """A workbook that ``read_sheet`` reads back to the same policies.

    Raises ``CatalogueError`` for what Excel cannot hold: a text of over 32,767 characters, control characters.
    """
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = POLICY_SHEET
    sheet.append(list(NAMES.values()))
    clauses = book.create_sheet(CLAUSE_SHEET)
    clauses.append(list(CLAUSE_NAMES.values()))
    for policy in policies:
        row = row_of(policy)
        _append(sheet, policy.id, [(key, row.get(key, [])) for key in NAMES])
        for clause in row.get("wording", []):
            _append(clauses, clause["id"], [(key, clause[key]) for key in CLAUSE_NAMES])
    for each in (sheet, clauses):
        each.freeze_panes = "C2"
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _append(sheet: Any, row_id: str, values: Sequence[tuple[str, Any]]) -> None:
    number = sheet.max_row + 1
    for column, (key, value) in enumerate(values, 1):
        if value is None or value == []:
            continue
        shown = _shown(key, value)
        if isinstance(shown, str) and len(shown) > _LONGEST_CELL:
            raise CatalogueError(
                [f"{row_id}: {key}: 有 {len(shown)} 个字，Excel 一格放不下；请导出为 jsonl"]
            )
        try:
            cell = sheet.cell(number, column, shown)
        except IllegalCharacterError as error:
            raise CatalogueError(
                [f"{row_id}: {key}: 有 Excel 不能保存的字符；请导出为 jsonl"]
            ) from error
        if isinstance(shown, str):
            cell.data_type = "s"  # never a formula


def _shown(key: str, value: Any) -> Any:
    if key in _JSON:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        plain = not any("；" in item for item in value) and not str(value[0]).startswith("[")
        return "；".join(value) if plain else json.dumps(value, ensure_ascii=False)
    return value
