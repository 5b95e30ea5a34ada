"""Writes the labelled profiles of ``qifu eval match``: ``python -m tests.knowledge.match_profiles``.

Two kinds of profiles: enterprises made up by hand, most with facts missing; and one for each of many items that meets
it, misses it by the smallest step, or leaves one fact out. Every label comes from ``label_oracle``, never from the
product. ``dev`` and ``test`` share no profile.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.knowledge.enterprises import ENTERPRISES
from tests.knowledge.label_oracle import Criterion, Facts, items, label

FOLDER = Path(__file__).resolve().parents[2] / "knowledge" / "data" / "match"
LABELS_OF_AN_ENTERPRISE = 36
LABELS_OF_A_PROBE = 9
_KINDS = ("meets", "misses", "lacks")


def main() -> None:
    catalogue = items()
    FOLDER.mkdir(parents=True, exist_ok=True)
    rng = random.Random(20261124)
    for name, rows in split(catalogue).items():
        lines = [json.dumps(labelled(row, catalogue, rng), ensure_ascii=False) for row in rows]
        (FOLDER / f"{name}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


def split(catalogue: dict[str, list[Criterion]]) -> dict[str, list[dict[str, Any]]]:
    """All profiles by file, none twice; enterprises and probes take turns."""
    made: dict[str, list[dict[str, Any]]] = {"dev": [], "test": []}
    seen = list(ENTERPRISES)
    for at, facts in enumerate(ENTERPRISES):
        made["dev" if at % 2 else "test"].append({"id": f"e{at:03}", "profile": facts})
    for at, (policy_id, criteria) in enumerate(catalogue.items()):
        kind = _KINDS[(at // 2) % 3]
        facts = probe(criteria, kind)
        if at % 2 or facts in seen:
            continue
        seen.append(facts)
        row = {"id": f"{policy_id}-{kind}", "profile": facts, "about": policy_id}
        made["dev" if at % 4 else "test"].append(row)
    return made


def labelled(
    row: dict[str, Any], catalogue: dict[str, list[Criterion]], rng: random.Random
) -> dict[str, Any]:
    """The row with labels: of its own item, and of others, as many as there are of each verdict where possible."""
    found = {each: label(criteria, row["profile"]) for each, criteria in catalogue.items()}
    about = row.get("about")
    wanted = LABELS_OF_A_PROBE if about else LABELS_OF_AN_ENTERPRISE
    chosen = {about} if about else set()
    for verdict in ("eligible", "ineligible", "unknown"):
        same = [each for each, (given, _) in found.items() if given == verdict]
        chosen |= set(rng.sample(same, min(len(same), wanted // 3)))
    labels = [
        {"policy_id": each, "label": found[each][0], "why": found[each][1]}
        for each in catalogue
        if each in chosen
    ]
    return {"id": row["id"], "profile": row["profile"], "labels": labels}


def probe(criteria: list[Criterion], kind: str) -> Facts:
    """Facts that meet all conditions; then the last condition is missed by one step, or its fact left out."""
    facts: Facts = {}
    for criterion in criteria:
        for field, value in met_by(criterion):
            facts[field] = (
                sorted({*facts.get(field, []), *value}) if isinstance(value, list) else value
            )
    last = criteria[-1]
    for leaf in last["value"] if last["op"] == "or" else [last]:
        if kind == "misses":
            facts[leaf["field"]] = missed(leaf, facts.get(leaf["field"]))
        elif kind == "lacks":
            facts.pop(leaf["field"], None)
    return facts


def met_by(criterion: Criterion) -> Iterator[tuple[str, Any]]:
    """The fact that just meets a condition; of an alternative, that of its first."""
    field, op, need = criterion["field"], criterion["op"], criterion["value"]
    if op == "or":
        yield from met_by(need[0])
    elif op == "excludes":
        yield field, []
    elif op in {"in", "includes_any"}:
        yield field, need[-1] if op == "in" else [need[-1]]
    else:
        yield field, {"gt": need + 1, "lt": need - 1}[op] if op in {"gt", "lt"} else need


def missed(criterion: Criterion, have: Any) -> Any:
    """A fact that just misses a condition."""
    op, need = criterion["op"], criterion["value"]
    if op == "excludes":
        return sorted({*(have or []), need[0]})
    if op == "includes_any":
        return [each for each in have or [] if each not in need]
    if op in {"eq", "in"}:
        if isinstance(need, bool):
            return not need
        return "南山区" if need != "南山区" and isinstance(need, str) else "其他"
    step = 0.5 if abs(need) < 100 else 1
    return {"gte": need - step, "gt": need, "lte": need + step, "lt": need}[op]


if __name__ == "__main__":
    main()
