"""Spark finds what one machine finds; skipped where Java or pyspark is missing."""

from __future__ import annotations

import builtins
import importlib.util
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from knowledge.enterprise_table import EnterpriseTable
from knowledge.errors import EngineMissing, TableError
from knowledge.policy import Criterion, Op
from knowledge.spark_sweep import sweep_on_spark
from tests.knowledge.samples import policy
from tests.knowledge.tables import SMALL, write
from tests.knowledge.test_sweep import DAY, PAIRS, POLICIES, ROWS, swept

MISSING = [name for name in ("pyspark", "pandas") if importlib.util.find_spec(name) is None]
needs_spark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="no Java on this machine")


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """One local session for all tests; a start takes seconds."""
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    here = os.pathsep.join([str(Path(__file__).resolve().parents[2]), *filter(None, sys.path)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Spark's own
        session = (
            SparkSession.builder.master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.executorEnv.PYTHONPATH", here)
            .config("spark.ui.showConsoleProgress", "false")
            .getOrCreate()
        )
    yield session
    session.stop()


@needs_spark
@needs_java
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("spark")
class TestOnSpark:
    @pytest.mark.parametrize("kind", ["parquet", "jsonl"])
    def test_the_same_pairs_and_the_same_report(self, tmp_path: Path, kind: str) -> None:
        table = EnterpriseTable(write(tmp_path / f"in.{kind}", ROWS), SMALL)
        report = sweep_on_spark(POLICIES, table, tmp_path / "out.parquet", DAY)
        rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
        found = [(row["enterprise"], row["policy_id"], row["verdict"]) for row in rows]
        assert (set(found), len(found)) == (PAIRS, len(PAIRS))
        assert {row["status"] for row in rows if row["policy_id"] == "TT-001"} == {"expired"}
        (tmp_path / "local").mkdir()
        local = swept(tmp_path / "local")
        assert (report.enterprises, report.pairs, report.conditions) == (
            local.enterprises,
            local.pairs,
            local.conditions,
        )

    def test_what_was_not_used_comes_back(self, tmp_path: Path) -> None:
        rows = [
            {"name": "甲", "staff": -5, "colour": "x"},
            {"name": "乙", "staff": 5, "colour": "y"},
        ]
        table = EnterpriseTable(write(tmp_path / "in.parquet", rows), SMALL)
        problems = sweep_on_spark(POLICIES, table, tmp_path / "out", DAY).problems
        assert problems.shown == ["甲 staff：-5人 太小，不应低于 0人"]
        assert (problems.count, list(problems.columns)) == (1, ["colour"])

    def test_what_goes_wrong_in_a_worker_is_said_in_a_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        table = EnterpriseTable(write(tmp_path / "in.parquet", ROWS), SMALL)
        wrong = policy("TT-009", "合成", criteria=(Criterion("staff", Op.GTE, "many", ""),))
        with pytest.raises(TableError, match=r"in\.parquet：Spark 没有做完：TypeError: ") as error:
            sweep_on_spark([wrong], table, tmp_path / "out", DAY)
        assert "\n" not in str(error.value)
        assert not (tmp_path / "out").exists()

    def test_spark_reads_what_one_machine_writes(self, tmp_path: Path, spark: Any) -> None:
        swept(tmp_path)
        frame = spark.read.parquet(str(tmp_path / "out.parquet"))
        found = {(row.enterprise, row.policy_id, row.verdict) for row in frame.collect()}
        assert found == PAIRS

    def test_an_earlier_result_is_replaced_and_nothing_else(self, tmp_path: Path) -> None:
        table = EnterpriseTable(write(tmp_path / "in.parquet", ROWS), SMALL)
        for _ in range(2):
            sweep_on_spark(POLICIES, table, tmp_path / "out", DAY)
        assert pq.read_table(tmp_path / "out").num_rows == len(PAIRS)
        (tmp_path / "mine").mkdir()
        with pytest.raises(TableError, match="不是 Spark 以前写的结果"):
            sweep_on_spark(POLICIES, table, tmp_path / "mine", DAY)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "mine", "out"]


def test_without_pyspark_the_way_to_get_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] in ("pyspark", "pandas"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    table = EnterpriseTable(write(tmp_path / "in.jsonl", ROWS), SMALL)
    with pytest.raises(EngineMissing, match=r"pip install 'qifu\[spark\]'"):
        sweep_on_spark(POLICIES, table, tmp_path / "out", DAY)
    assert not (tmp_path / "out").exists()
