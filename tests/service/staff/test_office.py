"""Settings of the office and canned replies."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest

from service.db import Database
from service.errors import Conflict, InvalidInput, NotFound
from service.staff import canned, office
from service.staff.audit import AuditFilter, entries
from tests.service.staff.conftest import NOW


def test_defaults_hold_until_something_is_changed(database: Database) -> None:
    with database.session() as db:
        assert office.office_of(db) == office.Office()
        office.change_office(db, "person_wait_minutes", 5, "root", NOW)
        office.change_office(
            db, "working_hours", [["09:30", "12:00"], ["13:30", "17:30"]], "root", NOW
        )
    with database.reading() as db:
        now_set = office.office_of(db)
        logged = entries(db, AuditFilter(action="setting_changed"))
    assert now_set.person_wait_minutes == 5
    assert now_set.working_hours[1] == (time(13, 30), time(17, 30))
    assert now_set.warning_share == office.Office().warning_share
    assert logged[1].detail == {"before": 10, "after": 5}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("no_such_thing", 1),
        ("person_wait_minutes", 0),
        ("person_wait_minutes", "soon"),
        ("working_hours", []),
        ("working_hours", [["12:00", "09:00"]]),
        ("working_hours", [["09:00", "12:00"], ["11:00", "18:00"]]),
        ("warning_share", 2),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    database: Database, key: str, value: Any
) -> None:
    with pytest.raises(InvalidInput), database.session() as db:
        office.change_office(db, key, value, "root", NOW)
    with database.reading() as db:
        assert office.office_of(db) == office.Office()


def test_every_setting_has_a_name_for_people() -> None:
    assert set(office.OFFICE_LABELS) == set(office.Office.model_fields)


def test_canned_replies_are_found_and_changed(database: Database) -> None:
    with database.session() as db:
        kept = canned.keep_canned(db, "/您好", "问候", "您好，我是专员。", "lin", NOW)
        canned.keep_canned(db, "材料", "请补材料", "请把营业执照发给我，100%保密。", "lin", NOW)
        changed = canned.keep_canned(db, "您好", "问候", "您好！", "wang", NOW, kept.id)
    assert (changed.id, changed.text, changed.changed_by) == (kept.id, "您好！", "wang")
    with database.reading() as db:
        assert [row.shortcut for row in canned.canned_replies(db, "/材")] == ["材料"]
        assert [row.shortcut for row in canned.canned_replies(db, "100%")] == ["材料"]
        assert canned.canned_replies(db, "_") == []
        assert len(canned.canned_replies(db)) == 2


def test_a_shortcut_means_one_reply(database: Database) -> None:
    with database.session() as db:
        canned.keep_canned(db, "a", "甲", "一", "lin", NOW)
    with pytest.raises(Conflict, match="甲"), database.session() as db:
        canned.keep_canned(db, "a", "乙", "二", "lin", NOW)


@pytest.mark.parametrize(
    ("shortcut", "title", "text"),
    [
        ("", "甲", "一"),
        ("a b", "甲", "一"),
        ("a", " ", "一"),
        ("a", "甲", " "),
        ("a", "甲", "x" * 2001),
    ],
)
def test_what_cannot_be_a_canned_reply_is_refused(
    database: Database, shortcut: str, title: str, text: str
) -> None:
    with pytest.raises(InvalidInput), database.session() as db:
        canned.keep_canned(db, shortcut, title, text, "lin", NOW)


def test_a_deleted_one_is_gone(database: Database) -> None:
    with database.session() as db:
        kept = canned.keep_canned(db, "a", "甲", "一", "lin", NOW)
        canned.delete_canned(db, kept.id, "lin", NOW)
        with pytest.raises(NotFound):
            canned.delete_canned(db, kept.id, "lin", NOW)
