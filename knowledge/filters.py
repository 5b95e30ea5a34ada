"""Reads which policies a question for a list wants: of a place, a level, an industry, a department, a deadline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path

import yaml

from knowledge.fields import read_fields
from knowledge.lexical import fold
from knowledge.policy import Level, Policy, Status
from knowledge.question import Question, read_places, subject_of
from knowledge.spans import Days, read_days
from knowledge.windows import read_window

DATA = Path(__file__).parent / "data"
_OPEN = re.compile(
    r"(?:现在|目前|当前|眼下|今年|而家)?(?:还|仲)?(?:能|可以?|可)(?:申?报|申请|领)的|正在(?:受理|申报|开放|接受)(?:申报|申请)?的?|(?:现在|目前|当前)(?:能|可以?)(?:申?报|申请|领)"
    r"|还?(?:没有?|未)(?:过期|截止|结束|失效)的?|(?:还|仍)?(?:有效|在执行|现行)的"
)
_EXPIRED = re.compile(r"(?<!没)(?<!未)(?<!没有)(?:已经?|都)?(?:过期|失效|作废)了?的")
_LEVELS = {
    Level.DISTRICT: re.compile(r"区级|区一级"),
    Level.CITY: re.compile(r"市级|市一级"),
    Level.PROVINCE: re.compile(r"省级|省一级"),
    Level.NATION: re.compile(r"国家级?(?!高新)|中央|全国性?"),
}
# What stands around the names in a question for a list and names nothing.
_AROUND = re.compile(
    r"主?管|负责|牵头|发布?|出台|相关|有关|类别?|方面|领域|行业|产业(?!链|园)|层面|级别|级|本地|自己|那边|这边|当地|目录里?|列(?:一下|出来?|个|下)|清单|汇总"
    r"|所有|全部|统统|一共|总共|几(?:个|项|条|种)|惠企|优惠|好处|福利|帮扶|资金|扶助|归|局里?|部门|名单|时间"
)


_GIVEN = re.compile(r"(?:奖励|返还|补贴|补助|支持)$")


@dataclass(frozen=True)
class Filter:
    """What a list is restricted to; what is empty or ``None`` restricts nothing. ``departments`` are parts of names."""

    places: tuple[str, ...] = ()
    levels: frozenset[Level] = frozenset()
    kinds: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    department_said: str = ""
    days: Days | None = None
    is_open: bool = False
    is_expired: bool = False

    @property
    def is_empty(self) -> bool:
        return self == Filter()

    def of(self, policies: Iterable[Policy], as_of: date) -> list[Policy]:
        """The policies that fit, in the order given. Where no place is named none of a neighbour fits."""
        return [policy for policy in policies if self._fits(policy, as_of)]

    def _fits(self, policy: Policy, as_of: date) -> bool:
        return (
            self._fits_place(policy)
            and (not self.levels or policy.level in self.levels)
            and all(kind in kinds_of(policy) for kind in self.kinds)
            and (not self.departments or any(d in policy.department for d in self.departments))
            and (self.days is None or _ends_within(policy, self.days))
            and (not self.is_open or is_open_on(policy, as_of))
            and (not self.is_expired or policy.status_on(as_of) is Status.EXPIRED)
        )

    def _fits_place(self, policy: Policy) -> bool:
        if not self.places:
            home = read_places().home
            return policy.place is None or policy.place in read_places().around(home)
        if self.departments and any(place in policy.department for place in self.places):
            return True
        return policy.place in self.places

    @property
    def label(self) -> str:
        """What the list is of, in words: 福田区、人工智能."""
        levels = [f"{level.value}级" for level in Level if level in self.levels]
        days = [self.days.said] if self.days else []
        said = [*self.places, *levels, *self.kinds, self.department_said, *days]
        said += ["现在可能还能报"] if self.is_open else []
        said += ["已过期"] if self.is_expired else []
        return "、".join(each.removesuffix("的") for each in said if each)


def read_filter(question: Question, policies: Iterable[Policy], as_of: date) -> Filter | None:
    """What a question for a list wants; ``None`` where it names anything a filter does not know, or nothing at all."""
    text = question.search_text
    left, departments, said = _departments(text, {policy.department for policy in policies})
    days = read_days(left, as_of)
    left = left.replace(days.said, " ") if days else left
    is_open, is_expired = _OPEN.search(left) is not None, _EXPIRED.search(left) is not None
    left = _EXPIRED.sub(" ", _OPEN.sub(" ", left))
    left, kinds = _kinds(left, policies)
    levels = frozenset(level for level, named in _LEVELS.items() if named.search(left))
    places = question.places
    if levels and _says_level_only(question):
        places = ()
    for pattern in _LEVELS.values():
        left = pattern.sub(" ", left)
    if subject_of(_AROUND.sub(" ", left)) or question.elsewhere or question.doc_no:
        return None
    found = Filter(places, levels if not places else frozenset(), kinds, departments, said, days)
    found = replace(found, is_open=is_open, is_expired=is_expired)
    return None if found.is_empty else found


def is_open_on(policy: Policy, day: date) -> bool:
    """Whether one may still apply for all that the record says: not ended, no written window that is closed."""
    if policy.status_on(day) not in (Status.CURRENT, Status.UNKNOWN):
        return False
    spans = read_window(policy.window).spans
    return not spans or any(span.closes is None or span.closes >= day for span in spans)


def _ends_within(policy: Policy, days: Days) -> bool:
    if days.is_validity:
        return policy.valid_to is not None and days.first <= policy.valid_to <= days.last
    closes = [span.closes for span in read_window(policy.window).spans if span.closes]
    return any(days.first <= day <= days.last for day in closes)


def kinds_of(policy: Policy) -> tuple[str, ...]:
    """The names under which a policy is filed: category, form of benefit (免申即享奖励 also as 免申即享), industries."""
    form = _GIVEN.sub("", policy.benefit_type)
    stem = (form,) if len(form) > 3 and form != policy.benefit_type else ()
    return (policy.category, policy.benefit_type, *stem, *policy.industries)


def _kinds(text: str, policies: Iterable[Policy]) -> tuple[str, tuple[str, ...]]:
    """The text without the kinds it names, and their names, longest first."""
    names = {fold(name): name for policy in policies for name in kinds_of(policy) if len(name) > 1}
    industries = read_fields()["industry"].values
    known = set(names.values())
    said = {fold(word): name for name in industries if name in known for word in industries[name]}
    found: list[str] = []
    for word, name in sorted({**said, **names}.items(), key=lambda pair: -len(pair[0])):
        at = rf"(?<![a-z]){re.escape(word)}(?![a-z])" if word.isascii() else re.escape(word)
        if re.search(at, text):
            text = re.sub(at, " ", text)
            found.append(name)
    return text, tuple(dict.fromkeys(found))


def _departments(text: str, full: Iterable[str]) -> tuple[str, tuple[str, ...], str]:
    """The text without the department it names, the parts of full names that are meant, and how it was said."""
    plain = {_without_place(name) for name in full}
    known: Mapping[str, tuple[str, ...]] = {
        **{name: (name,) for name in plain if len(name) > 3},
        **read_short_names(),
    }
    for said in sorted(known, key=len, reverse=True):
        if said in text:
            return text.replace(said, " "), known[said], said
    return text, (), ""


def _without_place(name: str) -> str:
    for place in (*read_places().names, "深圳", "国家"):
        name = name.replace(place, "")
    return fold(name)


def _says_level_only(question: Question) -> bool:
    """市级的 and 省级的 name a level of government, not a place."""
    own = {"深圳市": ("深圳", "鹏城", "市里"), "广东省": ("广东", "省里")}
    text = question.search_text
    return all(
        place in own and not any(name in text for name in own[place]) for place in question.places
    )


@lru_cache(maxsize=1)
def read_short_names(path: Path = DATA / "departments.yml") -> dict[str, tuple[str, ...]]:
    """What people call departments, and the parts of full names it stands for."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {fold(said): tuple(names) for said, names in raw.items()}
