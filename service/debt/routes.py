"""The endpoints of question debt and signed answers, ``/api/staff/debt`` and ``/api/staff/faq``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from knowledge.live import Live
from service.appeals.clock import SHANGHAI
from service.db import Database, utc_now
from service.debt import operations, signing
from service.debt.closing import Grounds, NothingNeeded, Patched, Settlement, Signed, close_debt
from service.debt.models import Cause, Debt, DebtState, SignedAnswer, SignedState
from service.debt.regressions import write_regressions
from service.debt.serving import SignedAnswers
from service.debt.signing import AnswerDraft
from service.errors import InvalidInput
from service.staff.permissions import Permission, Staff

Require = Callable[[Permission], Callable[[Request], Staff]]


@dataclass(frozen=True)
class DebtParts:
    """What the endpoints work with. ``imported`` says when each policy was last imported; ``today`` the day."""

    live: Live
    signed: SignedAnswers
    regressions: Path
    imported: Callable[[], dict[str, Any]]
    today: Callable[[], date]
    join_alike: Callable[[], int]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Owner(_Body):
    owner: str


class Closing(_Body):
    """Exactly one of: a policy (with clauses that were changed), a signed answer, a reason why nothing is needed."""

    policy_id: str | None = None
    clause_ids: list[str] = Field(default_factory=list)
    answer_id: int | None = None
    reason: str | None = None


class Answer(_Body):
    question: str
    text: str
    clause_ids: list[str]
    valid_until: date
    valid_from: date | None = None
    variants: list[str] = Field(default_factory=list)


class Reason(_Body):
    reason: str


def settlement_of(
    policy_id: str | None, clause_ids: list[str], answer_id: int | None, reason: str | None
) -> Settlement:
    """The one settlement given. ``InvalidInput`` for none or several."""
    given = [policy_id is not None, answer_id is not None, reason is not None]
    if sum(given) != 1 or (clause_ids and policy_id is None):
        raise InvalidInput(
            "关闭欠账需要且只能有一种依据：目录已更新、审定答复、或不需处理的理由。", "closure"
        )
    if policy_id is not None:
        return Patched(policy_id, tuple(clause_ids))
    if answer_id is not None:
        return Signed(answer_id)
    assert reason is not None
    return NothingNeeded(reason)


def debt_router(require: Require, parts: DebtParts) -> APIRouter:
    """Reading needs ``DEBT_READ``, changing ``DEBT_HANDLE``, approving and suspending answers ``FAQ_SIGN``."""
    router = APIRouter(prefix="/api/staff", tags=["question debt"])
    _add_debts(router, require, parts)
    _add_answers(router, require, parts)
    return router


def _add_debts(router: APIRouter, require: Require, parts: DebtParts) -> None:
    reader = Depends(require(Permission.DEBT_READ))
    handler = Depends(require(Permission.DEBT_HANDLE))

    @router.get("/debt")
    def list_debts(
        request: Request,
        state: DebtState | None = DebtState.OPEN,
        cause: Cause | None = None,
        owner: Annotated[str, Query(max_length=64)] = "",
        overdue: bool = False,
        text: Annotated[str, Query(max_length=100)] = "",
        after: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        _staff: Staff = reader,
    ) -> dict[str, Any]:
        """Question debts, the first due first."""
        now = utc_now() if overdue else None
        with _database(request).reading() as db:
            page = operations.list_debts(db, state, cause, owner, now, text, after, limit)
        return {"debts": [_debt(d) for d in page.debts], "total": page.total, "next": page.next}

    @router.post("/debt/join")
    def join(_staff: Staff = handler) -> dict[str, int]:
        """Joins open debts that mean the same."""
        return {"joined": parts.join_alike()}

    @router.get("/debt/{debt_id}")
    def show(request: Request, debt_id: int, _staff: Staff = reader) -> dict[str, Any]:
        """One debt with every turn that counts for it."""
        with _database(request).reading() as db:
            debt = operations.get_debt(db, debt_id)
            turns = operations.messages_of(db, debt)
        told = [
            {"message_id": t.message_id, "question": t.question, "cause": t.cause, "at": t.at.astimezone(SHANGHAI),
             "confidence": t.confidence, "chance": t.chance}
            for t in turns
        ]  # fmt: skip
        return {**_debt(debt), "messages": told}

    @router.post("/debt/{debt_id}/owner")
    def assign(
        request: Request, debt_id: int, body: Owner, _staff: Staff = handler
    ) -> dict[str, Any]:
        with _database(request).session() as db:
            return _debt(operations.assign(db, debt_id, body.owner))

    @router.post("/debt/{debt_id}/close")
    def close(
        request: Request, debt_id: int, body: Closing, staff: Staff = handler
    ) -> dict[str, Any]:
        """Closes it and adds its question to the regressions."""
        settlement = settlement_of(body.policy_id, body.clause_ids, body.answer_id, body.reason)
        grounds = Grounds(parts.live.now.catalogue, parts.imported())
        database = _database(request)
        with database.session() as db:
            debt = close_debt(db, debt_id, staff, settlement, grounds, utc_now())
        write_regressions(database, parts.regressions)
        return _debt(debt)


def _add_answers(router: APIRouter, require: Require, parts: DebtParts) -> None:
    reader = Depends(require(Permission.DEBT_READ))
    handler = Depends(require(Permission.DEBT_HANDLE))
    signer = Depends(require(Permission.FAQ_SIGN))

    @router.get("/faq")
    def list_answers(
        request: Request, state: SignedState | None = None, _staff: Staff = reader
    ) -> dict[str, Any]:
        """Signed answers, newest first; ``is_expired`` on the day of today."""
        with _database(request).reading() as db:
            found = signing.list_answers(db, state)
        return {"answers": [_answer(each, parts.today()) for each in found]}

    @router.post("/faq")
    def add(request: Request, body: Answer, staff: Staff = handler) -> dict[str, Any]:
        """A draft; another person approves it."""
        draft = AnswerDraft(
            body.question, body.text, tuple(body.clause_ids), body.valid_from or parts.today(),
            body.valid_until, tuple(body.variants),
        )  # fmt: skip
        with _database(request).session() as db:
            answer = signing.add_answer(db, draft, staff, parts.live.now.catalogue, utc_now())
        return _answer(answer, parts.today())

    @router.post("/faq/{answer_id}/approve")
    def approve(request: Request, answer_id: int, staff: Staff = signer) -> dict[str, Any]:
        with _database(request).session() as db:
            catalogue = parts.live.now.catalogue
            answer = signing.approve(db, answer_id, staff, catalogue, parts.today(), utc_now())
        parts.signed.forget()
        return _answer(answer, parts.today())

    @router.post("/faq/{answer_id}/suspend")
    def suspend(
        request: Request, answer_id: int, body: Reason, _staff: Staff = signer
    ) -> dict[str, Any]:
        with _database(request).session() as db:
            answer = signing.suspend(db, answer_id, body.reason, utc_now())
        parts.signed.forget()
        return _answer(answer, parts.today())


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _debt(debt: Debt) -> dict[str, Any]:
    return {
        "id": debt.id,
        "question": debt.question,
        "cause": debt.cause,
        "policy_id": debt.policy_id,
        "state": debt.state,
        "merged_into": debt.merged_into,
        "times": debt.times,
        "first_at": debt.first_at.astimezone(SHANGHAI),
        "last_at": debt.last_at.astimezone(SHANGHAI),
        "owner": debt.owner,
        "due_at": debt.due_at.astimezone(SHANGHAI),
        "calendar_known": debt.calendar_known,
        "reopened": debt.reopened,
        "closure": debt.closure,
        "closing": debt.closing,
        "closed_by": debt.closed_by,
        "closed_at": debt.closed_at and debt.closed_at.astimezone(SHANGHAI),
    }


def _answer(answer: SignedAnswer, today: date) -> dict[str, Any]:
    return {
        "id": answer.id,
        "question": answer.question,
        "variants": answer.variants,
        "text": answer.text,
        "clauses": [clause_id for clause_id, _ in answer.clauses],
        "state": answer.state,
        "is_expired": answer.valid_until < today,
        "valid_from": answer.valid_from,
        "valid_until": answer.valid_until,
        "author": answer.author_name,
        "approver": answer.approver_name,
        "approved_at": answer.approved_at and answer.approved_at.astimezone(SHANGHAI),
        "suspended_because": answer.suspended_because,
    }
