"""The endpoints of common issues, ``/api/staff/common-issues``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from actions.appeal import STATES
from service.appeals.clock import SHANGHAI
from service.appeals.departments import Department
from service.common_issues import operations
from service.common_issues.export import masked_phone, workbook_of
from service.common_issues.grouping import group_open_appeals
from service.common_issues.likeness import Meaning
from service.common_issues.meeting import ListedIssue, list_for_meeting, summarise
from service.common_issues.models import CommonIssue, IssueState
from service.common_issues.operations import AnswerAppeal
from service.db import Database, utc_now
from service.staff.permissions import Permission, Staff

Require = Callable[[Permission], Callable[[Request], Staff]]
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_EXPORTED = 2000


class Title(BaseModel):
    title: str


class Member(BaseModel):
    appeal_no: str


class AnswerText(BaseModel):
    text: str


def common_issues_router(
    require: Require, answer: AnswerAppeal, meaning: Meaning, departments: Sequence[Department]
) -> APIRouter:
    """Everything needs ``Permission.COMMON_ISSUES``; ``answer`` answers one appeal (service.appeals)."""
    router = APIRouter(prefix="/api/staff/common-issues", tags=["common issues"])
    signed = Depends(require(Permission.COMMON_ISSUES))

    def told(request: Request, issue: CommonIssue) -> dict[str, Any]:
        with _database(request).reading() as db:
            appeals = operations.members_of(db, issue)
            listed = ListedIssue(issue, summarise(issue, appeals, departments), tuple(appeals))
        return _whole(listed)

    @router.get("")
    def list_issues(
        request: Request,
        _staff: Staff = signed,
        state: Annotated[list[IssueState] | None, Query()] = None,
        at_least: Annotated[int, Query(ge=0, le=1000)] = 0,
        before: Annotated[int | None, Query(ge=1)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """The list for the special meeting, newest first; ``next`` goes into ``before`` for the page after."""
        with _database(request).reading() as db:
            found = list_for_meeting(db, departments, state or (), at_least, before, limit)
        return {
            "issues": [_row(each) for each in found],
            "next": found[-1].issue.id if len(found) == limit else None,
        }

    @router.get("/export.xlsx")
    def export(
        request: Request,
        _staff: Staff = signed,
        state: Annotated[list[IssueState] | None, Query()] = None,
    ) -> Response:
        """The same list as a workbook, with a second sheet of the appeals."""
        with _database(request).reading() as db:
            found = list_for_meeting(db, departments, state or (), limit=_EXPORTED)
        headers = {"Content-Disposition": 'attachment; filename="common-issues.xlsx"'}
        return Response(workbook_of(found, STATES, departments), media_type=_XLSX, headers=headers)

    @router.post("/group")
    def group(request: Request, _staff: Staff = signed) -> dict[str, int]:
        """Groups what has been filed since the last time."""
        done = group_open_appeals(_database(request), meaning, utc_now())
        return {"looked_at": done.looked_at, "joined": done.joined, "proposed": done.proposed}

    @router.get("/{no}")
    def show(request: Request, no: str, _staff: Staff = signed) -> dict[str, Any]:
        with _database(request).reading() as db:
            issue = operations.get_issue(db, no)
        return told(request, issue)

    @router.post("/{no}/confirm")
    def confirm(request: Request, no: str, body: Title, staff: Staff = signed) -> dict[str, Any]:
        with _database(request).session() as db:
            issue = operations.confirm(db, no, staff, body.title, utc_now())
        return told(request, issue)

    @router.post("/{no}/dismiss")
    def dismiss(request: Request, no: str, staff: Staff = signed) -> dict[str, Any]:
        with _database(request).session() as db:
            issue = operations.dismiss(db, no, staff, utc_now())
        return told(request, issue)

    @router.post("/{no}/members")
    def add(request: Request, no: str, body: Member, staff: Staff = signed) -> dict[str, Any]:
        with _database(request).session() as db:
            issue = operations.add_member(db, no, body.appeal_no, staff, utc_now())
        return told(request, issue)

    @router.delete("/{no}/members/{appeal_no}")
    def remove(request: Request, no: str, appeal_no: str, staff: Staff = signed) -> dict[str, Any]:
        with _database(request).session() as db:
            issue = operations.remove_member(db, no, appeal_no, staff, utc_now())
        return told(request, issue)

    @router.post("/{no}/answer")
    def answer_all(
        request: Request, no: str, body: AnswerText, staff: Staff = signed
    ) -> dict[str, Any]:
        """Answers all its waiting appeals at once; ``left`` are those that could not be, with the reason."""
        with _database(request).session() as db:
            done = operations.answer_together(db, no, staff, body.text, utc_now(), answer)
        left = [{"no": each, "reason": reason} for each, reason in done.left]
        return {**told(request, done.issue), "answered": list(done.answered), "left": left}

    return router


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _row(each: ListedIssue) -> dict[str, Any]:
    row = each.row
    return {
        "no": row.no,
        "title": row.title,
        "state": row.state,
        "appeals": row.appeals,
        "enterprises": row.enterprises,
        "streets": row.streets,
        "departments": row.departments,
        "first": row.first,
        "last": row.last,
    }


def _whole(each: ListedIssue) -> dict[str, Any]:
    return {
        **_row(each),
        "answer": each.issue.answer,
        "answered_at": each.issue.answered_at,
        "members": [
            {
                "no": appeal.no,
                "state": appeal.state,
                "department": appeal.department,
                "company": appeal.company,
                "phone": masked_phone(appeal.phone),
                "matter": appeal.matter,
                "received_at": appeal.received_at.astimezone(SHANGHAI),
                "due_at": appeal.due_at.astimezone(SHANGHAI),
            }
            for appeal in each.appeals
        ],
    }
