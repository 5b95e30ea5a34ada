"""Finds the numbers of a message with their units, bounds and how roughly they are meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby

from knowledge.fields import FieldSpec, Parser
from nlu.fact import Fact
from nlu.numerals import NUMBER, plain_number, read_number
from nlu.profile.talk import talk

_KINDS = {
    "amount": Parser.AMOUNT,
    "percentage": Parser.PERCENTAGE,
    "headcount": Parser.HEADCOUNT,
    "years": Parser.YEARS,
    "year": Parser.YEAR,
}
# What is counted with which words; a bare number counts anything.
_COUNTED_BY = {
    "项": ("项", "件", "条", "个"),
    "家": ("家", "间", "个"),
    "分": ("分",),
    "㎡": ("平方米", "平米", "平方", "平", "㎡", "m2"),
    "人": ("个", "名", "位"),
}
_COUNTED = re.compile(
    rf"(?<![\d.,第A-Za-z])(?:(?P<low>{NUMBER})\s?(?:-|~|～|—|至|到)\s?)?(?P<n>{NUMBER}|半)\s?[多来余几]?\s?"
    r"(?P<unit>个半?月|年半?|平方米|平米|平方|平|㎡|m2|项|件|条|分|家|间|个|名|位)?(?:多|余)?(?![\d.%A-Za-z])"
)
_TO = re.compile(r"\s?(?:-|~|～|—|至|到)+\s?")
_MINUS = re.compile(r"(?:^|[^\d一-龥A-Za-z）)]|是|为|了|长|速)[-−]\s?$|负$")
_NOT_BARE = re.compile(r"[月日号点条章期届岁倍次层楼%万亿千百成元块人]")
_TELLS_MONTH = re.compile(r"\s?(?P<month>\d{1,2}|十[一二]?|[一二三四五六七八九])\s?月")


class Bound(Enum):
    """How a number lies to the true one."""

    EXACT = "exact"
    ABOVE = "above"  # 3000万以上: at least
    BELOW = "below"  # 不到3000万: less, nobody knows how much


@dataclass(frozen=True)
class Quantity:
    """``value`` in the unit of ``kind``; ``high`` is the upper end of a range. ``kind`` is ``None`` for what is merely counted.

    ``unit`` is the word it was counted with, absent for a bare number; ``month`` that of a calendar year, 1 to 12.
    """

    kind: Parser | None
    value: int | float
    start: int
    end: int
    high: int | float | None = None
    unit: str | None = None
    month: int | None = None
    bound: Bound = Bound.EXACT
    is_approximate: bool = False

    @property
    def is_bare(self) -> bool:
        return self.kind is None and self.unit is None

    def fits(self, spec: FieldSpec) -> bool:
        """Whether it can be this field's value; a bare number only by being asked for or named."""
        if self.kind is None:
            if self.unit is None:
                return spec.type == "number"
            return self.unit in _COUNTED_BY.get(spec.unit or "", ()) and spec.type == "number"
        return spec.parser is self.kind or (
            self.kind is Parser.YEAR and spec.parser is Parser.YEARS
        )


def quantities(text: str, facts: Sequence[Fact]) -> list[Quantity]:
    """The quantities of a normalised text in order; ``facts`` are those ``nlu.facts`` found in it.

    A length of time stands there twice, in years and in months: the field decides.
    """
    taken = bytearray(len(text))
    found: list[Quantity] = []
    for fact in facts:
        if fact.kind in ("company", "credit_code", "invalid_credit_code", "phone", "appeal_no"):
            taken[fact.start : fact.end] = b"\1" * (fact.end - fact.start)
    for (kind, start, end), same in groupby(
        facts, key=lambda fact: (fact.kind, fact.start, fact.end)
    ):
        if kind in _KINDS:
            values = [fact.value for fact in same if not isinstance(fact.value, str)]
            if kind not in ("years", "year"):
                taken[start:end] = b"\1" * (end - start)
            month = _TELLS_MONTH.match(text, end) if kind == "year" else None
            found.append(
                Quantity(
                    _KINDS[kind],
                    values[0],
                    start,
                    end,
                    values[1] if len(values) > 1 else None,
                    month=_month(month["month"]) if month else None,
                )
            )
    found += (each for each in _counted(text) if not any(taken[each.start : each.end]))
    in_order = sorted(found, key=lambda each: (each.start, each.end))
    return [_qualified(text, each) for each in _ranges(text, in_order)]


def _ranges(text: str, found: list[Quantity]) -> Iterator[Quantity]:
    """8000万到1个亿 is one range."""
    waiting: Quantity | None = None
    for each in found:
        if waiting is not None:
            is_range = (
                waiting.kind is each.kind is not None
                and waiting.high is each.high is None
                and _TO.fullmatch(text[waiting.end : each.start]) is not None
            )
            if is_range and each.kind is not Parser.YEAR and waiting.value < each.value:
                waiting = replace(waiting, end=each.end, high=each.value)
                continue
            yield waiting
        waiting = each
    if waiting is not None:
        yield waiting


def _month(written: str) -> int | None:
    month = int(read_number(written)[0])
    return month if 1 <= month <= 12 else None


def _counted(text: str) -> Iterator[Quantity]:
    for match in _COUNTED.finditer(text):
        unit, values = match["unit"], read_number(match["n"])
        if unit is not None and unit[0] in "个年" and ("月" in unit or unit[0] == "年"):
            yield from _months(match)
            continue
        is_word = not match["n"].isascii() and unit is None and len(match["n"]) < 2
        if not values or (is_word and len(text) > 3):
            continue
        if unit is None and _NOT_BARE.match(text, match.end()):
            continue
        low = read_number(match["low"]) if match["low"] else ()
        ends = (*low, *values)
        yield Quantity(
            None,
            plain_number(ends[0]),
            *match.span(),
            plain_number(ends[-1]) if len(ends) > 1 else None,
            unit,
        )


def _months(match: re.Match[str]) -> Iterator[Quantity]:
    by = 12 if match["unit"][0] == "年" else 1
    values = [0.5] if match["n"] == "半" else [float(n) for n in read_number(match["n"])]
    if not values:
        return
    low = [float(n) for n in read_number(match["low"])] if match["low"] else []
    half = 0.5 if "半" in match["unit"] else 0.0
    ends = [plain * by for plain in (*low, *(value + half for value in values))]
    whole = [int(end) if end == int(end) else end for end in ends]
    if by == 12 and whole[0] >= 1200:  # a calendar year
        return
    high = whole[-1] if len(whole) > 1 else None
    yield Quantity(Parser.MONTHS, whole[0], *match.span(), high)


def _qualified(text: str, found: Quantity) -> Quantity:
    """The quantity with what stands around it: 大概, 左右, 不到, 以上."""
    words, before, said = talk(), text[: found.start], text[found.start : found.end]
    if words.below_before.search(before) or words.below_after.match(text, found.end):
        bound = Bound.BELOW
    elif words.above_before.search(before) or words.above_after.match(text, found.end):
        bound = Bound.ABOVE
    else:
        bound = Bound.EXACT
    is_about = (
        bound is Bound.ABOVE
        or words.about_before.search(before)
        or words.about_within.search(said)
        or words.about_after.match(text, found.end)
    )
    value = -found.value if _MINUS.search(before) else found.value
    return replace(found, value=value, bound=bound, is_approximate=bool(is_about))
