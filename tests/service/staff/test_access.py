"""Signing in and out, and changes only from our own page; who may do what is in tests/service/test_roles.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.app import create_app
from service.console.sign_in import sign_in_router
from service.db import Database, utc_now
from service.settings import Settings
from service.staff import accounts
from service.staff.access import COOKIE, CSRF_HEADER
from service.staff.accounts import Passwords
from service.staff.permissions import Role
from service.staff.routes import staff_router
from tests.service.fakes import EchoBot, sorry
from tests.service.staff.conftest import PASSWORD, new_account


@pytest.fixture
def app(settings: Settings, sqlite_database: Database, passwords: Passwords) -> FastAPI:
    with sqlite_database.session() as db:
        for role in Role:
            new = new_account(f"u-{role}", role)
            accounts.create_account(db, new, passwords, "cli", utc_now())
    routers = [staff_router(), sign_in_router()]
    return create_app(settings, sqlite_database, EchoBot(), sorry, routers=routers)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, follow_redirects=False) as client:
        yield client


def sign_in(client: TestClient, role: Role) -> str:
    """Signs in by the page's own form; the CSRF token."""
    answer = client.post("/console/sign-in", data={"login": f"u-{role}", "password": PASSWORD})
    assert answer.status_code == 303
    return str(client.get("/api/staff/me").json()["csrf"])


def test_a_change_needs_the_token_of_the_page(client: TestClient) -> None:
    csrf = sign_in(client, Role.ADMIN)
    change = {"value": 7}
    for headers in ({}, {CSRF_HEADER: "forged"}, {CSRF_HEADER: csrf[:-1]}):
        answer = client.put("/api/staff/office/person_wait_minutes", json=change, headers=headers)
        assert answer.status_code == 403
    answer = client.put(
        "/api/staff/office/person_wait_minutes", json=change, headers={CSRF_HEADER: csrf}
    )
    assert answer.json()["person_wait_minutes"] == 7


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: TestClient) -> None:
    answer = client.post(
        "/console/sign-in",
        data={"login": "u-admin", "password": PASSWORD, "wanted": "//evil.example"},
    )
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert answer.headers["location"] == "/console"


def test_a_form_of_another_site_signs_nobody_in(client: TestClient) -> None:
    answer = client.post(
        "/console/sign-in",
        data={"login": "u-admin", "password": PASSWORD},
        headers={"origin": "https://evil.example"},
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_signing_out_ends_it_everywhere(client: TestClient) -> None:
    csrf = sign_in(client, Role.CENTRE)
    assert client.post("/console/sign-out", data={"csrf": "forged"}).status_code == 403
    token = client.cookies[COOKIE]
    assert client.post("/console/sign-out", data={"csrf": csrf}).status_code == 303
    answer = client.get("/api/staff/me", headers={"cookie": f"{COOKIE}={token}"})
    assert answer.status_code == 401


def test_a_wrong_password_is_answered_on_the_page(client: TestClient) -> None:
    answer = client.post("/console/sign-in", data={"login": '"><script>', "password": "wrong"})
    assert answer.status_code == 401
    assert "用户名或密码不正确" in answer.text
    assert "<script>" not in answer.text


def test_the_weak_spots_of_an_account_are_not_shown(client: TestClient) -> None:
    sign_in(client, Role.ADMIN)
    listed = client.get("/api/staff/accounts").text
    assert "hash" not in listed
    assert "argon2" not in listed
