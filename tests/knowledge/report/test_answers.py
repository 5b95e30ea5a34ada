"""The page of answers: complete, of one file, with nothing from outside, and hostile labels are text in it."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag

from knowledge.comparison import compare_runs
from knowledge.report.answers import answers_page
from knowledge.runs import Run
from tests.knowledge.report.conftest import HOSTILE


@pytest.fixture(scope="module")
def html(run: Run, before: Run, titles: dict[str, str]) -> str:
    return answers_page(run, titles, compare_runs(before, run))


@pytest.fixture(scope="module")
def page(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "lxml")


def only(page: BeautifulSoup | Tag, selector: str) -> Tag:
    (found,) = page.select(selector)
    return found


class TestSafety:
    def test_only_our_own_script_is_there_and_its_policy_names_it(
        self, page: BeautifulSoup
    ) -> None:
        script = only(page, "script").string
        assert script is not None and "<" not in script.replace("=>", "")
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        policy = str(only(page, 'meta[http-equiv="Content-Security-Policy"]')["content"])
        assert f"script-src 'sha256-{digest}'" in policy
        assert policy.startswith("default-src 'none';")
        assert "unsafe-inline" not in policy.split("script-src")[1]

    def test_hostile_labels_are_text(self, page: BeautifulSoup) -> None:
        assert len(page.select("script")) == 1
        assert page.select("img, iframe, object, embed, base, form, link[href^=h]") == []
        assert len(page.select("style")) == 1
        handlers = [name for tag in page.find_all(True) for name in tag.attrs if name[:2] == "on"]
        assert handlers == []
        asked = [tag.get_text() for tag in page.select("#cases .asked")]
        assert f"第1问 {HOSTILE}" in asked

    def test_no_address_of_any_kind(self, html: str) -> None:
        assert re.findall(r"https?:|//[a-z]|@import|url\((?!#)|src=", html.replace(
            HOSTILE.replace("<", "&lt;").replace(">", "&gt;"), ""
        ).replace("src=x", "")) == []  # fmt: skip

    def test_links_inside_the_page_lead_somewhere_and_ids_are_unique(
        self, page: BeautifulSoup
    ) -> None:
        ids = [str(tag["id"]) for tag in page.find_all(id=True)]
        assert len(ids) == len(set(ids))
        used = {str(tag["href"])[1:] for tag in page.select("use")}
        used |= set(re.findall(r"url\(#([^)]+)\)", str(page)))
        assert used and used <= set(ids)


class TestContent:
    def test_head_of_the_page_says_what_was_measured(self, page: BeautifulSoup, run: Run) -> None:
        assert only(page, "html")["lang"] == "zh-CN"
        assert "width=device-width" in str(only(page, 'meta[name="viewport"]')["content"])
        told = only(page, "header").get_text()
        for part in ("题集.jsonl", "20 题", "2026-11-24 03:30", "cccccccc", "fake", run.name):
            assert part in told

    def test_tiles_show_shares_intervals_and_targets(self, page: BeautifulSoup, run: Run) -> None:
        tiles = {tile.find("span").get_text(): tile for tile in page.select(".tile")}  # type: ignore[union-attr]
        top1 = run.report["top1"]
        shown = tiles["政策排第一"].get_text()
        assert f"{top1['value'] * 100:.1f}%" in shown
        assert f"（{top1['low'] * 100:.1f}%–{top1['high'] * 100:.1f}%）{top1['n']} 题" in shown
        assert "目标≥92.0%" in shown
        assert "bad" in tiles["政策排第一"]["class"]
        assert "bad" not in tiles["数字与事实齐全"]["class"]
        assert "4 轮出错" in tiles["一轮 p50"].get_text()

    def test_every_failure_has_its_card_with_tags_and_sorts(
        self, page: BeautifulSoup, run: Run
    ) -> None:
        cards = page.select("#cases > li")
        assert len(cards) == len(run.report["failures"])
        sorts = {str(option["value"]) for option in page.select("#sort option")} - {""}
        used = {sort for card in cards for sort in str(card["data-sorts"]).split()}
        assert used == sorts
        assert {"refused", "offered", "answered", "status", "facts", "forbidden", "error"} <= sorts
        refused = next(card for card in cards if "q01" in card.get_text())
        assert "误拒" in refused.get_text()
        assert "政策不对" not in refused.get_text()
        assert "FT-001 福田区国高企业认定支持（存量企业）" in refused.get_text()

    def test_every_group_has_its_row(self, page: BeautifulSoup, run: Run) -> None:
        tables = {
            summary.get_text(): summary.find_parent("details")
            for summary in page.select("details > summary")
        }
        kinds = tables["按题型的全部数字"]
        assert kinds is not None
        rows = [row.find("td").get_text() for row in kinds.select("tbody tr")]  # type: ignore[union-attr]
        assert sorted(rows) == sorted([HOSTILE, "别名", "（无）"])
        assert "扶持内容" in str(tables["按问什么的全部数字"])

    def test_drawings_are_all_there(self, page: BeautifulSoup) -> None:
        drawn = {str(svg["aria-label"]) for svg in page.select("svg")}
        assert drawn == {
            "上次与这次", "越高越好", "越低越好", "说出的把握与实际", "一轮要多久", "按问什么", "按题型", "按意图",
            "按是否刁难", "弄混的意图", "弄混的问什么", "按政策层级",
        }  # fmt: skip

    def test_comparison_names_both_runs_what_changed_and_each_question(
        self, page: BeautifulSoup
    ) -> None:
        told = page.get_text()
        assert "before（2026-11-23T19:30:00+00:00，按 2026-11-24 作答）" in told
        assert "两次之间还变了：校准。" in told
        worse = next(
            d for d in page.select("details") if d.get_text().strip().startswith("变坏的题")
        )
        assert worse.select("li")
        assert all(card.select_one(".id") for card in worse.select("li"))

    def test_without_a_comparison_nothing_is_compared(self, run: Run) -> None:
        assert "与上次相比" not in answers_page(run)


def test_run_without_a_failure_says_so(run: Run) -> None:
    empty: dict[str, Any] = {"policies": [], "facets": {"labels": [], "counts": []}}
    confusion = {**empty, "intents": {"labels": ["greet"], "counts": [[3]]}}
    report = {**run.report, "failures": [], "reliability": None, "confusion": confusion}
    page = BeautifulSoup(answers_page(run.model_copy(update={"report": report})), "lxml")
    assert page.select("#cases") == page.select("#filter") == []
    assert "没有把一项政策答成另一项" in page.get_text()
    assert "说出的把握与实际" not in page.get_text()
