"""What is known of one enterprise: each fact with where it came from and when; what cannot be used is named."""

from __future__ import annotations

import reprlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from knowledge.fields import Fields, FieldSpec, nearest_name
from knowledge.policy import Scalar

# Keys of a profile that name the enterprise and are no facts to be held against a condition.
NAME_KEYS = ("name", "credit_code")
_MAX_CHARS = 200
_MAX_ITEMS = 500
# Beyond any amount of money on earth: a slip of the keyboard, whatever the field's own bounds are.
_MAX_NUMBER = 10**16
# Looking for the nearest name costs; a profile with more unknown fields than this was not made for us.
_MOST_HINTS = 20


class Source(StrEnum):
    """Where a fact came from, the most trustworthy first."""

    REGISTRY = "registry"
    PROFILE = "profile"
    SAID = "said"


@dataclass(frozen=True)
class Known:
    """One fact: a scalar or a list of strings as the field's type says; ``day`` is when it was learnt.

    A list is all there is while ``is_complete``. Otherwise ``value`` are the members known to be in it and ``lacks``
    those known not to be; of any other member nothing is known. ``is_approximate`` marks a number given roughly
    (三千来万): it is compared like any other and shown with 约.
    """

    value: Scalar | tuple[str, ...]
    source: Source
    day: date | None = None
    is_complete: bool = True
    lacks: tuple[str, ...] = ()
    is_approximate: bool = False

    def joined(self, newer: Known) -> Known:
        """Both together; where they contradict each other the newer one is right.

        Only a newer list that is not complete leaves anything of the older one.
        """
        if not isinstance(self.value, tuple) or not isinstance(newer.value, tuple):
            return newer
        if newer.is_complete:
            return newer
        kept = tuple(item for item in self.value if item not in newer.lacks)
        value = tuple(dict.fromkeys((*kept, *newer.value)))
        if self.is_complete:
            return replace(newer, value=value, is_complete=True, lacks=())
        lacks = tuple(dict.fromkeys((*self.lacks, *newer.lacks)))
        return replace(newer, value=value, lacks=tuple(x for x in lacks if x not in newer.value))

    def agrees_with(self, other: Known) -> bool:
        """Whether both can be true at once: equal values, or lists that no member sets against each other."""
        mine, theirs = self.value, other.value
        if not isinstance(mine, tuple) or not isinstance(theirs, tuple):
            return mine == theirs
        return self._allows(theirs, other) and other._allows(mine, self)

    def _allows(self, members: tuple[str, ...], of: Known) -> bool:
        """Whether ``of`` may hold these members and lack what it lacks as far as this list tells."""
        held = set(self.value) if isinstance(self.value, tuple) else set()
        if held & set(of.lacks):
            return False
        return not set(members) - held if self.is_complete else not set(members) & set(self.lacks)


@dataclass(frozen=True)
class Profile:
    """The facts of one enterprise by field name. A field that is absent is unknown, never false."""

    facts: Mapping[str, Known] = field(default_factory=dict)
    name: str | None = None
    credit_code: str | None = None

    def with_facts(self, facts: Mapping[str, Known]) -> Profile:
        """The same enterprise with these facts added or replaced."""
        return Profile({**self.facts, **facts}, self.name, self.credit_code)

    def joined(self, facts: Mapping[str, Known]) -> Profile:
        """The same enterprise with these newer facts: a list that is not complete adds to what is known of it."""
        known = self.facts
        return self.with_facts(
            {
                name: known[name].joined(fact) if name in known else fact
                for name, fact in facts.items()
            }
        )


@dataclass(frozen=True)
class ProfileProblem:
    """A fact that is not used: ``message`` says in Chinese what is wrong and what to do."""

    field: str
    message: str


def read_profile(
    raw: Mapping[str, object],
    fields: Fields,
    source: Source = Source.PROFILE,
    day: date | None = None,
) -> tuple[Profile, list[ProfileProblem]]:
    """The usable facts of a JSON object, and what is wrong with the rest; never fails.

    ``null`` is unknown. Text is compared in one width (NFKC) without outer blanks; what people say for a value
    (福田) becomes the value (福田区). A list is complete; ``{"has": […], "lacks": […]}`` is one that is not. Field names
    and texts over 200 characters are no facts.
    """
    facts: dict[str, Known] = {}
    problems: list[ProfileProblem] = []
    names: dict[str, str | None] = dict.fromkeys(NAME_KEYS)
    for key, given in raw.items():
        if given is None:
            continue
        if key in NAME_KEYS:
            names[key] = _name(given)
            if names[key] is None:
                problems.append(ProfileProblem(key, f"应为文字，写的是 {_shown(given)}，没有用上"))
            continue
        spec = fields.get(key)
        if spec is None:
            problems.append(_unknown(key, fields, is_hinted=len(problems) < _MOST_HINTS))
            continue
        known, wrong = _read_known(given, spec, source, day)
        if known is None:
            problems.append(ProfileProblem(key, f"{spec.label}：{wrong}，这一项没有用上"))
        else:
            facts[key] = known
    return Profile(facts, names["name"], names["credit_code"]), problems


