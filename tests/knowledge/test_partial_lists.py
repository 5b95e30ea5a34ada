"""Lists of which only a part is known: what is said to be there is, what is said to lack is not, the rest is unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.conditions import Truth, check, cuts_of, not_, truth_of
from knowledge.fields import read_fields
from knowledge.policy import Criterion, Op
from knowledge.profile import Known, Profile, Source, read_profile

GAOQI, XIAOJUREN, KEXIAO = "国家高新技术企业", "专精特新小巨人", "科技型中小企业"
ALL = (GAOQI, XIAOJUREN, KEXIAO, "绿色工厂")


def listed(*has: str, lacks: tuple[str, ...] = (), is_complete: bool = False) -> Known:
    return Known(has, Source.SAID, date(2026, 11, 20), is_complete=is_complete, lacks=lacks)


def needs(op: Op, *members: str) -> Criterion:
    return Criterion("qualifications", op, members, "条件")


def truth(known: Known, criterion: Criterion) -> Truth:
    return truth_of(criterion, Profile({"qualifications": known}))


@pytest.mark.parametrize(
    ("known", "includes", "excludes"),
    [
        (listed(GAOQI), Truth.MET, Truth.FAILED),
        (listed(KEXIAO), Truth.UNKNOWN, Truth.UNKNOWN),
        (listed(lacks=(GAOQI,)), Truth.FAILED, Truth.MET),
        (listed(lacks=(KEXIAO,)), Truth.UNKNOWN, Truth.UNKNOWN),
        (listed(KEXIAO, is_complete=True), Truth.FAILED, Truth.MET),
        (listed(is_complete=True), Truth.FAILED, Truth.MET),
    ],
)
def test_one_member(known: Known, includes: Truth, excludes: Truth) -> None:
    assert truth(known, needs(Op.INCLUDES_ANY, GAOQI)) is includes
    assert truth(known, needs(Op.EXCLUDES, GAOQI)) is excludes


def test_alternatives_fail_only_when_every_one_lacks() -> None:
    some = needs(Op.INCLUDES_ANY, GAOQI, KEXIAO)
    assert truth(listed(lacks=(GAOQI,)), some) is Truth.UNKNOWN
    assert truth(listed(lacks=(GAOQI, KEXIAO)), some) is Truth.FAILED
    assert truth(listed(KEXIAO, lacks=(GAOQI,)), some) is Truth.MET


def test_check_says_the_same_as_truth_of() -> None:
    profile = Profile({"qualifications": listed(KEXIAO)})
    checked = check(needs(Op.INCLUDES_ANY, GAOQI), profile, read_fields())
    assert (checked.truth, checked.known) == (Truth.UNKNOWN, profile.facts["qualifications"])


members = st.sets(st.sampled_from(ALL))


@st.composite
def lists(draw: st.DrawFn) -> Known:
    has = draw(members)
    lacks = draw(members) - has
    return listed(*sorted(has), lacks=tuple(sorted(lacks)), is_complete=draw(st.booleans()))


@given(lists(), members.filter(bool), members)
def test_learning_more_never_turns_a_verdict(known: Known, need: set[str], more: set[str]) -> None:
    """Whatever the rest of the list turns out to be, what was decided stays."""
    if known.is_complete:
        return
    whole = set(known.value) | (more - set(known.lacks))  # type: ignore[arg-type]
    later = replace(known, value=tuple(whole), lacks=(), is_complete=True)
    for op in (Op.INCLUDES_ANY, Op.EXCLUDES):
        before, after = truth(known, needs(op, *need)), truth(later, needs(op, *need))
        assert before in (Truth.UNKNOWN, after)
        assert after is not Truth.UNKNOWN


@given(lists(), members.filter(bool))
def test_excludes_is_the_negation_of_includes_any(known: Known, need: set[str]) -> None:
    includes, excludes = needs(Op.INCLUDES_ANY, *need), needs(Op.EXCLUDES, *need)
    assert truth(known, excludes) is not_(truth(known, includes))


class TestJoining:
    def test_parts_add_up(self) -> None:
        both = listed(GAOQI, lacks=(XIAOJUREN,)).joined(listed(KEXIAO, lacks=("绿色工厂",)))
        assert (both.value, both.lacks, both.is_complete) == (
            (GAOQI, KEXIAO),
            (XIAOJUREN, "绿色工厂"),
            False,
        )

    def test_newer_part_is_right(self) -> None:
        assert listed(GAOQI).joined(listed(lacks=(GAOQI,))) == listed(lacks=(GAOQI,))
        assert listed(lacks=(GAOQI,)).joined(listed(GAOQI)) == listed(GAOQI)

    def test_complete_list_stays_complete(self) -> None:
        whole = listed(GAOQI, is_complete=True)
        assert whole.joined(listed(KEXIAO)) == listed(GAOQI, KEXIAO, is_complete=True)
        assert whole.joined(listed(lacks=(GAOQI,))) == listed(is_complete=True)
        assert listed(KEXIAO).joined(whole) == whole

    def test_profile_joins_lists_and_replaces_the_rest(self) -> None:
        old = Profile({"qualifications": listed(GAOQI), "employees": Known(3, Source.SAID)})
        new = {"qualifications": listed(KEXIAO), "employees": Known(4, Source.SAID)}
        assert old.joined(new).facts == {
            "qualifications": listed(GAOQI, KEXIAO),
            "employees": Known(4, Source.SAID),
        }

    @given(lists(), lists())
    def test_nothing_is_both_held_and_lacked(self, old: Known, new: Known) -> None:
        both = old.joined(new)
        assert isinstance(both.value, tuple)
        assert set(both.value).isdisjoint(both.lacks)
        assert both.agrees_with(new)


class TestAgreeing:
    @pytest.mark.parametrize(
        ("one", "other", "agrees"),
        [
            (listed(GAOQI), listed(KEXIAO), True),
            (listed(GAOQI), listed(lacks=(GAOQI,)), False),
            (listed(GAOQI), listed(KEXIAO, is_complete=True), False),
            (listed(GAOQI), listed(GAOQI, KEXIAO, is_complete=True), True),
            (listed(lacks=(GAOQI,)), listed(GAOQI, is_complete=True), False),
            (Known(3, Source.SAID), Known(3.0, Source.REGISTRY), True),
            (Known(3, Source.SAID), Known(4, Source.REGISTRY), False),
        ],
    )
    def test_either_way(self, one: Known, other: Known, agrees: bool) -> None:
        assert one.agrees_with(other) is agrees
        assert other.agrees_with(one) is agrees


class TestJson:
    def test_plain_list_is_complete_and_an_object_is_not(self) -> None:
        fields = read_fields()
        whole, _ = read_profile({"qualifications": ["国高"]}, fields)
        assert whole.facts["qualifications"] == Known((GAOQI,), Source.PROFILE)
        part, problems = read_profile(
            {"qualifications": {"has": ["国高"], "lacks": ["小巨人"]}}, fields
        )
        assert problems == []
        assert part.facts["qualifications"] == Known(
            (GAOQI,), Source.PROFILE, is_complete=False, lacks=(XIAOJUREN,)
        )

    @pytest.mark.parametrize(
        ("given", "why"),
        [
            ({}, "has、lacks"),
            ({"have": []}, "has、lacks"),
            ({"has": "国高"}, "应为文字的列表"),
            ({"has": ["国高"], "lacks": ["高企"]}, "既在 has 里又在 lacks 里"),
        ],
    )
    def test_other_objects_are_named(self, given: object, why: str) -> None:
        profile, (problem,) = read_profile({"qualifications": given, "employees": 3}, read_fields())
        assert (problem.field, set(profile.facts)) == ("qualifications", {"employees"})
        assert why in problem.message


def test_cuts_are_the_numbers_compared_with() -> None:
    inner = (Criterion("a", Op.GTE, 3, ""), Criterion("b", Op.EQ, True, ""))
    criteria = [Criterion("a", Op.LT, 7.5, ""), Criterion("any_of", Op.OR, inner, "")]
    assert cuts_of(criteria) == {"a": frozenset({3, 7.5})}
