"""Reads from a record's words when applications are taken; what it does not say for certain stays open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from knowledge.documents.dates import DAY, read_day


@dataclass(frozen=True)
class Span:
    """One period in which applications are taken, both days included; ``None`` where that end is not written."""

    opens: date | None
    closes: date | None


@dataclass(frozen=True)
class Window:
    """All periods that a record's words name for certain, in their order; none where it names none."""

    spans: tuple[Span, ...] = ()
    is_all_year: bool = False


# A second day of the same period, often without the year: 2023-06-11至06-20, 9月12日至9月27日.
_SHORT_DAY = r"\d{1,2}\s?(?:月|-|/|\.)\s?\d{1,2}\s?日?"
_BETWEEN = r"\s?(?:起)?\s?(?:至|到|—+|-{1,2}|－|–|~|～)\s?"
_SPAN = re.compile(rf"(?P<first>{DAY}){_BETWEEN}(?:(?P<last>{DAY})|(?P<short>{_SHORT_DAY}))")
_UNTIL = re.compile(
    rf"(?:截至|截止到?|截止(?:日期?|时间)?(?:为|是|：|:)?|截止于|受理到|受理至|申报至|申报到)\s?(?P<last>{DAY})"
)
_UNTIL_AFTER = re.compile(rf"(?P<last>{DAY})\s?(?:前|之前|以前|截止|为止)")
_FROM = re.compile(rf"自?\s?(?P<first>{DAY})\s?(?:起|开始)")
_MONTH_DAY = re.compile(r"(\d{1,2})\s?[月\-/.]\s?(\d{1,2})")
_ALL_YEAR = re.compile(
    r"(?:全年|常年|长年)\S{0,2}(?:开放|受理|申报|申请|接受)|随时(?:可以?)?(?:申报|申请|受理)"
)
_NOT = re.compile(r"不再|暂停|停止|取消|不是|并非|结束|改为")
# What a period is about when it is not about applications.
_OTHER = re.compile(
    r"公示|发布|公布|印发|施行|实施|有效|租金|贷款|合同|发票|辅导|评审|核查|验收|拨付|兑现|项目期|建设|通常|一般|往年|预计|左右|拟"
)
# A bracket holds an aside: (材料提交至10-10).
_ASIDE = re.compile(r"[（(][^（）()]*[）)]")
_CLAUSE = re.compile(r"[，,；;。\n]")


def read_window(text: str | None) -> Window:
    """The periods written in full; a day without a year, a month, a habit (通常在每年9-10月) are none.

    A single last day leaves the first open: a notice that names it is already out.
    """
    if not text:
        return Window()
    clauses = [part.strip() for part in _CLAUSE.split(_ASIDE.sub("", text)) if part.strip()]
    spans = tuple(span for clause in clauses for span in _spans(clause))
    all_year = any(_ALL_YEAR.search(clause) and not _NOT.search(clause) for clause in clauses)
    return Window(spans, all_year and not spans)


def _spans(clause: str) -> Iterator[Span]:
    if _OTHER.search(clause) or _NOT.search(clause):
        return
    found = [span for match in _SPAN.finditer(clause) if (span := _both_ends(match))]
    if found or _SPAN.search(clause):
        yield from found
        return
    if until := _UNTIL.search(clause) or _UNTIL_AFTER.search(clause):
        if last := read_day(until["last"]):
            yield Span(None, last)
    elif (since := _FROM.search(clause)) and (first := read_day(since["first"])):
        yield Span(first, None)


def _both_ends(match: re.Match[str]) -> Span | None:
    first = read_day(match["first"])
    if first is None:
        return None
    last = read_day(match["last"]) if match["last"] else _day_of(first.year, match["short"])
    return Span(first, last) if last is not None and first <= last else None


def _day_of(year: int, text: str) -> date | None:
    found = _MONTH_DAY.search(text)
    try:
        return date(year, int(found[1]), int(found[2])) if found else None
    except ValueError:
        return None
