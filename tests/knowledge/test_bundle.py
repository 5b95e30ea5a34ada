"""The best compatible set: as good as trying all sets, with a reason for everything left out."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.bundle import best_bundle
from knowledge.exclusions import Exclusion, Rule
from knowledge.policy import Policy
from tests.knowledge.samples import policy


def item(number: int, amount: int | None) -> Policy:
    return policy(f"TT-{number:03}", f"奖励{number}", amount_max_cny=amount)


def group(rule: str, *numbers: int, cap: int | None = None, name: str = "g") -> Exclusion:
    named = tuple(f"TT-{number:03}" for number in numbers)
    return Exclusion(name, Rule(rule), named, "同一事项", cap_cny=cap)


def kept(*given_items: Policy, groups: list[Exclusion]) -> dict[str, int | None]:
    return {each.policy.id: each.pays_cny for each in best_bundle(given_items, groups).kept}


def test_nothing_to_choose_keeps_all() -> None:
    bundle = best_bundle([item(1, 5), item(2, None)], [group("not_twice", 1, 9)])
    assert [each.policy.id for each in bundle.kept] == ["TT-001", "TT-002"]
    assert (bundle.total_cny, bundle.dropped, bundle.limits) == (5, (), ())


def test_of_one_matter_the_larger_is_kept_and_the_other_told_why() -> None:
    bundle = best_bundle([item(1, 100_000), item(2, 300_000)], [group("not_twice", 1, 2)])
    (dropped,) = bundle.dropped
    assert [each.policy.id for each in bundle.kept] == ["TT-002"]
    assert (dropped.policy.id, [p.id for p in dropped.in_favour_of]) == ("TT-001", ["TT-002"])
    assert dropped.reason == "同一事项；已选《奖励2》（最高30万元，本项最高10万元）"


def test_higher_of_several_grades() -> None:
    bundle = best_bundle([item(1, 30), item(2, 50), item(3, 40)], [group("higher_of", 1, 2, 3)])
    assert [each.policy.id for each in bundle.kept] == ["TT-002"]
    assert [each.reason for each in bundle.dropped] == ["同一事项；已取《奖励2》"] * 2


def test_two_small_ones_may_beat_a_large_one() -> None:
    groups = [group("not_twice", 1, 2), group("not_twice", 2, 3, name="h")]
    assert set(kept(item(1, 60), item(2, 100), item(3, 60), groups=groups)) == {"TT-001", "TT-003"}


def test_unknown_amounts_are_kept_where_nothing_speaks_against_it() -> None:
    groups = [group("not_twice", 1, 2), group("not_twice", 3, 4, name="h")]
    found = kept(item(1, None), item(2, None), item(3, None), item(4, 10_000), groups=groups)
    assert found == {"TT-001": None, "TT-004": 10_000}
    assert set(kept(item(2, None), item(1, None), groups=groups)) == {"TT-001"}


def test_cap_cuts_what_is_paid() -> None:
    found = kept(item(1, 800_000), item(2, 500_000), groups=[group("cap", 1, 2, cap=1_000_000)])
    assert sum(each or 0 for each in found.values()) == 1_000_000
    assert set(found) == {"TT-001", "TT-002"}


def test_item_behind_a_used_up_cap_is_left_out_and_told() -> None:
    bundle = best_bundle(
        [item(1, 1_000_000), item(2, 500_000), item(3, None)],
        [group("cap", 1, 2, cap=1_000_000), group("not_twice", 2, 3, name="h")],
    )
    assert bundle.total_cny == 1_000_000
    paid = {each.policy.id: each.pays_cny for each in bundle.kept}
    assert 0 not in paid.values()
    assert len(paid) + len(bundle.dropped) == 3


def test_cap_that_cannot_be_computed_is_told_with_what_it_limits() -> None:
    bundle = best_bundle([item(1, 5), item(2, 5)], [group("cap", 1, 2)])
    assert [each.id for each in bundle.limits] == ["g"]
    assert len(bundle.kept) == 2
    alone = best_bundle([item(1, 5), item(3, 5)], [group("cap", 1, 2)])
    assert alone.limits == ()


amounts = st.one_of(st.none(), st.integers(1, 40).map(lambda n: n * 5_000))
groups_of = st.lists(
    st.tuples(
        st.sampled_from(["not_twice", "higher_of", "cap"]),
        st.lists(st.integers(0, 6), min_size=2, max_size=4, unique=True),
        st.integers(1, 50).map(lambda n: n * 5_000),
    ),
    max_size=4,
)


@given(st.lists(amounts, min_size=1, max_size=7), groups_of)
def test_no_compatible_set_brings_more(
    given_amounts: list[int | None], drawn: list[tuple[str, list[int], int]]
) -> None:
    items = [item(number, amount) for number, amount in enumerate(given_amounts)]
    groups = [
        group(rule, *numbers, cap=cap if rule == "cap" else None, name=f"g{at}")
        for at, (rule, numbers, cap) in enumerate(drawn)
        if rule != "cap" or not any(r == "cap" and set(n) & set(numbers) for r, n, _ in drawn[:at])
    ]
    bundle = best_bundle(items, groups)
    paid = {each.policy.id: each.pays_cny for each in bundle.kept}
    assert bundle.total_cny == max(best_of(items, groups))
    assert len(bundle.kept) + len(bundle.dropped) == len(items)
    for each in groups:
        inside = [p for p in paid if p in each.policies]
        if each.rule is Rule.CAP:
            assert sum(paid[p] or 0 for p in inside) <= (each.cap_cny or 0)
        else:
            assert len(inside) < 2
    for each_dropped in bundle.dropped:
        rivals = {rival.id for rival in each_dropped.in_favour_of}
        assert rivals and rivals <= set(paid) & set(each_dropped.group.policies)
        assert each_dropped.policy.id in each_dropped.group.policies


def best_of(items: list[Policy], groups: list[Exclusion]) -> list[int]:
    """What every compatible set brings; the caps of one test share no item."""
    totals = []
    for size in range(len(items) + 1):
        for chosen in combinations(items, size):
            inside = {p.id: p.amount_max_cny or 0 for p in chosen}
            if any(
                g.rule is not Rule.CAP and len(inside.keys() & set(g.policies)) > 1 for g in groups
            ):
                continue
            total = sum(inside.values())
            for each in groups:
                if each.rule is Rule.CAP and each.cap_cny is not None:
                    capped = sum(inside[p] for p in inside.keys() & set(each.policies))
                    total -= max(0, capped - each.cap_cny)
            totals.append(total)
    return totals


@pytest.mark.parametrize("count", [0, 1])
def test_no_items_or_one(count: int) -> None:
    bundle = best_bundle([item(n, 10) for n in range(count)], [group("not_twice", 0, 1)])
    assert bundle.total_cny == 10 * count
