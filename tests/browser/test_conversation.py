"""Checks what a person sees while talking: bubbles, cards, choices, history."""

from __future__ import annotations

import re
from datetime import date

import pytest
from playwright.sync_api import Browser, Page, expect

from actions.replies import (
    AppealCard,
    Author,
    Button,
    CitationCard,
    CriterionCard,
    DatesCard,
    GapCard,
    MatchCard,
    Reply,
)
from tests.browser.fake_service import FakeService
from tests.browser.pages import ChatPage
from tests.browser.script import APPEAL_NO, TIMELINE, WITHDRAW

HOSTILE = [
    '<img src=x onerror="window.hit=1">',
    "<script>window.hit=1</script>",
    "</p><a href='javascript:window.hit=1'>点我</a>&lt;b&gt;",
]


def test_empty_page_says_it_is_a_machine_and_offers_four_questions(chat: ChatPage) -> None:
    expect(chat.page.locator(".scroll .said").first).to_contain_text("机器人")
    expect(chat.page.locator("header .tag")).to_have_text("机器人")
    expect(chat.page.locator(".example")).to_have_count(4)


def test_message_is_answered_in_a_group_labelled_as_machine(
    chat: ChatPage, complaints: list[str]
) -> None:
    assert chat.ask("你好\n第二行") == "你好\n第二行"
    expect(chat.said_by_me).to_have_text("你好\n第二行")
    expect(chat.page.locator("#log .group.bot .tag")).to_have_text("机器人")
    expect(chat.page.locator("#examples")).to_be_hidden()
    expect(chat.page.locator("#log .time")).to_have_count(1)
    expect(chat.field).to_be_focused()
    expect(chat.field).to_have_value("")
    mine, bots = chat.said_by_me.bounding_box(), chat.said_by_bot.bounding_box()
    assert mine is not None and bots is not None and mine["x"] > bots["x"] + 200
    assert complaints == []


def test_example_question_is_sent_when_pressed(chat: ChatPage, service: FakeService) -> None:
    example = chat.page.locator(".example").first
    question = example.inner_text()
    example.click()
    chat.wait_for_reply("10 万元")
    assert [post["text"] for post in service.posts] == [question]


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_from_anyone_is_shown_as_text(
    chat: ChatPage, service: FakeService, text: str
) -> None:
    assert chat.ask(text) == text
    assert chat.said_by_me.inner_text() == text
    service.push_reply(_reply_saying_everywhere(text))
    expect(chat.appeals).to_contain_text(text)
    expect(chat.citations).to_contain_text(text)
    expect(chat.choices).to_have_text(text)
    chat.page.reload()
    expect(chat.said_by_bot).to_have_text(text)
    assert chat.page.locator("#log img, #log script, #log a[href^=javascript]").count() == 0
    assert chat.page.evaluate("window.hit") is None


def _reply_saying_everywhere(text: str) -> Reply:
    card = {"policy_id": "X", "title": text, "doc_no": text, "issuer": text, "clause": text}
    rest = {"quote": text, "valid_from": None, "valid_to": None, "status": text, "url": text}
    return Reply(
        text=text,
        citations=[CitationCard.model_validate(card | rest)],
        matches=[
            MatchCard(
                policy_id="X",
                title=text,
                verdict=text,
                score=0,
                amount_max_cny=None,
                criteria=[
                    CriterionCard(
                        field=text,
                        verdict=text,
                        have=text,
                        need=text,
                        clause=text,
                        label=text,
                        source=text,
                        day=date(2026, 11, 23),
                        gap=GapCard(amount=1, unit=text, text=text),
                    )
                ],
                dates=DatesCard(state=text, text=text),
            )
        ],
        appeal=AppealCard(
            no=text, state=text, department=text, due_at=TIMELINE["timeline"][0]["at"]
        ),
        buttons=[Button(title=text, payload=text)],
    )


def test_citations_fold_out_with_stamp_and_safe_link(chat: ChatPage) -> None:
    chat.ask("国高能拿多少钱")
    expect(chat.citations.locator(".stamp")).to_have_text(["有效", "已过期", "有效期未核实"])
    first = chat.citations.first
    expect(first.locator("blockquote")).to_be_hidden()
    first.locator("summary").click()
    expect(first.locator("blockquote")).to_have_text(re.compile("给予一次性奖励10万元；\n重新认定"))
    expect(first).to_contain_text("第八条 第二款")
    expect(first.locator("dd")).to_have_text(
        ["福府办规〔2026〕1号", "福田区科技创新局", "2026年1月1日至2028年12月31日"]
    )
    links = chat.citations.locator("a")
    expect(links).to_have_count(1)
    expect(links).to_have_attribute("href", "https://www.szft.gov.cn/demo")
    expect(links).to_have_attribute("rel", re.compile("noopener"))


def test_choice_shows_its_title_and_sends_its_payload(chat: ChatPage, service: FakeService) -> None:
    chat.ask("厂搬到月球")
    expect(chat.choices).to_have_text(["补充说明", "撤回诉求", "转人工"])
    chat.press("撤回诉求")
    chat.wait_for_reply("诉求已撤回")
    expect(chat.said_by_me.last).to_have_text("撤回诉求")
    assert service.posts[-1]["text"] == WITHDRAW
    expect(chat.choices).to_have_count(0)


