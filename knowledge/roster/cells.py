"""Reads one cell of a table of enterprises as the value of a field."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal

from knowledge.fields import FieldSpec, Parser
from knowledge.policy import Scalar
from knowledge.profile import read_value

_ABSENT = frozenset(
    {
        "",
        "-",
        "--",
        "—",
        "/",
        "\\",
        "n/a",
        "na",
        "null",
        "none",
        "nan",
        "未知",
        "不详",
        "暂无数据",
        "#n/a",
    }
)
_YES = frozenset({"是", "有", "true", "t", "yes", "y", "1", "√", "✓", "符合", "已", "对"})
_NO = frozenset(
    {"否", "无", "没有", "false", "f", "no", "n", "0", "×", "✗", "x", "不符合", "未", "不是"}
)
_NONE = frozenset({"无", "没有", "[]"})
_SCALES = {"亿": 10**8, "千万": 10**7, "百万": 10**6, "万": 10**4, "w": 10**4, "千": 10**3}
_NUMBER = re.compile(
    r"^[¥]?\s*(?P<n>[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?)\s*(?P<scale>亿|千万|百万|万|w|千)?\s*"
    r"(?P<unit>元|人民币|人|名|%|年|个月|月|分|项|件|家|m2|平方米|平米|平)?$"
)
_DAY = re.compile(r"^(?P<y>\d{4})[-/.年](?P<m>\d{1,2})(?:[-/.月](?P<d>\d{1,2})日?)?月?(?:[T ].*)?$")
_COMPACT_DAY = re.compile(r"^(?P<y>(?:19|20)\d{2})(?P<m>[01]\d)(?P<d>[0-3]\d)$")
_SPLIT = re.compile(r"[；;、,，|/\n]+")
_DAYS = 365.25


def read_cell(
    cell: object, spec: FieldSpec, factor: int, day: date
) -> tuple[Scalar | tuple[str, ...] | None, str]:
    """The value of a cell; ``(None, "")`` where it is empty, ``(None, what is wrong)`` where it cannot be used.

    ``factor`` turns a bare sum into yuan (a column in 万元). A date below a field of years means since then, to ``day``.
    """
    if cell is None or (isinstance(cell, float) and cell != cell):
        return None, ""
    if isinstance(cell, str):
        cell = unicodedata.normalize("NFKC", cell).strip()
        if cell.casefold() in _ABSENT:
            return None, ""
    if spec.type == "string_list":
        return read_value(_items(cell), spec)
    if spec.type == "boolean":
        return read_value(_truth(cell), spec)
    if spec.type == "number":
        return read_value(_number(cell, spec, factor, day), spec)
    return read_value(str(cell) if isinstance(cell, int | float) else cell, spec)


def _items(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    if cell in _NONE:
        return []
    return [part.strip() for part in _SPLIT.split(cell) if part.strip()]


def _truth(cell: object) -> object:
    if isinstance(cell, bool):
        return cell
    said = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
    if said.casefold() in _YES:
        return True
    return False if said.casefold() in _NO else cell


def _number(cell: object, spec: FieldSpec, factor: int, day: date) -> object:
    if spec.parser in (Parser.YEARS, Parser.YEAR):
        begun = _day(cell)
        if begun is not None:
            if spec.parser is Parser.YEAR:
                return begun.year
            return round((day - begun).days / _DAYS, 2)
    if isinstance(cell, bool) or not isinstance(cell, str):
        plain = cell
    else:
        match = _NUMBER.match(cell.casefold())
        if match is None:
            return cell
        number = Decimal(match["n"].replace(",", ""))
        if match["scale"]:
            return _plain(number * _SCALES[match["scale"]])
        if match["unit"] in ("元", "人民币"):
            return _plain(number)
        plain = _plain(number)
    if factor != 1 and isinstance(plain, int | float) and not isinstance(plain, bool):
        return _plain(Decimal(str(plain)) * factor)
    return plain


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


def _day(cell: object) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    match = _DAY.match(str(cell)) or _COMPACT_DAY.match(str(cell))
    if match is None:
        return None
    try:
        return date(int(match["y"]), int(match["m"]), int(match["d"] or 1))
    except ValueError:
        return None
