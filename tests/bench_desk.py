"""Measures every list and search of the console over a full desk: ``python -m tests.bench_desk``.

Fills a SQLite file, or with ``--postgresql URL`` a schema there, once; then asks what the pages ask.
Each question is put several times with other words; of each the best of ``--tries`` counts beside all,
since a busy machine only ever adds. ``own`` is this process's processor time (SQLite works in it),
``server`` what PostgreSQL says of its part.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from service.appeals import board
from service.appeals.departments import load_departments
from service.appeals.models import AppealState
from service.common_issues.meeting import list_for_meeting
from service.console.queries_dashboard import Figures, Viewer
from service.console.queries_enterprises import search as search_enterprises
from service.db import Database
from service.debt.models import DebtState
from service.debt.operations import list_debts
from service.debt.signing import list_answers
from service.enterprises.names import NameIndex
from service.handoff import inbox
from service.handoff.board import Board
from service.handoff.context import packet_of
from service.handoff.inbox import View
from service.handoff.thread import thread_of
from service.staff.audit import AuditFilter, entries
from service.staff.permissions import Role, Staff
from tests.desk_load import postgresql_desk, sqlite_desk
from tests.desk_rows import NOW, STAFF, Sizes, conversation_id
from tests.desk_words import TOPICS

ALLOWED_MS = 200.0
Ask = Callable[[Session, int], object]
_OPEN = frozenset(
    {AppealState.DISPATCHED, AppealState.ACCEPTED, AppealState.RETURNED, AppealState.REOPENED}
)
_USED = re.compile(
    r"USING (?:COVERING )?INDEX (\S+)|VIRTUAL TABLE INDEX|(?:Index|Index Only) Scan (?:Backward )?using (\S+)"
    r"|Bitmap Index Scan on (\S+)|(INTEGER PRIMARY KEY)|USING PRIMARY KEY"
)
_TIME = re.compile(r"(?:Planning|Execution) Time: ([\d.]+) ms")
_SMALL = ("anon_", "hits", "json_each")
_WHOLE = re.compile(r"^SCAN (\w+)$|Seq Scan on (\w+)")


@dataclass(frozen=True)
class Taken:
    """Milliseconds: middle and 95th percentile by the clock, and the latter of each question's best.

    ``busy_p95`` is this thread's own processor time, also of the best: SQLite works in it.
    """

    p50: float
    p95: float
    best_p95: float
    busy_p95: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=Sizes.messages)
    parser.add_argument("--appeals", type=int, default=Sizes.appeals)
    parser.add_argument("--postgresql", metavar="URL")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=40, help="for filling, at most")
    parser.add_argument("--only", default="", help="only what has this in its name")
    given = parser.parse_args()
    sizes = Sizes(messages=given.messages, appeals=given.appeals)
    seconds = given.minutes * 60
    database = (
        postgresql_desk(given.postgresql, sizes, seconds)
        if given.postgresql
        else sqlite_desk(sizes, seconds)
    )
    try:
        report(database, sizes, given.rounds, given.tries, given.only)
    finally:
        database.close()


def report(database: Database, sizes: Sizes, rounds: int, tries: int, only: str = "") -> None:
    """Prints a line for each query."""
    kind = database.engine.dialect.name
    print(f"{kind}: {sizes.messages:,} messages, {sizes.appeals:,} appeals; milliseconds")
    print(f"{'':46}{'p50':>9}{'p95':>9}{'of best':>9}{'own':>9}{'server':>9}  read by")
    late = 0
    for name, ask in queries(sizes).items():
        if only not in name:
            continue
        taken = measured(database, ask, rounds, tries)
        indexes, server = read_by(database, ask)
        is_late = taken.busy_p95 + server > ALLOWED_MS
        late += is_late
        times = (taken.p50, taken.p95, taken.best_p95, taken.busy_p95, server)
        told = "".join(f"{each:9.1f}" for each in times)
        print(f"{name + ' *' * is_late:46}{told}  {', '.join(indexes)}", flush=True)
    print(f"{late} (*) over {ALLOWED_MS:.0f} ms of processor time; load {os.getloadavg()[0]:.1f}")


def measured(database: Database, ask: Ask, rounds: int, tries: int) -> Taken:
    """Asks in so many ways, each so many times; stops early when a way takes seconds."""
    every: list[float] = []
    best: list[float] = []
    busy: list[float] = []
    until = time.perf_counter() + 20
    for number in range(rounds):
        took = [_once(database, ask, number) for _ in range(tries)]
        every += [by_clock for by_clock, _ in took]
        best.append(min(by_clock for by_clock, _ in took))
        busy.append(min(own for _, own in took))
        if time.perf_counter() > until:
            break
    return Taken(statistics.median(every), _p95(every), _p95(best), _p95(busy))


def _once(database: Database, ask: Ask, number: int) -> tuple[float, float]:
    began, own = time.perf_counter(), time.thread_time()
    with database.reading() as db:
        ask(db, number)
    own = time.thread_time() - own
    return (time.perf_counter() - began) * 1000, own * 1000


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1] if values[1:] else values[0]


def read_by(database: Database, ask: Ask) -> tuple[list[str], float]:
    """The indexes used by the statements of one question, and PostgreSQL's own milliseconds for them.

    ``all of x`` where a table is read whole. The milliseconds are the least of three, 0 for SQLite.
    """
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, given: Any, _context: Any, many: bool) -> None:
        if not many and statement.lstrip().upper().startswith(("SELECT", "WITH")):
            asked.append((statement, given))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        with database.reading() as db:
            ask(db, 3)
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    found: dict[str, None] = {}
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN (ANALYZE, TIMING OFF) "
    took = []
    with database.engine.connect() as connection:
        for _ in range(1 if database.is_sqlite else 3):
            total = 0.0
            for statement, given in asked:
                lines = [
                    str(row[-1]) for row in connection.exec_driver_sql(explain + statement, given)
                ]
                for line in lines:
                    found.update(dict.fromkeys(_indexes(line)))
                    own = _TIME.match(line)
                    total += float(own[1]) if own else 0.0
            took.append(total)
        connection.rollback()
    return list(found), min(took)


def _indexes(line: str) -> Iterator[str]:
    if used := _USED.search(line):
        yield next((name for name in used.groups() if name), "") or (
            "full text" if "VIRTUAL" in line else "primary key"
        )
    elif whole := _WHOLE.search(line):
        name = whole[1] or whole[2]
        yield from () if name.startswith(_SMALL) else (f"all of {name}",)


def queries(sizes: Sizes) -> dict[str, Ask]:
    """Every query behind a page, by name; the number varies what is asked."""
    return {**_conversations(sizes), **_appeals(sizes), **_others(sizes)}


def _conversations(sizes: Sizes) -> dict[str, Ask]:
    def me(n: int) -> Staff:
        return Staff(f"s{n % STAFF + 1}", "专员", Role.COMMISSIONER)

    def page(db: Session, n: int) -> object:
        after = None
        for _ in range(n % 5 + 1):
            after = inbox.list_conversations(db, me(n), after=after).after or after
        return inbox.list_conversations(db, me(n), after=after)

    def found(words: Callable[[int], str]) -> Ask:
        return lambda db, n: inbox.list_conversations(db, me(n), text=words(n))

    def some(n: int) -> str:
        return conversation_id(n * 977 % sizes.conversations)

    def view(which: View) -> Ask:
        return lambda db, n: inbox.list_conversations(db, me(n), which)

    kept = Board()
    return {
        **{f"inbox: {which}": view(which) for which in View},
        "inbox: two to six pages": page,
        "inbox: counts": lambda db, n: inbox.counts(db, me(n)),
        "inbox: a frequent word": found(lambda n: TOPICS[n % len(TOPICS)][:2]),
        "inbox: a very frequent word": found(lambda n: ("申请", "怎么", "公司")[n % 3]),
        "inbox: a rare number": found(lambda n: f"{n * 7919 % sizes.messages:07d}"),
        "inbox: a number after words": found(lambda n: f"编号{n * 7919 % sizes.messages:07d}"),
        "inbox: a number in part": found(lambda n: f"编号{n % 100:02d}"),
        "inbox: two frequent words": found(lambda n: f"{TOPICS[n % 50]} 怎么申请"),
        "inbox: a sentence": found(lambda n: f"想了解{TOPICS[n % 50]}，需要什么材料"),
        "inbox: words never said": found(lambda n: f"月球搬迁{n}"),
        "inbox: an enterprise": found(lambda n: f"深圳市云帆{'智能信息生物'[n % 5]}"),
        "inbox: thread": lambda db, n: thread_of(db, some(n), me(n)),
        "inbox: the longest thread": lambda db, n: thread_of(db, conversation_id(0), me(n)),
        "inbox: packet": lambda db, n: packet_of(db, some(n)),
        "inbox: board, first reading": lambda db, n: Board().page(db, me(n)),
        "inbox: board, kept": lambda db, n: kept.page(db, me(n)),
    }


def _appeals(sizes: Sizes) -> dict[str, Ask]:
    names = [each.code for each in load_departments()]
    centre = Staff("c", "c", Role.CENTRE)
    newest = board.Order.NEWEST
    cases: dict[str, Callable[[int], board.Wanted]] = {
        "open by due": lambda n: board.Wanted(states=_OPEN),
        "all newest": lambda n: board.Wanted(order=newest),
        "all by due": lambda n: board.Wanted(),
        "closed newest": lambda n: board.Wanted(states=frozenset({AppealState.CLOSED}), order=newest),
        "overdue": lambda n: board.Wanted(overdue=True),
        "paused": lambda n: board.Wanted(paused=True),
        "extension asked": lambda n: board.Wanted(extension_asked=True),
        "common": lambda n: board.Wanted(common=True, order=newest),
        "of a department": lambda n: board.Wanted(department=names[n % len(names)], order=newest),
        "of an enterprise": lambda n: board.Wanted(credit_code=f"9144030{n * 31 + 2:011d}"),
        "of a month": lambda n: board.Wanted(
            received_from=NOW.replace(month=n % 10 + 1), received_to=NOW.replace(month=n % 10 + 2), order=newest
        ),
        "a frequent word": lambda n: board.Wanted(text=TOPICS[n % 50][:2], order=newest),
        "a frequent word, by due": lambda n: board.Wanted(text=TOPICS[n % 50][:2]),
        "a very frequent word": lambda n: board.Wanted(text=("申请", "书面", "解决")[n % 3], order=newest),
        "a frequent word, open": lambda n: board.Wanted(text=TOPICS[n % 50], states=_OPEN),
        "a frequent word, of a department": lambda n: board.Wanted(text=TOPICS[n % 50], department=names[n % len(names)]),
        "a rare number in the text": lambda n: board.Wanted(text=f"{n * 791 % sizes.appeals:07d}", order=newest),
        "two words": lambda n: board.Wanted(text=f"{TOPICS[n % 50]} {TOPICS[n * 7 % 50]}", order=newest),
        "one character": lambda n: board.Wanted(text="电梯税租"[n % 4], order=newest),
        "words never said": lambda n: board.Wanted(text="没有这个词", order=newest),
        "by number": lambda n: board.Wanted(text=f"FT-202611{n % 20 + 1:02d}", order=newest),
        "a company": lambda n: board.Wanted(text="云帆" if n % 2 else "鼎立博雅", order=newest),
    }  # fmt: skip

    def listed(of: Callable[[int], Staff], wanted: Callable[[int], board.Wanted]) -> Ask:
        return lambda db, n: board.list_appeals(db, of(n), wanted(n), NOW)

    def pages(db: Session, n: int) -> object:
        wanted, after = board.Wanted(order=newest), None
        for _ in range(n % 5 + 1):
            after = board.list_appeals(db, centre, wanted, NOW, after).next or after
        return board.list_appeals(db, centre, wanted, NOW, after)

    def department(n: int) -> Staff:
        return Staff("p", "p", Role.DEPARTMENT, names[n % len(names)])

    return {
        **{f"appeals: {name}": listed(lambda n: centre, each) for name, each in cases.items()},
        **{
            f"appeals of one's department: {name}": listed(department, cases[name])
            for name in ("open by due", "all newest", "overdue", "a frequent word", "words never said")
        },
        "appeals: two to six pages": pages,
        "appeals: counts": lambda db, n: board.count_by_state(db, centre),
        "appeals: counts of a department": lambda db, n: board.count_by_state(db, department(n)),
        "appeals: how many fit": lambda db, n: board.count_appeals(db, centre, cases["a frequent word"](n), NOW),
    }  # fmt: skip


def _others(sizes: Sizes) -> dict[str, Ask]:
    names, departments = NameIndex(), load_departments()
    after = Figures()
    everything = Viewer(None, sees_questions=True)

    def dashboard(days: int) -> Ask:
        return lambda db, n: Figures().dashboard(db, days, NOW, everything)

    def again(db: Session, n: int) -> object:
        after.expire()
        return after.dashboard(db, 90, NOW, everything)

    def audit(**wanted: Any) -> Ask:
        return lambda db, n: entries(db, AuditFilter(**wanted))

    def enterprises(words: Callable[[int], str]) -> Ask:
        return lambda db, n: search_enterprises(db, names, words(n))

    return {
        "debts: open": lambda db, n: list_debts(db),
        "debts: all, a later page": lambda db, n: list_debts(db, None, after=n * 50),
        "debts: of an owner": lambda db, n: list_debts(db, owner=f"s{n + 1}"),
        "debts: overdue": lambda db, n: list_debts(db, overdue_at=NOW),
        "debts: closed, a word": lambda db, n: list_debts(db, DebtState.CLOSED, text=TOPICS[n % 50]),
        "debts: a word never said": lambda db, n: list_debts(db, None, text="没有这个词"),
        "signed answers": lambda db, n: list_answers(db),
        "common issues": lambda db, n: list_for_meeting(db, departments, limit=50),
        "common issues: of five and more": lambda db, n: list_for_meeting(db, departments, at_least=5, limit=50),
        "enterprises: a name": enterprises(lambda n: f"深圳市云帆{'智能信息生物'[n % 5]}有限公司"),
        "enterprises: part of a name": enterprises(lambda n: "云帆鼎立博雅汇通"[n % 6 : n % 6 + 2]),
        "enterprises: a code": enterprises(lambda n: f"9144030{n * 31 + 1:011d}"),
        "enterprises: an alias": enterprises(lambda n: f"小{n * 100 + 100}号"),
        "enterprises: absent": enterprises(lambda n: f"没有这家{n}"),
        "audit: newest": audit(),
        "audit: of one member": audit(staff_id="s7"),
        "audit: an action": audit(action="signed_in"),
        "audit: a subject": audit(subject=("conversation", conversation_id(5))),
        "audit: an action of one": audit(staff_id="s7", action="appeal_opened"),
        "audit: a day long ago": audit(until=NOW.replace(month=9)),
        "audit: absent": audit(action="nothing"),
        **{f"dashboard: {days} days, counted": dashboard(days) for days in (7, 30, 90)},
        "dashboard: 90 days, a minute later": again,
    }  # fmt: skip


if __name__ == "__main__":
    main()
