"""Holds two runs over the same questions against each other, question by question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scipy.stats import binomtest

from knowledge.evaluate import share
from knowledge.measures import MEASURE_OF, MEASURES, Measure
from knowledge.runs import Run, RunOutcome

# A difference this rare by chance alone is called one; told beside the numbers, never hidden behind them.
SIGNIFICANT = 0.05
Pair = tuple[RunOutcome, RunOutcome]


def compare_runs(before: Run, after: Run) -> dict[str, Any]:
    """What changed from one run to the next; both must be over the same questions in the same order.

    ``measures`` has for each measure the shares ``before`` and ``after`` (each over all questions it counts),
    ``difference`` of the two, and over the questions counted in both: how many got ``better`` and ``worse`` (for a measure
    where neither is better: became true, became false) and ``p``, the exact two-sided McNemar test (McNemar 1947;
    binomial, n = better + worse), 1 when nothing changed. ``better`` and ``worse`` list the questions with the
    measures that changed; one that gained here and lost there stands in both.
    """
    pairs = list(zip(before.outcomes, after.outcomes, strict=True))
    return {
        "before": _told(before),
        "after": _told(after),
        "changed": _changed_parts(before, after),
        "measures": {measure.key: _compare(measure, pairs) for measure in MEASURES},
        "latency_ms": {
            "before": before.report.get("latency_ms"),
            "after": after.report.get("latency_ms"),
        },
        "better": _moved(pairs, to_better=True),
        "worse": _moved(pairs, to_better=False),
    }


def mcnemar(better: int, worse: int) -> float:
    """The chance (0-1) of so uneven a split of the changed questions if neither run were better."""
    changed = better + worse
    if not changed:
        return 1.0
    return float(binomtest(min(better, worse), changed, 0.5).pvalue)


def _compare(measure: Measure, pairs: Sequence[Pair]) -> dict[str, Any]:
    key = measure.key
    before = share(old.marks[key] for old, _ in pairs if key in old.marks)
    after = share(new.marks[key] for _, new in pairs if key in new.marks)
    better = sum(_turned(measure, pair) is True for pair in pairs)
    worse = sum(_turned(measure, pair) is False for pair in pairs)
    known = before["value"] is not None and after["value"] is not None
    return {
        "before": before,
        "after": after,
        "difference": round(after["value"] - before["value"], 4) if known else None,  # type: ignore[operator]
        "better": better,
        "worse": worse,
        "p": round(mcnemar(better, worse), 4),
    }


def _turned(measure: Measure, pair: Pair) -> bool | None:
    """Whether the question turned to the better (true) or worse; ``None`` when it stayed or is not counted twice."""
    old, new = (each.marks.get(measure.key) for each in pair)
    if old is None or new is None or old == new:
        return None
    return new == (measure.wants is not False)


def _moved(pairs: Sequence[Pair], to_better: bool) -> list[dict[str, Any]]:
    moved = []
    for old, new in pairs:
        keys = [
            key
            for key, measure in MEASURE_OF.items()
            if measure.wants is not None and _turned(measure, (old, new)) is to_better
        ]
        if keys:
            moved.append(
                {
                    "id": new.id,
                    "text": new.text,
                    "measures": keys,
                    "before": _brought(old),
                    "after": _brought(new),
                }
            )
    return moved


def _brought(outcome: RunOutcome) -> dict[str, Any]:
    return {
        "policies": outcome.policies,
        "offered": outcome.offered,
        "refused": outcome.refused,
        "intent": outcome.intent,
        "said": outcome.said,
    }


def _told(run: Run) -> dict[str, Any]:
    return {
        "name": run.name,
        "saved_at": run.saved_at.isoformat(timespec="seconds"),
        **run.identity.model_dump(mode="json"),
    }


def _changed_parts(before: Run, after: Run) -> list[str]:
    """Which parts differ between the runs, by their keys: the day, catalogue, encoder, calibration or model."""
    parts = ("as_of", "catalogue", "encoder", "calibration", "model")
    return [
        part for part in parts if getattr(before.identity, part) != getattr(after.identity, part)
    ]
