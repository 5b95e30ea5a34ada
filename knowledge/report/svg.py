"""Draws matplotlib figures as SVG that lives inside an HTML page: the page's fonts and colours, no outside address."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from xml.etree import ElementTree

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Drawn in these colours, shown in the page's own (style.css), so that a dark page has a dark drawing.
INK, MUTED, LINE = "#1c2431", "#66717f", "#dde3ea"
MAIN, SECOND, GOOD, BAD, FAINT = "#2356c7", "#0f8a7c", "#18794f", "#c23b16", "#9aa5b3"
_VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    LINE: "var(--line)",
    MAIN: "var(--main)",
    SECOND: "var(--second)",
    GOOD: "var(--good)",
    BAD: "var(--bad)",
    FAINT: "var(--faint)",
}
WIDTH_IN = 5.0
POINTS = 72
_STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 10.5,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 10.5,
    "ytick.major.size": 0,
    "xtick.major.size": 0,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.axisbelow": True,
}
_FAMILY = re.compile(r"\s*font-family:[^;]*;?")
_REFERENCE = re.compile(r"url\(#")


def drawn(
    name: str, title: str, height_in: float, draw: Callable[[Axes], None], left: float = 1.75
) -> Markup:
    """One figure with one pair of axes. ``name`` is unique in the page, ``title`` what a screen reader says.

    ``left`` is the room for labels, inches. The width is fixed, so that a phone shows it in its own size.
    """
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(WIDTH_IN, height_in))
        bottom, top = 0.42, 0.12
        axes = figure.add_axes(
            (
                left / WIDTH_IN,
                bottom / height_in,
                1 - (left + 0.15) / WIDTH_IN,
                1 - (bottom + top) / height_in,
            )
        )
        draw(axes)
        written = io.BytesIO()
        with warnings.catch_warnings():
            # The browser draws the text with its own fonts; those of this machine need no Chinese.
            warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
            plain = dict.fromkeys(("Creator", "Date", "Format", "Type"))
            figure.savefig(written, format="svg", metadata=plain)
    return _inline(written.getvalue(), name, title)


def _inline(document: bytes, name: str, title: str) -> Markup:
    root = ElementTree.fromstring(document)
    for parent in root.iter():
        for child in list(parent):
            if child.tag.endswith(("}style", "}metadata")):
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {
            _local(key): _own(_local(key), value, name) for key, value in element.attrib.items()
        }
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib.update({"role": "img", "aria-label": title, "class": "plot"})
    return Markup(ElementTree.tostring(root, encoding="unicode", short_empty_elements=False))


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _own(key: str, value: str, name: str) -> str:
    """An attribute as the page needs it: ids that no other drawing has, the page's fonts and colours."""
    if key == "id":
        return f"{name}-{value}"
    if key == "href":
        return f"#{name}-{value.removeprefix('#')}"
    value = _REFERENCE.sub(f"url(#{name}-", value)
    if key == "style":
        value = _FAMILY.sub("", value)
        for colour, variable in _VARIABLES.items():
            value = value.replace(colour, variable)
    return value
