"""How far words alone are trusted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from nlu.certainty import hard_rows, sure_from, unseen_chances

LABELS = np.array(["b", "a", "b", "a"])


def chances(*of_b: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Rows for the labels a, b."""
    return np.array([(1 - b, b) for b in of_b], np.float32)


def test_right_and_sure_examples_are_easy() -> None:
    rows = hard_rows(chances(0.99, 0.01, 0.6, 0.4), LABELS)
    assert rows.tolist() == [2, 3]


def test_wrong_and_sure_example_is_hard() -> None:
    rows = hard_rows(chances(0.01, 0.01, 0.6, 0.4), LABELS)
    assert rows.tolist() == [0, 2, 3]


def test_no_label_is_left_without_examples() -> None:
    rows = hard_rows(chances(0.99, 0.4, 0.99, 0.01), LABELS)
    assert rows.tolist() == [0, 1, 2]


def test_all_examples_are_hard_when_too_few_to_tell() -> None:
    features = csr_matrix(np.eye(4, dtype=np.float32))
    assert unseen_chances(LogisticRegression(), features, LABELS) is None
    assert hard_rows(None, LABELS).tolist() == [0, 1, 2, 3]
    assert sure_from(None, LABELS) > 1


def test_folds_are_judged_unseen() -> None:
    """Each example has a column of its own: seen, it would be told; unseen, it cannot be."""
    labels = np.array(["a"] * 6 + ["b"] * 6)
    found = unseen_chances(LogisticRegression(C=100), csr_matrix(np.eye(12)), labels)
    assert found is not None
    assert found.max() < 0.6


@pytest.mark.parametrize(
    ("of_b", "threshold"),
    [((0.9, 0.2, 0.8, 0.1), 0.5), ((0.9, 0.7, 0.8, 0.1), 0.71), ((0.1, 0.9, 0.1, 0.9), 1.01)],
)
def test_threshold_is_the_lowest_that_can_be_trusted(
    of_b: tuple[float, ...], threshold: float
) -> None:
    assert sure_from(chances(*of_b), LABELS) == pytest.approx(threshold, abs=0.011)
