"""The page of an evaluation of answers: what a reader sees first, by group, what was mixed up, what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta, timezone
from typing import Any

from knowledge.measures import MEASURE_OF, MEASURES, Measure
from knowledge.report.failures import Titles, named, tell_failure
from knowledge.report.plots import (
    Bar,
    plot_groups,
    plot_intervals,
    plot_latencies,
    plot_matrix,
    plot_reliability,
)
from knowledge.report.progress import tell_comparison
from knowledge.report.rendering import render
from knowledge.report.words import DIMENSIONS, FAILURES, group_title, percent
from knowledge.runs import Run

Report = Mapping[str, Any]
_TILES = (
    "top1",
    "top3",
    "invented",
    "refused_answerable",
    "expired_as_valid",
    "citation_ok",
    "facts",
    "intent_accuracy",
)
_BY_GROUP = ("top1", "refused_unanswerable")
_MOST_GROUPS = 16
_BEIJING = timezone(timedelta(hours=8))


def answers_page(
    run: Run, titles: Titles | None = None, comparison: Mapping[str, Any] | None = None
) -> str:
    """One HTML file that works offline. ``titles`` names policies by id; ``comparison`` is ``compare_runs``'s."""
    report, known = run.report, titles or {}
    told = [tell_failure(failure, known) for failure in report["failures"]]
    return render(
        "answers.html.jinja",
        {
            "title": "、".join(run.identity.files),
            "facts": _facts(run),
            "tiles": [*_tiles(report), _latency_tile(report)],
            "figures": _figures(run),
            "group_figures": _group_figures(report["breakdown"]),
            "tables": [_table(name, report["breakdown"].get(name, {})) for name in DIMENSIONS],
            "matrices": _matrices(report["confusion"]),
            "confused": [_confused(pair, known) for pair in report["confusion"]["policies"]],
            "failures": told,
            "sorts": _sorts(told),
            "comparison": tell_comparison(comparison, known) if comparison else None,
        },
    )


def _facts(run: Run) -> list[str]:
    """What was measured and when, in Beijing time."""
    identity = run.identity
    return [
        f"{len(run.outcomes)} 题",
        f"按 {identity.as_of} 作答",
        f"评测于 {run.saved_at.astimezone(_BEIJING):%Y-%m-%d %H:%M}",
        f"目录 {identity.catalogue[:8]}",
        f"编码器 {identity.encoder}",
        f"校准 {identity.calibration[:8]}",
        f"存为 {run.name}",
    ]


def _tiles(report: Report) -> list[dict[str, Any]]:
    return [_tile(MEASURE_OF[key], report[key]) for key in _TILES if report[key]["n"]]


def _tile(measure: Measure, found: Mapping[str, Any]) -> dict[str, Any]:
    under = f"（{percent(found['low'])}–{percent(found['high'])}）{found['n']} 题"
    if measure.target is not None:
        under += f" · 目标{'≥' if measure.wants else '≤'}{percent(measure.target)}"
    return {
        "title": measure.title,
        "value": percent(found["value"]),
        "under": under,
        "state": _state(measure, found["value"]),
    }


def _latency_tile(report: Report) -> dict[str, Any]:
    times = report["latency_ms"]
    under = f"毫秒 · p95 {times['p95']:.0f} 毫秒"
    if report["errors"]:
        under += f" · {report['errors']} 轮出错"
    return {
        "title": "一轮 p50",
        "value": f"{times['p50']:.0f}",
        "under": under,
        "state": "bad" if report["errors"] else "",
    }


def _state(measure: Measure, value: float) -> str:
    return {True: "good", False: "bad", None: ""}[measure.is_reached(value)]


def _bar(measure: Measure, found: Mapping[str, Any]) -> Bar:
    value = found["value"]
    reached = measure.is_reached(value)
    return Bar(
        measure.title, value, found["low"], found["high"], found["n"], measure.target, reached
    )


def _figures(run: Run) -> list[dict[str, Any]]:
    """The measures against their targets, the chance against the truth, the latencies."""
    report, figures = run.report, []
    for name, title, wants in (("high", "越高越好", (True,)), ("low", "越低越好", (False, None))):
        rows = [
            _bar(measure, report[measure.key])
            for measure in MEASURES
            if measure.wants in wants and report[measure.key]["n"]
        ]
        if rows:
            note = "点是结果，横线是 95% 区间，黑色竖线是目标。绿：达到；红：没有达到；蓝：没有定目标。"
            plot = plot_intervals(f"measures-{name}", title, rows)
            figures.append({"title": title, "plot": plot, "note": note})
    told = report.get("reliability")
    if told:
        figures.append(
            {
                "title": "说出的把握与实际",
                "plot": plot_reliability("reliability", "说出的把握与实际", told["bins"]),
                "note": f"越靠近虚线越准；点越大题越多。{told['n']} 题，平均偏差 {percent(told['gap'])}，Brier {told['brier']:.3f}。",
            }
        )
    latencies = [outcome.latency_ms for outcome in run.outcomes]
    figures.append(
        {
            "title": "一轮要多久",
            "plot": plot_latencies("latencies", "一轮要多久", latencies),
            "note": "横轴是对数刻度；只算被问的那一轮，不算重放的上文。",
        }
    )
    return figures


def _group_figures(breakdown: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    figures = []
    for dimension, title in DIMENSIONS.items():
        groups = {}
        for name, shares in list(breakdown.get(dimension, {}).items())[:_MOST_GROUPS]:
            bars = {key: _bar(MEASURE_OF[key], shares[key]) for key in _BY_GROUP if key in shares}
            if bars:
                groups[group_title(dimension, name)] = bars
        if len(groups) > 1:
            plot = plot_groups(f"by-{dimension}", f"按{title}", groups, order=_BY_GROUP)
            figures.append({"title": title, "plot": plot})
    return figures


def _table(dimension: str, groups: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """All measures of all groups; a measure that counts nobody is left out."""
    measures = [m for m in MEASURES if any(m.key in shares for shares in groups.values())]
    return {
        "title": DIMENSIONS[dimension],
        "columns": [measure.title for measure in measures],
        "rows": [
            {
                "name": group_title(dimension, name),
                "cells": [_cell(measure, shares.get(measure.key)) for measure in measures],
            }
            for name, shares in groups.items()
        ],
    }


def _cell(measure: Measure, found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if found is None:
        return None
    state = _state(measure, found["value"])
    return {"value": percent(found["value"]), "n": found["n"], "state": state}


def _matrices(confusion: Report) -> list[dict[str, Any]]:
    kinds = (("facets", "facet", "问什么"), ("intents", "intent", "意图"))
    figures = []
    for key, dimension, title in kinds:
        matrix = confusion[key]
        if len(matrix["labels"]) > 1:
            labels = [group_title(dimension, label) for label in matrix["labels"]]
            plot = plot_matrix(f"confused-{key}", f"弄混的{title}", labels, matrix["counts"])
            figures.append({"title": title, "plot": plot})
    return figures


def _confused(pair: Mapping[str, Any], titles: Titles) -> dict[str, Any]:
    return {
        "want": named(pair["want"], titles),
        "got": named([pair["got"]], titles),
        "n": pair["n"],
        "siblings": pair["siblings"],
        "ids": "、".join(pair["ids"]),
    }


def _sorts(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    seen = Counter(sort for case in told for sort in case["sorts"])
    return [{"key": key, "title": FAILURES[key], "n": n} for key, n in seen.most_common()]
