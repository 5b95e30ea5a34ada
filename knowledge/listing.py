"""Lists the policies that a question for all of a kind asks for, those in force first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from knowledge.aptness import Aptness
from knowledge.comparing import CONSIDERED
from knowledge.composition import (
    listing_text,
    no_more_text,
    none_listed_text,
    only_one_listed_text,
)
from knowledge.discussion import Discussion
from knowledge.filters import Filter, read_filter
from knowledge.kinds import policies_of_kind
from knowledge.outcome import Answer, Refusal, refuse
from knowledge.policy import Facet, Status
from knowledge.question import Question, asks_for_list, read_places, read_question
from knowledge.retrieval import Hit, Ranking, Retriever
from knowledge.telling import Teller

MOST_LISTED = 5
# A list holds what is at least this likely, as a share of the likeliest.
LISTED_SHARE = 0.2
_IN_FORCE_FIRST = (Status.CURRENT, Status.UNKNOWN, Status.UPCOMING, Status.EXPIRED)


class Listing:
    """Lists from one catalogue; never changes, so threads may share it."""

    def __init__(self, retriever: Retriever, teller: Teller, aptness: Aptness) -> None:
        self._retriever = retriever
        self._policies = tuple(retriever.catalogue.policies.values())
        self._teller = teller
        self._aptness = aptness

    def filtered(self, asked: Question, as_of: date) -> Answer | None:
        """All that a place, level, industry, department or deadline has; ``None`` where the question is no such list."""
        if asked.names_own_place or not asks_for_list(asked.search_text):
            return None  # 我们在罗湖，有哪些政策 asks what suits the enterprise
        wanted = read_filter(asked, self._policies, as_of)
        return None if wanted is None else self._page(asked, wanted, as_of)

    def elsewhere(self, asked: Question, discussion: Discussion, as_of: date) -> Answer | None:
        """The list last shown, for the place that is named now: 那南山呢 after 罗湖有哪些政策."""
        before = self._filter_of(discussion, as_of)
        if before is None:
            return None
        wanted = replace(before, places=asked.places, levels=frozenset())
        text = f"{'、'.join(asked.places)}{_unplaced(discussion.listing or '')}"
        return self._page(read_question(text), wanted, as_of)

    def further(self, discussion: Discussion, as_of: date) -> Answer | None:
        """What the list last shown had no room for; ``None`` where no such list was shown."""
        before = self._filter_of(discussion, as_of)
        if before is None or not discussion.listed:
            return None
        return self._page(
            read_question(discussion.listing or ""), before, as_of, discussion.listed[-1]
        )

    def _filter_of(self, discussion: Discussion, as_of: date) -> Filter | None:
        if not discussion.listing:
            return None
        return read_filter(read_question(discussion.listing), self._policies, as_of)

    def _page(
        self, asked: Question, wanted: Filter, as_of: date, shown_last: str | None = None
    ) -> Answer:
        """The next policies that fit, at most ``MOST_LISTED``, behind the one shown last."""
        fitting = sorted(
            wanted.of(self._policies, as_of),
            key=lambda policy: _IN_FORCE_FIRST.index(policy.status_on(as_of)),
        )
        ids = [policy.id for policy in fitting]
        first = ids.index(shown_last) + 1 if shown_last in ids else 0
        page = fitting[first : first + MOST_LISTED]
        if not page:
            said = no_more_text(len(ids)) if ids else self._none_text(wanted, as_of)
            answer = refuse(said, Refusal.NONE_LISTED, Ranking(asked, ()))
            return replace(answer, listing=asked.text)
        if len(page) == 1:
            answer = self._teller.detail(page[0].id, (), as_of)
            lead = only_one_listed_text(wanted.label, len(ids))
            return replace(answer, text=f"{lead}\n{answer.text}", listing=asked.text)
        hits = [Hit(policy, 0.0, 1.0, None, ()) for policy in page]
        answer = self._listed(hits, 1.0, as_of)
        text = listing_text(answer.citations, wanted.label, len(ids), first)
        return replace(answer, text=text, listing=asked.text)

    def _none_text(self, wanted: Filter, as_of: date) -> str:
        unwritten = 0
        if wanted.days:
            open_ones = replace(wanted, days=None, is_open=True).of(self._policies, as_of)
            unwritten = len(open_ones)
        around = {w for place in wanted.places for w in read_places().around(place)[1:]}
        above = [p for p in self._policies if p.place is None or p.place in around]
        narrow = [place for place in wanted.places if place in read_places().within]
        return none_listed_text(wanted.label, len(above) if narrow else 0, unwritten)

    def list_of(self, ranking: Ranking, as_of: date) -> Answer | None:
        """Every policy that fits a question for all of a kind, those in force first; ``None`` for fewer than two."""
        floor = max(self._retriever.cuts.clarify_from, LISTED_SHARE * ranking.chance)
        fitting = [hit for hit in ranking.hits if hit.chance >= floor]
        if len(fitting) < 2 or not self._aptness.may_answer(ranking):
            kind = policies_of_kind(ranking.question, self._policies)
            text = ranking.question.text
            found = self._retriever.search(text, CONSIDERED, as_of=as_of, only=kind)
            fitting = list(found.hits) if kind else []
        fitting = sorted(
            fitting[:MOST_LISTED],
            key=lambda hit: _IN_FORCE_FIRST.index(hit.policy.status_on(as_of)),
        )
        return self._listed(fitting, ranking.chance, as_of) if len(fitting) > 1 else None

    def _listed(self, hits: Sequence[Hit], chance: float, as_of: date) -> Answer:
        citations = tuple(self._teller.cite(hit.policy.id, Facet.AMOUNT, as_of) for hit in hits)
        return Answer(
            text=listing_text(citations),
            citations=citations,
            refusal=None,
            policy_id=None,
            facets=(Facet.OVERVIEW,),
            candidates=tuple(hits),
            chance=chance,
            listed=tuple(hit.policy.id for hit in hits),
        )


def _unplaced(text: str) -> str:
    for place, said in read_places().names.items():
        for name in (place, *said):
            text = text.replace(name, "")
    return text
