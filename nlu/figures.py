"""Finds figures in normalised text: money, percentages, people, lengths of time, calendar years."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

from nlu.fact import Fact
from nlu.numerals import DIGIT, NUMBER, plain_number, read_number
from nlu.vocabulary import vocabulary

_START = rf"(?<![\d.第{DIGIT}十百千])(?<!\d,)"
_ABOUT = r"\s?[多来余几]?\s?"
_TO = r"\s?(?:-|~|–|—|―|～|至|到)+\s?"
_LOW = rf"(?:(?P<low>{NUMBER})\s?[%人个年]?{_TO})?"

_SCALES = {
    "亿": 10**8,
    "千万": 10**7,
    "百万": 10**6,
    "十万": 10**5,
    "万": 10**4,
    "w": 10**4,
}
_SCALE = r"(?:亿|千万|百万|十万|万|[wW](?![A-Za-z]))"
_SEGMENT = rf"{NUMBER}{_ABOUT}个?多?\s?{_SCALE}"
_UNIT = r"(?:元|圆|块钱|块|蚊|人民币|(?:RMB|rmb|CNY)(?![A-Za-z]))"
# What may follow a figure that is not a sum: things counted, and other currencies.
_COUNTED = (
    r"(?!\s?(?:多|余)?(?:人(?!民币)|名|位|员工(?!.{0,4}[\d一二三四五六七八九十])|平|㎡|m2|台|吨|度|次|股|件|字|户|张|套|辆|条|座|间|家|天|颗|片|粉丝|用户|会员|参数"
    r"|公里|米|小时|门店|token|千瓦|个(?!亿)|美[元金刀]|港[元币纸]|欧元|日元|英镑|韩元|台币))"
)
_AMOUNT = re.compile(
    rf"{_START}{_LOW}(?P<main>{_SEGMENT}(?:{_SEGMENT})*)"
    rf"(?P<rest>\d千|\d(?=元|块|左右|[\s，。,？?]|$)|[{DIGIT}]{{1,4}}(?:[十百千][{DIGIT}十百千]{{0,8}})?(?![{DIGIT}年个月人]))?"
    rf"\s?(?:多|余|左右)?(?P<unit>\s?{_UNIT})?{_COUNTED}"
)
_PARTS = re.compile(rf"(?P<n>{NUMBER}){_ABOUT}个?多?\s?(?P<scale>{_SCALE})")
_SUM = re.compile(rf"{_START}{_LOW}(?P<main>{NUMBER}){_ABOUT}{_UNIT}(?![地儿])")
_SIGNED = re.compile(rf"¥\s?(?P<n>{NUMBER})(?![\d万亿wW])")
_AT_LEAST = re.compile(rf"(?:超过?|过|上|突?破)(?P<scale>百万|千万|亿)元?{_COUNTED}")

_PERCENT = re.compile(
    rf"{_START}{_LOW}(?P<n>{NUMBER})\s?(?:%|个?百分点|个点(?!钟))"
    rf"|百分之(?:(?P<cn_low>{NUMBER}){_TO}(?:百分之)?)?(?P<cn>{NUMBER})"
    rf"|千分之(?P<permille>{NUMBER})"
    rf"|(?<![{DIGIT}十百完变当促达合赞构形])(?P<tenths>[{DIGIT}]{{1,2}}|(?<![\d.])\d)成(?P<half>半|[{DIGIT}5])?"
    rf"(?![立员本都果功为长绩品交就年人语熟套群天])(?<!八成(?=[是会要没]))"
)

_PEOPLE = re.compile(
    rf"{_START}{_LOW}(?P<n>{NUMBER})(?P<scale>[万千百])?{_ABOUT}[个名位号]?\s?(?:全职|在职|在册|正式)?"
    r"(?:人(?!民|才|工|次|均|家|员|公|力|大|口|物|脸|事|生|气|体|类|际|文|寿|性|格|社|保)|(?:员工|职工|雇员|同事|伙计|小伙伴)(?!.{0,4}[\d一二三四五六七八九十]))"
)
_STAFF = re.compile(
    r"(?:员工|人数|职工|社保|参保|团队|在册|在职|用工|雇员|headcount)"
    r"(?:总数|人数|规模|人员|一共|总共|大概|大约|约|差不多|现有|目前|现在|有|共|是|为|就|达到?|近|[:：\s]){0,4}"
    rf"{_LOW}(?P<n>{NUMBER})(?P<scale>[万千百])?{_ABOUT}(?:[个名位号]人?)?"
    r"(?![\d.,%万元年月天日平成折块条险点度家亿岁大小]|个[月点])"
)
# Numbers of other people: to be hired, let go, of one group only.
_NOT_STAFF = re.compile(
    r"(?:第|招|聘|缺口?|差|引进|裁掉?|走|离职|新增|扩招|培训|推荐|砸到|受伤|每|残疾|研发人员|技术人员|本科生?|博士|硕士|毕业生|找|叫)"
    r"(?:了|过|到|还|有|的|是|约|大概|共|员工){0,3}$"
)

_YEARS = re.compile(
    rf"{_START}(?<![每今去明前上近头])(?:{_LOW}(?P<n>{NUMBER})\s?(?P<more>个?半|多|来)?\s?(?P<unit>年|个月)(?P<half>半)?"
    rf"|(?<![上下{DIGIT}\d])(?P<half_year>半年))(?!度|级|报|终|薪|龄|轻|代|底|版|初|中|会|检|一遇|以来第|\d{{1,2}}月)"
)
_RATE = re.compile(
    r"\s?(?:可以|能|最高|最多|给|补|拿|报|发|贴|领){0,3}\s?(?:几|多少|一次|两次|一批|\d次)"
)
_YEAR = re.compile(
    rf"{_START}(?P<year>(?:19[89]|20[0-4])\d)(?!{_TO}{NUMBER}{_ABOUT}个?(?:{_SCALE}|{_UNIT}|[人名%]))(?:\s?年|(?!\s?[\d.,万亿元块人名个家平㎡m台多几来余%千wW户号吨度条]))"
)
_YEAR_CHINESE = re.compile(r"(?P<year>[一二][九〇零][〇零一二三四五六七八九]{2})年")
_YEAR_SHORT = re.compile(
    rf"{_START}(?P<year>(?:[012]\d|9\d)|[〇零一二九][〇零一二三四五六七八九])\s?年"
    r"(?=(?:初|底|末|头|中|上半年|下半年|[一二三四五六七八九十\d]{1,2}月|度|的时候|那)?(?:在|从|就|才|刚|由|份|来|去)*"
    r"(?:成立|注册|创办|创立|创建|设立|开业|开始|开的|开办|搬|迁|入驻|落户|认定|评|拿|通过|上市|挂牌|办|起步|进|来的|做的|到期|$)"
    r"|初|底|末|[一二三四五六七八九十\d]{1,2}月|度|[\u4e00-\u9fff]{1,2}的)"
)
_LASTED = re.compile(
    r"(?:成立|注册|开业|入驻|搬来|迁来|社保|做|开|经营|干|交|缴|已经?|满|连续|有|快|近|超过?|不到|才|刚)了?有?$"
)
_ANY = re.compile(rf"[\d{DIGIT}半十百千万亿]")


def figures(text: str) -> Iterator[Fact]:
    """All figures of a text; where two readings overlap, the earlier one is the better."""
    if _ANY.search(text) is None:
        return
    yield from _percentages(text)
    yield from _calendar_years(text)
    yield from _amounts(text)
    yield from _people(text)
    yield from _lengths_of_time(text)


def _fact(kind: str, value: Decimal, unit: str | None, match: re.Match[str], start: int) -> Fact:
    end = match.end()
    return Fact(kind, plain_number(value), unit, start, end, match.string[start:end])


def _pair(
    kind: str,
    unit: str,
    match: re.Match[str],
    low: str | None,
    values: tuple[Decimal, ...],
    by: Decimal,
) -> Iterator[Fact]:
    """The facts of one figure: its lower bound, if it has one, then its values."""
    start = match.start()
    if low and len(values) == 1:
        for bound in read_number(low):
            yield _fact(kind, bound * by, unit, match, start)
    for value in values:
        yield _fact(kind, value * by, unit, match, start)


def _percentages(text: str) -> Iterator[Fact]:
    for match in _PERCENT.finditer(text):
        low, by = match["low"] or match["cn_low"], Decimal(1)
        number = match["n"] or match["cn"] or match["permille"] or match["tenths"]
        if match["permille"]:
            by = Decimal("0.1")
        elif match["tenths"]:
            by = Decimal(10)
        values = read_number("一百" if number == "百" else number)
        if match["half"]:
            tail = Decimal("0.5") if match["half"] == "半" else _one(match["half"]) / 10
            values = tuple(value + tail for value in values)
        yield from _pair("percentage", "%", match, low, values, by)


def _amounts(text: str) -> Iterator[Fact]:
    for match in _AMOUNT.finditer(text):
        yield from _pair("amount", "CNY", match, None, (), Decimal(1))
        parts = list(_PARTS.finditer(match["main"]))
        by = Decimal(_SCALES[parts[-1]["scale"].lower()])
        if len(parts) == 1 and not match["rest"]:
            yield from _pair("amount", "CNY", match, match["low"], read_number(parts[0]["n"]), by)
            continue
        total = sum(
            (_one(part["n"]) * _SCALES[part["scale"].lower()] for part in parts),
            Decimal(0),
        )
        yield _fact("amount", total + _remainder(match["rest"], by), "CNY", match, match.start())
    for match in _SUM.finditer(text):
        yield from _pair(
            "amount", "CNY", match, match["low"], read_number(match["main"]), Decimal(1)
        )
    for match in _SIGNED.finditer(text):
        yield from _pair("amount", "CNY", match, None, read_number(match["n"]), Decimal(1))
    for match in _AT_LEAST.finditer(text):
        scale = Decimal(_SCALES[match["scale"]])
        yield _fact("amount", scale, "CNY", match, match.start("scale"))
    for match in _labelled_amount().finditer(text):
        yield from _labelled(match)


def _one(number: str) -> Decimal:
    return read_number(number)[-1] if read_number(number) else Decimal(0)


def _remainder(rest: str | None, scale: Decimal) -> Decimal:
    """What follows the last scale: 三万五 is 35,000, 三万五千 too, 一万零八百 is 10,800."""
    if not rest:
        return Decimal(0)
    if rest.endswith("千") and rest[0].isdigit():
        return Decimal(rest[:-1]) * 1000
    value = _one(rest)
    return value * scale / 10 if len(rest) == 1 else value


@lru_cache(maxsize=1)
def _labelled_amount() -> re.Pattern[str]:
    """营收（万元）：1500, and a bare 三千五 after a word of money."""
    words = vocabulary().money_words
    return re.compile(
        rf"(?:(?:{words})[^\d，。；,;]{{0,4}}[(（](?P<label>万元|亿元|元|万|亿)[)）]\s?[:：为是]?\s?(?P<n>{NUMBER})(?![\d年万亿])"
        rf"|(?:{words})(?:大概|约|差不多|是|有|就|才|了|我们)*(?P<bare>[{DIGIT}]+[千百][{DIGIT}十百]*)(?![{DIGIT}万亿多来年平人个家名元块]))"
    )


def _labelled(match: re.Match[str]) -> Iterator[Fact]:
    number = match["n"] or match["bare"]
    by = Decimal(_SCALES.get((match["label"] or "").removesuffix("元"), 1))
    for value in read_number(number):
        start = match.start("n") if match["n"] else match.start("bare")
        yield _fact("amount", value * by, "CNY", match, start)


def _people(text: str) -> Iterator[Fact]:
    for pattern in (_PEOPLE, _STAFF):
        for match in pattern.finditer(text):
            number, label = match["n"], pattern is _STAFF
            if not label and (number in ("一", "1") or _NOT_STAFF.search(text[: match.start()])):
                continue
            if label and text[: match.start()].endswith(("招", "缺", "每")):
                continue
            by = Decimal({"万": 10**4, "千": 10**3, "百": 100}.get(match["scale"], 1))
            yield from _pair("headcount", "人", match, match["low"], read_number(number), by)


def _lengths_of_time(text: str) -> Iterator[Fact]:
    for match in _YEARS.finditer(text):
        if match["half_year"]:
            yield _fact("years", Decimal("0.5"), "年", match, match.start())
            continue
        if match["unit"] == "个月" and not _LASTED.search(text[: match.start()]):
            continue
        bare_one = match["n"] in ("一", "1") and match["unit"] == "年" and not match["half"]
        if bare_one and not match["more"] and _RATE.match(text, match.end()):
            continue
        values = read_number(match["n"])
        if match["half"] or (match["more"] or "").endswith("半"):
            values = tuple(value + Decimal("0.5") for value in values)
        by = Decimal(1) if match["unit"] == "年" else Decimal(1) / 12
        yield from _pair("years", "年", match, match["low"], values, by)


def _calendar_years(text: str) -> Iterator[Fact]:
    for match in _YEAR.finditer(text):
        yield _fact("year", Decimal(match["year"]), None, match, match.start())
    for match in _YEAR_CHINESE.finditer(text):
        yield _fact("year", Decimal(_digits(match["year"])), None, match, match.start())
    for match in _YEAR_SHORT.finditer(text):
        if _LASTED.search(text[: match.start()]):
            continue
        year = int(_digits(match["year"]))
        century = 1900 if year >= 90 else 2000
        yield _fact("year", Decimal(century + year), None, match, match.start())


def _digits(written: str) -> str:
    """二〇一八 → 2018."""
    table = str.maketrans("〇零一二三四五六七八九", "00123456789")
    return written.translate(table)
