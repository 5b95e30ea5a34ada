"""Profiles: what can be used is used, what cannot is named, and nothing makes it fail."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.fields import FieldSpec, read_fields
from knowledge.profile import Known, Profile, ProfileProblem, Source, read_profile, read_value

DAY = date(2026, 11, 24)
SPECS = {
    "employees": FieldSpec("employees", "number", "人", "职工人数", "？", low=0, high=5_000_000),
    "annual_revenue_cny": FieldSpec(
        "annual_revenue_cny", "number", "CNY", "上年度营业收入", "？", low=0, high=10**13
    ),
    "growth_pct": FieldSpec("growth_pct", "number", "%", "增速", "？"),
    "is_sme": FieldSpec("is_sme", "boolean", None, "是否中小企业", "？"),
    "place": FieldSpec("place", "string", None, "注册区", "？", values={"福田区": ("福田",)}),
    "titles": FieldSpec(
        "titles",
        "string_list",
        None,
        "企业资质",
        "？",
        values={"国家高新技术企业": ("国高", "高企")},
    ),
}


@pytest.mark.parametrize(
    ("field", "given_value", "used"),
    [
        ("employees", 86, 86), ("employees", 0, 0), ("employees", 86.5, 86.5), ("employees", 5_000_000, 5_000_000),
        ("growth_pct", -12.5, -12.5),
        ("is_sme", False, False), ("is_sme", True, True),
        ("place", "福田区", "福田区"), ("place", " 福田 ", "福田区"), ("place", "Ａ区（一）", "A区(一)"),
        ("titles", [], ()), ("titles", ["国高", "高企", "规上"], ("国家高新技术企业", "规上")), ("titles", ["规上", " "], ("规上",)),
        ("titles", ("国高",), ("国家高新技术企业",)),
    ],
)  # fmt: skip
def test_value_of_the_right_type_is_used(field: str, given_value: object, used: object) -> None:
    profile, problems = read_profile({field: given_value}, SPECS, day=DAY)
    assert problems == []
    assert profile.facts == {field: Known(used, Source.PROFILE, DAY)}  # type: ignore[arg-type]
    assert type(profile.facts[field].value) is type(used)


@pytest.mark.parametrize(
    ("field", "given_value", "said"),
    [
        ("employees", -86, "-86人 太小，不应低于 0人"),
        ("employees", 5_000_001, "请核对单位"),
        ("annual_revenue_cny", 10**18, "请核对单位"),
        ("annual_revenue_cny", -(10**400), "请核对单位"),
        ("growth_pct", 10**18, "请核对单位"),
        ("employees", "86", "应为数字，写的是 '86'"),
        ("employees", True, "应为数字"),
        ("employees", [86], "应为数字"),
        ("employees", float("nan"), "不是一个确定的数"),
        ("employees", float("-inf"), "不是一个确定的数"),
        ("is_sme", "是", "应为是（true）或否（false），写的是 '是'"),
        ("is_sme", 1, "应为是（true）或否（false）"),
        ("place", "", "应为文字"),
        ("place", "  ", "应为文字"),
        ("place", ["福田区"], "应为文字"),
        ("place", "长" * 201, "文字太长"),
        ("titles", "国高", "应为文字的列表"),
        ("titles", ["国高", 1], "应为文字的列表"),
        ("titles", {"国高": True}, "只含 has、lacks 的对象"),
        ("titles", ["a"] * 501, "列表太长"),
        ("name", 7, "应为文字"),
    ],
)
def test_wrong_value_is_named_and_the_rest_is_used(
    field: str, given_value: object, said: str
) -> None:
    right = {"growth_pct": 3, "is_sme": True, "employees": 5, "place": "南山区"}
    profile, problems = read_profile({**right, field: given_value}, SPECS)
    (problem,) = problems
    assert problem.field == field
    assert said in problem.message
    assert len(problem.message) < 120
    assert set(profile.facts) == set(right) - {field}


def test_null_is_unknown_and_no_problem() -> None:
    assert read_profile({"employees": None, "xyz": None, "name": None}, SPECS) == (Profile(), [])


def test_unknown_field_is_named_with_the_nearest_one() -> None:
    profile, problems = read_profile({"employes": 3, "完全不同": 1}, SPECS)
    assert profile.facts == {}
    assert problems == [
        ProfileProblem(
            "employes", "没有“employes”这个字段，是不是 employees（职工人数），这一项没有用上"
        ),
        ProfileProblem("完全不同", "没有“完全不同”这个字段，这一项没有用上"),
    ]


def test_thousands_of_unknown_fields_are_named_quickly() -> None:
    fields = read_fields()
    _, problems = read_profile({f"annual_revenu_{n}": n for n in range(30_000)}, fields)
    assert len(problems) == 30_000
    assert sum("是不是" in problem.message for problem in problems) == 20


def test_names_are_kept_apart_from_facts() -> None:
    profile, problems = read_profile(
        {"name": " 某公司 ", "credit_code": "9144", "employees": 3}, SPECS, Source.REGISTRY, DAY
    )
    assert (profile.name, profile.credit_code, problems) == ("某公司", "9144", [])
    assert profile.facts == {"employees": Known(3, Source.REGISTRY, DAY)}


def test_added_facts_replace_and_keep_the_enterprise() -> None:
    before = Profile({"employees": Known(3, Source.REGISTRY)}, "某公司", "9144")
    after = before.with_facts({"employees": Known(4, Source.SAID, DAY)})
    assert after == Profile({"employees": Known(4, Source.SAID, DAY)}, "某公司", "9144")
    assert before.facts["employees"].value == 3


def test_lone_surrogates_can_be_sent_on() -> None:
    profile, problems = read_profile({"\ud800": 1, "place": "福\ud800"}, SPECS)
    told = "".join([problems[0].field, problems[0].message, str(profile.facts["place"].value)])
    assert told.encode("utf-8")


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from([*SPECS, "name", "credit_code"]) | st.text(), json_values, max_size=6
    )
)
def test_every_key_is_used_or_named_or_null(raw: dict[str, Any]) -> None:
    profile, problems = read_profile(raw, SPECS)
    given_keys = {key for key, value in raw.items() if value is not None}
    assert len(profile.facts) + len(problems) >= len(given_keys - {"name", "credit_code"})
    assert all(
        read_value(known.value, SPECS[f])[0] == known.value for f, known in profile.facts.items()
    )
    assert all(problem.message.encode("utf-8") for problem in problems)
