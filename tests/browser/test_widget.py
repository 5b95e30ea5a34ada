"""Checks the small script that puts the assistant on another site's page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.fake_service import STATIC, FakeService
from tests.browser.pages import ChatPage

BUTTON = "企业咨询"


@pytest.fixture
def foreign(page: Page, service: FakeService) -> Iterator[Page]:
    """A page of another origin, with styles that fight ours, that includes the widget."""
    other = FakeService()
    other.foreign_script = f"{service.url}/widget.js"
    other.start()
    page.goto(f"{other.url}/foreign")
    yield page
    other.stop()


def _button(page: Page) -> Locator:
    return page.get_by_role("button", name=BUTTON)


def _chat_in(page: Page, service: FakeService) -> ChatPage:
    chat = ChatPage(page, service.url)
    chat.root = page.frame_locator("iframe")
    return chat


def test_script_is_small_and_leaves_one_global(foreign: Page) -> None:
    assert len((STATIC / "widget.js").read_text(encoding="utf-8").splitlines()) <= 120
    assert foreign.evaluate("Object.keys(window).filter(k => /qifu/i.test(k))") == ["__qifuWidget"]


def test_nothing_of_the_chat_is_loaded_before_it_is_opened(foreign: Page) -> None:
    expect(_button(foreign)).to_have_attribute("aria-expanded", "false")
    expect(foreign.locator("iframe")).to_have_count(0)
    box = _button(foreign).bounding_box()
    assert box is not None and box["x"] > 1100 and box["y"] > 650 and box["width"] == 60


def test_chat_opens_in_a_frame_and_answers(foreign: Page, service: FakeService) -> None:
    _button(foreign).click()
    chat = _chat_in(foreign, service)
    chat.ask("国高多少钱")
    expect(chat.citations).to_have_count(3)
    expect(_button(foreign)).to_have_attribute("aria-expanded", "true")
    expect(foreign.locator("iframe")).to_have_attribute("src", f"{service.url}/?embed=1")
    chat.screenshot("widget-1280")


def test_escape_inside_the_frame_closes_it_and_focus_returns(
    foreign: Page, service: FakeService
) -> None:
    _button(foreign).click()
    chat = _chat_in(foreign, service)
    chat.ask("你好")
    chat.field.press("Escape")
    expect(foreign.locator("iframe")).to_be_hidden()
    expect(_button(foreign)).to_be_focused()
    foreign.keyboard.press("Enter")
    expect(chat.said_by_bot).to_have_text("你好")


def test_escape_on_the_page_closes_it(foreign: Page) -> None:
    _button(foreign).click()
    expect(foreign.locator("iframe")).to_be_visible()
    foreign.locator("#before").focus()
    foreign.keyboard.press("Escape")
    expect(foreign.locator("iframe")).to_be_hidden()


def test_small_screen_is_filled_and_closed_from_inside(foreign: Page, service: FakeService) -> None:
    foreign.set_viewport_size({"width": 360, "height": 640})
    _button(foreign).click()
    chat = _chat_in(foreign, service)
    chat.ask("你好")
    box = foreign.locator("iframe").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 360, "height": 640}
    chat.screenshot("widget-360")
    chat.root.get_by_role("button", name="关闭对话窗口").click()
    expect(_button(foreign)).to_be_focused()


def test_message_from_elsewhere_does_not_close_it(foreign: Page) -> None:
    _button(foreign).click()
    foreign.evaluate("window.postMessage({ type: 'qifu:close' }, '*')")
    foreign.wait_for_timeout(200)
    expect(foreign.locator("iframe")).to_be_visible()


def test_script_included_twice_adds_one_button(foreign: Page, service: FakeService) -> None:
    foreign.add_script_tag(url=f"{service.url}/widget.js")
    expect(_button(foreign)).to_have_count(1)
