"""The audit log: every change to it shows."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from service.db import Database
from service.staff import audit
from service.staff.audit import AuditFilter, AuditIsFinal
from service.staff.models import AuditEntry
from tests.service.staff.conftest import NOW


def fill(database: Database, count: int = 3) -> None:
    for number in range(count):
        with database.session() as db:
            audit.record(
                db, f"s{number % 2}", "enterprise_opened", ("enterprise", str(number)), NOW,
                purpose="核对资料", detail={"n": number},
            )  # fmt: skip


def test_a_whole_log_is_whole(database: Database) -> None:
    fill(database)
    with database.reading() as db:
        assert audit.verify(db) == []


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit_entries SET staff_id = 'other' WHERE id = 2",
        "UPDATE audit_entries SET purpose = NULL WHERE id = 1",
        "DELETE FROM audit_entries WHERE id = 2",
    ],
)
def test_tampering_shows(database: Database, tampering: str) -> None:
    fill(database)
    with database.session() as db:
        db.execute(text(tampering))
    with database.reading() as db:
        assert audit.verify(db)


def test_entries_cannot_be_changed_in_code(database: Database) -> None:
    fill(database, 1)
    with pytest.raises(AuditIsFinal), database.session() as db:
        row = db.get(AuditEntry, 1)
        assert row is not None
        row.purpose = "别的"
        db.flush()


def test_entries_written_at_once_follow_each_other(database: Database) -> None:
    threads = [threading.Thread(target=fill, args=(database, 10)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as db:
        assert audit.verify(db) == []
        assert len(audit.entries(db, AuditFilter(), 100)) == 40


def test_the_log_is_found_by_person_action_and_subject(database: Database) -> None:
    fill(database, 4)
    with database.reading() as db:
        assert [e.detail["n"] for e in audit.entries(db, AuditFilter(staff_id="s1"))] == [3, 1]
        assert audit.entries(db, AuditFilter(action="signed_in")) == []
        one = audit.entries(db, AuditFilter(subject=("enterprise", "2")))
        assert [e.detail["n"] for e in one] == [2]
        older = audit.entries(db, AuditFilter(before=one[0].id), limit=1)
        assert [e.detail["n"] for e in older] == [1]
