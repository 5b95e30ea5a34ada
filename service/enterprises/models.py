"""The tables of enterprises and of what is known of them."""

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
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, UtcDateTime, utc_now

_ID = BigInteger().with_variant(Integer, "sqlite")


class Standing(StrEnum):
    """Whether a said fact counts. ``PENDING``: it contradicts an official one and waits to be confirmed."""

    IN_FORCE = "in_force"
    PENDING = "pending"


def _stored(kind: type[StrEnum]) -> Enum:
    return Enum(kind, native_enum=False, length=16, values_callable=lambda k: [e.value for e in k])


class Enterprise(Base):
    """One enterprise, known by its unified social credit code.

    ``name`` is the registered name once ``is_verified``; before that it is what somebody in a chat
    stated. ``name_key`` is the name as names are compared. ``district`` is absent when not known.
    ``contact_aliases`` are the names its people go by in chats, in the order learnt.
    """

    __tablename__ = "enterprises"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    credit_code: Mapped[str] = mapped_column(String(18), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(String(200), index=True)
    district: Mapped[str | None] = mapped_column(String(50))
    contact_aliases: Mapped[list[str]] = mapped_column(JSON, default=list)
    is_verified: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(
        UtcDateTime, default=utc_now, onupdate=utc_now, index=True
    )


class EnterpriseImport(Base):
    """One file of enterprises taken in. ``source`` is ``knowledge.profile.Source``; ``day`` the one it tells of."""

    __tablename__ = "enterprise_imports"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    file: Mapped[str] = mapped_column(String(255))
    source: Mapped[str] = mapped_column(String(16))
    day: Mapped[date] = mapped_column(Date)
    rows: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class EnterpriseProfile(Base):
    """What files say of an enterprise: ``facts`` is ``{field: [value, import id]}``.

    One row an enterprise: a profile is always read whole, and a register of 180,000 is written in one
    transaction.
    """

    __tablename__ = "enterprise_profiles"

    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprises.id"), primary_key=True)
    facts: Mapped[dict[str, list[Any]]] = mapped_column(JSON)


class SaidFact(Base):
    """What somebody said of an enterprise's field in a chat, at most one of each standing.

    ``value``, ``lacks``, ``is_complete``, ``is_approximate`` as in ``knowledge.profile.Known``; ``said_by`` is
    the session it was said in.
    """

    __tablename__ = "enterprise_said_facts"
    __table_args__ = ({"sqlite_with_rowid": False},)

    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprises.id"), primary_key=True)
    field: Mapped[str] = mapped_column(String(64), primary_key=True)
    standing: Mapped[Standing] = mapped_column(_stored(Standing), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
    lacks: Mapped[list[str]] = mapped_column(JSON)
    is_complete: Mapped[bool]
    is_approximate: Mapped[bool]
    said_on: Mapped[date] = mapped_column(Date)
    said_by: Mapped[str] = mapped_column(String(64))


class Speaker(Base):
    """Who may speak for an enterprise: the speaker of one conversation, bound by staff (``bound_by``).

    A name or a credit code typed in a chat binds nobody (``design.md`` §10).
    """

    __tablename__ = "enterprise_speakers"

    session: Mapped[str] = mapped_column(String(64), primary_key=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprises.id"), index=True)
    bound_by: Mapped[str] = mapped_column(String(64))
    bound_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


# The few that have aliases, for looking one up. A query must use these words, or the index is not used.
HAS_ALIASES = {
    "sqlite": text("contact_aliases != '[]'"),
    "postgresql": text("(contact_aliases ->> 0) IS NOT NULL"),
}
Index(
    "ix_enterprises_with_aliases",
    Enterprise.id,
    sqlite_where=HAS_ALIASES["sqlite"],
    postgresql_where=HAS_ALIASES["postgresql"],
)

ENTERPRISES = cast(Table, Enterprise.__table__)
PROFILES = cast(Table, EnterpriseProfile.__table__)
