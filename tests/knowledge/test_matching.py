"""Matching: the verdict decides, similarity only orders within it, dates stand beside it."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.catalogue import Catalogue
from knowledge.conditions import Truth
from knowledge.matching import Matcher
from knowledge.policy import Policy, Status
from knowledge.profile import Known, Profile, Source
from knowledge.timing import DateState
from knowledge.verdicts import VERDICTS, Verdict
from tests.knowledge.match_samples import (
    FIELDS,
    catalogue_of,
    either,
    knows,
    need,
    profiles,
    profiles_of,
)
from tests.knowledge.samples import policy

TODAY = date(2026, 11, 24)
LOCAL = need("place", "eq", "福田区", "注册地在福田区")
TEN = need("staff", "gte", 10, "员工不少于10人")
LISTED = need("listed", "eq", True)


def item(policy_id: str, *criteria: Any, **values: Any) -> Policy:
    return policy(policy_id, f"{policy_id}奖励", criteria=criteria or (LOCAL,), **values)


def matcher_of(*policies: Policy) -> Matcher:
    return Matcher(catalogue_of(*policies), FIELDS)


def ids(found: list[Any]) -> list[str]:
    return [each.policy.id for each in found]


TOWN = (
    item("TT-001", LOCAL, amount_max_cny=100_000),
    item("TT-002", LOCAL, amount_max_cny=900_000, status=Status.EXPIRED),
    item("TT-003", LOCAL, TEN, amount_max_cny=500_000),
    item("TT-004", need("place", "eq", "南山区"), amount_max_cny=9_000_000),
    item("TT-005", LOCAL, amount_max_cny=100_000, window="申报期为2026-11-01至2026-12-01"),
    item("TT-006", LOCAL, amount_max_cny=900_000, window="申报期为2026-03-01至2026-04-01"),
    item("TT-007", LOCAL),
)


def test_order_is_verdict_then_what_can_be_applied_for_then_amount_then_last_day() -> None:
    found = matcher_of(*TOWN).match(knows(place="福田区"), TODAY)
    assert ids(found) == ["TT-005", "TT-001", "TT-007", "TT-006", "TT-002", "TT-003", "TT-004"]
    assert [each.verdict for each in found] == [Verdict.ELIGIBLE] * 5 + [
        Verdict.UNKNOWN,
        Verdict.INELIGIBLE,
    ]


def test_similarity_orders_within_a_verdict_and_the_unnamed_come_last() -> None:
    near = {"TT-004": 1.0, "TT-002": 0.99, "TT-007": 0.9, "TT-001": 0.2, "nowhere": 1.0}
    found = matcher_of(*TOWN).match(knows(place="福田区"), TODAY, near)
    assert ids(found) == ["TT-007", "TT-001", "TT-005", "TT-006", "TT-002", "TT-003", "TT-004"]
    assert [each.score for each in found] == [0.9, 0.2, None, None, 0.99, None, 1.0]


def test_without_a_need_the_undecided_come_by_what_the_facts_speak_for() -> None:
    matcher = matcher_of(
        item("TT-001", LISTED, amount_max_cny=9_000_000),
        item("TT-002", LOCAL, TEN, LISTED, amount_max_cny=800_000),
        item("TT-003", LOCAL, LISTED, amount_max_cny=100_000),
        item("TT-004", LOCAL, TEN, amount_max_cny=200_000),
    )
    facts = knows(place="福田区")
    assert ids(matcher.match(facts, TODAY)) == ["TT-004", "TT-003", "TT-002", "TT-001"]
    assert ids(matcher.match(facts, TODAY, {})) == ["TT-001", "TT-002", "TT-004", "TT-003"]


@given(
    profiles,
    st.dictionaries(st.sampled_from([p.id for p in TOWN]), st.floats(allow_nan=False), max_size=7)
    | st.none(),
    st.integers(0, 8),
)
def test_similarity_never_lifts_an_item_over_a_better_verdict(
    profile: Profile, similarity: dict[str, float] | None, top: int
) -> None:
    matcher = matcher_of(*TOWN)
    found = matcher.match(profile, TODAY, similarity, top)
    ranks = [VERDICTS.index(each.verdict) for each in found]
    assert ranks == sorted(ranks)
    assert len(found) == min(top, len(TOWN))
    best = sorted(VERDICTS.index(v) for v in matcher.verdicts(profile).values())
    assert ranks == best[:top]
    for one, two in pairwise(found):
        if one.verdict is two.verdict:
            assert one.timing.can_be_offered or not two.timing.can_be_offered


@given(st.data())
def test_shown_verdicts_are_those_of_the_table(catalogue: Catalogue, data: st.DataObject) -> None:
    matcher = Matcher(catalogue)
    profile = data.draw(profiles_of(catalogue))
    day = data.draw(st.dates(date(2018, 1, 1), date(2030, 1, 1)))
    verdicts = matcher.verdicts(profile)
    for each in matcher.match(profile, day):
        assert each.verdict is verdicts[each.policy.id]
        assert each.clause_id in catalogue.clauses
    assert matcher.verdicts(profile) == verdicts


def test_ten_results_by_default() -> None:
    matcher = matcher_of(*(item(f"TT-{n:03}") for n in range(30)))
    assert ids(matcher.match(Profile(), TODAY)) == [f"TT-{n:03}" for n in range(10)]
    assert len(matcher.match(Profile(), TODAY, top=30)) == 30


def test_day_changes_the_date_state_and_never_the_verdict() -> None:
    matcher = matcher_of(item("TT-001", LOCAL, window="申报期为2026-03-01至2026-04-01"))
    seen = {
        matcher.explain("TT-001", knows(place="福田区"), date(2026, month, 15)).timing.state
        for month in (1, 3, 6)
    }
    assert seen == {DateState.UPCOMING, DateState.CLOSING_SOON, DateState.CLOSED}
    verdict = matcher.explain("TT-001", knows(place="福田区"), date(2026, 6, 15)).verdict
    assert verdict is Verdict.ELIGIBLE


def test_condition_tells_value_source_day_need_gap_and_clause() -> None:
    facts = {"staff": Known(8, Source.SAID, date(2026, 11, 20))}
    found = matcher_of(*TOWN).explain("TT-003", Profile(facts), TODAY)
    place, staff = found.criteria
    assert (place.truth, place.known) == (Truth.UNKNOWN, None)
    assert staff.known == Known(8, Source.SAID, date(2026, 11, 20))
    assert (staff.need, staff.gap and staff.gap.text) == ("职工人数不低于10人", "差2人")
    assert found.clause_id == "TT-003#conditions"
    assert found.verdict is Verdict.INELIGIBLE
    assert found.with_truth(Truth.FAILED) == (staff,)


def test_unknown_item_cannot_be_explained() -> None:
    with pytest.raises(KeyError):
        matcher_of(*TOWN).explain("TT-999", Profile(), TODAY)


def test_items_without_conditions_and_rules_on_applying_are_no_match() -> None:
    matcher = matcher_of(
        policy("TT-001", "没有条件"),
        item("TT-002", benefit_type="通用规定"),
        item("TT-003"),
    )
    assert ids(matcher.match(knows(place="福田区"), TODAY)) == ["TT-003"]
    assert [p.id for p in matcher.eligible(knows(place="福田区"), TODAY)] == ["TT-003"]
    assert matcher.verdicts(knows(place="福田区"))["TT-002"] is Verdict.ELIGIBLE


def test_eligible_are_those_that_can_be_applied_for() -> None:
    found = matcher_of(*TOWN).eligible(knows(place="福田区", staff=10), TODAY)
    assert [p.id for p in found] == ["TT-001", "TT-003", "TT-005", "TT-007"]


class TestNearMisses:
    def test_one_failed_condition_with_its_gap(self) -> None:
        (near,) = matcher_of(item("TT-001", LOCAL, TEN)).near_misses(
            knows(place="福田区", staff=7), TODAY
        )
        (missing,) = near.with_truth(Truth.FAILED)
        assert missing.gap is not None
        assert missing.gap.text == "差3人"

    @pytest.mark.parametrize(
        ("criteria", "facts"),
        [
            ((LOCAL, TEN), {"place": "南山区", "staff": 7}),
            ((LOCAL, TEN), {"place": "福田区", "staff": 10}),
            ((LOCAL, TEN), {"staff": 7}),
            ((LOCAL,), {"place": "南山区"}),
            ((LOCAL, TEN), {}),
        ],
    )
    def test_two_failed_none_failed_or_none_met_is_no_near_miss(
        self, criteria: Any, facts: dict[str, Any]
    ) -> None:
        assert matcher_of(item("TT-001", *criteria)).near_misses(knows(**facts), TODAY) == []

    def test_alternative_fails_as_one_condition(self) -> None:
        matcher = matcher_of(item("TT-001", LOCAL, either(TEN, LISTED)))
        facts = knows(place="福田区", staff=7, listed=False)
        assert ids(matcher.near_misses(facts, TODAY)) == ["TT-001"]

    def test_expired_is_left_out_and_closed_stays(self) -> None:
        matcher = matcher_of(
            item("TT-001", LOCAL, TEN, status=Status.EXPIRED),
            item("TT-002", LOCAL, TEN, window="申报期为2026-03-01至2026-04-01"),
        )
        (near,) = matcher.near_misses(knows(place="福田区", staff=7), TODAY)
        assert (near.policy.id, near.timing.state) == ("TT-002", DateState.CLOSED)

    def test_fewest_unknown_first_then_measurable_then_dearest(self) -> None:
        matcher = matcher_of(
            item("TT-001", LOCAL, TEN, LISTED, amount_max_cny=9_000_000),
            item("TT-002", LOCAL, need("titles", "includes_any", ["国高"]), amount_max_cny=800_000),
            item("TT-003", LOCAL, TEN, amount_max_cny=100_000),
            item("TT-004", LOCAL, TEN, amount_max_cny=200_000),
        )
        facts = knows(place="福田区", staff=7, titles=())
        assert ids(matcher.near_misses(facts, TODAY)) == ["TT-004", "TT-003", "TT-002", "TT-001"]
        assert len(matcher.near_misses(facts, TODAY, top=2)) == 2


def test_empty_catalogue() -> None:
    matcher = matcher_of()
    assert matcher.match(Profile(), TODAY) == []
    assert matcher.near_misses(Profile(), TODAY) == []
    assert matcher.eligible(Profile(), TODAY) == []
    assert matcher.verdicts(Profile()) == {}
