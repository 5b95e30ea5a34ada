"""What staff do with a common issue: confirm, dismiss, add and remove appeals, answer them together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from service.appeals.models import UNANSWERED_STATES, Appeal
from service.common_issues.models import (
    GROWING,
    MOVES,
    CommonIssue,
    CommonIssueMember,
    IssueState,
)
from service.errors import Conflict, InvalidInput, NotFound, ServiceError
from service.staff.permissions import Staff

AnswerAppeal = Callable[[Session, str, Staff, str, datetime], object]
"""Answers one appeal by its number: one event, one line to its requester; a ``ServiceError`` when it cannot be."""


@dataclass(frozen=True)
class AnsweredTogether:
    """``answered`` are appeal numbers; ``left`` those that could not be, with the reason in Chinese."""

    issue: CommonIssue
    answered: tuple[str, ...]
    left: tuple[tuple[str, str], ...]


def get_issue(db: Session, no: str) -> CommonIssue:
    """The issue of that number, its row locked. ``NotFound`` when there is none."""
    digits = no.removeprefix("GX-")
    issue = None
    if digits.isascii() and digits.isdigit() and len(digits) <= 12:
        issue = db.scalars(
            select(CommonIssue).where(CommonIssue.id == int(digits)).with_for_update()
        ).one_or_none()
    if issue is None:
        raise NotFound(f"没有共性问题 {no[:20]}。", "no")
    return issue


def members_of(db: Session, issue: CommonIssue) -> list[Appeal]:
    """The appeals in the issue now, in the order they were filed."""
    query = (
        select(Appeal)
        .join(CommonIssueMember, CommonIssueMember.appeal_id == Appeal.id)
        .where(CommonIssueMember.issue_id == issue.id, CommonIssueMember.removed_at.is_(None))
        .order_by(Appeal.received_at, Appeal.id)
    )
    return list(db.scalars(query))


def confirm(db: Session, no: str, staff: Staff, title: str, now: datetime) -> CommonIssue:
    """Makes a proposal the parent of its appeals, under a title of 2 to 200 characters."""
    wanted = " ".join(title.split())
    if not 2 <= len(wanted) <= 200:
        raise InvalidInput("请写一个 2 至 200 字的标题。", "title")
    issue = get_issue(db, no)
    if len(members_of(db, issue)) < 2:
        raise Conflict("至少要有两件诉求才能成为共性问题。", "no")
    _move(db, issue, IssueState.CONFIRMED)
    issue.title, issue.decided_by, issue.decided_at = wanted, staff.id, now
    _flush(db)
    return issue


def dismiss(db: Session, no: str, staff: Staff, now: datetime) -> CommonIssue:
    """Not a common issue: its appeals go on alone and are not proposed together again."""
    issue = get_issue(db, no)
    _move(db, issue, IssueState.DISMISSED)
    issue.decided_by, issue.decided_at = staff.id, now
    for member in _rows(db, issue):
        member.removed_by, member.removed_at = staff.id, now
    _flush(db)
    return issue


def add_member(db: Session, no: str, appeal_no: str, staff: Staff, now: datetime) -> CommonIssue:
    """Adds an unanswered appeal by hand, also one removed before. ``Conflict`` when it is in an issue already."""
    issue, appeal = get_issue(db, no), _appeal(db, appeal_no)
    if issue.state not in GROWING or appeal.state not in UNANSWERED_STATES:
        raise Conflict("已经答复或结束的不能再加入。", "appeal_no")
    current = db.scalars(
        select(CommonIssueMember).where(
            CommonIssueMember.appeal_id == appeal.id, CommonIssueMember.removed_at.is_(None)
        )
    ).one_or_none()
    if current is not None:
        raise Conflict(f"诉求 {appeal.no} 已在共性问题 GX-{current.issue_id:04d} 里。", "appeal_no")
    former = db.get(CommonIssueMember, (issue.id, appeal.id))
    if former is None:
        db.add(
            CommonIssueMember(
                issue_id=issue.id, appeal_id=appeal.id, added_by=staff.id, added_at=now
            )
        )
    else:
        former.added_by, former.added_at = staff.id, now
        former.removed_by = former.removed_at = None
    db.flush()
    return issue


def remove_member(db: Session, no: str, appeal_no: str, staff: Staff, now: datetime) -> CommonIssue:
    """Takes an appeal out; it goes on alone and is not proposed for this issue again."""
    issue, appeal = get_issue(db, no), _appeal(db, appeal_no)
    member = db.get(CommonIssueMember, (issue.id, appeal.id))
    if member is None or member.removed_at is not None:
        raise NotFound(f"诉求 {appeal.no} 不在共性问题 {issue.no} 里。", "appeal_no")
    if issue.state not in GROWING:
        raise Conflict("已经答复或结束的共性问题不能再改。", "no")
    member.removed_by, member.removed_at = staff.id, now
    db.flush()
    return issue


def answer_together(
    db: Session, no: str, staff: Staff, text: str, now: datetime, answer: AnswerAppeal
) -> AnsweredTogether:
    """Answers every appeal of a confirmed issue that still waits; what cannot be answered is named, not lost.

    Safe to repeat: appeals answered already are passed over. ``Conflict`` when the issue is not confirmed, or none of
    its appeals could be answered.
    """
    said = text.strip()
    if not 5 <= len(said) <= 5000:
        raise InvalidInput("答复应为 5 至 5000 字。", "text")
    issue = get_issue(db, no)
    _move(db, issue, IssueState.ANSWERED)
    answered: list[str] = []
    left: list[tuple[str, str]] = []
    for appeal in members_of(db, issue):
        if appeal.state not in UNANSWERED_STATES:
            continue
        try:
            with db.begin_nested():
                answer(db, appeal.no, staff, said, now)
        except ServiceError as error:
            left.append((appeal.no, error.message))
        else:
            answered.append(appeal.no)
    if not answered:
        raise Conflict(left[0][1] if left else "没有等待答复的诉求。", "no")
    issue.answer, issue.answered_by, issue.answered_at = said, staff.id, now
    _flush(db)
    return AnsweredTogether(issue, tuple(answered), tuple(left))


def _move(db: Session, issue: CommonIssue, to: IssueState) -> None:
    if to not in MOVES[issue.state]:
        raise Conflict(f"共性问题 {issue.no} 目前的状态不允许这样做，请刷新后再看。", "no")
    issue.state = to


def _flush(db: Session) -> None:
    try:
        db.flush()
    except StaleDataError as error:
        raise Conflict("刚有人改过这个共性问题，请刷新后再做。", "no") from error


def _rows(db: Session, issue: CommonIssue) -> list[CommonIssueMember]:
    query = select(CommonIssueMember).where(
        CommonIssueMember.issue_id == issue.id, CommonIssueMember.removed_at.is_(None)
    )
    return list(db.scalars(query))


def _appeal(db: Session, no: str) -> Appeal:
    appeal = db.scalars(select(Appeal).where(Appeal.no == no[:32])).one_or_none()
    if appeal is None:
        raise NotFound(f"没有诉求 {no[:32]}。", "appeal_no")
    return appeal
