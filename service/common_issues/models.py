"""The tables of common issues: the parent, the appeals in it, and the vectors they are compared by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Enum,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, UtcDateTime

_ID = BigInteger().with_variant(Integer, "sqlite")


class IssueState(StrEnum):
    """Where a common issue stands; ``MOVES`` says what may follow."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    ANSWERED = "answered"
    DISMISSED = "dismissed"


MOVES: Mapping[IssueState, frozenset[IssueState]] = {
    IssueState.PROPOSED: frozenset({IssueState.CONFIRMED, IssueState.DISMISSED}),
    IssueState.CONFIRMED: frozenset({IssueState.ANSWERED, IssueState.DISMISSED}),
    IssueState.ANSWERED: frozenset({IssueState.ANSWERED}),  # what could not be answered then
    IssueState.DISMISSED: frozenset(),
}
GROWING = (IssueState.PROPOSED, IssueState.CONFIRMED)
"""New appeals may join these."""


def _stored(kind: type[StrEnum]) -> Enum:
    return Enum(kind, native_enum=False, length=16, values_callable=lambda k: [e.value for e in k])


class CommonIssue(Base):
    """A parent of similar appeals. ``no`` is its number (GX-0001), ``title`` what staff call it.

    ``answer`` is the last text given to all. ``version`` counts changes of state, so that of two people who decide at
    once one is told.
    """

    __tablename__ = "common_issues"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[IssueState] = mapped_column(_stored(IssueState), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answer: Mapped[str | None] = mapped_column(Text)
    answered_by: Mapped[str | None] = mapped_column(String(64))
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=0)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it

    @property
    def no(self) -> str:
        return f"GX-{self.id:04d}"


class CommonIssueMember(Base):
    """An appeal in an issue; removed ones stay as rows, so that they are not proposed there again.

    ``added_by`` is ``system`` for what was grouped by likeness. The appeal keeps its own number, state and clock.
    """

    __tablename__ = "common_issue_members"

    issue_id: Mapped[int] = mapped_column(ForeignKey("common_issues.id"), primary_key=True)
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"), primary_key=True)
    likeness: Mapped[float | None]
    added_by: Mapped[str] = mapped_column(String(64))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    removed_by: Mapped[str | None] = mapped_column(String(64))
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


Index(
    "uq_common_issue_members_appeal",
    CommonIssueMember.appeal_id,
    unique=True,
    sqlite_where=CommonIssueMember.removed_at.is_(None),
    postgresql_where=CommonIssueMember.removed_at.is_(None),
)


class AppealVector(Base):
    """What an appeal means, as 16-bit floats; ``encoder`` names the model, others' rows are not compared."""

    __tablename__ = "appeal_vectors"

    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"), primary_key=True)
    encoder: Mapped[str] = mapped_column(String(100))
    vector: Mapped[bytes] = mapped_column(LargeBinary)
