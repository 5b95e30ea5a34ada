"""The page of retrieval: systems side by side, whatever else the report holds, hostile text harmless."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup

from knowledge.report.retrieval import retrieval_page

NUMBERS = {"recall@1": 0.816, "recall@5": 0.95, "recall@10": 0.97, "mrr@10": 0.879}


def page_of(report: dict[str, Any]) -> BeautifulSoup:
    return BeautifulSoup(retrieval_page(report), "lxml")


def test_systems_are_rows_in_their_order() -> None:
    page = page_of({"hybrid": NUMBERS, "words": NUMBERS, "latency_ms": {"p50": 1.0, "p95": 4.2}})
    assert [row.td.get_text() for row in page.select("tbody tr")] == ["词与义合用", "只用词"]  # type: ignore[union-attr]
    assert [cell.get_text() for cell in page.select("thead th")] == [
        "检索", "排第一", "在前五", "在前十", "MRR@10",
    ]  # fmt: skip
    assert "0.816" in page.select("tbody tr")[0].get_text()
    assert "p95 4.2 毫秒" in page.get_text()
    assert len(page.select("svg")) == 1


def test_shares_bring_their_intervals() -> None:
    share = {"value": 0.8, "low": 0.0, "high": 0.9, "n": 120}
    page = page_of({"dense": {"recall@1": share}})
    cell = page.select("tbody td")[1].get_text()
    assert "0.800" in cell and "0.000–0.900" in cell


@pytest.mark.parametrize("extra", [{"rerank": NUMBERS}, {"queries": 500}, {"notes": ["<b>x</b>"]}])
def test_what_else_the_report_holds_is_shown(extra: dict[str, Any]) -> None:
    page = page_of({"hybrid": NUMBERS, **extra})
    (key,) = extra
    assert key in page.get_text()
    assert page.select("dd b") == []


def test_failures_are_cards_and_text() -> None:
    row = {"id": "q1", "text": "<script>alert(1)</script>", "want": ["d1"], "got": ["d2"]}
    page = page_of({"hybrid": NUMBERS, "failures": [row]})
    assert len(page.select("script")) == 1
    assert page.select("#cases .asked")[0].get_text() == row["text"]
    assert '["d1"]' in page.select("#cases")[0].get_text()


def test_report_without_a_system_still_is_a_page() -> None:
    page = page_of({"error": "no queries"})
    assert "no queries" in page.get_text()
    assert page.select("svg") == []
