"""The table of enterprises."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, UtcDateTime, utc_now


class Enterprise(Base):
    """One enterprise, known by its unified social credit code.

    ``name`` is the registered name once ``is_verified``; before that it is what somebody in a chat
    stated. ``district`` is absent when not known. ``contact_aliases`` are the names its people go
    by in chats, in the order learnt.
    """

    __tablename__ = "enterprises"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    credit_code: Mapped[str] = mapped_column(String(18), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    district: Mapped[str | None] = mapped_column(String(50))
    contact_aliases: Mapped[list[str]] = mapped_column(JSON, default=list)
    is_verified: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)
