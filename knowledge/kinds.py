"""Finds the policies of a kind that a question names: a category, an industry, a form of benefit, a place."""

from __future__ import annotations

from collections.abc import Iterable

from knowledge.policy import Policy
from knowledge.question import Question


def policies_of_kind(question: Question, policies: Iterable[Policy]) -> frozenset[str]:
    """Ids of the policies whose category, industry or form of benefit stands in the question.

    A place or level that is named must fit. Where a place is named and no kind, every policy of that place fits;
    where neither is named, none.
    """
    text = question.search_text
    placed = [policy for policy in policies if _is_from(policy, question)]
    kind = [policy for policy in placed if any(name in text for name in _kinds_of(policy))]
    if kind:
        return frozenset(policy.id for policy in kind)
    if question.places and not question.subject:
        return frozenset(policy.id for policy in placed)
    return frozenset()


def _is_from(policy: Policy, question: Question) -> bool:
    if question.places:
        return policy.place in question.places
    return not question.levels or policy.level in question.levels


def _kinds_of(policy: Policy) -> tuple[str, ...]:
    names = (policy.category, policy.benefit_type, *policy.industries)
    return tuple(name for name in names if len(name) > 1)
