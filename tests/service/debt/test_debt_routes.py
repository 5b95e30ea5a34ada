"""The endpoints of question debt and signed answers, from a refused question to a closed debt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from knowledge.catalogue import Catalogue
from knowledge.encoder import Encoder
from knowledge.labels import read_questions
from service.app import _add_error_answers
from service.db import Database
from service.debt.clause_history import note_catalogue
from service.debt.operations import join_alike
from service.debt.routes import DebtParts, debt_router
from service.debt.serving import SignedAnswers
from service.errors import ServiceError
from service.staff.permissions import Permission, Role, Staff
from tests.service.debt.conftest import NOW, REFUSAL, TODAY, Take
from tests.service.debt.test_signed import CLAUSE, QUESTION, live_of

STAFF = {
    "zhuan": Staff("s-1", "陈敏", Role.COMMISSIONER),
    "zhong": Staff("s-2", "王强", Role.CENTRE),
    "admin": Staff("s-3", "李华", Role.ADMIN),
}


class Forbidden(ServiceError):
    status = 403


def require(permission: Permission):  # type: ignore[no-untyped-def]
    def signed(request: Request) -> Staff:
        staff = STAFF[request.headers["x-staff"]]
        if not staff.may(permission):
            raise Forbidden("没有权限。")
        return staff

    return signed


@pytest.fixture
def client(
    database: Database, two: Catalogue, encoder: Encoder, tmp_path: Path
) -> Iterator[TestClient]:
    live = live_of(two)
    parts = DebtParts(
        live=live,
        signed=SignedAnswers(database, encoder, live),
        regressions=tmp_path / "eval" / "regressions.jsonl",
        imported=dict,
        today=lambda: TODAY,
        join_alike=lambda: join_alike(database, encoder),
    )
    with database.session() as db:
        note_catalogue(db, two, NOW)
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
    app.state.database = database
    app.include_router(debt_router(require, parts))
    _add_error_answers(app)
    with TestClient(app, headers={"x-staff": "zhong"}) as client:
        yield client


def test_debt_is_paid_with_a_signed_answer(client: TestClient, take: Take, tmp_path: Path) -> None:
    message_id = take(QUESTION, REFUSAL)
    (debt,) = client.get("/api/staff/debt").json()["debts"]
    shown = client.get(f"/api/staff/debt/{debt['id']}").json()
    assert [turn["message_id"] for turn in shown["messages"]] == [message_id]
    body = {
        "question": QUESTION, "text": "约三十个工作日到账。", "clause_ids": [CLAUSE], "valid_until": "2027-06-30",
    }  # fmt: skip
    answer = client.post("/api/staff/faq", json=body, headers={"x-staff": "zhuan"}).json()
    assert answer["state"] == "draft"
    close = f"/api/staff/debt/{debt['id']}/close"
    assert client.post(close, json={"answer_id": answer["id"]}).status_code == 422
    approve = f"/api/staff/faq/{answer['id']}/approve"
    assert client.post(approve, headers={"x-staff": "zhuan"}).status_code == 403
    assert client.post(approve).json()["approver"] == "王强"
    closed = client.post(close, json={"answer_id": answer["id"]}).json()
    assert (closed["state"], closed["closure"], closed["closed_by"]) == ("closed", "faq", "s-2")
    (question,) = read_questions(tmp_path / "eval" / "regressions.jsonl")
    assert (question.text, question.policy_id) == (QUESTION, "FT-001")
    suspended = client.post(f"/api/staff/faq/{answer['id']}/suspend", json={"reason": "口径有变"})
    assert suspended.json()["state"] == "suspended"
    (listed,) = client.get("/api/staff/faq").json()["answers"]
    assert listed["suspended_because"] == "口径有变"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"answer_id": 1, "reason": "区里没有这样的项目，按实答"},
        {"policy_id": "FT-001", "reason": "区里没有这样的项目，按实答"},
        {"clause_ids": ["FT-001#amount"], "reason": "区里没有这样的项目，按实答"},
        {"reason": "太短"},
        {"other": 1},
    ],
)
def test_exactly_one_settlement_closes(
    client: TestClient, take: Take, body: dict[str, object]
) -> None:
    take("月球补贴怎么申请", REFUSAL)
    (debt,) = client.get("/api/staff/debt").json()["debts"]
    assert client.post(f"/api/staff/debt/{debt['id']}/close", json=body).status_code == 422


def test_owner_is_changed_and_alike_are_joined(client: TestClient, take: Take) -> None:
    take("我们想把厂搬到月球有补贴吗", REFUSAL)
    take("想把工厂搬到月球，有没有补贴", REFUSAL)
    assert client.post("/api/staff/debt/join").json() == {"joined": 1}
    listed = client.get("/api/staff/debt").json()
    assert (listed["total"], listed["debts"][0]["times"]) == (1, 2)
    path = f"/api/staff/debt/{listed['debts'][0]['id']}/owner"
    assert client.post(path, json={"owner": "s-9"}).json()["owner"] == "s-9"
    assert client.get("/api/staff/debt/99").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/debt"), ("GET", "/debt/1"), ("POST", "/debt/join"), ("POST", "/debt/1/owner"),
        ("POST", "/debt/1/close"), ("GET", "/faq"), ("POST", "/faq"), ("POST", "/faq/1/approve"),
        ("POST", "/faq/1/suspend"),
    ],
)  # fmt: skip
def test_who_may_not_is_refused(client: TestClient, method: str, path: str) -> None:
    bodies = {"owner": {"owner": "x"}, "close": {"reason": "x"}, "suspend": {"reason": "x"}}
    body = bodies.get(path.rsplit("/", 1)[-1])
    if (method, path) == ("POST", "/faq"):
        body = {"question": "x", "text": "x", "clause_ids": [], "valid_until": "2027-01-01"}  # type: ignore[dict-item]
    answer = client.request(method, f"/api/staff{path}", headers={"x-staff": "admin"}, json=body)
    assert answer.status_code == 403
