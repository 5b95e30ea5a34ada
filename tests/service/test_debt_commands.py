"""The commands ``qifu debt`` and ``qifu faq`` on a real database; the evaluation itself is a fake."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from service import trial
from service.cli import app
from service.conversations import operations, turns
from service.conversations.operations import Backlog, Incoming
from service.conversations.turns import Outcome
from service.db import Database
from service.settings import Settings
from tests.service.debt.conftest import MINE, NOW, REFUSAL

SAID = "月球补贴怎么申请"
REASON = "区里没有这样的项目，按实答不知道"


@pytest.fixture
def qifu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("QIFU_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("QIFU_AS_OF", "2026-11-24")
    return CliRunner()


def run(qifu: CliRunner, *args: str, code: int = 0) -> str:
    result = qifu.invoke(app, list(args))
    assert result.exit_code == code, (result.output, result.exception)
    return result.stdout


@pytest.fixture
def owed(qifu: CliRunner, tmp_path: Path) -> Path:
    """A data folder with one refused question."""
    database = Database.open(Settings(_env_file=None, data_dir=tmp_path).database())
    with database.session() as db:
        recorded = operations.record(
            db, Incoming("web-a", "m1", "c1", SAID), MINE, Backlog(9, 9), NOW
        )
        assert recorded.claim is not None
        turns.finish(db, recorded.claim, Outcome([REFUSAL]), MINE, NOW)
    database.close()
    return tmp_path


def test_list_show_close_and_the_question_that_is_left(qifu: CliRunner, owed: Path) -> None:
    listed = json.loads(run(qifu, "debt", "list", "--json"))
    assert [each["question"] for each in listed["debts"]] == [SAID]
    assert SAID in run(qifu, "debt", "list")
    assert json.loads(run(qifu, "debt", "show", "1", "--json"))["messages"][0]["message_id"] == "m1"
    assert "#1 已关闭" in run(qifu, "debt", "close", "1", "--staff", "陈敏", "--reason", REASON)
    assert json.loads(run(qifu, "debt", "list", "--json"))["total"] == 0
    assert (
        json.loads(run(qifu, "debt", "list", "--closed", "--json"))["debts"][0]["closure"] == "none"
    )
    (line,) = (owed / "eval" / "regressions.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["text"] == SAID


def fake_trial(monkeypatch: pytest.MonkeyPatch, failures: list[str]) -> list[Any]:
    asked: list[Any] = []

    def try_answers(trial: Any, name: str | None) -> tuple[Any, dict[str, str]]:
        asked.append([question.id for question in trial.questions])
        report = {"failures": [{"id": each} for each in failures]}
        return SimpleNamespace(report=report, outcomes=trial.questions), {}

    monkeypatch.setattr(trial, "try_answers", try_answers)
    return asked


def test_check_reopens_what_fails(
    qifu: CliRunner, owed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = fake_trial(monkeypatch, ["debt-1"])
    assert json.loads(run(qifu, "debt", "check", "--json"))["asked"] == 0
    run(qifu, "debt", "close", "1", "--staff", "陈敏", "--reason", REASON)
    told = json.loads(run(qifu, "debt", "check", "--json", code=1))
    assert told == {"asked": 1, "failed": ["debt-1"], "reopened": [1]}
    assert asked == [["debt-1"]]
    (debt,) = json.loads(run(qifu, "debt", "list", "--json"))["debts"]
    assert debt["reopened"] == 1


def test_check_leaves_what_passes(
    qifu: CliRunner, owed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_trial(monkeypatch, [])
    run(qifu, "debt", "close", "1", "--staff", "陈敏", "--reason", REASON)
    assert "答坏 0 道" in run(qifu, "debt", "check")
    assert json.loads(run(qifu, "debt", "list", "--json"))["total"] == 0


def test_signed_answer_needs_another_person(qifu: CliRunner, tmp_path: Path) -> None:
    from knowledge.catalogue import read_catalogue
    from knowledge.policy import Status

    catalogue = read_catalogue()
    day = Settings(_env_file=None, data_dir=tmp_path).today()
    policy = next(
        p for p in catalogue.policies.values()
        if p.status_on(day) is Status.CURRENT and p.valid_to is None and f"{p.id}#amount" in catalogue.clauses
    )  # fmt: skip
    clause = f"{policy.id}#amount"
    add = (
        "faq",
        "add",
        "这项奖励多久到账",
        "--text",
        "约三十个工作日。",
        "--clause",
        clause,
        "--until",
        "2027-06-30",
    )
    assert "草稿" in run(qifu, *add, "--staff", "陈敏")
    assert qifu.invoke(app, ["faq", "approve", "1", "--staff", "陈敏"]).exit_code != 0
    assert "已生效" in run(qifu, "faq", "approve", "1", "--staff", "王强")
    (listed,) = json.loads(run(qifu, "faq", "list", "--json"))["answers"]
    assert (listed["state"], listed["approver"]) == ("in_force", "王强")
    assert "暂停" in run(qifu, "faq", "suspend", "1", "--reason", "口径有变")
    assert "口径有变" in run(qifu, "faq", "list")
