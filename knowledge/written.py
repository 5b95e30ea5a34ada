"""What a text in a table's cell or on the command line stands for, in the type of its field."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from knowledge.fields import FieldSpec

_YES, _NO = frozenset({"true", "是", "有", "1"}), frozenset({"false", "否", "无", "没有", "0"})
_NUMBER = re.compile(
    r"(?P<digits>[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?(e[+-]?\d{1,3})?)\s*(?P<unit>.*)", re.IGNORECASE
)
_TIMES = {"万": Decimal(10_000), "亿": Decimal(100_000_000)}
_LIST_MARKS = re.compile(r"[;、,|\n]")  # full-width ones are narrow after NFKC


def written_value(text: str, spec: FieldSpec) -> object:
    """The value a text stands for, ``None`` for blank; the text itself where it stands for none of the field's type.

    Whether the value can be believed is for ``knowledge.profile.read_value`` to say. A number may have its field's unit
    behind it, yuan also 万元 and 亿元; a list is divided by 、；, or |, and 无 is the empty list.
    """
    said = unicodedata.normalize("NFKC", text).strip()
    if not said:
        return None
    if spec.type == "number":
        return _number(said, spec.unit)
    if spec.type == "boolean":
        word = said.lower()
        return True if word in _YES else False if word in _NO else text
    if spec.type == "string_list":
        return [] if said == "无" else [part for part in _LIST_MARKS.split(said) if part.strip()]
    return text


def _number(said: str, unit: str | None) -> object:
    found = _NUMBER.fullmatch(said)
    if found is None:
        return said
    times, behind = Decimal(1), found["unit"]
    if unit == "CNY" and behind:
        times, behind = _TIMES.get(behind[0], times), behind.lstrip("万亿")
    if behind not in {"", "元" if unit == "CNY" else unit}:
        return said
    number = Decimal(found["digits"].replace(",", "")) * times
    return int(number) if number == number.to_integral_value() else float(number)
