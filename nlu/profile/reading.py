"""Reads every fact of an enterprise out of one message: several at once, in any order, corrected, denied, refused."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from knowledge.fields import Fields, FieldSpec, Parser
from knowledge.question import read_places
from nlu.profile.choices import CITY, HOME, PROVINCE, ChoiceReader
from nlu.profile.claims import ClaimReader, is_ambiguous, is_yes
from nlu.profile.holdings import HoldingReader
from nlu.profile.message import Message, Situation
from nlu.profile.names import Names
from nlu.profile.numbers import NumberReader
from nlu.profile.said import Answer, SaidFact
from nlu.profile.talk import talk

LIST = "qualifications"
_ZERO_BY = (Parser.AMOUNT, Parser.HEADCOUNT, Parser.COUNT)
_NO_ZERO = ("分", "㎡")
# Kinds of facts of which no part is a word about something else.
_WHOLE = ("company", "credit_code", "invalid_credit_code", "qualification", "lacks_qualification")


def read_facts(
    text: str,
    fields: Fields,
    asked: str | None = None,
    *,
    given: Sequence[str] = (),
    day: date | None = None,
    cuts: Mapping[str, Collection[float]] | None = None,
) -> list[SaidFact]:
    """What ``text`` says of the speaker's enterprise, in order, each field once.

    ``asked`` is the field just asked for: a bare 3200万, 有, 不清楚 or 跳过 answers it. ``given`` are the fields given
    before, the newest last: 不对，是2300万 corrects the last it fits. ``day`` is the day of the message; without it
    nothing is concluded from a calendar year. ``cuts`` (``conditions.cuts_of``) settle a range none of them divides.
    What is asked, wished, demanded or said of others is no fact. Unknown names in ``asked`` and ``given`` are ignored.
    """
    return _reader(fields).read(
        text,
        Situation(
            fields.get(asked or ""),
            tuple(fields[name] for name in given if name in fields),
            day,
            cuts or {},
        ),
    )


class FactReader:
    """Reads messages with one dictionary, its names compiled once."""

    def __init__(self, fields: Fields) -> None:
        names = Names.of(fields)
        self._fields = fields
        self._names = names
        self._numbers = NumberReader(fields, names.numbers)
        self._claims = ClaimReader(names)
        self._choices = ChoiceReader(fields, names)
        self._holdings = HoldingReader(fields[LIST]) if LIST in fields else None

    def read(self, text: str, situation: Situation) -> list[SaidFact]:
        """See ``read_facts``."""
        message = Message.of(text)
        if not message.clauses:
            return []
        found: dict[str, SaidFact] = {}
        for fact in self._stated(message, situation):
            old = found.get(fact.field)
            is_worse = fact.answer is Answer.UNCLEAR and not fact.is_correction
            if old is None or not (is_worse and old.answer is Answer.STATED):
                found[fact.field] = fact
        for fact in self._without_value(message, situation):
            found.setdefault(fact.field, fact)
        if situation.asked is not None and situation.asked.name not in found:
            answer = self._answer(message, situation.asked, bool(found))
            if answer is not None:
                found[answer.field] = answer
        found = {**self._derived(found), **found}
        return sorted(found.values(), key=lambda fact: (fact.start, fact.end, fact.is_derived))

    def _stated(self, message: Message, situation: Situation) -> Iterator[SaidFact]:
        longer = [
            range(fact.start, fact.end)
            for fact in message.facts
            if fact.kind in ("qualification", "lacks_qualification")
            and self._claims.longer_than(message, fact.start, fact.end)
        ]
        whole = [
            range(fact.start, fact.end)
            for fact in message.facts
            if fact.kind in _WHOLE and range(fact.start, fact.end) not in longer
        ]
        yield from self._choices.read(message, situation, whole)
        yield from self._claims.read(message, situation, whole)
        if self._holdings is not None:
            scores = [
                range(name.start, name.end) for name in self._names.numbers.find(message.text)
            ]
            held = self._holdings.read(message, situation, [*longer, *scores])
            if held is not None:
                yield held
        yield from self._numbers.read(message, situation)

    def _without_value(self, message: Message, situation: Situation) -> Iterator[SaidFact]:
        """营收不清楚, 研发费用不方便说: fields named beside words of not knowing or refusing."""
        for clause in message.clauses:
            answer = _no_value(clause.text)
            if answer is None or clause.is_question:
                continue
            for phrases in (self._names.numbers, self._names.choices, self._names.booleans):
                for name in phrases.find(clause.text):
                    start, end = clause.start + name.start, clause.end
                    is_asked = situation.asked in name.meanings
                    spec = situation.asked if is_asked else name.meanings[0]
                    assert spec is not None
                    yield message.fact(spec, answer, start, end)

    def _answer(self, message: Message, asked: FieldSpec, is_other: bool) -> SaidFact | None:
        """A bare answer to the question just asked. ``is_other``: the message gives other facts."""
        for clause in message.clauses:
            if clause.is_question:
                continue
            answer = _no_value(clause.text)
            if answer is not None and not is_other:
                return message.fact(asked, answer, clause.start, clause.end)
        first = message.clauses[0]
        said = is_yes(_without_names(first.text, asked), asked.question)
        if said is None or first.mark in ("?", "？"):
            return None
        return self._yes_or_no(message, asked, said)

    def _yes_or_no(self, message: Message, asked: FieldSpec, said: bool) -> SaidFact | None:
        first = message.clauses[0]
        span = (first.start, first.end)
        if asked.type == "boolean":
            if is_ambiguous(first.text, asked):
                note = f"“{first.text.strip()}”可以有两种理解：{asked.question}请答“是”或“不是”"
                return message.fact(asked, Answer.UNCLEAR, *span, note=note)
            return message.fact(asked, Answer.STATED, *span, said)
        if asked.type == "number" and not said and asked.low == 0:
            if asked.parser in _ZERO_BY and asked.unit not in _NO_ZERO:
                return message.fact(asked, Answer.STATED, *span, 0)
            return message.fact(asked, Answer.UNKNOWN, *span)
        return None

    def _derived(self, found: Mapping[str, SaidFact]) -> dict[str, SaidFact]:
        """What follows from where the enterprise is registered: 南山 lies in 深圳, 深圳 in 广东."""
        derived: dict[str, SaidFact] = {}
        for name in (HOME, CITY):
            fact = found.get(name)
            if fact is None or not isinstance(fact.value, str):
                continue
            for place in read_places().around(fact.value)[1:]:
                for wider in (CITY, PROVINCE):
                    spec = self._fields.get(wider)
                    if spec is not None and place in spec.values:
                        derived[wider] = replace(fact, field=wider, value=place, is_derived=True)
        return derived


def _without_names(text: str, spec: FieldSpec) -> str:
    """没有贷款 as an answer about loans is 没有."""
    if spec.is_negation:
        return text
    names = sorted((name for name in spec.names if name in text), key=len, reverse=True)
    return text.replace(names[0], "") or text if names else text


def _no_value(text: str) -> Answer | None:
    if talk().refused.search(text):
        return Answer.REFUSED
    return Answer.UNKNOWN if talk().unknown.search(text) else None


_READERS: list[FactReader] = []


def _reader(fields: Fields) -> FactReader:
    """The reader of a dictionary; the one used last is kept."""
    for reader in _READERS:
        if reader._fields is fields:
            return reader
    reader = FactReader(fields)
    _READERS[:] = [reader]
    return reader
