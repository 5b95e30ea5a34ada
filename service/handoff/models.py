"""Tables of the desk's side of conversations: groups, skills, notes, what was read, drafts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, UtcDateTime

_ID = BigInteger().with_variant(Integer, "sqlite")


class ServiceGroup(Base):
    """A group (互动群) between the district and its enterprises.

    ``commissioner`` is the staff id of who looks after it, ``lead_department`` the department's
    name; each absent when not known.
    """

    __tablename__ = "service_groups"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    commissioner: Mapped[str | None] = mapped_column(String(64), index=True)
    street: Mapped[str | None] = mapped_column(String(50))
    lead_department: Mapped[str | None] = mapped_column(String(100))


class Skill(Base):
    """What one staff member takes conversations about, and whether they are there.

    ``topics`` are words of matters, ``departments`` names of departments. ``is_present`` is what
    they set; ``last_seen`` when their console was last heard of.
    """

    __tablename__ = "handoff_skills"

    staff_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    topics: Mapped[list[str]] = mapped_column(JSON, default=list)
    departments: Mapped[list[str]] = mapped_column(JSON, default=list)
    max_conversations: Mapped[int] = mapped_column(default=8)
    is_present: Mapped[bool] = mapped_column(default=False)
    last_seen: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Note(Base):
    """What staff tell each other about a conversation; the visitor never sees it."""

    __tablename__ = "handoff_notes"
    __table_args__ = (
        Index("uq_handoff_notes_conversation_client", "conversation_id", "client_id", unique=True),
    )

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    client_id: Mapped[str] = mapped_column(String(64))
    staff_id: Mapped[str] = mapped_column(String(64))
    staff_name: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReadMarker(Base):
    """Up to which message (``messages.seq``) one staff member has read a conversation."""

    __tablename__ = "handoff_reads"
    __table_args__ = (
        Index("ix_handoff_reads_conversation", "conversation_id"),
        Index("ix_handoff_reads_at", "at"),
        {"sqlite_with_rowid": False},
    )

    staff_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(_ID)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Draft(Base):
    """An answer the bot proposed to a staff member; it is no reply.

    ``citations`` are citation cards, ``why`` says in words how it came about. ``sent_as`` is the
    reply it became (``outbox.id``), absent while unused; ``distance`` how many characters were
    changed before sending and ``sent_chars`` how long it then was.
    """

    __tablename__ = "handoff_drafts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    message_id: Mapped[str] = mapped_column(String(32))
    staff_id: Mapped[str] = mapped_column(String(64))
    policy_id: Mapped[str | None] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    citations: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    why: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_as: Mapped[str | None] = mapped_column(String(64))
    distance: Mapped[int | None]
    sent_chars: Mapped[int | None]
