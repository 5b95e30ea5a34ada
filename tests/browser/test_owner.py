"""The page says who answers, offers a person at any time, and a way out of the queue."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from actions.replies import Author, Reply
from tests.browser.fake_service import FakeService
from tests.browser.pages import ChatPage


def header(chat: ChatPage) -> Locator:
    return chat.page.locator("#owner-line")


def tag(chat: ChatPage) -> Locator:
    return chat.page.locator("#owner-tag")


def bar(chat: ChatPage, title: str) -> Locator:
    return chat.page.locator(".desk-bar").get_by_role("button", name=title)


def test_a_person_can_be_asked_for_before_anything_was_said(
    chat: ChatPage, service: FakeService
) -> None:
    expect(tag(chat)).to_have_text("机器人")
    bar(chat, "转人工").click()
    expect(chat.said_by_me).to_have_text(["转人工"])
    assert [post["text"] for post in service.posts] == ["转人工"]


def test_who_waits_can_call_it_off_also_after_reload(chat: ChatPage, service: FakeService) -> None:
    chat.send("请专员来")
    expect(chat.notes).to_have_text("正在为您转接服务专员：您排在第 1 位")
    expect(tag(chat)).to_have_text("排队中")
    expect(bar(chat, "转人工")).to_be_hidden()
    chat.page.reload()
    expect(tag(chat)).to_have_text("排队中")
    chat.screenshot("handoff-queued")
    bar(chat, "取消排队").click()
    expect(chat.said_by_me.last).to_have_text("取消排队")
    expect(tag(chat)).to_have_text("机器人")
    expect(bar(chat, "转人工")).to_be_visible()
    assert service.posts[-1]["text"] == "/cancel_person"


def test_a_person_is_named_and_styled_apart(chat: ChatPage, service: FakeService) -> None:
    chat.ask("你好")
    service.owners = dict.fromkeys(service.sessions, "person")
    service.owner_name = "李敏"
    service.push_reply(Reply(author=Author.SYSTEM, text="服务专员李敏已接入"))
    expect(header(chat)).to_have_text("服务专员李敏正在为您服务")
    expect(tag(chat)).to_have_text("人工")
    for name in ("李敏", "王强"):
        service.push_reply(Reply(author=Author.PERSON, name=name, text=f"我是{name}"))
    groups = chat.page.locator("#log .group.person")
    expect(groups).to_have_count(2)
    expect(groups.first.locator(".name")).to_contain_text("服务专员 李敏")
    expect(groups.last.locator(".name")).to_contain_text("服务专员 王强")
    assert (
        groups.first.locator(".bubble").evaluate("node => getComputedStyle(node).borderLeftWidth")
        == "3px"
    )
    chat.screenshot("handoff-person")
    expect(bar(chat, "转人工")).to_be_hidden()
    service.owners, service.owner_name = dict.fromkeys(service.sessions, "bot"), None
    service.push_reply(Reply(author=Author.SYSTEM, text="小福回来了"))
    expect(header(chat)).to_have_text("自动回答，可随时转人工")
    expect(bar(chat, "转人工")).to_be_visible()


def test_the_way_to_a_person_is_seen_on_a_phone(chat: ChatPage) -> None:
    chat.page.set_viewport_size({"width": 390, "height": 700})
    for _ in range(4):
        chat.ask("逐行写很长的话，看看按钮还在不在" * 4)
    expect(bar(chat, "转人工")).to_be_in_viewport()
    chat.screenshot("handoff-phone")
