"""Checks that a long answer shows its beginning and its validity, and all of it when asked."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from actions.replies import Reply
from tests.browser.fake_service import FakeService
from tests.browser.pages import ChatPage
from tests.browser.script import LONG, LONG_LINES, SENTENCE, TWO_POLICIES, VALIDITY

# What `said` makes of a text: the words shown before and after the button is pressed.
SHOWN = """async (text) => {
  const { said } = await import("/static/folding.js");
  const [paragraph, toggle] = said(text);
  const host = document.createElement("div");
  host.append(paragraph, ...(toggle ? [toggle] : []));
  document.body.append(host);
  const folded = paragraph.innerText;
  if (toggle) toggle.click();
  const whole = paragraph.innerText;
  host.remove();
  return [folded, whole];
}"""


def fold(chat: ChatPage, text: str) -> tuple[str, str]:
    folded, whole = chat.page.evaluate(SHOWN, text)
    return str(folded), str(whole)


def toggle(chat: ChatPage) -> Locator:
    return chat.page.locator("#log .unfold")


def test_one_long_line_is_folded_after_a_sentence(chat: ChatPage) -> None:
    assert chat.ask("要什么材料") == SENTENCE * 8 + "…"
    expect(toggle(chat)).to_have_text("展开全文")
    expect(toggle(chat)).to_have_attribute("aria-expanded", "false")
    toggle(chat).click()
    expect(chat.said_by_bot).to_have_text(LONG)
    assert chat.said_by_bot.inner_text() == LONG
    expect(toggle(chat)).to_have_text("收起")
    expect(toggle(chat)).to_have_attribute("aria-expanded", "true")
    toggle(chat).click()
    assert chat.said_by_bot.inner_text() == SENTENCE * 8 + "…"


def test_lines_are_shown_whole_and_the_validity_always(chat: ChatPage) -> None:
    first, second, *_ = LONG_LINES.split("\n")
    assert chat.ask("全部规定是什么") == f"{first}\n{second}…\n{VALIDITY}"
    toggle(chat).click()
    assert chat.said_by_bot.inner_text() == LONG_LINES


@pytest.mark.parametrize(
    "text",
    ["好" * 200, "好" * 230, "\n".join("好" * 10), "\n".join(["好"] * 11)],
    ids=["200 characters", "little more", "10 lines", "one line more"],
)
def test_what_is_hardly_too_long_is_shown_whole(chat: ChatPage, text: str) -> None:
    assert fold(chat, text) == (text, text)


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("好" * 500, "好" * 200),
        ("好" * 199 + "😀" * 50, "好" * 199),
        ("好" * 150 + "，" + "好" * 200, "好" * 150 + "，"),
        ("“" + "好" * 150 + "。”" + "好" * 200, "“" + "好" * 150 + "。”"),
        ("标题。\n" + "好" * 120 + "。" + "好" * 200, "标题。\n" + "好" * 120 + "。"),
        ("一行\n" * 30, "\n".join(["一行"] * 10)),
        ("好" * 150 + "\n" + "好" * 20 + "。" + "好" * 200, "好" * 150),
    ],
    ids=[
        "no end",
        "two-part sign",
        "comma",
        "quote",
        "title",
        "many lines",
        "line before sentence",
    ],
)
def test_the_beginning_ends_where_a_reader_would_stop(
    chat: ChatPage, text: str, beginning: str
) -> None:
    folded, whole = fold(chat, text)
    assert folded == beginning + "…"
    assert whole.rstrip("\n") == text.rstrip("\n")


def test_a_long_question_of_mine_is_folded_too(chat: ChatPage) -> None:
    chat.send("请问" * 200)
    expect(chat.page.locator("#log .group.me .unfold")).to_have_text("展开全文")


def test_markup_in_a_long_text_stays_text(chat: ChatPage) -> None:
    text = "<b>好</b>" * 60
    assert fold(chat, text)[1] == text


def test_keys_unfold_and_the_focus_stays(chat: ChatPage) -> None:
    chat.ask("要什么材料")
    toggle(chat).focus()
    chat.page.keyboard.press("Enter")
    expect(toggle(chat)).to_have_attribute("aria-expanded", "true")
    expect(toggle(chat)).to_be_focused()
    chat.page.keyboard.press("Space")
    expect(toggle(chat)).to_have_attribute("aria-expanded", "false")
    expect(toggle(chat)).to_be_focused()
    controlled = toggle(chat).get_attribute("aria-controls")
    expect(chat.said_by_bot).to_have_attribute("id", controlled or "")


def test_nothing_jumps_when_a_text_is_unfolded_and_folded(
    chat: ChatPage, service: FakeService
) -> None:
    chat.page.set_viewport_size({"width": 360, "height": 560})
    chat.ask("你好")
    chat.ask("要什么材料")
    for number in range(3):
        service.push_reply(Reply(text=f"后面的话{number}"))
    expect(chat.said_by_bot).to_have_count(5)
    toggle(chat).scroll_into_view_if_needed()
    top = top_of(chat.said_by_bot.nth(1))
    toggle(chat).click()
    assert top_of(chat.said_by_bot.nth(1)) == pytest.approx(top, abs=1)
    toggle(chat).scroll_into_view_if_needed()
    pressed = top_of(toggle(chat))
    toggle(chat).click()
    assert top_of(toggle(chat)) == pytest.approx(pressed, abs=1)


def top_of(node: Locator) -> float:
    box = node.bounding_box()
    assert box is not None
    return box["y"]


def test_long_titles_of_choices_wrap_on_a_small_screen(chat: ChatPage) -> None:
    chat.page.set_viewport_size({"width": 360, "height": 740})
    chat.ask("到底是哪一项")
    expect(chat.choices).to_have_text([*TWO_POLICIES, "转人工"])
    for place in range(2):
        box = chat.choices.nth(place).bounding_box()
        assert box is not None
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360
        assert box["height"] > 44, "the title does not wrap"
        assert chat.choices.nth(place).evaluate(
            "node => node.scrollWidth <= node.clientWidth && node.scrollHeight <= node.clientHeight"
        )
    chat.press(TWO_POLICIES[1])
    expect(chat.said_by_me.last).to_have_text(TWO_POLICIES[1])
