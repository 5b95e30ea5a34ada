"""Endpoints behind the pages: only for the roles that may, and what they answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.app import create_app
from service.console.parts import ConsoleParts
from service.console.routes import console_router
from service.console.sign_in import sign_in_router
from service.db import Database, utc_now
from service.enterprises.operations import EnterpriseFacts, upsert_enterprise
from service.settings import Settings
from service.staff import accounts, audit
from service.staff.access import COOKIE, CSRF_HEADER
from service.staff.accounts import Passwords
from service.staff.permissions import Role
from service.staff.routes import staff_router
from tests.knowledge.roster.companies import code_of, name_of
from tests.service.fakes import EchoBot, sorry
from tests.service.staff.conftest import new_account, passwords
from tests.service.staff.test_access import ALLOWED as OF_STAFF
from tests.service.staff.test_access import ANYONE, routes_of, sign_in

__all__ = ["passwords"]
CODE = code_of(1)
ALL = set(Role)
OFFICE = {Role.COMMISSIONER, Role.CENTRE}
# Every endpoint of the room and who may use it; a new one must be added here.
ALLOWED = {
    ("GET", "/api/staff/catalogue"): ALL,
    ("POST", "/api/staff/catalogue/hit-test"): ALL,
    ("GET", "/api/staff/catalogue/{policy_id}"): ALL,
    ("GET", "/api/staff/enterprises"): OFFICE,
    ("GET", "/api/staff/enterprises/{credit_code}"): OFFICE,
    ("GET", "/api/staff/enterprises/{credit_code}/matches"): OFFICE,
    ("POST", "/api/staff/enterprises/{credit_code}/speakers"): OFFICE,
    ("DELETE", "/api/staff/enterprises/{credit_code}/speakers/{session}"): OFFICE,
    ("GET", "/api/staff/dashboard"): ALL,
}


@pytest.fixture
def app(settings: Settings, parts: ConsoleParts, passwords: Passwords) -> FastAPI:
    with parts.database.session() as db:
        for role in Role:
            accounts.create_account(db, new_account(f"u-{role}", role), passwords, "cli", utc_now())
        upsert_enterprise(db, EnterpriseFacts(CODE, name_of(1), "福田区", ("老王家",)))
    routers = [staff_router(), sign_in_router(), console_router(parts)]
    return create_app(settings, parts.database, EchoBot(), sorry, routers=routers)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, follow_redirects=False) as client:
        yield client


def url_of(path: str) -> str:
    return path.format(policy_id="FT-001", credit_code=CODE, session="web-none")


def test_the_tables_name_every_endpoint(app: FastAPI) -> None:
    assert routes_of(app) == set(ALLOWED) | set(OF_STAFF) | ANYONE


@pytest.mark.parametrize("role", list(Role))
def test_each_role_gets_in_where_it_may_and_nowhere_else(client: TestClient, role: Role) -> None:
    csrf = sign_in(client, role)
    for (method, path), roles in ALLOWED.items():
        answer = client.request(
            method, url_of(path), headers={CSRF_HEADER: csrf}, json={"text": "国高补贴"}
        )
        assert (answer.status_code == 403) == (role not in roles), (method, path, answer.text)
        assert answer.status_code < 500


@pytest.mark.parametrize(("method", "path"), sorted(ALLOWED))
def test_nobody_gets_in_unsigned(client: TestClient, method: str, path: str) -> None:
    for cookie in ("", f"{COOKIE}=forged"):
        answer = client.request(method, url_of(path), json={}, headers={"cookie": cookie})
        assert answer.status_code == 401


def test_a_question_is_tried_only_from_our_own_page(client: TestClient) -> None:
    sign_in(client, Role.CENTRE)
    answer = client.post("/api/staff/catalogue/hit-test", json={"text": "国高补贴"})
    assert answer.status_code == 403


def test_opening_an_enterprise_is_recorded_with_its_purpose(
    client: TestClient, sqlite_database: Database
) -> None:
    sign_in(client, Role.COMMISSIONER)
    shown = client.get(f"/api/staff/enterprises/{CODE}", params={"purpose": "走访服务"}).json()
    assert shown["name"] == name_of(1)
    assert shown["looks"][0]["purpose"] == "走访服务"
    client.get(f"/api/staff/enterprises/{CODE}/matches")
    with sqlite_database.reading() as db:
        wanted = audit.AuditFilter(subject=("enterprise", CODE))
        seen = [(each.action, each.staff_id, each.purpose) for each in audit.entries(db, wanted)]
    who = "u-commissioner"
    assert seen == [("enterprise_opened", who, "匹配政策"), ("enterprise_opened", who, "走访服务")]


def test_a_refused_look_is_not_recorded_and_shows_nothing(
    client: TestClient, sqlite_database: Database
) -> None:
    sign_in(client, Role.DEPARTMENT)
    answer = client.get(f"/api/staff/enterprises/{CODE}")
    assert answer.status_code == 403
    assert name_of(1) not in answer.text
    with sqlite_database.reading() as db:
        assert not audit.entries(db, audit.AuditFilter(subject=("enterprise", CODE)))


@pytest.mark.parametrize("code", [code_of(7), "91440300", "x" * 300])
def test_an_enterprise_that_is_not_on_file(client: TestClient, code: str) -> None:
    sign_in(client, Role.CENTRE)
    assert client.get(f"/api/staff/enterprises/{code}").status_code in {404, 422}


@pytest.mark.parametrize("days", ["8", "0", "-1", "many"])
def test_the_dashboard_knows_three_ranges(client: TestClient, days: str) -> None:
    sign_in(client, Role.ADMIN)
    assert client.get("/api/staff/dashboard", params={"days": days}).status_code == 422
    shown = client.get("/api/staff/dashboard", params={"days": "90"}).json()
    assert len(shown["days"]) == 90
    assert shown["refused_questions"] is None  # an administrator reads no questions
