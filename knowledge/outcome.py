"""What comes of a question: an answer with its citations, or a refusal with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from knowledge.composition import Citation
from knowledge.discussion import Discussion
from knowledge.policy import Facet
from knowledge.retrieval import Hit, Ranking

NOTHING_YET = Discussion()


class Refusal(StrEnum):
    """Why no answer was given.

    ``UNCLEAR`` asks back which of ``Answer.offered`` is meant, ``ASKS_WHICH`` what is meant where nothing can be
    offered. ``NEW_SUBJECT`` takes leave of what was spoken of. ``NONE_LISTED``: nothing in the catalogue is of the kind.
    """

    NOTHING_FOUND = "nothing_found"
    ELSEWHERE = "elsewhere"
    NOT_RECORDED = "not_recorded"
    DETAIL_NOT_RECORDED = "detail_not_recorded"
    UNCLEAR = "unclear"
    ASKS_WHICH = "asks_which"
    NEW_SUBJECT = "new_subject"
    NONE_LISTED = "none_listed"

    @property
    def asks_back(self) -> bool:
        """Whether the person is asked for more, so that there is nothing for a clerk to answer yet."""
        return self in (Refusal.UNCLEAR, Refusal.ASKS_WHICH, Refusal.NEW_SUBJECT)

    @property
    def needs_clerk(self) -> bool:
        """Whether somebody else must answer what was asked; a list that is empty is an answer."""
        return not self.asks_back and self is not Refusal.NONE_LISTED


@dataclass(frozen=True)
class Answer:
    """What to say. ``citations`` is empty exactly when ``refusal`` is set.

    ``policy_id`` is the policy spoken of, also when the detail asked for is not in its record; absent for a list.
    ``listed`` are the policies shown side by side, ``offered`` those asked back about, ``related`` those worth a
    button (the like of it at another level). ``candidates`` are the policies considered, best first, ``chance`` (0-1)
    that the first answers. ``names_subject`` is false for a question like 怎么申报 with nothing in it. ``question`` is
    the part of the message that is answered. ``listing`` is the question that a list by place, level, industry, department
    or deadline answers, so that it can go on.
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
    listing: str | None = None
    question: str = ""
    discussion: Discussion = field(default=NOTHING_YET)


def after(before: Discussion, answer: Answer) -> Discussion:
    """What is under discussion once this was said; a refusal without a policy changes nothing."""
    if answer.refusal is Refusal.NEW_SUBJECT:
        return NOTHING_YET
    if answer.offered:  # nobody has chosen yet
        return Discussion(before.policy_id, answer.facets, answer.offered)
    if answer.listed:
        first = answer.policy_id or answer.listed[0]
        return Discussion(first, answer.facets, answer.listed, answer.listing)
    if answer.policy_id:
        shown = (answer.policy_id, *answer.related) if answer.related else ()
        is_kept = answer.policy_id in before.listed and not answer.listing
        kept = before.listed if is_kept else shown
        listing = before.listing if is_kept else answer.listing
        return Discussion(answer.policy_id, answer.facets, kept, listing)
    if answer.listing and not answer.candidates:
        return replace(before, listing=answer.listing)
    return before


def refuse(text: str, reason: Refusal, ranking: Ranking) -> Answer:
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
