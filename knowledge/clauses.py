"""Cuts a policy into the clauses that answers rest on, one for each facet the record really has."""

from __future__ import annotations

from collections.abc import Iterator

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


def clauses_of(policy: Policy) -> Iterator[Clause]:
    """The clauses of ``policy``; a facet the record says nothing about has none."""
    for facet, text in _texts(policy):
        yield Clause(f"{policy.id}#{facet.value}", policy.id, facet, LABELS[facet], text)


def _texts(policy: Policy) -> Iterator[tuple[Facet, str]]:
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
    parts = [STATUS_TEXT[policy.status]]
    if policy.published:
        parts.append(f"{policy.published:%Y-%m-%d}发布")
    if policy.valid_from:
        parts.append(f"{policy.valid_from:%Y-%m-%d}起施行")
    if policy.valid_to:
        parts.append(f"有效至{policy.valid_to:%Y-%m-%d}")
    return "，".join(parts)
