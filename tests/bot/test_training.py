"""Trains when, and only when, what the model is made from has changed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bot import training
from bot.training import ROOT
from bot.turn import TrainingFailed

CONFIG = """\
recipe: default.v1
language: zh
assistant_id: small
pipeline: []
policies:
  - name: RulePolicy
"""
DOMAIN = """\
version: "3.1"
intents: [greet]
responses:
  utter_greet: [{text: 您好}]
  utter_other: [{text: 再见}]
"""
RULE = """\
version: "3.1"
rules:
  - rule: a greeting
    steps: [{intent: greet}, {action: utter_greet}]
"""
CONTRADICTION = RULE + "  - rule: another\n    steps: [{intent: greet}, {action: utter_other}]\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project of the same layout, around the same ``training.py``."""
    root = tmp_path / "evaluation" / "eval"  # a name that must not hide everything below it
    files = {
        "bot/config.yml": CONFIG,
        "bot/domain/chat.yml": DOMAIN,
        "bot/rules/chat.yml": RULE,
        "bot/training.py": (ROOT / "bot" / "training.py").read_text(encoding="utf-8"),
        "nlu/data/chat.yml": 'version: "3.1"\n',
        "nlu/components/classifier.py": "A = 1\n",
        "nlu/vocabulary.yml": "a: b\n",
        "knowledge/data/fields.jsonl": "{}\n",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def load(root: Path) -> ModuleType:
    """The module ``bot.training`` as it would be in that project."""
    spec = importlib.util.spec_from_file_location("training_of_a_copy", root / "bot/training.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def models_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.tar.gz"))


def test_fingerprint_is_stable(project: Path) -> None:
    assert load(project).fingerprint() == load(project).fingerprint()
    assert training.fingerprint() == training.fingerprint()


@pytest.mark.parametrize(
    "name",
    [
        "bot/config.yml",
        "bot/domain/chat.yml",
        "bot/rules/chat.yml",
        "nlu/data/chat.yml",
        "nlu/components/classifier.py",
        "nlu/vocabulary.yml",
        "knowledge/data/fields.jsonl",
        "nlu/data/new.yml",
    ],
)
def test_changed_file_changes_the_fingerprint(project: Path, name: str) -> None:
    before = load(project).fingerprint()
    with (project / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert load(project).fingerprint() != before


@pytest.mark.parametrize(
    "name", ["nlu/eval/dev.jsonl", "nlu/eval/dev.yml", "nlu/eval/score.py", "bot/tests/chat.yml"]
)
def test_file_for_evaluation_does_not_count(project: Path, name: str) -> None:
    before = load(project).fingerprint()
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text("a: b\n", encoding="utf-8")
    assert load(project).fingerprint() == before


def test_renamed_file_changes_the_fingerprint(project: Path) -> None:
    before = load(project).fingerprint()
    (project / "nlu/data/chat.yml").rename(project / "nlu/data/talk.yml")
    assert load(project).fingerprint() != before


def test_library_version_is_part_of_the_fingerprint(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load(project)
    before = module.fingerprint()
    monkeypatch.setattr(module, "version", lambda name: "99")
    assert module.fingerprint() != before


def test_fingerprint_does_not_depend_on_the_folder(project: Path, tmp_path: Path) -> None:
    before = load(project).fingerprint()
    assert load(project.rename(tmp_path / "elsewhere")).fingerprint() == before


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rasa's cache of parts stays in the test's folder."""
    monkeypatch.setenv("RASA_CACHE_DIRECTORY", str(tmp_path / "cache"))


@pytest.mark.usefixtures("cache")
def test_unchanged_data_is_not_trained_again(project: Path, tmp_path: Path) -> None:
    module, folder = load(project), tmp_path / "models"
    path = module.ensure_model(folder)
    first = path.stat()
    assert path == module.model_path(folder)
    again = load(project).ensure_model(folder)
    assert again == path
    assert (again.stat().st_ino, again.stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bot/rules/chat.yml", CONTRADICTION),
        ("bot/rules/chat.yml", "rules: [unclosed"),
        ("bot/config.yml", CONFIG.replace("RulePolicy", "NoSuchPolicy")),
        ("bot/domain/chat.yml", "responses: 5\n"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Rasa's own words on the same fault
def test_failed_training_leaves_nothing(
    project: Path, tmp_path: Path, name: str, text: str
) -> None:
    (project / name).write_text(text, encoding="utf-8")
    folder = tmp_path / "models"
    with pytest.raises(TrainingFailed, match=r"training (stopped|ended)"):
        load(project).ensure_model(folder)
    assert [path.name for path in folder.iterdir()] == ["training.lock"]


def old_models(folder: Path, *names: str) -> None:
    """Models of earlier days, the first the oldest; and files that are none of ours."""
    folder.mkdir()
    for age, name in enumerate(reversed(names), 1):
        path = folder / name
        path.touch()
        os.utime(path, (1_700_000_000 - age, 1_700_000_000 - age))


@pytest.mark.usefixtures("cache")
def test_newest_two_models_stay_after_training(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    old_models(folder, "qifu-1.tar.gz", "qifu-3.tar.gz", "qifu-2.tar.gz", "mine.tar.gz")
    path = load(project).ensure_model(folder)
    assert models_in(folder) == sorted(["mine.tar.gz", "qifu-2.tar.gz", path.name])


@pytest.mark.usefixtures("cache")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_models_stay_when_training_fails_or_is_not_needed(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    old_models(folder, "qifu-1.tar.gz", "qifu-2.tar.gz", "qifu-3.tar.gz")
    module = load(project)
    module.model_path(folder).touch()
    module.ensure_model(folder)
    assert len(models_in(folder)) == 4
    (project / "bot/rules/chat.yml").write_text(CONTRADICTION, encoding="utf-8")
    with pytest.raises(TrainingFailed):
        load(project).ensure_model(folder)
    assert len(models_in(folder)) == 4


_SCRIPT = """
import importlib.util, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("training_of_a_copy", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
train = module._train
module._train = lambda path: (print("TRAINS"), train(path))
print("MODEL", module.ensure_model(Path(sys.argv[2])))
"""


def test_two_processes_at_once_train_once(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    command = [sys.executable, "-c", _SCRIPT, str(project / "bot/training.py"), str(folder)]
    start: Callable[[], subprocess.Popen[str]] = lambda: subprocess.Popen(  # noqa: E731
        command,
        cwd=ROOT,
        env={**os.environ, "RASA_CACHE_DIRECTORY": str(tmp_path / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    running = [start(), start()]
    outputs: list[Any] = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], outputs
    paths = {line for text in outputs for line in text.splitlines() if line.startswith("MODEL")}
    assert paths == {f"MODEL {folder / name}" for name in models_in(folder)}
    assert sum(text.count("TRAINS") for text in outputs) == 1
