"""Tells whether a policy is one that a question can be about: by its number, its place, its subject."""

from __future__ import annotations

from collections.abc import Iterable

from knowledge.lexical import fold
from knowledge.policy import Policy
from knowledge.question import Question, asks_for_own_money, read_places
from knowledge.retrieval import Ranking


class Aptness:
    """Knows the document numbers of one catalogue."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        self._numbers = {fold(policy.doc_no) for policy in policies if policy.doc_no}

    def may_answer(self, ranking: Ranking) -> bool:
        """Whether the first policy found is one the question can be about: its number, its district, its subject."""
        if not ranking.hits:
            return False
        question, best = ranking.question, ranking.hits[0].policy
        if self.knows(question.doc_no):
            return question.names_document(best.doc_no)
        return bool(question.subject) and not asks_another_district(question, best)

    def knows(self, doc_no: str | None) -> bool:
        """Whether a policy has the document number a question names."""
        return bool(doc_no) and any(doc_no.endswith(number) for number in self._numbers if doc_no)


def asks_another_district(question: Question, policy: Policy) -> bool:
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


def is_out_of_reach(question: Question, policy: Policy) -> bool:
    """那南山呢, said of another district's policy, asks for something else; 我们在南山 only says where one is."""
    if question.names_own_place or not question.places:
        return False
    if policy.place is None:
        return False
    return policy.place not in read_places().reach(question.places)
