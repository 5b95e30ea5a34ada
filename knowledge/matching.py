"""Holds one enterprise's facts against every item: the verdict of each, the best of them, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from knowledge.catalogue import Catalogue
from knowledge.conditions import Checked, Truth, check, cuts_of
from knowledge.fields import Fields, read_fields
from knowledge.policy import Facet, Policy
from knowledge.profile import Profile
from knowledge.timing import DateState, Timing, timing_of
from knowledge.verdicts import (
    FAILED,
    MET,
    UNKNOWN,
    VERDICTS,
    Rows,
    Verdict,
    VerdictTable,
    verdict_of,
)
from knowledge.windows import read_window

TOP = 10
NEAR_MISSES = 5
# Within a verdict: what can be applied for, then what was closed for this time, then history.
_SHELVES = {DateState.CLOSED: 1, DateState.EXPIRED: 2}
_DAYS_KEPT = 16
# Rules on how to apply for money: an enterprise can meet them, but there is nothing to get.
_NO_OFFER = "通用规定"


@dataclass(frozen=True)
class ItemMatch:
    """One item against one enterprise.

    ``criteria`` stand in the order of the record, ``clause_id`` is the catalogue clause they stand in. ``score`` is
    the similarity to the stated need that was handed in, ``None`` where none was for this item. ``timing`` never
    changes ``verdict``.
    """

    policy: Policy
    verdict: Verdict
    timing: Timing
    criteria: tuple[Checked, ...]
    clause_id: str
    score: float | None = None

    def with_truth(self, truth: Truth) -> tuple[Checked, ...]:
        """The conditions that are met, failed or unknown."""
        return tuple(each for each in self.criteria if each.truth is truth)


@dataclass(frozen=True)
class Days:
    """What a day makes of every item, by row: its timing, its shelf in the ranking, its last day as an ordinal."""

    timings: tuple[Timing, ...]
    shelves: NDArray[np.int8]
    last_days: NDArray[np.int64]
    can_be_offered: Rows


class Matcher:
    """Matches against one catalogue; made once for it, then shared by all requests."""

    def __init__(self, catalogue: Catalogue, fields: Fields | None = None) -> None:
        self.fields = read_fields() if fields is None else fields
        self.policies = tuple(catalogue.policies.values())
        self.table = VerdictTable(self.policies)
        self.amounts = np.array([p.amount_max_cny or 0 for p in self.policies], np.float64)
        self.rows = {policy.id: row for row, policy in enumerate(self.policies)}
        is_offer = np.array([p.benefit_type != _NO_OFFER for p in self.policies], bool)
        # What may be proposed: an item whose record holds no condition cannot be matched, whatever its verdict.
        self.can_match: Rows = self.table.has_conditions & is_offer
        self._windows = [read_window(policy.window) for policy in self.policies]
        self.on = lru_cache(_DAYS_KEPT)(self._on)

    @cached_property
    def cuts(self) -> Mapping[str, frozenset[float]]:
        """The numbers its conditions compare a field with, by field."""
        return cuts_of(each for policy in self.policies for each in policy.criteria)

    def verdicts(self, profile: Profile) -> dict[str, Verdict]:
        """The verdict of every item by policy id, in the order of the catalogue."""
        codes = self.table.verdict_codes(profile).tolist()
        return {p.id: VERDICTS[code] for p, code in zip(self.policies, codes, strict=True)}

    def match(
        self,
        profile: Profile,
        as_of: date,
        similarity: Mapping[str, float] | None = None,
        top: int = TOP,
    ) -> list[ItemMatch]:
        """The best ``top`` items: by verdict, then what can still be applied for, then similarity, amount, last day.

        ``similarity`` is that of an item to the stated need, by policy id, the higher the nearer; an item it does not
        name comes after those it does. Where no need is stated, the share of its conditions that are met stands in for
        it, so that of the undecided those come first that the facts speak for.

        Left out are items whose record holds no condition, and rules on applying.
        """
        shape = self.table.shape
        conditions = shape.conditions(self.table.leaf_codes(profile))
        codes, days = shape.items(conditions), self.on(as_of)
        share_met = shape.count(conditions == MET) / shape.item_sizes
        near = self._near(similarity) if similarity is not None else share_met
        # The last key counts most.
        order = np.lexsort((days.last_days, -self.amounts, -near, days.shelves, codes))
        kept = [row for row in order.tolist() if self.can_match[row]][: max(top, 0)]
        return [self._item(row, profile, days, similarity) for row in kept]

    def explain(
        self,
        policy_id: str,
        profile: Profile,
        as_of: date,
        similarity: Mapping[str, float] | None = None,
    ) -> ItemMatch:
        """One item, whatever its verdict. Raises ``KeyError`` where the catalogue does not hold it."""
        return self._item(self.rows[policy_id], profile, self.on(as_of), similarity)

    def near_misses(self, profile: Profile, as_of: date, top: int = NEAR_MISSES) -> list[ItemMatch]:
        """Items that fail by exactly one condition while another is met.

        Those with fewest unknown conditions come first, then those missed by a measurable gap, then the dearest.
        Expired ones are left out; one that is closed for this time stays, since the next period may come.
        """
        conditions = self.table.shape.conditions(self.table.leaf_codes(profile))
        failed = self.table.shape.count(conditions == FAILED)
        unknown = self.table.shape.count(conditions == UNKNOWN)
        met = self.table.shape.item_sizes - failed - unknown
        days = self.on(as_of)
        is_far = self.table.shape.count((conditions == FAILED) & self.table.is_measured) == 0
        is_near = (
            self.can_match
            & (failed == 1)
            & (met >= 1)
            & (days.shelves < _SHELVES[DateState.EXPIRED])
        )
        order = np.lexsort((days.last_days, -self.amounts, is_far, unknown))
        kept = [row for row in order.tolist() if is_near[row]][: max(top, 0)]
        return [self._item(row, profile, days, None) for row in kept]

    def eligible(self, profile: Profile, as_of: date) -> list[Policy]:
        """What the enterprise is eligible for and can still apply for, in the order of the catalogue."""
        codes = self.table.verdict_codes(profile)
        kept: Rows = (codes == VERDICTS.index(Verdict.ELIGIBLE)) & self.can_match
        kept &= self.on(as_of).can_be_offered
        return [self.policies[row] for row in np.flatnonzero(kept)]

    def _on(self, day: date) -> Days:
        timings = tuple(
            timing_of(policy, window, day)
            for policy, window in zip(self.policies, self._windows, strict=True)
        )
        last = [_last_day(t, p) for t, p in zip(timings, self.policies, strict=True)]
        return Days(
            timings,
            np.array([_SHELVES.get(timing.state, 0) for timing in timings], np.int8),
            np.array([each.toordinal() for each in last], np.int64),
            np.array([timing.can_be_offered for timing in timings], bool),
        )

    def _near(self, similarity: Mapping[str, float]) -> NDArray[np.float64]:
        near = np.full(len(self.policies), -np.inf)
        for policy_id, score in similarity.items():
            row = self.rows.get(policy_id)
            if row is not None:
                near[row] = score
        return near

    def _item(
        self, row: int, profile: Profile, days: Days, similarity: Mapping[str, float] | None
    ) -> ItemMatch:
        policy = self.policies[row]
        criteria = tuple(check(criterion, profile, self.fields) for criterion in policy.criteria)
        score = None if similarity is None else similarity.get(policy.id)
        return ItemMatch(
            policy,
            verdict_of(each.truth for each in criteria),
            days.timings[row],
            criteria,
            f"{policy.id}#{Facet.CONDITIONS.value}",
            score,
        )


def _last_day(timing: Timing, policy: Policy) -> date:
    """The last day to apply as far as the record tells: of the period, else of the policy."""
    return timing.closes or policy.valid_to or date.max
