"""Measures the console's queries on a full database: ``python -m tests.bench_console [--messages N] [--url URL]``.

Everything in it is synthetic. Prints a table; nothing is asserted. A URL must name an empty database.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.table import Table
from sqlalchemy import Table as SqlTable
from sqlalchemy import insert
from sqlalchemy.orm import DeclarativeBase

from actions.desk import AppealReason
from service.appeals.models import Appeal, AppealEvent, AppealState, EventKind, Rating
from service.console.queries_dashboard import Figures, Viewer
from service.console.queries_enterprises import search
from service.conversations.models import (
    Conversation,
    Message,
    MessageStatus,
    OutboxRow,
    OutboxStatus,
    Owner,
)
from service.db import Database, utc_now
from service.enterprises.models import Enterprise
from service.enterprises.names import NameIndex, name_key
from service.recall.models import AnswerSource, SourceKind
from tests.knowledge.roster.companies import code_of

_PER_CONVERSATION = 6
_AT_ONCE = 5000
_DAYS = 90
_DEPARTMENTS = (
    "福田区科技和工业信息化局",
    "福田区人力资源局",
    "福田区企业服务中心",
    "福田区财政局",
)
_ANSWER = "福田存量企业在上年度获得国家高新技术企业认定的，可得到一次性奖励10万元。" * 6
_FIRST = "云帆智海天宇华中科鹏飞腾达星辰光远卓越创新汇通金源恒盛鼎立博雅思维联众合力宏图瑞康泰和润丰德信诚安顺利民生"
_TRADES = ("智能", "信息", "生物", "网络", "软件", "文化", "贸易", "物流", "餐饮", "投资", "设计")

Rows = Iterator[tuple[type[DeclarativeBase], dict[str, Any]]]
ALL = Viewer(None, True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--appeals", type=int, default=100_000)
    parser.add_argument("--enterprises", type=int, default=180_000)
    parser.add_argument(
        "--url", help="an empty database; a SQLite file in a scratch folder if absent"
    )
    given = parser.parse_args()
    table = Table("what", "took", title="console queries")
    with tempfile.TemporaryDirectory() as folder:
        database = Database.open(given.url or f"sqlite:///{Path(folder) / 'full.db'}")
        began = time.perf_counter()
        now = utc_now()
        fill(database, conversations(given.messages, now))
        fill(database, appeals(given.appeals, now))
        fill(database, enterprises(given.enterprises))
        if not database.is_sqlite:
            _analyse(database)
        table.add_row("filling", f"{time.perf_counter() - began:.0f} s")
        measure(database, now, table.add_row)
        database.close()
    Console().print(table)


def measure(database: Database, now: datetime, tell: Callable[..., None]) -> None:
    """Tells how long the dashboard takes, first and again, and a search."""
    for days in (7, 30, 90):
        figures = Figures()
        tell(f"dashboard, {days} days, first", f"{_timed(database, figures, days, now):.0f} ms")
        again = [_timed(database, figures, days, now) for _ in range(20)]
        tell(f"dashboard, {days} days, within a minute", f"{max(again):.0f} ms at most")
        figures.expire()
        later = _timed(database, figures, days, now)
        tell(f"dashboard, {days} days, a minute later", f"{later:.0f} ms")
    names, rng = NameIndex(), random.Random(3)
    first = _searched(database, names, _name(1))
    tell("search of enterprises, first (reads the names)", f"{first:.0f} ms")
    for what, texts in _wanted(rng).items():
        took = [_searched(database, names, text) for text in texts]
        p95 = statistics.quantiles(took, n=20)[-1]
        tell(f"search by {what}, p50 / p95", f"{statistics.median(took):.0f} / {p95:.0f} ms")


def _wanted(rng: random.Random) -> dict[str, list[str]]:
    numbers = [rng.randrange(10_000) for _ in range(60)]
    return {
        "whole name": [_name(number) for number in numbers],
        "part of a name": [_name(number)[3:7] for number in numbers],
        "mistyped name": [_name(number).replace("有限公司", "有限公可") for number in numbers],
        "alias": [f"小{number}号" for number in numbers],
        "credit code": [code_of(number) for number in numbers],
        "beginning of a code": [code_of(number)[:10] for number in numbers],
    }


def _timed(database: Database, figures: Figures, days: int, now: datetime) -> float:
    began = time.perf_counter()
    with database.reading() as db:
        figures.dashboard(db, days, now, ALL)
    return (time.perf_counter() - began) * 1e3


def _searched(database: Database, names: NameIndex, text: str) -> float:
    began = time.perf_counter()
    with database.reading() as db:
        search(db, names, text)
    return (time.perf_counter() - began) * 1e3


def fill(database: Database, rows: Rows) -> None:
    """Writes rows in their order, some thousands at a time."""
    while chunk := list(islice(rows, _AT_ONCE)):
        by_table: dict[type[DeclarativeBase], list[dict[str, Any]]] = {}
        for table, row in chunk:
            by_table.setdefault(table, []).append(row)
        with database.session() as db:
            for table in sorted(by_table, key=_place):  # what is pointed at first
                db.execute(insert(cast(SqlTable, table.__table__)), by_table[table])


def _place(table: type[DeclarativeBase]) -> int:
    return table.metadata.sorted_tables.index(cast(SqlTable, table.__table__))


def conversations(messages: int, now: datetime, seed: int = 1) -> Rows:
    """So many messages of the last ``_DAYS`` days with their replies and sources."""
    rng = random.Random(seed)
    for number in range(max(1, messages // _PER_CONVERSATION)):
        at = now - timedelta(seconds=rng.uniform(60, _DAYS * 86_400))
        conversation = f"web-{seed}-{number}"
        yield (
            Conversation,
            {
                "id": conversation,
                "channel": "web",
                "owner": Owner.BOT,
                "created_at": at,
                "updated_at": at,
            },
        )
        for turn in range(_PER_CONVERSATION):
            yield from _turn(rng, conversation, f"{seed}-{number}-{turn}", at, number + turn)
            at = min(at + timedelta(seconds=rng.uniform(20, 200)), now)


def _turn(rng: random.Random, conversation: str, name: str, at: datetime, number: int) -> Rows:
    message, answered = f"m-{name}", at + timedelta(seconds=rng.lognormvariate(0, 0.6))
    kind = rng.choices(("answer", "refusal", "question"), (80, 12, 8))[0]
    yield (
        Message,
        {
            "id": message,
            "conversation_id": conversation,
            "client_id": name,
            "text": f"第{number % 3000}种补贴能拿多少钱",
            "is_button": False,
            "status": MessageStatus.ANSWERED,
            "attempts": 1,
            "received_at": at,
            "answered_at": answered,
            "intent": "ask_policy",
            "confidence": 0.9,
            "candidates": [["FT-001", 3.2], ["FT-002", 1.1]],
        },
    )
    yield (
        OutboxRow,
        {
            "id": f"{message}-0",
            "conversation_id": conversation,
            "message_id": message,
            "position": 0,
            "body": {"id": f"{message}-0", "kind": kind, "author": "bot", "text": _ANSWER},
            "status": OutboxStatus.ACKED,
            "created_at": answered,
        },
    )
    if kind == "answer":
        policy = f"FT-{rng.randint(1, 60):03}"
        yield (
            AnswerSource,
            {
                "message_id": message,
                "clause_id": f"{policy}#amount",
                "clause_hash": "0" * 16,
                "policy_id": policy,
                "conversation_id": conversation,
                "kind": SourceKind.ANSWER,
                "status": "current",
                "answered_at": answered,
            },
        )


def appeals(count: int, now: datetime, seed: int = 1) -> Rows:
    """So many appeals of the last year: most answered, some late, some reopened, a fifth rated."""
    rng = random.Random(seed)
    for number in range(1, count + 1):
        received = now - timedelta(seconds=rng.uniform(60, 365 * 86_400))
        due = received + timedelta(days=7)
        answered = received + timedelta(days=rng.uniform(0.5, 9))
        is_closed = answered + timedelta(days=1) < now
        state = AppealState.CLOSED if is_closed else AppealState.ACCEPTED
        yield (
            Appeal,
            {
                "id": number,
                "no": f"FT-X-{number:06}",
                "session": f"web-{seed}-{number}",
                "source_message_id": f"a-{seed}-{number}",
                "reason": AppealReason.NO_ANSWER,
                "matter": "食堂补贴多少钱",
                "state": state,
                "department": rng.choice(_DEPARTMENTS),
                "dispatch_confidence": 0.8,
                "dispatch_candidates": [],
                "received_at": received,
                "due_at": due,
                "calendar_known": True,
                "closed_at": answered + timedelta(days=1) if is_closed else None,
                "version": 2,
                "chain_head": "0" * 64,
            },
        )
        steps = [(received, AppealState.FILED), (received, AppealState.DISPATCHED)]
        if is_closed:
            steps += [(answered, AppealState.ANSWERED)]
            if rng.random() < 0.1:
                steps += [(answered, AppealState.REOPENED), (answered, AppealState.ANSWERED)]
            steps += [(answered + timedelta(days=1), AppealState.CLOSED)]
        yield from _events(number, steps)
        if is_closed and rng.random() < 0.2:
            yield (
                Rating,
                {
                    "session": f"web-{seed}-{number}",
                    "appeal_id": number,
                    "score": rng.choice((1, 3, 4, 5, 5)),
                    "comment": "",
                    "message_id": f"r-{seed}-{number}",
                    "at": answered + timedelta(days=1),
                },
            )


def _events(appeal: int, steps: Sequence[tuple[datetime, AppealState]]) -> Rows:
    for seq, (at, state) in enumerate(steps, start=1):
        yield (
            AppealEvent,
            {
                "appeal_id": appeal,
                "seq": seq,
                "at": at,
                "kind": EventKind.MOVED,
                "actor": "system",
                "to_state": state,
                "prev_hash": "0" * 64,
                "hash": "0" * 64,
            },
        )


def enterprises(count: int) -> Rows:
    """So many enterprises, one in a hundred with an alias."""
    now = utc_now()
    for number in range(count):
        name = _name(number)
        yield (
            Enterprise,
            {
                "credit_code": code_of(number),
                "name": name,
                "name_key": name_key(name),
                "district": "福田区",
                "contact_aliases": [f"小{number}号"] if number % 100 == 0 else [],
                "is_verified": True,
                "created_at": now,
                "updated_at": now,
            },
        )


def _name(number: int) -> str:
    rng = random.Random(number)
    first = "".join(rng.choices(_FIRST, k=rng.choice((2, 3, 4))))
    return f"深圳市{first}{rng.choice(_TRADES)}科技有限公司"


def _analyse(database: Database) -> None:
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
