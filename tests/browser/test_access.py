"""Checks that everyone can read and use the page: keys only, small screens, contrast, names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from actions.replies import Reply
from tests.browser.fake_service import FakeService
from tests.browser.pages import ChatPage

# Text on the page whose contrast with what lies behind it is below WCAG AA (4.5, large text 3).
LOW_CONTRAST = """() => {
  const parse = (css) => {
    const [r, g, b, a] = css.match(/[\\d.]+/g).map(Number);
    return { r, g, b, a: a === undefined ? 1 : a };
  };
  const over = (top, under) => {
    const mix = (part) => top[part] * top.a + under[part] * (1 - top.a);
    return { r: mix("r"), g: mix("g"), b: mix("b"), a: 1 };
  };
  const behind = (node) => {
    if (!node) return { r: 255, g: 255, b: 255, a: 1 };
    const own = parse(getComputedStyle(node).backgroundColor);
    return own.a === 1 ? own : over(own, behind(node.parentElement));
  };
  const light = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((part) => {
      const s = part / 255;
      return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const node = walker.currentNode.parentElement;
    const box = node.getBoundingClientRect();
    if (!text || box.width <= 1 || node.closest("script, style, noscript")) continue;
    const style = getComputedStyle(node);
    const ground = behind(node);
    const pair = [light(over(parse(style.color), ground)), light(ground)].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) poor.push(`${text.slice(0, 20)}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""
NAMELESS = """() => Array
  .from(document.querySelectorAll("button, a, textarea, summary, [role=group], [role=region]"))
  .filter((node) => node.offsetParent !== null)
  .filter((node) => {
    const by = node.getAttribute("aria-labelledby");
    const named = by ? document.getElementById(by).textContent : node.getAttribute("aria-label");
    const label = node.labels && node.labels.length ? node.labels[0].textContent : "";
    return !(named || label || node.textContent).trim();
  })
  .map((node) => node.outerHTML.slice(0, 80))"""
SMALL_TARGETS = """() => Array.from(document.querySelectorAll("button, summary, .source"))
  .map((node) => [node.textContent.trim() || node.ariaLabel, node.getBoundingClientRect()])
  .filter(([, box]) => box.width > 1 && (box.width < 24 || box.height < 34))
  .map(([name, box]) => `${name}: ${box.width} x ${box.height}`)"""
TOO_WIDE = """() => Array.from(document.querySelectorAll("body *"))
  .filter((node) => !node.closest(".vh, .skip, svg"))
  .filter((node) => node.getBoundingClientRect().right > window.innerWidth + 0.5)
  .map((node) => node.outerHTML.slice(0, 80))"""
SIZES = {"360": (360, 740), "1280": (1280, 860)}


def _talk(chat: ChatPage) -> None:
    chat.ask("首次认定国家高新技术企业，在福田能拿多少钱？")
    for place in range(3):
        chat.citations.nth(place).locator("summary").click()
    chat.ask("我们想把厂搬到月球有补贴吗")
    chat.appeals.get_by_role("button", name="查看进度").click()
    expect(chat.appeals.locator(".timeline")).to_be_visible()
    chat.ask("帮我匹配一下")
    for place in range(3):
        chat.matches.nth(place).locator("summary").click()
    chat.ask("全部规定是什么")
    chat.ask("到底是哪一项")
    chat.ask("长词不断开" + "https://example.org/" + "x" * 300)
    chat.send("转人工")
    expect(chat.notes).to_have_count(1)
    chat.field.fill("好" * 1900)


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> Literal["light", "dark"]:
    return "dark" if request.param == "dark" else "light"


@pytest.fixture(params=list(SIZES))
def sized(
    request: pytest.FixtureRequest,
    browser: Browser,
    service: FakeService,
    scheme: Literal["light", "dark"],
) -> Iterator[tuple[ChatPage, str]]:
    """The chat page at a size and in a colour scheme, with a name for its pictures."""
    width, height = SIZES[request.param]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        reduced_motion="reduce",
        locale="zh-CN",
    )
    chat = ChatPage(context.new_page(), service.url).open()
    yield chat, f"{request.param}-{scheme}"
    context.close()


def test_text_is_readable_named_and_fits_at_every_size_and_scheme(
    sized: tuple[ChatPage, str],
) -> None:
    chat, name = sized
    chat.screenshot(f"page-{name}-empty")
    _talk(chat)
    for is_large in (False, True):
        if is_large:
            chat.page.get_by_role("button", name="大字显示").click()
        assert chat.page.evaluate(LOW_CONTRAST) == []
        assert chat.page.evaluate(NAMELESS) == []
        assert chat.page.evaluate(SMALL_TARGETS) == []
        assert chat.page.evaluate(TOO_WIDE) == []
        assert _is_as_wide_as_its_window(chat.page)


def _is_as_wide_as_its_window(page: Page) -> bool:
    return bool(
        page.evaluate(
            """() => [document.documentElement, document.getElementById("scroll")]
            .every((node) => node.scrollWidth <= node.clientWidth)"""
        )
    )


def test_pictures_of_a_conversation_are_taken(sized: tuple[ChatPage, str]) -> None:
    chat, name = sized
    chat.ask("首次认定国家高新技术企业，在福田能拿多少钱？")
    assert chat.screenshot(f"page-{name}-answer").stat().st_size > 10_000
    chat.citations.first.locator("summary").click()
    chat.citations.first.scroll_into_view_if_needed()
    chat.screenshot(f"page-{name}-citation")
    chat.ask("我们想把厂搬到月球有补贴吗")
    chat.screenshot(f"page-{name}-appeal")
    chat.ask("帮我匹配一下")
    chat.screenshot(f"page-{name}-match")


def test_large_text_is_larger_and_remembered(chat: ChatPage) -> None:
    size = "parseFloat(getComputedStyle(document.querySelector('.said')).fontSize)"
    before = chat.page.evaluate(size)
    chat.page.get_by_role("button", name="大字显示").click()
    assert chat.page.evaluate(size) >= before * 1.2
    chat.page.reload()
    expect(chat.page.locator("#large")).to_have_attribute("aria-pressed", "true")
    assert chat.page.evaluate(size) >= before * 1.2


def test_whole_conversation_works_with_keys_only(chat: ChatPage) -> None:
    keys = chat.page.keyboard
    _walk_back_to(chat, "跳到输入框")
    assert _has_visible_focus(chat.page)
    keys.press("Enter")
    expect(chat.field).to_be_focused()
    keys.type("国高多少钱")
    keys.press("Enter")
    expect(chat.citations).to_have_count(3)
    _walk_back_to(chat, "怎么申报")
    assert _has_visible_focus(chat.page)
    _walk_back_to(chat, "福田区支持科技创新若干措施")
    keys.press("Enter")
    expect(chat.citations.first.locator("blockquote")).to_be_visible()
    assert _has_visible_focus(chat.page)
    chat.field.focus()
    _walk_back_to(chat, "怎么申报")
    keys.press("Enter")
    expect(chat.said_by_me).to_have_text(["国高多少钱", "怎么申报"])
    expect(chat.field).to_be_focused()


def _walk_back_to(chat: ChatPage, text: str) -> None:
    for _ in range(12):
        chat.page.keyboard.press("Shift+Tab")
        focused = chat.page.locator("a:focus, button:focus, summary:focus")
        if focused.count() and text in focused.inner_text():
            return
    raise AssertionError(f"no key leads to {text}")


def _has_visible_focus(page: Page) -> bool:
    return bool(
        page.evaluate(
            """() => {
            const style = getComputedStyle(document.activeElement);
            return style.outlineStyle !== "none" && parseInt(style.outlineWidth) > 1;
            }"""
        )
    )


def test_new_answers_are_announced_and_old_ones_are_not(chat: ChatPage) -> None:
    log = chat.page.get_by_role("log")
    expect(log).to_have_attribute("aria-live", "polite")
    chat.ask("你好")
    chat.page.add_init_script(
        """new MutationObserver((changes, self) => {
            const log = document.querySelector("#log .group") && document.getElementById("log");
            if (!log) return;
            window.liveDuringHistory = log.getAttribute("aria-live");
            self.disconnect();
        }).observe(document, { childList: true, subtree: true });"""
    )
    chat.page.reload()
    expect(chat.said_by_bot).to_have_count(1)
    assert chat.page.evaluate("window.liveDuringHistory") == "off"
    expect(log).to_have_attribute("aria-live", "polite")


def test_tall_answer_leaves_its_question_in_view(chat: ChatPage) -> None:
    chat.page.set_viewport_size({"width": 360, "height": 560})
    chat.ask("你好")
    chat.ask("帮我匹配")
    question = chat.said_by_me.last.bounding_box()
    scroll = chat.page.locator("#scroll").bounding_box()
    assert question is not None and scroll is not None
    assert scroll["y"] <= question["y"] < scroll["y"] + 80


def test_reading_back_is_not_disturbed_by_a_new_answer(
    chat: ChatPage, service: FakeService
) -> None:
    chat.page.set_viewport_size({"width": 360, "height": 560})
    for _ in range(6):
        chat.ask("你好")
    chat.page.evaluate("document.getElementById('scroll').scrollTop = 0")
    service.push_reply(Reply(text="新来的答复"))
    latest = chat.page.get_by_role("button", name="有新消息")
    expect(latest).to_be_visible()
    assert chat.page.evaluate("document.getElementById('scroll').scrollTop") == 0
    latest.click()
    expect(chat.said_by_bot.last).to_be_in_viewport()
    expect(latest).to_be_hidden()
