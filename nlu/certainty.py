"""Finds out how far words alone settle what a message wants, so that the rest only is encoded."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

# Where words alone are right this often, a message is not encoded for its intent.
TRUST = 0.97
# An example words settle this surely is not encoded for training: a quarter of them, for seconds of the first start.
# Right in five-fold cross-validation with all of them .879, 0.95 → .878, 0.93 → .876, 0.9 → .875, 0.8 → .869.
EASY = 0.92

_FOLDS, _SEED = 3, 7

Labels = NDArray[np.str_]
Chances = NDArray[np.float32]
Rows = NDArray[np.intp]


def unseen_chances(model: LogisticRegression, words: csr_matrix, labels: Labels) -> Chances | None:
    """What the model says of folds it has not seen, ``(examples, sorted labels)``; None when examples are too few."""
    if min(Counter(labels.tolist()).values()) < _FOLDS:
        return None
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED)
    chances: Chances = cross_val_predict(model, words, labels, cv=folds, method="predict_proba")
    return chances


def hard_rows(chances: Chances | None, labels: Labels) -> Rows:
    """Examples that words do not settle, in order; all when ``chances`` is None. No label is left without any."""
    if chances is None:
        return np.arange(len(labels))
    hard = chances[np.arange(len(labels)), _columns(labels)] < EASY
    hard |= ~np.isin(labels, labels[hard])
    return np.flatnonzero(hard)


def sure_from(chances: Chances | None, labels: Labels) -> float:
    """The lowest probability from which words were right ``TRUST`` of the time.

    Above 1, which is never reached, when there is none or ``chances`` is None.
    """
    never = 1.01
    if chances is None:
        return never
    best, right = chances.max(axis=1), chances.argmax(axis=1) == _columns(labels)
    for threshold in np.arange(0.5, 1.0, 0.01):
        kept = best >= threshold
        if kept.any() and right[kept].mean() >= TRUST:
            return round(float(threshold), 2)
    return never


def _columns(labels: Labels) -> Rows:
    """For each example the column of its label, as scikit-learn orders them."""
    return np.unique(labels, return_inverse=True)[1]
