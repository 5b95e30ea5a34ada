"""Looks through the catalogue in force for the pages: filters, one policy with its clauses."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from pydantic import BaseModel

from knowledge.catalogue import Catalogue
from knowledge.clauses import STATUS_TEXT, validity_text
from knowledge.conditions import need_of
from knowledge.fields import Fields
from knowledge.lexical import fold
from knowledge.policy import Criterion, Facet, Level, Op, Policy, Status
from service.errors import NotFound

NATIONAL = "全国"


class PolicyFilter(BaseModel):
    """Which policies to list; what is absent does not restrict. ``place`` 全国 is for those of no place."""

    level: Level | None = None
    place: str | None = None
    status: Status | None = None
    department: str | None = None
    text: str = ""


class PolicyLine(BaseModel):
    """One policy in a list; ``status`` is the validity on the day asked for."""

    id: str
    title: str
    level: Level
    place: str
    department: str
    doc_no: str | None
    status: Status
    status_text: str
    clauses: int


class ClauseView(BaseModel):
    """A clause as an answer cites it."""

    id: str
    facet: Facet
    label: str
    text: str
    path: list[str]
    page: int | None


class PolicyView(PolicyLine):
    """A policy with all its clauses and conditions; ``conditions`` are Chinese."""

    aliases: list[str]
    issuer: str
    url: str | None
    valid_from: date | None
    valid_to: date | None
    validity: str
    amount_max_cny: int | None
    conditions: list[str]
    all_clauses: list[ClauseView]


class PoliciesFound(BaseModel):
    """A page of the policies that fit, in the order of the catalogue, and how many fit."""

    total: int
    policies: list[PolicyLine]


class Choices(BaseModel):
    """What the filters offer: places and departments of the catalogue, sorted."""

    places: list[str]
    departments: list[str]


def browse(
    catalogue: Catalogue, wanted: PolicyFilter, as_of: date, limit: int = 30, offset: int = 0
) -> PoliciesFound:
    """The policies that fit; every word of ``text`` must stand in title, alias, number, department or summary."""
    words, said = fold(wanted.text).split(), _searched(catalogue)
    fitting = [
        policy
        for policy in catalogue.policies.values()
        if _fits(policy, wanted, as_of) and all(word in said[policy.id] for word in words)
    ]
    shown = fitting[offset : offset + limit]
    return PoliciesFound(
        total=len(fitting), policies=[_line(each, catalogue, as_of) for each in shown]
    )


def choices(catalogue: Catalogue) -> Choices:
    policies = catalogue.policies.values()
    return Choices(
        places=sorted({policy.place or NATIONAL for policy in policies}),
        departments=sorted({policy.department for policy in policies}),
    )


def policy_view(catalogue: Catalogue, fields: Fields, policy_id: str, as_of: date) -> PolicyView:
    """One policy whole; ``NotFound`` when the catalogue does not hold it."""
    policy = catalogue.policies.get(policy_id)
    if policy is None:
        raise NotFound("目录里没有这项政策。", "policy_id")
    return PolicyView(
        **dict(_line(policy, catalogue, as_of)),
        aliases=list(policy.aliases),
        issuer=policy.issuer,
        url=policy.source_url,
        valid_from=policy.valid_from,
        valid_to=policy.valid_to,
        validity=validity_text(policy),
        amount_max_cny=policy.amount_max_cny,
        conditions=[_condition(each, fields) for each in policy.criteria],
        all_clauses=[
            ClauseView(
                id=each.id,
                facet=each.facet,
                label=each.label,
                text=each.text,
                path=list(each.path),
                page=each.page,
            )
            for each in catalogue.clauses_of(policy.id)
        ],
    )


def _fits(policy: Policy, wanted: PolicyFilter, as_of: date) -> bool:
    return (
        wanted.level in (None, policy.level)
        and wanted.place in (None, policy.place or NATIONAL)
        and wanted.department in (None, policy.department)
        and wanted.status in (None, policy.status_on(as_of))
    )


@lru_cache(maxsize=2)  # the catalogue in force and the one before it
def _searched(catalogue: Catalogue) -> dict[str, str]:
    """What the words of a filter are looked for in, by policy id."""
    return {policy.id: fold(_said(policy)) for policy in catalogue.policies.values()}


def _said(policy: Policy) -> str:
    parts = (policy.id, policy.title, *policy.aliases, policy.doc_no, policy.department)
    return " ".join(filter(None, (*parts, policy.summary)))


def _line(policy: Policy, catalogue: Catalogue, as_of: date) -> PolicyLine:
    status = policy.status_on(as_of)
    return PolicyLine(
        id=policy.id,
        title=policy.title,
        level=policy.level,
        place=policy.place or NATIONAL,
        department=policy.department,
        doc_no=policy.doc_no,
        status=status,
        status_text=STATUS_TEXT[status],
        clauses=len(catalogue.clauses_of(policy.id)),
    )


def _condition(criterion: Criterion, fields: Fields) -> str:
    if criterion.op is Op.OR and isinstance(criterion.value, tuple):
        parts = [
            _condition(each, fields) for each in criterion.value if isinstance(each, Criterion)
        ]
        return " 或 ".join(parts)
    return need_of(criterion, fields[criterion.field])
