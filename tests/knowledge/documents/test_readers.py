"""The readers of docx, pdf and html: everything of the text, nothing of the frame around it."""

from __future__ import annotations

import tracemalloc
from io import BytesIO

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from reportlab.pdfgen.canvas import Canvas

from knowledge.documents.blocks import Document, Kind, Paragraph, Table
from knowledge.documents.kinds import LIMITS
from knowledge.documents.pdf import _Lost, _read_page, read_pdf
from knowledge.documents.reading import read_document
from knowledge.documents.word_numbers import chinese, in_format
from knowledge.errors import DamagedDocument
from tests.knowledge.documents.papers import P, Part, measures, saved, to_docx, to_html, to_pdf

LONG = "区发展和改革局应当自受理截止之日起三十个工作日内完成材料审核，必要时可以委托第三方机构开展专项审计或者组织专家评审，并将结果公示。"


def texts(document: Document) -> list[str]:
    return [block.text for block in document.blocks if isinstance(block, Paragraph)]


def tables(document: Document) -> list[Table]:
    return [block for block in document.blocks if isinstance(block, Table)]


class TestDocx:
    def read(self, data: bytes) -> Document:
        return read_document("a.docx", data, Kind.DOCX)

    def test_headers_and_footers_are_left_out(self) -> None:
        document = self.read(to_docx([P("第一条 奖励。")], header="区政府文件汇编"))
        assert texts(document) == ["第一条 奖励。"]

    def test_automatic_numbers_are_written_out(self) -> None:
        word = docx.Document()
        numbering = word.part.numbering_part.element
        levels = "".join(
            f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/></w:lvl>'
            for n, (kind, text) in enumerate(
                [
                    ("chineseCountingThousand", "第%1条 "),
                    ("chineseCounting", "（%2）"),
                    ("decimal", "%3."),
                ]
            )
        )
        numbering.insert(
            0,
            parse_xml(
                f'<w:abstractNum {nsdecls("w")} w:abstractNumId="90">{levels}</w:abstractNum>'
            ),
        )
        numbering.append(
            parse_xml(f'<w:num {nsdecls("w")} w:numId="91"><w:abstractNumId w:val="90"/></w:num>')
        )
        for level, text in [(0, "甲"), (1, "乙"), (1, "丙"), (2, "丁"), (0, "戊"), (1, "己")]:
            properties = word.add_paragraph(text)._p.get_or_add_pPr()
            properties.append(
                parse_xml(
                    f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="91"/></w:numPr>'
                )
            )
        assert texts(self.read(saved(word))) == [
            "第一条 甲",
            "（一）乙",
            "（二）丙",
            "1.丁",
            "第二条 戊",
            "（一）己",
        ]

    def test_struck_text_goes_inserted_text_stays(self) -> None:
        word = docx.Document()
        paragraph = word.add_paragraph("给予")._p
        paragraph.append(
            parse_xml(f"<w:del {nsdecls('w')}><w:r><w:delText>五万元</w:delText></w:r></w:del>")
        )
        paragraph.append(parse_xml(f"<w:ins {nsdecls('w')}><w:r><w:t>十万元</w:t></w:r></w:ins>"))
        assert texts(self.read(saved(word))) == ["给予十万元"]

    def test_generated_contents_are_left_out_other_controls_opened(self) -> None:
        word = docx.Document()
        word.add_paragraph("正文。")
        for gallery, text in (("Table of Contents", "第一章 总则 1"), ("Other", "控件里的话。")):
            word.element.body.insert(0, parse_xml(
                f'<w:sdt {nsdecls("w")}><w:sdtPr><w:docPartObj><w:docPartGallery w:val="{gallery}"/></w:docPartObj></w:sdtPr>'
                f"<w:sdtContent><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:sdtContent></w:sdt>"
            ))  # fmt: skip
        assert texts(self.read(saved(word))) == ["控件里的话。", "正文。"]

    def test_merged_cells_are_repeated(self) -> None:
        word = docx.Document()
        table = word.add_table(rows=3, cols=2)
        for row, cells in zip(
            table.rows, [("类别", "条件"), ("甲类", "一"), ("", "二")], strict=True
        ):
            for cell, text in zip(row.cells, cells, strict=True):
                cell.text = text
        table.cell(1, 0).merge(table.cell(2, 0))
        assert tables(self.read(saved(word)))[0].rows == (
            ("类别", "条件"),
            ("甲类", "一"),
            ("甲类", "二"),
        )

    def test_table_of_one_column_is_a_frame(self) -> None:
        word = docx.Document()
        word.add_table(rows=1, cols=1).cell(0, 0).text = "框里的话。"
        assert texts(self.read(saved(word))) == ["框里的话。"]

    def test_line_breaks_part_paragraphs(self) -> None:
        assert texts(self.read(to_docx([P("一、甲\n二、乙")]))) == ["一、甲", "二、乙"]

    def test_text_box_is_read_once(self) -> None:
        word = docx.Document()
        box = "<w:txbxContent><w:p><w:r><w:t>区政府文件</w:t></w:r></w:p></w:txbxContent>"
        word.add_paragraph("正文。")._p.append(parse_xml(
            f'<w:r {nsdecls("w")} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:AlternateContent>'
            f"<mc:Choice Requires=\"wps\">{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r>"
        ))  # fmt: skip
        assert texts(self.read(saved(word))) == ["区政府文件", "正文。"]


