"""Mends the fonts of an encrypted PDF whose writer left the name of a character collection unencrypted."""

from __future__ import annotations

from typing import Any

from pdfminer.pdfdocument import PDFDocument
from pdfminer.pdfexceptions import PDFException
from pdfminer.pdftypes import resolve1
from pdfminer.psparser import literal_name

# Adobe's predefined encodings name their collection (ISO 32000-1, table 118).
_COLLECTIONS = (
    (("UniGB", "GBK", "GB-", "GBpc", "GBT"), b"GB1"),
    (("UniCNS", "B5", "ETen", "HKscs", "CNS"), b"CNS1"),
    (("UniJIS", "83pv", "90ms", "90pv", "Add-", "EUC-"), b"Japan1"),
    (("UniKS", "KSC"), b"Korea1"),
)
_KNOWN = frozenset({b"GB1", b"CNS1", b"Japan1", b"Korea1", b"KR", b"Identity", b"UCS"})


def mend_collections(document: PDFDocument) -> None:
    """Where decrypting made nonsense of a font's collection, puts in the one its encoding is for."""
    if document.encryption is None:
        return
    for number in {number for xref in document.xrefs for number in xref.get_objids()}:
        try:
            font = resolve1(document.getobj(number))
        except PDFException:
            continue
        if isinstance(font, dict) and _name(font.get("Subtype")) == "Type0":
            _mend(font)


def _mend(font: dict[str, Any]) -> None:
    encoding = _name(resolve1(font.get("Encoding")))
    collection = next((each for starts, each in _COLLECTIONS if encoding.startswith(starts)), None)
    descendants = resolve1(font.get("DescendantFonts"))
    for each in descendants if collection and isinstance(descendants, list) else ():
        descendant = resolve1(each)
        described = resolve1(descendant.get("CIDSystemInfo")) if isinstance(descendant, dict) else 0
        if isinstance(described, dict) and resolve1(described.get("Ordering")) not in _KNOWN:
            described |= {"Registry": b"Adobe", "Ordering": collection}


def _name(value: object) -> str:
    try:
        return str(literal_name(value)) if value is not None else ""
    except PDFException:
        return ""
