"""Tells in Chinese what changed from one run to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from knowledge.comparison import SIGNIFICANT
from knowledge.measures import MEASURE_OF
from knowledge.report.failures import Titles, named
from knowledge.report.plots import Change, plot_changes
from knowledge.report.words import PARTS, measure_title, percent

# The complement of another measure: it changes for the same questions, and is told once.
_TOLD_ELSEWHERE = frozenset({"refused_unanswerable"})


def tell_comparison(comparison: Mapping[str, Any], titles: Titles) -> dict[str, Any]:
    """A comparison of ``compare_runs`` as the page's template wants it."""
    measures = {
        key: found
        for key, found in comparison["measures"].items()
        if found["difference"] is not None
    }
    changes = [
        Change(
            measure_title(key),
            found["before"]["value"],
            found["after"]["value"],
            is_improvement(key, found["difference"]),
        )
        for key, found in measures.items()
    ]
    times = comparison["latency_ms"]
    return {
        "before": _run(comparison["before"]),
        "after": _run(comparison["after"]),
        "changed": _changed(comparison["changed"]),
        "plot": plot_changes("changes", "上次与这次", changes) if changes else "",
        "rows": [_row(key, found) for key, found in measures.items()],
        "latency_before": _latency(times["before"]),
        "latency_after": _latency(times["after"]),
        "lists": [
            _list("变坏的题", "down", comparison["worse"], titles, is_open=True),
            _list("变好的题", "up", comparison["better"], titles, is_open=False),
        ],
    }


def is_improvement(key: str, difference: float) -> bool | None:
    """Whether a difference is for the better; ``None`` for no difference, or where neither is better."""
    wants = MEASURE_OF[key].wants
    return None if wants is None or not difference else (difference > 0) == wants


def _row(key: str, found: Mapping[str, Any]) -> dict[str, Any]:
    difference = found["difference"]
    better = is_improvement(key, difference)
    return {
        "title": measure_title(key),
        "before": _share(found["before"]),
        "after": _share(found["after"]),
        "difference": f"{difference * 100:+.1f}" if difference else "0",
        "state": {True: "up", False: "down", None: ""}[better],
        "better": found["better"],
        "worse": found["worse"],
        "p": f"{found['p']:.3f}{' *' if found['p'] < SIGNIFICANT else ''}",
    }


def _share(found: Mapping[str, Any]) -> str:
    return f"{percent(found['value'])}（{percent(found['low'])}–{percent(found['high'])}）"


def _latency(times: Mapping[str, float] | None) -> str:
    return "—" if times is None else f"{times['p50']:.0f} / {times['p95']:.0f}"


def _run(told: Mapping[str, Any]) -> str:
    return f"{told['name']}（{told['saved_at']}，按 {told['as_of']} 作答）"


def _changed(parts: Sequence[str]) -> str:
    if not parts:
        return "日期、目录、编码器、校准和对话模型都没有变：差别来自程序本身。"
    return f"两次之间还变了：{'、'.join(PARTS[part] for part in parts)}。"


def _list(
    title: str, state: str, moved: Sequence[Mapping[str, Any]], titles: Titles, is_open: bool
) -> dict[str, Any]:
    return {
        "title": title,
        "state": state,
        "open": is_open and bool(moved),
        "cases": [
            {
                "id": case["id"],
                "text": case["text"],
                "tags": [
                    measure_title(key) for key in case["measures"] if key not in _TOLD_ELSEWHERE
                ],
                "before": _side(case["before"], titles),
                "after": _side(case["after"], titles),
            }
            for case in moved
        ],
    }


def _side(brought: Mapping[str, Any], titles: Titles) -> dict[str, Any]:
    return {
        "refused": brought["refused"],
        "offered": named(brought["offered"], titles),
        "policies": named(brought["policies"][:1], titles),
    }
