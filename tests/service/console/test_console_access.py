"""Endpoints behind the pages: what they answer, and what looking leaves behind."""

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
from service.staff.accounts import Passwords
from service.staff.permissions import Role
from service.staff.routes import staff_router
from tests.knowledge.roster.companies import code_of, name_of
from tests.service.fakes import EchoBot, sorry
from tests.service.staff.conftest import new_account, passwords
from tests.service.staff.test_access import sign_in

__all__ = ["passwords"]
CODE = code_of(1)


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
