"""Finds the days a document speaks of: when it was issued, from when and until when it holds."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

_CN_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "○": 0,
    "Ｏ": 0,
    "O": 0,
    "两": 2,
}
_D = r"[\d〇○ＯO零一二三四五六七八九十]"
DAY = rf"(?:[12]\d{{3}}|[二][〇○ＯO零]{_D}{{2}})\s?[年\-./]\s?{_D}{{1,3}}\s?[月\-./]\s?{_D}{{1,3}}\s?日?"
_PARTS = re.compile(rf"({_D}{{4}})\s?[年\-./]\s?({_D}{{1,3}})\s?[月\-./]\s?({_D}{{1,3}})")
_YEARS = r"(\d{1,2}|[一二三四五六七八九十两]{1,2})\s?(?:个\s?)?(年|月)"
_TERM = re.compile(
    rf"(?:有效期限?|试行期限?|执行期限?|施行期限?|实施期限?|试行)\s?(?:限)?\s?(?:为|是|：|:)?\s?{_YEARS}(?![度初末底中])"
)
_FROM_DAY = re.compile(
    rf"自\s?({DAY})\s?(?:起|开始)\s?(?:正式)?\s?(?:施行|实施|执行|生效|试行|起?实行)?"
)
_FROM_ISSUE = re.compile(
    r"自\s?(?:本\S{0,6})?(?:印发|发布|公布|颁布|发文|下发)之日起\s?(?:施行|实施|执行|生效|试行|实行)"
)
_AFTER_ISSUE = re.compile(
    r"自\s?(?:印发|发布|公布|颁布)之日起\s?(?:第\s?)?(\d{1,3}|[一二三四五六七八九十]{1,3})\s?(?:个)?(?:工作)?(?:日|天)(?:后|起)?"
)
_UNTIL = re.compile(
    rf"(?:有效期限?|执行期限?|施行期限?|实施期限?|试行期)?\s?(?:截?至|到|截止到?)\s?({DAY})"
)
_SPAN = re.compile(
    rf"(?:有效期|执行期|施行期|实施期|试行期)限?\s?(?:为|是|：|:)?\s?自?\s?({DAY})\s?(?:起)?\s?(?:至|到|—|-|－|–|~|～)\s?({DAY})"
)
# 自2023年1月1日至2025年12月31日有效
_SPAN_FIRST = re.compile(
    rf"自\s?({DAY})\s?起?\s?(?:至|到)\s?({DAY})\s?止?\s?(?:期间)?\s?(?:有效|施行|实施|执行|试行)"
)
_COUNTED = re.compile(rf"自\s?{DAY}\s?起\s?(?:计算|算起|起算)")
_IN_FORCE = re.compile(r"施行|实施|执行|生效|试行|有效期|实行")
_LIMIT = re.compile(r"有效期|执行至|施行至|实施至|有效至|执行到|执行期")
_SELF = re.compile(
    r"本[^，。；]{0,14}(办法|措施|细则|规定|意见|方案|公告|通知|通告|政策|指南|指引|规程|条例|若干|文件|标准)|^(上述|以上)[^，。；]{0,6}政策|^有效期|^自"
)
# What a period is about when it is not the paper itself: applications, projects, invoices.
_OTHER_PERIOD = re.compile(
    r"申报|申请|受理|报名|公示|项目|合同|发票|期间|征求|证书|资质|贷款|租赁|协议|活动|保单|保函"
)


@dataclass(frozen=True)
class Validity:
    """From and until when a paper holds; ``None`` where it does not say. ``words`` is the sentence it was read in."""

    valid_from: date | None = None
    valid_to: date | None = None
    words: str | None = None


def read_day(text: str) -> date | None:
    """The first day written in ``text`` (2024年3月5日, 二〇二四年三月五日, 2024-03-05); ``None`` where there is none."""
    for found in _PARTS.finditer(text):
        year, month, day = (number_of(part) for part in found.groups())
        if year and month and day and 1949 <= year <= 2100:
            try:
                return date(year, month, day)
            except ValueError:
                continue
    return None


def is_day(text: str) -> bool:
    """Whether ``text`` is a day and nothing else, as under a signature."""
    return (
        bool(re.fullmatch(rf"[（(]?\s?{DAY}\s?[）)]?", text.strip())) and read_day(text) is not None
    )


def number_of(text: str) -> int | None:
    """A number in digits or Chinese numerals up to 99 or digit by digit; ``None`` for anything else."""
    if text.isascii() and text.isdigit():
        return int(text)
    if "十" in text:
        tens, _, ones = text.partition("十")
        left = _CN_DIGITS.get(tens, 1) if len(tens) < 2 else None
        right = _CN_DIGITS.get(ones, 0) if len(ones) < 2 else None
        return None if left is None or right is None else left * 10 + right
    value = 0
    for char in text:
        digit = int(char) if char.isascii() and char.isdigit() else _CN_DIGITS.get(char)
        if digit is None:
            return None
        value = value * 10 + digit
    return value


def read_validity(texts: Iterable[str], published: date | None) -> Validity:
    """The validity the paper states for itself; the last sentence that states one decides, as 附则 stands last.

    "自…起施行，有效期3年" ends the day before the same day three years later (《民法典》第二百零一条、第二百零二条).
    A day counted from its publication ("自发布之日起30日后") is left open: how to count is not said.
    """
    found, is_sure = Validity(), False
    for text in texts:
        first: date | None = None
        for sentence in re.split(r"(?<=[。；;])", text):
            stated = _stated(sentence, published, first)
            if stated is None:
                continue
            first = stated.valid_from
            speaks_of_itself = _SELF.search(sentence.strip()) is not None
            if speaks_of_itself or not is_sure:
                found, is_sure = stated, is_sure or speaks_of_itself
    return found


def _stated(sentence: str, published: date | None, before: date | None) -> Validity | None:
    """What one sentence says; ``before`` is the first day the sentence before it gave (…起施行。有效期三年。)."""
    words = sentence.strip()
    speaks_of_itself = _SELF.search(words) is not None
    if (span := _SPAN.search(sentence) or _SPAN_FIRST.search(sentence)) and (
        speaks_of_itself or not _OTHER_PERIOD.search(sentence)
    ):
        return Validity(read_day(span[1]), read_day(span[2]), words)
    if not _IN_FORCE.search(sentence):
        return None
    first, is_own = _first_day(sentence, published)
    term = _TERM.search(sentence)
    until = _UNTIL.search(sentence)
    if not is_own:
        is_limit = bool(term or (until and _LIMIT.search(sentence)))
        if _OTHER_PERIOD.search(sentence) or not (is_limit and speaks_of_itself):
            return None
        first = before
    last = read_day(until[1]) if until else None
    if term and first and last is None:
        last = _end_of(first, number_of(term[1]) or 0, term[2])
    if first is None and last is None:
        return None
    return Validity(first, last, words)


def _first_day(sentence: str, published: date | None) -> tuple[date | None, bool]:
    """The first day of validity, and whether the sentence speaks of its own coming into force."""
    if _AFTER_ISSUE.search(sentence):
        return None, True
    if found := _FROM_DAY.search(sentence):
        comes_into_force = bool(
            re.search(r"施行|实施|执行|生效|试行|实行", sentence[found.start() :])
            or (_COUNTED.search(sentence) and _TERM.search(sentence))
        )
        return (read_day(found[1]), True) if comes_into_force else (None, False)
    if _FROM_ISSUE.search(sentence):
        return published, True
    return None, False


def _end_of(first: date, count: int, unit: str) -> date | None:
    months = count * (12 if unit == "年" else 1)
    if not months:
        return None
    index = first.year * 12 + first.month - 1 + months
    year, month = divmod(index, 12)
    if year > 2200:
        return None
    last_of_month = calendar.monthrange(year, month + 1)[1]
    same_day = date(year, month + 1, min(first.day, last_of_month))
    return same_day - timedelta(days=1) if first.day <= last_of_month else same_day
