"""Rasa's own checks of this project pass, through the command a person types."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bot.training import DOMAIN, ROOT, RULES

CONVERSATIONS = ROOT / "bot" / "tests"
WRONG = """\
version: "3.1"
stories:
  - story: thanks for a greeting
    steps:
      - user: 你好
        intent: greet
      - action: utter_thanks
"""


@pytest.fixture(scope="module")
def data_dir(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of its own that holds the trained model."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "models").mkdir()
    shutil.copy(model, folder / "models")
    return folder


def qifu_rasa(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service.cli", "rasa", *arguments],
        cwd=ROOT,
        env={**os.environ, "QIFU_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_data_is_valid(data_dir: Path) -> None:
    done = qifu_rasa(data_dir, "data", "validate")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No story structure conflicts found" in done.stdout + done.stderr


def test_conversations_pass(data_dir: Path) -> None:
    done = qifu_rasa(data_dir, "test")
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert (data_dir / "rasa-test" / "story_report.json").exists()


def test_wrong_conversation_fails(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "test_wrong.yml").write_text(WRONG, encoding="utf-8")
    done = qifu_rasa(data_dir, "test", "core", "--stories", str(tmp_path))
    assert done.returncode == 1
    assert "Model predicted a wrong action" in done.stdout + done.stderr


def test_unknown_command_fails(data_dir: Path) -> None:
    assert qifu_rasa(data_dir, "dance").returncode == 2


def steps_of(folder: Path, kind: str) -> list[list[dict[str, object]]]:
    """The steps of all stories (or rules) of a folder."""
    files = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(folder.glob("*.yml"))]
    return [story["steps"] for file in files for story in file[kind]]


def domain_names(section: str) -> set[str]:
    names: set[str] = set()
    for path in DOMAIN.glob("*.yml"):
        for entry in yaml.safe_load(path.read_text("utf-8")).get(section, []):
            names |= {entry} if isinstance(entry, str) else set(entry)
    return names


def test_every_intent_has_a_conversation() -> None:
    told = {
        s["intent"] for steps in steps_of(CONVERSATIONS, "stories") for s in steps if "user" in s
    }
    assert told == domain_names("intents") | {"nlu_fallback"}


def test_every_action_of_a_rule_has_a_conversation() -> None:
    def actions(folder: Path, kind: str) -> set[object]:
        return {s["action"] for steps in steps_of(folder, kind) for s in steps if "action" in s}

    assert actions(RULES, "rules") <= actions(CONVERSATIONS, "stories")


def test_every_topic_has_its_files() -> None:
    topics = {path.name for path in RULES.glob("*.yml")}
    assert {path.name for path in CONVERSATIONS.glob("*.yml")} == {f"test_{t}" for t in topics}
    assert {path.name for path in DOMAIN.glob("*.yml")} == topics | {"shared.yml"}
