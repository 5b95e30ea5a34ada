"""Who can have a policy, and who would gain or lose by a change."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.conditions import Truth, all_of, truth_of
from knowledge.enterprise_table import EnterpriseTable
from knowledge.policy import Criterion, Op, Policy
from knowledge.profile import Profile, read_profile
from knowledge.reach import Effect, reach, what_if
from knowledge.tally import NOT_KNOWN
from tests.knowledge.samples import policy
from tests.knowledge.tables import CRITERIA, RECORDS, SMALL, write

LOCAL = Criterion("district", Op.EQ, "福田区", "在福田")
LARGE = Criterion("staff", Op.GTE, 20, "二十人以上")
GRANT = policy("TT-001", "本地大企业", criteria=(LOCAL, LARGE))


def row(name: str, staff: int | None, street: str | None, industry: str = "软件") -> dict[str, Any]:
    return {
        "name": name,
        "staff": staff,
        "street": street,
        "industry": industry,
        "district": "福田区",
    }


ROWS = [
    row("甲", 30, "梅林街道"),
    row("乙", 15, "梅林街道", "文化"),
    row("丙", None, "莲花街道"),
    row("丁", 5, None),
    {**row("戊", 15, "莲花街道"), "district": None},
    {**row("己", 15, "莲花街道"), "district": "南山区"},
    {**row("庚", 50, "莲花街道"), "district": None},
]


def table(folder: Path) -> EnterpriseTable:
    return EnterpriseTable(write(folder / "in.jsonl", ROWS), SMALL)


class TestReach:
    def test_counts_in_all_and_by_industry_and_street(self, tmp_path: Path) -> None:
        tally = reach(GRANT, table(tmp_path))
        assert tally.counts == {"eligible": 1, "unknown": 2, "ineligible": 4}
        assert tally.groups["industry"] == {
            "软件": {"eligible": 1, "unknown": 2, "ineligible": 3},
            "文化": {"eligible": 0, "unknown": 0, "ineligible": 1},
        }
        assert tally.groups["street"][NOT_KNOWN] == {"eligible": 0, "unknown": 0, "ineligible": 1}
        assert tally.first["eligible"] == ["甲"]

    def test_the_groups_asked_for_come_largest_first(self, tmp_path: Path) -> None:
        tally = reach(GRANT, table(tmp_path))
        assert [name for name, _ in tally.by("street", ("unknown",))] == ["莲花街道"]

    def test_the_enterprises_are_listed(self, tmp_path: Path) -> None:
        reach(GRANT, table(tmp_path), tmp_path / "out.csv")
        with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        assert rows == [
            ["enterprise", "name", "verdict", "industry", "street"],
            ["甲", "甲", "eligible", "软件", "梅林街道"],
            ["丙", "丙", "unknown", "软件", "莲花街道"],
            ["庚", "庚", "unknown", "软件", "莲花街道"],
        ]


def effect(folder: Path, need: int) -> Effect:
    changed = replace(GRANT, criteria=(LOCAL, replace(LARGE, value=need)))
    return what_if(GRANT, changed, table(folder))


class TestWhatIf:
    def test_a_lower_threshold(self, tmp_path: Path) -> None:
        found = effect(tmp_path, 10)
        assert (found.before["eligible"], found.after["eligible"]) == (1, 2)
        assert found.tally.counts == {
            "gained": 1,  # 乙
            "lost": 0,
            "unknown": 2,  # 丙, whose staff is not known; 戊 might be in now
            "ruled_out": 0,
            "same": 4,  # 庚: unknown, but its staff is enough before and after
        }
        assert found.tally.first["gained"] == ["乙"]
        assert found.tally.groups["industry"]["文化"]["gained"] == 1

    def test_a_higher_threshold(self, tmp_path: Path) -> None:
        counts = effect(tmp_path, 100).tally.counts
        assert counts == {"gained": 0, "lost": 1, "unknown": 1, "ruled_out": 1, "same": 4}

    def test_no_change_touches_nobody_whose_facts_are_known(self, tmp_path: Path) -> None:
        assert what_if(GRANT, GRANT, table(tmp_path)).tally.counts["same"] == 7


@settings(max_examples=60)
@given(
    records=st.lists(RECORDS, min_size=1, max_size=12),
    before=st.lists(CRITERIA, max_size=3),
    after=st.lists(CRITERIA, max_size=3),
)
def test_effects_are_those_of_the_verdicts(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[Mapping[str, Any]],
    before: list[Criterion],
    after: list[Criterion],
) -> None:
    old, new = (policy("TT-001", "合成", criteria=tuple(some)) for some in (before, after))
    rows = [{**record, "tax": 1} for record in records]
    file = write(tmp_path_factory.mktemp("effects") / "in.jsonl", rows)
    counts = what_if(old, new, EnterpriseTable(file, SMALL)).tally.counts
    pairs = [
        (_truth(old, each), _truth(new, each)) for each in (read_profile(r, SMALL)[0] for r in rows)
    ]
    assert counts["gained"] == sum(b is Truth.MET and a is not Truth.MET for a, b in pairs)
    assert counts["lost"] == sum(a is Truth.MET and b is not Truth.MET for a, b in pairs)
    assert counts["ruled_out"] == sum((a, b) == (Truth.UNKNOWN, Truth.FAILED) for a, b in pairs)
    assert sum(counts.values()) == len(rows)


def _truth(item: Policy, profile: Profile) -> Truth:
    return all_of(truth_of(criterion, profile) for criterion in item.criteria)