def _unknown(key: str, fields: Fields, is_hinted: bool) -> ProfileProblem:
    name = _short(one_width(key))
    near = nearest_name(name, fields) if is_hinted else None
    hint = f"，是不是 {near}（{fields[near].label}）" if near else ""
    return ProfileProblem(name, f"没有“{name}”这个字段{hint}，这一项没有用上")


def _read_known(
    given: object, spec: FieldSpec, source: Source, day: date | None
) -> tuple[Known | None, str]:
    if spec.type != "string_list" or not isinstance(given, Mapping):
        value, wrong = read_value(given, spec)
        return (None, wrong) if value is None else (Known(value, source, day), "")
    if not given or not set(given) <= {"has", "lacks"}:
        return None, f"应为列表，或只含 has、lacks 的对象，写的是 {_shown(given)}"
    has, wrong_has = read_value(given.get("has", []), spec)
    lacks, wrong_lacks = read_value(given.get("lacks", []), spec)
    if not isinstance(has, tuple) or not isinstance(lacks, tuple):
        return None, wrong_has or wrong_lacks
    if both := set(has) & set(lacks):
        return None, f"{'、'.join(sorted(both))} 既在 has 里又在 lacks 里"
    return Known(has, source, day, is_complete=False, lacks=lacks), ""


def read_value(given: object, spec: FieldSpec) -> tuple[Scalar | tuple[str, ...] | None, str]:
    """The value in the field's type, or ``None`` with what is wrong, in Chinese."""
    if spec.type == "boolean":
        return (
            (given, "")
            if isinstance(given, bool)
            else (None, f"应为是（true）或否（false），写的是 {_shown(given)}")
        )
    if spec.type == "number":
        return _number(given, spec)
    if spec.type == "string":
        if not isinstance(given, str) or not given.strip():
            return None, f"应为文字，写的是 {_shown(given)}"
        if len(given) > _MAX_CHARS:
            return None, f"文字太长，最多 {_MAX_CHARS} 个字"
        return canonical(given, spec), ""
    if not isinstance(given, list | tuple) or not all(isinstance(item, str) for item in given):
        return None, f"应为文字的列表，写的是 {_shown(given)}"
    if len(given) > _MAX_ITEMS or any(len(item) > _MAX_CHARS for item in given):
        return None, f"列表太长，最多 {_MAX_ITEMS} 项，每项 {_MAX_CHARS} 个字"
    return tuple(dict.fromkeys(canonical(item, spec) for item in given if item.strip())), ""


def one_width(text: str) -> str:
    """Text as it is compared: one width (NFKC), without outer blanks and lone surrogates."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFKC", whole).strip()


def canonical(text: str, spec: FieldSpec) -> str:
    """The canonical value that a text means, else the text itself in one width."""
    said = one_width(text)
    return spec.value_said(said) or said


def _number(given: object, spec: FieldSpec) -> tuple[int | float | None, str]:
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None, f"应为数字，写的是 {_shown(given)}"
    if given != given or given in (float("inf"), float("-inf")):
        return None, "不是一个确定的数"
    unit = "元" if spec.unit == "CNY" else spec.unit or ""
    if abs(given) > _MAX_NUMBER:
        return None, "这个数大得不合情理，请核对单位"
    if spec.low is not None and given < spec.low:
        return None, f"{given:g}{unit} 太小，不应低于 {spec.low:g}{unit}"
    if spec.high is not None and given > spec.high:
        return None, f"{given:g}{unit} 太大，不应高于 {spec.high:g}{unit}，请核对单位"
    return given, ""


def _name(given: object) -> str | None:
    return one_width(given)[:_MAX_CHARS] or None if isinstance(given, str) else None


def _shown(given: object) -> str:
    """What was written, short enough to be shown; a number of a million digits is never spelt out."""
    if isinstance(given, int) and abs(given) > _MAX_NUMBER:
        return "一个很大的数"
    return _short(reprlib.repr(given))


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"
