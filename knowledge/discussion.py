"""Holds what a conversation is about, so that 那材料呢, 第二个呢 and 南山的呢 can be understood."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cn2an import cn2an

from knowledge.policy import Facet, Policy
from knowledge.question import Question, read_places, subject_of

_ORDINAL = re.compile(r"第\s*([〇零一二三四五六七八九十]{1,3}|\d{1,3})\s*(?:个(?!月)|项|种)")
_LAST = re.compile(r"最后(那|一|的|这)?(个|项|种)")
_OTHER = re.compile(r"(另一|另外一|另外那|还有一|下一|后一|后面那?|另)(个|项|种)")
_FIRST = re.compile(r"(头一|前一|前面那?|上面那?|首)(个|项|种)")
_BEFORE = re.compile(r"(?<!第)上一?(个|项|种)(?!月)")
_BRACKETS = re.compile(r"[（(《〈\[【][^）)》〉\]】]*[）)》〉\]】]")
_YEARS = re.compile(r"\d{4}\s*年?(度|口径|版|标准)?")


@dataclass(frozen=True)
class Discussion:
    """The policy last spoken of, the facets last asked, and the policies last listed, in the order shown; ``listing`` is the
    question that they are a part of the answer to.

    All empty at the beginning and after a pause; the dialogue keeps it between turns.
    """

    policy_id: str | None = None
    facets: tuple[Facet, ...] = ()
    listed: tuple[str, ...] = ()
    listing: str | None = None

    @property
    def is_of_list(self) -> bool:
        """Whether a list is what was spoken of last, and none of its policies was chosen since."""
        return bool(self.listing) and (not self.listed or self.policy_id == self.listed[0])

    def pointed_at(self, question: Question) -> str | None:
        """The listed policy that an ordinal means (第二个, 最后那个, 另一个); ``None`` where none does."""
        if not self.listed:
            return None
        position = self._position(question.search_text)
        return self.listed[position] if position is not None else None

    def points_beyond(self, question: Question) -> bool:
        """Whether an ordinal means a policy that was not listed: 第八个 of five."""
        text = question.search_text
        names_more = subject_of(_ORDINAL.sub(" ", text))
        is_ordinal = _ORDINAL.search(text) is not None and not names_more
        return bool(self.listed) and is_ordinal and self._position(text) is None

    def _position(self, text: str) -> int | None:
        ordinal = _ORDINAL.search(text)
        if ordinal:
            said = ordinal.group(1)
            number = _number(said)
            return number - 1 if 1 <= number <= len(self.listed) else None
        if _LAST.search(text):
            return len(self.listed) - 1
        if _FIRST.search(text):
            return 0
        if self.policy_id not in self.listed:
            return None
        at = self.listed.index(self.policy_id)
        if _OTHER.search(text):
            following = (at + 1) % 2 if len(self.listed) == 2 else at + 1
            return following if following < len(self.listed) else None
        if _BEFORE.search(text):
            return at - 1 if at else None
        return None


def _number(said: str) -> int:
    """An ordinal's number, 0 where the signs make none."""
    try:
        return int(said) if said.isdecimal() else int(cn2an(said, "smart"))
    except ValueError:
        return 0


def asks_same_elsewhere(question: Question) -> bool:
    """南山的呢: names a place and nothing else, so it asks for the like of what was spoken of there."""
    if question.names_own_place:
        return False
    return bool(question.places) and not (question.subject or question.doc_no)


def matter_of(policy: Policy) -> str:
    """What a policy is about, without place, year and brackets, to look for its like elsewhere."""
    title = _YEARS.sub("", _BRACKETS.sub("", policy.title))
    for place, said in read_places().names.items():
        for name in (place, *said):
            title = title.replace(name, "")
    return title or policy.title
