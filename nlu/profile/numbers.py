"""Finds whose number is whose: 去年营收3200万, 86个人, 不对，是2300万."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from knowledge.conditions import in_unit
from knowledge.fields import Fields, FieldSpec, Parser
from knowledge.profile import read_value
from nlu.profile.message import Message, Situation
from nlu.profile.names import Phrases
from nlu.profile.quantities import Bound, Quantity
from nlu.profile.said import Answer, SaidFact
from nlu.profile.talk import Clause, talk

# Whom a figure without a name belongs to, and of which sum a bare 增长 speaks.
_UNNAMED = {Parser.HEADCOUNT: "employees"}
_CHANGE_OF = {"revenue_growth_pct": "annual_revenue_cny"}
_CHANGE = re.compile("[增涨降下负]|同比")
_FALL = re.compile("下降|下滑|减少|负增长|降了|跌|缩水|少了|降低")
# Between a figure and the name behind it: 3200万的营收, 2019年3月在福田成立.
_BEFORE_NAME = re.compile(
    r"(?:\s|的|左右|上下|多|以上|个|名|位|在|就|才|刚|于|份|底|初|末|之|于|正式|\d{1,2}月(?:\d{1,2}[日号])?|[一二三四五六七八九十]{1,3}月)*"
)
# A clause that only names what the next one gives: 营收的话，大概3200万.
_TOPIC_LEAD = re.compile(
    r"(?:我们|公司|我司|去年|至于|说到|关于|那个|嗯|那|哦|，|改一?下|更正一?下|不对|修改|把|前面的?|刚才的?)*"
)
_TOPIC_TAIL = re.compile(
    r"(?:的话|呢|方面|这块|嘛|啊|上|是|大概|就|吧|[:：]|说错|讲错|写错|打错|报错|错|不对|改一?下|要改|了)*"
)
_SHARES = ("率", "占比", "比例", "增速", "强度", "比")
_SMALLEST_SUM = 10_000  # a bare 3200 may be yuan or 万元
_DAYS = 365.25
_YEAR_REACH = 8


@dataclass(frozen=True)
class _Name:
    """A name of numbers at ``start:end``; without fields one of something the dictionary does not hold."""

    start: int
    end: int
    text: str
    fields: tuple[FieldSpec, ...]


class NumberReader:
    """Reads the numeric facts of a message."""

    def __init__(self, fields: Fields, names: Phrases[FieldSpec]) -> None:
        self._fields, self._names = fields, names

    def read(self, message: Message, situation: Situation) -> Iterator[SaidFact]:
        """The numbers said of fields, in order; a figure that belongs to no field is left out."""
        names = self._named(message.text)
        denied: tuple[Quantity, FieldSpec | None] | None = None
        done_until = -1
        for quantity in message.quantities:
            if quantity.start < done_until:
                continue
            spec = self._owner(message, quantity, names, situation)
            if talk().figure_denied.search(message.text[: quantity.start]):
                denied = (quantity, spec)
                continue
            is_named = spec is not None and self._named_before(message, quantity, names) is not None
            if denied is not None and denied[0].kind is quantity.kind and not is_named:
                spec = denied[1] or spec
            denied = None
            if spec is None or not quantity.fits(spec):
                continue
            if not message.claims(quantity.start, quantity.end):
                continue
            fact = self._fact(message, quantity, spec, situation)
            if fact is not None:
                done_until = quantity.end
                yield fact

    def _named(self, text: str) -> list[_Name]:
        found = [
            _Name(
                f.start,
                f.end,
                f.text,
                () if talk().shares_of.search(text[: f.start]) else f.meanings,
            )
            for f in self._names.find(text)
        ]
        for match in talk().decoys.finditer(text):
            start, end = match.span()
            beside = [name for name in found if name.start < end and start < name.end]
            if all(
                start <= n.start and n.end <= end and n.end - n.start < end - start for n in beside
            ):
                found = [name for name in found if name not in beside]
                found.append(_Name(start, end, match[0], ()))
        return sorted(found, key=lambda name: name.start)

    def _owner(
        self, message: Message, quantity: Quantity, names: list[_Name], situation: Situation
    ) -> FieldSpec | None:
        """The field a quantity belongs to: named beside it, corrected, asked for, or the usual one."""
        named = self._named_before(message, quantity, names) or self._named_behind(
            message, quantity, names
        )
        if named is not None:
            return self._chosen(named, quantity, situation)
        if message.is_corrected(quantity.start):
            for spec in reversed(situation.given):
                if spec.type == "number" and quantity.fits(spec) and not quantity.is_bare:
                    return spec
        asked = situation.asked
        if asked is not None and asked.type == "number" and quantity.fits(asked):
            return asked
        if quantity.kind in _UNNAMED:
            return self._fields.get(_UNNAMED[quantity.kind])
        if message.is_corrected(quantity.start) and quantity.is_bare:
            numbers = [spec for spec in situation.given if spec.type == "number"]
            return numbers[-1] if numbers else None
        return None

    def _chosen(self, name: _Name, quantity: Quantity, situation: Situation) -> FieldSpec | None:
        fitting = [spec for spec in name.fields if quantity.fits(spec)]
        if quantity.is_bare:  # 面积300 needs no unit, 成立5 says nothing
            asked = [spec for spec in fitting if spec is situation.asked]
            fitting = asked or [
                spec for spec in fitting if spec.parser not in (Parser.YEARS, Parser.MONTHS)
            ]
            if not name.text.endswith(_SHARES):
                fitting = [s for s in fitting if s in asked or s.parser is not Parser.PERCENTAGE]
            if quantity.value < _SMALLEST_SUM / 100:  # 其中研发30 counts people
                fitting = [s for s in fitting if s in asked or s.parser is not Parser.AMOUNT]
        return fitting[0] if fitting else None

    def _named_before(
        self, message: Message, quantity: Quantity, names: list[_Name]
    ) -> _Name | None:
        """The nearest name before it in its clause, no other figure of its kind between; else the topic before."""
        clause = message.clause(quantity.start)
        since = max(
            [clause.start]
            + [
                other.end
                for other in message.quantities
                if other.kind is quantity.kind and other.end <= quantity.start
            ]
        )
        near = [name for name in names if since <= name.start and name.end <= quantity.start]
        for index in range(len(near) - 1, -1, -1):
            name = near[index]
            if name.fields and not any(quantity.fits(spec) for spec in name.fields):
                continue
            if name.fields and not self._is_own_change(name, near[:index]):
                return _Name(name.start, name.end, name.text, ())
            return name
        return self._topic(message, clause, names, quantity) if not near else None

    def _is_own_change(self, name: _Name, before: list[_Name]) -> bool:
        """税收增长20% is no growth of revenue: a bare change belongs to what is named before it."""
        wholes = {_CHANGE_OF[spec.name] for spec in name.fields if spec.name in _CHANGE_OF}
        if not wholes or not before or not _CHANGE.match(name.text):
            return True
        return bool(wholes & {spec.name for spec in before[-1].fields})

    def _topic(
        self, message: Message, clause: Clause, names: list[_Name], quantity: Quantity
    ) -> _Name | None:
        at = message.clauses.index(clause)
        if at == 0:
            return None
        topic = message.clauses[at - 1]
        for name in names:
            if topic.start <= name.start and name.end <= topic.end and name.fields:
                lead, tail = (
                    message.text[topic.start : name.start],
                    message.text[name.end : topic.end],
                )
                is_topic = _TOPIC_LEAD.fullmatch(lead) and _TOPIC_TAIL.fullmatch(tail)
                if is_topic and any(quantity.fits(spec) for spec in name.fields):
                    return name
        return None

    def _named_behind(
        self, message: Message, quantity: Quantity, names: list[_Name]
    ) -> _Name | None:
        gap = _BEFORE_NAME.match(message.text, quantity.end)
        reach = gap.end() if gap is not None else quantity.end
        if quantity.kind is Parser.YEAR:  # 2021年在科创板上市
            reach = min(reach + _YEAR_REACH, message.clause(quantity.start).end)
        for name in names:
            is_ours = not name.fields or any(quantity.fits(spec) for spec in name.fields)
            if is_ours and quantity.end <= name.start <= reach:
                return name
        return None

    def _fact(
        self,
        message: Message,
        quantity: Quantity,
        spec: FieldSpec,
        situation: Situation,
    ) -> SaidFact | None:
        start, end = quantity.start, quantity.end
        value, is_rough = quantity.value, quantity.is_approximate
        if quantity.kind is Parser.YEAR and spec.parser is Parser.YEARS:
            since = _years_since(quantity, situation)
            if since is None:
                return None
            value, is_rough = since
        may_fall = spec.parser is Parser.PERCENTAGE and spec.low is not None and spec.low < 0
        if may_fall and _FALL.search(message.text[message.clause(start).start : start]):
            value = -abs(value)
        unclear = self._unclear(message, quantity, spec, situation)
        if unclear is not None:
            return message.fact(spec, Answer.UNCLEAR, start, end, note=unclear)
        usable, wrong = read_value(value, spec)
        if usable is None:
            return message.fact(spec, Answer.UNCLEAR, start, end, note=f"{spec.label}：{wrong}")
        is_rough = is_rough or quantity.high is not None
        return message.fact(spec, Answer.STATED, start, end, usable, is_approximate=is_rough)

    def _unclear(
        self, message: Message, quantity: Quantity, spec: FieldSpec, situation: Situation
    ) -> str | None:
        """What keeps the number from being used, in Chinese; ``None`` where nothing does."""
        low, high, unit = quantity.value, quantity.high, spec.unit
        if quantity.is_bare and spec.parser is Parser.AMOUNT and low and low < _SMALLEST_SUM:
            return f"{low}是{low}元还是{low}万元？请带上单位"
        if quantity.bound is Bound.BELOW:
            return f"{spec.label}不到{in_unit(low, unit)}，请给一个大概的数"
        if high is not None and not _is_settled(low, high, situation.cuts.get(spec.name)):
            return f"{in_unit(low, unit)}到{in_unit(high, unit)}是一个范围，请给一个大概的数"
        if spec.is_of_last_year and _is_of_another_year(message, quantity, situation):
            return f"这里要的是{spec.label}，不是其他时候的"
        return None


def _is_settled(low: float, high: float, cuts: Collection[float] | None) -> bool:
    """Whether every condition on the field is known to say the same for the whole range."""
    return cuts is not None and not any(low <= cut <= high for cut in cuts)


def _is_of_another_year(message: Message, quantity: Quantity, situation: Situation) -> bool:
    clause = message.clause(quantity.start)
    if talk().other_years.search(clause.text):
        return True
    if situation.day is None:
        return False
    years = [
        each.value
        for each in message.quantities
        if each.kind is Parser.YEAR and clause.start <= each.start < clause.end
    ]
    return bool(years) and situation.day.year - 1 not in years


def _years_since(quantity: Quantity, situation: Situation) -> tuple[int | float, bool] | None:
    """Years from then to the day of the message, and whether that is rough for want of the month."""
    day = situation.day
    if day is None or quantity.value > day.year:
        return None
    if quantity.month is None:
        return int(day.year - quantity.value), True
    begun = day.replace(year=int(quantity.value), month=quantity.month, day=1)
    return round((day - begun).days / _DAYS, 2), False
