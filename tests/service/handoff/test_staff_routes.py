"""The desk's JSON interface, from the visitor's first word to the bot's return."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from actions.replies import CitationCard
from knowledge.answer import Answerer
from service.app import create_app
from service.db import Database
from service.errors import ServiceError
from service.handoff.feed import StaffFeed
from service.handoff.models import Draft
from service.handoff.staff_routes import DeskParts, handoff_staff_router
from service.settings import Settings
from service.staff.permissions import Permission, Role, Staff
from tests.service.fakes import EchoBot, sorry
from tests.service.handoff.conftest import LI, WANG

PEOPLE = {
    "li": LI,
    "wang": WANG,
    "dept": Staff("dept", "部门", Role.DEPARTMENT),
    "admin": Staff("admin", "管理员", Role.ADMIN),
}
Ask = Callable[..., Any]


class Refused(ServiceError):
    status = 403
    code = "forbidden"


def require(permission: Permission) -> Callable[..., Staff]:
    """Signs in whoever the header names, as the staff room's dependency does by cookie."""

    def staff_of(request: Request) -> Staff:
        staff = PEOPLE[request.headers["x-staff"]]
        if not staff.may(permission):
            raise Refused("您没有权限。")
        return staff

    return staff_of


@pytest.fixture
def client(
    settings: Settings, sqlite_database: Database, answerer: Answerer
) -> Iterator[TestClient]:
    def colleague(_db: Session, staff_id: str) -> Staff | None:
        return PEOPLE.get(staff_id)

    parts = DeskParts(
        colleague, lambda: answerer, lambda: date(2026, 11, 23), lambda _db, text: [text]
    )
    app = create_app(
        settings,
        sqlite_database,
        EchoBot(),
        sorry,
        routers=[handoff_staff_router(require, parts)],
        companions=[StaffFeed(sqlite_database)],
    )
    with TestClient(app, client=("127.0.0.1", 50000)) as client:
        yield client


class Desk:
    """Calls the interface as a member of staff."""

    def __init__(self, client: TestClient, name: str) -> None:
        self._client = client
        self._headers = {"x-staff": name}

    def get(self, path: str = "", **params: Any) -> Any:
        return self._client.get(
            f"/api/staff/conversations{path}", headers=self._headers, params=params
        )

    def post(self, path: str, **body: Any) -> Any:
        return self._client.post(
            f"/api/staff/conversations{path}", headers=self._headers, json=body
        )


def say(client: TestClient, text: str, session: str | None = None) -> Any:
    return client.post("/api/chat", json={"session": session, "text": text}).json()


def only_id(desk: Desk) -> str:
    (row,) = desk.get().json()["rows"]
    return str(row["conversation_id"])


def test_a_conversation_changes_hands_and_comes_back(client: TestClient) -> None:
    li, wang = Desk(client, "li"), Desk(client, "wang")
    session = say(client, "你好")["session"]
    name = only_id(li)
    taken = li.post(f"/{name}/claim").json()
    assert (taken["owner"], taken["owner_name"]) == ("person", "李敏")
    assert taken["line"]["kind"] == "handoff"
    lost = wang.post(f"/{name}/claim")
    assert lost.status_code == 409
    assert lost.json()["error"]["code"] == "owned_by_another"
    assert "李敏" in lost.json()["error"]["message"]
    answer = say(client, "有人吗", session)
    assert (answer["owner"], answer["replies"]) == ("person", [])
    sent = li.post(f"/{name}/send", text="我在", client_id="c1").json()
    assert (sent["reply"]["author"], sent["reply"]["name"]) == ("person", "李敏")
    assert li.post(f"/{name}/send", text="我在", client_id="c1").json()["is_new"] is False
    assert wang.post(f"/{name}/send", text="我也在", client_id="c2").status_code == 409
    assert li.post(f"/{name}/transfer", to="dept").status_code == 404
    assert li.post(f"/{name}/transfer", to="wang").json()["owner_name"] == "王强"
    assert wang.post(f"/{name}/note", text="已电话沟通", client_id="n1").status_code == 200
    assert wang.post(f"/{name}/release").json()["owner"] == "bot"
    assert say(client, "再问", session)["replies"][0]["text"] == "1:再问"
    assert li.post(f"/{name}/close").json()["owner"] == "closed"
    history = client.get("/api/chat/history", params={"session": session}).text
    assert "我在" in history and "已电话沟通" not in history
    kinds = [line["kind"] for line in li.get(f"/{name}").json()["lines"]]
    assert kinds.count("note") == 1


def test_unread_is_counted_and_read(client: TestClient) -> None:
    li = Desk(client, "li")
    say(client, "你好")
    name = only_id(li)
    assert li.get().json()["rows"][0]["unread"] == 1
    assert li.post(f"/{name}/read", seq=-1).status_code == 422
    assert li.post(f"/{name}/read").status_code == 200
    assert li.get().json()["rows"][0]["unread"] == 0


def test_a_draft_is_of_the_bots_own_clauses_and_only_sent_when_sent(
    client: TestClient, sqlite_database: Database, answerer: Answerer
) -> None:
    li = Desk(client, "li")
    question = "首次认定国家高新技术企业在福田能拿多少钱"
    session = say(client, question)["session"]
    name = only_id(li)
    li.post(f"/{name}/claim")
    before = client.get("/api/chat/history", params={"session": session}).json()
    draft = li.post(f"/{name}/draft").json()
    expected = answerer.answer(question, date(2026, 11, 23))
    assert draft["text"] == expected.text
    assert [card["clause"] for card in draft["citations"]] == [
        each.clause.label for each in expected.citations
    ]
    assert question in draft["why"]
    assert client.get("/api/chat/history", params={"session": session}).json() == before
    text = draft["text"] + "！！"
    sent = li.post(f"/{name}/send", text=text, client_id="c1", draft_id=draft["id"]).json()
    assert [CitationCard.model_validate(card) for card in sent["reply"]["citations"]]
    with sqlite_database.reading() as db:
        kept = db.get(Draft, draft["id"])
        assert kept is not None
        assert (kept.sent_as, kept.distance) == (sent["reply"]["id"], 2)
    other = li.post(f"/{name}/send", text="x", client_id="c2", draft_id="unknown")
    assert other.status_code == 404


def test_a_question_without_an_answer_gets_a_draft_that_says_so(client: TestClient) -> None:
    li = Desk(client, "li")
    say(client, "今天晚饭吃什么")
    draft = li.post(f"/{only_id(li)}/draft").json()
    assert (draft["text"], draft["citations"]) == ("", [])
    assert "没有能回答" in draft["why"]


def test_presence_and_search(client: TestClient) -> None:
    li = Desk(client, "li")
    say(client, "园区停电了怎么办")
    assert li.post("/presence", is_present=True).json() == {"is_present": True}
    assert len(li.get(text="停电").json()["rows"]) == 1
    assert li.get(text="没有的话").json()["rows"] == []
    assert li.get(after="nonsense").status_code == 422
    assert li.get("/nobody").status_code == 404
    assert li.get(f"/{only_id(li)}/context").json()["enterprise"] is None


@pytest.mark.parametrize("who", ["dept", "admin"])
def test_who_may_not_answer_is_refused_everywhere(client: TestClient, who: str) -> None:
    desk = Desk(client, who)
    assert desk.get().status_code == desk.get("/x").status_code == 403
    for path in ("claim", "release", "close", "transfer", "send", "note", "read", "draft"):
        assert desk.post(f"/x/{path}", to="x", text="x", client_id="x").status_code == 403, path
    assert desk.post("/presence", is_present=True).status_code == 403
