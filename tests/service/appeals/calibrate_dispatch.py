"""Fits the dispatcher's two weights on half of dispatch_set.jsonl and prints what they give.

Run it by hand after changing departments.yml: ``python -m
tests.service.appeals.calibrate_dispatch``.
"""

from __future__ import annotations

import itertools

import numpy as np

from knowledge.encoder import Vectors, load_encoder
from service.appeals.departments import comparable, load_departments
from service.appeals.dispatch import ALIAS, TRIAGE_BELOW, Dispatcher
from tests.service.appeals.labelled import labelled_matters


def main() -> None:
    departments = load_departments()
    dispatcher = Dispatcher(departments, load_encoder())
    codes = [d.code for d in dispatcher._choices]
    unnamed = np.array([d.named_only for d in dispatcher._choices])
    rows = labelled_matters()
    words = np.stack([dispatcher._words(comparable(row.matter))[0] for row in rows])
    meaning = np.stack([dispatcher._meaning(row.matter) for row in rows])
    wanted = np.array(
        [codes.index(row.code.split("_")[0] if _is_street(row.code) else row.code) for row in rows]
    )
    fitting = np.array([row.half == "calibrate" for row in rows])

    def shares(word_weight: float, meaning_weight: float) -> Vectors:
        logits = word_weight * words + meaning_weight * meaning
        logits[unnamed & (words < ALIAS)] = -1e9
        exp = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exp / exp.sum(axis=1, keepdims=True))

    def loss(weights: tuple[float, float]) -> float:
        right = shares(*weights)[np.arange(len(rows)), wanted][fitting]
        return float(-np.log(right + 1e-9).mean())

    grid = itertools.product(np.arange(1, 6.1, 0.25), np.arange(0.5, 3.1, 0.25))
    best = min(((float(a), float(b)) for a, b in grid), key=loss)
    print(f"WORD_WEIGHT={best[0]} MEANING_WEIGHT={best[1]} loss={loss(best):.3f}")
    top = shares(*best)
    for half, mask in (("calibrate", fitting), ("held out", ~fitting)):
        right, sure = top.argmax(axis=1) == wanted, top.max(axis=1)
        for threshold in (0.0, TRIAGE_BELOW, 0.5, 0.6):
            sent = mask & (sure >= threshold)
            share = sent.sum() / mask.sum()
            print(f"{half} threshold {threshold}: sent {share:.3f}, right {right[sent].mean():.3f}")


def _is_street(code: str) -> bool:
    return code.startswith("subdistrict")


if __name__ == "__main__":
    main()
