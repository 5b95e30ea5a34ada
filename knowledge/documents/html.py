"""Reads a web page: the article without the frame around it, and what its meta tags say."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString

from knowledge.documents.blocks import Block, Document, Kind, Paragraph, Table, tidy
from knowledge.errors import DamagedDocument

_FRAME = ["script", "style", "noscript", "template", "nav", "header", "footer", "aside", "form", "iframe",
          "select", "button", "svg", "object", "head"]  # fmt: skip
_PARAGRAPHS = frozenset(
    {"p", "div", "li", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "main", "ul", "ol", "dl", "dt",
     "dd", "blockquote", "pre", "center", "figure", "figcaption", "body", "html", "address", "td", "th", "tr"}
)  # fmt: skip
# The standard meta names of government sites (GB/T, 政府网站发展指引, 附件 2) and what we call them.
_META = {
    "articletitle": "title", "pubdate": "published", "contentsource": "issuer", "publisher": "issuer",
}  # fmt: skip
_ARTICLE = ["article", ".TRS_Editor", ".trs_editor_view", "#zoom", "#UCAP-CONTENT", ".article-content",
            ".news_cont_d_wrap", ".pages_content", "#content", ".content", "main"]  # fmt: skip
_AROUND = re.compile(
    r"^(当前位置|您(现在)?的?位置|首页\s*[>＞»]|打印(本页)?|关闭(窗口)?|分享到?|【?字(体|号)|上一篇|下一篇|相关(阅读|链接|文档|附件|文件|政策|解读|稿件)|版权所有|主办单位"
    r"|网站标识码|粤ICP|粤公网|扫一扫|返回(顶部|首页)|浏览次数|阅读次数|点击数|责任编辑|来源\s*[:：]\s*$|收藏$|大\s*中\s*小$|\[?打印\]?)"
)
_DECLARED = re.compile(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_\-]+)", re.IGNORECASE)


def read_html(file: str, data: bytes) -> Document:
    """The article of ``data`` and the facts its meta tags give. Raises ``DocumentError`` where it cannot be decoded."""
    text = decode(file, data)
    if re.search(r"<(html|body)\b", text, re.IGNORECASE) and not re.search(
        r"</(html|body)\s*>", text, re.IGNORECASE
    ):
        raise DamagedDocument(file, "网页不完整（没有结尾）；请重新保存整个网页后再导入")
    soup = BeautifulSoup(text, "lxml")
    facts = _facts(soup)
    for tag in soup.find_all(_FRAME):
        if not tag.decomposed:
            tag.decompose()
    body = soup.body or soup
    blocks = [block for block in _blocks(body, _article(body)) if not _is_around(block)]
    return Document(file, Kind.HTML, tuple(blocks), facts=facts)


def decode(file: str, data: bytes) -> str:
    """Text by byte order mark, else UTF-8, else the encoding it declares, else GB18030."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return _decoded(file, data, [name])
    declared = _DECLARED.search(data[:4096])
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    if name.startswith(("gb", "x-gb")):
        name = "gb18030"  # pages that say gb2312 use characters only gb18030 has
    return _decoded(file, data, ["utf-8", name, "gb18030"])


def _decoded(file: str, data: bytes, names: list[str]) -> str:
    for name in names:
        try:
            return data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    raise DamagedDocument(file, "文字编码认不出来（试过 UTF-8 和 GB18030）；请另存为 UTF-8 再导入")


def _facts(soup: BeautifulSoup) -> dict[str, str]:
    facts: dict[str, str] = {}
    for meta in soup.find_all("meta"):
        key = _META.get(str(meta.get("name", "")).lower())
        said = tidy(str(meta.get("content", "")))
        if key and said:
            facts.setdefault(key, said)
    if "title" not in facts and (title := soup.find("title")) is not None:
        facts["page_title"] = tidy(title.get_text())
    return facts


def _article(body: Tag) -> Tag | None:
    """The element known sites keep the article in, if it holds much of the text; what comes after it is frame.

    Title, number and date often stand before it.
    """
    whole = len(body.get_text())
    for selector in _ARTICLE:
        found = body.select_one(selector)
        if found is not None and len(found.get_text()) * 5 > whole * 2:
            return found
    return None


