"""Answers a policy question in plain Chinese from stored clauses, asks back, or says honestly that it cannot."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import cached_property

from knowledge.catalogue import Catalogue
from knowledge.clauses import LABELS, facets_recorded, grants_money
from knowledge.composition import (
    NO_PROMISE,
    NOTHING_FOUND,
    UNKNOWN_NUMBER,
    Citation,
    Side,
    clarification_text,
    comparison_text,
    compose,
    detail_not_recorded_text,
    elsewhere_text,
    holds_there_text,
    listing_text,
    not_alike_text,
    not_recorded_text,
    only_listed_text,
)
from knowledge.detail import Details
from knowledge.discussion import Discussion, asks_same_elsewhere, matter_of
from knowledge.encoder import Encoder
from knowledge.follow_up import features_of, read_model
from knowledge.kinds import policies_of_kind
from knowledge.lexical import fold, tokens
from knowledge.matching import Matcher
from knowledge.policy import Clause, Facet, Level, Policy, Status
from knowledge.question import (
    Question,
    asks_for_list,
    asks_for_money,
    asks_for_own_money,
    asks_for_promise,
    asks_which_is_more,
    is_ellipsis,
    points_at_all,
    points_back,
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

# A clause that holds this share of the question's words is shown although its facet was not asked for by name.
SPEAKS_OF_IT = 0.35
MOST_LISTED = 5
# A list holds what is at least this likely, as a share of the likeliest.
LISTED_SHARE = 0.2
CONSIDERED = 10
OFFERED = 2
# How many readings of either side of a comparison are weighed.
SIDE_HITS = 3
WORDING_SHOWN = 2
# The clauses nearest to a question come with the others of their article up to this many characters.
WORDING_CHARS = 800
_HOW = re.compile(r"免申|免.{0,2}申请|申请|申报|平台|网")
# What a policy gives, and the note on it, belong to these facets: whoever asks for conditions asks what for.
_ALONG_WITH = frozenset(
    {Facet.AMOUNT, Facet.CONDITIONS, Facet.PROCESS, Facet.VALIDITY, Facet.WINDOW}
)
_ALONG = (Facet.AMOUNT, Facet.OVERVIEW)
# 材料有哪些 asks for a list of papers, not of policies.
_OF_ONE_POLICY = frozenset(
    {Facet.CONDITIONS, Facet.MATERIALS, Facet.WINDOW, Facet.PROCESS, Facet.CONTACT}
)
# Where one of these is asked for, 申请 beside it asks for nothing more.
_TELL_HOW = frozenset({Facet.MATERIALS, Facet.WINDOW, Facet.CONTACT, Facet.DEPARTMENT})
# What is recorded for these is all that can be asked of them.
_WHOLE_ANSWERS = frozenset({Facet.CONTACT, Facet.DEPARTMENT, Facet.VALIDITY})
_IN_FORCE_FIRST = (Status.CURRENT, Status.UNKNOWN, Status.UPCOMING, Status.EXPIRED)
_SUM_OF_LEVEL = {
    level: rf"(?<![东圳田上]){level.value}(?!场)(级|[^，。；]{{0,12}}\d)" for level in Level
}
_NOTHING = Discussion()


class Refusal(StrEnum):
    """Why no answer was given. ``UNCLEAR`` asks back which of ``Answer.offered`` is meant."""

    NOTHING_FOUND = "nothing_found"
    ELSEWHERE = "elsewhere"
    NOT_RECORDED = "not_recorded"
    DETAIL_NOT_RECORDED = "detail_not_recorded"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Answer:
    """What to say. ``citations`` is empty exactly when ``refusal`` is set.

    ``policy_id`` is the policy spoken of, also when the detail asked for is not in its record; absent for a list.
    ``listed`` are the policies shown side by side, ``offered`` those asked back about, ``related`` those worth a
    button (the like of it at another level). ``candidates`` are the policies considered, best first, ``chance`` (0-1)
    that the first answers. ``names_subject`` is false for a question like 怎么申报 with nothing in it. ``question`` is
    the part of the message that is answered.
    """

    text: str
    citations: tuple[Citation, ...]
    refusal: Refusal | None
    policy_id: str | None
    facets: tuple[Facet, ...]
    candidates: tuple[Hit, ...]
    chance: float
    names_subject: bool = True
    listed: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    question: str = ""
    discussion: Discussion = field(default=_NOTHING)


class Answerer:
    """Answers from one catalogue through one retriever; never changes, so threads may share it."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever
        self._details = Details(retriever.catalogue)
        self._follow_ups = read_model()

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
        discussion: Discussion = _NOTHING,
        default: Facet | None = None,
    ) -> list[Answer]:
        """One answer for each question of a message, at least one; later parts may lean on earlier ones."""
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
        if compared_subjects(text) and self._comparison(text, as_of):
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
        discussion: Discussion = _NOTHING,
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
            return self._only_listed(asked, discussion, as_of)
        if pointed_at in self.catalogue.policies:
            return self.detail(pointed_at, facets or discussion.facets, as_of, text)
        discussed = self.catalogue.policies.get(discussion.policy_id or "")
        leans = asked.leans_on_context or _asks_level_within(asked, discussed)
        if asked.leans_on_context and points_at_all(asked.search_text) and discussion.listed[1:]:
            shown = [self.catalogue.policies.get(policy_id) for policy_id in discussion.listed]
            hits = [Hit(policy, 0.0, 1.0, None, ()) for policy in shown if policy]
            return self._side_by_side(text, hits, as_of)
        # A policy spoken of that is gone stands for itself only: nobody has asked about the ones beside it.
        offered = () if discussion.policy_id else discussion.listed
        spoken_of = discussed.id if discussed else self._first_with(facets, offered)
        if leans and spoken_of:
            asked_before = () if asked.leans_on_context else discussion.facets
            return self.detail(spoken_of, facets or asked_before, as_of, text)
        called = self._called(asked, discussion)
        if called:
            return self.detail(called, facets or discussion.facets, as_of, text)
        if discussed and asks_same_elsewhere(asked) and discussed.place not in asked.places:
            return self._alike(discussed, asked, facets or discussion.facets, as_of)
        compared = self._comparison(text, as_of)
        if compared:
            return compared
        return self._search(text, as_of, discussion, discussed, default)

    def _first_with(self, facets: Sequence[Facet], listed: Sequence[str]) -> str | None:
        """The first of the policies offered whose record tells what is asked; nobody has chosen between them."""
        known = [policy_id for policy_id in listed if policy_id in self.catalogue.policies]
        telling = (
            policy_id
            for policy_id in known
            if set(facets) <= facets_recorded(self.catalogue.policies[policy_id])
        )
        return next(telling, known[0] if known else None)

    def _called(self, asked: Question, discussion: Discussion) -> str | None:
        """The one listed policy whose name holds all of what a short question names: 那个团队的呢."""
        text = asked.search_text
        if not asked.subject or not (is_ellipsis(text) or points_back(text)):
            return None
        named = [
            policy_id
            for policy_id in discussion.listed
            if (policy := self.catalogue.policies.get(policy_id))
            and set(asked.subject) <= set(tokens(fold(policy.title)))
        ]
        return named[0] if len(named) == 1 else None

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
        if discussed and self._is_follow_up(ranking, discussed):
            return self.detail(discussed.id, question.facets, as_of, text)
        if question.elsewhere:
            refused = elsewhere_text(read_places().home, question.elsewhere)
            return _refuse(refused, Refusal.ELSEWHERE, ranking)
        if asks_for_list(question.search_text) and not set(question.facets) & _OF_ONE_POLICY:
            listed = self._list(ranking, as_of)
            if listed:
                return listed
        cuts = self._retriever.cuts
        if not self.may_answer(ranking) or ranking.chance < cuts.clarify_from:
            return _refuse(NOTHING_FOUND, Refusal.NOTHING_FOUND, ranking)
        if ranking.chance < cuts.answer_from:
            return self._ask_back(ranking, as_of)
        answer = self._about(ranking.hits[0].policy, question, as_of, ranking)
        if question.doc_no and not self._knows(question.doc_no):
            return replace(answer, text=f"{UNKNOWN_NUMBER}\n{answer.text}")
        return answer

    def detail(
        self, policy_id: str, facets: Sequence[Facet], as_of: date, text: str = ""
    ) -> Answer:
        """Answers about a known policy: the facets asked for, or an overview.

        Raises:
            KeyError: the catalogue holds no such policy.
        """
        question = read_question(text)
        chosen = frozenset(facets) - set(question.facets)  # by the caller, not read from the text
        sure = question.sure_facets | chosen
        question = replace(question, facets=tuple(facets), sure_facets=sure)
        hit = Hit(self.catalogue.policies[policy_id], 0.0, 1.0, None, ())
        answer = self._about(hit.policy, question, as_of, Ranking(question, (hit,)))
        return replace(
            answer, question=text, discussion=Discussion(policy_id, tuple(answer.facets))
        )

    def cite(self, policy_id: str, facet: Facet, as_of: date) -> Citation:
        """The stored clause that shows a policy best for one facet, else its first. Raises ``KeyError`` for no policy."""
        policy = self.catalogue.policies[policy_id]
        clauses = self.catalogue.clauses_of(policy_id)
        clause = next((c for c in clauses if c.facet is facet), clauses[0])
        return Citation(clause, policy, policy.status_on(as_of))

    def listing(self, text: str, as_of: date, top: int = MOST_LISTED) -> Ranking:
        """The policies nearest to a described need that are not known to be expired."""
        return self._retriever.search(
            text, top, as_of=as_of, statuses={Status.CURRENT, Status.UNKNOWN}
        )

    def may_answer(self, ranking: Ranking) -> bool:
        """Whether the first policy found is one the question can be about: its number, its district, its subject."""
        if not ranking.hits:
            return False
        question, best = ranking.question, ranking.hits[0].policy
        if self._knows(question.doc_no):
            return question.names_document(best.doc_no)
        return bool(question.subject) and not _asks_another_district(question, best)

    def _knows(self, doc_no: str | None) -> bool:
        """Whether a policy has the document number a question names."""
        known = (policy.doc_no for policy in self.catalogue.policies.values())
        return bool(doc_no) and any(no and doc_no and doc_no.endswith(fold(no)) for no in known)

    def _is_follow_up(self, ranking: Ranking, discussed: Policy) -> bool:
        """Whether the question leans on the policy under discussion instead of naming a subject of its own.

        What it names, and what search finds for it alone, tell (``follow_up``); nothing found surely decides nothing.
        """
        question = ranking.question
        if question.elsewhere or question.doc_no or _is_out_of_reach(question, discussed):
            return False
        if not question.subject or (ranking.hits and ranking.hits[0].policy.id == discussed.id):
            return True
        return self._follow_ups.says(features_of(ranking, discussed, self._retriever))

    def _alike(
        self, discussed: Policy, asked: Question, facets: Sequence[Facet], as_of: date
    ) -> Answer:
        """The like of the policy under discussion in the place named, or an honest no."""
        inside = {p.id for p in self.catalogue.policies.values() if p.place in asked.places}
        text = f"{asked.places[0]}{matter_of(discussed)}"
        ranking = self._retriever.search(text, as_of=as_of, only=inside)
        ranking = replace(ranking, question=replace(ranking.question, facets=tuple(facets)))
        if not ranking.hits or ranking.chance < self._retriever.cuts.answer_from:
            if discussed.place is None or discussed.place in read_places().around(asked.places[0]):
                answer = self.detail(discussed.id, facets, as_of, asked.text)
                return replace(answer, text=f"{holds_there_text(asked.places)}\n{answer.text}")
            refused = not_alike_text(discussed, asked.places)
            return _refuse(refused, Refusal.NOTHING_FOUND, ranking)
        return self._about(ranking.hits[0].policy, ranking.question, as_of, ranking)

    def _comparison(self, text: str, as_of: date) -> Answer | None:
        """Two policies side by side, when the message sets two against each other and both are surely found."""
        compared = compared_subjects(text)
        if not compared:
            return None
        whole = self._retriever.search(text, CONSIDERED, as_of=as_of)
        asked = "".join(LABELS[facet] for facet in self._compared_facets(text))
        for sides in compared:
            searched = [
                self._retriever.search(f"{side} {asked}", CONSIDERED, as_of=as_of) for side in sides
            ]
            pair = self._pair(searched, whole)
            if pair:
                return self._side_by_side(text, pair, as_of)
        cut = self._retriever.cuts.clarify_from  # that two are meant is said already
        sure = [hit for hit in self._one_each(whole) if hit.chance >= cut][:2]
        if len(sure) < 2 or not self.may_answer(whole):
            return None
        return self._side_by_side(text, sure, as_of)

    def _pair(self, sides: Sequence[Ranking], whole: Ranking) -> list[Hit] | None:
        """The two different policies that the two sides name: 购房支持 beside 文化企业落户支持 is the one for 文化企业.

        A side may be short for what the whole message says, so what both find counts.
        """
        if not all(map(self._is_sure, sides)):
            return None
        cuts = self._retriever.cuts
        told = {hit.policy.id: hit.score for hit in whole.hits}
        least = min(told.values(), default=0.0)
        left, right = (
            [hit for hit in side.hits[:SIDE_HITS] if hit.chance >= cuts.clarify_from]
            for side in sides
        )

        def weight(pair: Iterable[Hit]) -> float:
            return sum(hit.score + told.get(hit.policy.id, least - 1.0) / 2 for hit in pair)

        pairs = [(one, other) for one in left for other in right if one.policy != other.policy]
        return list(max(pairs, key=weight)) if pairs else None

    def _compared_facets(self, text: str) -> tuple[Facet, ...]:
        question = read_question(text)
        if asks_which_is_more(question.search_text):
            return (Facet.AMOUNT,)
        return question.facets or (Facet.AMOUNT,)

    def _one_each(self, ranking: Ranking) -> list[Hit]:
        """The hits, only the best one of each place where several places are set against each other."""
        districts = [p for p in ranking.question.places if not read_places().inside(p)]
        if len(districts) < 2:
            return list(ranking.hits)
        best = {hit.policy.place: hit for hit in reversed(ranking.hits)}
        return [
            hit for hit in ranking.hits if hit in best.values() and hit.policy.place in districts
        ]

    def _side_by_side(self, text: str, hits: Sequence[Hit], as_of: date) -> Answer:
        question = read_question(text)
        asked = self._compared_facets(text)
        sides = [self._side(hit.policy, asked, question, as_of) for hit in hits]
        return Answer(
            text=comparison_text(sides, with_verdict=Facet.AMOUNT in asked and len(sides) == 2),
            citations=tuple(citation for side in sides for citation in side.citations),
            refusal=None,
            policy_id=None,
            facets=tuple(asked),
            candidates=tuple(hits),
            chance=min(hit.chance for hit in hits),
            listed=tuple(hit.policy.id for hit in hits),
        )

    def _side(
        self, policy: Policy, asked: Sequence[Facet], question: Question, as_of: date
    ) -> Side:
        """What the record says of the facets asked for; where it says nothing, what the policy is."""
        meant = dict.fromkeys(_meant(facet, policy, question) for facet in asked)
        found = {facet: self._clauses_for(facet, policy, question) for facet in meant}
        clauses = [clause for each in found.values() for clause in each]
        status = policy.status_on(as_of)
        cited = list(dict.fromkeys(clauses)) or self.catalogue.clauses_of(policy.id)[:1]
        return Side(
            tuple(Citation(clause, policy, status) for clause in cited),
            tuple(facet for facet, each in found.items() if not each),
        )

    def _is_sure(self, ranking: Ranking) -> bool:
        return self.may_answer(ranking) and ranking.chance >= self._retriever.cuts.answer_from

    def _list(self, ranking: Ranking, as_of: date) -> Answer | None:
        """Every policy that fits a question for all of a kind, those in force first; ``None`` for fewer than two."""
        floor = max(self._retriever.cuts.clarify_from, LISTED_SHARE * ranking.chance)
        fitting = [hit for hit in ranking.hits if hit.chance >= floor]
        if len(fitting) < 2 or not self.may_answer(ranking):
            kind = policies_of_kind(ranking.question, self.catalogue.policies.values())
            text = ranking.question.text
            found = self._retriever.search(text, CONSIDERED, as_of=as_of, only=kind)
            fitting = list(found.hits) if kind else []
        fitting = sorted(
            fitting[:MOST_LISTED],
            key=lambda hit: _IN_FORCE_FIRST.index(hit.policy.status_on(as_of)),
        )
        if len(fitting) < 2:
            return None
        citations = tuple(self.cite(hit.policy.id, Facet.AMOUNT, as_of) for hit in fitting)
        return Answer(
            text=listing_text(citations),
            citations=citations,
            refusal=None,
            policy_id=None,
            facets=(Facet.OVERVIEW,),
            candidates=tuple(fitting),
            chance=ranking.chance,
            listed=tuple(hit.policy.id for hit in fitting),
        )

    def _ask_back(self, ranking: Ranking, as_of: date) -> Answer:
        offered = [hit.policy for hit in ranking.hits[:OFFERED]]
        answer = _refuse(clarification_text(offered, as_of), Refusal.UNCLEAR, ranking)
        return replace(answer, offered=tuple(policy.id for policy in offered))

    def _only_listed(self, asked: Question, discussion: Discussion, as_of: date) -> Answer:
        """第八个 of five: says how many there are and asks which of them is meant."""
        listed = [self.catalogue.policies.get(policy_id) for policy_id in discussion.listed]
        policies = [policy for policy in listed if policy]
        text = only_listed_text(policies, as_of)
        answer = _refuse(text, Refusal.UNCLEAR, Ranking(asked, ()))
        return replace(answer, offered=tuple(policy.id for policy in policies))

    def _about(self, policy: Policy, question: Question, as_of: date, ranking: Ranking) -> Answer:
        asked = tuple(_meant(facet, policy, question) for facet in question.facets)
        if set(asked) & _TELL_HOW:
            asked = tuple(facet for facet in asked if facet is not Facet.PROCESS)
        asked = asked or (Facet.OVERVIEW,)
        shown: list[Clause] = []
        missing: list[Facet] = []
        for facet in asked:
            found = self._clauses_for(facet, policy, question)
            shown += found
            if not found:
                missing.append(facet)
        stating = self._details.facets_stating(question.text, policy) if missing else ()
        if stating and missing[0] is asked[0] and question.text:
            # 认哪天以后搬来的 asks for a time that stands among the conditions.
            asked, missing = stating, []
            shown = [c for facet in stating for c in self._clauses_for(facet, policy, question)]
        if missing and missing[0] is asked[0] and question.text:
            # The rest is a guess beside it: what was really asked for is not there.
            found_surely = (set(asked) - set(missing)) & question.sure_facets
            shown = shown if found_surely else []
        if not shown:
            refused = not_recorded_text(policy, missing, as_of)
            answer = _refuse(refused, Refusal.NOT_RECORDED, ranking)
            return replace(answer, policy_id=policy.id, facets=tuple(asked))
        is_told = bool(set(asked) & question.sure_facets & _WHOLE_ANSWERS)
        if question.text and not is_told and self._details.is_missing(question.text, policy):
            unstated = self._details.unstated(question.text, policy)
            refused = detail_not_recorded_text(policy, as_of, unstated)
            answer = _refuse(refused, Refusal.DETAIL_NOT_RECORDED, ranking)
            return replace(answer, policy_id=policy.id)
        for facet in question.likely_facets if question.text else ():
            shown += self._clauses_for(facet, policy, question)
        for facet in _ALONG if set(asked) & _ALONG_WITH else ():
            shown += [
                c for c in self._clauses_for(facet, policy, question) if c not in policy.wording
            ]
        clauses = self.catalogue.clauses_of(policy.id)
        best = self._retriever.best_clause(policy.id, question.subject, clauses)
        if best and best[1] >= SPEAKS_OF_IT:
            shown.append(best[0])
        shown = list(dict.fromkeys(shown))
        if Facet.PROCESS in asked and not _tells_how(policy, shown):
            missing.append(Facet.PROCESS)
        status = policy.status_on(as_of)
        return Answer(
            text=compose(policy, shown, missing, status, asked) + _disclaimer(question),
            citations=tuple(Citation(clause, policy, status) for clause in shown),
            refusal=None,
            policy_id=policy.id,
            facets=tuple(asked),
            candidates=ranking.hits,
            chance=ranking.chance,
            related=self._related(policy, ranking, as_of),
        )

    def _related(self, policy: Policy, ranking: Ranking, as_of: date) -> tuple[str, ...]:
        """Other policies that may well be meant: surely fitting, not ended ones of the ranking, at most ``OFFERED``."""
        sure = self._retriever.cuts.answer_from
        useful = {Status.CURRENT, Status.UNKNOWN}
        fitting = [
            h.policy.id
            for h in ranking.hits
            if h.policy.id != policy.id and h.chance >= sure and h.policy.status_on(as_of) in useful
        ]
        return tuple(fitting[:OFFERED])

    def _clauses_for(self, facet: Facet, policy: Policy, question: Question) -> list[Clause]:
        """The stored clauses that answer one facet; empty when the record does not hold the detail."""
        clauses = self.catalogue.clauses_of(policy.id)
        found: list[Clause] = []
        for wanted in _facets_that_answer(facet, policy):
            worded = [c for c in policy.wording if c.facet is wanted]
            recorded = [c for c in clauses if c.facet is wanted and c not in worded]
            found += recorded or self._worded(question, worded)
        if not found and facet is Facet.OVERVIEW:
            found = self._retriever.nearest_clauses(question, policy.wording, WORDING_SHOWN + 1)
        return found

    def _worded(self, question: Question, worded: Sequence[Clause]) -> list[Clause]:
        """What a document says on a facet, in its order: the nearest clauses, each with the rest of its article.

        A clause such as 应当符合以下条件： says nothing without its items, nor do they without it.
        """
        nearest = self._retriever.nearest_clauses(question, worded, WORDING_SHOWN)
        articles = [_article_of(clause, worded) for clause in nearest]
        whole = [c for c in worded if c in nearest or any(_stands_in(c, at) for at in articles)]
        is_short = sum(len(clause.text) for clause in whole) <= WORDING_CHARS
        return whole if is_short else nearest


