"""Answers a policy question in plain Chinese from stored clauses, asks back, or says honestly that it cannot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property

from knowledge.aptness import Aptness
from knowledge.catalogue import Catalogue
from knowledge.comparing import CONSIDERED, Comparing
from knowledge.comparing_places import ComparingPlaces, placed_sides
from knowledge.composition import (
    NEW_SUBJECT,
    NOTHING_FOUND,
    UNKNOWN_NUMBER,
    Citation,
    clarification_text,
    elsewhere_text,
)
from knowledge.discussion import Discussion, asks_same_elsewhere, matter_of
from knowledge.encoder import Encoder
from knowledge.going_on import GoingOn
from knowledge.lexical import fold
from knowledge.listing import MOST_LISTED, Listing
from knowledge.matching import Matcher
from knowledge.moods import drop_subject, other_year, wants_only_promise
from knowledge.outcome import NOTHING_YET, Answer, Refusal, after, refuse
from knowledge.policy import Facet, Level, Policy, Status
from knowledge.question import (
    Question,
    asks_for_list,
    asks_for_rest,
    asks_which_of_listed,
    is_ellipsis,
    points_at_all,
    read_places,
    read_question,
)
from knowledge.retrieval import Hit, Ranking, Retriever
from knowledge.segments import (
    compared_subjects,
    split_clauses,
    split_questions,
    starts_anew,
)
from knowledge.side_by_side import SideBySide
from knowledge.telling import OFFERED, Teller

# 材料有哪些 asks for a list of papers, not of policies.
_OF_ONE_POLICY = frozenset(
    {Facet.CONDITIONS, Facet.MATERIALS, Facet.WINDOW, Facet.PROCESS, Facet.CONTACT}
)
_SUM_OF_LEVEL = {
    level: rf"(?<![东圳田上]){level.value}(?!场)(级|[^，。；]{{0,12}}\d)" for level in Level
}


class Answerer:
    """Answers from one catalogue through one retriever; never changes, so threads may share it."""

    def __init__(self, retriever: Retriever, before: Answerer | None = None) -> None:
        """``before`` answers from an earlier state of the catalogue: what has not changed is not read again."""
        self._retriever = retriever
        self._teller: Teller = Teller(retriever, None if before is None else before._teller)
        self._aptness = Aptness(retriever.catalogue.policies.values())
        self._side_by_side = SideBySide(retriever, self._teller)
        self._comparing = Comparing(retriever, self._side_by_side, self._aptness)
        self._places = ComparingPlaces(retriever, self._side_by_side, self._teller)
        self._listing = Listing(retriever, self._teller, self._aptness)
        self._going_on = GoingOn(retriever, self._teller)

    @property
    def catalogue(self) -> Catalogue:
        return self._retriever.catalogue

    @cached_property
    def matcher(self) -> Matcher:
        """Holds enterprises against the same catalogue."""
        return Matcher(self.catalogue)

    @property
    def retriever(self) -> Retriever:
        return self._retriever

    @property
    def encoder(self) -> Encoder:
        return self._retriever.encoder

    def answers(
        self,
        text: str,
        as_of: date,
        discussion: Discussion = NOTHING_YET,
        default: Facet | None = None,
    ) -> list[Answer]:
        """One answer for each question of a message, at least one; later parts may lean on earlier ones."""
        left = drop_subject(fold(text))
        if left is not None:
            if not left:
                return [_new_subject(text)]
            text, discussion = left, NOTHING_YET
        found: list[Answer] = []
        for part in self._parts(text, as_of):
            answer = self.answer(part, as_of, discussion, default)
            if found:
                # 另外上市补贴呢 stands alone; only what finds nothing by itself leans on the part before.
                alone = self.answer(part, as_of, default=default)
                leans = alone.refusal and not (starts_anew(part) and alone.names_subject)
                answer = answer if leans else alone
            discussion = answer.discussion
            found.append(answer)
        return self._joined(found, as_of)

    def _parts(self, text: str, as_of: date) -> list[str]:
        if compared_subjects(text) and (placed_sides(text) or self._comparing.compare(text, as_of)):
            return [text]
        parts = split_questions(text)
        if len(parts) > 1:
            return parts
        for parts in split_clauses(text):
            spoken_of = [self.answer(part, as_of) for part in parts]
            apart = {answer.policy_id for answer in spoken_of if not answer.refusal}
            if len(apart) == len(parts):
                return parts
        return [text]

    def _joined(self, answers: list[Answer], as_of: date) -> list[Answer]:
        """Neighbouring answers about one policy become one; of several refusals for nothing found one is enough."""
        joined: list[Answer] = []
        for answer in answers:
            last = joined[-1] if joined else None
            apart = Refusal.DETAIL_NOT_RECORDED in {answer.refusal, last and last.refusal}
            if last and answer.policy_id and last.policy_id == answer.policy_id and not apart:
                joined[-1] = self._both(last, answer, as_of)
            elif last and last.refusal is answer.refusal is Refusal.NOTHING_FOUND:
                joined[-1] = replace(last, question=last.question + answer.question)
            else:
                joined.append(answer)
        return joined

    def _both(self, first: Answer, second: Answer, as_of: date) -> Answer:
        """One answer about the policy that two questions of a message are about."""
        assert first.policy_id is not None
        facets = tuple(dict.fromkeys([*first.facets, *second.facets]))
        joined = self.detail(first.policy_id, facets, as_of, first.question + second.question)
        return replace(
            joined,
            candidates=first.candidates,
            chance=min(first.chance, second.chance),
            related=tuple(dict.fromkeys([*first.related, *second.related])),
            discussion=second.discussion,
        )

    def answer(
        self,
        text: str,
        as_of: date,
        discussion: Discussion = NOTHING_YET,
        default: Facet | None = None,
    ) -> Answer:
        """Answers one question as of a day.

        A question without a subject of its own (那材料呢) is about the policy under ``discussion``, one with an
        ordinal (第二个呢) about the one listed there. ``default`` is the facet meant when the text names none.
        """
        answer = self._answer(text, as_of, discussion, default)
        return replace(answer, question=text, discussion=after(discussion, answer))

    def _answer(
        self, text: str, as_of: date, discussion: Discussion, default: Facet | None
    ) -> Answer:
        asked = read_question(text)
        facets = asked.facets or ((default,) if default else ())
        pointed_at = discussion.pointed_at(asked)
        if discussion.points_beyond(asked):
            return self._going_on.only_listed(asked, discussion, as_of)
        if pointed_at in self.catalogue.policies:
            return self.detail(pointed_at, facets or discussion.facets, as_of, text)
        listed = self._listed(asked, discussion, as_of)
        if listed:
            return listed
        if wants_only_promise(asked.search_text):
            return self._going_on.promise(asked, discussion, as_of)
        return self._of_subject(text, asked, facets, as_of, discussion, default)

    def _listed(self, asked: Question, discussion: Discussion, as_of: date) -> Answer | None:
        """A list by place, industry, department or deadline, the rest of one, or the like of it elsewhere."""
        if asks_for_rest(asked.search_text):
            further = self._listing.further(discussion, as_of)
            if further:
                return further
        if discussion.is_of_list and asks_same_elsewhere(asked) and is_ellipsis(asked.search_text):
            elsewhere = self._listing.elsewhere(asked, discussion, as_of)
            if elsewhere:
                return elsewhere
        return self._listing.filtered(asked, as_of)

    def _of_subject(
        self,
        text: str,
        asked: Question,
        facets: tuple[Facet, ...],
        as_of: date,
        discussion: Discussion,
        default: Facet | None,
    ) -> Answer:
        """What the policy under discussion says where the question leans on it, else what search finds."""
        discussed = self.catalogue.policies.get(discussion.policy_id or "")
        placed = self._places.compare(text, as_of, matter_of(discussed) if discussed else "")
        if placed:
            return placed
        leans = asked.leans_on_context or _asks_level_within(asked, discussed)
        points = points_at_all(asked.search_text) or asks_which_of_listed(asked.search_text)
        if asked.leans_on_context and points and discussion.listed[1:]:
            shown = [self.catalogue.policies.get(policy_id) for policy_id in discussion.listed]
            hits = [Hit(policy, 0.0, 1.0, None, ()) for policy in shown if policy]
            return self._side_by_side.show(text, hits, as_of)
        # A policy spoken of that is gone stands for itself only: nobody has asked about the ones beside it.
        offered = () if discussion.policy_id else discussion.listed
        spoken_of = discussed.id if discussed else self._going_on.first_with(facets, offered)
        year = other_year(asked.search_text, as_of)
        if year and discussed:
            return self._going_on.in_year(discussed, year, facets or discussion.facets, as_of)
        if leans and spoken_of:
            asked_before = () if asked.leans_on_context else discussion.facets
            return self.detail(spoken_of, facets or asked_before, as_of, text)
        called = self._going_on.called(asked, discussion)
        if called:
            return self.detail(called, facets or discussion.facets, as_of, text)
        if discussed and asks_same_elsewhere(asked) and discussed.place not in asked.places:
            return self._going_on.alike(discussed, asked, facets or discussion.facets, as_of)
        compared = self._comparing.compare(text, as_of)
        if compared:
            return compared
        return self._search(text, as_of, discussion, discussed, default)

    def _search(
        self,
        text: str,
        as_of: date,
        discussion: Discussion,
        discussed: Policy | None,
        default: Facet | None,
    ) -> Answer:
        ranking = self._retriever.search(text, CONSIDERED, as_of=as_of)
        question = ranking.question
        if not question.facets:
            # 上市的呢 after an amount asks for an amount.
            elliptic = is_ellipsis(question.search_text)
            facets = (default,) if default else discussion.facets if elliptic else ()
            ranking = replace(ranking, question=replace(question, facets=facets))
            question = ranking.question
        if discussed and self._going_on.is_follow_up(ranking, discussed):
            return self.detail(discussed.id, question.facets, as_of, text)
        if question.elsewhere:
            refused = elsewhere_text(read_places().home, question.elsewhere)
            return refuse(refused, Refusal.ELSEWHERE, ranking)
        if asks_for_list(question.search_text) and not set(question.facets) & _OF_ONE_POLICY:
            listed = self._listing.list_of(ranking, as_of)
            if listed:
                return listed
        cuts = self._retriever.cuts
        if not self.may_answer(ranking) or ranking.chance < cuts.clarify_from:
            return refuse(NOTHING_FOUND, Refusal.NOTHING_FOUND, ranking)
        if ranking.chance < cuts.answer_from:
            return self._ask_back(ranking, as_of)
        answer = self._teller.about(ranking.hits[0].policy, question, as_of, ranking)
        if question.doc_no and not self._aptness.knows(question.doc_no):
            return replace(answer, text=f"{UNKNOWN_NUMBER}\n{answer.text}")
        return answer

    def detail(
        self, policy_id: str, facets: Sequence[Facet], as_of: date, text: str = ""
    ) -> Answer:
        """As ``Teller.detail``. Raises ``KeyError`` where the catalogue holds no such policy."""
        return self._teller.detail(policy_id, facets, as_of, text)

    def cite(self, policy_id: str, facet: Facet, as_of: date) -> Citation:
        """As ``Teller.cite``."""
        return self._teller.cite(policy_id, facet, as_of)

    def listing(self, text: str, as_of: date, top: int = MOST_LISTED) -> Ranking:
        """The policies nearest to a described need that are not known to be expired."""
        return self._retriever.search(
            text, top, as_of=as_of, statuses={Status.CURRENT, Status.UNKNOWN}
        )

    def may_answer(self, ranking: Ranking) -> bool:
        """As ``Aptness.may_answer``."""
        return self._aptness.may_answer(ranking)

    def _ask_back(self, ranking: Ranking, as_of: date) -> Answer:
        offered = [hit.policy for hit in ranking.hits[:OFFERED]]
        answer = refuse(clarification_text(offered, as_of), Refusal.UNCLEAR, ranking)
        return replace(answer, offered=tuple(policy.id for policy in offered))


def _new_subject(text: str) -> Answer:
    answer = refuse(NEW_SUBJECT, Refusal.NEW_SUBJECT, Ranking(read_question(text), ()))
    return replace(answer, question=text, discussion=NOTHING_YET)


def _asks_level_within(asked: Question, discussed: Policy | None) -> bool:
    """省级呢, said of a policy that itself gives different sums by level: 国家级500万、省级300万."""
    if not (discussed and asked.names_only_level and is_ellipsis(asked.search_text)):
        return False
    said = discussed.summary or ""
    return any(re.search(_SUM_OF_LEVEL[level], said) for level in asked.levels)
