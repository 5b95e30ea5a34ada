"""Finds what identifies somebody: credit codes, company names, phone and appeal numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

from knowledge.credit_code import what_is_off
from nlu.fact import Fact
from nlu.vocabulary import Vocabulary, vocabulary

_CODE = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z](?:[ \-]{0,2}[0-9A-Za-z]){9,20}(?![0-9A-Za-z])")
_CODE_WORD = re.compile(
    r"(?:信用代码|社会信用|统一代码|机构代码|税号|代码|纳税人识别号|识别号)[^0-9A-Za-z]{0,8}$"
)
_CODE_START = re.compile(r"[159ANY][1-9]")
_PHONE = re.compile(r"(?<![\d])(?:\+?86[ \-]?)?(1[3-9]\d[ \-]?\d{4}[ \-]?\d{4})(?!\d)")
_APPEAL = re.compile(
    r"(?<![0-9A-Za-z])(?:(?P<prefix>[A-Za-z]{2})[\-\s]?)?(?P<day>20\d{2}[01]\d[0-3]\d)[\-\s]?(?P<no>\d{4})(?!\d)"
)

_NAME = r"[\u4e00-\u9fff\w·&（）()]"
_STRONG = re.compile(
    rf"{_NAME}{{0,40}}?(?:有限责任公司|股份有限公司|有限公司|合伙企业(?:[（(](?:有限|普通|特殊普通)合伙[）)])?)"
    r"(?:[\u4e00-\u9fff]{0,8}?分公司)?"
)
_WEAK = re.compile(
    rf"{_NAME}{{2,30}}?(?:集团公司|集团|分公司|事务所|厂|中心)(?![\u4e00-\u9fff]{{0,2}}(?:房|家|长|城|园))"
)
_LATIN = re.compile(
    r"[A-Z][A-Za-z0-9&.\- ]{1,60}?(?:,? ?Co\.?,? ?Ltd\.?|,? Inc\.?|,? LLC|,? Limited)(?![A-Za-z])"
)
_SUFFIX = re.compile(
    r"(?:有限责任|股份有限|有限)?公司$|合伙企业(?:[（(].{2,4}合伙[）)])?$|集团公司$|集团$|分公司$|事务所$|厂$|中心$"
)
_STRONG_END = re.compile(r"有限|合伙企业")
_ANYBODY = re.compile(r"一[家间个]|什么|[这哪]家|几家")
# A place begins a name only if what stands before it cannot belong to the name.
_BEFORE_PLACE = re.compile(
    r"(?:[的是叫司们在为和与跟及给帮找问查]|名称|全称|老板|朋友|客户|一下|企业|家|了)$"
)


def identifiers(text: str) -> Iterator[Fact]:
    """Codes and numbers that leave no doubt what they are."""
    yield from _credit_codes(text)
    for match in _APPEAL.finditer(text):
        prefix = (match["prefix"] or vocabulary().appeal_prefix).upper()
        yield _fact("appeal_no", f"{prefix}-{match['day']}-{match['no']}", match.span(), text)
    for match in _PHONE.finditer(text):
        yield _fact("phone", re.sub(r"\D", "", match[1]), match.span(), text)


def _fact(kind: str, value: str, span: tuple[int, int], text: str, note: str | None = None) -> Fact:
    return Fact(kind, value, None, *span, text[span[0] : span[1]], note)


def _credit_codes(text: str) -> Iterator[Fact]:
    for match in _CODE.finditer(text):
        code = uscc.compact(match[0])
        named = _CODE_WORD.search(text[: match.start()]) is not None
        looks = len(code) == 18 and _CODE_START.match(code) is not None
        if not (named or looks) or sum(map(str.isdigit, code)) < 8 or ric.is_valid(code):
            continue
        try:
            yield _fact("credit_code", uscc.validate(code), match.span(), text)
        except ValidationError as problem:
            note = what_is_off(code, problem)
            yield _fact("invalid_credit_code", code, match.span(), text, note)


def companies(text: str) -> Iterator[Fact]:
    """Full company names; "有限公司" alone, "我们集团" or "研发中心" name nobody."""
    words = vocabulary()
    for pattern, needs_lead in ((_STRONG, False), (_WEAK, True)):
        for match in pattern.finditer(text):
            start = _name_start(match[0], words, needs_lead)
            if start is None:
                continue
            span = (match.start() + start, match.end())
            name = text[slice(*span)].replace("(", "（").replace(")", "）")
            yield _fact("company", name, span, text)
    for match in _LATIN.finditer(text):
        yield _fact("company", match[0].strip(), match.span(), text)


def _name_start(candidate: str, words: Vocabulary, needs_lead: bool) -> int | None:
    """Where the name begins in what stands before its suffix; ``None`` when nobody is named."""
    lead = words.company_lead.match(candidate)
    start = lead.end() if lead else 0
    placed = words.company_place.match(candidate, start) is not None
    suffix = _STRONG_END.search(candidate)
    end = suffix.start() if suffix else len(candidate)
    for place in words.company_place.finditer(candidate, start, end):
        if place.start() > start and _BEFORE_PLACE.search(candidate[: place.start()]):
            start, placed = place.start(), True
    core = _SUFFIX.sub("", candidate[start:])
    if place_at_start := words.company_place.match(core):
        core = core[place_at_start.end() :].strip("市（）()")
    if len(core) < 2 or _ANYBODY.match(core) or words.company_generic.fullmatch(core):
        return None
    if needs_lead and not placed and not words.company_generic.sub("", core):
        return None
    return start if placed or lead or not needs_lead else None
