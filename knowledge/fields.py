"""The field dictionary: every fact an enterprise can have, how it is asked for, said, and what it may be."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from knowledge.errors import CatalogueError

FIELDS_FILE = Path(__file__).parent / "data" / "fields.jsonl"
FieldType = Literal["number", "boolean", "string", "string_list"]


class Parser(StrEnum):
    """How a field's value is read from what people say."""

    AMOUNT = "amount"  # 3200万
    PERCENTAGE = "percentage"  # 8个点
    HEADCOUNT = "headcount"  # 86个人
    YEARS = "years"  # 成立5年
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
    that unit. ``synonyms`` are names people use for the field, ``values`` the canonical values of a string with what
    people say for each. ``parse`` tells how a value is read from talk; absent: by its type.
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
    parse: Parser | None = None

    @property
    def parser(self) -> Parser:
        return self.parse or _BY_UNIT.get(self.unit or "") or _BY_TYPE[self.type]


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
        specs[spec.name] = spec
    return specs


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name most like a mistyped one; ``None`` where none is like it."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return close[0] if close else None
