"""Matches the columns of a table to the names of an enterprise and the fields of the dictionary."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from knowledge.errors import RosterError
from knowledge.fields import Fields, FieldSpec, field_called

NAME, CODE = "name", "credit_code"
IGNORED = "忽略"
_KEYS: Mapping[str, tuple[str, ...]] = {
    NAME: ("name", "企业名称", "公司名称", "单位名称", "企业全称", "公司全称", "名称", "企业名", "公司名"),
    CODE: (
        "credit_code", "统一社会信用代码", "社会信用代码", "信用代码", "统一信用代码", "纳税人识别号", "税号",
        "统一代码", "信用代码证号",
    ),
}  # fmt: skip
_LABELS = {NAME: "企业名称", CODE: "统一社会信用代码"}
# 营业收入（万元）: the unit of every number below it.
_UNIT = re.compile(
    r"^(?P<name>.+?)\s*[（(\[【](?:单位[:：])?(?P<unit>[^（()）\]】]{1,4})[)）\]】]$"
)
_FACTORS = {"元": 1, "千元": 1_000, "万元": 10_000, "万": 10_000, "亿元": 10**8, "亿": 10**8}
_NEAR = 55


@dataclass(frozen=True)
class Column:
    """Column ``index`` (from 0) holds ``key``: name, credit_code or a field; ``factor`` turns its sums into yuan."""

    index: int
    header: str
    key: str
    factor: int = 1


@dataclass(frozen=True)
class Unmapped:
    """A column that is left out; ``near`` is the name it may have meant, absent where none is like it."""

    header: str
    near: str | None


@dataclass(frozen=True)
class ColumnMap:
    """Which columns are used and which are not."""

    columns: tuple[Column, ...]
    unmapped: tuple[Unmapped, ...]


def is_known_name(header: str, fields: Fields) -> bool:
    """Whether a header means something here."""
    return _meaning(header, fields) is not None


def map_columns(
    file: str, headers: Sequence[str], fields: Fields, given: Mapping[str, str]
) -> ColumnMap:
    """The columns by what they hold. ``given`` says for a header (with or without its unit) the field, or 忽略.

    Raises:
        RosterError: a name in ``given`` that is unknown; two columns of one meaning; no column of credit codes.
    """
    chosen = _chosen(file, headers, fields, given)
    columns: list[Column] = []
    unmapped: list[Unmapped] = []
    for index, header in enumerate(headers):
        key = chosen.get(index) or _meaning(header, fields)
        if not header or key == IGNORED:
            continue
        if key is None:
            unmapped.append(Unmapped(header, _nearest(header, fields)))
        else:
            columns.append(Column(index, header, key, _factor(header, fields.get(key))))
    columns = [
        each
        for each in columns
        if each.index in chosen or not any(chosen.get(c.index) == each.key for c in columns)
    ]
    for key in (NAME, CODE, *fields):
        same = [column.header for column in columns if column.key == key]
        if len(same) > 1:
            raise RosterError(
                file,
                f"{'、'.join(same)} 都是“{_label(key, fields)}”；用 --map 列名=忽略 去掉多余的",
            )
    if CODE not in {column.key for column in columns}:
        raise RosterError(
            file, "没有统一社会信用代码这一列；若列名不同，用 --map 列名=统一社会信用代码 指明"
        )
    return ColumnMap(tuple(columns), tuple(unmapped))


def _chosen(
    file: str, headers: Sequence[str], fields: Fields, given: Mapping[str, str]
) -> dict[int, str]:
    chosen: dict[int, str] = {}
    for said, meant in given.items():
        index = next((i for i, h in enumerate(headers) if _folded(said) in _forms(h)), None)
        if index is None:
            near = process.extractOne(said, headers, scorer=fuzz.ratio, score_cutoff=_NEAR)
            hint = (
                f"，是不是“{near[0]}”"
                if near
                else f"；有的列是 {'、'.join(h for h in headers if h)}"
            )
            raise RosterError(file, f"--map：没有“{said}”这一列{hint}")
        key = IGNORED if meant == IGNORED else _meaning(meant, fields)
        if key is None:
            near_name = _nearest(meant, fields)
            hint = f"，是不是“{near_name}”" if near_name else "；字段见 knowledge/data/fields.jsonl"
            raise RosterError(file, f"--map：没有“{meant}”这个字段{hint}")
        chosen[index] = key
    return chosen


def _meaning(header: str, fields: Fields) -> str | None:
    """The key a header means; its unit tells a sum from a share (研发费用（万元）)."""
    match = _UNIT.match(header)
    unit = match["unit"].strip() if match else None
    own = {
        name: spec
        for name, spec in fields.items()
        if (unit in _FACTORS and spec.unit == "CNY") or (unit in ("%", "％") and spec.unit == "%")
    }
    for form in _forms(header):
        for key, names in _KEYS.items():
            if form in {_folded(name) for name in names}:
                return key
        spec = field_called(form, own) or field_called(form, fields)
        if spec is not None:
            return spec.name
    return None


def _forms(header: str) -> list[str]:
    """The header as it is, and without the unit behind it."""
    match = _UNIT.match(header)
    return [_folded(header)] + ([_folded(match["name"])] if match else [])


def _factor(header: str, spec: FieldSpec | None) -> int:
    match = _UNIT.match(header)
    if match is None or spec is None or spec.unit != "CNY":
        return 1
    return _FACTORS.get(match["unit"].strip(), 1)


def _nearest(name: str, fields: Fields) -> str | None:
    """The label of the field most like a name."""
    called = {alias: spec.label for spec in fields.values() for alias in spec.names}
    called |= {alias: _LABELS[key] for key, names in _KEYS.items() for alias in names}
    match = _UNIT.match(name)
    bare = match["name"] if match else name
    near = process.extractOne(bare, list(called), scorer=fuzz.ratio, score_cutoff=_NEAR)
    return called[near[0]] if near else None


def _label(key: str, fields: Fields) -> str:
    return _LABELS.get(key) or fields[key].label


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
