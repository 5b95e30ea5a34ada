"""Measures of rankings against numbers worked out by hand, and intervals that behave like intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from knowledge.ranking_metrics import (
    auc,
    auc_interval,
    first_right,
    interval,
    measure,
    resampled_means,
)


@pytest.mark.parametrize(
    ("ranked", "right", "place"),
    [(["a", "b"], {"a"}, 1), (["a", "b", "c"], {"c", "b"}, 2), (["a"], {"x"}, None), ([], {"a"}, None)],
)  # fmt: skip
def test_the_place_of_the_first_right_document(
    ranked: list[str], right: set[str], place: int | None
) -> None:
    assert first_right(ranked, right) == place


def test_measures_of_places() -> None:
    assert measure([1, 2, 5, 10, 11, None]).tolist() == [
        [1, 1, 1, 1.0],
        [0, 1, 1, 0.5],
        [0, 1, 1, 0.2],
        [0, 0, 1, 0.1],
        [0, 0, 0, 0.0],
        [0, 0, 0, 0.0],
    ]


def test_no_places_are_no_rows() -> None:
    assert measure([]).shape == (0, 4)


def test_a_bootstrap_interval_is_that_of_the_normal_approximation() -> None:
    values = np.repeat([[1.0], [0.0]], [300, 100], axis=0)
    low, high = interval(resampled_means(values)[:, 0])
    half = norm.ppf(0.975) * np.sqrt(0.75 * 0.25 / 400)
    assert (low, high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.008)


def test_the_same_seed_draws_the_same_questions() -> None:
    values = np.random.default_rng(0).random((50, 2))
    assert np.array_equal(resampled_means(values), resampled_means(values))
    assert not np.array_equal(resampled_means(values), resampled_means(values, seed=1))


def test_a_difference_of_systems_is_paired() -> None:
    first = np.random.default_rng(0).random((80, 1))
    drawn = resampled_means(first + 0.01) - resampled_means(first)
    assert interval(drawn[:, 0]) == pytest.approx((0.01, 0.01))


def test_auc_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    present, absent = rng.integers(3, 9, 40).astype(float), rng.integers(0, 7, 30).astype(float)
    expected = roc_auc_score([1] * 40 + [0] * 30, np.concatenate([present, absent]))
    assert auc(present, absent) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("present", "absent", "value"),
    [([2, 3], [0, 1], 1.0), ([0], [1, 2], 0.0), ([1, 1], [1, 1], 0.5)],
)
def test_auc_at_its_ends(present: list[float], absent: list[float], value: float) -> None:
    assert auc(present, absent) == value


def test_the_interval_of_auc_holds_it() -> None:
    rng = np.random.default_rng(0)
    present, absent = rng.normal(1, 1, 60).tolist(), rng.normal(0, 1, 60).tolist()
    low, high = auc_interval(present, absent)
    assert 0.5 < low < auc(present, absent) < high < 1
