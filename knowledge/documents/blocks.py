"""The neutral form every reader gives: a document as paragraphs and tables in reading order."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

# Told the page just read and how many there are; a kind without pages counts as one.
PageProgress = Callable[[int, int], None]


class Kind(StrEnum):
    """What a file holds, whatever its name says."""

    DOCX = "docx"
    PDF = "pdf"
    HTML = "html"
    XLSX = "xlsx"
    JSONL = "jsonl"


@dataclass(frozen=True)
class Paragraph:
    """One paragraph on one line. ``page`` counts from 1, absent where a kind has no pages.

    ``heading`` is the level (1 outermost) the document's own style gives it; absent for body text, and in a PDF.
    ``is_display`` says it is set apart as titles are: centred, or larger than the body.
    """

    text: str
    page: int | None = None
    heading: int | None = None
    is_display: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells, all of one length; a merged cell's text stands in every place it covers."""

    rows: tuple[tuple[str, ...], ...]
    page: int | None = None


Block = Paragraph | Table


@dataclass(frozen=True)
class Document:
    """A read file: its name, what it holds, its blocks in order.

    ``facts`` are what the container says of itself under the names this library uses (``title``, ``issuer``,
    ``doc_no``, ``published``), such as the meta tags of a government page; a key is absent where nothing is said.
    """

    file: str
    kind: Kind
    blocks: tuple[Block, ...]
    pages: int | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffe\uffff\ud800-\udfff]"
)
_SPACE = re.compile(r"[\s\u3000\xa0]+")


def tidy(text: str) -> str:
    """One line without control characters, its white space single spaces."""
    return _SPACE.sub(" ", _CONTROL.sub("", text)).strip()


def bare(text: str) -> str:
    """The text without any white space, to compare wordings that were set differently."""
    return re.sub(r"\s+", "", text)
