"""Reads facts that are one of several values: where an enterprise is registered, its trade, how far its listing is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from knowledge.fields import NONE, Fields, FieldSpec, Parser
from knowledge.profile import Profile, canonical
from knowledge.question import read_places
from nlu.fact import Fact
from nlu.facts import districts
from nlu.profile.claims import is_yes
from nlu.profile.message import Message, Situation
from nlu.profile.names import Found, Names
from nlu.profile.said import Answer, SaidFact
from nlu.profile.talk import talk

HOME, CITY, PROVINCE, TRADE = (
    "registered_district",
    "registered_city",
    "registered_province",
    "industry",
)
# Read from the extractor's facts, by what is named beside them.
_AREAS = (CITY, PROVINCE, "operating_city")
_PLACES = (HOME, "project_district", "stat_district", "tax_district", "park")
# A value of fewer characters is read only beside the field's name or as an answer.
_TELLING = 4
_NEVER_TELLING = ("org_type", "borrower_type")  # 小微企业 may be a borrower, or just small
_DENIED = re.compile(r"(?:不是|不在|不属于|没有?|未|并非|还没)(?:在|有|到|过)?$")
_BEHIND = re.compile(r"(?:市|区|省|这边|那边)?(?P<name>注册|办公|经营|纳税|交税|缴税|统计|纳统)")
_NAMED_BEHIND = {
    "注册": HOME, "办公": "operating_city", "经营": "operating_city", "纳税": "tax_district",
    "交税": "tax_district", "缴税": "tax_district", "统计": "stat_district", "纳统": "stat_district",
}  # fmt: skip
_FREE_CITY = re.compile(r"(?:在|是|于)?(?P<name>[\u4e00-\u9fff]{2,6}市)")


class ChoiceReader:
    """Reads the strings of a message."""

    def __init__(self, fields: Fields, names: Names) -> None:
        self._fields, self._names = fields, names
        self._cities = fields[CITY].values if CITY in fields else {}

    def read(
        self, message: Message, situation: Situation, covered: list[range]
    ) -> Iterator[SaidFact]:
        """The values said, in order of the dictionary; two of one field are unclear."""
        named = list(self._names.choices.find(message.text))
        yield from self._districts(message, situation, named, covered)
        yield from self._trade(message)
        for spec in self._fields.values():
            if spec.parser is Parser.CHOICE and spec.name not in (TRADE, *_PLACES[:-1]):
                fact = self._value(message, spec, situation, named, covered)
                if fact is not None:
                    yield fact

    def _districts(
        self,
        message: Message,
        situation: Situation,
        named: list[Found[FieldSpec]],
        covered: list[range],
    ) -> Iterator[SaidFact]:
        for fact in districts(message.text):
            is_hidden = any(each.start < fact.end and fact.start < each.stop for each in covered)
            if is_hidden or not message.claims(fact.start, fact.end):
                continue
            clause = message.clause(fact.start)
            before = message.text[clause.start : fact.start]
            if _DENIED.search(before):
                continue
            spec = self._place_field(message, fact, situation, named)
            if spec is None:
                continue
            if fact.value in spec.values:
                yield message.fact(spec, Answer.STATED, fact.start, fact.end, str(fact.value))
            elif city := _wider(str(fact.value), spec):
                told = message.fact(spec, Answer.STATED, fact.start, fact.end, city)
                yield replace(told, is_derived=True)

    def _place_field(
        self, message: Message, fact: Fact, situation: Situation, named: list[Found[FieldSpec]]
    ) -> FieldSpec | None:
        """The field a place belongs to: what is named before it, behind it, what was asked; else where it is registered."""
        clause = message.clause(fact.start)
        places = [spec for name in _PLACES if (spec := self._fields.get(name)) is not None]
        own = [spec for spec in places if fact.value in spec.values]
        near = [n for n in named if clause.start <= n.start and n.end <= fact.start]
        for found in reversed(near):
            fitting = [spec for spec in found.meanings if spec in own]
            if fitting:
                return fitting[0]
            city = [s for s in found.meanings if s.name in ("operating_city", CITY)]
            if city:
                return city[0] if city[0].name != CITY else own[0] if own else None
        behind = _BEHIND.match(message.text, fact.end)
        if behind is not None:
            spec = self._fields.get(_NAMED_BEHIND[behind["name"]])
            return spec if spec in own or spec is None or spec.name == "operating_city" else own[0]
        if situation.asked in own or (
            situation.asked is not None and situation.asked.name in ("operating_city", CITY)
        ):
            return situation.asked
        if talk().place_decoys.search(message.text[clause.start : fact.start]):
            return None
        return own[0] if own else None

    def _trade(self, message: Message) -> Iterator[SaidFact]:
        spec = self._fields.get(TRADE)
        if spec is None:
            return
        found = [
            fact
            for fact in message.facts
            if fact.kind == "industry"
            and fact.value in spec.values
            and message.claims(fact.start, fact.end)
            and not _DENIED.search(message.text[: fact.start])
        ]
        found = self._not_said_otherwise(message, found)
        trades = list(dict.fromkeys(str(fact.value) for fact in found))
        if len(trades) == 1:
            yield message.fact(spec, Answer.STATED, found[0].start, found[0].end, trades[0])
        elif trades:
            note = f"{'、'.join(trades)}，主要是哪一个？"
            yield message.fact(spec, Answer.UNCLEAR, found[0].start, found[-1].end, note=note)

    def _not_said_otherwise(self, message: Message, found: list[Fact]) -> list[Fact]:
        """Without trades inside a claim (大模型没备案) or the name of a number (零售额), nor inside another name (外贸企业) where others remain."""

        def outside(places: Iterable[Found[Any]]) -> list[Fact]:
            spans = [(place.start, place.end) for place in places]
            return [f for f in found if not any(s <= f.start and f.end <= e for s, e in spans)]

        found = outside(
            [*self._names.claims.find(message.text), *self._names.numbers.find(message.text)]
        )
        return outside(self._names.booleans.find(message.text)) or found

    def _value(
        self,
        message: Message,
        spec: FieldSpec,
        situation: Situation,
        named: list[Found[FieldSpec]],
        covered: list[range],
    ) -> SaidFact | None:
        if spec.name == "park":
            return self._none(message, spec, situation)
        is_asked = spec is situation.asked
        if spec.name in _AREAS:
            covered = [*covered, *(range(d.start, d.end) for d in districts(message.text))]
        said: list[Found[str]] = []
        for found in self._names.values[spec.name].find(message.text):
            value = found.meanings[0]
            is_hidden = any(each.start < found.end and found.start < each.stop for each in covered)
            is_none = value == NONE or is_yes(found.text) is False
            if is_hidden or is_none or not message.claims(found.start, found.end):
                continue
            clause = message.clause(found.start)
            if _DENIED.search(message.text[clause.start : found.start]):
                continue
            if is_asked or self._is_telling(message, spec, found, named):
                said.append(found)
        values = list(dict.fromkeys(found.meanings[0] for found in said))
        if not values:
            return self._none(message, spec, situation) or self._free(message, spec, situation)
        if len(values) > 1:
            note = f"{'、'.join(values)}，是哪一个？"
            return message.fact(spec, Answer.UNCLEAR, said[0].start, said[-1].end, note=note)
        return message.fact(spec, Answer.STATED, said[0].start, said[0].end, values[0])

    def _is_telling(
        self, message: Message, spec: FieldSpec, found: Found[str], named: list[Found[FieldSpec]]
    ) -> bool:
        """Whether the words mean this field without having been asked for."""
        clause = message.clause(found.start)
        before = [n for n in named if clause.start <= n.start and n.end <= found.start]
        if spec.name in _AREAS:
            if before and spec in before[-1].meanings:
                return True
            behind = _BEHIND.match(message.text, found.end)
            if behind is not None:
                wanted = {"注册": CITY}.get(behind["name"], "operating_city")
                return wanted == spec.name and behind["name"] in ("注册", "办公", "经营")
            lead = re.search(
                r"(?:我们|公司|我司|咱们)(?:就|都)?(?:在|是)$", message.text[: found.start]
            )
            tail = re.match(r"市?的?(?:公司|企业)", message.text[found.end :])
            return spec.name == CITY and (lead is not None or tail is not None)
        if any(spec in n.meanings and clause.start <= n.start < clause.end for n in named):
            return True
        return len(found.text) >= _TELLING and spec.name not in _NEVER_TELLING

    def _none(self, message: Message, spec: FieldSpec, situation: Situation) -> SaidFact | None:
        """没有 to the question: the value that this stands for, where the field has one."""
        meant = spec.value_said("没有")
        if spec is not situation.asked or meant is None:
            return None
        first = message.clauses[0] if message.clauses else None
        if first is None or (
            is_yes(first.text) is not False and canonical(first.text, spec) != meant
        ):
            return None
        return message.fact(spec, Answer.STATED, first.start, first.end, meant)

    def _free(self, message: Message, spec: FieldSpec, situation: Situation) -> SaidFact | None:
        """A city the dictionary does not list, said in full as the answer."""
        if spec is not situation.asked or spec.values is not self._cities:
            return None
        match = _FREE_CITY.search(message.text)
        if match is None or not message.claims(*match.span("name")):
            return None
        return message.fact(spec, Answer.STATED, *match.span("name"), match["name"])


def with_places_around(profile: Profile, fields: Fields) -> Profile:
    """The same enterprise with the city and province around its district, where nothing is known of them."""
    home = profile.facts.get(HOME)
    if home is None or not isinstance(home.value, str):
        return profile
    around = {
        name: replace(home, value=place)
        for name in (CITY, PROVINCE)
        if name in fields
        and name not in profile.facts
        and (place := _wider(home.value, fields[name])) is not None
    }
    return profile.with_facts(around)


def _wider(place: str, spec: FieldSpec) -> str | None:
    """The narrowest place around this one that is a value of the field."""
    return next((each for each in read_places().around(place) if each in spec.values), None)
