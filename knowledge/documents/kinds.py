"""Tells what a file holds by its content, and turns away what is unsafe or cannot be read."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

from knowledge.documents.blocks import Kind
from knowledge.errors import (
    DamagedDocument,
    DocumentError,
    LockedDocument,
    OversizedDocument,
    UnsupportedDocument,
)

ACCEPTED = "docx、pdf、html、xlsx、jsonl"
SUFFIXES = frozenset({".docx", ".docm", ".pdf", ".html", ".htm", ".xlsx", ".xlsm", ".jsonl"})
_MB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """The most that is read of one file; bytes, and for ``ratio`` times its packed size."""

    file: int = 50 * _MB
    html: int = 10 * _MB
    unpacked: int = 400 * _MB
    part: int = 150 * _MB
    ratio: int = 200
    # Below this a high ratio is harmless: a blank table packs 300 times.
    ratio_from: int = 20 * _MB
    entries: int = 10_000
    pages: int = 2_000
    page_characters: int = 100_000


LIMITS = Limits()


def read_bytes(path: Path, limits: Limits = LIMITS) -> bytes:
    """The file's content. Raises ``DocumentError`` where it is missing, empty or too large."""
    try:
        if not path.is_file():
            raise DocumentError(path.name, "不是文件，或者不存在")
        size = path.stat().st_size
        if size > limits.file:
            raise OversizedDocument(
                path.name, f"{size / _MB:.0f} MB，超过上限 {limits.file // _MB} MB；请拆分后再导入"
            )
        data = path.read_bytes()
    except OSError as error:
        raise DocumentError(path.name, f"读不出来：{error.strerror}") from error
    if not data.strip():
        raise DamagedDocument(path.name, "是空文件")
    return data


def kind_of(name: str, data: bytes, limits: Limits = LIMITS) -> Kind:
    """What ``data`` holds. The name decides only between text kinds, which nothing else tells apart.

    Raises:
        DocumentError: of a kind that is not read, locked, damaged or unsafe to unpack.
    """
    suffix = Path(name).suffix.lower()
    if data.startswith(b"PK"):
        return _office_kind(name, data, limits)
    if b"%PDF-" in data[:1024]:
        return Kind.PDF
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise _compound_file(name, data)
    if suffix == ".jsonl":
        return Kind.JSONL
    if _looks_like_html(data):
        if len(data) > limits.html:
            raise OversizedDocument(name, f"网页超过 {limits.html // _MB} MB；请只保存正文")
        return Kind.HTML
    raise _not_accepted(name, suffix)


def _not_accepted(name: str, suffix: str) -> DocumentError:
    if suffix in {".docx", ".docm", ".xlsx", ".xlsm", ".pdf"}:
        return DamagedDocument(
            name, f"内容不是 {suffix[1:]}，文件已损坏或扩展名不对；请重新导出后再导入"
        )
    if suffix in {".html", ".htm"}:
        return UnsupportedDocument(name, "里面没有网页内容")
    said = f"不能导入 {suffix or '没有扩展名的'} 文件"
    if suffix == ".txt":
        said += "（纯文本没有标题和段落的层次，请另存为 docx）"
    return UnsupportedDocument(name, f"{said}；可以导入的有 {ACCEPTED}")


def _looks_like_html(data: bytes) -> bool:
    head = data[:4096].replace(b"\0", b"").lower()
    return any(tag in head for tag in (b"<!doctype html", b"<html", b"<head", b"<body")) or (
        head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(
            (b"<div", b"<p", b"<h1", b"<article", b"<table")
        )
    )


def _compound_file(name: str, data: bytes) -> DocumentError:
    """Word and Excel of before 2007, and every encrypted docx or xlsx, are OLE containers."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return LockedDocument(name, "有密码保护；请在 Word 或 Excel 里取消密码，另存后再导入")
    if "WordDocument".encode("utf-16-le") in data:
        return UnsupportedDocument(name, "是旧版 .doc；请用 Word 或 WPS 另存为 docx 再导入")
    if "Workbook".encode("utf-16-le") in data:
        return UnsupportedDocument(name, "是旧版 .xls；请用 Excel 或 WPS 另存为 xlsx 再导入")
    return UnsupportedDocument(
        name, f"是旧版 Office 文件；请另存为 docx 或 xlsx（可以导入的有 {ACCEPTED}）"
    )


def _office_kind(name: str, data: bytes, limits: Limits) -> Kind:
    try:
        with ZipFile(BytesIO(data)) as package:
            entries = package.infolist()
            _check_sizes(name, len(data), entries, limits)
            for entry in entries:
                if entry.filename.endswith((".xml", ".rels")):
                    _check_part(name, package, entry, limits)
            names = {entry.filename for entry in entries}
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise DamagedDocument(name, "压缩包已损坏或不完整；请重新保存后再导入") from error
    except RuntimeError as error:
        raise LockedDocument(name, "压缩包有密码保护；请取消密码后再导入") from error
    if "word/document.xml" in names:
        return Kind.DOCX
    if "xl/workbook.xml" in names:
        return Kind.XLSX
    raise UnsupportedDocument(name, f"是压缩包，但不是 docx 或 xlsx；可以导入的有 {ACCEPTED}")


def _check_sizes(name: str, packed: int, entries: list[ZipInfo], limits: Limits) -> None:
    if len(entries) > limits.entries:
        raise OversizedDocument(name, f"里面有 {len(entries)} 个部件，不像正常的文档")
    unpacked = sum(entry.file_size for entry in entries)
    largest = max((entry.file_size for entry in entries), default=0)
    is_absurd = unpacked > limits.ratio_from and unpacked > limits.ratio * packed
    if unpacked > limits.unpacked or largest > limits.part or is_absurd:
        raise OversizedDocument(
            name,
            f"展开后有 {unpacked / _MB:.0f} MB（文件本身 {packed / _MB:.1f} MB），不像正常的文档，没有读取",
        )


def _check_part(name: str, package: ZipFile, entry: ZipInfo, limits: Limits) -> None:
    """Unpacks in small steps: a forged directory may promise less than the data holds.

    Office never writes a document type into its XML; one is there only to define entities.
    """
    seen, tail = 0, b""
    with package.open(entry) as part:
        while chunk := part.read(_MB):
            seen += len(chunk)
            if seen > limits.part:
                raise OversizedDocument(name, f"部件 {entry.filename} 展开后大得不正常，没有读取")
            text = (tail + chunk).replace(b"\0", b"")
            if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
                raise UnsupportedDocument(
                    name,
                    f"部件 {entry.filename} 里有实体定义，正常的文档不会有；为安全起见没有读取",
                )
            tail = chunk[-32:]
