"""Speaks of the console in words a test can read, and notes when something appears on a page."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Locator, Page, expect

# Notes the moment (ms) at which a node matching ``where`` first holds every one of the words.
_WATCH = """
([where, words]) => {
  window.seenAt = null;
  const look = () => {
    const found = [...document.querySelectorAll(where)].some(
      (node) => words.every((word) => node.textContent.includes(word)));
    if (found && window.seenAt === null) window.seenAt = Date.now();
  };
  window.seenBy?.disconnect();
  window.seenBy = new MutationObserver(look);
  window.seenBy.observe(document.body, { childList: true, subtree: true, characterData: true });
  look();
}
"""


def watch(page: Page, where: str, *words: str) -> None:
    """From now on :func:`seen_at` tells when it appeared."""
    page.evaluate(_WATCH, [where, list(words)])


def seen_at(page: Page, timeout_s: float = 15.0) -> int:
    """Waits for what is watched for; the moment by the page's own clock, in milliseconds."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:  # the chat page forbids what wait_for_function does
        found = page.evaluate("window.seenAt")
        if found is not None:
            return int(found)
        page.wait_for_timeout(50)
    raise AssertionError(f"not seen within {timeout_s:.0f} s")


@dataclass
class Desk:
    """Somebody's open console."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def sign_in(cls, browser: Browser, url: str, login: str, password: str) -> Desk:
        page = browser.new_context(
            locale="zh-CN", viewport={"width": 1280, "height": 800}
        ).new_page()
        page.set_default_timeout(20_000)
        desk = cls(page, url)
        page.on("pageerror", lambda error: desk.complaints.append(str(error)))
        page.goto(f"{url}/console/sign-in")
        page.fill("#login", login)
        page.fill("#password", password)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda to: "sign-in" not in to)
        return desk

    def open(self, path: str) -> None:
        """Goes to a page and waits until it is filled and connected."""
        self.page.goto(f"{self.url}/console{path}")
        expect(self.page.locator(".qf-main")).to_be_visible()
        expect(self.page.locator(".qf-loading")).to_have_count(0)
        self.page.wait_for_function("window.socket?.connected === true")

    def row(self, *words: str) -> Locator:
        """The conversation of the list that holds all the words."""
        found = self.page.locator(".qi-row")
        for word in words:
            found = found.filter(has_text=word)
        return found

    def choose(self, *words: str) -> None:
        """Opens a conversation by keyboard."""
        self.row(*words).first.focus()
        self.page.keyboard.press("Enter")
        expect(self.page.locator(".qi-title .qf-tag")).not_to_be_empty()

    @property
    def owner(self) -> Locator:
        return self.page.locator(".qi-title .qf-tag")

    @property
    def thread(self) -> Locator:
        return self.page.locator(".qi-thread")

    @property
    def field(self) -> Locator:
        return self.page.get_by_label("回复内容")
