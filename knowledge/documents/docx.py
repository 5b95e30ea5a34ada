"""Reads a Word document: paragraphs with the numbers Word would show, and tables, in body order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import docx
from docx.oxml.ns import qn

from knowledge.documents.blocks import Block, Document, Kind, Paragraph, Table, tidy
from knowledge.documents.word_numbers import Numbering

_HEADING = re.compile(r"(?:heading|标题)\s*([1-9])$", re.IGNORECASE)
_CONTENTS = re.compile(r"(?:toc|目录)\s*\d*(?:\s*heading)?$", re.IGNORECASE)
# Text inside these is struck out, belongs to a drawing's second copy, or is a field's code.
_SKIPPED = frozenset(qn(tag) for tag in ("w:del", "w:moveFrom", "w:pPr", "w:instrText")) | {
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
}
_TEXT_BOX = qn("w:txbxContent")


def read_docx(file: str, data: bytes) -> Document:
    """All body text of ``data``; headers, footers, notes and tables of contents are left out.

    A library's error on a damaged file passes through; ``reading`` translates it.
    """
    word = docx.Document(BytesIO(data))
    reader = _Reader(word)
    blocks = tuple(reader.blocks(word.element.body))
    title = tidy(word.core_properties.title or "")
    return Document(file, Kind.DOCX, blocks, facts={"core_title": title} if title else {})


class _Reader:
    def __init__(self, word: Any) -> None:
        self._styles = {style.style_id: style for style in word.styles}
        self._numbering = Numbering.of(word)

    def blocks(self, parent: Any) -> Iterator[Block]:
        """What stands in ``parent`` in order; content controls are opened, generated contents are not."""
        for child in parent.iterchildren():
            if child.tag == qn("w:p"):
                yield from self._paragraph(child)
            elif child.tag == qn("w:tbl"):
                yield from self._table(child)
            elif child.tag == qn("w:sdt"):
                if not self._is_contents(child):
                    yield from self.blocks(child.find(qn("w:sdtContent")))
            elif child.tag in {qn("w:ins"), qn("w:customXml"), qn("w:smartTag")}:
                yield from self.blocks(child)

    @staticmethod
    def _is_contents(control: Any) -> bool:
        return any(
            "Table of Contents" in g.get(qn("w:val"), "")
            for g in control.iter(qn("w:docPartGallery"))
        )

    def _paragraph(self, element: Any) -> Iterator[Block]:
        style = self._style_of(element)
        names = self._style_names(style)
        if any(_CONTENTS.match(name) for name in names):
            return
        for box in self._boxes(element):
            yield from self.blocks(box)
        number = self._numbering.next_for(element, self._inherited(style))
        level = self._heading_level(element, style, names)
        is_display = self._is_centred(element, style) or "Title" in names
        for position, line in enumerate(_text_of(element).split("\n")):
            text = tidy(f"{number}{line}" if position == 0 else line)
            if text:
                yield Paragraph(text, heading=level, is_display=is_display)

    @staticmethod
    def _boxes(element: Any) -> list[Any]:
        return [
            box
            for box in element.iter(_TEXT_BOX)
            if not any(a.tag in _SKIPPED or a.tag == _TEXT_BOX for a in box.iterancestors())
        ]

    def _style_of(self, element: Any) -> Any:
        properties = element.pPr
        style_id = properties.style if properties is not None else None
        return self._styles.get(style_id) if style_id else None

    @staticmethod
    def _inherited(style: Any) -> list[Any]:
        """A style and those it rests on, nearest first; a ring of styles is cut."""
        chain: list[Any] = []
        while style is not None and len(chain) < 20:
            chain.append(style)
            style = getattr(style, "base_style", None)
        return chain

    def _style_names(self, style: Any) -> list[str]:
        return [each.name or "" for each in self._inherited(style)]

    def _heading_level(self, element: Any, style: Any, names: list[str]) -> int | None:
        for name in names:
            if found := _HEADING.match(name):
                return int(found[1])
        for properties in self._properties(element, style):
            outline = properties.find(qn("w:outlineLvl"))
            if outline is not None and outline.get(qn("w:val"), "9") in "012345678":
                return int(outline.get(qn("w:val"))) + 1
        return None

    def _is_centred(self, element: Any, style: Any) -> bool:
        for properties in self._properties(element, style):
            alignment = properties.find(qn("w:jc"))
            if alignment is not None:
                return bool(alignment.get(qn("w:val")) == "center")
        return False

    def _properties(self, element: Any, style: Any) -> Iterator[Any]:
        own = [element, *(each.element for each in self._inherited(style))]
        return (each.pPr for each in own if getattr(each, "pPr", None) is not None)

    def _table(self, element: Any) -> Iterator[Block]:
        rows = _grid(element)
        if not rows:
            return
        if max(len(row) for row in rows) == 1:  # a frame around text, not a table
            yield from (Paragraph(text) for row in rows for text in row if text)
            return
        width = max(len(row) for row in rows)
        yield Table(tuple((*row, *[""] * (width - len(row))) for row in rows))


def _grid(table: Any) -> list[list[str]]:
    """Cell texts by place; merged cells are repeated where they reach."""
    rows: list[list[str]] = []
    for row in table.iterchildren(qn("w:tr")):
        cells: list[str] = []
        for cell in _cells(row):
            span, continues = _reach(cell)
            text = tidy(" ".join(_text_of(p) for p in cell.iter(qn("w:p"))))
            place = len(cells)
            if continues and rows and place < len(rows[-1]):
                text = rows[-1][place]
            cells += [text] * span
        if any(cells):
            rows.append(cells)
    return rows


def _cells(row: Any) -> Iterator[Any]:
    for child in row.iterchildren():
        if child.tag == qn("w:tc"):
            yield child
        elif child.tag == qn("w:sdt"):
            yield from child.iter(qn("w:tc"))


def _reach(cell: Any) -> tuple[int, bool]:
    """How many columns a cell spans (at most 64), and whether it goes on from the row above."""
    properties = cell.tcPr
    if properties is None:
        return 1, False
    span = properties.find(qn("w:gridSpan"))
    merge = properties.find(qn("w:vMerge"))
    wide = int(span.get(qn("w:val"), "1")) if span is not None else 1
    return max(1, min(wide, 64)), merge is not None and merge.get(qn("w:val")) != "restart"


def _text_of(element: Any) -> str:
    """The visible text of a paragraph, inserted runs and links included, text boxes not."""
    parts: list[str] = []
    waiting = list(reversed(list(element.iterchildren())))
    while waiting:
        node = waiting.pop()
        if node.tag in _SKIPPED or node.tag == _TEXT_BOX:
            continue
        if node.tag == qn("w:t"):
            parts.append(node.text or "")
        elif node.tag == qn("w:tab"):
            parts.append("\t")
        elif node.tag in {qn("w:br"), qn("w:cr")}:
            parts.append("\n")
        elif node.tag == qn("w:noBreakHyphen"):
            parts.append("-")
        else:
            waiting += reversed(list(node.iterchildren()))
    return "".join(parts)
