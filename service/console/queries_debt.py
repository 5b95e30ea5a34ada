"""Reads question debts and signed answers for their pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.appeals.departments import directory
from service.conversations.models import Message
from service.debt import operations, signing
from service.debt.models import Cause, Debt, DebtMessage, DebtState, SignedAnswer, SignedState
from service.debt.operations import DebtPage
from service.staff.accounts import accounts
from service.staff.permissions import GRANTS, Permission

ROWS = 50
EXPIRING_WITHIN = timedelta(days=30)


@dataclass(frozen=True)
class DebtFilter:
    """What the list of debts shows; ``state`` absent means all."""

    state: DebtState | None = DebtState.OPEN
    cause: Cause | None = None
    owner: str = ""
    overdue: bool = False
    text: str = ""


@dataclass(frozen=True)
class Wording:
    """One turn that counts for a debt, with the conversation it was in."""

    turn: DebtMessage
    conversation: str | None


@dataclass(frozen=True)
class DebtView:
    """One debt, its turns newest first, and the signed answers that could settle it."""

    debt: Debt
    wordings: Sequence[Wording]
    answers: Sequence[SignedAnswer]


def debts(db: Session, wanted: DebtFilter, after: int, now: datetime) -> DebtPage:
    """A page of debts, the first due first."""
    overdue_at = now if wanted.overdue else None
    return operations.list_debts(
        db, wanted.state, wanted.cause, wanted.owner, overdue_at, wanted.text, after, ROWS
    )


def owners(db: Session) -> Mapping[str, str]:
    """Who may be given a debt: departments and people that handle debts, by code or id."""
    found = {each.code: each.name for each in directory().departments}
    for row in accounts(db):
        if row.is_active and Permission.DEBT_HANDLE in GRANTS[row.role]:
            found[row.id] = f"{row.name}（{row.id}）"
    return found


def one_debt(db: Session, debt_id: int) -> DebtView:
    """One with what was asked and where; ``NotFound`` when there is none."""
    debt = operations.get_debt(db, debt_id)
    turns = operations.messages_of(db, debt)[::-1]
    rows = db.execute(
        select(Message.id, Message.conversation_id).where(
            Message.id.in_([turn.message_id for turn in turns])
        )
    )
    where = {message_id: conversation for message_id, conversation in rows}
    return DebtView(
        debt,
        [Wording(turn, where.get(turn.message_id)) for turn in turns],
        signing.list_answers(db, SignedState.IN_FORCE),
    )


def is_expiring(answer: SignedAnswer, today: date) -> bool:
    """Whether an answer in force ends within ``EXPIRING_WITHIN`` or has ended."""
    return answer.state is SignedState.IN_FORCE and answer.valid_until <= today + EXPIRING_WITHIN
