"""Tells an evaluation of answers in lines for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from knowledge.comparison import SIGNIFICANT
from knowledge.measures import MEASURES
from knowledge.report.progress import is_improvement
from knowledge.report.words import DIMENSIONS, group_title, percent

_BY_GROUP = ("top1", "refused_answerable", "refused_unanswerable", "intent_accuracy")
_NAME_WIDTH = 24


def report_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The measures with their intervals and targets, the groups in short, the failures, one a line."""
    for measure in MEASURES:
        found = report[measure.key]
        if found["n"]:
            target = ""
            if measure.target is not None:
                reached = "✓" if measure.is_reached(found["value"]) else "✗"
                target = f"  {reached} 目标{'≥' if measure.wants else '≤'}{percent(measure.target)}"
            yield (
                f"{measure.key:{_NAME_WIDTH}} {found['value']:.3f}  "
                f"[{found['low']:.3f}, {found['high']:.3f}]  n={found['n']:<5} {measure.title}{target}"
            )
    times = report["latency_ms"]
    yield f"{'latency_ms':{_NAME_WIDTH}} p50 {times['p50']:.1f}  p95 {times['p95']:.1f}"
    if report["errors"]:
        yield f"{'errors':{_NAME_WIDTH}} {report['errors']}"
    yield from _group_lines(report["breakdown"])
    yield from _confusion_lines(report)
    yield f"failures: {len(report['failures'])}"
    for row in report["failures"]:
        yield f"  {json.dumps(row, ensure_ascii=False)}"


def comparison_lines(comparison: Mapping[str, Any]) -> Iterator[str]:
    """Before and after of every measure with the paired test, then the questions that changed."""
    yield f"与 {comparison['before']['name']} 相比（按 {comparison['before']['as_of']} 作答）"
    if comparison["changed"]:
        yield f"  还变了：{'、'.join(comparison['changed'])}"
    for key, found in comparison["measures"].items():
        if found["difference"] is not None:
            sign = {True: "↑好", False: "↓坏", None: ""}[is_improvement(key, found["difference"])]
            rare = " *" if found["p"] < SIGNIFICANT else ""
            yield (
                f"  {key:{_NAME_WIDTH}} {found['before']['value']:.3f} → {found['after']['value']:.3f}  "
                f"变好 {found['better']} 变坏 {found['worse']}  p={found['p']:.3f}{rare} {sign}"
            )
    times = comparison["latency_ms"]
    if times["before"] and times["after"]:
        yield (
            f"  {'latency_ms':{_NAME_WIDTH}} p50 {times['before']['p50']:.1f} → {times['after']['p50']:.1f}  "
            f"p95 {times['before']['p95']:.1f} → {times['after']['p95']:.1f}"
        )
    for title, key in (("变坏", "worse"), ("变好", "better")):
        yield f"{title}的题：{len(comparison[key])}"
        for case in comparison[key]:
            yield f"  {case['id']}  {case['text']}  （{', '.join(case['measures'])}）"


def _group_lines(breakdown: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for dimension, title in DIMENSIONS.items():
        groups = breakdown[dimension]
        if len(groups) < 2:
            continue
        yield f"按{title}"
        for name, shares in groups.items():
            told = [
                f"{key} {shares[key]['value']:.3f} ({shares[key]['n']})"
                for key in _BY_GROUP
                if key in shares
            ]
            yield f"  {group_title(dimension, name)}：{'  '.join(told)}"


def _confusion_lines(report: Mapping[str, Any]) -> Iterator[str]:
    pairs = report["confusion"]["policies"]
    siblings = sum(pair["n"] for pair in pairs if pair["siblings"])
    yield f"错认的政策：{sum(pair['n'] for pair in pairs)} 题，其中同一项目的不同口径 {siblings} 题"
    told = report["reliability"]
    if told:
        yield f"说出的把握：{told['n']} 题，平均偏差 {percent(told['gap'])}，Brier {told['brier']:.3f}"
