"""The page of an evaluation of retrieval: each system's numbers side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from knowledge.report.plots import Bar, plot_groups
from knowledge.report.rendering import render

_SYSTEMS = {"hybrid": "词与义合用", "words": "只用词", "dense": "只用义"}
_METRICS = {
    "recall@1": "排第一",
    "recall@5": "在前五",
    "recall@10": "在前十",
    "mrr@10": "MRR@10",
}
_MOST_FAILURES = 500


def retrieval_page(report: Mapping[str, Any], title: str = "检索评测") -> str:
    """One HTML file that works offline, from the report of ``qifu eval retrieval``.

    A system is any entry that holds numbers or shares (``{"value","low","high","n"}``) under the names of the metrics;
    ``failures``, where there are any, are rows with ``id`` and ``text``; everything else is shown as it is.
    """
    systems = {key: value for key, value in report.items() if _is_system(value)}
    columns = list(dict.fromkeys(name for numbers in systems.values() for name in numbers))
    shown = [name for name in columns if any(_bar(s.get(name)) for s in systems.values())]
    others = {k: v for k, v in report.items() if k not in systems and k != "failures"}
    return render(
        "retrieval.html.jinja",
        {
            "title": title,
            "facts": _facts(report),
            "figures": _figures(systems, shown),
            "columns": [_METRICS.get(name, name) for name in columns],
            "rows": [
                {
                    "name": _SYSTEMS.get(key, key),
                    "cells": [_cell(numbers.get(name)) for name in columns],
                }
                for key, numbers in systems.items()
            ],
            "others": [{"title": key, "text": _plain(value)} for key, value in others.items()],
            "failures": [_failure(row) for row in report.get("failures", [])[:_MOST_FAILURES]],
        },
    )


def _is_system(value: object) -> bool:
    return isinstance(value, Mapping) and any(name in value for name in _METRICS)


def _figures(systems: Mapping[str, Mapping[str, Any]], names: list[str]) -> list[dict[str, Any]]:
    groups = {
        _METRICS.get(name, name): {
            _SYSTEMS.get(key, key): bar
            for key, numbers in systems.items()
            if (bar := _bar(numbers.get(name)))
        }
        for name in names
    }
    if not groups:
        return []
    order = [_SYSTEMS.get(key, key) for key in systems]
    plot = plot_groups("systems", "各种检索的结果", groups, order)
    note = "每组从上到下的顺序与下表相同；细线是 95% 区间（报告里有的话）。"
    return [{"title": "各种检索的结果", "plot": plot, "note": note}]


def _bar(found: object) -> Bar | None:
    """A number between 0 and 1, or a share; anything else is no bar."""
    if isinstance(found, Mapping) and isinstance(found.get("value"), int | float):
        value = float(found["value"])
        ends = [found.get(end) for end in ("low", "high")]
        low, high = (value if end is None else float(end) for end in ends)
        return Bar("", value, low, high, int(found.get("n") or 0))
    if isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found <= 1:
        return Bar("", float(found), float(found), float(found), 0)
    return None


def _cell(found: object) -> dict[str, str]:
    bar = _bar(found)
    if bar is None:
        return {"value": "—" if found is None else _plain(found), "under": ""}
    under = f"{bar.low:.3f}–{bar.high:.3f}" if bar.low < bar.high else ""
    return {"value": f"{bar.value:.3f}", "under": under}


def _facts(report: Mapping[str, Any]) -> list[str]:
    times = report.get("latency_ms")
    if not isinstance(times, Mapping) or not {"p50", "p95"} <= times.keys():
        return []
    return [f"一次检索 p50 {times['p50']:.1f} 毫秒", f"p95 {times['p95']:.1f} 毫秒"]


def _failure(row: Mapping[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in row.items() if key not in {"id", "text"}}
    return {
        "id": str(row.get("id", "")),
        "text": str(row.get("text", "")),
        "lines": [{"title": key, "text": _plain(value)} for key, value in rest.items()],
    }


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
