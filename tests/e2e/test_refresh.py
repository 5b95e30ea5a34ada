"""The catalogue is edited while the product serves: taken over without restart, and old answers are found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from knowledge.catalogue import DEMO_CATALOGUE
from tests.server import ROOT, Server, prepare_data, running

AS_OF = "2026-11-23"
QUESTION = "首次认定国家高新技术企业在福田能拿多少钱"


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working copy of the demo catalogue."""
    folder = tmp_path_factory.mktemp("catalogue") / "working"
    shutil.copytree(DEMO_CATALOGUE, folder)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_data(tmp_path_factory.mktemp("refreshed"))


@pytest.fixture(scope="module")
def server(data: Path, catalogue: Path) -> Iterator[Server]:
    with running(data, as_of=AS_OF, catalogue=str(catalogue), refresh_s="0.2") as started:
        yield started


def edit(catalogue: Path, policy_id: str, **changes: object) -> None:
    """Writes the changed file whole, then exchanges it, as an editor or an import does."""
    file = catalogue / "futian.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    rows = [row | changes if row["id"] == policy_id else row for row in rows]
    replace(file, "\n".join(json.dumps(row, ensure_ascii=False) for row in rows))


def replace(file: Path, text: str) -> None:
    draft = file.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)


def ask(server: Server, text: str = QUESTION) -> dict[str, Any]:
    body = httpx.post(f"{server.url}/api/chat", json={"text": text}, timeout=30).json()
    assert body["replies"], body
    return dict(body)


def served(server: Server) -> dict[str, Any]:
    return dict(httpx.get(f"{server.url}/readyz", timeout=10).json()["serving"]["catalogue"])


def wait_for(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)


def command(data: Path, catalogue: Path, *arguments: str) -> dict[str, Any]:
    """Runs ``qifu catalogue …`` beside the server; its JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "service.cli", "catalogue", *arguments, "--json"],
        cwd=ROOT,
        env={
            **os.environ,
            "QIFU_DATA_DIR": str(data),
            "QIFU_CATALOGUE": str(catalogue),
            "QIFU_AS_OF": AS_OF,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return dict(json.loads(done.stdout))


def test_an_edited_clause_is_answered_without_restart_and_the_old_answer_found(
    server: Server, data: Path, catalogue: Path
) -> None:
    before, version = ask(server), served(server)["version"]
    assert "10万元" in before["replies"][0]["text"]
    assert command(data, catalogue, "affected")["affected"] == []
    edit(catalogue, "FT-001", summary="首次获得国家高新技术企业认定的，给予一次性奖励12万元。")
    wait_for(lambda: served(server)["version"] != version)
    after = ask(server)["replies"][0]
    assert "12万元" in after["text"]
    assert after["citations"][0]["quote"] in after["text"]
    found = command(data, catalogue, "affected")["affected"]
    uses = [use for each in found for use in each["uses"] if each["clause_id"] == "FT-001#amount"]
    assert [use["message_id"] for use in uses] == [before["message_id"]]
    assert uses[0]["question"] == QUESTION


def test_a_broken_file_leaves_the_old_catalogue_in_force(server: Server, catalogue: Path) -> None:
    file = catalogue / "futian.jsonl"
    good, said, version = file.read_text(encoding="utf-8"), ask(server), served(server)["version"]
    replace(file, good.replace('"id"', '"identity"', 1))
    wait_for(lambda: bool(served(server)["is_behind"]))
    assert served(server)["version"] == version
    assert ask(server)["replies"][0]["text"] == said["replies"][0]["text"]
    log = server.log.read_text(encoding="utf-8")
    assert log.count('"event": "catalogue_refused"') == 1
    assert "futian.jsonl:1" in log
    replace(file, good)
    wait_for(lambda: not served(server)["is_behind"])


def test_an_imported_policy_is_answered_and_its_later_change_found(
    server: Server, data: Path, catalogue: Path, tmp_path: Path
) -> None:
    first = (catalogue / "futian.jsonl").read_text(encoding="utf-8").splitlines()[0]
    named = {"id": "FT-990", "title": "福田区海上风电运维船舶支持", "aliases": ["海上风电补贴"]}
    row = json.loads(first) | named | {"summary": "海上风电运维船舶每艘补贴30万元。"}
    file = tmp_path / "new.jsonl"
    file.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    policies = served(server)["policies"]
    assert command(data, catalogue, "import", str(file))["written"]
    wait_for(lambda: bool(served(server)["policies"] == policies + 1))
    told = ask(server, "福田区海上风电运维船舶支持补贴多少")
    assert "30万元" in told["replies"][0]["text"]
    row["summary"] = "海上风电运维船舶每艘补贴20万元。"
    file.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    assert command(data, catalogue, "import", str(file))["written"]
    found = command(data, catalogue, "affected", "--policy", "FT-990")["affected"]
    assert [(each["clause_id"], each["change"]) for each in found] == [("FT-990#amount", "changed")]
    assert [use["message_id"] for use in found[0]["uses"]] == [told["message_id"]]
