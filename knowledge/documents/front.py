"""Reads what a paper says of itself around its text: title, number, issuer, day; the rest is the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from knowledge.documents.blocks import Block, Document, Paragraph, Table, bare
from knowledge.documents.bylines import is_organ, issuers_above, organs_of, read_byline
from knowledge.documents.contents import without_contents
from knowledge.documents.dates import DAY, is_day, read_day
from knowledge.documents.marks import read_annex, read_mark, unspaced
from knowledge.documents.numbers import DOC_NO, NOTICE_NO, read_doc_no

_LABELLED = re.compile(
    r"(索\s?引\s?号|发布机构|发布机关|发文机关|发文单位|发布单位|制定机关|文\s?号|发文字号|发布文号|统一编号|发布日期|发布时间|生成日期|成文日期|印发日期|信息来源|来源|名\s?称|标\s?题"
    r"|主题词|主题分类|分\s?类|公开方式|效力状态|有效性|浏览次数|签发人|视力保护色)\s?[:：]\s*"
)
_MEANING = {
    "发布机构": "issuer", "发布机关": "issuer", "发文机关": "issuer", "发文单位": "issuer", "发布单位": "issuer",
    "制定机关": "issuer", "来源": "issuer_hint", "信息来源": "issuer_hint", "文号": "doc_no", "发文字号": "doc_no",
    "发布文号": "doc_no", "发布日期": "published", "发布时间": "published", "印发日期": "printed", "成文日期": "written",
    "生成日期": "written", "名称": "title", "标题": "title",
}  # fmt: skip
_TITLE_END = re.compile(
    r"(通知|办法|措施|细则|指南|规定|意见|方案|公告|指引|条例|决定|通告|政策|计划|规划|批复|函|规程|要点|清单|若干条|目录|规则|准则|标准|条款|解读|公示|[一二三四五六七八九十\d]+条)"
    r"\s?([（(][^）)]{1,30}[）)])?$"
)
_POLICY_WORD = re.compile(
    r"通知|办法|措施|细则|指南|规定|意见|方案|公告|指引|若干|条例|决定|通告|政策|计划|规划|扶持|资助|补贴|奖励|支持"
)
_ISSUES = re.compile(
    r"(?:印发|发布|公布|颁布|颁发|转发)\s?(?:《(?P<named>.+)》|(?P<bare>[^《》]{4,60}?)的(?:通知|公告|决定|通告)$)"
)
_SALUTATION = re.compile(
    r"(各|全|有关|区|市|辖区)[^。；]{0,60}[：:]$|[^。；]{2,40}(单位|企业|部门|街道|机构|同志)[：:]$"
)
_COLOPHON = re.compile(
    r"(抄\s?送|主\s?送|公开方式|信息公开(方式|选项)|主动公开|（此件|\(此件|校对|打字|签发人|印发份数|共印)|(此页无正文|（此页无正文)"
)
_FORMULA = re.compile(r"特此(通知|公告|通告|函达|函复|批复|公示)[。！]?")
_PRINTED = re.compile(rf"(.{{0,40}}?)\s?({DAY})\s?印发$")
_MARKING = re.compile(r"(特急|加急|平急|急件|内部|机密|秘密|绝密|000\d{2,3}|★.*|红头文件)$")
_PASSED = re.compile(r"[（(].{0,10}(20\d\d|二).{4,}(通过|修订|修正|公布|发布|印发|施行)")
_MOST_SIGNERS = 5


@dataclass
class Front:
    """The facts around a text; ``None`` where the paper does not say. ``body`` is the text, ``letter`` the words that
    send it out (现将《…》印发给你们), ``taken`` every line read as a fact, so that nothing is lost unnoticed.
    """

    title: str | None = None
    notice_title: str | None = None
    doc_no: str | None = None
    issuer: str | None = None
    published: date | None = None
    letter: list[Block] = field(default_factory=list)
    body: list[Block] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)


def read_front(document: Document) -> Front:
    """The facts of ``document``; what stands where is that of GB/T 9704-2012 (版头, 主体, 版记) and of government pages."""
    said = {
        key: value
        for key, value in document.facts.items()
        if key in {"title", "issuer", "doc_no", "published"}
    }
    front = Front()
    blocks, front.taken = without_contents(document.blocks)
    blocks = _meta_table(blocks, said, front)
    blocks = _colophon(blocks, said, front)
    start, lines = _head(blocks, said, front)
    _title(lines, document, said, front)
    rest = _signatures(blocks[start:], said, front)
    _split_letter(rest, front)
    front.doc_no = read_doc_no(said.get("doc_no", "")) or None
    front.issuer = _issuer(said, front)
    for key in ("published", "printed", "signed", "written"):
        if front.published is None and key in said:
            front.published = read_day(said[key])
    return front


def _meta_table(blocks: list[Block], said: dict[str, str], front: Front) -> list[Block]:
    """The table of 索引号, 发布机构, 文号 above a government page's article."""
    for at, block in enumerate(blocks[:6]):
        if not isinstance(block, Table):
            continue
        cells = [cell for row in block.rows for cell in dict.fromkeys(row)]
        joined = [f"{a}：{b}" for a, b in pairwise(cells) if not a.endswith(("：", ":"))]
        found = [cell for cell in [*cells, *joined, *_glued(cells)] if _labelled(cell, said)]
        if len(found) >= 2:
            front.taken += cells
            return blocks[:at] + blocks[at + 1 :]
    return blocks


