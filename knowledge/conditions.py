"""Holds an enterprise's facts against the conditions of a policy: met, failed or unknown, and by how much.

Kleene's strong three-valued logic: a conjunction fails where one part fails, an alternative is met where one part is
met, and what is not known stays unknown unless the rest decides. An op compares as the catalogue's format description
(CONTRIBUTING.md) says.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from knowledge.fields import Fields, FieldSpec
from knowledge.policy import Criterion, Op, Scalar
from knowledge.profile import Known, Profile

_WAN, _YI = Decimal(10_000), Decimal(100_000_000)


class Truth(StrEnum):
    """What is known of a claim."""

    MET = "met"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Gap:
    """How far a number is from what is needed, in the field's unit; ``text`` says it in Chinese: 差400万元."""

    amount: float
    unit: str | None
    text: str


@dataclass(frozen=True)
class Checked:
    """One condition held against a profile.

    ``known`` is the fact used, absent where it is unknown and for an alternative, whose parts are in ``parts``.
    ``need`` says in Chinese what is needed, ``gap`` how far off a number is, absent where there is nothing to measure.
    """

    criterion: Criterion
    truth: Truth
    need: str
    known: Known | None = None
    gap: Gap | None = None
    parts: tuple[Checked, ...] = ()

    def leaves(self) -> Iterable[Checked]:
        """The conditions on single fields: itself, or those of its alternatives."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()


def all_of(truths: Iterable[Truth]) -> Truth:
    """Kleene's conjunction; met where there is nothing to hold."""
    found = set(truths)
    if Truth.FAILED in found:
        return Truth.FAILED
    return Truth.UNKNOWN if Truth.UNKNOWN in found else Truth.MET


def any_of(truths: Iterable[Truth]) -> Truth:
    """Kleene's disjunction; failed where there is nothing to choose."""
    found = set(truths)
    if Truth.MET in found:
        return Truth.MET
    return Truth.UNKNOWN if Truth.UNKNOWN in found else Truth.FAILED


def not_(truth: Truth) -> Truth:
    """Kleene's negation."""
    return {Truth.MET: Truth.FAILED, Truth.FAILED: Truth.MET}.get(truth, Truth.UNKNOWN)


def cuts_of(criteria: Iterable[Criterion]) -> dict[str, frozenset[float]]:
    """The numbers that conditions compare a field with, by field, alternatives included."""
    cuts: dict[str, set[float]] = {}
    for criterion in criteria:
        if criterion.op is Op.OR:
            for name, found in cuts_of(_parts(criterion)).items():
                cuts.setdefault(name, set()).update(found)
        elif isinstance(criterion.value, int | float) and not isinstance(criterion.value, bool):
            cuts.setdefault(criterion.field, set()).add(criterion.value)
    return {name: frozenset(found) for name, found in cuts.items()}


def truth_of(criterion: Criterion, profile: Profile) -> Truth:
    """Whether the profile meets the condition; the fast form of ``check``."""
    if criterion.op is Op.OR:
        return any_of(truth_of(part, profile) for part in _parts(criterion))
    known = profile.facts.get(criterion.field)
    return Truth.UNKNOWN if known is None else truth_with(criterion.op, known, criterion.value)


def truth_with(op: Op, known: Known, need: object) -> Truth:
    """Whether a known fact meets an op; a list of which only a part is known may leave it open."""
    if isinstance(known.value, tuple) and not known.is_complete:
        return _truth_of_part(op, known, need)
    return Truth.MET if holds(op, known.value, need) else Truth.FAILED


def _truth_of_part(op: Op, known: Known, need: object) -> Truth:
    """``includes_any`` and ``excludes`` on a list of which only a part is known."""
    assert isinstance(known.value, tuple) and isinstance(need, tuple)
    if not set(need).isdisjoint(known.value):
        has_any = Truth.MET
    else:
        has_any = Truth.FAILED if set(need) <= set(known.lacks) else Truth.UNKNOWN
    return has_any if op is Op.INCLUDES_ANY else not_(has_any)


def check(criterion: Criterion, profile: Profile, fields: Fields) -> Checked:
    """The condition with its truth, the fact used, what is needed and how far off it is.

    Raises:
        KeyError: a field that the dictionary does not hold; a catalogue that was read strictly has none.
    """
    if criterion.op is Op.OR:
        parts = tuple(check(part, profile, fields) for part in _parts(criterion))
        need = "，或".join(part.need for part in parts)
        return Checked(criterion, any_of(part.truth for part in parts), need, parts=parts)
    spec, known = fields[criterion.field], profile.facts.get(criterion.field)
    truth, gap = truth_of(criterion, profile), None
    if known is not None and truth is Truth.FAILED:
        gap = _gap(criterion, known.value, spec)
    return Checked(criterion, truth, need_of(criterion, spec), known, gap)


