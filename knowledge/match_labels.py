"""Reads labelled profiles, the format of ``qifu eval match``."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.errors import LabelError
from knowledge.label_rows import SeenIds
from knowledge.verdicts import Verdict


class MatchLabel(BaseModel):
    """What is right for one item."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    policy_id: str
    label: Verdict


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: Annotated[str, Field(min_length=1)]
    profile: dict[str, Any]
    labels: Annotated[list[MatchLabel], Field(min_length=1)]


@dataclass(frozen=True)
class LabelledProfile:
    """One profile as it was written, with what is right for some items; ``where`` is file and line."""

    id: str
    profile: dict[str, Any]
    labels: tuple[MatchLabel, ...]
    where: str


def read_labelled_profiles(path: Path, policies: Collection[str]) -> list[LabelledProfile]:
    """All profiles of a JSON-lines file; ``policies`` are the ids of the catalogue in force.

    Raises:
        LabelError: naming every bad line by file, line and field, one defect a line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise LabelError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: byte {error.start}: not UTF-8") from error
    found: list[LabelledProfile] = []
    problems: list[str] = []
    seen = SeenIds()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path.name}:{number}"
        try:
            row = _Row.model_validate(json.loads(line))
        except ValidationError as error:
            problems += [f"{where}: {defect}" for defect in _defects(error)]
        except (ValueError, RecursionError) as error:
            problems.append(f"{where}: not valid JSON: {error}")
        else:
            twice = seen.defect(row.id, number)
            defects = [*([twice] if twice else []), *_misnamed(row, policies)]
            named = [f"{where}: {defect}" for defect in defects]
            problems += named
            if not named:
                found.append(LabelledProfile(row.id, row.profile, tuple(row.labels), where))
    if problems:
        raise LabelError("\n".join(problems))
    if not found:
        raise LabelError(f"{path}: no profile in it; expected one JSON object a line")
    return found


def _defects(error: ValidationError) -> list[str]:
    return [
        f"{'.'.join(str(part) for part in each['loc']) or 'record'}: {each['msg']}"
        for each in error.errors(include_url=False)
    ]


def _misnamed(row: _Row, policies: Collection[str]) -> list[str]:
    defects = []
    labels: dict[str, Verdict] = {}
    for at, label in enumerate(row.labels):
        if label.policy_id not in policies:
            defects.append(
                f"labels.{at}.policy_id: the catalogue has no {label.policy_id!r}; "
                "write the id of an item in force, or leave the label out"
            )
        if labels.setdefault(label.policy_id, label.label) is not label.label:
            defects.append(
                f"labels.{at}.label: {label.policy_id!r} is labelled otherwise above; keep one of the two"
            )
    return defects
