"""Lists common issues for the special meeting (专办会): how many enterprises, where, since when, whose business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.appeals.clock import shanghai_day
from service.appeals.departments import Department, comparable
from service.appeals.models import Appeal
from service.common_issues.models import CommonIssue, CommonIssueMember, IssueState

_comparable = lru_cache(4096)(comparable)
"""For words of the table of departments, which are compared with every appeal."""


@dataclass(frozen=True)
class MeetingRow:
    """One issue. ``enterprises`` counts each once, told apart by credit code, else name, else conversation.

    ``streets`` and ``departments`` are names, the most frequent first. ``first`` and ``last`` are local days of receipt,
    absent when every appeal has been taken out.
    """

    no: str
    title: str
    state: IssueState
    appeals: int
    enterprises: int
    streets: tuple[str, ...]
    departments: tuple[str, ...]
    first: date | None
    last: date | None
    answer: str | None


@dataclass(frozen=True)
class ListedIssue:
    """An issue with its appeals, in the order they were filed."""

    issue: CommonIssue
    row: MeetingRow
    appeals: tuple[Appeal, ...]


def list_for_meeting(
    db: Session,
    departments: Sequence[Department],
    states: Sequence[IssueState] = (),
    at_least: int = 0,
    before: int | None = None,
    limit: int = 100,
) -> list[ListedIssue]:
    """Issues, newest first; ``before`` is the id of the last one of the page before.

    Without ``states`` all of them; ``at_least`` leaves out those with fewer appeals.
    """
    query = select(CommonIssue).order_by(CommonIssue.id.desc()).limit(limit)
    if states:
        query = query.where(CommonIssue.state.in_(states))
    if before is not None:
        query = query.where(CommonIssue.id < before)
    if at_least:
        member = CommonIssueMember
        count = select(func.count()).where(
            member.issue_id == CommonIssue.id, member.removed_at.is_(None)
        )
        query = query.where(count.scalar_subquery() >= at_least)
    issues = list(db.scalars(query))
    members: dict[int, list[Appeal]] = {issue.id: [] for issue in issues}
    rows = db.execute(
        select(CommonIssueMember.issue_id, Appeal)
        .join(Appeal, Appeal.id == CommonIssueMember.appeal_id)
        .where(CommonIssueMember.issue_id.in_(members), CommonIssueMember.removed_at.is_(None))
        .order_by(Appeal.received_at, Appeal.id)
    )
    for issue_id, appeal in rows:
        members[issue_id].append(appeal)
    return [
        ListedIssue(
            issue, summarise(issue, members[issue.id], departments), tuple(members[issue.id])
        )
        for issue in issues
    ]


def summarise(
    issue: CommonIssue, appeals: Sequence[Appeal], departments: Sequence[Department]
) -> MeetingRow:
    """The row of one issue over its appeals."""
    days = [shanghai_day(appeal.received_at) for appeal in appeals]
    streets = [street for appeal in appeals if (street := street_of(appeal, departments))]
    return MeetingRow(
        no=issue.no,
        title=issue.title,
        state=issue.state,
        appeals=len(appeals),
        enterprises=len({a.credit_code or a.company or a.session for a in appeals}),
        streets=_by_frequency(streets),
        departments=_by_frequency([appeal.department for appeal in appeals]),
        first=min(days, default=None),
        last=max(days, default=None),
        answer=issue.answer,
    )


def street_of(appeal: Appeal, departments: Sequence[Department]) -> str | None:
    """The sub-district that handles the appeal, else the one whose place its matter names."""
    text = comparable(appeal.matter)
    named: list[tuple[int, str]] = []
    for street in departments:
        if not street.is_street:
            continue
        if street.name == appeal.department:
            return street.name
        named += [
            (len(word), street.name)
            for word in (*street.aliases, *street.places)
            if _comparable(word) in text
        ]
    return max(named)[1] if named else None


def _by_frequency(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names), key=lambda name: (-names.count(name), name)))
