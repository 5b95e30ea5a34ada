"""Scores rankings against labels: recall, reciprocal rank and separation, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Values = NDArray[np.float64]

MEASURES = ("recall@1", "recall@5", "recall@10", "mrr@10")
DEPTH = 10
SEED = 20_251
ROUNDS = 1000
_PERCENTILES = (2.5, 97.5)


def first_right(ranked: Sequence[str], right: Collection[str]) -> int | None:
    """The place of the first right document, counted from 1; absent when none was ranked."""
    return next((place for place, id_ in enumerate(ranked, 1) if id_ in right), None)


def measure(places: Sequence[int | None]) -> Values:
    """One row a question, one column each of ``MEASURES``; shape ``(questions, 4)``.

    Recall@k is 1 when any right document stands among the first k (success at k), MRR@10 is 1 / its place or 0.
    """
    rows = [
        (place <= 1, place <= 5, place <= DEPTH, 1 / place if place <= DEPTH else 0.0)
        for place in (np.inf if place is None else place for place in places)
    ]
    return np.array(rows, np.float64).reshape(len(rows), len(MEASURES))


def resampled_means(values: Values, rounds: int = ROUNDS, seed: int = SEED) -> Values:
    """Means of samples of the rows drawn with replacement; shape ``(rounds, columns)``.

    One seed draws the same rows for every system measured on the same questions, so differences of two results are
    paired (Efron 1979).
    """
    rng = np.random.default_rng(seed)
    return np.array(
        [values[rng.integers(0, len(values), len(values))].mean(0) for _ in range(rounds)]
    )


def interval(samples: Values) -> tuple[float, float]:
    """The middle 95 % of samples."""
    low, high = np.percentile(samples, _PERCENTILES)
    return float(low), float(high)


def auc(present: Sequence[float] | Values, absent: Sequence[float] | Values) -> float:
    """The chance that a present one scores above an absent one, ties counted half (Mann-Whitney 1947)."""
    ranks = rankdata(np.concatenate([present, absent]))
    n, m = len(present), len(absent)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def auc_interval(
    present: Sequence[float], absent: Sequence[float], rounds: int = ROUNDS, seed: int = SEED
) -> tuple[float, float]:
    """The middle 95 % of ``auc`` over samples of either group."""
    rng = np.random.default_rng(seed)
    inside, outside = np.array(present), np.array(absent)
    samples = [
        auc(rng.choice(inside, len(inside)), rng.choice(outside, len(outside)))
        for _ in range(rounds)
    ]
    return interval(np.array(samples))
