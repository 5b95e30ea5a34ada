"""``qifu enterprises``: what a person sees when importing and looking up, and the JSON of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from knowledge.errors import KnowledgeError
from service.enterprise_commands import enterprises_app
from service.errors import ServiceError
from tests.knowledge.roster.companies import code_of, name_of

Qifu = Callable[..., Result]


@pytest.fixture
def qifu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Qifu:
    """Runs a command with its own data folder; what a user would see as one line is raised here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QIFU_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("QIFU_AS_OF", "2026-11-20")

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(enterprises_app, list(arguments))
        if isinstance(result.exception, KnowledgeError | ServiceError):
            raise result.exception
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return run


def roster(*lines: str) -> str:
    Path("名录.csv").write_text("\n".join(["名,代码,营收（万元）,人数,备注", *lines]), "utf-8-sig")
    return "名录.csv"


MAP = ("--map", "名=企业名称", "--map", "代码=credit_code")
GOOD = f"{name_of(1)},{code_of(1)},3200,86,x"


def test_import_tells_what_was_done_and_what_was_not_used(qifu: Qifu) -> None:
    result = qifu("import", roster(GOOD), *MAP)
    assert result.exit_code == 0
    assert "没有用上的列：备注" in result.stdout
    assert "名录.csv：新增 1 家，更新 0 家，2 项数据；0 行没有导入" in result.stdout
    shown = qifu("show", name_of(1)).stdout
    assert shown.startswith(f"{name_of(1)}  {code_of(1)}\n")
    assert "上年度营业收入：3200万元（登记，2026-11-20）" in shown
    assert "职工人数：86人" in shown


def test_wrong_rows_are_listed_and_the_rest_is_kept(qifu: Qifu) -> None:
    result = qifu("import", roster(GOOD, f"{name_of(2)},123,1,1,"), *MAP)
    assert result.exit_code == 2
    assert "名录.csv：第3行：“代码”列：123：统一社会信用代码应为18位" in result.stderr
    assert "1 行没有导入" in result.stdout
    assert qifu("show", code_of(1)).exit_code == 0


def test_dry_run_writes_nothing(qifu: Qifu) -> None:
    result = qifu("import", roster(GOOD), *MAP, "--dry-run")
    assert "将新增 1 家" in result.stdout and "没有写入" in result.stdout
    with pytest.raises(ServiceError, match="名录里没有"):
        qifu("show", code_of(1))


def test_json_is_one_document(qifu: Qifu) -> None:
    report = json.loads(qifu("import", roster(GOOD, "甲,1,1,x,"), *MAP, "--json").stdout)
    assert (report["ok"], report["written"], report["added"], report["left_out"]) == (
        False, True, 1, 1,
    )  # fmt: skip
    assert report["unmapped"] == [{"column": "备注", "near": None}]
    assert report["problems"][0]["row"] == 3
    shown = json.loads(qifu("show", code_of(1), "--json").stdout)
    assert shown["facts"]["employees"] == {
        "value": 86, "source": "registry", "day": "2026-11-20", "complete": True, "lacks": [],
        "approximate": False,
    }  # fmt: skip


def test_near_names_are_offered(qifu: Qifu) -> None:
    qifu("import", roster(GOOD), *MAP)
    with pytest.raises(ServiceError, match=f"最接近的是：{name_of(1)}"):
        qifu("show", "试验000001")
    with pytest.raises(ServiceError, match="也没有名称相近的企业"):
        qifu("show", "完全不相干")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--map", "名"), "列名=字段"),
        (("--map", "名=统一社会信用代玛"), "是不是“统一社会信用代码”"),
        ((*MAP, "--source", "said"), "只能是 registry 或 profile"),
    ],
)
def test_wrong_options_are_named(qifu: Qifu, arguments: tuple[str, ...], why: str) -> None:
    with pytest.raises((KnowledgeError, ServiceError), match=why):
        qifu("import", roster(GOOD), *arguments)


def test_speaker_is_bound_by_name_and_let_go_again(qifu: Qifu) -> None:
    qifu("import", roster(GOOD), *MAP)
    told = qifu("bind", name_of(1), "--session", "web-1").stdout
    assert told == f"web-1：已绑定到{name_of(1)}（{code_of(1)}）\n"
    assert qifu("bind", code_of(1), "--session", "web-1", "--undo").stdout == "web-1：已解除绑定\n"
    assert "没有绑定" in qifu("bind", code_of(1), "--session", "web-1", "--undo").stdout


def test_binding_says_what_is_missing(qifu: Qifu) -> None:
    qifu("import", roster(GOOD), *MAP)
    with pytest.raises(ServiceError, match="--session"):
        qifu("bind", name_of(1))
    with pytest.raises(ServiceError, match="没有"):
        qifu("bind", "没有这家公司", "--ask-session", "我")