def have_of(checked: Checked, fields: Fields) -> str | None:
    """What the enterprise has, in Chinese; ``None`` where it is unknown.

    Of an alternative, each known part with its name: 上年度研发费用：80万元；企业资质：无.
    """
    if checked.parts:
        known = dict.fromkeys(_named(leaf, fields) for leaf in checked.leaves() if leaf.known)
        return "；".join(known) or None
    if checked.known is None:
        return None
    return in_unit(checked.known.value, fields[checked.criterion.field].unit)


def nearest_gap(checked: Checked) -> Gap | None:
    """The gap of the condition; of an alternative the one that is least of what is needed. ``None`` without any."""
    leaves = [(leaf.gap, leaf.criterion.value) for leaf in checked.leaves() if leaf.gap]
    measured = [(gap, abs(float(need))) for gap, need in leaves if isinstance(need, int | float)]
    if not measured:
        return None
    return min(measured, key=lambda each: each[0].amount / (each[1] or 1.0))[0]


def _named(leaf: Checked, fields: Fields) -> str:
    return f"{fields[leaf.criterion.field].label}：{have_of(leaf, fields)}"


def holds(op: Op, have: object, need: object) -> bool:
    """Whether a known value meets an op. ``have`` must be of the field's type, ``need`` of the criterion's."""
    return _HOLDS[op](have, need)


def need_of(criterion: Criterion, spec: FieldSpec) -> str:
    """What is needed, in Chinese with the field's name and unit: 上年度营业收入不低于2000万元."""
    value = criterion.value
    if isinstance(value, bool):
        return f"{spec.label}：{'是' if value else '否'}"
    if isinstance(value, tuple):
        listed = "、".join(str(item) for item in value)
        some = "为" if criterion.op is Op.IN else "有"
        many = "之一" if len(value) > 1 else ""
        return (
            f"{spec.label}中没有{listed}"
            if criterion.op is Op.EXCLUDES
            else f"{spec.label}{some}{listed}{many}"
        )
    return f"{spec.label}{_RELATION[criterion.op]}{in_unit(value, spec.unit)}"


def in_unit(value: Scalar | tuple[str, ...], unit: str | None) -> str:
    """A value as people say it, exactly: 400万元, 1.5亿元, 8%, 是, 国高、专精特新."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, tuple):
        return "、".join(value) or "无"
    if isinstance(value, str):
        return value
    number = Decimal(str(value))
    if unit != "CNY":
        return f"{_plain(number)}{unit or ''}"
    for size, name in ((_YI, "亿元"), (_WAN, "万元")):
        if abs(number) >= size and number % (size / _WAN) == 0:
            return f"{_plain(number / size)}{name}"
    return f"{_plain(number)}元"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _parts(criterion: Criterion) -> Iterable[Criterion]:
    if isinstance(criterion.value, tuple):
        yield from (part for part in criterion.value if isinstance(part, Criterion))


def _gap(criterion: Criterion, have: Scalar | tuple[str, ...], spec: FieldSpec) -> Gap | None:
    if spec.type != "number" or criterion.op not in _RELATION or criterion.op is Op.EQ:
        return None
    need, held = Decimal(str(criterion.value)), Decimal(str(have))
    away = need - held if criterion.op in (Op.GTE, Op.GT) else held - need
    words = "差" if criterion.op in (Op.GTE, Op.GT) else "超出"
    if not away:
        return Gap(
            0.0, spec.unit, f"正好{in_unit(have, spec.unit)}，须{_RELATION[criterion.op]}此数"
        )
    said = in_unit(float(away) if away % 1 else int(away), spec.unit)
    return Gap(float(away), spec.unit, f"{words}{said.replace('%', '个百分点')}")


_RELATION: Mapping[Op, str] = {
    Op.EQ: "为",
    Op.GTE: "不低于",
    Op.GT: "超过",
    Op.LTE: "不超过",
    Op.LT: "低于",
}
_HOLDS: Mapping[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: operator.eq,
    Op.GTE: operator.ge,
    Op.GT: operator.gt,
    Op.LTE: operator.le,
    Op.LT: operator.lt,
    Op.IN: lambda have, need: have in need,
    Op.INCLUDES_ANY: lambda have, need: not set(need).isdisjoint(have),
    Op.EXCLUDES: lambda have, need: set(need).isdisjoint(have),
}
