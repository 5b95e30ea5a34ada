"""Labels profiles from the raw lines of the catalogue, in plain words and apart from the product's own code.

Nothing is imported from ``knowledge``: this is what ``README`` of the policy facts says of each op, read once more.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CATALOGUE = Path(__file__).resolve().parents[2] / "knowledge" / "data" / "catalogue"
Facts = dict[str, Any]
Criterion = dict[str, Any]


def items() -> dict[str, list[Criterion]]:
    """The criteria of every item by id, as they stand in the files."""
    found: dict[str, list[Criterion]] = {}
    for path in sorted(CATALOGUE.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            found[row["id"]] = row["criteria"]
    return found


def label(criteria: list[Criterion], facts: Facts) -> tuple[str, str]:
    """``eligible``, ``ineligible`` or ``unknown``, and the first condition that decides it."""
    doubtful = ""
    for criterion in criteria:
        answer = holds(criterion, facts)
        if answer is False:
            return "ineligible", f"不满足：{told(criterion, facts)}"
        if answer is None and not doubtful:
            doubtful = f"不知道：{told(criterion, facts)}"
    return ("unknown", doubtful) if doubtful else ("eligible", "全部满足")


def holds(criterion: Criterion, facts: Facts) -> bool | None:
    """Yes, no, or ``None`` where the facts do not say."""
    op, need = criterion["op"], criterion["value"]
    if op == "or":
        answers = [holds(part, facts) for part in need]
        if any(answer is True for answer in answers):
            return True
        return None if any(answer is None for answer in answers) else False
    if criterion["field"] not in facts:
        return None
    have = facts[criterion["field"]]
    if op == "eq":
        return bool(have == need)
    if op == "in":
        return any(have == each for each in need)
    if op == "includes_any":
        return any(each == held for each in need for held in have)
    if op == "excludes":
        return not any(each == held for each in need for held in have)
    difference = have - need
    return bool(
        {
            "gte": difference >= 0,
            "gt": difference > 0,
            "lte": difference <= 0,
            "lt": difference < 0,
        }[op]
    )


def told(criterion: Criterion, facts: Facts) -> str:
    """The condition and what is known for it, short."""
    if criterion["op"] == "or":
        return "或".join(told(part, facts) for part in criterion["value"])
    have = facts.get(criterion["field"], "没有说")
    return f"{criterion['field']} {criterion['op']} {criterion['value']}（{have}）"