def _glued(cells: Sequence[str]) -> list[str]:
    return [f"{a}{b}" for a, b in pairwise(cells) if a.endswith(("：", ":"))]


def _labelled(text: str, said: dict[str, str]) -> bool:
    """Reads 发布日期：2024-03-05 文号：… from one line; whether it was such a line."""
    parts = list(_LABELLED.finditer(text))
    if not parts or parts[0].start() > 1:
        return False
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        value = text[part.end() : following.start() if following else len(text)].strip(" 　|；;")
        key = _MEANING.get(bare(part[1]))
        if key and value:
            said.setdefault(key, value)
    return True


def _colophon(blocks: list[Block], said: dict[str, str], front: Front) -> list[Block]:
    """Takes the imprint (版记): copies to, printed by and on; it stands last, or last before the annexes."""
    kept: list[Block] = []
    for block in blocks:
        text = block.text if isinstance(block, Paragraph) else ""
        printed = _PRINTED.match(text) if len(text) < 70 else None
        if printed:
            said["printed"] = printed[2]
            if is_organ(printed[1]):
                said["printer"] = bare(printed[1])
        elif not (text and len(text) < 120 and (_COLOPHON.match(text) or _FORMULA.fullmatch(text))):
            kept.append(block)
            continue
        front.taken.append(text)
    return kept


def _head(
    blocks: Sequence[Block], said: dict[str, str], front: Front
) -> tuple[int, list[Paragraph]]:
    """Lines above the text that may be the title, and where the text begins."""
    lines: list[Paragraph] = []
    for at, block in enumerate(blocks):
        if not isinstance(block, Paragraph) or at > 25:
            return at, lines
        text = block.text
        number = DOC_NO.search(text) or NOTICE_NO.search(text)
        if _labelled(text, said) or _MARKING.match(text):
            front.taken.append(text)
        elif number and len(text) <= len(number[0]) + 14 and not _TITLE_END.search(text):
            said.setdefault("doc_no", number[0])
            front.taken.append(text)
        elif names := _letterhead(text):
            above = [organs_of(line.text) for line in lines]
            if all(above):  # offices over the last one's line have issued it too
                names = (*(name for each in above for name in each), *names)
                front.taken += [line.text for line in lines]
                lines.clear()
            said.setdefault("letterhead", "、".join(names))
            front.taken.append(text)
        elif is_day(text) and lines:
            said.setdefault("written", text)
            front.taken.append(text)
        elif _is_complete(lines) and (named := read_byline(text)) and not read_mark(text):
            said["byline"] = f"{said['byline']}、{named}" if "byline" in said else named
            if read_day(text):
                said.setdefault("written", text)
            front.taken.append(text)
        elif _ends_head(block, lines):
            return at, lines
        else:
            lines.append(block)
    return len(blocks), lines


