"""Reads a corpus from outside: documents, and questions with the documents that answer them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from knowledge.errors import LabelError

MAX_BYTES = 100_000_000


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("is blank")
    return value


Filled = Annotated[str, AfterValidator(_not_blank)]
# null says the same as leaving the key out: a document without a title.
OptionalText = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]


class Document(BaseModel):
    """One document; an empty title means that it has none. Numeric ids are read as text."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)

    id: Filled
    title: OptionalText = ""
    text: Filled


class Query(BaseModel):
    """One question; ``doc_ids`` are the documents that answer it, none when no document does."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)

    id: Filled
    text: Filled
    doc_ids: tuple[Filled, ...] = Field(strict=False)


@dataclass(frozen=True)
class Corpus:
    """Documents and questions with ids that occur once each."""

    documents: tuple[Document, ...]
    queries: tuple[Query, ...]

    def answered(self) -> list[tuple[Query, frozenset[str]]]:
        """The questions some document answers, each with those of its documents the corpus holds."""
        held = {document.id for document in self.documents}
        pairs = ((query, held.intersection(query.doc_ids)) for query in self.queries)
        return [(query, frozenset(right)) for query, right in pairs if right]

    def absent(self) -> list[Query]:
        """The questions no document of the corpus answers."""
        held = {document.id for document in self.documents}
        return [query for query in self.queries if not held.intersection(query.doc_ids)]


Row = TypeVar("Row", Document, Query)


def read_corpus(docs: Path, queries: Path) -> Corpus:
    """Both files, JSON lines.

    Raises:
        LabelError: naming file, line and field of the first defect.
    """
    return Corpus(_read(docs, Document), _read(queries, Query))


def read_queries(path: Path) -> tuple[Query, ...]:
    """Questions alone, JSON lines.

    Raises:
        LabelError: naming file, line and field of the first defect.
    """
    return _read(path, Query)


def _read(path: Path, kind: type[Row]) -> tuple[Row, ...]:
    rows: list[Row] = []
    lines: dict[str, int] = {}
    for number, line in _lines(path):
        try:
            row = kind.model_validate_json(line)
        except ValidationError as error:
            raise LabelError(f"{path.name}:{number}: {_problem(error)}") from error
        if row.id in lines:
            raise LabelError(
                f"{path.name}:{number}: id: {row.id!r} is already the id of line {lines[row.id]}; "
                "every id may occur once"
            )
        lines[row.id] = number
        rows.append(row)
    if not rows:
        raise LabelError(f"{path}: nothing in it; expected one JSON object a line ({_keys(kind)})")
    return tuple(rows)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that hold anything, with their numbers from 1."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise LabelError(
                f"{path}: {size / 1e6:.0f} MB, at most {MAX_BYTES / 1e6:.0f} MB are read; split the corpus"
            )
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise LabelError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LabelError(
            f"{path}: byte {error.start}: not UTF-8; save the file as UTF-8"
        ) from error
    # Not splitlines(): a document may hold the other separators Unicode knows.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line


def _problem(error: ValidationError) -> str:
    """The first defect as ``field: what is wrong``."""
    detail = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in detail["loc"]) or "line"
    return f"{field}: {detail['msg'].removeprefix('Value error, ')}"


def _keys(kind: type[BaseModel]) -> str:
    return ", ".join(kind.model_fields)