@pytest.mark.parametrize(
    ("number", "written"),
    [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (21, "二十一"), (100, "一百"), (103, "一百零三"), (110, "一百一十"), (215, "二百一十五"), (1000, "1000")],
)  # fmt: skip
def test_chinese_numerals(number: int, written: str) -> None:
    assert chinese(number) == written
    assert in_format(number, "chineseCounting") == written


class TestPdf:
    def read(self, parts: list[Part], **options: object) -> Document:
        return read_document("a.pdf", to_pdf(parts, **options), Kind.PDF)  # type: ignore[arg-type]

    def test_paragraph_over_a_page_end_is_one(self) -> None:
        parts: list[Part] = [P(f"第{chinese(n)}条 {LONG}") for n in range(1, 30)]
        document = self.read(parts, header="区政府文件汇编")
        assert document.pages is not None and document.pages >= 3
        assert texts(document) == [part.text for part in parts if isinstance(part, P)]

    def test_page_is_where_the_paragraph_begins(self) -> None:
        parts: list[Part] = [P(f"第{chinese(n)}条 {LONG}") for n in range(1, 30)]
        pages = [block.page for block in self.read(parts).blocks]
        assert pages[0] == 1
        assert pages == sorted(pages, key=lambda page: page or 0)
        assert pages[-1] == self.read(parts).pages

    def test_furniture_is_left_out(self) -> None:
        document = self.read([P(LONG) for _ in range(40)], header="福田区政策汇编 第3期")
        assert set(texts(document)) == {LONG}

    def test_table_over_a_page_end_is_one(self) -> None:
        rows = (("档次", "金额"), *((f"第{n}档", f"{n}万元") for n in range(1, 60)))
        document = self.read([P(LONG), rows, P(LONG)])
        (table,) = tables(document)
        assert table.rows == rows
        assert table.page == 1

    def test_title_over_two_lines_is_one(self) -> None:
        title = "深圳市福田区科技创新局关于印发《福田区支持企业研发创新若干措施》的通知"
        document = self.read([P(title, "title"), P(LONG), P(LONG)])
        assert texts(document)[0] == title
        assert isinstance(document.blocks[0], Paragraph) and document.blocks[0].is_display

    def test_unindented_paragraphs_part_at_short_lines_and_numbers(self) -> None:
        parts: list[Part] = [
            P("一、" + LONG, "plain"),
            P("二、短句。", "plain"),
            P(LONG, "plain"),
            P("（一）" + LONG, "plain"),
        ]
        assert texts(self.read(parts)) == [part.text for part in parts if isinstance(part, P)]

    def test_letters_without_a_meaning_are_refused(self) -> None:
        class FontWithoutMeaning:
            """A page as the library shows it when its font has no table of characters."""

            height, images, rects, lines, curves = 842.0, (), (), (), ()
            chars = tuple({"text": f"(cid:{n})", "matrix": (1, 0, 0, 1, 0, 0)} for n in range(20))

        assert _read_page("a.pdf", FontWithoutMeaning(), 1, LIMITS) is _Lost.GARBLED

    def test_many_pages_are_read_one_at_a_time(self) -> None:
        out = BytesIO()
        canvas = Canvas(out)
        for page in range(120):
            canvas.drawString(
                90, 700, f"Clause {page}: grants are paid once a year to firms that apply in time."
            )
            canvas.drawString(300, 30, f"- {page + 1} -")
            canvas.showPage()
        canvas.save()
        seen: list[tuple[int, int]] = []
        tracemalloc.start()
        document = read_pdf("a.pdf", out.getvalue(), lambda page, pages: seen.append((page, pages)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert seen == [(page, 120) for page in range(1, 121)]
        assert "Clause 119:" in texts(document)[-1]
        assert peak < 6_000_000  # 18 MB where pages are not let go

    def test_slanted_watermark_is_no_text(self) -> None:
        out = BytesIO()
        canvas = Canvas(out)
        canvas.drawString(100, 700, "text")
        canvas.rotate(45)
        canvas.drawString(300, 100, "watermark")
        canvas.save()
        assert texts(read_document("a.pdf", out.getvalue(), Kind.PDF)) == ["text"]


class TestHtml:
    def read(self, html: str, encoding: str = "utf-8") -> Document:
        return read_document("a.html", html.encode(encoding), Kind.HTML)

    @pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "gb2312", "utf-16"])
    def test_encodings(self, encoding: str) -> None:
        html = f'<html><head><meta charset="{encoding}"></head><body><p>第一条 奖励企业十万元。</p></body></html>'
        assert texts(self.read(html, encoding)) == ["第一条 奖励企业十万元。"]

    def test_wrongly_declared_encoding(self) -> None:
        html = '<html><head><meta charset="utf-8"></head><body><p>第一条 奖励。</p></body></html>'
        assert texts(self.read(html, "gb18030")) == ["第一条 奖励。"]

    def test_frame_of_the_page_is_left_out(self) -> None:
        said = texts(read_document("a.html", to_html(measures()), Kind.HTML))
        assert not [
            text
            for text in said
            if any(word in text for word in ("当前位置", "打印", "版权", "var a"))
        ]
        assert any("十五万元" in text for text in said)

    def test_what_follows_the_article_is_left_out(self) -> None:
        html = f"<html><body><h1>标题</h1><div class=TRS_Editor><p>{LONG}</p></div><p>推荐阅读别的政策</p></body></html>"
        assert texts(self.read(html)) == ["标题", LONG]

    def test_ordered_list_keeps_its_numbers(self) -> None:
        html = "<body><ol><li>甲；</li><li>乙。</li></ol><ul><li>丙</li></ul><ol><li>1. 丁</li></ol></body>"
        assert texts(self.read(html)) == ["1.甲；", "2.乙。", "丙", "1. 丁"]

    def test_headings_and_breaks(self) -> None:
        document = self.read("<body><h3>申报<b>条件</b></h3><p>甲<br>乙</p></body>")
        assert texts(document) == ["申报条件", "甲", "乙"]
        assert [block.heading for block in document.blocks if isinstance(block, Paragraph)] == [
            3,
            None,
            None,
        ]

    def test_spans_are_repeated(self) -> None:
        html = "<body><table><tr><th rowspan=2>类</th><th colspan=2>金额</th></tr><tr><td>首次</td><td>再次</td></tr></table></body>"
        assert tables(self.read(html))[0].rows == (("类", "金额", "金额"), ("类", "首次", "再次"))

    def test_layout_table_is_opened(self) -> None:
        html = f"<body><table><tr><td><p>{LONG}</p><table><tr><td>甲</td><td>乙</td></tr></table></td></tr></table></body>"
        document = self.read(html)
        assert texts(document) == [LONG]
        assert tables(document)[0].rows == (("甲", "乙"),)

    def test_undecodable(self) -> None:
        with pytest.raises(DamagedDocument, match="编码"):
            read_document("a.html", b"<html><body>\x81\xff\xff\xfe\xff</body></html>", Kind.HTML)
