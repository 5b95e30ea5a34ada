"""Concludes what the catalogue must know but a paper seldom says: level, place, department, category, kind of benefit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.policy import Level
from knowledge.question import read_places

_NATION = re.compile(
    r"^(国务院|国家|中共中央|中华人民共和国|全国|财政部|科技部|科学技术部|工业和信息化部|商务部|人力资源社会?保障部|教育部|税务总局|海关总署|中国人民银行|生态环境部|住房城乡建设部|文化和旅游部)"
)
_LOCAL_TAX = re.compile(r"^国家税务总局(.+?[省市区])")
_PROVINCE = re.compile(r"([\u4e00-\u9fff]{2,3}省|[\u4e00-\u9fff]{2}(?:壮族|回族|维吾尔)?自治区)")
_CITY = re.compile(r"([\u4e00-\u9fff]{2,4}市)")
_DISTRICT = re.compile(r"([\u4e00-\u9fff]{2,5}(?:新区|区|县))(?!域|间|块|分)")
# The first sign of a document number names who numbers it.
_DOC_SIGNS = ((re.compile(r"^(国|财|工信部|科技部|商务部|税总|人社部)"), None), (re.compile(r"^粤"), "广东省"), (re.compile(r"^福"), "福田区"),
              (re.compile(r"^深福"), "福田区"), (re.compile(r"^深南"), "南山区"), (re.compile(r"^深龙华"), "龙华区"), (re.compile(r"^深龙"), "龙岗区"),
              (re.compile(r"^深罗"), "罗湖区"), (re.compile(r"^深宝"), "宝安区"), (re.compile(r"^深光"), "光明区"), (re.compile(r"^深坪"), "坪山区"),
              (re.compile(r"^深盐"), "盐田区"), (re.compile(r"^深前海"), "前海合作区"), (re.compile(r"^深"), "深圳市"))  # fmt: skip

_ORGAN = r"[\u4e00-\u9fff]{1,30}?(?:局|委员会|委|办公室|办|政府|中心|署|厅|部|总局|管委会)"
_RECEIVES = re.compile(
    rf"(?:受理|主管)(?:部门|单位|机构)\s?(?:[：:]|为|是)\s?(?:由)?({_ORGAN})(?=[。，,；;、（(\s]|$)"
)
# Named behind one measure of many, so it tells least.
_OF_ONE_MEASURE = re.compile(
    rf"(?:责任|牵头|实施|主办|承办)(?:部门|单位|机构)\s?(?:[：:]|为|是)\s?({_ORGAN})(?=[。，,；;、（）()\s]|$)"
)
_IS_CHARGED = re.compile(
    rf"(?:^|[。；，,])\s?({_ORGAN})(?:\s?[（(][^）)]{{1,30}}[）)])?\s?(?:是|为|作为)[^。；]{{0,30}}(?:主管|牵头|责任|组织实施)(?:部门|单位)"
)
_EXPLAINS = re.compile(rf"由\s?({_ORGAN})(?:会同[^。；]{{2,30}}?)?\s?(?:负责)?\s?(?:负责)?解释")
_OURSELVES = re.compile(r"^(我|本|该)(局|委|办|中心|署|厅|部)$")


@dataclass(frozen=True)
class Seat:
    """Whose paper it is. ``place`` is ``None`` for the nation."""

    level: Level
    place: str | None


def seat_of(issuer: str | None, title: str | None, doc_no: str | None) -> Seat | None:
    """Level and place from the issuer's name, else the sign of its number, else the title; ``None`` where none tells."""
    if issuer and (seat := _named(issuer)):
        return seat
    if doc_no:
        for sign, place in _DOC_SIGNS:
            if sign.match(doc_no):
                return Seat(Level.NATION, None) if place is None else Seat(_level(place), place)
    return _named(title) if title else None


def _named(text: str) -> Seat | None:
    local = _LOCAL_TAX.match(text)
    if local:
        return _local(local[1])
    if _NATION.match(text):
        return Seat(Level.NATION, None)
    return _local(text)


def _local(text: str) -> Seat | None:
    """The narrowest known place named; of an unknown one its name as written."""
    places = read_places()
    known = [
        place
        for place in [*places.within, *places.within.values()]
        if place in text or place[:-1] in text
    ]
    known += [
        place
        for place, said in places.names.items()
        if any(s in text for s in said if s.startswith(place[:2]))
    ]
    if known:
        place = max(known, key=lambda each: len(places.around(each)))
        return Seat(_level(place), place)
    for pattern, level in (
        (_DISTRICT, Level.DISTRICT),
        (_CITY, Level.CITY),
        (_PROVINCE, Level.PROVINCE),
    ):
        rest = re.sub(r"^.*?(省|自治区)", "", text) if level is not Level.PROVINCE else text
        rest = re.sub(r"^[\u4e00-\u9fff]{2,4}市(?=[\u4e00-\u9fff]{2,4}[区县])", "", rest)
        if found := pattern.match(rest):
            return Seat(level, found[1])
    return None