def _tells_how(policy: Policy, shown: Sequence[Clause]) -> bool:
    """Whether what is shown says how to apply; department, time and papers alone do not."""
    is_process = any(clause.facet is Facet.PROCESS for clause in shown)
    return is_process or _HOW.search(policy.summary or "") is not None


def _article_of(clause: Clause, among: Sequence[Clause]) -> tuple[str, ...]:
    """Where the outermost of the clauses that this one stands in, or is, stands itself."""
    around = [each.path for each in among if _stands_in(clause, each.path)]
    return min(around, key=len, default=())


def _stands_in(clause: Clause, path: tuple[str, ...]) -> bool:
    return bool(path) and clause.path[: len(path)] == path


def _disclaimer(question: Question) -> str:
    return f"\n{NO_PROMISE}" if asks_for_promise(question.search_text) else ""


def _meant(facet: Facet, policy: Policy, question: Question) -> Facet:
    """打分多少才过 asks how much, but of a condition: where no money is granted and none is asked for."""
    if question.text and facet is Facet.AMOUNT and not grants_money(policy):
        return facet if asks_for_money(question.search_text) else Facet.CONDITIONS
    return facet


def _facets_that_answer(facet: Facet, policy: Policy) -> list[Facet]:
    if facet is Facet.OVERVIEW:
        return [Facet.AMOUNT, Facet.CONDITIONS, Facet.OVERVIEW]
    if facet is Facet.PROCESS:
        how = [Facet.AMOUNT] if _HOW.search(policy.summary or "") else []
        return [
            Facet.PROCESS,
            *how,
            Facet.WINDOW,
            Facet.MATERIALS,
            Facet.DEPARTMENT,
            Facet.OVERVIEW,
        ]
    if facet is Facet.AMOUNT:
        return [Facet.AMOUNT] if grants_money(policy) else []
    if facet is Facet.VALIDITY:
        return [Facet.VALIDITY, Facet.WINDOW]
    return [facet]


