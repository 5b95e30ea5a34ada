"""Tells for which years a record speaks."""

from __future__ import annotations

from knowledge.policy import Policy
from knowledge.question import years_of


def years_told(policy: Policy) -> tuple[int, ...]:
    """The years a record is written for, in order: those of its title, else of its time for applications, else of its note."""
    for text in (policy.title, policy.window, policy.note):
        if years := sorted(map(int, years_of(text or ""))):
            return tuple(years)
    return ()


def covers_year(policy: Policy, year: int) -> bool:
    """Whether a record speaks for a year: it names it, or the days it holds reach into it."""
    if year in years_told(policy):
        return True
    since = policy.valid_from or policy.published
    return (
        policy.valid_to is not None
        and since is not None
        and since.year <= year <= policy.valid_to.year
    )
