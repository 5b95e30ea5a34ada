"""The tables of appeals, their states, and the moves allowed between them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from actions.desk import AppealReason
from service.db import Base, UtcDateTime
from service.text_search import TextIndex

_ID = BigInteger().with_variant(Integer, "sqlite")


class AppealState(StrEnum):
    """Where an appeal stands; ``MOVES`` says what may follow."""

    FILED = "filed"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    ANSWERED = "answered"
    CLOSED = "closed"
    RETURNED = "returned"
    EXPLAINED = "explained"
    ESCALATED = "escalated"
    REOPENED = "reopened"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"


class EventKind(StrEnum):
    """What happened: a change of state, or something about the appeal without one.

    ``service.appeals.details`` says what each carries.
    """

    MOVED = "moved"
    JOINED = "joined"
    SUPPLEMENTED = "supplemented"
    REDIRECTED = "redirected"
    PAUSED = "paused"
    RESUMED = "resumed"
    EXTENSION_ASKED = "extension_asked"
    EXTENDED = "extended"
    EXTENSION_DENIED = "extension_denied"
    COMMON = "common"
    WARNED = "warned"
    NOTED = "noted"
    RATED = "rated"


REQUESTER = "requester"
SYSTEM = "system"
"""Actors of events; staff act under their own names."""

_S = AppealState

MOVES: Mapping[AppealState, frozenset[AppealState]] = {
    _S.FILED: frozenset({_S.DISPATCHED, _S.CLOSED, _S.REFUSED, _S.WITHDRAWN}),
    _S.DISPATCHED: frozenset(
        {
            _S.ACCEPTED,
            _S.RETURNED,
            _S.EXPLAINED,
            _S.ESCALATED,
            _S.CLOSED,
            _S.REFUSED,
            _S.WITHDRAWN,
        }
    ),
    _S.ACCEPTED: frozenset(
        {
            _S.DISPATCHED,
            _S.ANSWERED,
            _S.RETURNED,
            _S.EXPLAINED,
            _S.ESCALATED,
            _S.CLOSED,
            _S.REFUSED,
            _S.WITHDRAWN,
        }
    ),
    _S.RETURNED: frozenset({_S.DISPATCHED, _S.ESCALATED, _S.REFUSED, _S.WITHDRAWN}),
    _S.ESCALATED: frozenset({_S.DISPATCHED, _S.ANSWERED, _S.EXPLAINED, _S.WITHDRAWN}),
    _S.ANSWERED: frozenset({_S.CLOSED, _S.REOPENED, _S.WITHDRAWN}),
    _S.EXPLAINED: frozenset({_S.CLOSED, _S.REOPENED, _S.WITHDRAWN}),
    _S.REOPENED: frozenset(
        {
            _S.DISPATCHED,
            _S.ACCEPTED,
            _S.ANSWERED,
            _S.RETURNED,
            _S.EXPLAINED,
            _S.ESCALATED,
            _S.WITHDRAWN,
        }
    ),
    _S.CLOSED: frozenset({_S.REOPENED}),
    _S.WITHDRAWN: frozenset(),
    _S.REFUSED: frozenset(),
}
"""An unanswered appeal closed at once is rule 1, settled on the spot."""

NOTE_REQUIRED = frozenset({_S.RETURNED, _S.EXPLAINED, _S.REOPENED, _S.REFUSED})
"""Moves that mean nothing without a reason: a send-back, rule 3's explanation, "not solved", a refusal."""

MOVE_LIMITS: Mapping[AppealState, int] = {_S.RETURNED: 2}
"""How often an appeal may enter a state; absent means any number of times."""

OPEN_STATES = frozenset(AppealState) - {_S.CLOSED, _S.WITHDRAWN, _S.REFUSED}
"""The requester may still add to the appeal or withdraw it."""

UNANSWERED_STATES = OPEN_STATES - {_S.ANSWERED, _S.EXPLAINED}
"""Somebody still owes an answer, so the clock runs; a repeat of the matter joins such an appeal."""


def _stored(kind: type[StrEnum]) -> Enum:
    return Enum(kind, native_enum=False, length=16, values_callable=lambda k: [e.value for e in k])


