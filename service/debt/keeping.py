"""Keeps, with each answer, what it leaves owing: a refusal, a "not solved", an answer without confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Boolean,
    Executable,
    String,
    bindparam,
    case,
    column,
    insert,
    literal_column,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from actions.appeal import NOT_SOLVED_WORDS
from actions.replies import Reply, ReplyKind
from bot.turn import TurnTrace
from service.appeals.clock import Due, due_after_working_days
from service.appeals.models import Rating
from service.appeals.repeats import normal_matter
from service.debt.models import DEBT_MESSAGES, DEBTS, IS_LIVE, NORMAL_CHARS, Cause, DebtState

MAX_QUESTION_CHARS = 2000
_SPEAKING_CHARS = 4
# Said about an answer, never questions themselves.
_NO_QUESTIONS = (
    "not_solved", "rate_service", "deny", "affirm", "thanks", "greet", "goodbye", "chitchat",
    "complaint_angry", "talk_to_human", "bot_challenge",
)  # fmt: skip
# Said when an answer did not help; whether it was, the rating or the question before tells.
_DOWN, _RATED = "not_solved", "rate_service"
_MAY_BE_DOWN = ("deny", "submit_appeal", "complaint_angry")
LOW_SCORE = 2


@dataclass(frozen=True)
class DebtRules:
    """When an answer counts as given without confidence (0-1), who gets it first, how long there is."""

    chance_below: float = 0.5
    confidence_below: float = 0.4
    owner: str = "enterprise_service_center"
    working_days: int = 5


_rules = DebtRules()


def use_rules(rules: DebtRules) -> None:
    """From here on turns of this process are judged by these; called once when the product is built."""
    global _rules
    _rules = rules


# What conversations keep of messages, as far as is read here; that room is to the left of this one.
_MESSAGES = table(
    "messages",
    column("id", String),
    column("seq"),
    column("conversation_id", String),
    column("text", String),
    column("is_button", Boolean),
    column("label", String),
    column("intent", String),
)
_ASKED_BEFORE = (
    select(_MESSAGES.c.text)
    .where(
        _MESSAGES.c.conversation_id == bindparam("conversation"),
        _MESSAGES.c.seq < bindparam("seq"),
        _MESSAGES.c.is_button.is_(False),
        _MESSAGES.c.intent.is_(None) | _MESSAGES.c.intent.not_in(_NO_QUESTIONS),
    )
    .order_by(_MESSAGES.c.seq.desc())
    .limit(1)
)
_SEQ_OF = select(_MESSAGES.c.seq, _MESSAGES.c.label).where(_MESSAGES.c.id == bindparam("message"))
_SCORE = select(Rating.score).where(Rating.message_id == bindparam("message"))
_KEEP_MESSAGE = insert(DEBT_MESSAGES)
_COUNT = (
    update(DEBTS)
    .where(DEBTS.c.id == bindparam("debt"))
    .values(times=DEBTS.c.times + 1, last_at=bindparam("at"))
)
_GIVEN = (
    "question", "normal", "cause", "policy_id", "first_at", "last_at", "owner", "opened_at", "due_at",
    "calendar_known",
)  # fmt: skip
_GRAVITY = {cause: number for number, cause in enumerate(Cause)}


def keep_debt(
    session: Session,
    message_id: str,
    conversation_id: str,
    said: str,
    is_button: bool,
    replies: Sequence[Reply],
    trace: TurnTrace | None,
    now: datetime,
) -> None:
    """Opens a debt for the turn, or counts it to the one on the same words, in the caller's transaction.

    To be called once a message. Turns that owe nothing cost no statement.
    """
    cause = _cause_of(said, is_button, replies, trace)
    if cause is None and trace is not None and trace.intent == _RATED:
        score = session.execute(_SCORE, {"message": message_id}).scalar()
        cause = Cause.THUMBS_DOWN if score is not None and score <= LOW_SCORE else None
    if cause is None:
        return
    question = said
    if cause is Cause.THUMBS_DOWN or is_button:
        question = _question_of(session, message_id, conversation_id, cause, said)
    question = question.strip()[:MAX_QUESTION_CHARS]
    normal = normal_matter(question)[:NORMAL_CHARS]
    if not normal:
        return
    debt_id = _open_or_count(session, question, normal, cause, trace, now)
    session.connection().execute(
        _KEEP_MESSAGE,
        {
            "message_id": message_id,
            "debt_id": debt_id,
            "cause": cause,
            "question": question,
            "confidence": trace.confidence if trace else None,
            "chance": trace.chance if trace else None,
            "at": now,
        },
    )


def _cause_of(
    said: str, is_button: bool, replies: Sequence[Reply], trace: TurnTrace | None
) -> Cause | None:
    kinds = {reply.kind for reply in replies}
    if trace is not None and _calls_unsolved(said, kinds, trace.intent):
        return Cause.THUMBS_DOWN
    if ReplyKind.REFUSAL in kinds:
        return Cause.REFUSAL
    if trace is None or is_button or _says_little(said):
        return None
    if trace.chance is not None:
        asked_back = ReplyKind.QUESTION in kinds and ReplyKind.ANSWER not in kinds
        return Cause.LOW_CONFIDENCE if asked_back or trace.chance < _rules.chance_below else None
    is_unsure = trace.intent is not None and trace.confidence < _rules.confidence_below
    return Cause.LOW_CONFIDENCE if is_unsure else None


def _calls_unsolved(said: str, kinds: set[ReplyKind], intent: str | None) -> bool:
    """Whether it says the answer did not help: the button, or words the dialogue filed an appeal on."""
    if intent == _DOWN:
        return True
    filed = ReplyKind.APPEAL in kinds and intent in _MAY_BE_DOWN
    return filed and NOT_SOLVED_WORDS.search(said) is not None


def _says_little(said: str) -> bool:
    """Whether nobody could answer it anyhow: 嗯, 好的, a number given to a form."""
    return sum("一" <= char <= "鿿" for char in said) < _SPEAKING_CHARS


def _question_of(
    session: Session, message_id: str, conversation_id: str, cause: Cause, said: str
) -> str:
    """What the cause is about: the question before a thumbs-down, what a pressed button read."""
    own = session.execute(_SEQ_OF, {"message": message_id}).one()
    if cause is not Cause.THUMBS_DOWN:
        return own.label or said
    asked = {"conversation": conversation_id, "seq": own.seq}
    return session.execute(_ASKED_BEFORE, asked).scalar() or own.label or said


def _open_or_count(
    session: Session,
    question: str,
    normal: str,
    cause: Cause,
    trace: TurnTrace | None,
    now: datetime,
) -> int:
    due = _due(now, _rules.working_days)
    # The connection itself: the session would look for objects in what comes back.
    connection = session.connection()
    row = connection.execute(
        _upsert(connection.dialect.name),
        {
            "question": question,
            "normal": normal,
            "cause": cause,
            "policy_id": trace.candidates[0][0] if trace and trace.candidates else None,
            "first_at": now,
            "last_at": now,
            "owner": _rules.owner,
            "opened_at": now,
            "due_at": due.due_at,
            "calendar_known": due.calendar_known,
        },
    ).one()
    if row.merged_into is None:
        return int(row.id)
    session.execute(_COUNT, {"debt": row.merged_into, "at": now})
    return int(row.merged_into)


@lru_cache(maxsize=2)
def _upsert(dialect: str) -> Executable:
    """Opens the debt, or counts to the live one of the same words; the graver cause stays."""
    new = sqlite.insert(DEBTS) if dialect == "sqlite" else postgresql.insert(DEBTS)
    gravity = {cause.value: number for cause, number in _GRAVITY.items()}
    is_graver = case(gravity, value=new.excluded.cause) < case(gravity, value=DEBTS.c.cause)
    is_merged = DEBTS.c.merged_into.is_not(None)
    opened = {
        "state": literal_column(f"'{DebtState.OPEN}'"),
        "times": text("1"),
        "reopened": text("0"),
    }
    asked: dict[str, Any] = {each: bindparam(each) for each in _GIVEN}
    counted = new.values(**opened, **asked).on_conflict_do_update(
        index_elements=[DEBTS.c.normal],
        index_where=IS_LIVE,
        set_={
            "times": case((is_merged, DEBTS.c.times), else_=DEBTS.c.times + 1),
            "last_at": new.excluded.last_at,
            "cause": case((is_graver, new.excluded.cause), else_=DEBTS.c.cause),
        },
    )
    return counted.returning(DEBTS.c.id, DEBTS.c.merged_into)


@lru_cache(maxsize=256)
def _due_of_minute(minute: datetime, days: int) -> Due:
    return due_after_working_days(minute, days)


def _due(now: datetime, days: int) -> Due:
    """The same for every moment of a minute, so the calendar is asked once a minute."""
    return _due_of_minute(now.replace(second=0, microsecond=0), days)