def _letterhead(text: str) -> tuple[str, ...]:
    """The offices of 甲局文件, empty for any other line."""
    return organs_of(re.sub(r"\s?文\s?件$", "", text)) if bare(text).endswith("文件") else ()


def _is_complete(lines: Sequence[Paragraph]) -> bool:
    return bool(lines) and bool(_TITLE_END.search("".join(line.text for line in lines)))


def _ends_head(block: Paragraph, lines: Sequence[Paragraph]) -> bool:
    text = block.text
    if _PASSED.match(text) and lines:
        return False
    if len(lines) >= 5 or len(text) > 90 or text.endswith(("：", ":", "。", "；")) or "。" in text:
        return True
    if read_mark(text) is not None and block.heading != 1:
        return True
    if read_annex(text) is not None:
        return True
    return _is_complete(lines) and not re.match(r"[（(]", text)


def _title(lines: list[Paragraph], document: Document, said: dict[str, str], front: Front) -> None:
    front.taken += [line.text for line in lines]
    own = [line.text for line in lines if not _PASSED.match(line.text)]
    if above := issuers_above(own):
        said.setdefault(
            "byline", "、".join(name for line in own[:above] for name in organs_of(line))
        )
        own = own[above:]
    shown = said.get("title") or document.facts.get("page_title", "")
    found = _joined_title(own) if own else ""
    if shown and (not found or not _POLICY_WORD.search(found)):
        found = re.split(r"\s?[_|]\s?|\s[-–—]{1,2}\s?|[-–—]{2}", shown)[0]
    if not found and _POLICY_WORD.search(document.facts.get("core_title", "")):
        found = document.facts["core_title"]
    front.title = unspaced(found) or None


def _joined_title(lines: list[str]) -> str:
    """The title over several lines; a line above it that is complete by itself (a site's name) is left out."""
    while len(lines) > 1 and not _POLICY_WORD.search(lines[0]) and not _is_part_of_title(lines[0]):
        lines = lines[1:]
    text = ""
    for line in lines:
        space = (
            " "
            if text[-1:].isascii()
            and text[-1:].isalpha()
            and line[:1].isalpha()
            and line[:1].isascii()
            else ""
        )
        text += space + line
    return text.strip()


def _is_part_of_title(line: str) -> bool:
    return (
        "关于" in line
        or is_organ(line)
        or re.match(r"20\d\d|[\u4e00-\u9fff]{2,6}[省市区]", line) is not None
    )


def _signatures(blocks: Sequence[Block], said: dict[str, str], front: Front) -> list[Block]:
    """Takes the issuer's name and the day under the text; the first such pair is the notice's own."""
    kept: list[Block] = []
    for block in blocks:
        if not (isinstance(block, Paragraph) and len(block.text) < 60):
            kept.append(block)
            continue
        glued = re.fullmatch(rf"(.*?)\s*({DAY})", block.text)
        if not (is_day(block.text) or (glued and organs_of(glued[1]))):
            kept.append(block)
            continue
        names = [glued[1]] if glued and organs_of(glued[1]) else []
        while (
            kept
            and len(names) < 8
            and isinstance(kept[-1], Paragraph)
            and organs_of(kept[-1].text)
            and not read_mark(kept[-1].text)
        ):
            names.insert(0, kept.pop().text)  # type: ignore[union-attr]
        said.setdefault("signed", block.text)
        if names:
            said.setdefault(
                "signer",
                "、".join(name for each in names for name in organs_of(each)),
            )
        front.taken += [*(n for n in names if not glued or n != glued[1]), block.text]
    return _undated_signature(kept, said, front)