class Appeal(Base):
    """One appeal of one session.

    ``matter`` is what the person wrote. ``dispatch_candidates`` holds the three departments
    considered, best first, ``[{"department","confidence","reason","words"}]``. ``calendar_known`` is false
    when ``due_at`` counts days of a year whose holidays are not known yet. ``version`` is the
    number of events; ``chain_head`` the hash of the last one. ``phone`` is digits only and never
    logged in full.

    From ``state`` down to ``next_check_at`` everything but what was filed follows from the events
    (``service.appeals.derived``). ``clock_*``: the hours it is counted in, the working minutes
    given, those used up to ``clock_since``, absent while it stands still. ``pause_reason``,
    ``extension`` (asked, extended, denied), ``solved`` and ``satisfied`` (1-5) are absent where
    there is none. ``warned`` is the highest rung told in this round. ``next_check_at`` is when the
    watch has to look next, always in working hours, absent when nothing can happen by itself.
    """

    __tablename__ = "appeals"
    __table_args__ = (
        Index("ix_appeals_session_received", "session", "received_at"),
        Index("ix_appeals_received", "received_at", "id"),
        Index("ix_appeals_due", "due_at", "id"),
        Index("ix_appeals_state_due", "state", "due_at", "id"),
        Index("ix_appeals_state_received", "state", "received_at", "id"),
        Index("ix_appeals_department_due", "department", "due_at", "id"),
        Index("ix_appeals_next_check", "next_check_at"),
        Index("ix_appeals_closed", "closed_at"),
        # The lists people live in hold what is open: few among very many that are closed.
        Index(
            "ix_appeals_open_due",
            "due_at",
            "id",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_appeals_common",
            "received_at",
            "id",
            sqlite_where=text("is_common IS 1"),
            postgresql_where=text("is_common IS true"),
        ),
    )

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    no: Mapped[str] = mapped_column(String(32), unique=True)
    session: Mapped[str] = mapped_column(String(64))
    source_message_id: Mapped[str] = mapped_column(String(64), unique=True)
    reason: Mapped[AppealReason] = mapped_column(_stored(AppealReason))
    matter: Mapped[str] = mapped_column(Text)
    state: Mapped[AppealState] = mapped_column(_stored(AppealState))
    department: Mapped[str] = mapped_column(String(100))
    dispatch_confidence: Mapped[float]
    dispatch_candidates: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    policy_id: Mapped[str | None] = mapped_column(String(64))
    phone: Mapped[str | None] = mapped_column(String(20))
    credit_code: Mapped[str | None] = mapped_column(String(18), index=True)
    company: Mapped[str | None] = mapped_column(String(200))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    calendar_known: Mapped[bool]
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_department: Mapped[str] = mapped_column(String(100), default="", server_default="")
    returns: Mapped[int] = mapped_column(default=0, server_default="0")
    is_arbitrated: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_common: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_closed_automatically: Mapped[bool] = mapped_column(default=False, server_default=false())
    pause_reason: Mapped[str | None] = mapped_column(String(32))
    extension: Mapped[str | None] = mapped_column(String(16))
    solved: Mapped[bool | None]
    satisfied: Mapped[int | None]
    warned: Mapped[str | None] = mapped_column(String(16))
    clock_hours: Mapped[str] = mapped_column(String(64), default="", server_default="")
    clock_budget: Mapped[int] = mapped_column(default=0, server_default="0")
    clock_used: Mapped[int] = mapped_column(default=0, server_default="0")
    clock_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    next_check_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=0)
    chain_head: Mapped[str] = mapped_column(String(64))


class AppealParty(Base):
    """A department that sees and handles the appeal now: the one that leads, or one that assists."""

    __tablename__ = "appeal_parties"
    __table_args__ = (Index("ix_appeal_parties_department", "department", "appeal_id"),)

    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"), primary_key=True)
    department: Mapped[str] = mapped_column(String(100), primary_key=True)
    is_lead: Mapped[bool]


class AppealText(Base):
    """What is searched of an appeal, folded: matter and company; ``APPEAL_SEARCH`` is its index.

    A table of its own because what the index finds is compared here: narrow rows are read faster.
    """

    __tablename__ = "appeal_texts"

    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)


APPEAL_SEARCH = TextIndex("appeal_search")


class AppealEvent(Base):
    """One thing that happened to an appeal; rows are added, never changed.

    ``seq`` counts from 1 within the appeal. ``hash`` covers the event's facts and ``prev_hash``, so
    a changed, dropped or inserted row breaks the chain. ``message_id`` is the message that caused
    it, absent for staff and clock. ``detail`` is what ``service.appeals.details`` says of the kind.
    ``once`` names something that may happen only once to an appeal, such as one warning.
    """

    __tablename__ = "appeal_events"
    __table_args__ = (
        UniqueConstraint("appeal_id", "seq", name="uq_appeal_events_appeal_seq"),
        UniqueConstraint("appeal_id", "once", name="uq_appeal_events_appeal_once"),
        Index("ix_appeal_events_message", "message_id"),
    )

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"))
    seq: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[EventKind] = mapped_column(_stored(EventKind))
    actor: Mapped[str] = mapped_column(String(100))
    from_state: Mapped[AppealState | None] = mapped_column(_stored(AppealState))
    to_state: Mapped[AppealState | None] = mapped_column(_stored(AppealState))
    note: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[str | None] = mapped_column(String(64))
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    once: Mapped[str | None] = mapped_column(String(32))
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AppealNumber(Base):
    """The last number given on one day in Asia/Shanghai."""

    __tablename__ = "appeal_numbers"

    day: Mapped[date] = mapped_column(primary_key=True)
    last: Mapped[int]


class Rating(Base):
    """How content somebody was, 1 (worst) to 5.

    ``appeal_id`` is absent when the session has no appeal.
    """

    __tablename__ = "ratings"
    __table_args__ = (CheckConstraint("score BETWEEN 1 AND 5", name="score"),)

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    session: Mapped[str] = mapped_column(String(64), index=True)
    appeal_id: Mapped[int | None] = mapped_column(ForeignKey("appeals.id"))
    score: Mapped[int]
    comment: Mapped[str] = mapped_column(Text)
    message_id: Mapped[str] = mapped_column(String(64), unique=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
