"""The field dictionary: every fact an enterprise can have, how it is asked for, said, and what it may be."""

from __future__ import annotations

import difflib
import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from knowledge.errors import CatalogueError

FIELDS_FILE = Path(__file__).parent / "data" / "fields.jsonl"
# The values of a boolean that whole sentences stand for.
YES, NO = "是", "否"
# The value of a string where none of its others holds: no carrier, in no park.
NONE = "无"
FieldType = Literal["number", "boolean", "string", "string_list"]


class Parser(StrEnum):
    """How a field's value is read from what people say."""

    AMOUNT = "amount"  # 3200万
    PERCENTAGE = "percentage"  # 8个点
    HEADCOUNT = "headcount"  # 86个人
    YEARS = "years"  # 成立5年
    YEAR = "year"  # 2019年上市
    MONTHS = "months"  # 交了半年
    COUNT = "count"  # 3项, 80分, 200平
    CHOICE = "choice"  # one of ``values``
    CHOICES = "choices"  # any of ``values``
    YES_NO = "yes_no"  # 有 / 没有


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class FieldSpec:
    """One fact an enterprise can have.

    ``unit`` is CNY, %, 人, …, ``None`` for none. ``low`` and ``high`` bound a believable number, both included, in
    that unit. ``synonyms`` are names people use for the field, in talk and above the columns of a table. ``values`` are
    the canonical values of a string with what people say for each; of a boolean (是, 否) whole sentences that claim or
    deny it without naming it (亏损). ``values_of`` names the field whose values these are too. A label that begins with
    上年度 asks for the last full year and no other.

    ``parse`` tells how a value is read from talk; absent: by unit, else by type. ``is_negation``: the claim is itself a
    denial (没有自有办公用房), and its synonyms name what is denied.
    """

    name: str
    type: FieldType
    unit: str | None
    label: str
    question: str
    low: float | None = None
    high: float | None = None
    synonyms: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    values_of: str | None = None
    parse: Parser | None = None
    is_negation: bool = False

    @property
    def parser(self) -> Parser:
        return self.parse or _BY_UNIT.get(self.unit or "") or _BY_TYPE[self.type]

    @property
    def names(self) -> tuple[str, ...]:
        """Everything the field may be called: its name, its label, its synonyms unless they name what it denies."""
        return (self.name, self.label, *(() if self.is_negation else self.synonyms))

    @property
    def is_of_last_year(self) -> bool:
        return self.label.startswith("上年度")

    def value_said(self, said: str) -> str | None:
        """The canonical value that a text means, whatever its case; ``None`` where it means none."""
        return self._meanings.get(said.casefold())

    @cached_property
    def _meanings(self) -> Mapping[str, str]:
        ways = {way.casefold(): value for value, said in self.values.items() for way in said}
        return ways | {value.casefold(): value for value in self.values}


_BY_UNIT = {
    "CNY": Parser.AMOUNT,
    "%": Parser.PERCENTAGE,
    "人": Parser.HEADCOUNT,
    "年": Parser.YEARS,
    "月": Parser.MONTHS,
}
_BY_TYPE: Mapping[FieldType, Parser] = {
    "number": Parser.COUNT,
    "boolean": Parser.YES_NO,
    "string": Parser.CHOICE,
    "string_list": Parser.CHOICES,
}
Fields = Mapping[str, FieldSpec]


@lru_cache(maxsize=4)
def read_fields(path: Path = FIELDS_FILE) -> Fields:
    """The field dictionary by name, in file order. Raises ``CatalogueError`` naming file and line."""
    adapter = TypeAdapter(FieldSpec)
    specs: dict[str, FieldSpec] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            spec = adapter.validate_python(json.loads(line))
        except json.JSONDecodeError as error:
            raise CatalogueError([f"{path.name}:{number}: not valid JSON: {error}"]) from error
        except ValidationError as error:
            defects = error.errors(include_url=False)
            named = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in defects)
            raise CatalogueError([f"{path.name}:{number}: {each}" for each in named]) from error
        if spec.name in specs:
            raise CatalogueError([f"{path.name}:{number}: name: {spec.name!r} is defined twice"])
        if defect := _defect(spec):
            raise CatalogueError([f"{path.name}:{number}: {defect}"])
        specs[spec.name] = spec
    return {name: _with_values(spec, specs, path) for name, spec in specs.items()}


def _with_values(spec: FieldSpec, specs: Fields, path: Path) -> FieldSpec:
    if spec.values_of is None:
        return spec
    if spec.values_of not in specs:
        near = nearest_name(spec.values_of, specs)
        hint = f"; did you mean {near!r}?" if near else ""
        raise CatalogueError(
            [f"{path.name}: {spec.name}: values_of: unknown field {spec.values_of!r}{hint}"]
        )
    return replace(spec, values=specs[spec.values_of].values)


def _defect(spec: FieldSpec) -> str | None:
    """What contradicts itself in an entry, as ``key: what is wrong``."""
    if spec.low is not None and spec.high is not None and spec.low > spec.high:
        return f"low: {spec.low:g} lies above high {spec.high:g}"
    if spec.type == "number" and spec.values:
        return "values: a number has none; give low and high"
    if spec.type == "boolean" and not set(spec.values) <= {YES, NO}:
        return "values: those of a boolean are 是 and 否"
    ways = [
        way.casefold()
        for value, said in spec.values.items()
        for way in dict.fromkeys((value, *said))
    ]
    twice = next((way for way in ways if ways.count(way) > 1), None)
    return f"values: {twice!r} stands for two values" if twice else None


def field_called(name: str, fields: Fields) -> FieldSpec | None:
    """The field of this name, label or synonym, whatever its case and width; ``None`` where it is none or several."""
    wanted = _folded(name)
    found = [
        spec for spec in fields.values() if wanted in {_folded(called) for called in spec.names}
    ]
    exact = [spec for spec in found if wanted in (_folded(spec.name), _folded(spec.label))]
    found = exact or found
    return found[0] if len(found) == 1 else None


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name most like a mistyped one; ``None`` where none is like it."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return close[0] if close else None
