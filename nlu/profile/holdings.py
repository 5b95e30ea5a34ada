"""Reads which qualifications an enterprise holds and lacks, and whether that is all of them."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from knowledge.fields import FieldSpec
from nlu.fact import Fact
from nlu.profile.claims import is_yes
from nlu.profile.message import Message, Situation
from nlu.profile.said import Answer, SaidFact
from nlu.profile.talk import talk

_KINDS = ("qualification", "lacks_qualification")
_ONLY = re.compile(r"(?:只有|仅有|就只?有|只是)(?:一?个|一项)?$")
_LOST = re.compile(
    "(?:证书|资质|资格)?(?:已经?|都|也)?(?:过期|失效|到期|被取消|被撤|没续|没了|丢了)"
)
_AIMED_AT = re.compile(
    "(?:冲击?|争创|争取|备战|申报|申请|正在.{0,4}|考虑|想评|在评|在报)(?:成|为|的)?$"
)


_UNDER_WAY = re.compile("(?:也|都)?(?:还|正|正在|刚)?在?(?:准备|申请|申报|评审|公示|办理|走流程)")


class HoldingReader:
    """Reads the list of qualifications of a message as one fact."""

    def __init__(self, spec: FieldSpec) -> None:
        self._spec = spec

    def read(self, message: Message, situation: Situation, covered: list[range]) -> SaidFact | None:
        """Members held and lacked; ``None`` where the message says nothing of them."""
        facts = [
            fact
            for fact in message.facts
            if fact.kind in _KINDS
            and fact.note != "planned"
            and not any(each.start < fact.end and fact.start < each.stop for each in covered)
            and message.claims(fact.start, fact.end)
            and not _UNDER_WAY.match(message.text, fact.end)
            and not _AIMED_AT.search(message.text[: fact.start])
        ]
        is_asked = situation.asked is self._spec
        whole = self._none_at_all(message, is_asked)
        if not facts:
            if whole is None:
                return None
            return message.fact(self._spec, Answer.STATED, *whole, value=())
        lacked = _lacked(message.text, facts)
        held = tuple(dict.fromkeys(str(f.value) for f in facts if f not in lacked))
        lacks = tuple(dict.fromkeys(str(f.value) for f in lacked if f.value not in held))
        is_complete = bool(held) and self._is_all(message, facts, is_asked)
        said = message.fact(self._spec, Answer.STATED, facts[0].start, facts[-1].end, value=held)
        return replace(said, is_complete=is_complete, lacks=() if is_complete else lacks)

    def _none_at_all(self, message: Message, is_asked: bool) -> tuple[int, int] | None:
        """Where it is said that there is none: 什么资质都没有, or a bare 没有 to the question."""
        for clause in message.clauses:
            if clause.is_question:
                continue
            found = talk().no_qualification.search(clause.text)
            names_it = found is not None and any(
                name in clause.text for name in ("资质", "称号", "荣誉", "证书", "认定")
            )
            if found is not None and (names_it or is_asked):
                return clause.start + found.start(), clause.start + found.end()
            if is_asked and is_yes(clause.text) is False:
                return clause.start, clause.end
        return None

    def _is_all(self, message: Message, facts: list[Fact], is_asked: bool) -> bool:
        """Whether the speaker says that there are no others."""
        for clause in message.clauses:
            found = talk().that_is_all.search(clause.text)
            if found is None or clause.is_question:
                continue
            inside = [f for f in facts if clause.start <= f.start < clause.end]
            if any(_ONLY.search(message.text[: fact.start]) for fact in inside):
                return True
            if re.match("没|其|别|除|再|就这|就没", found[0]):
                return True
        return False


def _lacked(text: str, facts: list[Fact]) -> list[Fact]:
    """Those said to be lacking; in a list the word for it stands once, before all (没有国高和科小) or behind (国高和科小都没有)."""
    words = talk()
    lacked = [f for f in facts if f.kind == "lacks_qualification" or _LOST.match(text, f.end)]
    by_place = sorted(facts, key=lambda fact: fact.start)
    pairs = [
        (one, other)
        for one, other in pairwise(by_place)
        if words.list_joint.match(text[one.end : other.start])
    ]
    for earlier, later in pairs:
        is_own = any(own in text[earlier.end : later.start] for own in ("也有", "，"))
        if earlier in lacked and later not in lacked and not is_own and _is_before(text, earlier):
            lacked.append(later)
    for earlier, later in reversed(pairs):
        if later in lacked and earlier not in lacked and _all_lacked_behind(text, later):
            lacked.append(earlier)
    return lacked


def _is_before(text: str, fact: Fact) -> bool:
    """Whether the denial stands before the fact or before the list it is in."""
    return re.match("(?:都|也|还|全|证书|资质|认定)*(?:没|未|无|不)", text[fact.end :]) is None


def _all_lacked_behind(text: str, fact: Fact) -> bool:
    return re.match("(?:这些|这两个|这几个)?(?:都|全|也都)", text[fact.end :]) is not None
