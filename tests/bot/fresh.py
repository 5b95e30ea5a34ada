"""Run by test_compat.py in an interpreter of its own: trains, loads and talks; prints what it saw as JSON.

Arguments: a folder of training data, one for the model, one of vectors.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from contextlib import redirect_stdout
from datetime import date
from pathlib import Path
from typing import Any

from actions.registry import build_actions
from bot import compat, training
from bot.runtime import BotRuntime
from bot.turn import StandInCalled, Turn
from knowledge.answer import Answerer
from knowledge.catalogue import read_catalogue
from knowledge.dense import VectorCache
from knowledge.encoder import load_encoder
from knowledge.live import Live
from knowledge.retrieval import Retriever
from tests.actions.fake_desk import FakeDesk


def talk(models: Path, vectors: Path) -> dict[str, Any]:
    """Trains with the real configuration, loads, asks once."""
    model = training.ensure_model(models)
    answerer = Answerer(Retriever(read_catalogue(), load_encoder(), VectorCache(vectors)))
    runtime = BotRuntime(build_actions(Live(answerer), FakeDesk()))
    runtime.load(model)
    try:
        result = runtime.turn(Turn("s", "m", "福田国高认定奖励多少钱", date(2026, 11, 23)))
    finally:
        runtime.close()
    return {"model": model.name, "replies": [r.model_dump(mode="json") for r in result.replies]}


def imported(name: str) -> str:
    """Where a package comes from, or the error that says it is not there."""
    try:
        return str(importlib.import_module(name).__file__)
    except ModuleNotFoundError as error:
        return f"ModuleNotFoundError: {error.name}"


def called_for_real() -> str:
    """What a channel says that nobody configured, used all the same."""
    from rasa.core.channels.slack import SlackBot

    try:
        SlackBot("token")
    except StandInCalled as error:
        return str(error)
    return "nothing was raised"


SLOT = {"event": "slot", "timestamp": None, "name": "policy_id", "value": "FT-001"}


def _rejection(action: Any, events: object) -> str:
    try:
        action._validate_action_result({"events": events, "responses": []})
    except Exception as error:
        return type(error).__name__
    return "nothing"


def schema() -> dict[str, Any]:
    """What the check of an action's result says of a good and of a bad one, and what 300 cost."""
    from rasa.core.actions.action import RemoteAction

    action = RemoteAction("action_answer_policy", None)
    bad: tuple[object, ...] = ("none", [{"event": "slot"}], [{}], [7])
    rejected = [_rejection(action, events) for events in bad]
    began = time.perf_counter()
    good = [action._validate_action_result({"events": [SLOT], "responses": []}) for _ in range(300)]
    return {"good": all(good), "rejected": rejected, "took_s": time.perf_counter() - began}


def main(data: Path, models: Path, vectors: Path) -> dict[str, Any]:
    training.NLU_DATA = data
    seen: dict[str, Any] = {"talk": talk(models, vectors)}
    from packaging import version as versions
    from rasa.shared.core.events import Event

    seen["left"] = [n for n, m in sys.modules.items() if isinstance(m, compat._StandInModule)]
    seen["google"], seen["tensorflow"] = imported("google"), imported("tensorflow")
    seen["called"] = called_for_real()
    seen["schema"] = schema()
    Event.resolve_by_type("slot")
    seen["event_types"] = Event.resolve_by_type.cache_info().currsize
    seen["legacy"] = issubclass(vars(versions)["LegacyVersion"], versions.Version)
    seen["transformers"] = imported("transformers.models.bert.tokenization_bert")
    seen["protobuf"] = imported("google.protobuf")
    assert compat.run_command_line(["--version"]) == 0
    files = [getattr(m, "__file__", None) for n, m in sys.modules.items() if n[:4] == "rasa"]
    seen["files"] = [file for file in files if file]
    return seen


if __name__ == "__main__":
    with redirect_stdout(sys.stderr):
        answer = main(*(Path(argument) for argument in sys.argv[1:]))
    print(json.dumps(answer, ensure_ascii=False))
