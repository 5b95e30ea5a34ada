"""What a demo may be put into, and that nothing real is ever touched."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from service.appeals.clock import DISTRICT_HOURS, is_working_time
from service.appeals.worktime import minute_of, worked_between
from service.conversations import search
from service.conversations.models import Conversation
from service.conversations.operations import Backlog, Incoming, record
from service.conversations.turns import Lease
from service.db import Database, utc_now
from service.demo import standing
from service.demo.clock import SetClock, WorkingDays
from service.demo.people import put_enterprises, put_people
from service.demo.script import ENTERPRISES, read_script
from service.demo.standing import Standing, standing_of
from service.enterprises.operations import EnterpriseFacts, normal_credit_code, upsert_enterprise
from service.staff import accounts
from service.staff.accounts import NewAccount, Passwords
from service.staff.models import StaffAccount
from service.staff.permissions import Role
from tests.knowledge.roster.companies import code_of, name_of

QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def somebody(db: Session) -> None:
    new = NewAccount("lin", "林", Role.ADMIN, "jade-paper-77")
    accounts.create_account(db, new, QUICK, "cli", NOW)


def some_talk(db: Session) -> None:
    db.add(Conversation(id="web-1", channel="web"))


def some_enterprise(db: Session) -> None:
    upsert_enterprise(db, EnterpriseFacts(code_of(1), name_of(1)))


@pytest.mark.parametrize("real", [somebody, some_talk, some_enterprise])
def test_what_holds_anything_is_real(database: Database, real: object) -> None:
    with database.session() as db:
        assert standing_of(db) is Standing.EMPTY
        real(db)  # type: ignore[operator]
        db.flush()
        assert standing_of(db) is Standing.REAL
        assert not standing.begin(db, "h", NOW)


def test_a_filling_that_was_cut_off_begins_anew(database: Database) -> None:
    incoming = Incoming("demo-1", "m1", "c1", "企业食堂补贴")
    with database.session() as db:
        assert standing.begin(db, "h", NOW)
        record(db, incoming, Lease("h", NOW), Backlog(9, 9), NOW)
    with database.session() as db:
        assert standing_of(db) is Standing.BEGUN
        assert search.find(db, "食堂补贴", 9) == ["demo-1"]
        assert standing.begin(db, "h2", NOW)
        assert db.get(Conversation, "demo-1") is None
        assert search.find(db, "食堂补贴", 9) == []
        standing.end(db)
        assert standing_of(db) is Standing.DEMO
        assert not standing.begin(db, "h3", NOW)
    assert standing.is_demo(database)


def test_everybody_gets_the_kept_password_unless_they_changed_theirs(
    sqlite_database: Database, tmp_path: Path
) -> None:
    password = standing.kept_password(tmp_path)
    encoded = QUICK.hash(password)
    with sqlite_database.session() as db:
        standing.begin(db, encoded, NOW)
        put_people(db, read_script(), password, encoded, NOW)
        accounts.change_password(db, "demo-lin", "another-word-9", QUICK, "demo-lin", NOW)
    (tmp_path / "demo_password").unlink()
    fresh = standing.kept_password(tmp_path)
    assert fresh != password
    with sqlite_database.session() as db:
        for _ in range(2):
            standing.keep_password_right(db, fresh, QUICK)
        for row in accounts.accounts(db):
            known = "another-word-9" if row.id == "demo-lin" else fresh
            assert QUICK.is_right(known, row.password_hash), row.id
            assert row.is_demo
            assert "示范" in row.name
            assert isinstance(row, StaffAccount)


def test_the_password_is_its_owners_alone_and_random(tmp_path: Path) -> None:
    password = standing.kept_password(tmp_path)
    assert standing.kept_password(tmp_path) == password
    assert stat.S_IMODE((tmp_path / "demo_password").stat().st_mode) == 0o600
    assert standing.kept_password(tmp_path / "other") != password
    assert len(password) == 19


def test_enterprises_are_marked_and_their_codes_are_right(sqlite_database: Database) -> None:
    put_enterprises(sqlite_database, utc_now())
    rows = ENTERPRISES.read_text(encoding="utf-8").splitlines()[1:]
    for row in rows:
        code, name = row.split(",")[:2]
        assert normal_credit_code(code) == code
        assert name.endswith("（示范）")


@pytest.mark.parametrize("days", [0.01, 0.3, 1, 2.5, 9])
@pytest.mark.parametrize(
    "now", [NOW, datetime(2026, 11, 29, 7, tzinfo=UTC), datetime(2026, 10, 5, 4, tzinfo=UTC)]
)
def test_days_ago_are_working_days_ago(now: datetime, days: float) -> None:
    count = WorkingDays(now, DISTRICT_HOURS)
    then = count.ago(days)
    assert is_working_time(then)
    worked = worked_between(minute_of(then), minute_of(now), DISTRICT_HOURS)
    assert worked == round(days * DISTRICT_HOURS.per_day)
    assert then < count.later(then, days) <= now


def test_the_clock_goes_on_after_it_was_set() -> None:
    clock = SetClock()
    with clock.at(NOW):
        assert clock() == NOW
    assert abs((clock() - utc_now()).total_seconds()) < 5