def _level(place: str) -> Level:
    if place.endswith("省") or place.endswith("自治区"):
        return Level.PROVINCE
    return Level.CITY if place.endswith("市") else Level.DISTRICT


def department_of(texts: Sequence[str], issuer: str | None, seat: Seat) -> str | None:
    """Who is in charge: named as receiving or in charge, else who explains the paper, else its issuer."""
    for pattern in (_RECEIVES, _IS_CHARGED, _EXPLAINS, _OF_ONE_MEASURE):
        for text in texts:
            for found in pattern.finditer(text):
                if name := _full_name(found[1], issuer, seat):
                    return name
    return issuer.split("、")[0] if issuer else None


def _full_name(name: str, issuer: str | None, seat: Seat) -> str | None:
    """区科技创新局 as 福田区科技创新局; 我局 is the issuer."""
    name = re.sub(r"^(由|各|其)", "", name)
    if _OURSELVES.match(name):
        return issuer
    if len(name) < 3:
        return None
    if seat.place and seat.level is Level.DISTRICT and re.match(r"区(?!域|块)", name):
        return f"{seat.place}{name[1:]}"
    if seat.place and name.startswith("市"):
        city = next((p for p in read_places().around(seat.place) if p.endswith("市")), None)
        return f"{city}{name[1:]}" if city else name
    return name


@dataclass(frozen=True)
class _Label:
    name: str
    pattern: re.Pattern[str]


def _labels(*rules: tuple[str, str]) -> tuple[_Label, ...]:
    return tuple(_Label(name, re.compile(pattern)) for name, pattern in rules)


# The names the catalogue already uses; the title weighs as much as five mentions in the text.
_CATEGORIES = _labels(
    ("人才住房", r"人才住房|人才公寓|住房补贴|保障性住房|租房补贴"),
    ("人才服务", r"人才|博士后|毕业生|就业|见习|招聘"),
    ("金融支持", r"贷款|融资|贴息|担保|上市|再融资|保费|风险补偿|基金|金融"),
    ("资质认定", r"认定|专精特新|小巨人|单项冠军|高新技术企业|资质"),
    ("产业空间", r"产业用房|办公用房|租金|园区|产业空间|楼宇|孵化器|场地"),
    ("稳企纾困", r"纾困|稳岗|稳增长|稳企|免征|减按|减免|缓缴|降费|社会?保险费返还"),
    ("科技创新", r"科技|研发|创新|专利|知识产权|技术改造|成果转化|实验室|人工智能"),
)
_BENEFITS = _labels(
    ("贷款贴息", r"贴息"),
    ("租金补贴", r"租金(补贴|支持|资助)|房租补贴"),
    ("税收优惠", r"税收优惠|加计扣除|免征|减按"),
    ("资格认定", r"认定管理|认定办法|认定工作|申请认定"),
    ("配套", r"配套(资助|支持|奖励)"),
    ("一次性奖励", r"一次性(给予)?.{0,6}(奖励|支持)|给予.{0,30}一次性"),
    ("后补助", r"事后(资助|补助|奖补)|后补助|实际(投入|支出|发生).{0,20}(%|％|比例)"),
    ("投资补贴", r"(设备|固定资产|项目)投资.{0,20}(%|％|补贴|资助)"),
)
_TITLE_WEIGHT = 5
_CLEAR_SHARE = 0.6


def category_of(title: str, text: str) -> str:
    return _most_named(_CATEGORIES, title, text) or "产业资金"


def benefit_of(title: str, text: str) -> str:
    """The kind of benefit where one stands out; a paper with several kinds is 综合支持."""
    counts = {
        each.name: len(each.pattern.findall(text))
        + _TITLE_WEIGHT * len(each.pattern.findall(title))
        for each in _BENEFITS
    }
    best = max(counts, key=lambda name: counts[name])
    return (
        best if counts[best] and counts[best] >= _CLEAR_SHARE * sum(counts.values()) else "综合支持"
    )


def _most_named(labels: Sequence[_Label], title: str, text: str) -> str | None:
    counts = {
        each.name: len(each.pattern.findall(text))
        + _TITLE_WEIGHT * len(each.pattern.findall(title))
        for each in labels
    }
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else None
