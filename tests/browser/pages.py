"""Finds Chromium and speaks of the chat page in words a test can read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect, sync_playwright

ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NO_CHROMIUM = (
    "no Chromium: set QIFU_CHROMIUM to its executable or install one of "
    f"{', '.join(CHROMIUM_NAMES)} on PATH"
)


def find_chromium() -> str | None:
    """The executable named by ``QIFU_CHROMIUM`` or found on PATH; ``None`` when there is none."""
    named = os.environ.get("QIFU_CHROMIUM")
    if named:
        return shutil.which(named)
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


@contextmanager
def open_browser(executable: str) -> Iterator[Browser]:
    """A headless Chromium with a new user data directory; both are gone afterwards."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class ChatPage:
    """The chat page of a running service at ``base_url`` (no trailing slash)."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        self.base_url = base_url
        self.root: Page | FrameLocator = page
        self._answers_before = 0

    @property
    def field(self) -> Locator:
        return self.root.get_by_label("输入您的问题")

    @property
    def said_by_bot(self) -> Locator:
        """Every bubble of the bot in the conversation, the greeting not counted."""
        return self.root.locator("#log .group.bot .bubble .said")

    @property
    def said_by_me(self) -> Locator:
        return self.root.locator("#log .group.me .bubble .said")

    @property
    def notes(self) -> Locator:
        return self.root.locator("#log .note")

    @property
    def citations(self) -> Locator:
        return self.root.locator("#log .citation")

    @property
    def appeals(self) -> Locator:
        return self.root.locator("#log .appeal")

    @property
    def matches(self) -> Locator:
        return self.root.locator("#log .match")

    @property
    def choices(self) -> Locator:
        return self.root.locator("#quick .choice")

    @property
    def banner(self) -> Locator:
        return self.root.locator("#banner")

    def open(self) -> ChatPage:
        self.page.goto(self.base_url + "/")
        return self.wait_until_ready()

    def wait_until_ready(self) -> ChatPage:
        """Waits for the page's script; what is typed before it runs is kept but not sent."""
        expect(self.root.locator("#app")).not_to_have_attribute("aria-busy", "true")
        return self

    def send(self, text: str) -> None:
        """Writes the text and sends it with Enter; does not wait for the answer."""
        self.wait_until_ready()
        self._answers_before = self.said_by_bot.count()
        self.field.fill(text)
        self.field.press("Enter")

    def press(self, title: str) -> None:
        """Presses an offered choice (quick reply) by its title; does not wait for the answer."""
        self._answers_before = self.said_by_bot.count()
        self.choices.filter(has_text=title).first.click()

    def wait_for_reply(self, text: str | None = None, *, timeout_ms: int = 15_000) -> str:
        """Waits for a bubble of the bot that came after the last ``send`` or ``press``.

        With ``text`` it waits for one that holds it. Returns the words of the newest bubble.
        """
        expect(self.said_by_bot.nth(self._answers_before)).to_be_visible(timeout=timeout_ms)
        if text is not None:
            expect(self.said_by_bot.last).to_contain_text(text, timeout=timeout_ms)
        return self.said_by_bot.last.inner_text()

    def ask(self, text: str) -> str:
        """Sends and waits until the bot has answered; returns the words of its newest bubble."""
        self.send(text)
        return self.wait_for_reply()

    def screenshot(self, name: str) -> Path:
        """Saves what is seen to ``artifacts/<name>.png`` and returns the path."""
        ARTIFACTS.mkdir(exist_ok=True)
        path = ARTIFACTS / f"{name}.png"
        self.page.screenshot(path=path, animations="disabled")
        return path
