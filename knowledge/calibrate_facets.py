"""Learns which facet a question asks for: ``python -m knowledge.calibrate_facets``.

Reads the facet questions written for it and the labelled training questions; development and test questions are never
read. Prints how well it does on the development ones.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from knowledge.calibrate import files_of
from knowledge.catalogue import read_catalogue
from knowledge.facets import MODEL_FILE, FacetModel, features_of
from knowledge.labels import read_questions
from knowledge.lexical import fold
from knowledge.policy import Facet
from knowledge.question import DATA

WRITTEN = DATA / "facets"
# A feature of one or two questions says more about its subject than about asking.
LEAST_QUESTIONS = 3
STRENGTH = 30.0
FACETS = tuple(Facet)
# Title first: dev .744 → .772 right, a plain question behind each of 149 titles .735 → .993.
_COPIES, _SHORT_CHARS, _SEED = 2, 40, 5
_CONNECTED = ("", "的", "，", "：", "这个", "2025年度申报指南")

Labelled = Sequence[tuple[str, frozenset[Facet]]]


def read_labelled(split: str) -> Labelled:
    """Folded texts with the facets they ask for."""
    found: list[tuple[str, frozenset[Facet]]] = []
    for line in (WRITTEN / f"{split}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found.append((fold(row["text"]), frozenset(Facet(name) for name in row["facets"])))
    for path in files_of(split):
        found += [
            (fold(question.text), frozenset({Facet(question.facet)}))
            for question in read_questions(path)
            if question.facet and question.right_policies and not question.expected_policies_all
        ]
    return found


def behind_titles(labelled: Labelled, titles: Sequence[str]) -> Labelled:
    """The shorter questions again, each behind some policy's title: people paste titles, and titles ask for nothing."""
    chosen = random.Random(_SEED)
    return [
        (chosen.choice(titles) + chosen.choice(_CONNECTED) + text, facets)
        for text, facets in labelled
        for _ in range(_COPIES)
        if len(text) <= _SHORT_CHARS
    ]


def fit(labelled: Labelled, titled: Labelled = ()) -> FacetModel:
    """One logistic model a facet, all over the features of ``labelled``; ``titled`` are more questions to learn from."""
    rows = _vocabulary([text for text, _ in labelled])
    labelled = [*labelled, *titled]
    matrix = _matrix([text for text, _ in labelled], rows)
    weights, intercepts = [], []
    for facet in FACETS:
        asked = np.array([facet in facets for _, facets in labelled])
        model = LogisticRegression(C=STRENGTH, max_iter=2000).fit(matrix, asked)
        weights.append(model.coef_[0])
        intercepts.append(model.intercept_[0])
    return FacetModel(
        FACETS, rows, np.array(weights, np.float32).T, np.array(intercepts, np.float32)
    )


def _vocabulary(texts: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for text in texts:
        for name in features_of(text):
            counts[name] = counts.get(name, 0) + 1
    kept = sorted(name for name, count in counts.items() if count >= LEAST_QUESTIONS)
    return {name: row for row, name in enumerate(kept)}


def _matrix(texts: Sequence[str], rows: dict[str, int]) -> csr_matrix:
    lines, columns, values = [], [], []
    for line, text in enumerate(texts):
        known = [rows[name] for name in features_of(text) if name in rows]
        lines += [line] * len(known)
        columns += known
        values += [1 / np.sqrt(len(known))] * len(known)
    return csr_matrix((values, (lines, columns)), shape=(len(texts), len(rows)))


def accuracy(model: FacetModel, labelled: Labelled) -> float:
    """The share of texts whose likeliest facet is one they ask for."""
    right = 0
    for text, facets in labelled:
        chances = model.chances(text)
        right += max(chances, key=lambda facet: chances[facet]) in facets
    return right / len(labelled)


def store(model: FacetModel, path: Path = MODEL_FILE) -> None:
    document = {
        "facets": [facet.value for facet in model.facets],
        "intercepts": model.intercepts.round(3).tolist(),
        "weights": {n: _short(model.weights[row]) for n, row in model.rows.items()},
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    # One feature a line, so that a change can be read.
    path.write_text(text.replace("],", "],\n") + "\n", encoding="utf-8")


def _short(weights: NDArray[np.float32]) -> list[float]:
    return [round(float(weight), 2) for weight in weights]


def main() -> None:
    train, dev = read_labelled("train"), read_labelled("dev")
    titles = [fold(policy.title) for policy in read_catalogue().policies.values()]
    model = fit(train, behind_titles(train, titles))
    store(model)
    print(f"train {len(train)} questions, {len(model.rows)} features")
    print(f"right facet first: train {accuracy(model, train):.3f}, dev {accuracy(model, dev):.3f}")


if __name__ == "__main__":
    main()
