"""The page against the real product: a question, its source, an appeal, and the picture for the README."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.pages import ChatPage
from tests.server import Server, prepare_data, running


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data: Path = prepare_data(tmp_path_factory.mktemp("page"))
    with running(data, as_of="2026-11-23") as server:
        yield server


def test_a_visitor_asks_looks_at_the_source_and_gets_an_appeal(
    browser: Browser, product: Server
) -> None:
    page = browser.new_page(viewport={"width": 400, "height": 1200})
    chat = ChatPage(page, product.url).open()
    assert "10万元" in chat.ask("首次认定国家高新技术企业在福田能拿多少钱")
    chat.citations.first.locator("summary").click()
    expect(chat.citations.first).to_contain_text("福田区国高企业认定支持（存量企业）")
    assert "营业执照" in chat.ask("那需要什么材料")
    chat.send("企业食堂补贴多少钱")
    expect(chat.appeals).to_have_count(1)
    expect(chat.appeals.first).to_contain_text("FT-2026")
    chat.screenshot("product-360")
    page.reload()
    expect(chat.appeals).to_have_count(1)
    page.close()


def test_html_in_a_question_stays_text(browser: Browser, product: Server) -> None:
    page = browser.new_page()
    chat = ChatPage(page, product.url).open()
    chat.ask("<img src=x onerror=\"document.title='pwned'\"> 国高补贴")
    assert page.title() != "pwned"
    expect(page.locator("img[src=x]")).to_have_count(0)
    page.close()
