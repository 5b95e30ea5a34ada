"""Accounts: who may sign in, and what stops somebody who guesses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.db import Database
from service.errors import Conflict, Forbidden, InvalidInput, NotFound, TooManyRequests
from service.staff import accounts
from service.staff.accounts import FAILURES_ALLOWED, IDLE_FOR, LOCKED_FOR, SIGNED_IN_FOR, Passwords
from service.staff.audit import AuditFilter, entries
from service.staff.models import StaffSession
from service.staff.permissions import Role
from tests.service.staff.conftest import NOW, PASSWORD, new_account


@pytest.fixture
def desk(database: Database, passwords: Passwords) -> Database:
    with database.session() as db:
        accounts.create_account(db, new_account(), passwords, "cli", NOW)
    return database


def test_a_password_opens_a_sign_in(desk: Database, passwords: Passwords) -> None:
    with desk.session() as db:
        signed_in = accounts.sign_in(db, " LIN ", PASSWORD, passwords, NOW)
    assert signed_in is not None
    with desk.reading() as db:
        staff = accounts.staff_of(db, signed_in.token, NOW + timedelta(minutes=5))
    assert staff is not None
    assert (staff.id, staff.name, staff.role) == ("lin", "林专员", Role.COMMISSIONER)


def test_the_token_itself_is_not_stored(desk: Database, passwords: Passwords) -> None:
    with desk.session() as db:
        signed_in = accounts.sign_in(db, "lin", PASSWORD, passwords, NOW)
        assert signed_in is not None
        stored = db.query(StaffSession).one()
    assert signed_in.token not in (stored.token_hash, stored.csrf)


@pytest.mark.parametrize(
    ("login", "password"),
    [("lin", "jade-paper-78"), ("nobody", PASSWORD), ("", ""), ("lin'--", PASSWORD), ("lin", "")],
)
def test_a_wrong_name_and_a_wrong_password_look_the_same(
    desk: Database, passwords: Passwords, login: str, password: str
) -> None:
    with desk.session() as db:
        assert accounts.sign_in(db, login, password, passwords, NOW) is None


def test_too_many_wrong_passwords_lock_the_account_for_a_while(
    desk: Database, passwords: Passwords
) -> None:
    for _ in range(FAILURES_ALLOWED):
        with desk.session() as db:
            assert accounts.sign_in(db, "lin", "wrong", passwords, NOW) is None
    with desk.session() as db, pytest.raises(TooManyRequests) as refused:
        accounts.sign_in(db, "lin", PASSWORD, passwords, NOW + LOCKED_FOR / 2)
    assert refused.value.retry_after_s is not None
    with desk.session() as db:
        assert accounts.sign_in(db, "lin", PASSWORD, passwords, NOW + LOCKED_FOR) is not None
    with desk.reading() as db:
        actions = [entry.action for entry in entries(db, AuditFilter())]
    assert actions.count("sign_in_refused") == FAILURES_ALLOWED - 1
    assert "account_locked" in actions


def test_a_right_password_forgives_earlier_failures(desk: Database, passwords: Passwords) -> None:
    for given in ("wrong", PASSWORD) * FAILURES_ALLOWED:
        with desk.session() as db:
            accounts.sign_in(db, "lin", given, passwords, NOW)
    with desk.session() as db:
        assert accounts.sign_in(db, "lin", PASSWORD, passwords, NOW) is not None


@pytest.mark.parametrize("later", [SIGNED_IN_FOR, IDLE_FOR])
def test_a_sign_in_ends(desk: Database, passwords: Passwords, later: timedelta) -> None:
    with desk.session() as db:
        signed_in = accounts.sign_in(db, "lin", PASSWORD, passwords, NOW)
        assert signed_in is not None
        assert accounts.staff_of(db, signed_in.token, NOW + later) is None


def test_use_keeps_a_sign_in_alive_until_its_end(desk: Database, passwords: Passwords) -> None:
    with desk.session() as db:
        signed_in = accounts.sign_in(db, "lin", PASSWORD, passwords, NOW)
    assert signed_in is not None
    at = NOW
    while at + timedelta(hours=1) < NOW + SIGNED_IN_FOR:
        at += timedelta(hours=1)
        with desk.session() as db:
            assert accounts.staff_of(db, signed_in.token, at) is not None
            accounts.touch(db, signed_in.token, at)
    with desk.reading() as db:
        assert accounts.staff_of(db, signed_in.token, NOW + SIGNED_IN_FOR) is None


def test_a_closed_account_is_out_at_once(desk: Database, passwords: Passwords) -> None:
    with desk.session() as db:
        signed_in = accounts.sign_in(db, "lin", PASSWORD, passwords, NOW)
        assert signed_in is not None
        accounts.set_active(db, "lin", False, "root", NOW)
        assert accounts.staff_of(db, signed_in.token, NOW) is None
        assert accounts.sign_in(db, "lin", PASSWORD, passwords, NOW) is None


def test_nobody_closes_their_own_account(desk: Database) -> None:
    with desk.session() as db, pytest.raises(Forbidden):
        accounts.set_active(db, "lin", False, "lin", NOW)


def test_a_new_password_ends_every_sign_in(desk: Database, passwords: Passwords) -> None:
    with desk.session() as db:
        signed_in = accounts.sign_in(db, "lin", PASSWORD, passwords, NOW)
        assert signed_in is not None
        accounts.change_password(db, "lin", "another-one-88", passwords, "lin", NOW)
        assert accounts.staff_of(db, signed_in.token, NOW) is None
        assert accounts.sign_in(db, "lin", PASSWORD, passwords, NOW) is None
        assert accounts.sign_in(db, "lin", "another-one-88", passwords, NOW) is not None


def test_signing_out_ends_the_sign_in(desk: Database, passwords: Passwords) -> None:
    with desk.session() as db:
        signed_in = accounts.sign_in(db, "lin", PASSWORD, passwords, NOW)
        assert signed_in is not None
        accounts.sign_out(db, signed_in.token, NOW)
        accounts.sign_out(db, "no such token", NOW)
        assert accounts.staff_of(db, signed_in.token, NOW) is None


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"id": "L"}, "id"),
        ({"id": "林"}, "id"),
        ({"id": "a" * 33}, "id"),
        ({"name": "  "}, "name"),
        ({"role": Role.DEPARTMENT}, "department"),
        ({"password": "short"}, "password"),
        ({"password": "aaaaaaaaaaaa"}, "password"),
        ({"id": "wang", "password": "wang-wang-12"}, "password"),
    ],
)
def test_what_cannot_be_an_account_is_refused(
    desk: Database, passwords: Passwords, changes: dict[str, object], where: str
) -> None:
    new = replace(new_account("wang2"), **changes)  # type: ignore[arg-type]
    with desk.session() as db, pytest.raises(InvalidInput) as refused:
        accounts.create_account(db, new, passwords, "cli", NOW)
    assert refused.value.where == where


def test_a_name_is_given_once(desk: Database, passwords: Passwords) -> None:
    with desk.session() as db, pytest.raises(Conflict):
        accounts.create_account(db, new_account(), passwords, "cli", NOW)


def test_an_unknown_account_is_named(desk: Database) -> None:
    with desk.session() as db, pytest.raises(NotFound, match="zhou"):
        accounts.account(db, "zhou")
