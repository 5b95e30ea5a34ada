"""Rasa's own command line on this project: fills in where our files are, then lets Rasa do the rest."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from bot.compat import run_command_line
from bot.training import CONFIG, DOMAIN, NLU_DATA, ROOT, RULES, ensure_model

CONVERSATIONS = ROOT / "bot" / "tests"
_DOMAIN = ("--domain", str(DOMAIN))
_CONFIG = ("--config", str(CONFIG))
_DATA = ("--data", str(RULES), str(NLU_DATA))


def run(arguments: Sequence[str], models: Path) -> int:
    """Runs ``rasa <arguments>`` from the project's folder; returns Rasa's exit code.

    Options that are given stay; those that are missing point at this project. ``rasa test`` trains first if needed.
    """
    models = models.absolute()
    os.chdir(ROOT)
    return run_command_line(_completed(list(arguments), models))


def _completed(arguments: list[str], models: Path) -> list[str]:
    match arguments:
        case ["data", "validate", *_]:
            return _with(arguments, _DOMAIN, _CONFIG, _DATA)
        case ["train", *_]:
            return _with(arguments, _DOMAIN, _CONFIG, _DATA, ("--out", str(models)))
        case ["test"]:
            return _completed(["test", "core"], models)
        case ["test", "core", *_]:
            given = ("--stories", str(CONVERSATIONS))
            return _with(arguments, *_results(models), given, ("--fail-on-prediction-errors",))
        case ["test", "nlu", *_]:
            return _with(arguments, *_results(models), ("--nlu", str(NLU_DATA)), _DOMAIN)
        case ["shell", *_]:
            return _with(arguments, ("--model", str(ensure_model(models))))
        case _:
            return arguments


def _results(models: Path) -> tuple[tuple[str, ...], ...]:
    # Plots need matplotlib, which is absent (bot/compat.py).
    model, results = str(ensure_model(models)), str(models.parent / "rasa-test")
    return ("--model", model), ("--out", results), ("--no-plot",)


def _with(arguments: list[str], *defaults: tuple[str, ...]) -> list[str]:
    return arguments + [
        word for default in defaults if default[0] not in arguments for word in default
    ]
