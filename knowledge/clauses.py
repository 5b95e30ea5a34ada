"""Cuts a policy into the clauses that answers rest on: its facts facet by facet, then its own wording."""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.acts import ActKind, repeal_words
from knowledge.policy import Clause, Facet, Policy, Status

LABELS = {
    Facet.AMOUNT: "扶持内容",
    Facet.CONDITIONS: "申报条件",
    Facet.MATERIALS: "申报材料",
    Facet.WINDOW: "申报时间",
    Facet.PROCESS: "申报流程",
    Facet.DEPARTMENT: "受理部门",
    Facet.CONTACT: "咨询电话",
    Facet.VALIDITY: "有效期",
    Facet.OVERVIEW: "备注",
}
STATUS_TEXT = {
    Status.CURRENT: "记录显示现行有效",
    Status.EXPIRED: "已过期",
    Status.UNKNOWN: "有效期未核实",
    Status.UPCOMING: "尚未施行",
}


# A sum, a rate or an exemption that is granted; 营收达千万 and 60分以上 are what is demanded.
_GRANTED = re.compile(
    r"(?<![达满超占比\d.])(?<!投入)(?<!收入)(?<!营收)(?<!资产)(?<!纳税)(?<!增速)(?<!评分)(?<!财力)(?<![\d.][-至~/])(?<!万/)"
    r"(?:[\d.]+|[一二两三四五六七八九十百千]+)(?:(?:个?百分点|[万亿元%折倍成])*[/至~-][\d.]+)*+"
    r"(?:个?百分点|[万亿元%折倍成])++(?!以上|以内|以下|[（(]含)|全额|免[征缴费租]|减半|减按"
)


def clauses_of(policy: Policy) -> Iterator[Clause]:
    """The clauses of ``policy``; a facet the record says nothing about has none.

    A facet of the record comes once, under its name; an imported document may have many clauses for a facet.
    """
    for facet, text in _texts(policy):
        yield Clause(f"{policy.id}#{facet.value}", policy.id, facet, LABELS[facet], text)
    yield from policy.wording


def grants_money(policy: Policy) -> bool:
    """Whether the policy says how much it gives: a sum, a rate, an exemption; imported wording is not judged."""
    if policy.amount_max_cny is not None or _GRANTED.search(policy.summary or ""):
        return True
    return any(clause.facet is Facet.AMOUNT for clause in policy.wording)


def facets_recorded(policy: Policy) -> frozenset[Facet]:
    """The facets a question about this policy can be answered for."""
    held = {clause.facet for clause in clauses_of(policy)}
    return frozenset(held if grants_money(policy) else held - {Facet.AMOUNT})


def _texts(policy: Policy) -> Iterator[tuple[Facet, str]]:
    if policy.summary:
        yield Facet.AMOUNT, policy.summary
    if policy.criteria:
        yield Facet.CONDITIONS, _numbered([criterion.note for criterion in policy.criteria])
    if policy.materials:
        yield Facet.MATERIALS, _numbered(list(policy.materials))
    if policy.window:
        yield Facet.WINDOW, policy.window
    yield Facet.DEPARTMENT, _department(policy)
    if policy.phone:
        yield Facet.CONTACT, policy.phone
    yield Facet.VALIDITY, validity_text(policy)
    if policy.note:
        yield Facet.OVERVIEW, policy.note


def _numbered(items: list[str]) -> str:
    if len(items) == 1:
        return items[0]
    return "；".join(f"{number}. {item}" for number, item in enumerate(items, 1))


def _department(policy: Policy) -> str:
    if policy.issuer == policy.department:
        return f"由{policy.department}负责"
    return f"由{policy.department}负责（发布机关：{policy.issuer}）"


def validity_text(policy: Policy) -> str:
    """What the record says of validity, whatever the day: status and dates as stored."""
    is_open_ended = policy.status is Status.CURRENT and policy.valid_to is None
    # Whether it holds depends on the day; the clause does not know the day.
    parts = ["记录没有写截止日期" if is_open_ended else STATUS_TEXT[policy.status]]
    if policy.published:
        parts.append(f"{policy.published:%Y-%m-%d}发布")
    if policy.valid_from:
        parts.append(f"{policy.valid_from:%Y-%m-%d}起施行")
    if policy.valid_to:
        parts.append(f"有效至{policy.valid_to:%Y-%m-%d}")
    for act in policy.acts:
        if act.kind is ActKind.REPEALED:
            parts.append(f"{'、'.join(act.clauses)}{repeal_words(act)}")
        elif act.until:
            number = f"（{act.doc_no}）" if act.doc_no else ""
            parts.append(f"有效期经《{act.title}》{number}延长至{act.until:%Y-%m-%d}")
    return "，".join(parts)
