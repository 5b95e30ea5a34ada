"""The application as a whole: state pages, headers, errors, logs."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from service.app import FreshFiles, create_app
from service.db import Database
from service.errors import NotFound
from service.settings import Settings
from tests.service.conftest import StartApp
from tests.service.fakes import EchoBot, sorry

broken = APIRouter()


@broken.get("/broken")
def break_down() -> None:
    raise ZeroDivisionError("电话13800138000")


@broken.get("/missing")
def miss() -> None:
    raise NotFound("没有这个诉求。", "no")


@pytest.fixture
def broken_client(settings: Settings, sqlite_database: Database) -> Iterator[TestClient]:
    app = create_app(settings, sqlite_database, EchoBot(), sorry, routers=[broken])
    with TestClient(app, raise_server_exceptions=True) as client:
        yield client


def test_a_running_service_is_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")


def test_a_service_whose_part_is_missing_says_which(
    settings: Settings, sqlite_database: Database
) -> None:
    checks = {"bot": lambda: "the model is being trained", "index": lambda: None}
    app = create_app(settings, sqlite_database, EchoBot(), sorry, ready_checks=checks)
    with TestClient(app) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == {"bot": "the model is being trained"}


def test_a_ready_service_says_what_it_serves(settings: Settings, sqlite_database: Database) -> None:
    notes = {"catalogue": lambda: {"version": "ab12", "policies": 149}}
    app = create_app(settings, sqlite_database, EchoBot(), sorry, ready_notes=notes)
    with TestClient(app) as client:
        assert client.get("/readyz").json() == {
            "status": "ready",
            "reasons": {},
            "serving": {"catalogue": {"version": "ab12", "policies": 149}},
        }


def test_a_service_that_has_not_started_is_not_ready(
    settings: Settings, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = TestClient(create_app(settings, sqlite_database, EchoBot(), sorry))
    monkeypatch.setattr(sqlite_database, "is_reachable", lambda: False)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert set(answer.json()["reasons"]) == {"database", "worker"}
    client.close()


def test_an_unreachable_database_is_noticed(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'q.db'}")
    assert database.is_reachable()
    database.close()
    (tmp_path / "q.db").unlink()
    (tmp_path / "q.db").mkdir()
    assert not database.is_reachable()
    database.close()


def test_the_contract_is_described_without_foreign_scripts(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/api/chat", "/api/chat/stream", "/api/chat/history", "/healthz"} <= set(paths)
    page = client.get("/docs").text
    assert "/api/chat/stream" in page
    assert not re.search(r"<script|//|src=", page)


def test_pages_and_scripts_are_served(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for link in re.findall(r'(?:href|src)="(static/[^"]+)"', page.text):
        assert client.get(f"/{link}").status_code == 200
    assert "javascript" in client.get("/widget.js").headers["content-type"]


@pytest.mark.parametrize("path", ["/", "/widget.js", "/static/chat.js", "/static/chat.css"])
def test_a_new_version_of_the_page_is_taken_at_once(client: TestClient, path: str) -> None:
    first = client.get(path)
    assert first.headers["cache-control"] == "no-cache"
    known = {"if-none-match": first.headers["etag"]}
    again = client.get(path, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "no-cache"
    changed = client.get(path, headers={"if-none-match": '"of an earlier version"'})
    assert (changed.status_code, changed.content) == (200, first.content)


def test_a_page_that_changed_on_disk_has_another_name(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text("old", encoding="utf-8")
    app = FastAPI()
    app.mount("/", FreshFiles(directory=tmp_path))
    with TestClient(app) as client:
        before = client.get("/index.html")
        page.write_text("newer", encoding="utf-8")
        after = client.get("/index.html", headers={"if-none-match": before.headers["etag"]})
    assert (after.status_code, after.text) == (200, "newer")


@pytest.mark.parametrize(
    ("path", "ancestors"),
    [
        ("/", "'none'"),
        ("/?embed=1", "*"),
        ("/docs", "'none'"),
        ("/api/chat/stream?embed=1", "'none'"),
    ],
)
def test_only_the_widget_may_be_framed(client: TestClient, path: str, ancestors: str) -> None:
    with client.stream("HEAD" if "stream" in path else "GET", path) as response:
        policy = response.headers["content-security-policy"]
        assert policy.endswith(f"frame-ancestors {ancestors}")
        assert policy.startswith("default-src 'self';")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "same-origin"


def test_other_origins_are_let_in_by_name_only(start_app: StartApp) -> None:
    origin = {"origin": "https://gov.example"}
    closed = start_app().get("/healthz", headers=origin)
    assert "access-control-allow-origin" not in closed.headers
    opened = start_app(allowed_origins=("https://gov.example",))
    allowed = opened.get("/healthz", headers=origin).headers
    assert allowed["access-control-allow-origin"] == "https://gov.example"
    other = opened.get("/healthz", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
    framed = opened.get("/?embed=1").headers["content-security-policy"]
    assert framed.endswith("frame-ancestors 'self' https://gov.example")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/api/chat", 405, "method_not_allowed"),
        ("GET", "/static/../settings.py", 404, "not_found"),
        ("GET", "/static/%2e%2e/%2e%2e/settings.py", 404, "not_found"),
        ("GET", "/missing", 404, "not_found"),
        ("GET", "/broken", 500, "internal"),
    ],
)
def test_every_error_has_one_shape(
    broken_client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    response = broken_client.request(method, path)
    assert response.status_code == status
    error = response.json()["error"]
    assert (set(error), error["code"]) == ({"code", "message", "where"}, code)
    assert not error["message"].isascii()
    assert "ZeroDivision" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"


def test_each_request_and_turn_has_one_line_without_its_text(client: TestClient) -> None:
    with capture_logs() as lines:
        body = client.post("/api/chat", json={"text": "机密内容"}).json()
        deadline = time.monotonic() + 5
        while len(lines) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)  # the turn's line is written after its answer is handed over
    by_event = {line["event"]: line for line in lines}
    assert sorted(line["event"] for line in lines) == ["request", "turn"]
    assert by_event["request"]["status"] == 200
    assert by_event["request"]["message_id"] == by_event["turn"]["message_id"] == body["message_id"]
    assert by_event["turn"]["by"] == "bot"
    assert by_event["turn"]["ms"] >= 0
    said = json.dumps(lines, ensure_ascii=False)
    assert "机密" not in said
    assert body["session"] not in said


def test_a_failure_is_one_line_and_names_its_code(client: TestClient) -> None:
    with capture_logs() as lines:
        client.post("/api/chat", json={"text": ""})
        client.get("/api/chat/history", params={"session": "web-a.b.c"})
    assert [(line["status"], line["error"], line["where"]) for line in lines] == [
        (422, "invalid_input", "text"),
        (401, "unknown_session", "session"),
    ]
    assert "web-a.b.c" not in repr(lines)


def test_a_request_is_named_in_its_answer_and_its_line(client: TestClient) -> None:
    structlog.contextvars.clear_contextvars()
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        response = client.get("/nowhere")
    assert lines[0]["request_id"] == response.headers["x-request-id"]
