"""Who may do what: every endpoint and page of the real product in one table; one that is missing there fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bot.runtime import BotRuntime
from knowledge.encoder import Encoder
from knowledge.live import Live
from service.app import create_app
from service.appeals.departments import load_departments
from service.appeals.dispatch import Dispatcher
from service.assembly import routers_of
from service.console.mount import register_pages
from service.console.registry import PAGES
from service.console.sign_in import sign_in_router
from service.conversations.stream import Hub
from service.db import Database, utc_now
from service.rooms import build_rooms, console_parts
from service.settings import Settings
from service.staff import accounts
from service.staff.access import COOKIE, CSRF_HEADER
from service.staff.accounts import Passwords
from service.staff.permissions import GRANTS, Permission, Role
from tests.service.fakes import EchoBot, sorry
from tests.service.staff.conftest import PASSWORD, new_account, passwords

__all__ = ["passwords"]
PUBLIC: frozenset[Role] = frozenset()
ALL = frozenset(Role)
C, D, Z, A = Role.COMMISSIONER, Role.DEPARTMENT, Role.CENTRE, Role.ADMIN
DESK, CASES, CENTRE, ADMIN = frozenset({C, Z}), frozenset({C, D, Z}), frozenset({Z}), frozenset({A})
TEXTS, AUDIT = frozenset({C, Z, A}), frozenset({Z, A})

ROUTES: Mapping[str, frozenset[Role]] = {
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    "POST /api/chat": PUBLIC,
    "GET /api/chat/history": PUBLIC,
    "GET /api/chat/stream": PUBLIC,
    "GET /api/appeals/{no}": PUBLIC,
    "POST /api/appeals/{no}/reaction": PUBLIC,
    "POST /api/match": PUBLIC,
    "GET /api/staff/me": ALL,
    "GET /api/staff/accounts": ADMIN,
    "POST /api/staff/accounts": ADMIN,
    "PUT /api/staff/accounts/{account_id}/active": ADMIN,
    "PUT /api/staff/accounts/{account_id}/password": ADMIN,
    "GET /api/staff/office": ADMIN,
    "PUT /api/staff/office/{key}": ADMIN,
    "GET /api/staff/canned": TEXTS,
    "POST /api/staff/canned": TEXTS,
    "PUT /api/staff/canned/{canned_id}": TEXTS,
    "DELETE /api/staff/canned/{canned_id}": TEXTS,
    "GET /api/staff/audit": AUDIT,
    "GET /api/staff/appeals": CASES,
    "GET /api/staff/appeals/choices": CASES,
    "GET /api/staff/appeals/counts": CASES,
    "GET /api/staff/appeals/{no}": CASES,
    "POST /api/staff/appeals/dispatch": CENTRE,
    "POST /api/staff/appeals/{no}/accept": CASES,
    "POST /api/staff/appeals/{no}/answer": CASES,
    "POST /api/staff/appeals/{no}/settle": CASES,
    "POST /api/staff/appeals/{no}/explain": CASES,
    "POST /api/staff/appeals/{no}/send-back": CASES,
    "POST /api/staff/appeals/{no}/escalate": CASES,
    "POST /api/staff/appeals/{no}/pause": CASES,
    "POST /api/staff/appeals/{no}/resume": CASES,
    "POST /api/staff/appeals/{no}/ask-extension": CASES,
    "POST /api/staff/appeals/{no}/close": CASES,
    "POST /api/staff/appeals/{no}/reopen": CASES,
    "POST /api/staff/appeals/{no}/note": CASES,
    "POST /api/staff/appeals/{no}/rate": CASES,
    "POST /api/staff/appeals/{no}/dispatch": CENTRE,
    "POST /api/staff/appeals/{no}/arbitrate": CENTRE,
    "POST /api/staff/appeals/{no}/common": CENTRE,
    "POST /api/staff/appeals/{no}/extend": CENTRE,
    "POST /api/staff/appeals/{no}/refuse": CENTRE,
    "GET /api/staff/conversations": DESK,
    "POST /api/staff/conversations/presence": DESK,
    "GET /api/staff/conversations/{conversation_id}": DESK,
    "GET /api/staff/conversations/{conversation_id}/context": DESK,
    "POST /api/staff/conversations/{conversation_id}/claim": DESK,
    "POST /api/staff/conversations/{conversation_id}/release": DESK,
    "POST /api/staff/conversations/{conversation_id}/close": DESK,
    "POST /api/staff/conversations/{conversation_id}/transfer": DESK,
    "POST /api/staff/conversations/{conversation_id}/send": DESK,
    "POST /api/staff/conversations/{conversation_id}/note": DESK,
    "POST /api/staff/conversations/{conversation_id}/read": DESK,
    "POST /api/staff/conversations/{conversation_id}/draft": DESK,
    "GET /api/staff/common-issues": CENTRE,
    "GET /api/staff/common-issues/export.xlsx": CENTRE,
    "POST /api/staff/common-issues/group": CENTRE,
    "GET /api/staff/common-issues/{no}": CENTRE,
    "POST /api/staff/common-issues/{no}/confirm": CENTRE,
    "POST /api/staff/common-issues/{no}/dismiss": CENTRE,
    "POST /api/staff/common-issues/{no}/members": CENTRE,
    "DELETE /api/staff/common-issues/{no}/members/{appeal_no}": CENTRE,
    "POST /api/staff/common-issues/{no}/answer": CENTRE,
    "GET /api/staff/debt": CASES,
    "POST /api/staff/debt/join": CASES,
    "GET /api/staff/debt/{debt_id}": CASES,
    "POST /api/staff/debt/{debt_id}/owner": CASES,
    "POST /api/staff/debt/{debt_id}/close": CASES,
    "GET /api/staff/faq": CASES,
    "POST /api/staff/faq": CASES,
    "POST /api/staff/faq/{answer_id}/approve": CENTRE,
    "POST /api/staff/faq/{answer_id}/suspend": CENTRE,
    "GET /api/staff/catalogue": ALL,
    "POST /api/staff/catalogue/hit-test": ALL,
    "GET /api/staff/catalogue/{policy_id}": ALL,
    "GET /api/staff/enterprises": DESK,
    "GET /api/staff/enterprises/{credit_code}": DESK,
    "GET /api/staff/enterprises/{credit_code}/matches": DESK,
    "POST /api/staff/enterprises/{credit_code}/speakers": DESK,
    "DELETE /api/staff/enterprises/{credit_code}/speakers/{session}": DESK,
    "GET /api/staff/dashboard": ALL,
}
CONSOLE_PAGES: Mapping[str, frozenset[Role]] = {
    "/inbox": DESK,
    "/appeals": CASES,
    "/appeals/{no}": CASES,
    "/common-issues": CENTRE,
    "/debt": CASES,
    "/faq": CASES,
    "/catalogue": ALL,
    "/catalogue/{policy_id}": ALL,
    "/hit-test": ALL,
    "/enterprises": DESK,
    "/enterprises/{credit_code}": DESK,
    "/dashboard": ALL,
    "/audit": AUDIT,
    "/settings": TEXTS,
}
STAFF = {route: roles for route, roles in ROUTES.items() if roles}
UNSAFE = {route: roles for route, roles in STAFF.items() if not route.startswith("GET ")}
# Nothing of these exists, so that no request changes anything; numbers where the path takes one.
_NAMED = {"canned_id": "1", "debt_id": "1", "answer_id": "1"}


class _Names(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "none"


@pytest.fixture(scope="module")
def dispatcher(encoder: Encoder) -> Dispatcher:
    return Dispatcher(load_departments(), encoder)


@pytest.fixture
def app(
    settings: Settings, sqlite_database: Database, live: Live, encoder: Encoder,
    dispatcher: Dispatcher, passwords: Passwords,
) -> Iterator[FastAPI]:  # fmt: skip
    """Every room of the product as it is assembled, with a bot that needs no training."""
    with sqlite_database.session() as db:
        for role in Role:
            accounts.create_account(db, new_account(f"u-{role}", role), passwords, "cli", utc_now())
    departments, bot = load_departments(), EchoBot()
    rooms = build_rooms(settings, sqlite_database, live, dispatcher, encoder, departments)
    untrained: BotRuntime = bot  # type: ignore[assignment]
    parts = console_parts(settings, sqlite_database, live, rooms, untrained, Hub())
    routers = [*routers_of(parts, rooms, departments), sign_in_router()]
    yield create_app(settings, sqlite_database, bot, sorry, routers=routers)
    rooms.stop_notices()


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, follow_redirects=False) as client:
        yield client


def sign_in(client: TestClient, role: Role) -> str:
    """Signs in by the page's own form; the CSRF token."""
    answer = client.post("/console/sign-in", data={"login": f"u-{role}", "password": PASSWORD})
    assert answer.status_code == 303
    return str(client.get("/api/staff/me").json()["csrf"])


