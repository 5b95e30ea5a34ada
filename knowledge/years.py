"""Tells for which years a record speaks."""

from __future__ import annotations

import re

from knowledge.policy import Policy
from knowledge.question import years_of

_MEANT = re.compile(r"20\d\d年?(?:度口径|度标准|口径|标准|版)")


def years_told(policy: Policy) -> tuple[int, ...]:
    """The years a record is written for, in order: those of its title, else of its time for applications, else of its note.

    A note may speak of other years as well; only 2022年度, 2022年口径 and the like count there.
    """
    meant = " ".join(_MEANT.findall(policy.note or ""))
    for text in (policy.title, policy.window or "", meant):
        if years := sorted(map(int, years_of(text))):
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
