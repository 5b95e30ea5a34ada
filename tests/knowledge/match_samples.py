"""Small worlds for tests of matching: three fields, random conditions and facts that lie near to each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from knowledge.catalogue import Catalogue
from knowledge.fields import Fields, FieldSpec, read_fields
from knowledge.policy import Criterion, Op, Policy, Scalar
from knowledge.profile import Known, Profile, Source

FIELDS: Fields = {
    "staff": FieldSpec("staff", "number", "人", "职工人数", "有多少人？", low=0, high=1000),
    "revenue": FieldSpec("revenue", "number", "CNY", "营业收入", "营收多少？", low=0, high=10**13),
    "listed": FieldSpec("listed", "boolean", None, "是否上市", "是否上市？"),
    "place": FieldSpec("place", "string", None, "注册区", "注册在哪个区？"),
    "titles": FieldSpec("titles", "string_list", None, "企业资质", "有哪些资质？"),
}
_PLACES, _TITLES = ("福田区", "南山区", "罗湖区"), ("国高", "专精特新", "规上")


def need(field: str, op: str, value: Any, note: str = "条件") -> Criterion:
    """A condition, as the catalogue would hold it."""
    return Criterion(field, Op(op), tuple(value) if isinstance(value, list) else value, note)


def either(*parts: Criterion) -> Criterion:
    """An alternative of conditions."""
    return Criterion("any_of", Op.OR, parts, "其一")


def knows(**facts: Scalar | tuple[str, ...]) -> Profile:
    """A profile that holds these facts."""
    return Profile({field: Known(value, Source.PROFILE) for field, value in facts.items()})


def catalogue_of(*policies: Policy) -> Catalogue:
    return Catalogue(policies)


numbers = st.sampled_from([0, 9, 9.5, 10, 11, 100])
values: Mapping[str, st.SearchStrategy[Any]] = {
    "staff": numbers,
    "revenue": numbers,
    "listed": st.booleans(),
    "place": st.sampled_from([*_PLACES, "龙岗区"]),
    "titles": st.lists(st.sampled_from([*_TITLES, "小巨人"]), unique=True).map(tuple),
}
leaves: st.SearchStrategy[Criterion] = st.one_of(
    st.builds(
        need,
        st.sampled_from(["staff", "revenue"]),
        st.sampled_from(["eq", "gte", "gt", "lte", "lt"]),
        numbers,
    ),
    st.builds(need, st.just("listed"), st.just("eq"), st.booleans()),
    st.builds(need, st.just("place"), st.just("eq"), st.sampled_from(_PLACES)),
    st.builds(
        need,
        st.just("place"),
        st.just("in"),
        st.lists(st.sampled_from(_PLACES), min_size=1, unique=True),
    ),
    st.builds(
        need,
        st.just("titles"),
        st.sampled_from(["includes_any", "excludes"]),
        st.lists(st.sampled_from(_TITLES), min_size=1, unique=True),
    ),
)
criteria: st.SearchStrategy[Criterion] = st.recursive(
    leaves,
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda parts: either(*parts)),
    max_leaves=4,
)
profiles: st.SearchStrategy[Profile] = st.fixed_dictionaries({}, optional=dict(values)).map(
    lambda facts: knows(**facts)
)


def profiles_of(catalogue: Catalogue) -> st.SearchStrategy[Profile]:
    """Facts on any fields of a catalogue, their values at, below or above what its conditions name."""
    named: dict[str, list[Any]] = {}
    for policy in catalogue.policies.values():
        for criterion in policy.criteria:
            for leaf in _leaves(criterion):
                named.setdefault(leaf.field, []).append(leaf.value)
    fields = read_fields()
    return st.fixed_dictionaries(
        {}, optional={field: _near(fields[field], found) for field, found in named.items()}
    ).map(lambda facts: knows(**facts))


def _leaves(criterion: Criterion) -> list[Criterion]:
    if criterion.op is not Op.OR:
        return [criterion]
    parts = criterion.value if isinstance(criterion.value, tuple) else ()
    return [leaf for part in parts if isinstance(part, Criterion) for leaf in _leaves(part)]


def _near(spec: FieldSpec, found: list[Any]) -> st.SearchStrategy[Any]:
    if spec.type == "boolean":
        return st.booleans()
    if spec.type == "number":
        return st.sampled_from([v + step for v in found for step in (-1, 0, 1)])
    flat = sorted({each for v in found for each in (v if isinstance(v, tuple) else (v,))})
    if spec.type == "string":
        return st.sampled_from([*flat, "别的"])
    return st.lists(st.sampled_from([*flat, "别的"]), unique=True, max_size=4).map(tuple)
