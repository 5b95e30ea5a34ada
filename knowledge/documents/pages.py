"""Puts the lines of PDF pages together again: paragraphs over line and page ends, without what stands on every page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from knowledge.documents.blocks import Block, Paragraph, Table, tidy
from knowledge.documents.marks import begins_with_mark

_PAGE_NUMBER = re.compile(
    r"[\s\-—–－―‐·.]*(第?\s*\d{1,4}\s*页?|[ivxIVX]{1,6}|第\s*\d+\s*页\s*[，,/ ]?\s*共\s*\d+\s*页|\d{1,4}\s*/\s*\d{1,4})[\s\-—–－―‐·.]*"
)
_EDGE = 0.12  # of a page's height: where headers and footers live
_ASCII_WORD = re.compile(r"[A-Za-z]$")


@dataclass(frozen=True)
class Line:
    """One line of a page. Places are points from the top left corner; ``size`` is the height of its letters."""

    text: str
    page: int
    x0: float
    x1: float
    top: float
    bottom: float
    size: float


@dataclass(frozen=True)
class PageTable:
    rows: tuple[tuple[str, ...], ...]
    page: int
    x0: float
    top: float
    x1: float
    bottom: float

    def holds(self, line: Line) -> bool:
        middle = (line.top + line.bottom) / 2
        return self.top <= middle <= self.bottom and line.x1 > self.x0 and line.x0 < self.x1


@dataclass(frozen=True)
class Page:
    """What one page holds, by place from its top."""

    number: int
    height: float
    lines: tuple[Line, ...]
    tables: tuple[PageTable, ...]


@dataclass(frozen=True)
class _Measure:
    """The text column of a document, in points: margins, letter size, line pitch; whether paragraphs are indented."""

    left: float
    right: float
    size: float
    pitch: float
    is_indented: bool

    def indents(self, line: Line) -> bool:
        return line.x0 > self.left + 1.2 * self.size

    def ends_short(self, line: Line) -> bool:
        return line.x1 < self.right - 2 * max(self.size, line.size)

    def centres(self, line: Line) -> bool:
        before, after = line.x0 - self.left, self.right - line.x1
        return min(before, after) > 2 * self.size and abs(before - after) < 2 * self.size

    def displays(self, line: Line) -> bool:
        return self.centres(line) or line.size > 1.15 * self.size


def blocks_of(pages: Sequence[Page]) -> Iterator[Block]:
    """Paragraphs and tables in reading order; a paragraph or table that goes on overleaf is one."""
    parts = _without_furniture(pages)
    measure = _measure([part for part in parts if isinstance(part, Line)])
    gathered: list[Line] = []
    table: Table | None = None
    for part in parts:
        if isinstance(part, PageTable):
            if gathered:
                yield _paragraph(gathered, measure)
                gathered = []
            if table is not None and len(table.rows[0]) == len(part.rows[0]):
                table = _continued(table, part)
                continue
            if table is not None:
                yield table
            table = Table(part.rows, part.page)
            continue
        if table is not None:
            yield table
            table = None
        if gathered and _begins(part, gathered, measure):
            yield _paragraph(gathered, measure)
            gathered = []
        gathered.append(part)
    if table is not None:
        yield table
    if gathered:
        yield _paragraph(gathered, measure)


def _continued(table: Table, more: PageTable) -> Table:
    rows = more.rows[1:] if more.rows[0] == table.rows[0] else more.rows
    return Table((*table.rows, *rows), table.page)


def _without_furniture(pages: Sequence[Page]) -> list[Line | PageTable]:
    """Everything but page numbers and what stands at the same edge of many pages."""
    repeated = Counter(
        _stamp(line, page) for page in pages for line in page.lines if _at_edge(line, page)
    )
    needed = 2 if len(pages) < 4 else max(3, len(pages) // 4)
    kept: list[Line | PageTable] = []
    for page in pages:
        outer = (page.lines[0], page.lines[-1]) if page.lines else ()
        own: list[Line | PageTable] = [*page.tables]
        for line in page.lines:
            if _at_edge(line, page) and repeated[_stamp(line, page)] >= needed:
                continue
            if line in outer and _at_edge(line, page) and _PAGE_NUMBER.fullmatch(line.text):
                continue
            own.append(line)
        kept += sorted(own, key=lambda part: part.top)
    return kept


def _at_edge(line: Line, page: Page) -> bool:
    return line.bottom < _EDGE * page.height or line.top > (1 - _EDGE) * page.height


def _stamp(line: Line, page: Page) -> tuple[str, int]:
    """What makes two lines the same furniture: their words without numbers, their height on the page."""
    return re.sub(r"\d+", "#", line.text), round(line.top / page.height * 100)


def _measure(lines: Sequence[Line]) -> _Measure:
    if not lines:
        return _Measure(0.0, 0.0, 10.0, 15.0, False)
    long = [line for line in lines if len(line.text) >= 12] or list(lines)
    size = median(line.size for line in long)
    body = [line for line in long if abs(line.size - size) < 0.1 * size] or long
    ends = sorted(line.x1 for line in body)
    starts = Counter(round(line.x0) for line in body)
    left = min(x for x, count in starts.items() if count * 20 >= len(body))
    pitches = [
        b.top - a.top
        for a, b in pairwise(body)
        if a.page == b.page and 0 < b.top - a.top < 4 * size
    ]
    indented = [line for line in body if 1.2 * size < line.x0 - left < 3.5 * size]
    return _Measure(
        float(left),
        ends[int(len(ends) * 0.95)] if len(ends) > 1 else ends[0],
        size,
        median(pitches) if pitches else 1.5 * size,
        len(indented) * 10 >= len(body),
    )


def _begins(line: Line, gathered: Sequence[Line], measure: _Measure) -> bool:
    """Whether ``line`` opens a new paragraph after the lines gathered so far."""
    last = gathered[-1]
    if abs(line.size - last.size) > 0.15 * last.size:
        return True
    if measure.displays(line) and measure.displays(last) and line.size > 1.1 * measure.size:
        # A title over several lines; a gap ends it.
        return line.page != last.page or line.top - last.bottom > 1.2 * line.size
    if line.page == last.page and line.top - last.top > 1.8 * measure.pitch:
        return True
    if measure.indents(line) or measure.ends_short(last):
        return True
    return begins_with_mark(line.text) and not measure.is_indented


def _paragraph(lines: Sequence[Line], measure: _Measure) -> Paragraph:
    text = lines[0].text
    for line in lines[1:]:
        is_latin = _ASCII_WORD.search(text) and line.text[:1].isascii() and line.text[:1].isalpha()
        text += f" {line.text}" if is_latin else line.text
    is_display = all(measure.displays(line) for line in lines)
    return Paragraph(tidy(text), lines[0].page, is_display=is_display)
