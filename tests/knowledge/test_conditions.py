"""Conditions: every op on every side of its edge, Kleene's laws, gaps and words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.conditions import (
    Truth,
    all_of,
    any_of,
    check,
    have_of,
    in_unit,
    nearest_gap,
    truth_of,
)
from knowledge.policy import Criterion
from knowledge.profile import Profile
from tests.knowledge.match_samples import FIELDS, criteria, either, knows, need, profiles, values

truths = st.sampled_from(list(Truth))
lists = st.lists(truths, max_size=5)
MET, FAILED, UNKNOWN = Truth.MET, Truth.FAILED, Truth.UNKNOWN


def opposite(truth: Truth) -> Truth:
    return {MET: FAILED, FAILED: MET, UNKNOWN: UNKNOWN}[truth]


@pytest.mark.parametrize(
    ("field", "op", "value", "have", "expected"),
    [
        ("staff", "eq", 10, 10, MET), ("staff", "eq", 10, 10.0, MET), ("staff", "eq", 10, 11, FAILED),
        ("staff", "gte", 10, 10, MET), ("staff", "gte", 10, 9.99, FAILED),
        ("staff", "gt", 10, 10, FAILED), ("staff", "gt", 10, 10.01, MET),
        ("staff", "lte", 10, 10, MET), ("staff", "lte", 10, 10.01, FAILED),
        ("staff", "lt", 10, 10, FAILED), ("staff", "lt", 10, 9.99, MET),
        ("staff", "gte", 0, 0, MET),
        ("listed", "eq", True, True, MET), ("listed", "eq", True, False, FAILED),
        ("listed", "eq", False, False, MET), ("listed", "eq", False, True, FAILED),
        ("place", "eq", "福田区", "福田区", MET), ("place", "eq", "福田区", "福田", FAILED),
        ("place", "in", ["福田区", "南山区"], "南山区", MET), ("place", "in", ["福田区"], "南山区", FAILED),
        ("titles", "includes_any", ["国高", "规上"], ("规上",), MET),
        ("titles", "includes_any", ["国高"], ("国高培育",), FAILED),
        ("titles", "includes_any", ["国高"], (), FAILED),
        ("titles", "excludes", ["国高"], (), MET), ("titles", "excludes", ["国高"], ("规上",), MET),
        ("titles", "excludes", ["国高", "规上"], ("规上",), FAILED),
    ],
)  # fmt: skip
def test_known_fact_decides(field: str, op: str, value: Any, have: Any, expected: Truth) -> None:
    criterion = need(field, op, value)
    assert truth_of(criterion, knows(**{field: have})) is expected
    assert check(criterion, knows(**{field: have}), FIELDS).truth is expected


@pytest.mark.parametrize(
    ("field", "op", "value"),
    [
        ("staff", "gte", 0), ("staff", "lt", 1), ("listed", "eq", False), ("place", "in", ["福田区"]),
        ("titles", "includes_any", ["国高"]), ("titles", "excludes", ["国高"]),
    ],
)  # fmt: skip
def test_absent_fact_is_unknown_and_never_false(field: str, op: str, value: Any) -> None:
    checked = check(need(field, op, value), Profile(), FIELDS)
    assert (checked.truth, checked.known, checked.gap) == (UNKNOWN, None, None)
    assert have_of(checked, FIELDS) is None


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, UNKNOWN),
        ({"staff": 10}, MET),
        ({"staff": 9}, UNKNOWN),
        ({"listed": True}, MET),
        ({"staff": 9, "listed": True}, MET),
        ({"staff": 9, "listed": False}, FAILED),
    ],
)
def test_alternative(facts: dict[str, Any], expected: Truth) -> None:
    criterion = either(need("staff", "gte", 10), need("listed", "eq", True))
    assert truth_of(criterion, knows(**facts)) is expected


@given(lists, lists)
def test_kleene_laws(one: list[Truth], two: list[Truth]) -> None:
    assert all_of(one + two) is all_of(two + one) is all_of([all_of(one), all_of(two)])
    assert any_of(one + two) is any_of(two + one) is any_of([any_of(one), any_of(two)])
    assert all_of(one + one) is all_of(one)
    assert any_of(one + one) is any_of(one)
    assert opposite(all_of(one)) is any_of(map(opposite, one))


@given(truths, truths, truths)
def test_kleene_distributes_and_absorbs(a: Truth, b: Truth, c: Truth) -> None:
    assert all_of([a, any_of([b, c])]) is any_of([all_of([a, b]), all_of([a, c])])
    assert any_of([a, all_of([b, c])]) is all_of([any_of([a, b]), any_of([a, c])])
    assert all_of([a, any_of([a, b])]) is a is any_of([a, all_of([a, b])])


def test_nothing_to_hold_is_met_and_nothing_to_choose_is_failed() -> None:
    assert (all_of([]), any_of([])) == (MET, FAILED)


@given(criteria, profiles, st.data())
def test_adding_a_fact_never_turns_a_decided_condition(
    criterion: Criterion, profile: Profile, data: st.DataObject
) -> None:
    absent = [field for field in values if field not in profile.facts]
    before = truth_of(criterion, profile)
    if before is UNKNOWN or not absent:
        return
    field = data.draw(st.sampled_from(absent))
    more = profile.with_facts(knows(**{field: data.draw(values[field])}).facts)
    assert truth_of(criterion, more) is before


@given(criteria, profiles)
def test_check_and_its_fast_form_agree(criterion: Criterion, profile: Profile) -> None:
    checked = check(criterion, profile, FIELDS)
    assert checked.truth is truth_of(criterion, profile)
    assert all(leaf.criterion.field in FIELDS for leaf in checked.leaves())
    assert (nearest_gap(checked) is None) or checked.truth is not MET or checked.parts


@pytest.mark.parametrize(
    ("field", "op", "value", "have", "amount", "said"),
    [
        ("revenue", "gte", 20_000_000, 16_000_000, 4_000_000, "差400万元"),
        ("revenue", "gte", 150_000_000, 1, 149_999_999, "差14999.9999万元"),
        ("revenue", "lte", 20_000_000, 20_000_001, 1, "超出1元"),
        ("revenue", "lt", 5_000_000, 5_000_000, 0, "正好500万元，须低于此数"),
        ("staff", "gt", 10, 10, 0, "正好10人，须超过此数"),
        ("staff", "gte", 10, 9.5, 0.5, "差0.5人"),
        ("staff", "lte", 10, 12, 2, "超出2人"),
    ],
)
def test_gap_says_how_far_off_a_number_is(
    field: str, op: str, value: float, have: float, amount: float, said: str
) -> None:
    gap = check(need(field, op, value), knows(**{field: have}), FIELDS).gap
    assert gap is not None
    assert (gap.amount, gap.text) == (amount, said)


@pytest.mark.parametrize(
    ("field", "op", "value", "have"),
    [
        ("staff", "eq", 10, 9),
        ("listed", "eq", True, False),
        ("place", "eq", "福田区", "南山区"),
        ("titles", "includes_any", ["国高"], ()),
        ("staff", "gte", 10, 10),
    ],
)
def test_nothing_to_measure_has_no_gap(field: str, op: str, value: Any, have: Any) -> None:
    assert check(need(field, op, value), knows(**{field: have}), FIELDS).gap is None


@pytest.mark.parametrize(
    ("criterion", "said"),
    [
        (need("revenue", "gte", 20_000_000), "营业收入不低于2000万元"),
        (need("revenue", "lt", 150_000_000), "营业收入低于1.5亿元"),
        (need("staff", "lte", 500), "职工人数不超过500人"),
        (need("listed", "eq", False), "是否上市：否"),
        (need("place", "eq", "福田区"), "注册区为福田区"),
        (need("place", "in", ["福田区", "南山区"]), "注册区为福田区、南山区之一"),
        (need("titles", "includes_any", ["国高"]), "企业资质有国高"),
        (need("titles", "excludes", ["国高", "规上"]), "企业资质中没有国高、规上"),
        (
            either(need("staff", "gt", 9), need("listed", "eq", True)),
            "职工人数超过9人，或是否上市：是",
        ),
    ],
)
def test_need_in_words(criterion: Criterion, said: str) -> None:
    assert check(criterion, Profile(), FIELDS).need == said


def test_what_an_enterprise_has_in_words() -> None:
    both = either(need("revenue", "gte", 100), need("titles", "includes_any", ["国高"]))
    checked = check(both, knows(revenue=32_000_000, titles=()), FIELDS)
    assert have_of(checked, FIELDS) == "营业收入：3200万元；企业资质：无"
    assert have_of(check(both, knows(titles=("规上",)), FIELDS), FIELDS) == "企业资质：规上"
    assert have_of(check(both, Profile(), FIELDS), FIELDS) is None
    assert have_of(check(need("listed", "eq", True), knows(listed=False), FIELDS), FIELDS) == "否"


def test_gap_of_an_alternative_is_the_smallest_share_of_what_is_needed() -> None:
    two = either(need("revenue", "gte", 1_000_000), need("staff", "gte", 100))
    gap = nearest_gap(check(two, knows(revenue=900_000, staff=10), FIELDS))
    assert gap is not None
    assert gap.text == "差10万元"


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (True, None, "是"), ((), None, "无"), (("国高", "规上"), None, "国高、规上"), ("软件", None, "软件"),
        (3200, "CNY", "3200元"), (10_000, "CNY", "1万元"), (12_345, "CNY", "1.2345万元"), (100_000_000, "CNY", "1亿元"),
        (123_456_789, "CNY", "12345.6789万元"), (-20_000, "CNY", "-2万元"), (8.0, "%", "8%"), (0.1 + 0.2, None, "0.30000000000000004"),
    ],
)  # fmt: skip
def test_value_in_its_unit(value: Any, unit: str | None, said: str) -> None:
    assert in_unit(value, unit) == said


def test_unknown_field_is_an_error() -> None:
    with pytest.raises(KeyError):
        check(need("nope", "eq", 1), Profile(), FIELDS)
