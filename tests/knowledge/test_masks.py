"""Bit masks say what the logic one by one says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.catalogue import read_catalogue
from knowledge.conditions import Truth, all_of, truth_of
from knowledge.enterprise_table import Intake, Slice
from knowledge.fields import Fields, read_fields
from knowledge.masks import Masks, Plan, count_of
from knowledge.policy import Criterion, Op, Policy
from knowledge.profile import read_profile
from knowledge.table_files import Piece
from knowledge.verdicts import Verdict
from tests import synthetic
from tests.knowledge.samples import policy
from tests.knowledge.tables import CRITERIA, RECORDS, SMALL

VERDICTS = {Truth.MET: 0, Truth.UNKNOWN: 1, Truth.FAILED: 2}


def slice_of(records: list[Mapping[str, Any]], fields: Fields = SMALL) -> Slice:
    """The records as a jsonl file would give them."""
    cells = {
        key: [record.get(key) for record in records] for key in {k: 0 for r in records for k in r}
    }
    return Intake(fields).slice(Piece(len(records), cells, range(1, len(records) + 1)))


def by_masks(policies: list[Policy], found: Slice) -> list[list[int]]:
    plan = Plan.of(policies)
    masks = Masks(plan, found.columns, len(found))
    return [masks.verdicts(number).tolist() for number in range(len(plan.policies))]


def one_by_one(
    policies: list[Policy], records: list[Mapping[str, Any]], fields: Fields = SMALL
) -> list[list[int]]:
    profiles = [read_profile(record, fields)[0] for record in records]
    ordered = sorted(policies, key=lambda each: each.id)
    return [
        [VERDICTS[all_of(truth_of(c, profile) for c in each.criteria)] for profile in profiles]
        for each in ordered
    ]


def policies_of(conditions: list[list[Criterion]]) -> list[Policy]:
    return [
        policy(f"TT-{number:03d}", "合成政策", criteria=tuple(criteria))
        for number, criteria in enumerate(conditions)
    ]


# 250 × 40 profiles = 10,000, each against up to 8 items.
@settings(
    max_examples=250, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(
    records=st.lists(RECORDS, min_size=40, max_size=40),
    conditions=st.lists(st.lists(CRITERIA, max_size=5), min_size=1, max_size=8),
)
def test_masks_and_one_by_one_agree_on_anything(
    records: list[Mapping[str, Any]], conditions: list[list[Criterion]]
) -> None:
    policies = policies_of(conditions)
    assert by_masks(policies, slice_of(records)) == one_by_one(policies, records)


def test_masks_and_one_by_one_agree_on_the_catalogue() -> None:
    """10,000 synthetic enterprises against each of the 149 real items, and a sample against synthetic items."""
    fields, real = read_fields(), list(read_catalogue().policies.values())
    (batch,) = synthetic.enterprises(10_000, seed=7)
    records = batch.drop_columns(["synthetic"]).to_pylist()
    cells = dict(zip(batch.schema.names, batch.columns, strict=True))
    found = Intake(fields).slice(Piece(batch.num_rows, cells, range(1, batch.num_rows + 1)))
    assert by_masks(real, found) == one_by_one(real, records, fields)
    made = synthetic.items(400, seed=3)
    assert [row[:500] for row in by_masks(made, found)] == one_by_one(made, records[:500], fields)


class TestPlan:
    def test_a_condition_that_says_the_same_is_held_once(self) -> None:
        staff = Criterion("staff", Op.GTE, 10, "十人以上")
        same = Criterion("staff", Op.GTE, 10.0, "不少于十人")
        either = Criterion("any_of", Op.OR, (staff, Criterion("exported", Op.EQ, True, "")), "")
        turned = Criterion("any_of", Op.OR, tuple(reversed(either.value)), "")  # type: ignore[arg-type]
        plan = Plan.of(policies_of([[staff], [same, either], [turned]]))
        assert (len(plan.conditions), len(plan.alternatives)) == (2, 1)

    def test_policies_stand_in_the_order_of_their_ids(self) -> None:
        plan = Plan.of([policy("TT-002", "b"), policy("TT-001", "a")])
        assert [each.id for each in plan.policies] == ["TT-001", "TT-002"]


class TestMasks:
    @pytest.mark.parametrize("count", [1, 7, 8, 9, 63, 64, 65, 200])
    def test_nobody_beyond_the_last_enterprise_is_counted(self, count: int) -> None:
        plan = Plan.of(policies_of([[], [Criterion("tax", Op.GT, 1, "")]]))
        masks = Masks(plan, {}, count)
        assert masks.counts(0) == {
            Verdict.ELIGIBLE: count,
            Verdict.UNKNOWN: 0,
            Verdict.INELIGIBLE: 0,
        }
        assert masks.counts(1) == {
            Verdict.ELIGIBLE: 0,
            Verdict.UNKNOWN: count,
            Verdict.INELIGIBLE: 0,
        }
        assert masks.rows(masks.item(0)[0]).tolist() == list(range(count))

    def test_an_empty_alternative_fails(self) -> None:
        found = slice_of([{"staff": 1}, {}])
        (verdicts,) = by_masks(policies_of([[Criterion("any_of", Op.OR, (), "")]]), found)
        assert verdicts == [2, 2]

    def test_counting_bits(self) -> None:
        assert count_of(np.packbits(np.ones(64, bool))) == 64
