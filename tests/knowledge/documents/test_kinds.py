"""Files nobody should open blindly: locked, damaged, absurdly packed, misnamed; each is refused in clear words."""

from __future__ import annotations

import zlib
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
from reportlab.pdfgen.canvas import Canvas

from knowledge.documents.blocks import Document, Kind, Paragraph
from knowledge.documents.kinds import Limits, kind_of, read_bytes
from knowledge.documents.reading import read_document, read_workbook
from knowledge.errors import (
    DamagedDocument,
    DocumentError,
    LockedDocument,
    OversizedDocument,
    ScannedDocument,
    UnsupportedDocument,
)
from tests.knowledge.documents.papers import measures, saved, to_docx, to_html, to_pdf

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


def read(name: str, data: bytes, limits: Limits | None = None) -> Document:
    used = limits or Limits()
    return read_document(name, data, kind_of(name, data, used), limits=used)


def package(parts: dict[str, bytes], data: bytes | None = None) -> bytes:
    """A Word file (or ``data``) with some parts put in or exchanged."""
    out = BytesIO()
    with (
        ZipFile(BytesIO(data or to_docx(measures()))) as old,
        ZipFile(out, "w", ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            if entry.filename not in parts:
                new.writestr(entry, old.read(entry))
        for name, content in parts.items():
            new.writestr(name, content)
    return out.getvalue()


class TestKind:
    @pytest.mark.parametrize("name", ["措施.docx", "措施.pdf", "措施.html", "措施"])
    def test_content_counts_not_the_name(self, name: str) -> None:
        assert kind_of(name, to_pdf(measures())) is Kind.PDF
        assert kind_of(name, to_docx(measures())) is Kind.DOCX
        assert kind_of(name, saved(openpyxl.Workbook())) is Kind.XLSX

    def test_pdf_named_docx_is_read_as_what_it_is(self) -> None:
        document = read("措施.docx", to_pdf(measures()))
        assert document.kind is Kind.PDF
        assert document.pages == 2

    def test_text_is_refused_with_the_accepted_kinds(self) -> None:
        with pytest.raises(UnsupportedDocument, match=r"\.txt .*docx、pdf、html、xlsx、jsonl"):
            kind_of("措施.txt", "第一条 奖励。".encode())

    def test_old_word_and_excel_are_told_how_to_save(self) -> None:
        with pytest.raises(UnsupportedDocument, match="另存为 docx"):
            kind_of("旧.doc", OLE + "WordDocument".encode("utf-16-le"))
        with pytest.raises(UnsupportedDocument, match="另存为 xlsx"):
            kind_of("旧.xls", OLE + "Workbook".encode("utf-16-le"))

    def test_rubbish_with_a_good_name_is_damaged(self) -> None:
        for name in ("措施.docx", "措施.pdf", "措施.xlsx"):
            with pytest.raises(DamagedDocument):
                kind_of(name, bytes(range(256)) * 10)

    def test_other_package_is_refused(self) -> None:
        out = BytesIO()
        with ZipFile(out, "w") as package:
            package.writestr("a.txt", "甲")
        with pytest.raises(UnsupportedDocument, match="不是 docx 或 xlsx"):
            kind_of("包.zip", out.getvalue())


class TestFile:
    def test_empty_and_missing(self, tmp_path: Path) -> None:
        empty = tmp_path / "空.docx"
        empty.write_bytes(b" \n")
        with pytest.raises(DamagedDocument, match="空文件"):
            read_bytes(empty)
        with pytest.raises(DocumentError, match="不存在"):
            read_bytes(tmp_path / "没有.docx")

    def test_too_large_is_not_even_read(self, tmp_path: Path) -> None:
        big = tmp_path / "大.pdf"
        with big.open("wb") as file:
            file.truncate(51 * 1024 * 1024)
        with pytest.raises(OversizedDocument, match="51 MB，超过上限 50 MB"):
            read_bytes(big)


class TestLocked:
    @pytest.mark.parametrize("name", ["密.docx", "密.xlsx"])
    def test_encrypted_office_file(self, name: str) -> None:
        with pytest.raises(LockedDocument, match="密码"):
            kind_of(name, OLE + "EncryptedPackage".encode("utf-16-le"))

    def test_encrypted_pdf(self) -> None:
        out = BytesIO()
        canvas = Canvas(out, encrypt="secret")
        canvas.drawString(100, 700, "locked")
        canvas.save()
        with pytest.raises(LockedDocument, match="密码"):
            read("密.pdf", out.getvalue())


class TestDamaged:
    @pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
    @pytest.mark.parametrize("make", [to_docx, to_pdf])
    def test_truncated(self, make: object, share: float) -> None:
        assert callable(make)
        data = make(measures())
        with pytest.raises(DamagedDocument):
            read("断.docx" if make is to_docx else "断.pdf", data[: int(len(data) * share)])

    def test_broken_xml_inside(self) -> None:
        with pytest.raises(DamagedDocument, match="损坏"):
            read("坏.docx", package({"word/document.xml": b"<w:document><w:body>"}))

    @pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml"])
    def test_broken_xml_inside_a_workbook(self, part: str) -> None:
        book = openpyxl.Workbook()
        book.active.append(["标题", "文号", "地区"])
        data = package({part: b"<worksheet><sheetData><row"}, saved(book))
        with pytest.raises(DamagedDocument, match="xlsx 已损坏"):
            read_workbook("坏.xlsx", data, {})

    def test_pdf_without_pages(self) -> None:
        with pytest.raises(DamagedDocument):
            read("空.pdf", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF")

    def test_truncated_html(self) -> None:
        data = to_html(measures())
        with pytest.raises(DamagedDocument, match="不完整"):
            read("断.html", data[: len(data) // 2])

    def test_truncated_workbook(self) -> None:
        with pytest.raises(DamagedDocument):
            kind_of("断.xlsx", saved(openpyxl.Workbook())[:-100])


class TestBombs:
    def test_package_that_unpacks_absurdly(self) -> None:
        bomb = package({"word/media/a.xml": b"\0" * 60_000_000})
        assert len(bomb) < 1_000_000
        with pytest.raises(OversizedDocument, match="展开后有"):
            kind_of("炸.docx", bomb)

    def test_directory_that_lies_about_sizes(self) -> None:
        data = bytearray(package({"word/x.xml": b"\0" * 30_000_000}))
        honest = (30_000_000).to_bytes(4, "little")
        while (at := data.find(honest)) >= 0:
            data[at : at + 4] = (1000).to_bytes(4, "little")
        with pytest.raises((OversizedDocument, DamagedDocument)):
            kind_of("谎.docx", bytes(data), Limits(part=10_000_000))

    def test_pdf_stream_that_unpacks_absurdly(self) -> None:
        packed = zlib.compress(zlib.compress(b"\0" * 300_000_000, 9), 9)
        data = b"%PDF-1.4\n1 0 obj\n<</Filter[/FlateDecode/FlateDecode]>>\nstream\n" + packed
        with pytest.raises(OversizedDocument, match="展开后超过"):
            read(
                "炸.pdf",
                data + b"\nendstream\nendobj\n%%EOF",
                Limits(part=50_000_000, unpacked=40_000_000),
            )

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_entities_are_not_unfolded(self, encoding: str) -> None:
        xml = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]><a>&c;</a>'
        with pytest.raises(UnsupportedDocument, match="实体定义"):
            kind_of("实体.docx", package({"word/document.xml": xml.encode(encoding)}))

    def test_external_entity_is_not_fetched(self) -> None:
        xml = b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>'
        with pytest.raises(UnsupportedDocument, match="实体定义"):
            kind_of("实体.xlsx", package({"xl/workbook.xml": xml}, saved(openpyxl.Workbook())))

    def test_macros_are_ignored(self) -> None:
        data = package({"word/vbaProject.bin": b"Sub AutoOpen()"})
        assert read("宏.docm", data).blocks == read("无.docx", to_docx(measures())).blocks

    def test_html_nested_beyond_the_stack(self) -> None:
        deep = (
            b"<html><body>"
            + b"<div>" * 20_000
            + "第一条 奖励十万元。".encode()
            + b"</div>" * 20_000
        )
        (block,) = read("深.html", deep + b"</body></html>").blocks
        assert block == Paragraph("第一条 奖励十万元。")

    def test_too_many_pages(self) -> None:
        with pytest.raises(OversizedDocument, match="超过上限 1 页"):
            read("长.pdf", to_pdf(measures()), Limits(pages=1))


class TestScans:
    def test_pages_of_pictures_are_named(self) -> None:
        out = BytesIO()
        canvas = Canvas(out)
        for page in range(1, 5):
            if page == 2:
                canvas.drawString(100, 700, "text")
            else:
                canvas.drawInlineImage(picture(), 0, 0, 200, 200)
            canvas.showPage()
        canvas.save()
        with pytest.raises(ScannedDocument, match="第 1、3-4 页是扫描图片") as caught:
            read("扫描.pdf", out.getvalue())
        assert caught.value.pages == (1, 3, 4)


def picture() -> object:
    from PIL import Image

    return Image.new("RGB", (8, 8), "grey")
