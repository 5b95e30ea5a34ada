"""``qifu match`` and ``qifu eval match`` from file to words and JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from knowledge.catalogue import DATA
from knowledge.errors import LabelError
from service import match_commands
from service.cli import app
from service.errors import InvalidInput


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIFU_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("QIFU_AS_OF", raising=False)


def profile(folder: Path, content: object) -> Path:
    path = folder / "profile.json"
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    return path


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)


def matched(folder: Path, content: object, *more: str) -> dict[str, Any]:
    path = profile(folder, content)
    result = call("match", "--profile", path, "--as-of", "2026-11-24", "--json", *more)
    assert result.exit_code == 0
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_json_is_one_document(tmp_path: Path) -> None:
    facts = {"registered_district": "福田区", "employees": 30, "emploees": 1}
    document = matched(tmp_path, facts, "--top", "3")
    assert len(document["matches"]) == 3
    assert document["matches"][0]["policy_id"] == "CN-010"
    assert document["matches"][0]["verdict"] == "eligible"
    assert [problem["field"] for problem in document["problems"]] == ["emploees"]


def test_words_tell_verdict_conditions_and_the_next_question(tmp_path: Path) -> None:
    facts = {"employees": 31, "taxable_income_cny": 1_000_000, "assets_total_cny": 60_000_000}
    result = call("match", "--profile", profile(tmp_path, facts), "--as-of", "2026-11-24")
    assert result.exit_code == 0
    assert "待确认" in result.stdout
    assert "? " in result.stdout and "贵公司：未提供" in result.stdout
    assert "只差一个条件的：" in result.stdout
    assert "职工人数不超过300人" not in result.stdout.split("只差一个条件的：")[1]
    assert "超出1000万元" in result.stdout
    assert result.stdout.rstrip().endswith("？")


def test_problem_goes_to_stderr_and_the_rest_is_used(tmp_path: Path) -> None:
    result = call("match", "--profile", profile(tmp_path, {"employees": -3, "is_sme": True}))
    assert result.exit_code == 0
    assert "employees：职工人数：-3人 太小" in result.stderr
    assert "太小" not in result.stdout


def test_need_is_asked_of_the_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    real = match_commands._prepare

    def prepare(settings: Any, need: str, day: Any) -> Any:
        asked.append((need, day.isoformat()))
        matcher, _ = real(settings, "", day)
        return matcher, {"SZ-057": 0.9}

    monkeypatch.setattr(match_commands, "_prepare", prepare)
    document = matched(tmp_path, {}, "--need", " 想去境外参展 ")
    assert asked == [("想去境外参展", "2026-11-24")]
    assert document["matches"][0]["policy_id"] == "SZ-057"
    assert document["matches"][0]["score"] == 0.9


@pytest.mark.parametrize("content", ["", "{", "[1]", "3", "[" * 100_000])
def test_file_that_is_no_object_is_named(tmp_path: Path, content: str) -> None:
    with pytest.raises(InvalidInput, match=r"profile\.json"):
        call("match", "--profile", profile(tmp_path, content))


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.json"):
        call("match", "--profile", tmp_path / "none.json")


def test_eval_match_reports_accuracy_confusion_and_failures() -> None:
    report = json.loads(call("eval", "match", DATA / "match" / "dev.jsonl", "--json").stdout)
    assert set(report["accuracy"]) == {"value", "low", "high", "n"}
    assert report["accuracy"]["value"] == 1.0
    assert set(report["confusion"]) == {"eligible", "ineligible", "unknown"}
    assert report["failures"] == []
    told = call("eval", "match", DATA / "match" / "dev.jsonl").stdout
    assert told.startswith("判定正确 1.0000")


def test_eval_match_names_a_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('{"id": "a"}\n', "utf-8")
    with pytest.raises(LabelError, match=r"labels\.jsonl:1: profile"):
        call("eval", "match", path)