def _is_around(block: Block) -> bool:
    return isinstance(block, Paragraph) and len(block.text) < 60 and bool(_AROUND.match(block.text))


def _blocks(root: Tag, article: Tag | None) -> Iterator[Block]:
    """What stands in ``root`` up to the end of ``article``; walks without recursion, for a page may nest deeper than
    Python's stack.
    """
    line: list[str] = []
    style: Tag | None = None
    items: Counter[int] = Counter()
    waiting: list[tuple[Tag | NavigableString, bool]] = [(root, False)]
    while waiting:
        node, is_end = waiting.pop()
        if isinstance(node, NavigableString):
            if not isinstance(node, PreformattedString):  # comments, declarations
                line.append(str(node))
            continue
        breaks = node.name in _PARAGRAPHS or node.name in {"br", "hr", "table"}
        if breaks:
            yield from _paragraph(line, style)
            line = []
            style = node.parent if is_end else node
        if is_end and node is article:
            return
        if is_end or node.name in {"br", "hr"}:
            continue
        if node.name == "table" and not _is_layout(node):
            yield from _table(node)
            continue
        if node.name == "li":
            items[id(node.parent)] += 1
            line.append(_ordinal(node, items[id(node.parent)]))
        waiting.append((node, True))
        waiting += [
            (child, False)
            for child in reversed(node.contents)
            if isinstance(child, Tag | NavigableString)
        ]


def _paragraph(line: list[str], within: Tag | None) -> Iterator[Paragraph]:
    text = tidy("".join(line))
    if not text:
        return
    level: int | None = None
    is_display = False
    for tag in _nearest(within):
        if re.fullmatch(r"h[1-6]", tag.name):
            level = int(tag.name[1])
        if (
            tag.name == "center"
            or "center" in f"{tag.get('align', '')} {tag.get('style', '')}".lower()
        ):
            is_display = True
    yield Paragraph(text, heading=level, is_display=is_display)


def _nearest(tag: Tag | None) -> Iterator[Tag]:
    for _ in range(3):
        if tag is None or tag.name in {"body", "[document]"}:
            return
        yield tag
        tag = tag.parent


def _ordinal(item: Tag, place: int) -> str:
    """The number a browser would show before an item of an ordered list."""
    if item.parent is None or item.parent.name != "ol":
        return ""
    written = item.get_text().lstrip()[:4]
    return "" if re.match(r"[（(]?[\d一二三四五六七八九十]+[.、)）．]", written) else f"{place}."


def _is_layout(table: Tag) -> bool:
    """A table that only places things: one column, or with another table inside."""
    if table.find("table") is not None:
        return True
    return all(len(row.find_all(["td", "th"])) <= 1 for row in table.find_all("tr"))


def _table(table: Tag) -> Iterator[Block]:
    """Cells by place; spans are repeated where they reach (at most 64 columns, 500 rows)."""
    pending: dict[int, tuple[int, str]] = {}
    rows: list[list[str]] = []
    for row in table.find_all("tr"):
        cells: list[str] = []
        for cell in row.find_all(["td", "th"]):
            _carry_down(cells, pending)
            text = tidy(cell.get_text(" "))
            wide, deep = _span(cell, "colspan", 64), _span(cell, "rowspan", 500)
            for _ in range(wide):
                if deep > 1:
                    pending[len(cells)] = (deep - 1, text)
                cells.append(text)
        _carry_down(cells, pending)
        if any(cells):
            rows.append(cells)
    width = max((len(row) for row in rows), default=0)
    if rows:
        yield Table(tuple((*row, *[""] * (width - len(row))) for row in rows))


def _carry_down(cells: list[str], pending: dict[int, tuple[int, str]]) -> None:
    while len(cells) in pending:
        left, text = pending.pop(len(cells))
        if left > 1:
            pending[len(cells)] = (left - 1, text)
        cells.append(text)


def _span(cell: Tag, name: str, most: int) -> int:
    said = str(cell.get(name, "1")).strip()
    return max(1, min(int(said), most)) if said.isascii() and said.isdigit() else 1
