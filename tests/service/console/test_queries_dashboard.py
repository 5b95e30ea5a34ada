"""The dashboard's numbers on known data, on both databases, and what is kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text as sql

from actions.desk import AppealReason
from service.appeals.models import Appeal, AppealEvent, AppealState, EventKind
from service.console.queries_appeals import appeal_figures, departments_seen
from service.console.queries_dashboard import (
    Dashboard,
    Figures,
    Viewer,
    day_figures,
    refused_questions,
    span_of,
)
from service.console.shares import share_of
from service.conversations.models import (
    Conversation,
    Message,
    MessageStatus,
    OutboxRow,
    OutboxStatus,
    Owner,
)
from service.db import Database
from service.recall.models import AnswerSource, SourceKind
from service.staff.permissions import Role, Staff

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # 16:00 in Shanghai
TODAY = date(2026, 11, 23)
EVERYTHING = Viewer(None, True)
FINANCE, TALENT = "福田区金融工作局", "福田区人力资源局"
S = AppealState


def converse(
    database: Database,
    name: str,
    at: datetime,
    kinds: Sequence[str],
    said: str = "食堂补贴多少钱",
    waits_s: float = 2.0,
) -> None:
    """A conversation with one message for each kind of reply; ``""`` is one the bot did not answer."""
    with database.session() as db:
        db.add(Conversation(id=name, channel="web", owner=Owner.BOT, created_at=at))
        db.flush()
        for number, kind in enumerate(kinds):
            _turn(
                db,
                f"{name}-{number}",
                name,
                at + timedelta(seconds=30 * number),
                kind,
                said,
                waits_s,
            )


def _turn(
    db: Any, message: str, name: str, at: datetime, kind: str, said: str, waits_s: float
) -> None:
    answered = at + timedelta(seconds=waits_s)
    db.add(
        Message(
            id=message,
            conversation_id=name,
            client_id=message,
            text=said,
            is_button=False,
            status=MessageStatus.ANSWERED,
            received_at=at,
            answered_at=answered,
            intent="ask_policy" if kind else None,
        )
    )
    db.flush()
    for position, each in enumerate(kind.split("+") if kind else []):
        db.add(
            OutboxRow(
                id=f"{message}-{position}",
                conversation_id=name,
                message_id=message,
                position=position,
                body={"kind": each, "text": "…"},
                status=OutboxStatus.ACKED,
                created_at=answered,
            )
        )
    if kind == "answer":
        db.add(
            AnswerSource(
                message_id=message,
                clause_id="FT-001#amount",
                clause_hash="0" * 16,
                policy_id="FT-001",
                conversation_id=name,
                kind=SourceKind.ANSWER,
                answered_at=answered,
            )
        )


def appeal(
    database: Database,
    number: int,
    department: str,
    received: datetime,
    steps: Sequence[tuple[timedelta, AppealState]],
    score: int | None = None,
) -> None:
    """An appeal due after five days, with the states it came to after so long."""
    states = [state for _, state in steps]
    closed = next((received + after for after, state in steps if state is S.CLOSED), None)
    with database.session() as db:
        db.add(
            Appeal(
                id=number,
                no=f"FT-{number}",
                session=f"web-{number}",
                source_message_id=f"m-{number}",
                reason=AppealReason.NO_ANSWER,
                matter="食堂",
                state=states[-1],
                department=department,
                dispatch_confidence=0.9,
                dispatch_candidates=[],
                received_at=received,
                due_at=received + timedelta(days=5),
                calendar_known=True,
                closed_at=closed,
                satisfied=score,
                clock_since=received,
                chain_head="0" * 64,
            )
        )
        db.flush()
        for seq, (after, state) in enumerate(steps, start=1):
            db.add(
                AppealEvent(
                    appeal_id=number,
                    seq=seq,
                    at=received + after,
                    kind=EventKind.MOVED,
                    actor="system",
                    to_state=state,
                    prev_hash="0" * 64,
                    hash="0" * 64,
                )
            )


def days(count: float) -> timedelta:
    return timedelta(days=count)


@pytest.fixture
def talked(database: Database) -> Database:
    converse(database, "web-a", NOW - days(0.1), ["answer", "refusal+appeal", "answer"], waits_s=1)
    converse(database, "web-b", NOW - days(0.2), ["question", ""], waits_s=3)
    converse(database, "web-c", NOW - days(2), ["refusal+refusal"], "打13800001111问补贴", 5)
    converse(database, "web-old", NOW - days(40), ["answer"])
    return database


@pytest.fixture
def appealed(database: Database) -> Database:
    filed, answered, closed = (days(0), S.FILED), (days(2), S.ANSWERED), (days(3), S.CLOSED)
    late = (days(6), S.ANSWERED)
    appeal(database, 1, FINANCE, NOW - days(6), [filed, answered, closed], score=5)
    reopened = [
        filed,
        answered,
        (days(2.5), S.REOPENED),
        (days(3), S.ANSWERED),
        (days(4), S.CLOSED),
    ]
    appeal(database, 2, FINANCE, NOW - days(6), reopened, score=2)
    appeal(database, 3, TALENT, NOW - days(6), [filed, late])
    appeal(database, 4, TALENT, NOW - days(5.5), [filed, (days(1), S.ACCEPTED)])  # overdue
    appeal(database, 5, TALENT, NOW - days(1), [filed])  # not due yet
    appeal(database, 6, TALENT, NOW - days(6), [filed, (days(1), S.WITHDRAWN)])
    appeal(database, 7, FINANCE, NOW - days(60), [filed, (days(1), S.ACCEPTED)])  # overdue for long
    return database


def shown(database: Database, count: int = 7, viewer: Viewer = EVERYTHING) -> Dashboard:
    with database.reading() as db:
        return Figures().dashboard(db, count, NOW, viewer)


def test_volume_refusals_and_sources_are_counted(talked: Database) -> None:
    found = shown(talked)
    assert (found.messages, found.conversations) == (6, 3)
    assert (found.refused.hits, found.refused.n) == (2, 5)  # twice refused in one message is one
    assert (found.clarified.hits, found.clarified.n) == (1, 5)
    assert [(each.clause_id, each.answers) for each in found.clauses] == [("FT-001#amount", 2)]
    assert [(line.day, line.messages) for line in found.days if line.messages] == [
        (date(2026, 11, 21), 1),
        (TODAY, 5),
    ]
    assert shown(talked, 90).messages == 7


def test_first_answer_is_that_of_the_first_message(talked: Database) -> None:
    wait = shown(talked).first_answer
    assert wait.n == 3
    assert wait.p50_s == pytest.approx(3)
    assert wait.p95_s == pytest.approx(4.8)


def test_refused_questions_are_grouped_without_telephone_numbers(talked: Database) -> None:
    converse(talked, "web-d", NOW - days(1), ["refusal", "refusal"])
    with talked.reading() as db:
        found = refused_questions(db, span_of(TODAY - days(6), TODAY, NOW))
    assert [(each.text, each.times) for each in found] == [
        ("食堂补贴多少钱", 3),
        ("打…问补贴", 1),
    ]
    assert shown(talked, viewer=Viewer(None, False)).refused_questions is None


def test_a_day_is_one_in_shanghai(database: Database) -> None:
    converse(database, "web-a", datetime(2026, 11, 22, 15, 59, 50, tzinfo=UTC), ["answer"])
    converse(database, "web-b", datetime(2026, 11, 22, 16, 0, tzinfo=UTC), ["answer", "answer"])
    with database.reading() as db:
        assert day_figures(db, date(2026, 11, 22)).messages == 1
        assert day_figures(db, TODAY).messages == 2


def test_appeals_are_counted_by_their_definitions(appealed: Database) -> None:
    figures = shown(appealed).appeals
    assert sum(figures.filed.values()) == 6
    assert sum(figures.closed.values()) == 2
    assert figures.overdue == 2  # whenever they were filed
    assert (figures.in_time.hits, figures.in_time.n) == (2, 4)
    assert (figures.solved.hits, figures.solved.n) == (1, 2)
    assert (figures.satisfied.hits, figures.satisfied.n) == (1, 2)
    assert figures.closed == {date(2026, 11, 20): 1, date(2026, 11, 21): 1}
    lines = {line.department: line for line in figures.departments}
    assert (lines[FINANCE].filed, lines[FINANCE].overdue, lines[FINANCE].in_time.hits) == (2, 1, 2)
    assert (lines[TALENT].filed, lines[TALENT].overdue, lines[TALENT].in_time.hits) == (4, 1, 0)


def test_a_department_sees_only_its_own(appealed: Database) -> None:
    finance = departments_seen(Staff("zhou", "周", Role.DEPARTMENT, "finance"))
    assert finance is not None and FINANCE in finance
    figures = shown(appealed, viewer=Viewer(finance, True)).appeals
    assert [line.department for line in figures.departments] == [FINANCE]
    assert (sum(figures.filed.values()), figures.overdue) == (2, 1)
    assert (figures.solved.n, figures.satisfied.n) == (2, 2)
    nobody = departments_seen(Staff("li", "李", Role.DEPARTMENT, None))
    with appealed.reading() as db:
        empty = appeal_figures(db, span_of(TODAY - days(6), TODAY, NOW), nobody)
    assert (empty.filed, empty.overdue, empty.satisfied.n, empty.departments) == ({}, 0, 0, [])
    assert departments_seen(Staff("qian", "钱", Role.CENTRE)) is None


def test_an_empty_database_has_no_shares(database: Database) -> None:
    found = shown(database, 30)
    assert (found.messages, found.refused.value, found.first_answer.p50_s) == (0, None, None)
    assert found.appeals.in_time.value is None
    assert len(found.days) == 30


def test_figures_are_counted_once_a_minute(sqlite_database: Database) -> None:
    clock = [0.0]
    figures = Figures(lambda: clock[0])

    def messages() -> int:
        with sqlite_database.reading() as db:
            return figures.dashboard(db, 7, NOW, EVERYTHING).messages

    assert messages() == 0
    converse(sqlite_database, "web-a", NOW - days(0.1), ["answer"])
    assert messages() == 0
    clock[0] = 61
    assert messages() == 1


def test_counting_by_time_uses_the_indexes(sqlite_database: Database) -> None:
    plans = {
        "SELECT count(*) FROM messages WHERE received_at >= '2026' AND received_at < '2027'": "ix_messages_received",
        "SELECT count(*) FROM messages WHERE intent IS NOT NULL AND answered_at >= '2026'": "ix_messages_answered_by_bot",
        "SELECT count(DISTINCT message_id) FROM outbox WHERE json_extract(body, '$.kind') = 'refusal'"
        " AND created_at >= '2026'": "ix_outbox_refusals",
        "SELECT clause_id, count(*) FROM answer_sources WHERE answered_at >= '2026' GROUP BY clause_id || ''": "ix_answer_sources_answered",
    }
    with sqlite_database.reading() as db:
        for query, index in plans.items():
            plan = " ".join(row[3] for row in db.execute(sql(f"EXPLAIN QUERY PLAN {query}")))
            assert index in plan, (query, plan)


def test_an_interval_is_wilsons() -> None:
    share = share_of(8, 10)
    assert share.value == 0.8
    assert share.low == pytest.approx(0.4902, abs=1e-4)
    assert share.high == pytest.approx(0.9433, abs=1e-4)
    assert share_of(0, 0).value is None