def test_appeal_card_copies_its_number_and_opens_its_progress(chat: ChatPage) -> None:
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.ask("厂搬到月球")
    card = chat.appeals
    expect(card).to_contain_text(APPEAL_NO)
    expect(card.locator(".stamp")).to_have_text("已派单")
    expect(card.locator("dd")).to_have_text(["福田区企业服务中心", "2026年11月30日 18:00"])
    card.get_by_role("button", name="复制诉求编号").click()
    expect(chat.page.locator("#announce")).to_contain_text("已复制")
    assert chat.page.evaluate("navigator.clipboard.readText()") == APPEAL_NO
    card.get_by_role("button", name="查看进度").click()
    expect(card.locator(".timeline strong")).to_have_text(["已登记", "已派单", "办理中"])
    expect(card.locator(".timeline time").first).to_have_text("2026年11月23日 09:05")
    expect(card.locator(".stamp")).to_have_text("办理中")
    expect(card).to_contain_text(TIMELINE["due_note"])
    card.get_by_role("button", name="收起进度").click()
    expect(card.locator(".timeline")).to_be_hidden()


def test_match_cards_show_verdict_amount_and_conditions(chat: ChatPage) -> None:
    chat.ask("帮我匹配")
    expect(chat.matches.locator(".card-head .stamp")).to_have_text(
        ["符合条件", "待补充信息", "暂不符合", "符合条件"]
    )
    expect(chat.matches.locator(".amount")).to_have_text(
        ["最高 10万元", "最高 1,250万元", "最高 1.5亿元"]
    )
    expect(chat.matches.nth(3)).to_be_hidden()
    chat.page.get_by_role("button", name="还有 1 项").click()
    expect(chat.matches.nth(3)).to_be_visible()
    second = chat.matches.nth(1)
    expect(second.locator("summary")).to_have_text("条件：2 项符合，1 项不符合，1 项待确认")
    second.locator("summary").click()
    expect(second.locator("li.unknown")).to_contain_text("贵公司：未提供")
    expect(second.locator("li.failed")).to_contain_text("要求：不低于 2,000 万元")


def test_match_of_the_dialogue_keeps_its_items_clauses_and_buttons_on_the_cards(
    chat: ChatPage,
) -> None:
    assert chat.ask("逐项核对") == "列出还差信息的1项：\n以审核结果为准。"
    card = chat.matches.first
    expect(card).to_contain_text("受理中，2026-12-31截止")
    card.locator(".criteria summary").click()
    failed = card.locator("li.failed")
    expect(failed.locator(".condition")).to_contain_text("去年收入")
    expect(failed).to_contain_text("1,200 万元，差800万元（您说的，2026年11月23日）")
    expect(failed).not_to_contain_text("FT-009")
    expect(card.locator(".citation")).to_have_count(1)
    expect(chat.citations).to_have_count(1)
    expect(chat.choices).to_have_text(["都不合适"])
    card.get_by_role("button", name="为什么").click()
    expect(chat.said_by_me.last).to_have_text("1 为什么")


def test_two_replies_to_one_message_are_two_bubbles_of_one_group(chat: ChatPage) -> None:
    chat.ask("两问一起问")
    expect(chat.said_by_bot).to_have_text(
        ["第一问：认定奖励10万元。", "第二问：由区科技创新局受理。"]
    )
    expect(chat.page.locator("#log .group.bot")).to_have_count(1)
    first, second = (chat.page.locator("#log .bubble").nth(n).bounding_box() for n in (1, 2))
    assert first is not None and second is not None
    assert second["y"] >= first["y"] + first["height"] + 4


def test_answer_that_comes_later_shows_typing_until_then(chat: ChatPage) -> None:
    chat.send("慢慢说")
    expect(chat.page.locator("#typing")).to_be_visible()
    chat.wait_for_reply("让您久等了")
    expect(chat.page.locator("#typing")).to_be_hidden()


def test_answer_swallowed_on_the_stream_is_fetched(chat: ChatPage) -> None:
    chat.send("吞掉")
    chat.wait_for_reply("没有走推送")
    expect(chat.page.locator("#typing")).to_be_hidden()


def test_answer_delivered_twice_is_shown_once(chat: ChatPage, service: FakeService) -> None:
    chat.ask("先建立推送")
    reply = Reply(text="只出现一次")
    for _ in range(3):
        service.push_reply(reply)
    service.push_reply(Reply(text="最后一条"))
    expect(chat.said_by_bot).to_have_text(["先建立推送", "只出现一次", "最后一条"])


def test_person_is_told_apart_from_the_machine(chat: ChatPage) -> None:
    chat.send("转人工")
    expect(chat.notes).to_have_text("服务专员 王敏 已接入，为您服务")
    expect(chat.page.locator("#log .group.person .tag")).to_have_text("人工")
    expect(chat.page.locator("#owner-line")).to_have_text("服务专员正在为您服务")
    expect(chat.page.locator("#typing")).to_be_hidden()


