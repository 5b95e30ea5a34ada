"""The tables of question debt: questions answered badly or not, signed answers, how the catalogue has read."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    Enum,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    literal_column,
)
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, UtcDateTime

_ID = BigInteger().with_variant(Integer, "sqlite")
NORMAL_CHARS = 200


class DebtState(StrEnum):
    """``MERGED`` rows point to the debt that means the same; a turn that asks their words counts there."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


class Cause(StrEnum):
    """Why a turn owes something, the gravest first."""

    THUMBS_DOWN = "thumbs_down"
    REFUSAL = "refusal"
    LOW_CONFIDENCE = "low_confidence"


class Closure(StrEnum):
    """What settled a debt: the catalogue says it now, a signed answer does, or nothing is needed."""

    CATALOGUE = "catalogue"
    FAQ = "faq"
    NONE = "none"


class SignedState(StrEnum):
    """``IN_FORCE`` also needs a day within the dates; a suspended answer is approved anew or replaced."""

    DRAFT = "draft"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"


def _stored(kind: type[StrEnum]) -> Enum:
    return Enum(kind, native_enum=False, length=16, values_callable=lambda k: [e.value for e in k])


class Debt(Base):
    """One question that was refused, called unsolved, or answered without confidence, however often.

    ``question`` is the wording of the first time, ``normal`` what equal wordings share. ``owner`` is a staff id or a
    department's code. ``opened_at`` is also when it was last reopened. ``closing`` holds what the closure rests on,
    ``regression`` the question for the evaluation set. ``calendar_known`` as in ``appeals.clock.Due``.
    """

    __tablename__ = "question_debts"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    question: Mapped[str] = mapped_column(Text)
    normal: Mapped[str] = mapped_column(String(NORMAL_CHARS))
    cause: Mapped[Cause] = mapped_column(_stored(Cause))
    policy_id: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[DebtState] = mapped_column(_stored(DebtState))
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("question_debts.id"))
    times: Mapped[int]
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    owner: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    calendar_known: Mapped[bool]
    reopened: Mapped[int] = mapped_column(default=0)
    closure: Mapped[Closure | None] = mapped_column(_stored(Closure))
    closing: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    closed_by: Mapped[str | None] = mapped_column(String(64))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    regression: Mapped[dict[str, Any] | None] = mapped_column(JSON)


DEBTS = cast(Table, Debt.__table__)
# A literal, not a parameter: only then do both databases see that the partial index applies.
IS_LIVE = DEBTS.c.state != literal_column(f"'{DebtState.CLOSED}'")
Index(
    "uq_question_debts_normal_live",
    Debt.normal,
    unique=True,
    sqlite_where=IS_LIVE,
    postgresql_where=IS_LIVE,
)
Index("ix_question_debts_state_due", Debt.state, Debt.due_at)


class DebtMessage(Base):
    """One turn that counts for a debt; a message counts once, whatever its causes."""

    __tablename__ = "question_debt_messages"
    __table_args__ = ({"sqlite_with_rowid": False},)

    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"), primary_key=True)
    debt_id: Mapped[int] = mapped_column(ForeignKey("question_debts.id"), index=True)
    cause: Mapped[Cause] = mapped_column(_stored(Cause))
    question: Mapped[str] = mapped_column(Text)
    confidence: Mapped[float | None]
    chance: Mapped[float | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)


DEBT_MESSAGES = cast(Table, DebtMessage.__table__)


class SignedAnswer(Base):
    """An answer a person wrote and another approved; ``clauses`` is ``[[clause id, hash], …]`` as they read then."""

    __tablename__ = "signed_answers"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    question: Mapped[str] = mapped_column(Text)
    variants: Mapped[list[str]] = mapped_column(JSON)
    text: Mapped[str] = mapped_column(Text)
    clauses: Mapped[list[list[str]]] = mapped_column(JSON)
    state: Mapped[SignedState] = mapped_column(_stored(SignedState), index=True)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date] = mapped_column(Date)
    author: Mapped[str] = mapped_column(String(64))
    author_name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    approver: Mapped[str | None] = mapped_column(String(64))
    approver_name: Mapped[str | None] = mapped_column(String(100))
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    suspended_because: Mapped[str | None] = mapped_column(Text)
    suspended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=0)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it


class ClauseVersion(Base):
    """How a clause has read from ``seen_at`` on; ``hash`` is empty from when it was gone."""

    __tablename__ = "clause_versions"
    __table_args__ = ({"sqlite_with_rowid": False},)

    clause_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    hash: Mapped[str] = mapped_column(String(64))
