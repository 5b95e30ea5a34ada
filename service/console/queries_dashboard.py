"""Counts conversations for the dashboard, a day at a time, and keeps what was counted."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from sqlalchemy import ColumnElement, TextClause, func, literal_column, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from service.console.queries_appeals import AppealFigures, Span, appeal_figures
from service.console.shares import Share, share_of
from service.conversations.models import (
    IS_QUESTION,
    IS_REFUSAL,
    Conversation,
    Message,
    OutboxRow,
)
from service.recall.models import AnswerSource
from service.settings import LOCAL_ZONE

RANGES = (7, 30, 90)
_TOP = 15
_SHOWN_CHARS = 80
# What was counted is shown again for a minute; a day that is long over does not change.
_FRESH_S = 60.0
_SETTLED_S = 3600.0
_SETTLED_AFTER = timedelta(days=1)
_MOST_KEPT = 400
# Telephone numbers, identity cards, credit codes: nothing a question is about.
_PERSONAL = re.compile(r"[0-9A-Z]{18}|\d{7,40}")

_Value = TypeVar("_Value")
_Time = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]


class DayLine(BaseModel):
    """One day (Asia/Shanghai). Messages by when they came, answers by when they were given."""

    day: date
    messages: int
    conversations: int
    answered: int
    refused: int
    clarified: int
    filed: int
    closed: int


class TopClause(BaseModel):
    """A clause and how many answers rested on it."""

    clause_id: str
    answers: int


class TopQuestion(BaseModel):
    """A question that was refused, and how often; long numbers in it are left out."""

    text: str
    times: int


class FirstAnswer(BaseModel):
    """Seconds from the first message of a conversation to its answer: half and 95 % are not slower."""

    p50_s: float | None
    p95_s: float | None
    n: int


class Dashboard(BaseModel):
    """The figures of a range. ``refused_questions`` is absent for who may not read questions."""

    since: date
    until: date
    days: list[DayLine]
    messages: int
    conversations: int
    refused: Share
    clarified: Share
    first_answer: FirstAnswer
    clauses: list[TopClause]
    refused_questions: list[TopQuestion] | None
    appeals: AppealFigures


@dataclass(frozen=True)
class Viewer:
    """What somebody sees: appeals of these departments (``None``: all), and questions or not."""

    departments: frozenset[str] | None
    sees_questions: bool


@dataclass(frozen=True)
class DayFigures:
    """What one day held; ``waits_s`` are the seconds to each conversation's first answer."""

    messages: int
    conversations: int
    answered: int
    refused: int
    clarified: int
    clauses: Counter[str]
    waits_s: NDArray[np.float32]


def span_of(first: date, last: date, now: datetime) -> Span:
    """The whole days from ``first`` to ``last``, both included, in Asia/Shanghai."""
    return Span(_midnight(first), _midnight(last + timedelta(days=1)), now)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, clock_time(), LOCAL_ZONE)


def day_figures(db: Session, day: date) -> DayFigures:
    """Counts one day, each by an index on the time."""
    start, end = _midnight(day), _midnight(day + timedelta(days=1))
    dialect = db.get_bind().dialect.name

    def within(column: _Time) -> tuple[ColumnElement[bool], ...]:
        return column >= start, column < end

    def messages_with(kind: TextClause) -> int:
        counted = func.count(OutboxRow.message_id.distinct())
        return db.execute(select(counted).where(kind, *within(OutboxRow.created_at))).scalar_one()

    def count(*conditions: ColumnElement[bool]) -> int:
        return db.execute(select(func.count()).where(*conditions)).scalar_one()

    # Grouped by the bare column, SQLite would walk the whole index on it instead of the day's part.
    clause = AnswerSource.clause_id.op("||")(literal_column("''"))
    cited = select(clause, func.count()).where(*within(AnswerSource.answered_at)).group_by(clause)
    return DayFigures(
        messages=count(*within(Message.received_at)),
        conversations=count(*within(Conversation.created_at)),
        answered=count(Message.intent.is_not(None), *within(Message.answered_at)),
        refused=messages_with(IS_REFUSAL[dialect]),
        clarified=messages_with(IS_QUESTION[dialect]),
        clauses=Counter({clause: times for clause, times in db.execute(cited)}),
        waits_s=_waits(db, within(Conversation.created_at)),
    )


def _waits(db: Session, begun: tuple[ColumnElement[bool], ...]) -> NDArray[np.float32]:
    first = aliased(Message)
    first_seq = (
        select(func.min(first.seq))
        .where(first.conversation_id == Conversation.id)
        .correlate(Conversation)
        .scalar_subquery()
    )
    query = (
        select(Message.received_at, Message.answered_at)
        .join(Conversation, Message.seq == first_seq)
        .where(*begun, Message.answered_at.is_not(None))
    )
    waits = [(answered - came).total_seconds() for came, answered in db.execute(query) if answered]
    return np.array(waits, np.float32)


