"""Chooses the best set of items that one enterprise can have together, and says why each of the others is left out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.composition import in_words
from knowledge.exclusions import Exclusion, Rule
from knowledge.policy import Policy

# The solver works in units of ten thousand yuan; an item counts a little beside its money, so that one without a known
# amount is kept where nothing speaks against it, and of equals the one its group names first.
_UNIT_CNY = 10_000
_PRESENCE = 0.0001


@dataclass(frozen=True)
class Kept:
    """An item of the bundle. ``pays_cny`` is at most its own amount, less where a cap bites; ``None`` where unknown."""

    policy: Policy
    pays_cny: int | None


@dataclass(frozen=True)
class Dropped:
    """An item left out: for which kept items, by which group, and why in Chinese."""

    policy: Policy
    group: Exclusion
    in_favour_of: tuple[Policy, ...]
    reason: str


@dataclass(frozen=True)
class Bundle:
    """The best compatible set. ``total_cny`` adds the known amounts, each the most an enterprise can get.

    ``limits`` are caps on several kept items that cannot be computed, to be told along with them.
    """

    kept: tuple[Kept, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    limits: tuple[Exclusion, ...] = ()

    @property
    def total_cny(self) -> int:
        return sum(each.pays_cny or 0 for each in self.kept)


def best_bundle(policies: Sequence[Policy], exclusions: Sequence[Exclusion]) -> Bundle:
    """The compatible set that brings most money, then most items, then those the groups name first.

    Groups that bear on the policies are solved as a mixed-integer program (HiGHS, through
    ``scipy.optimize.milp``): an item is in or out, and pays at most its amount; of a group of one matter at most one
    is in; the payments of a capped group add up to its cap at most. All others are kept as they are.
    """
    held = {policy.id: policy for policy in policies}
    told = [g for g in exclusions if g.rule is Rule.CAP and g.cap_cny is None]
    # A cap can be smaller than what one item alone would pay.
    least = {group.id: 1 if group.cap_cny else 2 for group in exclusions}
    binding = [g for g in exclusions if g not in told and _count(g, held) >= least[g.id]]
    named = dict.fromkeys(each for g in binding for each in g.policies if each in held)
    contested = [held[policy_id] for policy_id in named]
    pays = {p.id: p.amount_max_cny for p in held.values() if p.id not in named}
    pays |= _choose(contested, binding)
    kept = tuple(Kept(policy, pays[policy.id]) for policy in held.values() if policy.id in pays)
    dropped = tuple(_dropped(p, binding, held, pays) for p in contested if p.id not in pays)
    limits = tuple(g for g in told if _count(g, pays) > 1)
    return Bundle(kept, dropped, limits)


def _count(group: Exclusion, policy_ids: Collection[str]) -> int:
    return sum(each in policy_ids for each in group.policies)


def _choose(contested: Sequence[Policy], groups: Sequence[Exclusion]) -> dict[str, int | None]:
    """What each chosen item pays, without those that a cap leaves nothing for: they must keep no other out."""
    while contested:
        pays = _solve(contested, groups)
        idle = {policy_id for policy_id, pay in pays.items() if pay == 0}
        if not idle:
            return pays
        contested = [policy for policy in contested if policy.id not in idle]
    return {}


def _solve(policies: Sequence[Policy], groups: Sequence[Exclusion]) -> dict[str, int | None]:
    """What each chosen item pays, in yuan, by id; the variables are the choices, then the payments."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    count = len(policies)
    amounts = np.array([(p.amount_max_cny or 0) / _UNIT_CNY for p in policies])
    presence = _PRESENCE * (2 - np.arange(count) / count)
    rows: list[NDArray[np.float64]] = []
    limits: list[float] = []
    for at, amount in enumerate(amounts):
        rows.append(_row(2 * count, {count + at: 1.0, at: -amount}))
        limits.append(0.0)
    for group in groups:
        members = [at for at, policy in enumerate(policies) if policy.id in group.policies]
        is_cap = group.rule is Rule.CAP
        rows.append(_row(2 * count, {at + count * is_cap: 1.0 for at in members}))
        limits.append((group.cap_cny or 0) / _UNIT_CNY if is_cap else 1.0)
    solved = milp(
        -np.concatenate((presence, np.ones(count))),
        constraints=LinearConstraint(np.array(rows), -np.inf, np.array(limits)),
        integrality=np.repeat([1, 0], count),
        bounds=Bounds(0, np.concatenate((np.ones(count), amounts))),
        options={"mip_rel_gap": 0.0},
    )
    assert solved.success, f"nothing chosen is always a solution: {solved.message}"
    chosen = solved.x[:count] > 0.5
    paid = np.rint(solved.x[count:] * _UNIT_CNY).astype(int).tolist()
    return {
        policy.id: None if policy.amount_max_cny is None else pay
        for policy, is_in, pay in zip(policies, chosen, paid, strict=True)
        if is_in
    }


def _row(size: int, entries: dict[int, float]) -> NDArray[np.float64]:
    row = np.zeros(size)
    row[list(entries)] = list(entries.values())
    return row


def _dropped(
    policy: Policy,
    groups: Sequence[Exclusion],
    held: dict[str, Policy],
    kept: Collection[str],
) -> Dropped:
    """Why an item is out: the first group of which another member is kept instead."""
    for group in groups:
        rivals = tuple(held[each] for each in group.policies if each in kept)
        if policy.id in group.policies and rivals:
            return Dropped(policy, group, rivals, _reason(policy, group, rivals))
    raise AssertionError(f"{policy.id} is left out for nothing")


def _reason(policy: Policy, group: Exclusion, rivals: Sequence[Policy]) -> str:
    names = "、".join(f"《{rival.title}》" for rival in rivals)
    if group.rule is Rule.CAP:
        cap = in_words(group.cap_cny or 0)
        return f"{group.reason}；{names}已用满合计上限{cap}"
    if group.rule is Rule.HIGHER_OF:
        return f"{group.reason}；已取{names}"
    return f"{group.reason}；已选{names}{_because(policy, rivals)}"


def _because(policy: Policy, rivals: Sequence[Policy]) -> str:
    own, others = policy.amount_max_cny, [rival.amount_max_cny for rival in rivals]
    if own is None or None in others:
        return "；记录里没有写全最高额，可以按实际情况改选"
    return f"（最高{in_words(sum(each or 0 for each in others))}，本项最高{in_words(own)}）"
