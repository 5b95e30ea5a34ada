"""Reads a PDF page by page: lines of text with their places, and tables; ``pages`` puts them together."""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import Callable, Iterator
from enum import Enum
from io import BytesIO
from typing import Any
from unicodedata import category

import pdfplumber
from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect
from pdfplumber.utils.exceptions import PdfminerException

from knowledge.documents.blocks import Document, Kind, PageProgress, tidy
from knowledge.documents.kinds import LIMITS, Limits
from knowledge.documents.pages import Line, Page, PageTable, blocks_of
from knowledge.documents.pdf_fonts import mend_collections
from knowledge.errors import DamagedDocument, LockedDocument, OversizedDocument, ScannedDocument

_CID = re.compile(r"\(cid:\d+\)")
_MB = 1024 * 1024
_MEANINGLESS = frozenset({"Co", "Cn", "Cs", "Cc"})
# Signs of ISO 8859-1 that Chinese papers do use.
_WESTERN = frozenset("\xa0\xa7\xa9\xae\xb0\xb1\xb2\xb3\xb5\xb7\xd7\xf7é")
_MIN_EDGES = 6
# A page with more of them than this share has no text layer one could search; bullets of symbol fonts are fewer.
_UNREADABLE_SHARE = 0.2


def read_pdf(
    file: str, data: bytes, progress: PageProgress | None = None, limits: Limits = LIMITS
) -> Document:
    """The text layer of ``data``. Only one page's characters are in memory at a time.

    Raises:
        LockedDocument, DamagedDocument, OversizedDocument: as named.
        ScannedDocument: with the pages that are pictures, or whose letters have no meaning stored.
    """
    logging.getLogger("pdfminer").setLevel(logging.ERROR)
    if b"%%EOF" not in data[-65536:]:
        raise DamagedDocument(file, "PDF 不完整（没有结尾）；请重新下载或导出后再导入")
    _check_streams(file, data, limits)
    pages: list[Page] = []
    pictures: list[int] = []
    garbled: list[int] = []
    with _opened(file, data) as pdf:
        total = len(pdf.pages)
        if not total:
            raise DamagedDocument(file, "PDF 里没有页面")
        if total > limits.pages:
            raise OversizedDocument(
                file, f"有 {total} 页，超过上限 {limits.pages} 页；请拆分后再导入"
            )
        for number, raw in enumerate(pdf.pages, 1):
            page = _read_page(file, raw, number, limits)
            if isinstance(page, Page):
                pages.append(page)
            else:
                (garbled if page is _Lost.GARBLED else pictures).append(number)
            raw.close()
            if progress:
                progress(number, total)
    _check_text(file, pictures, garbled)
    return Document(file, Kind.PDF, tuple(blocks_of(pages)), pages=total)


class _Lost(Enum):
    """Why a page has no text: it is a picture, or its letters do not say what they mean."""

    PICTURE = "picture"
    GARBLED = "garbled"


def _check_text(file: str, pictures: list[int], garbled: list[int]) -> None:
    reasons = []
    if pictures:
        reasons.append(
            f"第 {_ranges(pictures)} 页是扫描图片，没有可用的文字层；请先做文字识别（OCR）"
        )
    if garbled:
        reasons.append(
            f"第 {_ranges(garbled)} 页的文字层是乱码（字体里没有文字编码），读出来认不得；请从原文件重新导出 PDF，或先做文字识别（OCR）"
        )
    if reasons:
        raise ScannedDocument(
            file,
            "；".join(reasons) + "，或换成 docx、有文字的 PDF 再导入",
            tuple(sorted([*pictures, *garbled])),
        )


class _opened:
    """The PDF while it is open; what the library raises on opening, in our words."""

    def __init__(self, file: str, data: bytes) -> None:
        try:
            # Without a password: whoever may read it need not know the owner's.
            self._pdf = pdfplumber.open(BytesIO(data))
            mend_collections(self._pdf.doc)
        except PdfminerException as error:
            cause = error.args[0] if error.args else error
            if isinstance(cause, PDFPasswordIncorrect):
                raise LockedDocument(file, "打开这个 PDF 需要密码；请取消密码后再导入") from error
            if isinstance(cause, PDFEncryptionError):
                raise LockedDocument(
                    file, "PDF 的加密方式读不了；请取消密码或限制，另存后再导入"
                ) from error
            raise DamagedDocument(file, "PDF 已损坏，打不开；请重新下载或导出后再导入") from error

    def __enter__(self) -> Any:
        return self._pdf

    def __exit__(self, *exception: object) -> None:
        self._pdf.close()


def _read_page(file: str, raw: Any, number: int, limits: Limits) -> Page | _Lost:
    chars = [char for char in raw.chars if _is_level(char)]
    if len(chars) > limits.page_characters:
        raise OversizedDocument(file, f"第 {number} 页有 {len(chars)} 个字，不像正常的页面")
    if not any(char["text"].strip() for char in chars):
        return _Lost.PICTURE if raw.images else Page(number, float(raw.height), (), ())
    texts = [char["text"] for char in chars if char["text"].strip()]
    if sum(map(_is_unreadable, texts)) > _UNREADABLE_SHARE * len(texts):
        return _Lost.GARBLED
    tables = tuple(_tables(raw, number))
    lines = tuple(
        line for line in _lines(chars, number) if not any(table.holds(line) for table in tables)
    )
    return Page(number, float(raw.height), lines, tables)


