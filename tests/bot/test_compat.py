"""Rasa runs on a current Python, and nothing of the stage set for it stays behind."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.compat import ABSENT
from bot.training import NLU_DATA, ROOT
from knowledge.dense import VectorCache
from knowledge.retrieval import Retriever

FRESH = Path(__file__).with_name("fresh.py")
EXAMPLES = 8  # of each intent: enough to learn from, quickly encoded


def few_examples(folder: Path) -> Path:
    """The project's own training data, cut short."""
    for file in NLU_DATA.glob("*.yml"):
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
        for topic in data["nlu"]:
            lines = topic["examples"].splitlines(keepends=True)
            topic["examples"] = "".join(lines[:: max(1, len(lines) // EXAMPLES)])
        (folder / file.name).write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    return folder


@pytest.fixture(scope="module")
def fresh(
    tmp_path_factory: pytest.TempPathFactory, retriever: Retriever, vector_cache: VectorCache
) -> dict[str, Any]:
    """What an interpreter saw that had imported nothing before; ``retriever`` has filled the vectors."""
    data, models = tmp_path_factory.mktemp("nlu"), tmp_path_factory.mktemp("models")
    command = [sys.executable, FRESH, few_examples(data), models, vector_cache._folder]
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env={"PATH": "", "PYTHONPATH": str(ROOT), "RASA_CACHE_DIRECTORY": str(models / "cache")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_trains_loads_and_answers(fresh: dict[str, Any]) -> None:
    assert re.fullmatch(r"qifu-[0-9a-f]{16}\.tar\.gz", fresh["talk"]["model"])
    (reply,) = fresh["talk"]["replies"]
    assert reply["kind"] == "answer"
    assert "10万元" in reply["text"]
    assert reply["citations"]


def test_no_stand_in_stays_behind(fresh: dict[str, Any]) -> None:
    assert fresh["left"] == []


@pytest.mark.parametrize("name", ["google", "tensorflow"])
def test_absent_package_is_absent_again(fresh: dict[str, Any], name: str) -> None:
    here = find_spec(name)
    assert fresh[name] == (str(here.origin) if here else f"ModuleNotFoundError: {name}")


def test_stand_in_called_for_real_names_itself(fresh: dict[str, Any]) -> None:
    assert fresh["called"].startswith("slack_sdk.web.async_client.AsyncWebClient was called")
    assert "bot/compat.py" in fresh["called"]


def test_action_schema_is_built_once_and_still_rejects(fresh: dict[str, Any]) -> None:
    assert fresh["schema"]["good"] is True
    assert fresh["schema"]["rejected"] == ["ValidationError"] * 4
    assert fresh["schema"]["took_s"] < 2  # as shipped: 300 times 20 ms


def test_event_types_are_remembered(fresh: dict[str, Any]) -> None:
    assert fresh["event_types"] >= 1


def test_legacy_version_is_a_version(fresh: dict[str, Any]) -> None:
    assert fresh["legacy"] is True


def test_transformers_imports_after_rasa(fresh: dict[str, Any]) -> None:
    assert fresh["transformers"].endswith("tokenization_bert.py")


def test_protobuf_is_the_real_one_or_none(fresh: dict[str, Any]) -> None:
    assert fresh["protobuf"].startswith("ModuleNotFoundError: google") or (
        "site-packages" in fresh["protobuf"]
    )


def test_every_absent_package_is_imported_by_rasa(fresh: dict[str, Any]) -> None:
    """At module level, by a module that is really loaded; what is not listed here any more goes from the list."""
    used: set[str] = set()
    for file in fresh["files"]:
        used.update(_packages(ast.parse(Path(file).read_text(encoding="utf-8")).body))
    assert not ABSENT - used


def test_no_absent_package_is_installed() -> None:
    installed = {package.lower() for package in metadata.packages_distributions()}
    assert not {name.lower() for name in ABSENT - {"google", "matplotlib", "socketio"}} & installed


def test_tensorflow_is_not_installed() -> None:
    names = {distribution.metadata["Name"].lower() for distribution in metadata.distributions()}
    assert not [name for name in names if name.startswith(("tensorflow", "keras", "jax", "tf-"))]


def _packages(statements: list[ast.stmt]) -> Iterator[str]:
    """The packages that running a module imports: functions and TYPE_CHECKING are not run."""
    for statement in statements:
        match statement:
            case ast.Import(names=names):
                yield from (name.name.split(".")[0] for name in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.split(".")[0]
            case ast.If(test=test) if "TYPE_CHECKING" in ast.unparse(test):
                continue
            case ast.If(body=body, orelse=orelse):
                yield from _packages([*body, *orelse])
            case ast.Try(body=body, handlers=handlers):
                yield from _packages([*body, *(s for each in handlers for s in each.body)])
