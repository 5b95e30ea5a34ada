"""Turns evidence into an order of policies and into the chance that one answers: two small linear models."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from knowledge.question import DATA

Matrix = NDArray[np.float32]

CALIBRATION_FILE = DATA / "calibration.json"
RANK_FEATURES = (
    "fused",
    "title",
    "subject_cover",
    "title_cover",
    "figures_held",
    "figures_missing",
    "place_named",
    "at_home",
    "level_named",
    "level_other",
    "expired",
    "not_meant",
    "facet_held",
    "year_held",
)
WORD_FEATURES = (
    "score",
    "margin",
    "subject_cover",
    "title_cover",
    "word_cover",
    "document_share",
    "clause_share",
    "title_share",
    "unseen",
    "subject_mass",
    "figures_missing",
    "level_other",
    "names_missing",
    "name_said",
    "absent_said",
)
MEANING_FEATURES = ("cosine", "cosine_gap")
FEATURES = (*WORD_FEATURES, *MEANING_FEATURES)
_FURTHEST = 4.0


@dataclass(frozen=True)
class RankModel:
    """Weights of ``RANK_FEATURES``, learned from pairs of a right and a wrong policy for one training question."""

    weights: tuple[float, ...]

    def scores(self, rows: Matrix) -> Matrix:
        """Shape ``(policies,)`` for rows of shape ``(policies, features)``; higher is better."""
        scored: Matrix = (rows @ np.array(self.weights, np.float32)).astype(np.float32)
        return scored


@dataclass(frozen=True)
class ChanceModel:
    """A logistic model of "one of the first policies answers the question", fitted on the training questions only.

    ``weights`` are those of ``with_pairs``: a high cosine tells less where the question's subject is unseen.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def chances(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """Shape ``(policies,)``, each 0-1."""
        scaled = (rows - np.array(self.mean)) / np.array(self.scale)
        weighed = with_pairs(scaled) @ np.array(self.weights)
        chances: NDArray[np.float64] = expit(weighed + self.intercept)
        return chances


def with_pairs(scaled: NDArray[np.floating]) -> NDArray[np.float64]:
    """Scaled features, and after them the products of every two (of each with itself too); none counts beyond 4."""
    rows = np.clip(np.asarray(scaled, np.float64), -_FURTHEST, _FURTHEST)
    first, second = np.triu_indices(rows.shape[-1])
    return np.concatenate([rows, rows[..., first] * rows[..., second]], axis=-1)


@dataclass(frozen=True)
class Calibration:
    """One system's models and cuts, all chances 0-1.

    From ``answer_from`` the first policy is the answer; from ``clarify_from`` it is worth asking whether it is meant;
    from ``sure_from`` words alone decide (kept by the words-only system, 99 % right on the development questions).
    """

    rank: RankModel
    chance: ChanceModel
    answer_from: float
    clarify_from: float
    sure_from: float


@dataclass(frozen=True)
class Calibrations:
    """One calibration for words and meaning together, one for words alone."""

    both: Calibration
    words: Calibration


def read_calibrations(path: Path = CALIBRATION_FILE) -> Calibrations:
    raw = json.loads(path.read_text(encoding="utf-8"))
    return Calibrations(_calibration(raw["both"]), _calibration(raw["words"]))


def _calibration(raw: dict[str, Any]) -> Calibration:
    return Calibration(
        RankModel(tuple(raw["rank"]["weights"])),
        ChanceModel(
            tuple(raw["chance"]["mean"]),
            tuple(raw["chance"]["scale"]),
            tuple(raw["chance"]["weights"]),
            raw["chance"]["intercept"],
        ),
        raw["answer_from"],
        raw["clarify_from"],
        raw["sure_from"],
    )
