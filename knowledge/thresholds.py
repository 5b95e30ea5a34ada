"""Changes one condition of a policy, before the rule is saved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from knowledge.errors import RuleError
from knowledge.fields import Fields, FieldSpec, nearest_name
from knowledge.policy import Criterion, Op, Policy
from knowledge.profile import canonical, read_value
from knowledge.written import written_value

_LISTS = (Op.IN, Op.INCLUDES_ANY, Op.EXCLUDES)


def with_threshold(
    policy: Policy, field: str, text: str, fields: Fields, op: Op | None = None
) -> Policy:
    """The policy with another value in its condition on a field, also one among alternatives.

    ``text`` is the value as people write it: 2000万, 是, a list divided by 、. ``op`` tells which condition is meant
    where there are several on the field.

    Raises:
        RuleError: no such condition, several of them, or a value that does not fit the field.
    """
    leaves = list(_leaves(policy.criteria))
    found = [each for each in leaves if each.field == field and op in (None, each.op)]
    if not found:
        raise RuleError(_no_such(policy, field, op, leaves))
    if len({(each.op, each.value) for each in found}) > 1:
        said = "、".join(f"{each.op} {_shown(each.value)}" for each in found)
        raise RuleError(f"{policy.id} 对 {field} 有几个条件（{said}），请用 --op 说明改哪一个")
    changed = replace(found[0], value=_value(text, fields[field], found[0].op))
    return replace(policy, criteria=_replaced(policy.criteria, found[0], changed))


def _leaves(criteria: Any) -> Iterator[Criterion]:
    for criterion in criteria:
        if criterion.op is Op.OR:
            yield from _leaves(criterion.value)
        else:
            yield criterion


def _replaced(criteria: Any, old: Criterion, new: Criterion) -> Any:
    return tuple(
        replace(each, value=_replaced(each.value, old, new))
        if each.op is Op.OR
        else replace(each, value=new.value)
        if (each.field, each.op, each.value) == (old.field, old.op, old.value)
        else each
        for each in criteria
    )


def _value(text: str, spec: FieldSpec, op: Op) -> Any:
    if op in _LISTS:
        listed = written_value(text, replace(spec, type="string_list", values={}))
        texts = listed if isinstance(listed, list) else []
        if not texts:
            raise RuleError(f"{spec.label}：至少要有一个值")
        return tuple(canonical(each, spec) for each in texts)
    given = written_value(text, spec)
    value, wrong = (None, "没有写值") if given is None else read_value(given, spec)
    if value is None:
        raise RuleError(f"{spec.label}：{wrong}")
    return value


def _no_such(policy: Policy, field: str, op: Op | None, leaves: list[Criterion]) -> str:
    has = list(dict.fromkeys(each.field for each in leaves))
    near = nearest_name(field, has)
    hint = f"，是不是 {near}" if near and near != field else ""
    which = f"{field} {op}" if op else field
    known = f"；它的条件涉及 {'、'.join(has)}" if has else "；它没有录入条件"
    return f"{policy.id} 没有关于 {which} 的条件{hint}{known}"


def _shown(value: Any) -> str:
    return "、".join(map(str, value)) if isinstance(value, tuple) else str(value)
