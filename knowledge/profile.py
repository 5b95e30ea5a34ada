"""What is known of one enterprise: each fact with where it came from and when; what cannot be used is named."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from knowledge.fields import Fields, FieldSpec, nearest_name
from knowledge.policy import Scalar

# Keys of a profile that name the enterprise and are no facts to be held against a condition.
NAME_KEYS = ("name", "credit_code")


class Source(StrEnum):
    """Where a fact came from, the most trustworthy first."""

    REGISTRY = "registry"
    PROFILE = "profile"
    SAID = "said"


@dataclass(frozen=True)
class Known:
    """One fact: a scalar or a list of strings as the field's type says; ``day`` is when it was learnt."""

    value: Scalar | tuple[str, ...]
    source: Source
    day: date | None = None


@dataclass(frozen=True)
class Profile:
    """The facts of one enterprise by field name. A field that is absent is unknown, never false."""

    facts: Mapping[str, Known] = field(default_factory=dict)
    name: str | None = None
    credit_code: str | None = None

    def with_facts(self, facts: Mapping[str, Known]) -> Profile:
        """The same enterprise with these facts added or replaced."""
        return Profile({**self.facts, **facts}, self.name, self.credit_code)


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
    (福田) becomes the value (福田区).
    """
    facts: dict[str, Known] = {}
    problems: list[ProfileProblem] = []
    names = {key: _name(raw.get(key)) for key in NAME_KEYS}
    for key, given in raw.items():
        if key in NAME_KEYS or given is None:
            continue
        spec = fields.get(key)
        if spec is None:
            near = nearest_name(key, fields)
            hint = f"，是不是 {near}（{fields[near].label}）" if near else ""
            problems.append(ProfileProblem(key, f"没有“{key}”这个字段{hint}，这一项没有用上"))
            continue
        value, wrong = read_value(given, spec)
        if value is None:
            problems.append(ProfileProblem(key, f"{spec.label}：{wrong}，这一项没有用上"))
        else:
            facts[key] = Known(value, source, day)
    return Profile(facts, names["name"], names["credit_code"]), problems


def read_value(given: object, spec: FieldSpec) -> tuple[Scalar | tuple[str, ...] | None, str]:
    """The value in the field's type, or ``None`` with what is wrong, in Chinese."""
    if spec.type == "boolean":
        return (
            (given, "")
            if isinstance(given, bool)
            else (None, f"应为是或否，写的是 {_shown(given)}")
        )
    if spec.type == "number":
        return _number(given, spec)
    if spec.type == "string":
        if not isinstance(given, str) or not given.strip():
            return None, f"应为文字，写的是 {_shown(given)}"
        return canonical(given, spec), ""
    if not isinstance(given, list | tuple) or not all(isinstance(item, str) for item in given):
        return None, f"应为文字的列表，写的是 {_shown(given)}"
    return tuple(dict.fromkeys(canonical(item, spec) for item in given if item.strip())), ""


def canonical(text: str, spec: FieldSpec) -> str:
    """The canonical value that a text means, else the text itself in one width."""
    said = unicodedata.normalize("NFKC", text).strip()
    if said in spec.values:
        return said
    return next((value for value, ways in spec.values.items() if said in ways), said)


def _number(given: object, spec: FieldSpec) -> tuple[int | float | None, str]:
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None, f"应为数字，写的是 {_shown(given)}"
    if given != given or given in (float("inf"), float("-inf")):
        return None, "不是一个确定的数"
    unit = "元" if spec.unit == "CNY" else spec.unit or ""
    if spec.low is not None and given < spec.low:
        return None, f"{given:g}{unit} 太小，不应低于 {spec.low:g}{unit}"
    if spec.high is not None and given > spec.high:
        return None, f"{given:g}{unit} 太大，不应高于 {spec.high:g}{unit}，请核对单位"
    return given, ""


def _name(given: object) -> str | None:
    return given.strip() or None if isinstance(given, str) else None


def _shown(given: object) -> str:
    shown = repr(given)
    return shown if len(shown) <= 40 else f"{shown[:40]}…"
