"""The drawings of a report: intervals against targets, groups, reliability, latencies, what was taken for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from knowledge.report.svg import BAD, FAINT, GOOD, INK, LINE, MAIN, MUTED, SECOND, drawn
from knowledge.report.words import percent

ROW_IN = 0.3
_PALETTE = (MAIN, SECOND, BAD, FAINT)
_AXIS_IN = 0.54


@dataclass(frozen=True)
class Bar:
    """One row of a plot: a share (0-1) with its interval; ``target`` absent when there is none to reach."""

    title: str
    value: float
    low: float
    high: float
    n: int
    target: float | None = None
    is_reached: bool | None = None


@dataclass(frozen=True)
class Change:
    """One measure before and after."""

    title: str
    before: float
    after: float
    is_better: bool | None


def plot_intervals(name: str, title: str, rows: Sequence[Bar]) -> Markup:
    """Shares with their intervals, a tick where the target stands; the axis ends where the rows do."""

    def draw(axes: Axes) -> None:
        for y, row in enumerate(reversed(rows)):
            colour = {True: GOOD, False: BAD, None: MAIN}[row.is_reached]
            axes.plot([row.low, row.high], [y, y], color=colour, linewidth=2.2, alpha=0.45)
            axes.plot([row.value], [y], "o", color=colour, markersize=6)
            if row.target is not None:
                axes.plot([row.target] * 2, [y - 0.34, y + 0.34], color=INK, linewidth=1.6)
        ends = [end for row in rows for end in (row.low, row.high, row.target) if end is not None]
        low, high = max(0.0, min(ends) - 0.03), min(1.0, max(ends) + 0.03)
        axes.set_xlim(low - 0.01 * (high - low), high + 0.01 * (high - low))
        _label_rows(axes, [f"{row.title} {percent(row.value)}" for row in rows])

    return drawn(name, title, _height(len(rows)), draw, left=2.35)


def plot_groups(
    name: str, title: str, groups: Mapping[str, Mapping[str, Bar]], order: Sequence[str]
) -> Markup:
    """A bar with its interval for each measure of each group, its number of questions at the right.

    A measure has one colour in all groups, by its place in ``order``.
    """
    rows = sum(len(bars) for bars in groups.values())

    def draw(axes: Axes) -> None:
        position = 0.0
        named = []
        for group, bars in reversed(list(groups.items())):
            start = position
            for key, bar in reversed(list(bars.items())):
                colour = _PALETTE[order.index(key) % len(_PALETTE)]
                axes.barh(position, bar.value, 0.72, color=colour, alpha=0.85)
                if bar.low < bar.high:
                    axes.plot([bar.low, bar.high], [position] * 2, color=INK, linewidth=1)
                if bar.n:
                    axes.text(1.03, position, str(bar.n), va="center", fontsize=9, color=MUTED)
                position += 0.8
            named.append(((start + position - 0.8) / 2, fitted(group)))
            position += 0.45
        axes.set_ylim(-0.75, position - 0.45)
        axes.set_yticks([y for y, _ in named], [group for _, group in named])
        axes.set_xlim(0, 1.13)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
        _percent_axis(axes)

    height = _AXIS_IN + 0.24 * rows + 0.12 * len(groups)
    return drawn(name, title, height, draw, left=1.55)


def plot_reliability(name: str, title: str, bins: Sequence[Mapping[str, Any]]) -> Markup:
    """The share that came true over the chance told; on the dashed line the chances are honest."""

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], "--", color=FAINT, linewidth=1.2)
        largest = max(each["n"] for each in bins)
        for each in bins:
            axes.plot([each["chance"]] * 2, [each["low"], each["high"]], color=MAIN, alpha=0.45)
            size = 3.5 + 8 * (each["n"] / largest) ** 0.5
            axes.plot([each["chance"]], [each["value"]], "o", color=MAIN, markersize=size)
        axes.set_xlim(-0.03, 1.03)
        axes.set_ylim(-0.03, 1.03)
        axes.set_yticks(axes.get_xticks()[1:-1])
        axes.yaxis.set_major_formatter(PercentFormatter(1, 0))
        _percent_axis(axes, both=True)
        axes.set_xlabel("说出的把握")
        axes.set_xlim(-0.03, 1.03)

    return drawn(name, title, 3.6, draw, left=0.6)


def plot_latencies(name: str, title: str, latencies_ms: Sequence[float]) -> Markup:
    """How many turns took how long, milliseconds on a logarithmic axis, with median and 95th percentile."""

    def draw(axes: Axes) -> None:
        times = np.maximum(np.array(latencies_ms), 0.1)
        edges = np.geomspace(times.min() * 0.95, times.max() * 1.05, 28)
        axes.hist(times, bins=edges.tolist(), color=MAIN, alpha=0.85)
        axes.set_xscale("log")
        top = axes.get_ylim()[1]
        for share, height in ((50, 1.06), (95, 1.2)):
            at = float(np.percentile(times, share))
            axes.plot([at, at], [0, top * height], color=INK, linewidth=1.1)
            axes.text(at, top * height, f"p{share} {at:.0f} ms ", fontsize=9, ha="right", va="top")
        axes.set_ylim(0, top * 1.22)
        marks = [each for each in _ROUND_MS if times.min() * 0.9 <= each <= times.max() * 1.1]
        axes.set_xticks(marks, [f"{each:g}" for each in marks])
        axes.minorticks_off()
        axes.set_xlabel("毫秒")
        axes.grid(axis="y", color=LINE, linewidth=0.8)

    return drawn(name, title, 2.5, draw, left=0.5)


def plot_matrix(
    name: str, title: str, labels: Sequence[str], counts: Sequence[Sequence[int]]
) -> Markup:
    """What was wanted (rows) against what came (columns, by the row's number); off the diagonal stands out."""
    size = len(labels)

    def draw(axes: Axes) -> None:
        for row, line in enumerate(counts):
            total = sum(line)
            for column, count in enumerate(line):
                if not count:
                    continue
                colour = GOOD if row == column else BAD
                strength = 0.15 + 0.7 * (count / total)
                corner = (column - 0.5, row - 0.5)
                axes.add_patch(Rectangle(corner, 1, 1, facecolor=colour, alpha=strength, lw=0))
                axes.text(column, row, str(count), ha="center", va="center", fontsize=font)
        axes.set_xlim(-0.5, size - 0.5)
        axes.set_ylim(size - 0.5, -0.5)
        axes.set_yticks(
            range(size), [f"{fitted(label, 11)} {n}" for n, label in enumerate(labels, 1)]
        )
        axes.set_xticks(range(size), [str(n) for n in range(1, size + 1)])
        axes.set_xticks(np.arange(-0.5, size), minor=True)
        axes.set_yticks(np.arange(-0.5, size), minor=True)
        axes.grid(which="minor", color=LINE, linewidth=0.7)
        axes.tick_params(which="both", length=0)

    font = 9 if size <= 12 else 7.5
    return drawn(name, title, _AXIS_IN + max(1.2, 0.25 * size), draw, left=1.45)


def plot_changes(name: str, title: str, rows: Sequence[Change]) -> Markup:
    """Each measure before (hollow) and after (full), joined by a line."""

    def draw(axes: Axes) -> None:
        for y, row in enumerate(reversed(rows)):
            colour = {True: GOOD, False: BAD, None: MUTED}[row.is_better]
            axes.plot([row.before, row.after], [y, y], color=colour, linewidth=2)
            axes.plot([row.before], [y], "o", color=colour, markersize=6, fillstyle="none")
            axes.plot([row.after], [y], "o", color=colour, markersize=6)
        axes.set_xlim(-0.02, 1.02)
        _label_rows(axes, [row.title for row in rows])

    return drawn(name, title, _height(len(rows)), draw, left=1.85)


_ROUND_MS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)


def fitted(label: str, width: int = 15) -> str:
    """A label cut to ``width`` Latin letters; a Chinese character is as wide as two."""
    taken = 0
    for index, char in enumerate(label):
        taken += 1 if char.isascii() else 2
        if taken > width:
            return f"{label[:index]}…"
    return label


def _height(rows: int) -> float:
    return _AXIS_IN + ROW_IN * max(rows, 1)


def _label_rows(axes: Axes, labels: Sequence[str]) -> None:
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.set_yticks(range(len(labels)), list(reversed(labels)))
    _percent_axis(axes)


def _percent_axis(axes: Axes, both: bool = False) -> None:
    axes.xaxis.set_major_formatter(PercentFormatter(1, 0))
    axes.grid(axis="both" if both else "x", color=LINE, linewidth=0.8)
