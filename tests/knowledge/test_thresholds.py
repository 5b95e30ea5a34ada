"""One condition of a policy gets another value."""

from __future__ import annotations

from typing import Any

import pytest

from knowledge.errors import RuleError
from knowledge.policy import Criterion, Op
from knowledge.thresholds import with_threshold
from tests.knowledge.samples import policy
from tests.knowledge.tables import SMALL

STAFF = Criterion("staff", Op.GTE, 20, "二十人以上")
TAX = Criterion("tax", Op.LT, 100, "纳税")
AREA = Criterion("industry", Op.IN, ("软件",), "行业")
HIGH = Criterion("held", Op.INCLUDES_ANY, ("规上工业",), "资质")
OPEN = Criterion("exported", Op.EQ, True, "出口")
EITHER = Criterion("any_of", Op.OR, (TAX, Criterion("any_of", Op.OR, (HIGH, OPEN), "")), "之一")
GRANT = policy("TT-001", "合成", criteria=(STAFF, AREA, EITHER))


def value_of(field: str, criteria: Any) -> Any:
    for each in criteria:
        if each.field == field:
            return each.value
        if each.op is Op.OR and (found := value_of(field, each.value)) is not None:
            return found
    return None


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("staff", "10", 10),
        ("tax", "2000万", 20_000_000),
        ("industry", "软件、文化", ("软件", "文化")),
        ("held", "国高", ("国家高新技术企业",)),
        ("exported", "否", False),
    ],
)
def test_the_value_is_of_the_fields_type_also_inside_alternatives(
    field: str, text: str, value: Any
) -> None:
    changed = with_threshold(GRANT, field, text, SMALL)
    assert value_of(field, changed.criteria) == value
    others = {"staff", "tax", "industry", "held", "exported"} - {field}
    for other in others:
        assert value_of(other, changed.criteria) == value_of(other, GRANT.criteria)


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("district", "福田", "TT-001 没有关于 district 的条件；它的条件涉及 staff、industry、tax"),
        ("staf", "1", "是不是 staff"),
        ("staff", "很多", "应为数字"),
        ("staff", "5000", "太大"),
        ("staff", " ", "没有写值"),
        ("industry", "无", "至少要有一个值"),
    ],
)
def test_what_cannot_be_changed_is_said(field: str, text: str, said: str) -> None:
    with pytest.raises(RuleError, match=said):
        with_threshold(GRANT, field, text, SMALL)


def test_two_conditions_on_a_field_need_the_op() -> None:
    most = Criterion("staff", Op.LTE, 100, "不超过一百人")
    both = policy("TT-002", "合成", criteria=(STAFF, most))
    with pytest.raises(RuleError, match="几个条件（gte 20、lte 100）"):
        with_threshold(both, "staff", "50", SMALL)
    changed = with_threshold(both, "staff", "50", SMALL, Op.LTE)
    assert [each.value for each in changed.criteria] == [20, 50]
