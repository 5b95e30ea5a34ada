"""Reads common issues for their page: the list with numbers, one with its appeals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.appeals.departments import directory
from service.common_issues.meeting import ListedIssue, list_for_meeting, summarise
from service.common_issues.models import CommonIssue, IssueState
from service.common_issues.operations import get_issue, members_of

ISSUES = 50


@dataclass(frozen=True)
class Issues:
    """A page of the list, newest first; ``next`` goes into ``before``, absent on the last."""

    rows: Sequence[ListedIssue]
    counts: Mapping[IssueState, int]
    next: int | None


def issues(
    db: Session, states: Sequence[IssueState], at_least: int, before: int | None = None
) -> Issues:
    """The list for the special meeting with how many there are in each state."""
    found = list_for_meeting(db, directory().departments, states, at_least, before, ISSUES)
    query = select(CommonIssue.state, func.count()).group_by(CommonIssue.state)
    counts = {state: number for state, number in db.execute(query)}
    return Issues(found, counts, found[-1].issue.id if len(found) == ISSUES else None)


def one_issue(db: Session, no: str) -> ListedIssue:
    """One with its appeals; ``NotFound`` when there is none of that number."""
    issue = get_issue(db, no)
    appeals = members_of(db, issue)
    return ListedIssue(issue, summarise(issue, appeals, directory().departments), tuple(appeals))