def _is_unreadable(text: str) -> bool:
    """Whether a letter has no meaning: no code, a private one, or a byte of Chinese taken for a Western letter."""
    return bool(_CID.fullmatch(text)) or any(
        char == "\ufffd"
        or ("\x80" <= char <= "\xff" and char not in _WESTERN)
        or category(char) in _MEANINGLESS
        for char in text
    )


def _is_level(char: dict[str, Any]) -> bool:
    """Whether a character stands on a level line; a slanted watermark does not. Italics lean, but stand level."""
    across, down, *_ = char["matrix"]
    return bool(across > 0 and abs(down) < 0.05 * across)


def _lines(chars: list[dict[str, Any]], number: int) -> Iterator[Line]:
    """Characters grouped by their middle line; left to right, a wide gap becomes a space."""
    row: list[dict[str, Any]] = []
    for char in sorted(chars, key=lambda c: ((c["top"] + c["bottom"]) / 2, c["x0"])):
        if row and _middle(char) - _middle(row[0]) > 0.5 * row[0]["height"]:
            yield from _line(row, number)
            row = []
        row.append(char)
    yield from _line(row, number)


def _middle(char: dict[str, Any]) -> float:
    return float(char["top"] + char["bottom"]) / 2


def _line(row: list[dict[str, Any]], number: int) -> Iterator[Line]:
    row = sorted(row, key=lambda c: c["x0"])
    text, last = "", None
    for char in row:
        if last is not None:
            if char["text"] == last["text"] and abs(char["x0"] - last["x0"]) < 1:
                continue  # bold drawn twice
            if char["x0"] - last["x1"] > 0.4 * char["height"]:
                text += " "
        text += char["text"]
        last = char
    words = [char for char in row if char["text"].strip()]
    if not words or not tidy(text):
        return
    heights = sorted(char["height"] for char in words)
    yield Line(
        tidy(text),
        number,
        float(words[0]["x0"]),
        float(max(char["x1"] for char in words)),
        float(min(char["top"] for char in words)),
        float(max(char["bottom"] for char in words)),
        float(heights[len(heights) // 2]),
    )


def _tables(raw: Any, number: int) -> Iterator[PageTable]:
    """Ruled tables of at least two rows and columns; a single box is a frame around text."""
    if len(raw.rects) + len(raw.lines) + len(raw.curves) == 0 or len(raw.edges) < _MIN_EDGES:
        return
    for table in raw.find_tables():
        if len(table.rows) < 2 or max(len(row.cells) for row in table.rows) < 2:
            continue
        texts = table.extract()
        filled = _filled(table, texts)
        if any(any(row) for row in filled):
            x0, top, x1, bottom = table.bbox
            yield PageTable(filled, number, float(x0), float(top), float(x1), float(bottom))


def _filled(table: Any, texts: list[list[str | None]]) -> tuple[tuple[str, ...], ...]:
    """Cell texts, a merged cell's repeated in every place it covers."""
    columns = [next((c for c in column.cells if c), None) for column in table.columns]
    owners = [
        (cell, tidy((text or "").replace("\n", "")))
        for row, line in zip(table.rows, texts, strict=True)
        for cell, text in zip(row.cells, line, strict=True)
        if cell is not None
    ]
    rows: list[tuple[str, ...]] = []
    for row, line in zip(table.rows, texts, strict=True):
        cells: list[str] = []
        for index, (cell, text) in enumerate(zip(row.cells, line, strict=True)):
            if cell is not None:
                cells.append(tidy((text or "").replace("\n", "")))
                continue
            column = columns[index] if index < len(columns) else None
            own_x = (column[0] + column[2]) / 2 if column else -1.0
            own_y = (row.bbox[1] + row.bbox[3]) / 2
            cells.append(
                next((t for c, t in owners if c[0] <= own_x <= c[2] and c[1] <= own_y <= c[3]), "")
            )
        rows.append(tuple(cells))
    return tuple(row for row in rows if any(row))


def _check_streams(file: str, data: bytes, limits: Limits) -> None:
    """Unpacks every stream in small steps and lets go of it, so that a bomb is met before the library meets it."""
    total = 0
    for match in re.finditer(rb"stream\r?\n", data):
        total += _unpacked_size(data, match.end(), limits.part + 1)
        if total > limits.unpacked:
            raise OversizedDocument(
                file,
                f"展开后超过 {limits.unpacked // _MB} MB（文件本身 {len(data) / _MB:.1f} MB），没有读取",
            )


def _unpacked_size(data: bytes, start: int, most: int) -> int:
    """Size after at most three layers of deflate; 0 for a stream that is packed otherwise."""
    if data[start : start + 1] != b"\x78":
        return 0
    layers = [zlib.decompressobj()]
    sizes = [0]

    def feed(depth: int, chunk: bytes) -> None:
        room = most - sizes[depth]
        out = layers[depth].decompress(chunk, room) if room > 0 else b""
        if not sizes[depth] and out[:1] == b"\x78" and depth < 2:
            layers.append(zlib.decompressobj())
            sizes.append(0)
        sizes[depth] += len(out)
        if depth + 1 < len(layers) and out:
            _quietly(feed, depth + 1, out)

    for at in range(start, len(data), 16384):
        if not _quietly(feed, 0, data[at : at + 16384]) or layers[0].eof or max(sizes) >= most:
            break
    return max(sizes)


def _quietly(feed: Callable[[int, bytes], None], depth: int, chunk: bytes) -> bool:
    try:
        feed(depth, chunk)
    except zlib.error:
        return False
    return True


def _ranges(numbers: list[int]) -> str:
    """``[1, 2, 3, 7]`` as ``1-3、7``."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return "、".join(str(p[0]) if len(p) == 1 else f"{p[0]}-{p[-1]}" for p in parts)
