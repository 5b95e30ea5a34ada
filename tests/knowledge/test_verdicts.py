"""The compiled table gives what the conditions give one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.catalogue import Catalogue
from knowledge.conditions import truth_of
from knowledge.policy import Criterion, Op
from knowledge.profile import Known, Profile, Source
from knowledge.verdicts import VERDICTS, Verdict, VerdictTable, verdict_of
from tests.knowledge.match_samples import (
    criteria,
    either,
    knows,
    need,
    profiles,
    profiles_of,
    values,
)
from tests.knowledge.samples import policy

many = st.lists(st.lists(criteria, max_size=4), min_size=1, max_size=6)


def one_by_one(items: list[list[Criterion]], profile: Profile) -> list[Verdict]:
    return [verdict_of(truth_of(each, profile) for each in item) for item in items]


def table_of(items: list[list[Criterion]]) -> VerdictTable:
    return VerdictTable(
        [policy(f"TT-{at:03}", "奖励", criteria=tuple(item)) for at, item in enumerate(items)]
    )


def verdicts(table: VerdictTable, profile: Profile) -> list[Verdict]:
    return [VERDICTS[code] for code in table.verdict_codes(profile).tolist()]


@given(many, profiles)
def test_table_and_one_by_one_agree(items: list[list[Criterion]], profile: Profile) -> None:
    assert verdicts(table_of(items), profile) == one_by_one(items, profile)


@settings(max_examples=300)
@given(st.data())
def test_they_agree_on_the_catalogue(catalogue: Catalogue, data: st.DataObject) -> None:
    profile = data.draw(profiles_of(catalogue))
    table = VerdictTable(list(catalogue.policies.values()))
    items = [list(p.criteria) for p in catalogue.policies.values()]
    assert verdicts(table, profile) == one_by_one(items, profile)


@given(many, profiles, st.data())
def test_adding_a_fact_never_turns_a_decided_verdict(
    items: list[list[Criterion]], profile: Profile, data: st.DataObject
) -> None:
    absent = [field for field in values if field not in profile.facts]
    if not absent:
        return
    field = data.draw(st.sampled_from(absent))
    more = profile.with_facts(knows(**{field: data.draw(values[field])}).facts)
    table = table_of(items)
    for before, after in zip(verdicts(table, profile), verdicts(table, more), strict=True):
        assert before is Verdict.UNKNOWN or after is before


@given(many, profiles, st.data())
def test_part_of_a_shape_gives_the_same(
    items: list[list[Criterion]], profile: Profile, data: st.DataObject
) -> None:
    kept = np.array([data.draw(st.booleans()) for _ in items], bool)
    if not kept.any():
        return
    table = table_of(items)
    leaves = table.leaf_codes(profile)
    part = table.shape.only(kept)
    assert part.items(part.conditions(leaves)).tolist() == [
        code
        for code, is_in in zip(table.verdict_codes(profile).tolist(), kept, strict=True)
        if is_in
    ]


def test_equal_conditions_are_one_leaf_and_alternatives_within_one_are_flat() -> None:
    ten, listed = need("staff", "gte", 10, "甲"), need("listed", "eq", True)
    table = table_of([[ten], [need("staff", "gte", 10, "乙"), either(ten, either(listed, ten))]])
    assert len(table.leaves) == 2
    assert table.shape.item_sizes.tolist() == [1, 2]
    assert table.is_measured.tolist() == [True, True, True]


def test_item_without_conditions_is_met_by_everyone_and_told_apart() -> None:
    table = table_of([[], [need("staff", "gte", 10)]])
    assert verdicts(table, Profile()) == [Verdict.ELIGIBLE, Verdict.UNKNOWN]
    assert table.has_conditions.tolist() == [False, True]


def test_no_items_at_all() -> None:
    assert verdicts(VerdictTable([]), knows(staff=3)) == []


@pytest.mark.parametrize("op", [Op.INCLUDES_ANY, Op.EXCLUDES])
@pytest.mark.parametrize("has", [(), ("国高",), ("科小",)])
@pytest.mark.parametrize("lacks", [(), ("国高",), ("专精特新",), ("国高", "专精特新")])
def test_list_of_which_a_part_is_known_is_judged_as_one_by_one(
    op: Op, has: tuple[str, ...], lacks: tuple[str, ...]
) -> None:
    criterion = Criterion("qualifications", op, ("国高", "专精特新"), "资质")
    known = Known(has, Source.SAID, is_complete=False, lacks=lacks)
    profile = Profile({"qualifications": known})
    items = [[criterion]]
    assert verdicts(table_of(items), profile) == one_by_one(items, profile)
