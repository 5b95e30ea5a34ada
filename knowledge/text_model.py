"""A logistic model over a few figures of a question and the character n-grams it is asked in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

# How much the n-grams together weigh beside the figures; chosen on the development questions.
GRAM_WEIGHT = 3.0

Figures = NDArray[np.float64]
Features = tuple[Figures, frozenset[str]]


@dataclass(frozen=True)
class TextModel:
    """``cut`` is the chance from which the answer is yes; unknown n-grams are passed over."""

    mean: Figures
    scale: Figures
    weights: Figures
    grams: Mapping[str, float]
    intercept: float
    cut: float = 0.5

    def chance(self, features: Features) -> float:
        """The chance (0-1) of yes."""
        figures, grams = features
        known = [self.grams[gram] for gram in grams if gram in self.grams]
        said = GRAM_WEIGHT * sum(known) / math.sqrt(len(known)) if known else 0.0
        score = self.intercept + float((figures - self.mean) / self.scale @ self.weights) + said
        return float(expit(score))

    def says(self, features: Features) -> bool:
        return self.chance(features) >= self.cut


def blank_model(figures: int) -> TextModel:
    """What stands where nothing is learned yet: one half for every question."""
    return TextModel(np.zeros(figures), np.ones(figures), np.zeros(figures), {}, 0.0)


def grams_of(text: str) -> frozenset[str]:
    """Character n-grams of one to three of a folded text, with the ends marked."""
    padded = f"^{text}$"
    return frozenset(padded[i : i + n] for n in (1, 2, 3) for i in range(len(padded) - n + 1))


def to_json(model: TextModel, names: Sequence[str]) -> dict[str, Any]:
    return {
        "figures": list(names),
        "mean": model.mean.tolist(),
        "scale": model.scale.tolist(),
        "weights": model.weights.tolist(),
        "intercept": model.intercept,
        "cut": model.cut,
        "grams": dict(model.grams),
    }


def from_json(raw: Mapping[str, Any]) -> TextModel:
    mean, scale, weights = (np.array(raw[name], float) for name in ("mean", "scale", "weights"))
    return TextModel(mean, scale, weights, raw["grams"], raw["intercept"], raw["cut"])
