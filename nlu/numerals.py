"""Reads numbers as people write them in Chinese: 两千三百, 三四十, 1,280, 一点二."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

import cn2an

DIGIT = "零〇一二两三四五六七八九"
# Runs are bounded, or a message of nothing but digits would cost seconds.
ARABIC = r"\d{1,2}千\d{1,3}百?(?!\d)|\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,9})?|\d{1,3}(?: \d{3}){1,5}(?![\d,])|\d{1,18}(?:\.\d{1,9})?"
# Without 万 and 亿, which are scales of money and read by who knows the unit.
CHINESE = rf"[{DIGIT}十百千]{{1,12}}(?:点[{DIGIT}]{{1,9}})?"
NUMBER = rf"(?:{ARABIC}|{CHINESE})"
# The forms of cheques and contracts, one character for one.
CAPITALS = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟", "一二三四五六七八九十百千")

_VALUES = {"零": 0, "〇": 0, "两": 2} | {c: i for i, c in enumerate("一二三四五六七八九", 1)}
_PLACES = {"": 1, "十": 10, "百": 100, "千": 1000}
_SPAN = re.compile(rf"(?P<head>.*?)(?P<low>[{DIGIT}])(?P<high>[{DIGIT}])(?P<place>[十百千]?)")


def read_number(text: str) -> tuple[Decimal, ...]:
    """The number written in ``text``; two for a span such as 三四十; empty if it is none."""
    plain = text.replace(",", "").replace(" ", "").lstrip("零〇") or text
    if not plain:
        return ()
    if plain.isascii():
        return _decimal(plain)
    if span := _read_span(plain):
        return span
    if plain[0] in "百千":
        return ()
    try:
        return (Decimal(str(cn2an.cn2an(plain, "smart"))),)
    except ValueError:
        return ()


def _decimal(plain: str) -> tuple[Decimal, ...]:
    try:
        return (Decimal(plain),)
    except InvalidOperation:
        return ()


def _read_span(plain: str) -> tuple[Decimal, ...]:
    """三四十, 七八, 十七八, 三五百: two neighbouring digits that share one place."""
    match = _SPAN.fullmatch(plain)
    if match is None:
        return ()
    low, high = _VALUES[match["low"]], _VALUES[match["high"]]
    if high - low != 1 and (low, high) != (3, 5):
        return ()
    head = Decimal(0)
    if match["head"]:
        if match["head"][-1] not in _PLACES:
            return ()
        before = read_number(match["head"] if match["head"] != "百" else "一百")
        if len(before) != 1:
            return ()
        head = before[0]
    place = _PLACES[match["place"]]
    return (head + low * place, head + high * place)


def plain_number(value: Decimal) -> int | float:
    """``int`` when whole, else to two decimals; for JSON and comparison."""
    return int(value) if value == value.to_integral_value() else round(float(value), 2)
