"""Measures lists and searches over 100,000 appeals: ``python -m tests.bench_appeals [database url]``."""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, text

from actions.desk import AppealReason
from service.appeals import board
from service.appeals.clock import DISTRICT_HOURS, SHANGHAI, due_after_working_days
from service.appeals.departments import load_departments
from service.appeals.models import Appeal, AppealParty, AppealState, AppealText
from service.appeals.worktime import minute_of, worked_between
from service.db import Database
from service.staff.permissions import Role, Staff

APPEALS = 100_000
NOW = datetime(2026, 11, 23, 10, tzinfo=SHANGHAI)
_OPEN = (AppealState.DISPATCHED, AppealState.ACCEPTED, AppealState.RETURNED, AppealState.REOPENED)
_WORDS = [
    "园区",
    "停电",
    "贷款",
    "续贷",
    "用工",
    "社保",
    "补贴",
    "国高",
    "认定",
    "租金",
    "减免",
    "学位",
    "消防",
    "验收",
    "噪音",
    "电梯",
    "物业",
    "退税",
    "上市",
    "环评",
    "招聘",
    "厂房",
]


def rows(rng: random.Random) -> Iterator[dict[str, object]]:
    """Appeals of two years; one in fifty is open, as at a desk that keeps up."""
    names = [d.name for d in load_departments()]
    for number in range(1, APPEALS + 1):
        at = NOW - timedelta(minutes=rng.randrange(1, 2 * 365 * 1440))
        is_open = rng.random() < 0.02
        at = NOW - timedelta(minutes=rng.randrange(1, 20 * 1440)) if is_open else at
        due = due_after_working_days(at).due_at
        yield {
            "id": number,
            "no": f"FT-{at:%Y%m%d}-{number:06d}",
            "session": f"web-{number % 30000}",
            "source_message_id": f"m{number}",
            "reason": AppealReason.REQUESTED,
            "matter": "，".join(rng.choices(_WORDS, k=rng.randint(5, 40))) + f"第{number}号",
            "state": rng.choice(_OPEN) if is_open else AppealState.CLOSED,
            "department": rng.choice(names),
            "dispatch_confidence": 0.8,
            "dispatch_candidates": [{"department": "x", "confidence": 0.8, "reason": "", "words": []}] * 3,
            "company": f"深圳市{rng.choice(_WORDS)}{number % 40000}科技有限公司",
            "received_at": at,
            "due_at": due,
            "calendar_known": True,
            "clock_hours": str(DISTRICT_HOURS),
            "clock_budget": worked_between(minute_of(at), minute_of(due), DISTRICT_HOURS),
            "clock_since": at if is_open else None,
            "closed_at": None if is_open else due,
            "version": 2,
            "chain_head": "0" * 64,
        }  # fmt: skip


def fill(database: Database) -> None:
    made = list(rows(random.Random(1)))
    for start in range(0, len(made), 5000):
        some = made[start : start + 5000]
        with database.session() as db:
            db.execute(insert(Appeal), some)
            parties = [
                {"appeal_id": r["id"], "department": r["department"], "is_lead": True} for r in some
            ]
            db.execute(insert(AppealParty), parties)
            texts = [
                {"appeal_id": r["id"], "text": f"{r['matter']} {r['company']}".lower()}
                for r in some
            ]
            db.execute(insert(AppealText), texts)
    with database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()


def cases() -> Iterator[tuple[str, Staff, board.Wanted]]:
    centre = Staff("c", "c", Role.CENTRE)
    department = Staff("p", "p", Role.DEPARTMENT, "power")
    is_open = frozenset(_OPEN)
    newest = board.Order.NEWEST
    for name, staff in (("centre", centre), ("department", department)):
        yield f"{name}: open by due", staff, board.Wanted(states=is_open)
        yield f"{name}: all newest", staff, board.Wanted(order=newest)
        yield f"{name}: overdue", staff, board.Wanted(overdue=True)
        yield f"{name}: text common word", staff, board.Wanted(text="停电", order=newest)
        yield f"{name}: text rare", staff, board.Wanted(text="第77777号", order=newest)
        yield f"{name}: text absent", staff, board.Wanted(text="没有这个词", order=newest)
        yield f"{name}: text in open", staff, board.Wanted(text="停电", states=is_open)
        yield f"{name}: by number", staff, board.Wanted(text="FT-20261120", order=newest)
    yield "centre: of a department", centre, board.Wanted(department="finance", order=newest)
    yield "centre: paused", centre, board.Wanted(paused=True)


def p95(run: Callable[[], object], times: int = 10) -> tuple[float, float]:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        taken.append(time.perf_counter() - began)
    taken.sort()
    return statistics.median(taken) * 1000, taken[int(times * 0.95) - 1] * 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{Path(folder) / 'bench.db'}"
        database = Database.open(url)
        fill(database)
        print(f"{database.engine.dialect.name}, {APPEALS} appeals; ms: median, p95")
        for name, staff, wanted in cases():

            def run(staff: Staff = staff, wanted: board.Wanted = wanted) -> int:
                with database.reading() as db:
                    return len(board.list_appeals(db, staff, wanted, NOW).rows)

            middle, late = p95(run)
            print(f"{name:32} {run():4} rows  {middle:8.1f} {late:8.1f}", flush=True)

        def counts() -> object:
            with database.reading() as db:
                return board.count_by_state(db, Staff("c", "c", Role.CENTRE))

        middle, late = p95(counts)
        print(f"{'centre: counts':32}            {middle:8.1f} {late:8.1f}", flush=True)
        database.close()


if __name__ == "__main__":
    main()
