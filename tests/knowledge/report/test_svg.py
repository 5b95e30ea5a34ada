"""Drawings inside a page: no foreign names, no fonts or colours of their own, text that stays in the picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

import pytest
from markupsafe import Markup
from matplotlib.axes import Axes

from knowledge.report.plots import (
    Bar,
    Change,
    fitted,
    plot_changes,
    plot_groups,
    plot_intervals,
    plot_latencies,
    plot_matrix,
    plot_reliability,
)
from knowledge.report.svg import MAIN, drawn

ROW = Bar("过期或未施行的当作有效", 1.0, 0.98, 1.0, 357, 0.0, False)


def texts_of(svg: Markup) -> list[ElementTree.Element]:
    return [e for e in ElementTree.fromstring(str(svg)).iter("text")]


def edges_of(text: ElementTree.Element) -> tuple[float, float]:
    """Left and right end of a text as a browser draws it, in units of the picture: a Chinese character is one em."""
    style = text.attrib["style"]
    size = float(re.search(r"font-size: ([\d.]+)px", style)[1])  # type: ignore[index]
    wide = sum(0.62 if char.isascii() else 1.0 for char in text.text or "") * size
    at = float(text.attrib.get("x", 0))
    if "text-anchor: middle" in style:
        return at - wide / 2, at + wide / 2
    if "text-anchor: end" in style:
        return at - wide, at
    return at, at + wide


PICTURES = {
    "intervals": lambda: plot_intervals("a", "t", [ROW, Bar("短", 0.0, 0.0, 0.01, 9)]),
    "groups": lambda: plot_groups(
        "b", "t", {"a_rather_long_trap": {"top1": ROW}, "很长的题型名字写在这里": {"x": ROW}}, ["top1", "x"]
    ),
    "reliability": lambda: plot_reliability(
        "c", "t", [{"chance": 0.05, "value": 0.0, "low": 0.0, "high": 0.3, "n": 4}]
    ),
    "latencies": lambda: plot_latencies("d", "t", [3.0, *[20.0] * 50, 9000.0]),
    "one latency": lambda: plot_latencies("d1", "t", [0.0]),
    "matrix": lambda: plot_matrix("e", "t", ["application_status_x"] * 20, [[1] * 20] * 20),
    "changes": lambda: plot_changes("f", "t", [Change(ROW.title, 0.0, 1.0, None)]),
}  # fmt: skip


@pytest.mark.parametrize("name", PICTURES)
def test_no_text_leaves_its_picture(name: str) -> None:
    svg = PICTURES[name]()
    width = float(ElementTree.fromstring(str(svg)).attrib["viewBox"].split()[2])
    assert texts_of(svg)
    for text in texts_of(svg):
        left, right = edges_of(text)
        assert left >= -2 and right <= width + 2, text.text


@pytest.mark.parametrize("name", PICTURES)
def test_fonts_and_colours_are_the_page_s(name: str) -> None:
    svg = str(PICTURES[name]())
    assert "font-family" not in svg
    assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= {"#000000", "#ffffff"}
    assert "var(--" in svg
    assert "xmlns" not in svg and "http" not in svg and "<style" not in svg


def test_labels_are_text_not_markup_and_no_formula() -> None:
    def draw(axes: Axes) -> None:
        axes.set_yticks([0], ["<b>$x^2$</b> & 政策"])
        axes.plot([0, 1], [0, 0], color=MAIN)

    svg = drawn("n", '"><script>', 1.5, draw)
    assert "&lt;b&gt;$x^2$&lt;/b&gt; &amp; 政策" in svg
    assert "<script>" not in svg
    assert "var(--main)" in svg


def test_drawing_twice_gives_the_same() -> None:
    assert PICTURES["groups"]() == PICTURES["groups"]()


def test_names_keep_the_ids_of_two_drawings_apart() -> None:
    def ids(svg: Markup) -> set[str]:
        return set(re.findall(r'id="([^"]+)"', svg))

    rows: Sequence[Bar] = [ROW]
    assert not ids(plot_intervals("one", "t", rows)) & ids(plot_intervals("two", "t", rows))


@pytest.mark.parametrize(
    ("label", "shown"),
    [("别名", "别名"), ("prompt_attack", "prompt_attack"), ("很长的题型名字写在这里", "很长的题型名字…")],
)  # fmt: skip
def test_long_label_is_cut_by_its_width(label: str, shown: str) -> None:
    assert fitted(label) == shown
