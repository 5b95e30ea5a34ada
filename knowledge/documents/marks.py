"""Reads the numbering of official papers at the beginning of a paragraph: 第二章, 第八条, 一、, （一）, 1., （1）, ①."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

_CN = "〇零一二三四五六七八九十百两"
_NUMBER = rf"[{_CN}\d０-９]{{1,5}}"


class Rank(IntEnum):
    """How deep a number stands; a smaller one holds the larger ones.

    The order of the outline is that of GB/T 9704-2012, 7.3.3 (一、（一）1.（1）); that of 章节条款项 the 立法法, art. 65.
    """

    PART = 0
    CHAPTER = 1
    SECTION = 2
    HEADING = 3
    ARTICLE = 4
    ONE = 5
    TWO = 6
    THREE = 7
    FOUR = 8
    FIVE = 9


@dataclass(frozen=True)
class Mark:
    """A number as written (``written``: 第八条, （一）, 1.), its rank, and the text after it."""

    rank: Rank
    written: str
    rest: str


_MARKS: tuple[tuple[Rank, re.Pattern[str]], ...] = (
    (Rank.PART, re.compile(rf"(第{_NUMBER}[编篇])(?=[\s　：:]|$)")),
    (Rank.CHAPTER, re.compile(rf"(第\s?{_NUMBER}\s?章)(?![的内中])")),
    (Rank.SECTION, re.compile(rf"(第\s?{_NUMBER}\s?节)(?![的内中])")),
    # 第八条规定的…, 第三条第二款… are mentions, not the article itself.
    (
        Rank.ARTICLE,
        re.compile(
            rf"(第\s?{_NUMBER}\s?条(?:之{_NUMBER})?)(?!第|规定|所[称列述指]|的|至|和第|、|，|,|以及|及第|或第|或者|与第|款)"
        ),
    ),
    (Rank.ONE, re.compile(rf"([{_CN}]{{1,4}}\s?[、．.])(?!\d)")),
    (Rank.TWO, re.compile(rf"([（(]\s?[{_CN}]{{1,4}}\s?[）)])")),
    (Rank.THREE, re.compile(r"(\d{1,2}\s?(?:[．、]|\.(?!\d)))")),
    (Rank.FOUR, re.compile(r"([（(]\s?\d{1,2}\s?[）)]|\d{1,2}[）)])")),
    (
        Rank.FIVE,
        re.compile(r"([\u2460-\u2473\u2474-\u2487]|[a-zA-Z][.．)）](?=[\s\u4e00-\u9fff]))"),
    ),
)
_ANNEX = re.compile(rf"附\s?[件录表]\s?({_NUMBER})?\s?[：:.．、]?\s?(.{{0,50}})$")


def read_mark(text: str) -> Mark | None:
    """The number ``text`` begins with, if it does."""
    for rank, pattern in _MARKS:
        if found := pattern.match(text):
            return Mark(rank, re.sub(r"\s", "", found[1]), unspaced(text[found.end() :].strip()))
    return None


def unspaced(text: str) -> str:
    """总 则 as 总则: letters set apart one by one are one word."""
    return (
        text.replace(" ", "") if re.fullmatch(r"(?:\S )+\S", text) and not text.isascii() else text
    )


def begins_with_mark(text: str) -> bool:
    return read_mark(text) is not None or _ANNEX.match(text) is not None


@dataclass(frozen=True)
class Annex:
    """An annex's line: how it is called (附件, 附件1) and the title beside it, empty where none stands there."""

    name: str
    title: str


def read_annex(text: str) -> Annex | None:
    """The annex whose line ``text`` is; a sentence that only speaks of one is none."""
    found = _ANNEX.match(text)
    if found is None or re.search(r"[。；;，,]", found[2]):
        return None
    number, title = found[1] or "", found[2].strip()
    if title and not number and not re.match(r"附\s?[件录表]\s?[：:]", text):
        return None
    kind = "附录" if text.startswith("附录") else "附表" if re.match(r"附\s?表", text) else "附件"
    return Annex(f"{kind}{number}", title)
