"""Checks that nothing is lost or said twice when the line or the service fails."""

from __future__ import annotations

import time

from playwright.sync_api import expect

from actions.replies import Reply
from tests.browser.fake_service import FakeService
from tests.browser.pages import ChatPage


def test_restarted_service_is_found_again_with_what_was_said_meanwhile(
    chat: ChatPage, service: FakeService
) -> None:
    chat.ask("重启之前")
    service.stop()
    expect(chat.banner).to_contain_text("正在重新连接")
    service.messages[0].replies.append(Reply(text="重启期间的答复"))
    service.start()
    expect(chat.banner).to_be_hidden()
    expect(chat.said_by_bot).to_have_text(["重启之前", "重启期间的答复"])
    assert chat.ask("重启之后") == "重启之后"


def test_back_off_grows_and_the_button_tries_at_once(chat: ChatPage, service: FakeService) -> None:
    chat.ask("你好")
    service.stop()
    expect(chat.banner).to_be_visible()
    tries = []
    for _ in range(2):
        with chat.page.expect_request("**/api/chat/stream*"):
            pass
        tries.append(time.monotonic())
    assert tries[1] - tries[0] > 1.4  # 2 s, a quarter more or less; the first came after 1 s
    with chat.page.expect_request("**/api/chat/stream*", timeout=2_500):
        chat.page.get_by_role(
            "button", name="立即重连"
        ).click()  # by itself it would wait 3 s at least
    service.start()
    expect(chat.banner).to_be_hidden()


def test_refused_message_is_repeated_with_the_same_id_and_stored_once(
    chat: ChatPage, service: FakeService
) -> None:
    service.fail_next = [503, 503]
    chat.send("请登记诉求")
    failure = chat.page.locator(".failure")
    expect(failure).to_contain_text("没有发出去：服务正忙，请稍后再试。")
    chat.page.get_by_role("button", name="重试").click()
    expect(failure).to_contain_text("没有发出去")
    chat.page.get_by_role("button", name="重试").click()
    chat.wait_for_reply("请登记诉求")
    expect(failure).to_have_count(0)
    expect(chat.said_by_me).to_have_count(1)
    assert len({(post["client_id"], post["session"]) for post in service.posts}) == 1
    assert len(service.messages) == 1


def test_message_whose_response_was_lost_is_not_stored_twice(
    chat: ChatPage, service: FakeService
) -> None:
    service.lose_next = 1
    chat.send("第一句话")
    chat.wait_for_reply("第一句话")
    expect(chat.page.locator(".failure")).to_have_count(0)
    chat.ask("第二句话")
    expect(chat.said_by_bot).to_have_text(["第一句话", "第二句话"])
    assert [message.text for message in service.messages] == ["第一句话", "第二句话"]


def test_messages_sent_in_a_burst_keep_their_order(chat: ChatPage, service: FakeService) -> None:
    service.delay_s = 0.2
    for text in ("一", "二", "三"):
        chat.send(text)
    expect(chat.said_by_bot).to_have_text(["一", "二", "三"])
    assert [post["text"] for post in service.posts] == ["一", "二", "三"]


def test_message_the_service_will_never_take_goes_back_to_be_edited(
    chat: ChatPage, service: FakeService
) -> None:
    service.fail_next = [422]
    chat.send("不合要求的话")
    expect(chat.page.locator(".failure")).to_contain_text("服务正忙")
    chat.page.get_by_role("button", name="重新编辑").click()
    expect(chat.field).to_have_value("不合要求的话")
    expect(chat.field).to_be_focused()
    expect(chat.said_by_me).to_have_count(0)


def test_session_the_service_does_not_know_is_replaced_and_the_message_kept(
    chat: ChatPage, service: FakeService
) -> None:
    chat.ask("旧会话")
    service.forget_sessions()
    chat.send("新会话里的话")
    chat.wait_for_reply("新会话里的话")
    expect(chat.notes).to_contain_text("已为您开始新的对话")
    assert [message.text for message in service.messages] == ["新会话里的话"]


def test_unknown_session_at_start_leaves_a_working_page(
    chat: ChatPage, service: FakeService
) -> None:
    chat.ask("旧会话")
    service.forget_sessions()
    chat.page.reload()
    expect(chat.notes).to_contain_text("已过期")
    chat.ask("重新开始")
    expect(chat.banner).to_be_hidden()


def test_lost_network_is_said_and_its_return_noticed(chat: ChatPage) -> None:
    chat.ask("在线")
    chat.page.context.set_offline(True)
    expect(chat.banner).to_contain_text("网络已断开")
    chat.page.context.set_offline(False)
    expect(chat.banner).to_be_hidden()


def test_two_tabs_show_the_same_conversation(chat: ChatPage, service: FakeService) -> None:
    chat.ask("第一个窗口")
    other = ChatPage(chat.page.context.new_page(), service.url).open()
    expect(other.said_by_bot).to_have_text(["第一个窗口"])
    other.ask("第二个窗口")
    expect(chat.said_by_me).to_have_text(["第一个窗口", "第二个窗口"])
    expect(chat.said_by_bot).to_have_text(["第一个窗口", "第二个窗口"])
