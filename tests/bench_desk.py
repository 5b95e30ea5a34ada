"""Measures the desk's lists and searches over many conversations: ``python -m tests.bench_desk``.

Fills a database (SQLite by default, ``--postgresql`` for a schema of the tests' server) with messages,
replies and owners, then times every query a console makes and prints median and 95th percentile.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from actions.replies import Author, Reply
from service.conversations import search
from service.conversations.models import (
    CONVERSATIONS,
    MESSAGES,
    OUTBOX,
    MessageStatus,
    OutboxStatus,
    Owner,
)
from service.db import Database
from service.enterprises.models import ENTERPRISES, Speaker
from service.handoff import inbox
from service.handoff.context import packet_of
from service.handoff.feed import StaffFeed
from service.handoff.inbox import View
from service.handoff.models import ReadMarker
from service.handoff.thread import thread_of
from service.staff.permissions import Role, Staff
from tests.service.conftest import postgres_schema

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ME = Staff("s1", "专员1", Role.COMMISSIONER)
PER_CONVERSATION = 25
_BODY = Reply(author=Author.BOT, text="按第八条，一次性奖励十万元。").model_dump(mode="json")
BATCH = 20_000
SUBJECTS = [
    "国高",
    "专精特新",
    "租金",
    "装修",
    "停电",
    "噪音",
    "上市",
    "知识产权",
    "人才住房",
    "贷款贴息",
    "展会",
    "研发费用",
    "数字化",
    "食堂",
    "停车",
]
WORDS = [
    "怎么申请",
    "需要什么材料",
    "什么时候开始",
    "补贴多少钱",
    "能不能叠加",
    "找哪个部门",
    "我们公司在福田",
    "去年没通过",
    "请帮忙看看",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    with ExitStack() as stack:
        if options.postgresql:
            url = stack.enter_context(postgres_schema())
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url = f"sqlite:///{Path(folder) / 'desk.db'}"
        database = Database.open(url)
        stack.callback(database.close)
        began = time.perf_counter()
        fill(database, options.messages)
        print(f"filled {options.messages:,} messages in {time.perf_counter() - began:.0f} s")
        report(database, options.messages, options.rounds)


def fill(database: Database, messages: int) -> None:
    """Writes conversations of 25 messages each, with one reply a message, their index and markers."""
    rng = random.Random(5)
    conversations = max(1, messages // PER_CONVERSATION)
    with database.session() as db:
        for batch in _batches(_conversations(rng, conversations)):
            db.execute(insert(CONVERSATIONS), batch)
        db.execute(
            insert(ENTERPRISES),
            [
                {
                    "id": n,
                    "credit_code": f"9144030{n:011d}",
                    "name": f"深圳第{n}号科技有限公司",
                    "name_key": f"深圳第{n}号科技有限公司",
                    "contact_aliases": [],
                    "is_verified": True,
                }
                for n in range(1, conversations // 4 + 2)
            ],
        )
        bound = [
            {"session": f"c{n:07d}", "enterprise_id": n // 4 + 1, "bound_by": "s1", "bound_at": NOW}
            for n in range(0, conversations, 4)
        ]
        for batch in _batches(iter(bound)):
            db.execute(insert(Speaker), batch)
    add = search._ADD["sqlite" if database.is_sqlite else "postgresql"]
    for batch in _batches(_messages(rng, messages)):
        with database.session() as db:
            db.execute(insert(MESSAGES), batch)
            db.execute(
                add,
                [
                    {"seq": row["seq"], "grams": " ".join(search.grams_of(row["text"]))}
                    for row in batch
                ],
            )
            db.execute(insert(OUTBOX), [_reply(row) for row in batch])
    with database.session() as db:
        read = [
            {
                "staff_id": "s1",
                "conversation_id": f"c{n:07d}",
                "seq": n * PER_CONVERSATION + 20,
                "at": NOW,
            }
            for n in range(0, conversations, 3)
        ]
        for batch in _batches(iter(read)):
            db.execute(insert(ReadMarker), batch)
    with database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()


def _conversations(rng: random.Random, count: int) -> Iterator[dict[str, Any]]:
    owners = [*[Owner.QUEUED] * 3, *[Owner.PERSON] * 12, *[Owner.CLOSED] * 300, *[Owner.BOT] * 1685]
    for number in range(count):
        owner = rng.choice(owners)
        staff = f"s{rng.randrange(1, 41)}" if owner == Owner.PERSON else None
        at = NOW - timedelta(seconds=(count - number) * 20 + rng.randrange(20))
        yield {
            "id": f"c{number:07d}",
            "channel": "web",
            "owner": owner,
            "owner_staff": staff,
            "owner_name": staff,
            "owner_since": at,
            "created_at": at,
            "updated_at": at,
        }


def _messages(rng: random.Random, count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        said = "，".join([rng.choice(SUBJECTS), *rng.choices(WORDS, k=3), f"编号{number}"])
        yield {
            "seq": number + 1,
            "id": f"m{number}",
            "conversation_id": f"c{number // PER_CONVERSATION:07d}",
            "client_id": f"k{number}",
            "text": said,
            "is_button": False,
            "status": MessageStatus.ANSWERED,
            "attempts": 1,
            "received_at": NOW - timedelta(seconds=count - number),
        }


def _reply(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"{row['id']}-0",
        "conversation_id": row["conversation_id"],
        "message_id": row["id"],
        "position": 0,
        "body": _BODY,
        "status": OutboxStatus.SENT,
        "created_at": row["received_at"],
    }


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def queries(messages: int) -> dict[str, Callable[[Session, int], object]]:
    """Every query a console makes, by name; the number varies what is asked."""
    conversations = max(1, messages // PER_CONVERSATION)

    def page(db: Session, n: int) -> object:
        after = None
        for _ in range(n % 5 + 1):
            after = inbox.list_conversations(db, ME, after=after).after
        return inbox.list_conversations(db, ME, after=after)

    def found(words: Callable[[int], str]) -> Callable[[Session, int], object]:
        return lambda db, n: inbox.list_conversations(db, ME, text=words(n))

    return {
        "list, first page": lambda db, n: inbox.list_conversations(db, ME),
        "list, two to six pages": page,
        "list, closed": lambda db, n: inbox.list_conversations(db, ME, View.CLOSED),
        "counts": lambda db, n: inbox.counts(db, ME),
        "search, a frequent word": found(lambda n: SUBJECTS[n % len(SUBJECTS)]),
        "search, a rare number": found(lambda n: f"编号{n * 7919 % messages}"),
        "search, two frequent words": found(lambda n: f"{SUBJECTS[n % 15]}，{WORDS[n % 9]}"),
        "search, words never said": found(lambda n: f"月球搬迁{n}"),
        "search, an enterprise": found(lambda n: f"第{n * 31 % (conversations // 4)}号科技"),
        "thread": lambda db, n: thread_of(db, f"c{n * 97 % conversations:07d}", ME),
        "context": lambda db, n: packet_of(db, f"c{n * 97 % conversations:07d}"),
    }


def report(database: Database, messages: int, rounds: int) -> None:
    """Prints median and p95 of each query in milliseconds."""
    print(f"{'query':32}{'median ms':>12}{'p95 ms':>10}")
    for name, ask in queries(messages).items():
        times = []
        for number in range(rounds):
            began = time.perf_counter()
            with database.reading() as db:
                ask(db, number)
            times.append((time.perf_counter() - began) * 1000)
        p95 = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
        print(f"{name:32}{statistics.median(times):12.1f}{p95:10.1f}")
    feed = StaffFeed(database, now=lambda: NOW)
    began = time.perf_counter()
    for _ in range(rounds):
        feed.look()
    print(f"{'feed, one look':32}{(time.perf_counter() - began) * 1000 / rounds:12.1f}")


if __name__ == "__main__":
    main()