def after(before: Discussion, answer: Answer) -> Discussion:
    """What is under discussion once this was said; a refusal without a policy changes nothing."""
    if answer.offered:  # nobody has chosen yet
        return Discussion(before.policy_id, answer.facets, answer.offered)
    if answer.listed:
        return Discussion(answer.policy_id or answer.listed[0], answer.facets, answer.listed)
    if answer.policy_id:
        shown = (answer.policy_id, *answer.related) if answer.related else ()
        kept = before.listed if answer.policy_id in before.listed else shown
        return Discussion(answer.policy_id, answer.facets, kept)
    return before


def _asks_level_within(asked: Question, discussed: Policy | None) -> bool:
    """省级呢, said of a policy that itself gives different sums by level: 国家级500万、省级300万."""
    if not (discussed and asked.names_only_level and is_ellipsis(asked.search_text)):
        return False
    said = discussed.summary or ""
    return any(re.search(_SUM_OF_LEVEL[level], said) for level in asked.levels)


def _asks_another_district(question: Question, policy: Policy) -> bool:
    """南山有什么奖励 asks for that district's own policy; 我们在南山 only says where the enterprise is."""
    if question.names_own_place or not question.places:
        return False
    places = read_places()
    districts = [place for place in question.places if places.inside(place) == ()]
    if not districts or places.home in districts:
        return False
    names_wider = len(districts) < len(question.places)
    if names_wider and not asks_for_own_money(question.search_text):
        return False
    return policy.place not in districts


def _is_out_of_reach(question: Question, policy: Policy) -> bool:
    """那南山呢, said of another district's policy, asks for something else; 我们在南山 only says where one is."""
    if question.names_own_place or not question.places:
        return False
    if policy.place is None:
        return False
    return policy.place not in read_places().reach(question.places)


def _refuse(text: str, reason: Refusal, ranking: Ranking) -> Answer:
    question = ranking.question
    return Answer(
        text,
        (),
        reason,
        None,
        question.facets,
        ranking.hits,
        ranking.chance,
        bool(question.subject),
    )