def called(client: TestClient, route: str, headers: Mapping[str, str]) -> int:
    method, path = route.split(" ")
    url = path.format_map(_Names(_NAMED))
    return client.request(method, url, headers=dict(headers), json={}).status_code


def test_the_table_names_every_endpoint_and_no_other(app: FastAPI) -> None:
    found = {
        f"{method.upper()} {path}"
        for path, operations in app.openapi()["paths"].items()
        for method in operations
    }
    assert found == set(ROUTES)


def test_the_table_names_every_page_with_its_roles() -> None:
    register_pages()
    granted = {
        page.path: frozenset(role for role in Role if page.permission in GRANTS[role])
        for page in PAGES
    }
    assert granted == CONSOLE_PAGES


def test_every_permission_is_somebodys() -> None:
    assert frozenset().union(*GRANTS.values()) == frozenset(Permission)


@pytest.mark.parametrize("role", list(Role))
def test_each_role_gets_in_where_it_may_and_nowhere_else(client: TestClient, role: Role) -> None:
    headers = {CSRF_HEADER: sign_in(client, role)}
    for route, roles in STAFF.items():
        status = called(client, route, headers)
        assert (status == 403) == (role not in roles), (route, status)
        assert status != 401, route
        assert status < 500, route


def test_nobody_gets_in_unsigned(client: TestClient) -> None:
    for route in STAFF:
        for cookie in ("", f"{COOKIE}=forged", f"{COOKIE}={'x' * 5000}"):
            assert called(client, route, {"cookie": cookie}) == 401, route


@pytest.mark.parametrize("role", list(Role))
def test_no_change_without_the_token_of_the_page(client: TestClient, role: Role) -> None:
    csrf = sign_in(client, role)
    for route in UNSAFE:
        for headers in ({}, {CSRF_HEADER: "forged"}, {CSRF_HEADER: csrf[:-1]}):
            assert called(client, route, headers) == 403, route


def test_only_what_visitors_use_needs_no_account() -> None:
    public = set(ROUTES) - set(STAFF)
    assert public == {route for route in ROUTES if "/api/staff" not in route}
    assert len(public) == 8
