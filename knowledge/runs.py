"""Keeps what an evaluation brought, so that a later one can be held against it question by question."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from knowledge.catalogue import Catalogue
from knowledge.errors import KnowledgeError
from knowledge.evaluate import Judged
from knowledge.labels import LabelledQuestion

LAST = "last"
_NAME = re.compile(r"[\w+][\w.+-]{0,99}")


class RunError(KnowledgeError):
    """A stored run that is missing, damaged, or about other questions; a name that cannot be used."""


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class RunIdentity(_Stored):
    """What was measured, told without a version control system.

    ``questions`` is the digest of what the labels say, in order; ``file_sha256`` that of each file's bytes.
    ``catalogue`` and ``calibration`` are digests of their content, ``model`` names the trained dialogue model.
    """

    files: list[str]
    file_sha256: list[str]
    questions: str
    as_of: date
    catalogue: str
    encoder: str
    calibration: str
    model: str | None = None


class RunOutcome(_Stored):
    """One question as it went. ``marks`` are what the measures that count it found."""

    id: str
    text: str
    marks: dict[str, bool]
    policies: list[str]
    offered: list[str]
    refused: bool
    intent: str | None
    chance: float | None
    latency_ms: float
    said: str


class Run(_Stored):
    """One evaluation: when, of what, the report, and every question's outcome in the order of the files."""

    format: Literal[1] = 1
    name: str
    saved_at: AwareDatetime
    identity: RunIdentity
    report: dict[str, Any]
    outcomes: list[RunOutcome]


def record_run(
    name: str | None,
    identity: RunIdentity,
    report: dict[str, Any],
    judged: Sequence[Judged],
    now: datetime,
) -> Run:
    """The run to keep; without a name it is called by its files and the time in UTC."""
    outcomes = [
        RunOutcome(
            id=each.question.id,
            text=each.question.text,
            marks=dict(each.marks),
            policies=list(each.outcome.policies[:3]),
            offered=list(each.outcome.offered),
            refused=each.outcome.refused,
            intent=each.outcome.intent,
            chance=each.outcome.chance,
            latency_ms=round(each.outcome.latency_ms, 2),
            said=each.outcome.text,
        )
        for each in judged
    ]
    return Run(
        name=name or default_name(identity.files, now),
        saved_at=now,
        identity=identity,
        report=report,
        outcomes=outcomes,
    )


def default_name(files: Sequence[str], now: datetime) -> str:
    """``dev-20261124T031500.123Z``; characters a name may not have are left out."""
    stems = "+".join(str(Path(file).with_suffix("")).replace("/", "-") for file in files)
    kept = re.sub(r"[^\w.+-]", "", stems).lstrip(".-")[:60] or "run"
    return f"{kept}-{now.astimezone(UTC):%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z"


class RunStore:
    """The folder of stored runs, one JSON file each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self, name: str | None) -> None:
        """Fails before the work is done rather than after.

        Raises:
            RunError: the name cannot be used, or is taken.
            OSError: the folder cannot be made.
        """
        if name is not None:
            if not _NAME.fullmatch(name) or name == LAST:
                raise RunError(
                    f"run name {name!r}: use 1-100 letters, digits, . _ + - (no folder), not {LAST!r}"
                )
            if self.path_of(name).exists():
                raise RunError(f"run {name!r} exists already in {self.folder}; choose another name")
        self.folder.mkdir(parents=True, exist_ok=True)

    def path_of(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def save(self, run: Run) -> Path:
        """Writes the run whole or not at all; an existing one of the same name stays. ``OSError`` when it cannot."""
        path = self.path_of(run.name)
        text = run.model_dump_json(indent=1) + "\n"
        with tempfile.NamedTemporaryFile(
            "w", dir=self.folder, suffix=".part", delete=False, encoding="utf-8"
        ) as file:
            draft = Path(file.name)
            try:
                file.write(text)
                file.flush()
                os.link(draft, path)
            finally:
                draft.unlink()
        return path

    def find(self, wanted: str, questions: Sequence[LabelledQuestion]) -> Run:
        """The run to compare with: a path, a saved name, or ``last``, the newest over these very questions.

        Raises:
            RunError: there is none, it is damaged, or it is about other questions.
        """
        digest = digest_of_questions(questions)
        if wanted == LAST:
            return self._last(digest)
        path = Path(wanted)
        if not path.is_file():
            path = self.path_of(wanted.removesuffix(".json"))
        if not path.is_file():
            raise RunError(f"no run {wanted!r}: {self._saved()}")
        run = read_run(path)
        if run.identity.questions != digest:
            raise RunError(_other_questions(run, questions))
        return run

    def _last(self, digest: str) -> Run:
        newest: Run | None = None
        for path in self._paths():
            try:
                run = read_run(path)
            except RunError:
                continue  # a run of another version hides no run that can be read
            if run.identity.questions == digest and (not newest or run.saved_at > newest.saved_at):
                newest = run
        if newest is None:
            raise RunError(f"no saved run over these questions: {self._saved()}")
        return newest

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("*.json")) if self.folder.is_dir() else []

    def _saved(self) -> str:
        names = [path.stem for path in self._paths()]
        shown = ", ".join(names[-5:]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        return f"saved in {self.folder}: {shown}" if names else f"nothing is saved in {self.folder}"


def read_run(path: Path) -> Run:
    """A stored run. Raises ``RunError`` naming file and field."""
    try:
        return Run.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in detail["loc"]) or "file"
        raise RunError(
            f"{path}: not a stored run: {field}: {detail['msg']}; delete it or name another"
        ) from error


def digest_of_questions(questions: Iterable[LabelledQuestion]) -> str:
    """The same for the same questions and labels in the same order, however the file is laid out."""
    rows = [question.model_dump(mode="json") for question in questions]
    return _digest(json.dumps(rows, ensure_ascii=False, sort_keys=True).encode())


def digest_of_catalogue(catalogue: Catalogue) -> str:
    """Changes whenever a policy or a clause does; the order of the files does not matter."""
    policies = sorted(catalogue.policies.values(), key=lambda policy: policy.id)
    return _digest("\n".join(repr(policy) for policy in policies).encode())


def digest_of_file(path: Path) -> str:
    return _digest(path.read_bytes())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _other_questions(run: Run, questions: Sequence[LabelledQuestion]) -> str:
    then, now = {each.id for each in run.outcomes}, {each.id for each in questions}
    told = f"run {run.name!r} is over other questions ({', '.join(run.identity.files)}): "
    if then == now:
        return (
            told + f"the same {len(now)} ids, but texts, labels or order differ; evaluate both anew"
        )
    return told + (
        f"{len(then & now)} ids in both, {len(then - now)} only in that run, {len(now - then)} only "
        "now; compare runs over one and the same file"
    )
