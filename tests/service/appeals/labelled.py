"""The labelled matters and pairs that dispatching and joining are measured on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LabelledMatter:
    """A matter with the code of the department it belongs to.

    ``half`` is ``calibrate`` or ``held_out``. ``blind`` matters were written after the words and
    duties; the words were then mended once from what they showed.
    """

    half: str
    code: str
    matter: str
    blind: bool = False


@dataclass(frozen=True)
class LabelledPair:
    """Two matters of one session, and whether they are the same one."""

    half: str
    same: bool
    one: str
    other: str


def labelled_matters() -> list[LabelledMatter]:
    return [LabelledMatter(**json.loads(line)) for line in _lines("dispatch_set.jsonl")]


def labelled_pairs() -> list[LabelledPair]:
    return [LabelledPair(**json.loads(line)) for line in _lines("repeat_pairs.jsonl")]


def _lines(name: str) -> list[str]:
    return Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
