"""Writes the papers the tests read: notices in their real form, in our own words, as docx, pdf, html and xlsx."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer
from reportlab.platypus import Table as PdfTable

FONT = "STSong-Light"


@dataclass(frozen=True)
class P:
    """A paragraph as a typist sets it: ``kind`` is body, title, centre, right or plain (no indent)."""

    text: str
    kind: str = "body"


Grid = tuple[tuple[str, ...], ...]
Part = P | Grid

MEASURES_ARTICLES: tuple[str, ...] = (
    "第一章 总则",
    "第一条 为推动辖区企业加大研发力度，依据上级有关规定，结合本区实际，制定本措施。",
    "第二条 本措施适用于注册地、统计地均在福田区，具有独立法人资格的企业。",
    "本措施所称高成长企业，是指近两年营业收入年均增幅超过百分之二十的企业。",
    "第二章 资助标准",
    "第三条 对首次通过国家高新技术企业认定的，给予十五万元一次性奖励；重新认定的，给予八万元。",
    "第四条 对上年度研发投入增长的企业，按下列档次资助：",
    "（一）增幅在百分之十以上、百分之三十以下的，资助二十万元；",
    "（二）增幅在百分之三十以上的，资助五十万元。",
    "前款资助与其他同类资助不重复享受。",
    "第三章 申报与审核",
    "第五条 申报单位应当符合以下条件：",
    "（一）依法登记并正常经营一年以上；",
    "（二）近两年未受到重大行政处罚；",
    "（三）财务制度健全。",
    "第六条 申报单位应当提交下列材料：",
    "（一）专项资金申请表；",
    "（二）营业执照复印件；",
    "（三）上年度审计报告。",
    "第七条 每年三月一日至四月三十日集中受理申报，逾期不予受理。",
    "第八条 区科技创新局在受理后二十个工作日内完成审核，结果在门户网站公示五个工作日。",
    "咨询电话：0755-82918333。",
    "第四章 附则",
    "第九条 本措施由福田区科技创新局负责解释。",
    "第十条 本措施自2024年4月1日起施行，有效期3年。",
)
ANNEX_TABLE: Grid = (
    ("序号", "项目", "金额", "说明"),
    ("1", "首次认定奖励", "15万元", "免申即享"),
    ("2", "重新认定奖励", "8万元", "免申即享"),
    ("3", "研发投入资助", "最高50万元", "需要申报"),
)


def measures(
    articles: Sequence[str] = MEASURES_ARTICLES, doc_no: str = "福科规〔2024〕3号"
) -> list[Part]:
    """A notice that sends out measures in chapters and articles, with an annex table and an imprint."""
    return [
        P("深圳市福田区科技创新局文件", "title"),
        P(doc_no, "centre"),
        P("深圳市福田区科技创新局关于印发《福田区支持企业研发创新若干措施》的通知", "title"),
        P("各有关单位：", "plain"),
        P("现将《福田区支持企业研发创新若干措施》印发给你们，请遵照执行。"),
        P("特此通知。"),
        P("深圳市福田区科技创新局", "right"),
        P("2024年3月5日", "right"),
        P("福田区支持企业研发创新若干措施", "title"),
        *(P(text, "centre" if "章 " in text[:5] else "body") for text in articles),
        P("附件1", "plain"),
        P("资助项目一览表", "title"),
        ANNEX_TABLE,
        P("公开方式：主动公开", "plain"),
        P("深圳市福田区科技创新局办公室 2024年3月8日印发", "plain"),
    ]


def guide() -> list[Part]:
    """An application guide in the official outline 一、（一）1.（1）, without articles."""
    return [
        P("福田区2025年度专精特新企业奖励申报指南", "title"),
        P("根据本区产业资金管理规定，现就2025年度专精特新企业奖励申报事项通知如下。"),
        P("一、支持对象和标准"),
        P(
            "（一）首次认定奖励。对上一年度首次通过省级专精特新中小企业认定的，给予一次性奖励10万元。"
        ),
        P(
            "（二）小巨人奖励。对通过国家级专精特新小巨人认定的，给予一次性奖励50万元，与前项按差额补足。"
        ),
        P("二、申报条件"),
        P("（一）在福田区注册、纳税和纳统；"),
        P("（二）未被列入严重失信主体名单。"),
        P("三、申报材料"),
        P("1. 奖励申请表（系统填报后打印盖章）；"),
        P("2. 专精特新认定文件或证书复印件；"),
        P("3. 企业信用报告。"),
        P("四、申报时间"),
        P("2025年5月6日9时至2025年6月6日18时，逾期系统关闭。"),
        P("五、办理流程"),
        P("1. 网上申报。登录区产业资金系统填写。"),
        P("2. 部门审核。区工业和信息化局二十个工作日内审核。"),
        P("（1）材料不齐的，一次告知补正；"),
        P("（2）补正期限为五个工作日。"),
        P("六、受理部门和咨询方式"),
        P("受理部门：福田区工业和信息化局。"),
        P("咨询电话：0755-83000001"),
        P("深圳市福田区工业和信息化局", "right"),
        P("2025年4月28日", "right"),
    ]


def to_docx(parts: Sequence[Part], header: str | None = None) -> bytes:
    word = docx.Document()
    if header:
        word.sections[0].header.paragraphs[0].text = header
        word.sections[0].footer.paragraphs[0].text = "— 1 —"
    for part in parts:
        if isinstance(part, P):
            paragraph = word.add_paragraph(part.text)
            if part.kind in {"title", "centre"}:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            if part.kind == "right":
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        else:
            table = word.add_table(rows=0, cols=len(part[0]))
            for row in part:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = text
    return saved(word)


def saved(document: Any) -> bytes:
    """What ``document`` (Word, Excel) writes to disk."""
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def styles() -> dict[str, ParagraphStyle]:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    base = {"fontName": FONT, "fontSize": 12, "leading": 20, "wordWrap": "CJK"}
    return {
        "body": ParagraphStyle("body", firstLineIndent=24, **base),
        "plain": ParagraphStyle("plain", **base),
        "centre": ParagraphStyle("centre", alignment=TA_CENTER, **base),
        "right": ParagraphStyle("right", alignment=TA_RIGHT, **base),
        "title": ParagraphStyle(
            "title", alignment=TA_CENTER, **{**base, "fontSize": 18, "leading": 28}
        ),
    }


def to_pdf(parts: Sequence[Part], header: str | None = None, height: float = A4[1]) -> bytes:
    """Set on pages with page numbers (— 3 —) at the foot and, if given, ``header`` on every page."""
    of_kind = styles()

    def furnish(canvas: Canvas, template: Any) -> None:
        canvas.setFont(FONT, 9)
        if header:
            canvas.drawString(90, height - 30, header)
        canvas.drawCentredString(A4[0] / 2, 25, f"— {template.page} —")

    flow: list[Any] = []
    for part in parts:
        if isinstance(part, P):
            flow.append(Paragraph(part.text, of_kind[part.kind]))
            if part.kind == "title":
                flow.append(Spacer(1, 10))
        else:
            rows = [[Paragraph(cell, of_kind["plain"]) for cell in row] for row in part]
            style = [("GRID", (0, 0), (-1, -1), 0.7, "black"), ("FONT", (0, 0), (-1, -1), FONT, 11)]
            flow.append(PdfTable(rows, style=style, repeatRows=1))
    out = BytesIO()
    margins = {"leftMargin": 90, "rightMargin": 90, "topMargin": 80, "bottomMargin": 70}
    template = SimpleDocTemplate(out, pagesize=(A4[0], height), **margins)
    template.build(flow, onFirstPage=furnish, onLaterPages=furnish)
    return out.getvalue()


def to_html(parts: Sequence[Part], encoding: str = "utf-8", frame: bool = True) -> bytes:
    """A government page: meta tags, navigation around the article, a footer."""
    body: list[str] = []
    for part in parts:
        if isinstance(part, P):
            align = {"title": "center", "centre": "center", "right": "right"}.get(part.kind, "left")
            body.append(f'<p style="text-align:{align}"><span>　　{part.text}</span></p>')
        else:
            rows = "".join(
                "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in part
            )
            body.append(f"<table>{rows}</table>")
    nav = (
        '<div class="nav"><a>首页</a> <a>政务公开</a></div><div>当前位置：首页 &gt; 通知公告</div>'
        if frame
        else ""
    )
    foot = "<div>打印 关闭</div><footer><p>版权所有：区政府</p></footer>" if frame else ""
    text = (
        f'<!DOCTYPE html><html><head><meta charset="{encoding}"><title>政策文件_福田区政府</title>'
        f"<script>var a = 1;</script></head><body>{nav}<div>{''.join(body)}</div>{foot}</body></html>"
    )
    return text.encode(encoding)
