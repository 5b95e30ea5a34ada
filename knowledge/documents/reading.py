"""Reads one file with the library for its kind, and turns whatever that library raises into words a person can use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from knowledge.documents.blocks import Document, Kind, PageProgress
from knowledge.documents.docx import read_docx
from knowledge.documents.html import read_html
from knowledge.documents.kinds import LIMITS, Limits
from knowledge.documents.pdf import read_pdf
from knowledge.documents.sheet import read_sheet
from knowledge.errors import DamagedDocument, KnowledgeError
from knowledge.fields import FieldSpec
from knowledge.policy import Policy


def read_document(
    file: str,
    data: bytes,
    kind: Kind,
    progress: PageProgress | None = None,
    limits: Limits = LIMITS,
) -> Document:
    """The blocks of ``data``, a docx, pdf or html. Raises ``DocumentError``."""
    with _translated(file, kind):
        if kind is Kind.PDF:
            return read_pdf(file, data, progress, limits)
        document = read_docx(file, data) if kind is Kind.DOCX else read_html(file, data)
    if progress:
        progress(1, 1)
    return document


def read_workbook(file: str, data: bytes, fields: Mapping[str, FieldSpec]) -> list[Policy]:
    """The policies of ``data``, an xlsx. Raises ``DocumentError`` or, for defects in cells, ``CatalogueError``."""
    with _translated(file, Kind.XLSX):
        return read_sheet(file, data, fields)


@contextmanager
def _translated(file: str, kind: Kind) -> Iterator[None]:
    """An edge: on a damaged file the reading libraries raise whatever their code stumbles on."""
    try:
        yield
    except (KnowledgeError, MemoryError):
        raise
    except Exception as error:
        raise DamagedDocument(
            file, f"{kind.value} 已损坏，读不下去（{type(error).__name__}）；请重新保存后再导入"
        ) from error
