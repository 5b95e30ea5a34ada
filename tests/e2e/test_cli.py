"""The command line as a user meets it: answers, JSON, and one clear line with exit code 2."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import ROOT, prepare_data


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_data(tmp_path_factory.mktemp("cli"))


def qifu(*arguments: str, data: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, "QIFU_DATA_DIR": str(data), **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def said_in_one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.strip().splitlines() if line and not line.startswith("·")]
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_ask_remembers_the_named_session(data: Path) -> None:
    first = qifu(
        "ask", "首次认定国家高新技术企业在福田能拿多少钱", "--session", "t", "--json", data=data
    )
    assert first.returncode == 0, first.stderr
    answer = json.loads(first.stdout)["replies"][0]
    assert "10万元" in answer["text"] and answer["citations"]
    second = json.loads(qifu("ask", "那需要什么材料", "--session", "t", "--json", data=data).stdout)
    assert second["replies"][0]["citations"][0]["policy_id"] == answer["citations"][0]["policy_id"]


def test_ask_without_an_answer_files_an_appeal(data: Path) -> None:
    done = qifu("ask", "企业食堂补贴多少钱", "--json", data=data)
    replies = json.loads(done.stdout)["replies"]
    assert [reply["kind"] for reply in replies] == ["refusal", "appeal"]
    assert not any(reply["citations"] for reply in replies)


def test_ask_as_of_a_day_before_the_policy_says_so(data: Path) -> None:
    done = qifu("ask", "福田英才荟集成电路研发人才奖励多少", "--as-of", "2024-01-01", data=data)
    assert "尚未施行" in done.stdout


@pytest.mark.parametrize("text", ["", "   ", "补" * 3000])
def test_ask_refuses_unusable_text(data: Path, text: str) -> None:
    assert said_in_one_line(qifu("ask", text, data=data))


def test_catalogue_check_names_file_line_and_field(data: Path, tmp_path: Path) -> None:
    source = ROOT / "knowledge" / "data" / "catalogue" / "guangdong.jsonl"
    lines = source.read_text(encoding="utf-8").splitlines()
    record = json.loads(lines[1])
    record["criteria"][0]["field"] = "registered_provinse"
    broken = tmp_path / "broken.jsonl"
    broken.write_text(
        "\n".join([lines[0], json.dumps(record, ensure_ascii=False)]), encoding="utf-8"
    )
    line = said_in_one_line(qifu("catalogue", "check", str(broken), data=data))
    assert line.startswith("broken.jsonl:2: criteria.0.field:")
    assert "registered_province" in line
    report = json.loads(qifu("catalogue", "check", str(broken), "--json", data=data).stdout)
    assert report["ok"] is False


def test_unknown_files_are_named(data: Path, tmp_path: Path) -> None:
    missing = str(tmp_path / "no-such.jsonl")
    for command in (["catalogue", "check"], ["eval", "qa"], ["eval", "nlu"], ["eval", "match"]):
        assert "no-such.jsonl" in said_in_one_line(qifu(*command, missing, data=data))


def test_a_port_in_use_is_said(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert str(port) in said_in_one_line(qifu("up", "--port", str(port), data=data))


@pytest.mark.skipif(
    os.geteuid() == 0 and not Path("/proc").exists(), reason="needs a folder nobody can write"
)
def test_a_read_only_folder_is_said(data: Path) -> None:
    line = said_in_one_line(qifu("ask", "你好", data=data, QIFU_DATA_DIR="/proc/qifu"))
    assert "/proc" in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QIFU_PORT", "99999"),
        ("QIFU_AS_OF", "tomorrow"),
        ("QIFU_ENCODER", "/nowhere/model"),
        ("QIFU_HOST", "0.0.0.0"),
    ],
)
def test_a_bad_setting_is_named(data: Path, name: str, value: str) -> None:
    assert said_in_one_line(qifu("ask", "你好", data=data, **{name: value}))


def test_doctor_lists_every_part(data: Path) -> None:
    done = qifu("doctor", "--json", data=data)
    report = json.loads(done.stdout)
    assert done.returncode == 0, report
    assert {"Python", "rasa", "政策目录", "数据库", "对话模型"} <= {
        f["part"] for f in report["findings"]
    }