def refused_questions(db: Session, span: Span, most: int = _TOP) -> list[TopQuestion]:
    """The questions refused most often in the same words, a pressed button by its title."""
    said = func.coalesce(Message.label, Message.text)
    times = func.count(Message.id.distinct())
    query = (
        select(said, times)
        .join(OutboxRow, OutboxRow.message_id == Message.id)
        .where(
            IS_REFUSAL[db.get_bind().dialect.name],
            OutboxRow.created_at >= span.since,
            OutboxRow.created_at < span.until,
        )
        .group_by(said)
        .order_by(times.desc(), said)
        .limit(most)
    )
    return [
        TopQuestion(text=_PERSONAL.sub("…", text[:_SHOWN_CHARS]), times=count)
        for text, count in db.execute(query)
    ]


class Figures:
    """The dashboard's figures, each counted at most once a minute; safe to use from many threads."""

    def __init__(self, tick: Callable[[], float] = time.monotonic) -> None:
        self._tick = tick
        self._lock = threading.Lock()
        self._kept: dict[object, tuple[float, object]] = {}

    def dashboard(self, db: Session, days: int, now: datetime, viewer: Viewer) -> Dashboard:
        """The last ``days`` days with today."""
        last = now.astimezone(LOCAL_ZONE).date()
        first = last - timedelta(days=days - 1)
        span = span_of(first, last, now)
        with self._lock:  # two who open it at once count once
            found = {}
            for number in range(days):
                day = first + timedelta(days=number)
                count = partial(day_figures, db, day)
                found[day] = self._once(("day", day), count, _age(day, now))
            appeals = self._once(
                ("appeals", days, last, viewer.departments),
                lambda: appeal_figures(db, span, viewer.departments),
            )
            questions = None
            if viewer.sees_questions:
                questions = self._once(
                    ("questions", days, last), lambda: refused_questions(db, span)
                )
        return _joined(found, appeals, questions)

    def expire(self) -> None:
        """Lets everything that is kept for a minute only be counted anew."""
        with self._lock:
            later = self._tick() + _FRESH_S
            self._kept = {key: each for key, each in self._kept.items() if each[0] > later}

    def _once(self, key: object, count: Callable[[], _Value], lasts_s: float = _FRESH_S) -> _Value:
        now = self._tick()
        kept = self._kept.get(key)
        if kept is not None and kept[0] > now:
            return kept[1]  # type: ignore[return-value]  # stored below under the same key
        value = count()
        if len(self._kept) >= _MOST_KEPT:
            self._kept = {k: each for k, each in self._kept.items() if each[0] > now}
        self._kept[key] = (now + lasts_s, value)
        return value


def _age(day: date, now: datetime) -> float:
    is_settled = _midnight(day + timedelta(days=1)) + _SETTLED_AFTER < now
    return _SETTLED_S if is_settled else _FRESH_S


def _joined(
    found: dict[date, DayFigures], appeals: AppealFigures, questions: list[TopQuestion] | None
) -> Dashboard:
    days = [
        DayLine(
            day=day,
            messages=each.messages,
            conversations=each.conversations,
            answered=each.answered,
            refused=each.refused,
            clarified=each.clarified,
            filed=appeals.filed.get(day, 0),
            closed=appeals.closed.get(day, 0),
        )
        for day, each in found.items()
    ]
    clauses: Counter[str] = Counter()
    for each in found.values():
        clauses.update(each.clauses)
    top = sorted(clauses.items(), key=lambda item: (-item[1], item[0]))[:_TOP]
    answered = sum(line.answered for line in days)
    return Dashboard(
        since=days[0].day,
        until=days[-1].day,
        days=days,
        messages=sum(line.messages for line in days),
        conversations=sum(line.conversations for line in days),
        refused=_share_of_answers(sum(line.refused for line in days), answered),
        clarified=_share_of_answers(sum(line.clarified for line in days), answered),
        first_answer=_first_answer([each.waits_s for each in found.values()]),
        clauses=[TopClause(clause_id=clause, answers=times) for clause, times in top],
        refused_questions=questions,
        appeals=appeals,
    )


def _share_of_answers(hits: int, answered: int) -> Share:
    # The fallback of a failed turn refuses without an intent, so there may be more hits than answers.
    return share_of(hits, max(hits, answered))


def _first_answer(waits: list[NDArray[np.float32]]) -> FirstAnswer:
    all_waits = np.concatenate(waits)
    if not len(all_waits):
        return FirstAnswer(p50_s=None, p95_s=None, n=0)
    p50, p95 = np.percentile(all_waits, [50, 95]).tolist()
    return FirstAnswer(p50_s=p50, p95_s=p95, n=len(all_waits))
