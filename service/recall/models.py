"""The table of what each answer rested on: clauses as they read when it was given."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import cast

from sqlalchemy import Enum, ForeignKey, Index, String, Table
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, UtcDateTime


class SourceKind(StrEnum):
    """What the clause was used for: an answer about one policy, or several set side by side."""

    ANSWER = "answer"
    MATCH = "match"


def _stored(kind: type[StrEnum]) -> Enum:
    return Enum(kind, native_enum=False, length=16, values_callable=lambda k: [e.value for e in k])


class AnswerSource(Base):
    """One clause that the answer to one message rests on.

    ``clause_hash`` is ``knowledge.policy.Clause.hash`` of that moment. ``status`` is what the
    person was told of the policy's validity (``knowledge.policy.Status``), absent where the answer
    cited nothing of that policy.
    """

    __tablename__ = "answer_sources"
    # Found by message or by clause, never by position: without a rowid one tree serves both.
    __table_args__ = (
        Index("ix_answer_sources_answered", "answered_at", "clause_id"),
        {"sqlite_with_rowid": False},
    )

    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"), primary_key=True)
    clause_id: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)
    clause_hash: Mapped[str] = mapped_column(String(64))
    policy_id: Mapped[str] = mapped_column(String(64))
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    kind: Mapped[SourceKind] = mapped_column(_stored(SourceKind))
    status: Mapped[str | None] = mapped_column(String(16))
    answered_at: Mapped[datetime] = mapped_column(UtcDateTime)


SOURCES = cast(Table, AnswerSource.__table__)