def test_history_is_there_after_reload(chat: ChatPage, service: FakeService) -> None:
    chat.ask("厂搬到月球")
    chat.press("撤回诉求")
    chat.wait_for_reply("诉求已撤回")
    chat.ask("国高多少钱")
    before = chat.page.locator("#log").inner_text()
    chat.page.reload()
    expect(chat.citations).to_have_count(3)
    assert chat.page.locator("#log").inner_text() == before
    expect(chat.choices).to_have_count(3)
    assert len(service.posts) == 3
    service.push_reply(Reply(text="重新打开后仍能收到"))
    expect(chat.said_by_bot.last).to_have_text("重新打开后仍能收到")


def test_replies_without_a_message_and_the_owner_come_back_with_history(
    chat: ChatPage, service: FakeService
) -> None:
    chat.ask("你好")
    for text in ("您的诉求已办结", "请您评价"):
        line = {"message_id": None, "client_id": None, "text": None}
        reply = Reply(text=text).model_dump(mode="json")
        service.unasked.append(line | {"received_at": "2026-11-23T01:00:00Z", "replies": [reply]})
    service.owners = dict.fromkeys(service.sessions, "queued")
    chat.page.reload()
    expect(chat.said_by_bot).to_have_text(["你好", "您的诉求已办结", "请您评价"])
    expect(chat.said_by_me).to_have_text(["你好"])
    expect(chat.page.locator("#owner-line")).to_have_text("正在为您联系服务专员")


def test_line_about_who_answers_refreshes_the_header(chat: ChatPage, service: FakeService) -> None:
    chat.send("转人工")
    expect(chat.page.locator("#owner-line")).to_have_text("服务专员正在为您服务")
    service.owners = dict.fromkeys(service.sessions, "bot")
    service.push_reply(Reply(author=Author.SYSTEM, text="服务专员已结束服务"))
    expect(chat.page.locator("#owner-line")).to_have_text("自动回答，可随时转人工")


def test_page_works_with_storage_blocked(browser: Browser, service: FakeService) -> None:
    context = browser.new_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('blocked'); }})"
    )
    chat = ChatPage(context.new_page(), service.url).open()
    assert chat.ask("一") == "一"
    assert chat.ask("二") == "二"
    assert len({post["session"] for post in service.posts}) == 1
    context.close()


def test_new_conversation_asks_first_then_starts_empty(
    chat: ChatPage, service: FakeService
) -> None:
    chat.ask("旧的对话")
    chat.page.get_by_role("button", name="开始新对话").click()
    expect(chat.page.locator("#confirm")).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(chat.said_by_me).to_have_count(1)
    chat.page.locator("#fresh").click()
    chat.page.locator("#confirm-yes").click()
    expect(chat.page.locator("#log")).to_be_empty()
    expect(chat.page.locator(".example").first).to_be_visible()
    chat.ask("新的对话")
    assert service.posts[0]["session"] != service.posts[1]["session"]
    chat.page.reload()
    expect(chat.said_by_me).to_have_text(["新的对话"])


def test_length_is_counted_near_the_limit_and_held_at_it(chat: ChatPage) -> None:
    chat.field.fill("好" * 1799)
    expect(chat.page.locator("#count")).to_be_empty()
    chat.field.fill("好" * 1999 + "😀")
    expect(chat.page.locator("#count")).to_have_text("2000/2000")
    expect(chat.page.locator("#send")).to_be_enabled()
    chat.field.fill("好" * 2003)
    expect(chat.page.locator("#count")).to_contain_text("超出 3 字")
    expect(chat.page.locator("#send")).to_be_disabled()
    chat.field.press("Enter")
    expect(chat.said_by_me).to_have_count(0)


def test_pasted_text_is_trimmed(chat: ChatPage) -> None:
    _paste(chat.page, "  \n 国高 怎么申报？ \n\n")
    expect(chat.field).to_have_value("国高 怎么申报？")


def _paste(page: Page, text: str) -> None:
    page.evaluate(
        """text => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text/plain", text);
            document.getElementById("text").focus();
            const paste = { clipboardData, bubbles: true, cancelable: true };
            document.getElementById("text").dispatchEvent(new ClipboardEvent("paste", paste));
        }""",
        text,
    )


def test_enter_that_picks_a_word_while_composing_does_not_send(chat: ChatPage) -> None:
    chat.field.fill("ni hao")
    chat.field.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    chat.field.dispatch_event("keydown", {"key": "Enter", "keyCode": 229})
    expect(chat.said_by_me).to_have_count(0)
    expect(chat.field).to_have_value("ni hao")


def test_shift_enter_makes_a_new_line(chat: ChatPage) -> None:
    chat.field.press_sequentially("一")
    chat.field.press("Shift+Enter")
    chat.field.press_sequentially("二")
    expect(chat.field).to_have_value("一\n二")
    chat.field.press("Enter")
    chat.wait_for_reply("一\n二")