def _undated_signature(kept: list[Block], said: dict[str, str], front: Front) -> list[Block]:
    """Takes offices that stand last, under a whole sentence, where nobody has signed so far."""
    at = len(kept)
    while at and isinstance(kept[at - 1], Paragraph) and organs_of(kept[at - 1].text):  # type: ignore[union-attr]
        at -= 1
    last = kept[at - 1] if at else None
    is_signed = at < len(kept) <= at + _MOST_SIGNERS and isinstance(last, Paragraph)
    if "signer" in said or not is_signed or not last.text.endswith(("。", "！")):  # type: ignore[union-attr]
        return kept
    lines = [block.text for block in kept[at:] if isinstance(block, Paragraph)]
    said["signer"] = "、".join(name for line in lines for name in organs_of(line))
    front.taken += lines
    return kept[:at]


def _split_letter(blocks: list[Block], front: Front) -> None:
    """Parts the notice that sends a paper out from the paper, whose title is the one in 印发《…》."""
    issued = _ISSUES.search(front.title or "")
    if issued is None:
        front.letter, front.body = [], _without_salutation(blocks, front)
        return
    inner = (issued["named"] or issued["bare"]).replace("〈", "《").replace("〉", "》")
    at, used = _title_place(blocks, inner)
    if at is not None or issued["named"]:
        front.notice_title, front.title = front.title, inner
    if at is None:
        front.letter, front.body = [], _without_salutation(blocks, front)
        return
    before = at
    if at and isinstance(blocks[at - 1], Paragraph) and read_annex(blocks[at - 1].text) is not None:  # type: ignore[union-attr]
        before = at - 1
    front.taken += [b.text for b in blocks[before : at + used] if isinstance(b, Paragraph)]
    front.letter = _without_salutation(blocks[:before], front)
    front.body = blocks[at + used :]
    if front.body and isinstance(front.body[0], Paragraph) and _PASSED.match(front.body[0].text):
        front.taken.append(front.body[0].text)
        front.body = front.body[1:]


def _title_place(blocks: Sequence[Block], title: str) -> tuple[int | None, int]:
    """Where ``title`` stands as one to four lines of its own, and over how many."""
    wanted = _folded(title)
    for at in range(len(blocks)):
        text = ""
        for used, block in enumerate(blocks[at : at + 4], 1):
            if not isinstance(block, Paragraph):
                break
            text += _folded(block.text)
            if text == wanted or (
                used == 1 and re.fullmatch(rf"附件\d*[：:]?{re.escape(wanted)}", text)
            ):
                return at, used
            if not wanted.startswith(text):
                break
    return None, 0


def _folded(text: str) -> str:
    return bare(text).strip("《》〈〉").replace("(", "（").replace(")", "）")


def _without_salutation(blocks: Sequence[Block], front: Front) -> list[Block]:
    for at, block in enumerate(blocks[:3]):
        if (
            isinstance(block, Paragraph)
            and len(block.text) < 90
            and _SALUTATION.match(block.text)
            and not read_mark(block.text)
        ):
            front.taken.append(block.text)
            return [*blocks[:at], *blocks[at + 1 :]]
    return list(blocks)


def _issuer(said: dict[str, str], front: Front) -> str | None:
    """The issuer by how sure the place is: named as such, letterhead, under the title, signature, title, imprint."""
    for key in ("issuer", "letterhead", "byline", "signer"):
        if key in said and (names := organs_of(said[key])):
            return "、".join(names)
    for title in (front.notice_title, front.title):
        if title and (found := re.match(r"(.{3,60}?)关于", title)) and is_organ(found[1]):
            return re.sub(r"\s+", "、", found[1].strip())
    for key in ("printer", "issuer_hint"):
        if key in said and (names := organs_of(said[key])):
            return "、".join(names)
    return None
