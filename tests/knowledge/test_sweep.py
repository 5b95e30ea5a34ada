"""The sweep's file holds every pair that is eligible or unknown, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from knowledge import pairs
from knowledge.conditions import Truth
from knowledge.enterprise_table import EnterpriseTable
from knowledge.errors import TableError
from knowledge.policy import Criterion, Op, Policy, Status
from knowledge.profile import read_profile
from knowledge.sweep import SweepReport, reasons, sweep
from knowledge.verdicts import Verdict
from tests.knowledge.samples import policy
from tests.knowledge.tables import SMALL, write

DAY = date(2026, 11, 1)
ROWS = (
    {"name": "甲", "credit_code": "C1", "staff": 30, "district": "福田区", "held": ["国高"]},
    {"name": "乙", "credit_code": "C2", "staff": 3, "district": "福田"},
    {"name": "丙", "credit_code": "C3", "district": "南山区", "held": []},
    {"name": "丁"},
)
LOCAL = Criterion("district", Op.EQ, "福田区", "在福田")
LARGE = Criterion("staff", Op.GTE, 10, "十人以上")
HIGH = Criterion("held", Op.INCLUDES_ANY, ("国家高新技术企业",), "国高")
POLICIES = (
    policy("TT-003", "都行", criteria=(Criterion("any_of", Op.OR, (LARGE, HIGH), ""),)),
    policy("TT-001", "本地", criteria=(LOCAL,), status=Status.EXPIRED),
    policy("TT-002", "本地大企业", criteria=(LOCAL, LARGE)),
)
PAIRS = {
    ("C1", "TT-001", "eligible"),
    ("C2", "TT-001", "eligible"),
    ("丁", "TT-001", "unknown"),
    ("C1", "TT-002", "eligible"),
    ("丁", "TT-002", "unknown"),
    ("C1", "TT-003", "eligible"),
    ("C2", "TT-003", "unknown"),
    ("C3", "TT-003", "unknown"),
    ("丁", "TT-003", "unknown"),
}


def swept(
    folder: Path, policies: tuple[Policy, ...] = POLICIES, kind: str = "jsonl"
) -> SweepReport:
    table = EnterpriseTable(write(folder / f"in.{kind}", ROWS), SMALL)
    return sweep(policies, table, folder / "out.parquet", DAY)


def pairs_in(file: Path) -> list[tuple[str, str, str]]:
    rows = pq.read_table(file).to_pylist()
    return [(row["enterprise"], row["policy_id"], row["verdict"]) for row in rows]


class TestSweep:
    @pytest.mark.parametrize(("at_once", "runs"), [(1, 99), (3, 99), (99, 1), (99, 3), (99, 99)])
    def test_all_pairs_are_there_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, runs: int
    ) -> None:
        monkeypatch.setattr(pairs, "_AT_ONCE", at_once)
        monkeypatch.setattr(pairs, "_MOST_RUNS", runs)
        report = swept(tmp_path)
        found = pairs_in(tmp_path / "out.parquet")
        assert (set(found), len(found)) == (PAIRS, len(PAIRS))
        assert report.pairs == {
            Verdict.ELIGIBLE: 4,
            Verdict.UNKNOWN: 5,
            Verdict.INELIGIBLE: 3,
        }
        assert (report.enterprises, report.policies, report.conditions) == (4, 3, 4)

    def test_slices_do_not_show(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = EnterpriseTable.slices
        monkeypatch.setattr(EnterpriseTable, "slices", lambda self: whole(self, 1))
        report = swept(tmp_path)
        assert set(pairs_in(tmp_path / "out.parquet")) == PAIRS
        assert report.enterprises == 4

    def test_the_file_says_what_it_is(self, tmp_path: Path) -> None:
        swept(tmp_path)
        found = pq.read_metadata(tmp_path / "out.parquet").metadata
        told = {key.decode(): value.decode() for key, value in found.items()}
        assert told == {
            "as_of": "2026-11-01",
            "enterprises": "4",
            "policies": "3",
            "synthetic": "false",
        }

    def test_each_pair_has_its_policys_status_on_the_day(self, tmp_path: Path) -> None:
        swept(tmp_path)
        rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
        assert {(row["policy_id"], row["status"]) for row in rows} == {
            ("TT-001", "expired"),
            ("TT-002", "current"),
            ("TT-003", "current"),
        }

    def test_one_policy_is_found_without_reading_the_rest(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pairs, "_AT_ONCE", 1)
        swept(tmp_path)
        found = pq.read_metadata(tmp_path / "out.parquet")
        bounds = [found.row_group(n).column(1).statistics for n in range(found.num_row_groups)]
        assert [(each.min, each.max) for each in bounds] == [
            (f"TT-00{n}", f"TT-00{n}") for n in (1, 2, 3)
        ]

    def test_columns_are_plain_text(self, tmp_path: Path) -> None:
        swept(tmp_path)
        schema = pq.read_schema(tmp_path / "out.parquet")
        assert [(field.name, str(field.type)) for field in schema] == [
            ("enterprise", "string"),
            ("policy_id", "string"),
            ("verdict", "string"),
            ("status", "string"),
        ]

    def test_a_policy_without_conditions_is_open_to_all_and_named(self, tmp_path: Path) -> None:
        report = swept(tmp_path, (policy("TT-009", "无条件"),))
        assert report.unconditional == ("TT-009",)
        assert report.pairs[Verdict.ELIGIBLE] == 4

    def test_nothing_matches(self, tmp_path: Path) -> None:
        never = Criterion("any_of", Op.OR, (), "")
        report = swept(tmp_path, (policy("TT-009", "没有", criteria=(never,)),))
        assert pairs_in(tmp_path / "out.parquet") == []
        assert report.pairs[Verdict.INELIGIBLE] == 4

    def test_progress_goes_to_the_end(self, tmp_path: Path) -> None:
        steps: list[tuple[int, int | None]] = []
        table = EnterpriseTable(write(tmp_path / "in.parquet", ROWS), SMALL)
        sweep(POLICIES, table, tmp_path / "o.parquet", DAY, lambda *step: steps.append(step))
        assert steps[-1] == (4, 4)


class TestWhole:
    def test_a_table_that_breaks_off_leaves_the_old_file(self, tmp_path: Path) -> None:
        swept(tmp_path)
        before = (tmp_path / "out.parquet").read_bytes()
        (tmp_path / "bad.jsonl").write_text('{"staff": 1}\n{"staff": \n', encoding="utf-8")
        with pytest.raises(TableError, match=r"bad\.jsonl:2"):
            sweep(
                POLICIES,
                EnterpriseTable(tmp_path / "bad.jsonl", SMALL),
                tmp_path / "out.parquet",
                DAY,
            )
        assert (tmp_path / "out.parquet").read_bytes() == before
        assert not list(tmp_path.glob(".*"))

    def test_one_that_breaks_off_later_leaves_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = EnterpriseTable.slices

        def broken(self: EnterpriseTable) -> Iterator[object]:
            yield from list(whole(self, 2))[:1]
            raise TableError("in.jsonl:3", "坏了")

        monkeypatch.setattr(EnterpriseTable, "slices", broken)
        with pytest.raises(TableError):
            swept(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]

    def test_the_table_itself_is_not_overwritten(self, tmp_path: Path) -> None:
        table = EnterpriseTable(write(tmp_path / "in.parquet", ROWS), SMALL)
        with pytest.raises(TableError, match="就是要读的企业表"):
            sweep(POLICIES, table, tmp_path / "in.parquet", DAY)

    @pytest.mark.parametrize("out", ["folder", "no/where.parquet"])
    def test_where_nothing_can_be_written(self, tmp_path: Path, out: str) -> None:
        (tmp_path / "folder").mkdir()
        table = EnterpriseTable(write(tmp_path / "in.jsonl", ROWS), SMALL)
        with pytest.raises(TableError):
            sweep(POLICIES, table, tmp_path / out, DAY)


def test_reasons_of_one_pair() -> None:
    profile, _ = read_profile(ROWS[1], SMALL)
    verdict, checked = reasons(POLICIES[2], profile, SMALL)
    assert verdict is Verdict.INELIGIBLE
    assert [each.truth for each in checked] == [Truth.MET, Truth.FAILED]
    assert checked[1].gap is not None and checked[1].gap.text == "差7人"
