"""Compares what places give for one matter: each side is an item of that very place, or none is recorded there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from knowledge.clauses import LABELS, grants_money
from knowledge.comparing import CONSIDERED, MOST_SIDES
from knowledge.composition import (
    alone_in_place_text,
    applies_everywhere_text,
    no_like_in_places_text,
    too_many_sides_text,
    which_matter_text,
)
from knowledge.outcome import Answer, Refusal, refuse
from knowledge.policy import Facet
from knowledge.question import Question, read_places, read_question
from knowledge.retrieval import Hit, Ranking, Retriever
from knowledge.segments import compared_sides
from knowledge.side_by_side import SideBySide, compared_facets
from knowledge.telling import Teller

# 专精特新 alone finds what recognises it; what gives money for it is called a reward.
_SUPPORT = re.compile(r"奖|补|资助|支持|扶持|贴息|优惠|减免|贷|配套|券|返还")
_BOTH = re.compile(r"两(?:边|地|区)|[这那]边|分别|各自|上限|最高额?|封顶|[,，]")


@dataclass(frozen=True)
class PlacedSide:
    """One side of a comparison: a place and what is asked about there."""

    place: str
    matter: str


class ComparingPlaces:
    """Compares within one catalogue; never changes, so threads may share it."""

    def __init__(self, retriever: Retriever, side_by_side: SideBySide, teller: Teller) -> None:
        self._retriever = retriever
        self._side_by_side = side_by_side
        self._teller = teller

    def compare(self, text: str, as_of: date, matter: str = "") -> Answer | None:
        """The like of one matter in the places a message compares; ``None`` where it does not compare places.

        ``matter`` is what the conversation is about, for a message that names places only.
        """
        sides = placed_sides(text, matter)
        if not sides:
            return None
        asked = Ranking(read_question(text), ())
        if len(sides) > MOST_SIDES:
            named = [side.place for side in sides]
            return refuse(too_many_sides_text(named, MOST_SIDES), Refusal.ASKS_WHICH, asked)
        if not all(side.matter for side in sides):
            named = [side.place for side in sides]
            return refuse(which_matter_text(named), Refusal.ASKS_WHICH, asked)
        facets = compared_facets(text)
        found = [self._own(side, facets, as_of) for side in sides]
        hits = [hit for hit in found if hit]
        lacking = [side.place for side, hit in zip(sides, found, strict=True) if not hit]
        notes = [no_like_in_places_text(lacking)] if lacking else []
        if lacking and (wider := self._wider(sides, facets, as_of)):
            notes.append(applies_everywhere_text(wider.policy, wider.policy.status_on(as_of)))
        if len(hits) > 1:
            return self._side_by_side.show(text, hits, as_of, notes)
        if not hits:
            return refuse("\n".join(notes), Refusal.NOTHING_FOUND, asked)
        alone = self._teller.detail(hits[0].policy.id, facets, as_of)
        if alone.refusal:
            return alone
        lead = alone_in_place_text(lacking, hits[0].policy.place or "")
        return replace(alone, text="\n".join([lead, alone.text, *notes[1:]]))

    def _own(self, side: PlacedSide, facets: Sequence[Facet], as_of: date) -> Hit | None:
        """The item of the very place that is surely about the matter, one with an amount before one without."""
        policies = self._retriever.catalogue.policies.values()
        inside = {policy.id for policy in policies if policy.place == side.place}
        sure = self._searched(side, facets, inside, as_of)
        giving = [hit for hit in sure if grants_money(hit.policy)] if Facet.AMOUNT in facets else []
        return next(iter(giving or sure), None)

    def _wider(
        self, sides: Sequence[PlacedSide], facets: Sequence[Facet], as_of: date
    ) -> Hit | None:
        """What a wider place, which all the sides lie in, has on the matter."""
        around = [set(read_places().around(side.place)[1:]) for side in sides]
        shared = set.intersection(*around)
        policies = self._retriever.catalogue.policies.values()
        above = {policy.id for policy in policies if policy.place is None or policy.place in shared}
        if Facet.AMOUNT in facets:
            above = {
                each for each in above if grants_money(self._retriever.catalogue.policies[each])
            }
        matter = sides[0].matter
        return next(iter(self._searched(PlacedSide("", matter), facets, above, as_of)), None)

    def _searched(
        self, side: PlacedSide, facets: Sequence[Facet], only: set[str], as_of: date
    ) -> list[Hit]:
        if not only:
            return []
        gives = Facet.AMOUNT in facets and not _SUPPORT.search(side.matter)
        asked = "奖励" if gives else "".join(LABELS[facet] for facet in facets)
        text = f"{side.place}{side.matter} {asked}"
        ranking = self._retriever.search(text, CONSIDERED, as_of=as_of, only=only)
        return [hit for hit in ranking.hits if hit.chance >= self._retriever.cuts.answer_from]


def placed_sides(text: str, matter: str = "") -> list[PlacedSide]:
    """The places that a message compares, a district among them, with what is asked of each; empty for none.

    福田跟南山的研发补贴 asks for 研发 on both sides: a side that names no matter has that of the next one that does.
    """
    whole = read_question(text)
    if whole.names_own_place or len(whole.places) < 2:
        return []
    for reading in compared_sides(text):
        questions = [read_question(side) for side in reading]
        if len(questions) > 2 and not questions[0].places:  # 研发补贴，福田、罗湖哪个多
            matter = reading[0]
            questions = questions[1:]
        places = [question.places for question in questions]
        if all(len(named) == 1 for named in places) and len(set(places)) == len(places):
            break
    else:
        return []
    if all(read_places().inside(named[0]) for named in places):
        return []  # 省级专精特新 against 市级专精特新 names levels of one thing
    told = [_matter_of(question) for question in questions]
    # 南山和龙岗两边，研发补贴上限各是多少 names the matter behind the sides.
    shared = next((each for each in reversed(told) if each), " ".join(whole.subject) or matter)
    return [PlacedSide(named[0], own or shared) for named, own in zip(places, told, strict=True)]


def _matter_of(question: Question) -> str:
    """What a side is about without its place; empty where it names a place only."""
    if not question.subject:
        return ""
    text = question.search_text
    for name in read_places().names[question.places[0]]:
        text = text.replace(name, " ")
    return _BOTH.sub(" ", text.replace(question.places[0], " ")).strip(" 的区市省里级")
