"""Reads labelled question files, the format of ``qifu eval qa``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.errors import LabelError


class ContextTurn(BaseModel):
    """An earlier turn of the same conversation."""

    model_config = ConfigDict(extra="ignore")

    role: str
    text: str

    @property
    def is_person(self) -> bool:
        return self.role in {"user", "human", "enterprise", "customer"}


class LabelledQuestion(BaseModel):
    """One question with what a right answer must hold.

    ``policy_id`` of an unanswerable question names the policy whose record lacks the detail asked for.
    """

    model_config = ConfigDict(extra="ignore")

    id: str
    text: Annotated[str, Field(min_length=1)]
    intent: str | None = None
    policy_id: str | None = None
    expected_policies_any: list[str] = Field(default_factory=list)
    facet: str | None = None
    expected_answer_facts: list[str] = Field(default_factory=list)
    context: list[ContextTurn] = Field(default_factory=list)
    expected_action: str | None = None
    unanswerable: bool = False
    adversarial: bool = False

    @property
    def right_policies(self) -> set[str]:
        return set(self.expected_policies_any) | ({self.policy_id} if self.policy_id else set())


def read_questions(path: Path) -> list[LabelledQuestion]:
    """All questions of a JSON-lines file.

    Raises:
        LabelError: naming file, line and field of the first defect.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise LabelError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: byte {error.start}: not UTF-8") from error
    found: list[LabelledQuestion] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(LabelledQuestion.model_validate_json(line))
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            name = ".".join(str(part) for part in detail["loc"]) or "record"
            raise LabelError(f"{path.name}:{number}: {name}: {detail['msg']}") from error
    if not found:
        raise LabelError(f"{path}: no question in it; expected one JSON object a line")
    return found
