"""The hit test shows what the bot says: the same clauses, the same words, and it files nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from service.staff.access import CSRF_HEADER
from tests.console.conftest import TODAY
from tests.server import Server
from tests.service.staff.conftest import PASSWORD

QUESTIONS = (
    "首次认定国家高新技术企业在福田能拿多少钱",
    "国高认定要什么材料",
    "国高奖励怎么申报",
    "科技孵化贷贴息有什么条件",
    "福田有哪些人才补贴",
    "南山区的国高奖励是多少",
    "知识产权质押融资贴息的咨询电话是多少，那材料呢",
    "企业食堂补贴多少钱",
    "上海的落户补贴是多少",
    "补贴",
    "今天天气怎么样",
    "你好",
    "Ｒ＆Ｄ投入支持給多少錢",
)
_DISCLOSURE = "您好，我是企服机器人小福。\n"


@pytest.fixture(scope="module")
def desk(product: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=product.url, timeout=30) as client:
        signed_in = client.post(
            "/console/sign-in", data={"login": "u-centre", "password": PASSWORD}
        )
        assert signed_in.status_code == 303
        client.headers[CSRF_HEADER] = client.get("/api/staff/me").json()["csrf"]
        yield client


def tried(desk: httpx.Client, text: str, **more: str) -> dict[str, Any]:
    answer = desk.post("/api/staff/catalogue/hit-test", json={"text": text, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def cited(replies: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [
        (card["policy_id"], card["clause"], card["quote"])
        for reply in replies
        for card in reply["citations"]
    ]


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_same_clauses_and_words_as_in_the_chat(desk: httpx.Client, question: str) -> None:
    found = tried(desk, question)
    chat = desk.post("/api/chat", json={"text": question}).json()["replies"]
    assert cited(found["replies"]) == cited(chat)
    assert [reply["kind"] for reply in found["replies"]] == [reply["kind"] for reply in chat]
    said = [(a["text"], b["text"]) for a, b in zip(found["replies"], chat, strict=True)]
    assert all(a == b for (a, b), each in zip(said, chat, strict=True) if each["kind"] != "appeal")
    policies = {policy for policy, _, _ in cited(chat)}
    assert {clause.split("#")[0] for clause in found["cited"]} == policies
    if policies and found["decision"] == "answer":
        ranked = [each["policy_id"] for part in found["parts"] for each in part["ranking"]]
        assert policies <= set(ranked)


def test_trying_stores_nothing_and_files_nothing(desk: httpx.Client) -> None:
    before = desk.get("/api/staff/dashboard", params={"days": 7}).json()
    found = tried(desk, "企业食堂补贴多少钱")
    assert found["decision"] == "refuse"
    assert [reply["appeal"]["no"] for reply in found["replies"] if reply["appeal"]] == [
        "（试问，未登记）"
    ]
    after = desk.get("/api/staff/dashboard", params={"days": 7}).json()
    assert (after["messages"], after["appeals"]["filed"]) == (
        before["messages"],
        before["appeals"]["filed"],
    )


def test_what_would_be_done_for_the_person_is_not_done(desk: httpx.Client) -> None:
    found = tried(desk, "我要找人工客服")
    assert found["decision"] == "other"
    assert found["problem"] or found["replies"]


def test_the_day_decides_on_validity(desk: httpx.Client) -> None:
    question = "首次认定国家高新技术企业在福田能拿多少钱"
    days = (TODAY, "2021-06-01")
    stamps = [
        {c["status"] for r in tried(desk, question, as_of=day)["replies"] for c in r["citations"]}
        for day in days
    ]
    assert stamps[0] == {"expired"}
    assert all(stamps)


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": "问" * 2001}, {"text": "问", "as_of": "昨天"}]
)
def test_what_cannot_be_tried_is_refused(desk: httpx.Client, body: dict[str, str]) -> None:
    assert desk.post("/api/staff/catalogue/hit-test", json=body).status_code == 422
