"""Fits the chance that a search's first hit answers the question: ``python -m knowledge.calibrate``.

The weights come from the training questions only. Each answerable one is used twice: as it is, and with the policies
that answer it taken out of the catalogue, which makes it a question of the right domain without an answer, the hard
kind. The cut is then chosen on the development questions; the test questions are never read here.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from knowledge.catalogue import read_catalogue
from knowledge.dense import VectorCache
from knowledge.encoder import BUILT_IN, load_encoder
from knowledge.labels import LabelledQuestion, read_questions
from knowledge.question import DATA
from knowledge.retrieval import (
    CALIBRATION_FILE,
    FEATURES,
    WORD_FEATURES,
    Calibration,
    Calibrations,
    Retriever,
    System,
)

EVALUATION = DATA / "eval"
_ZEROS = (0.0,) * len(FEATURES)
_NEUTRAL = Calibration(_ZEROS, (1.0,) * len(FEATURES), _ZEROS, 0.0, 0.5)
_NEUTRAL_WORDS = Calibration(_ZEROS[2:], (1.0,) * len(WORD_FEATURES), _ZEROS[2:], 0.0, 2.0)
# An invented answer does as much harm as a needless refusal that files an appeal.
HARM_OF_INVENTING = 1.0
# Words decide alone only where they are right this often on the development questions.
SURE = 0.99

Rows = Iterator[tuple[tuple[float, ...], bool]]


def fit(
    retriever: Retriever, train: list[LabelledQuestion], dev: list[LabelledQuestion]
) -> dict[str, object]:
    """The calibrations as stored in ``calibration.json``."""
    return {
        "both": _fit(retriever, train, dev, System.BOTH, _least_harm),
        "words": _fit(retriever, train, dev, System.WORDS, _surest),
    }


def _fit(
    retriever: Retriever,
    train: list[LabelledQuestion],
    dev: list[LabelledQuestion],
    system: System,
    cut: Callable[[NDArray[np.float64], NDArray[np.bool_]], float],
) -> dict[str, object]:
    rows, answered = _matrix(_training_rows(retriever, train, system))
    mean, scale = rows.mean(0), rows.std(0) + 1e-6
    model = LogisticRegression(C=0.3, class_weight="balanced", max_iter=1000).fit(
        (rows - mean) / scale, answered
    )
    dev_rows, dev_answered = _matrix(_own_rows(retriever, dev, system))
    chances = model.predict_proba((dev_rows - mean) / scale)[:, 1]
    return {
        "features": list(FEATURES if system is System.BOTH else WORD_FEATURES),
        "mean": mean.round(5).tolist(),
        "scale": scale.round(5).tolist(),
        "weights": model.coef_[0].round(5).tolist(),
        "intercept": round(float(model.intercept_[0]), 5),
        "answer_from": cut(chances, dev_answered),
        "fitted_on": f"train: {int(answered.sum())} answered, {int((~answered).sum())} not",
    }


def _surest(chances: NDArray[np.float64], answered: NDArray[np.bool_]) -> float:
    """The lowest cut above which the first hit is right ``SURE`` of the time."""
    cuts = np.arange(0.5, 1.0, 0.01)
    enough = [c for c in cuts if (chances >= c).any() and answered[chances >= c].mean() >= SURE]
    return round(float(enough[0]), 3) if enough else 1.01


def _least_harm(chances: NDArray[np.float64], answered: NDArray[np.bool_]) -> float:
    """The cut with the least invented answers plus needless refusals, as shares."""
    cuts = np.arange(0.02, 0.98, 0.01)
    harm = [
        HARM_OF_INVENTING * (chances[~answered] >= c).mean() + (chances[answered] < c).mean()
        for c in cuts
    ]
    return round(float(cuts[int(np.argmin(harm))]), 3)


def _own_rows(retriever: Retriever, items: list[LabelledQuestion], system: System) -> Rows:
    """A question counts as answered when the first hit is a right one."""
    for item in items:
        if item.context or (item.unanswerable and item.policy_id):
            continue
        ranking = retriever.search(item.text, system=system)
        if ranking.hits and ranking.question.subject:
            first = ranking.hits[0].policy.id
            yield ranking.features, not item.unanswerable and first in item.right_policies


def _training_rows(retriever: Retriever, items: list[LabelledQuestion], system: System) -> Rows:
    yield from _own_rows(retriever, items, system)
    for item in items:
        if not item.context and not item.unanswerable:
            ranking = retriever.search(item.text, without=item.right_policies, system=system)
            yield ranking.features, False


def _matrix(
    rows: Rows,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    features, answered = zip(*rows, strict=True)
    return np.array(features), np.array(answered)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cache", type=Path, default=Path("var/vectors"), help="folder of stored vectors"
    )
    cache = VectorCache(parser.parse_args().cache)
    retriever = Retriever(
        read_catalogue(), load_encoder(BUILT_IN), cache, Calibrations(_NEUTRAL, _NEUTRAL_WORDS)
    )
    result = fit(
        retriever,
        read_questions(EVALUATION / "train.jsonl"),
        read_questions(EVALUATION / "dev.jsonl"),
    )
    text = json.dumps(result, ensure_ascii=False, indent=1)
    CALIBRATION_FILE.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
