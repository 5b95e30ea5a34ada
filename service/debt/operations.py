"""Lists question debts, gives them owners, joins those that mean the same, reopens."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from knowledge.encoder import Encoder, Vectors
from service.appeals.clock import due_after_working_days
from service.appeals.repeats import SAME_FROM
from service.db import Database
from service.debt.models import Cause, Debt, DebtMessage, DebtState
from service.errors import Conflict, InvalidInput, NotFound

_JOINED_AT_ONCE = 5000
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class DebtPage:
    """A page of debts and how many there are in all under the same filter; ``next`` goes into ``after``."""

    debts: tuple[Debt, ...]
    total: int
    next: int | None


def get_debt(db: Session, debt_id: int) -> Debt:
    """The debt, its row locked. ``NotFound`` when there is none."""
    debt = db.scalars(select(Debt).where(Debt.id == debt_id).with_for_update()).one_or_none()
    if debt is None:
        raise NotFound(f"没有编号为 {debt_id} 的问题欠账。", "id")
    return debt


def list_debts(
    db: Session,
    state: DebtState | None = DebtState.OPEN,
    cause: Cause | None = None,
    owner: str | None = None,
    overdue_at: datetime | None = None,
    text: str = "",
    after: int = 0,
    limit: int = 50,
) -> DebtPage:
    """Debts, the first due first, without those joined to another; ``after`` is how many to pass over. ``overdue_at`` keeps those due before it."""
    wanted: list[ColumnElement[bool]] = [Debt.merged_into.is_(None)]
    if state is not None:
        wanted.append(Debt.state == state)
    if cause is not None:
        wanted.append(Debt.cause == cause)
    if owner:
        wanted.append(Debt.owner == owner)
    if overdue_at is not None:
        wanted.append(Debt.due_at < overdue_at)
    if text.strip():
        wanted.append(Debt.question.contains(text.strip(), autoescape=True))
    total = db.scalar(select(func.count()).select_from(Debt).where(*wanted)) or 0
    rows = db.scalars(
        select(Debt).where(*wanted).order_by(Debt.due_at, Debt.id).offset(after).limit(limit)
    ).all()
    last = after + len(rows)
    return DebtPage(tuple(rows), total, last if last < total else None)


def messages_of(db: Session, debt: Debt) -> list[DebtMessage]:
    """Every turn that counts for the debt, oldest first."""
    query = select(DebtMessage).where(DebtMessage.debt_id == debt.id)
    return list(db.scalars(query.order_by(DebtMessage.at, DebtMessage.message_id)))


def assign(db: Session, debt_id: int, owner: str) -> Debt:
    """Gives an open debt to a staff id or a department's code."""
    debt = get_debt(db, debt_id)
    if debt.state is not DebtState.OPEN:
        raise Conflict("这条问题欠账已经关闭或并入别的一条。", "id")
    if not owner.strip() or len(owner) > 64:
        raise InvalidInput("请指定负责人。", "owner")
    debt.owner = owner.strip()
    db.flush()
    return debt


def reopen(db: Session, debt_id: int, working_days: int, now: datetime) -> Debt:
    """Opens a closed debt again, with a new deadline. Where the same words are owed already, that one is given back."""
    debt = get_debt(db, debt_id)
    if debt.state is not DebtState.CLOSED or debt.merged_into is not None:
        return debt
    living = db.scalars(
        select(Debt).where(Debt.normal == debt.normal, Debt.state != DebtState.CLOSED)
    ).one_or_none()
    if living is not None:
        return living if living.merged_into is None else get_debt(db, living.merged_into)
    due = due_after_working_days(now, working_days)
    debt.state, debt.opened_at = DebtState.OPEN, now
    debt.due_at, debt.calendar_known = due.due_at, due.calendar_known
    debt.reopened += 1
    debt.closure = debt.closing = debt.closed_by = debt.closed_at = None
    db.flush()
    return debt


def join_alike(database: Database, encoder: Encoder) -> int:
    """Joins open debts of close meaning and equal figures, the later into the earlier; how many were joined.

    Encodes outside of any transaction; safe to repeat and to race.
    """
    with database.reading() as db:
        rows = db.execute(
            select(Debt.id, Debt.question)
            .where(Debt.state == DebtState.OPEN)
            .order_by(Debt.id)
            .limit(_JOINED_AT_ONCE)
        ).all()
    if len(rows) < 2:
        return 0
    into = _alike([row.id for row in rows], [row.question for row in rows], encoder)
    if not into:
        return 0
    with database.session() as db:
        return sum(_join(db, later, earlier) for later, earlier in into.items())


def _alike(ids: Sequence[int], questions: Sequence[str], encoder: Encoder) -> Mapping[int, int]:
    """Which debt goes into which: the first one alike that itself stays."""
    vectors: Vectors = encoder.queries(list(questions))
    figures = [_figures(question) for question in questions]
    into: dict[int, int] = {}
    staying: list[int] = []
    for i, debt_id in enumerate(ids):
        near = vectors[staying] @ vectors[i] if staying else np.zeros(0)
        twin = next(
            (j for j, cosine in zip(staying, near, strict=True)
             if cosine >= SAME_FROM and figures[i] == figures[j]),
            None,
        )  # fmt: skip
        if twin is None:
            staying.append(i)
        else:
            into[debt_id] = ids[twin]
    return into


def _figures(question: str) -> list[str]:
    return sorted(_NUMBER.findall(question))


def _join(db: Session, later_id: int, earlier_id: int) -> bool:
    locked = {
        debt.id: debt
        for debt in db.scalars(
            select(Debt)
            .where(Debt.id.in_((later_id, earlier_id)), Debt.state == DebtState.OPEN)
            .order_by(Debt.id)
            .with_for_update()
        )
    }
    if len(locked) < 2:
        return False  # decided by somebody meanwhile
    later, earlier = locked[later_id], locked[earlier_id]
    earlier.times += later.times
    earlier.last_at = max(earlier.last_at, later.last_at)
    earlier.cause = min(earlier.cause, later.cause, key=list(Cause).index)
    later.state, later.merged_into = DebtState.MERGED, earlier.id
    db.execute(
        update(DebtMessage).where(DebtMessage.debt_id == later.id).values(debt_id=earlier.id)
    )
    # Debts that went into this one before go along.
    db.execute(update(Debt).where(Debt.merged_into == later.id).values(merged_into=earlier.id))
    db.flush()
    return True
