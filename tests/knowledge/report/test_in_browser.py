"""The page of answers in a real Chromium: it fits a phone, its filter works, nothing is complained about."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from knowledge.comparison import compare_runs
from knowledge.report.answers import answers_page
from knowledge.runs import Run
from tests.browser.pages import NO_CHROMIUM, find_chromium, open_browser


def test_page_fits_a_phone_and_its_filter_works(
    run: Run, before: Run, titles: dict[str, str], tmp_path: Path
) -> None:
    executable = find_chromium()
    if executable is None:
        pytest.skip(NO_CHROMIUM)
    file = tmp_path / "report.html"
    file.write_text(answers_page(run, titles, compare_runs(before, run)), encoding="utf-8")
    complaints: list[str] = []
    with open_browser(executable) as browser:
        page = browser.new_page(viewport={"width": 360, "height": 740}, locale="zh-CN")
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.goto(file.as_uri())
        total = len(run.report["failures"])
        expect(page.locator("#shown")).to_have_text(f"{total} / {total}")
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) <= 0
        page.locator("#sort").select_option("refused")
        refused = sum("refused" in failure["got"] for failure in run.report["failures"])
        expect(page.locator("#shown")).to_have_text(f"{refused} / {total}")
        page.locator("#words").fill("q01")
        expect(page.locator("#cases > li:visible")).to_have_count(1)
        page.locator("#words").fill("没有这样的题")
        expect(page.locator("#shown")).to_have_text(f"0 / {total}")
    assert complaints == []
