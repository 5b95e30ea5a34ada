"""Signs the demo's answers and settles some of its question debts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.catalogue import Catalogue
from service.debt import signing
from service.debt.closing import Grounds, NothingNeeded, close_debt
from service.debt.models import Debt, DebtState
from service.debt.operations import assign
from service.demo.clock import WorkingDays
from service.demo.script import Closed, Owned, Signed
from service.errors import ServiceError
from service.staff.permissions import Staff

_VALID_FOR = timedelta(days=180)


def sign(
    db: Session, signed: Signed, staff: Mapping[str, Staff], catalogue: Catalogue, today: date,
    days: WorkingDays,
) -> bool:  # fmt: skip
    """Writes the answer, and approves it where the demo says so.

    ``False``, with nothing kept, where the catalogue in use has no such clauses or they do not hold.
    """
    draft = signing.AnswerDraft(
        signed.question, signed.text, signed.clauses, today, today + _VALID_FOR, signed.variants
    )
    try:
        with db.begin_nested():
            author = staff[signed.author]
            answer = signing.add_answer(db, draft, author, catalogue, days.ago(1.5))
            if signed.approver:
                approver = staff[signed.approver]
                signing.approve(db, answer.id, approver, catalogue, today, days.ago(1.2))
    except ServiceError:
        return False
    return True


def settle(
    db: Session, closed: Closed, owned: Owned, staff: Mapping[str, Staff], catalogue: Catalogue,
    days: WorkingDays,
) -> None:  # fmt: skip
    """Closes one debt with a reason and gives another to somebody."""
    debt = _debt(db, closed.question)
    if debt is not None:
        reason = NothingNeeded(closed.reason)
        grounds = Grounds(catalogue)
        close_debt(db, debt.id, staff[closed.by], reason, grounds, days.ago(0.5))
    debt = _debt(db, owned.question)
    if debt is not None:
        assign(db, debt.id, owned.owner)


def _debt(db: Session, words: str) -> Debt | None:
    query = select(Debt).where(Debt.question.contains(words), Debt.state == DebtState.OPEN)
    return db.scalars(query.order_by(Debt.id).limit(1)).first()
