"""Starts Chromium and a scripted service for the page tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.fake_service import FakeService
from tests.browser.pages import NO_CHROMIUM, ChatPage, find_chromium, open_browser


# One browser per file: playwright keeps an event loop running while it is open, which async tests
# elsewhere cannot bear.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = find_chromium()
    if executable is None:
        pytest.skip(NO_CHROMIUM)
    expect.set_options(timeout=10_000)
    with open_browser(executable) as browser:
        yield browser


@pytest.fixture
def service() -> Iterator[FakeService]:
    service = FakeService()
    service.start()
    yield service
    service.stop()


@pytest.fixture
def complaints() -> list[str]:
    """What the page's console complained about: script errors, refused content."""
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    # The device is in New York: times must still be those of Beijing.
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="zh-CN", timezone_id="America/New_York"
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    yield page
    context.close()


@pytest.fixture
def chat(page: Page, service: FakeService) -> ChatPage:
    return ChatPage(page, service.url).open()
