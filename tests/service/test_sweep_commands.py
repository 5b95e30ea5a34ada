"""``qifu sweep``, ``qifu reach`` and ``qifu whatif`` as people type them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from knowledge.catalogue import Catalogue
from knowledge.documents.export import write_catalogue
from knowledge.errors import KnowledgeError
from knowledge.policy import Criterion, Op, Status
from service.cli import app
from tests.knowledge.samples import policy

LOCAL = Criterion("registered_district", Op.EQ, "福田区", "在福田")
LARGE = Criterion("annual_revenue_cny", Op.GTE, 20_000_000, "营收两千万以上")
POLICIES = (
    policy("TT-001", "本地大企业奖励", criteria=(LOCAL, LARGE)),
    policy("TT-002", "老政策", criteria=(LOCAL,), status=Status.EXPIRED),
)
CSV = """企业名称,信用代码,上年度营业收入,registered_district,industry,street
甲公司,C1,3200万,福田区,软件,梅林街道
乙公司,C2,1500万,福田区,文化,莲花街道
丙公司,C3,很多,福田区,软件,
"""


@pytest.fixture
def qifu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command in an installation of two policies, beside ``in.csv``."""
    write_catalogue(Catalogue(POLICIES), tmp_path / "catalogue.jsonl")
    (tmp_path / "in.csv").write_text(CSV, encoding="utf-8")
    monkeypatch.setenv("QIFU_CATALOGUE", str(tmp_path / "catalogue.jsonl"))
    monkeypatch.setenv("QIFU_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, [*words, "--enterprises", "in.csv"])


def document(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


class TestSweep:
    def test_writes_the_pairs_and_tells_what_was_not_used(
        self, qifu: Callable[..., Result], tmp_path: Path
    ) -> None:
        result = qifu("sweep", "--out", "out.parquet")
        assert result.exit_code == 0
        assert "3 家企业 × 2 项政策，2 个不同的条件" in result.stdout
        assert "符合 4  还不能确定 1  不符合 1" in result.stdout
        assert "in.csv 第 4 行 上年度营业收入：应为数字，写的是 '很多'" in result.stderr
        assert "没有“信用代码”这个字段，是不是 credit_code" in result.stderr
        assert pq.read_table(tmp_path / "out.parquet").num_rows == 5

    def test_in_force_leaves_out_what_is_over(self, qifu: Callable[..., Result]) -> None:
        found = document(qifu("sweep", "--out", "o.parquet", "--in-force", "--json"))
        assert (found["policies"], found["pairs"]["eligible"]) == (1, 1)

    def test_one_json_document(self, qifu: Callable[..., Result]) -> None:
        found = document(qifu("sweep", "--out", "o.parquet", "--as-of", "2026-11-01", "--json"))
        assert found.pop("seconds") > 0
        assert found["problems"]["by_column"] == {"上年度营业收入": 1}
        assert (found["as_of"], found["engine"], found["synthetic"]) == (
            "2026-11-01",
            "local",
            False,
        )

    def test_why_explains_one_pair(self, qifu: Callable[..., Result]) -> None:
        said = qifu("sweep", "--why", "乙公司", "TT-001").stdout
        assert "乙公司 对 TT-001《本地大企业奖励》（现行有效）：不符合" in said
        assert "✗ 上年度营业收入不低于2000万元：现为 1500万元，差500万元" in said
        found = document(qifu("sweep", "--why", "丙公司", "TT-001", "--json"))
        assert (found["verdict"], [each["verdict"] for each in found["criteria"]]) == (
            "unknown",
            ["met", "unknown"],
        )

    def test_without_out_nothing_starts(self, qifu: Callable[..., Result]) -> None:
        result = qifu("sweep")
        assert result.exit_code == 2
        assert "--out" in result.output


class TestReach:
    def test_counts_and_examples(self, qifu: Callable[..., Result]) -> None:
        said = qifu("reach", "TT-001").stdout
        assert "符合 1  还不能确定 1  不符合 1" in said
        assert "  软件：符合 1  还不能确定 1" in said
        assert "符合的例如：甲公司" in said

    def test_one_json_document(self, qifu: Callable[..., Result]) -> None:
        found = document(qifu("reach", "TT-001", "--json"))
        assert found["by_street"]["未知"] == {"eligible": 0, "unknown": 1, "ineligible": 0}

    def test_an_unknown_policy_is_named(self, qifu: Callable[..., Result]) -> None:
        result = qifu("reach", "TT-404")
        assert "TT-404" in str(result.exception)


class TestWhatIf:
    def test_a_field_by_its_chinese_name(self, qifu: Callable[..., Result]) -> None:
        said = qifu("whatif", "TT-001", "上年度营业收入", "1000万").stdout
        assert "上年度营业收入不低于2000万元 → 上年度营业收入不低于1000万元" in said
        assert "新符合 1  不再符合 0  缺资料，不能确定 1" in said
        assert "新符合的例如：乙公司" in said

    def test_one_json_document(self, qifu: Callable[..., Result]) -> None:
        found = document(qifu("whatif", "TT-001", "annual_revenue_cny", "5000万", "--json"))
        assert found["changes"] == [{"op": "gte", "before": 20_000_000, "after": 50_000_000}]
        assert (found["counts"]["lost"], found["first"]["lost"]) == (1, ["甲公司"])

    def test_the_catalogue_stays_as_it_is(
        self, qifu: Callable[..., Result], tmp_path: Path
    ) -> None:
        before = (tmp_path / "catalogue.jsonl").read_bytes()
        qifu("whatif", "TT-001", "annual_revenue_cny", "1")
        assert (tmp_path / "catalogue.jsonl").read_bytes() == before

    def test_a_condition_it_has_not(self, qifu: Callable[..., Result]) -> None:
        result = qifu("whatif", "TT-001", "employees", "5")
        assert isinstance(result.exception, KnowledgeError)
