"""Fits a ``TextModel`` to labelled questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression

from knowledge.text_model import GRAM_WEIGHT, Features, TextModel

# An n-gram of one or two questions says more about its subject than about asking.
LEAST_QUESTIONS = 3
LEAST_SPREAD = 1e-4


def fit_text_model(
    features: Sequence[Features], yes: NDArray[np.bool_], strength: float = 1.0
) -> TextModel:
    """The model of these questions; both answers weigh alike, however many there are of each."""
    figures = np.stack([each for each, _ in features])
    mean, spread = figures.mean(0), figures.std(0)
    scale = np.where(spread < LEAST_SPREAD, 1.0, spread)
    counts = Counter(gram for _, grams in features for gram in grams)
    names = sorted(gram for gram, count in counts.items() if count >= LEAST_QUESTIONS)
    matrix = hstack([csr_matrix((figures - mean) / scale), _matrix(features, names)]).tocsr()
    model = LogisticRegression(C=strength, max_iter=5000, class_weight="balanced")
    weights = model.fit(matrix, yes).coef_[0].round(3)
    own, grams = weights[: len(mean)], weights[len(mean) :].tolist()
    intercept = round(float(model.intercept_[0]), 3)
    said = {name: weight for name, weight in zip(names, grams, strict=True) if weight}
    return TextModel(mean.round(4), scale.round(4), own, said, intercept)


def _matrix(features: Sequence[Features], names: Sequence[str]) -> csr_matrix:
    columns = {name: column for column, name in enumerate(names)}
    lines, places, values = [], [], []
    for line, (_, grams) in enumerate(features):
        known = [columns[gram] for gram in grams if gram in columns]
        lines += [line] * len(known)
        places += known
        values += [GRAM_WEIGHT / np.sqrt(len(known))] * len(known)
    return csr_matrix((values, (lines, places)), shape=(len(features), len(names)))
