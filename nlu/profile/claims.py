"""Reads yes-or-no facts: 有核心知识产权, 还没做加计扣除, 我们是亏损的."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.fields import FieldSpec
from nlu.profile.message import Message, Situation
from nlu.profile.names import Names
from nlu.profile.said import Answer, SaidFact
from nlu.profile.talk import Clause, talk

# A claim of fewer characters is read only as an answer to its question: 租的.
_TELLING = 3
_SHORT = ("盈利", "赚钱", "亏损", "亏钱", "亏本", "民企")
_ANY_VERB = ("有", "是", "做", "办")
_DENIED = ("没有", "没", "不", "未", "不是", "没有在", "并未", "并不")


class ClaimReader:
    """Reads the booleans of a message. ``covered`` are places that mean something else, a qualification or a name."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def read(
        self, message: Message, situation: Situation, covered: list[range]
    ) -> Iterator[SaidFact]:
        """The claims in order: those in words of their own, then those that name the field."""
        used: list[range] = []
        for found in self._names.claims.find(message.text):
            if not message.claims(found.start, found.end):
                continue
            asked = situation.asked
            is_short = len(found.text) < _TELLING and found.text not in _SHORT
            if is_short and all(spec is not asked for spec, _ in found.meanings):
                continue
            is_denied = message.text[: found.start].endswith(_DENIED)
            used.append(range(found.start, found.end))
            for spec, affirms in found.meanings:
                value = affirms is not is_denied
                yield message.fact(spec, Answer.STATED, found.start, found.end, value)
        for named in self._names.booleans.find(message.text):
            if _overlaps(named.start, named.end, [*used, *covered]):
                continue
            has = self._has(message, named.start, named.end)
            if has is None:
                continue
            for spec in named.meanings:
                value = has is not spec.is_negation
                yield message.fact(spec, Answer.STATED, named.start, named.end, value)

    def longer_than(self, message: Message, start: int, end: int) -> bool:
        """Whether a name or claim covers the place and more: 首次纳入规上工业 is no word about 规上工业."""
        places = [(f.start, f.end) for f in self._names.booleans.find(message.text)]
        places += [(f.start, f.end) for f in self._names.claims.find(message.text)]
        return any(s <= start and end <= e and e - s > end - start for s, e in places)

    def _has(self, message: Message, start: int, end: int) -> bool | None:
        """Whether the thing named there is said to be the case; ``None`` where nothing is said of it."""
        words, clause = talk(), message.clause(start)
        if not message.claims(start, end):
            return None
        before, behind = clause.text[: start - clause.start], clause.text[end - clause.start :]
        if words.lacks_before.search(before) or words.lacks_after.search(behind):
            return False
        if words.has_before.search(before) or words.has_after.search(behind):
            return True
        return True if _is_all(clause, before, behind) else None


def _is_all(clause: Clause, before: str, behind: str) -> bool:
    """外贸企业, 我们外贸企业: a clause of nothing else."""
    words = talk()
    lead = words.subject.sub("", before).strip()
    return lead in ("", "是", "做") and words.particles.fullmatch(behind) is not None


def _overlaps(start: int, end: int, places: list[range]) -> bool:
    return any(place.start < end and start < place.stop for place in places)


def is_yes(text: str, question: str = "") -> bool | None:
    """Whether a bare answer agrees; ``None`` where it is neither yes nor no. ``text`` is one clause.

    A verb answers only a question that has it (没签), except those that stand for any (做过).
    """
    words, said = talk(), _core(text)
    if words.denies.fullmatch(said):
        return False
    if words.agrees.fullmatch(said):
        return True
    for pattern, value in ((words.does_not, False), (words.does, True)):
        match = pattern.fullmatch(said)
        if match is not None and (match["verb"] in _ANY_VERB or match["verb"] in question):
            return value
    return None


def is_ambiguous(text: str, spec: FieldSpec) -> bool:
    """没有 to a question that itself holds a denial: 是否没有逾期？"""
    asks_denial = any(word in spec.question for word in ("没有", "未", "无重大", "从未"))
    return asks_denial and talk().bare.fullmatch(_core(text)) is not None


def _core(text: str) -> str:
    """The words of an answer without particles at its ends."""
    said = text.strip()
    while said and talk().particles.fullmatch(said[-1]) and len(said) > 1:
        said = said[:-1]
    return said.strip()
