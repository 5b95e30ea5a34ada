"""Finds the papers a text names: 《甲办法》（深福规〔2019〕3号）第五条."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.documents.blocks import bare
from knowledge.documents.dates import number_of
from knowledge.documents.numbers import DOC_NO, NOTICE_NO, read_doc_no
from knowledge.documents.word_numbers import chinese

_TITLE = r"《(?:[^《》]|《[^《》]{1,80}》){2,120}》"
_BRACKET = r"(?:\s?[（(]((?:[^（）()]|[（(][^（）()]{0,20}[）)]){0,80})[）)])?"
_N = r"[\d一二三四五六七八九十百零〇]{1,5}"
_CLAUSE = rf"第{_N}条(?:之{_N})?(?:第{_N}款)?(?:第?[（(]?{_N}[）)]?项)?"
_CLAUSES = rf"(?:中|中的|的)?({_CLAUSE}(?:\s?(?:、|，|和|及|与|以及|至|到)\s?{_CLAUSE}){{0,20}})?"
_TITLED = re.compile(rf"({_TITLE})(?:的(?:通知|公告|决定|通告|批复|函))?{_BRACKET}\s?{_CLAUSES}")
# 福田区人民政府关于印发, before the paper a notice sends out.
_ISSUER = r"(?:[^，。；：《》]{0,30}关于(?:印发|发布|公布)?)?"
_NUMBERED = re.compile(rf"(?:{DOC_NO.pattern}|{NOTICE_NO.pattern})(?:文件?)?\s?({_TITLE})?")
_ISSUED = re.compile(
    r"(?:印发|发布|公布|颁布|颁发|转发)\s?[《〈](.+)[》〉](?:的(?:通知|公告|决定|通告|函))?$"
)
# 、和及 between two papers of one list.
_BETWEEN = re.compile(r"\s?(?:[、，,；]\s?)?(?:以及|及其|及|和|与)?\s?(?:原)?\s?" + _ISSUER)
# What only bears out a decision is not what it is about.
_BASIS = re.compile(r"(?:根据|依据|依照|按照|参照|遵照|贯彻|落实|按)\s?(?:原)?\s?$")


@dataclass(frozen=True)
class Reference:
    """A paper named in a text: title without its brackets, number, the articles meant (empty: all of it), and where."""

    title: str | None
    doc_no: str | None
    clauses: tuple[str, ...]
    start: int
    end: int


def references_in(text: str) -> list[Reference]:
    """The papers named in ``text``, in order: by title in 《》, or by number alone."""
    found = [_titled(match, text) for match in _TITLED.finditer(text)]
    for match in _NUMBERED.finditer(text):
        if not any(each.start < match.end() and match.start() < each.end for each in found):
            doc_no = read_doc_no(match[0])
            sign = doc_no.partition("〔")[0]
            start = match.start() + max(match[0].find(sign), 0) if sign else match.start()
            found.append(Reference(None, doc_no or None, (), start, match.end()))
    return sorted(found, key=lambda each: each.start)


def _titled(match: re.Match[str], text: str) -> Reference:
    doc_no, end = read_doc_no(match[2] or ""), match.end()
    start = match.start()
    if not doc_no and (after := _NUMBERED.match(text, end)) and not after[7]:
        doc_no, end = read_doc_no(after[0]), after.end()
    before = list(DOC_NO.finditer(text, max(0, start - 40), start))
    if not doc_no and before and re.fullmatch(r"\s?(?:文件?)?\s?", text[before[-1].end() : start]):
        doc_no = read_doc_no(before[-1][0])
    clauses = tuple(_clauses(match[3])) if match[3] else ()
    return Reference(bare(match[1])[1:-1], doc_no or None, clauses, start, end)


def _clauses(text: str) -> Iterator[str]:
    """第五条、第7条第二款 as labels of clauses; 第五条至第七条 are three."""
    last: int | None = None
    parts = re.split(rf"({_CLAUSE})", bare(text))
    for between, clause in zip(parts[::2], parts[1::2], strict=False):
        label = re.sub(r"\d{1,5}", lambda found: chinese(int(found[0])), clause)
        number = number_of(re.sub(r"^第|条.*$", "", clause))
        if last is not None and number is not None and re.search(r"至|到", between):
            for each in range(last + 1, min(number, last + 200)):
                yield f"第{chinese(each)}条"
        yield label
        last = number


def ending_at(references: Sequence[Reference], text: str, end: int) -> list[Reference]:
    """The list of papers whose last one ends at ``end``, without what a decision is only based on."""
    chain: list[Reference] = []
    for each in reversed([one for one in references if one.end <= end]):
        if chain and not _BETWEEN.fullmatch(text, each.end, chain[0].start):
            break
        if _BASIS.search(text, max(0, each.start - 8), each.start):
            break
        chain.insert(0, each)
    return chain


def beginning_at(references: Sequence[Reference], text: str, start: int) -> list[Reference]:
    """The list of papers whose first one is the first after ``start``."""
    chain: list[Reference] = []
    for each in [one for one in references if one.start >= start]:
        if chain and not _BETWEEN.fullmatch(text, chain[-1].end, each.start):
            break
        chain.append(each)
    return chain


def names_of(title: str) -> frozenset[str]:
    """How a paper may be called: as written, and of a notice 关于印发〈甲办法〉的通知 the paper it sends out."""
    said = bare(title).replace("〈", "《").replace("〉", "》").replace("(", "（").replace(")", "）")
    said = said[1:-1] if re.fullmatch(r"《[^《》]*》", said) else said
    inner = _ISSUED.search(said)
    return frozenset({said, inner[1]} if inner else {said})
