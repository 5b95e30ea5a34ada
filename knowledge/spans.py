"""Reads which days a question for a list means: 这个月截止的, 年底前到期的."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

SOON_DAYS = 30
_WHEN = (
    r"(?P<next>下个?月)|(?P<month>这个?月|本月|当月|月底|月内)|(?P<week>这周|本周|这个?星期|周内|这礼拜)"
    r"|(?P<next_year>明年)|(?P<year>今年|本年|年底|年内)|(?P<soon>最近|近期|快要?|马上|即将|临近|眼看)"
    r"|(?P<number>1[0-2]|0?[1-9])月(?:份|底)?"
)
_SPAN = re.compile(
    rf"(?:{_WHEN})[之以]?(?:前|内)?(?:就|要|会|快|将)*的?(?P<ends>截止|到期|结束|关闭|失效|过期)"
)


@dataclass(frozen=True)
class Days:
    """Both days included. ``is_validity`` where the policy itself ends then, not its time for applications."""

    first: date
    last: date
    is_validity: bool
    said: str


def read_days(text: str, as_of: date) -> Days | None:
    """The days a folded question names as an end; ``None`` where it names none."""
    found = _SPAN.search(text)
    if found is None:
        return None
    first, last = _bounds(found, as_of)
    return Days(first, last, found["ends"] in ("到期", "失效", "过期"), found[0])


def _bounds(found: re.Match[str], as_of: date) -> tuple[date, date]:
    if found["next"]:
        return _month(as_of.year + as_of.month // 12, as_of.month % 12 + 1)
    if found["month"]:
        return _month(as_of.year, as_of.month)
    if found["number"]:
        return _month(as_of.year, int(found["number"]))
    if found["week"]:
        monday = as_of - timedelta(as_of.weekday())
        return monday, monday + timedelta(6)
    if found["year"] or found["next_year"]:
        year = as_of.year + bool(found["next_year"])
        return date(year, 1, 1), date(year, 12, 31)
    return as_of, as_of + timedelta(SOON_DAYS)


def _month(year: int, month: int) -> tuple[date, date]:
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])
