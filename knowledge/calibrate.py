"""Learns how search orders and trusts what it finds: ``python -m knowledge.calibrate``.

The weights come from the training questions only. The order is learned from which policies are right. For
the chance each answerable question is used twice: as it is, and with the policies that answer it taken out of the
catalogue, which makes it a question of the right domain without an answer, the hard kind. The cuts are then chosen on
the development questions; the test questions are never read here.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from knowledge.answer import Answerer
from knowledge.catalogue import read_catalogue
from knowledge.dense import VectorCache
from knowledge.encoder import BUILT_IN, load_encoder
from knowledge.errors import LabelError
from knowledge.evidence import Evidence
from knowledge.labels import LabelledQuestion, read_questions
from knowledge.question import DATA
from knowledge.ranking import (
    CALIBRATION_FILE,
    FEATURES,
    RANK_FEATURES,
    WORD_FEATURES,
    Calibration,
    Calibrations,
    ChanceModel,
    RankModel,
    with_pairs,
)
from knowledge.retrieval import Ranking, Retriever, System

EVALUATION = DATA / "eval"
AUTHORS = EVALUATION / "authors"
SHOWN = 3
# What the fused score and the rest would weigh before any training question was seen, and how much that counts.
PRIOR = {
    "fused": 2.0,
    "title": 0.3,
    "place_named": 0.7,
    "at_home": 0.2,
    "expired": -0.1,
    "not_meant": -3.0,
}
DRAWN = 1.0
# Whatever the questions taught: what was named counts, home comes first, what has ended comes last.
BOUNDS = {
    "place_named": (0.35, None),
    "at_home": (0.25, None),
    "expired": (None, -0.05),
    "not_meant": (None, -3.0),
    "year_held": (1.5, None),
}
# An invented answer does three times the harm of asking back where the answer was at hand.
HARM_OF_INVENTING = 3.0
TOLERATED = 0.01
# A feature that hardly varies over the training questions is not stretched.
LEAST_SPREAD = 1e-4
# How freely the chance may follow the training questions; chosen on the development ones.
STRENGTH = 0.01
# Of the development questions with an answer at most this share may be refused; between the two cuts is asked back.
REFUSED = 0.02
# The intent model turns these away before search is asked.
OUT_OF_SCOPE = "out_of_scope"
# Words decide alone only where they are right this often on the development questions.
SURE = 0.995

Questions = list[LabelledQuestion]
Row = tuple[tuple[float, ...], bool]
Weighed = tuple[Evidence, NDArray[np.bool_]]


def neutral() -> Calibrations:
    """What search begins with before anything is learned: the fused score alone, every chance one half."""
    rank = RankModel(tuple(float(name in {"fused"}) for name in RANK_FEATURES))

    def blank(names: tuple[str, ...]) -> Calibration:
        zeros = (0.0,) * len(names)
        pairs = (0.0,) * len(with_pairs(np.zeros(len(names))))
        chance = ChanceModel(zeros, (1.0,) * len(names), pairs, 0.0)
        return Calibration(rank, chance, 0.5, 0.5, 2.0)

    return Calibrations(both=blank(FEATURES), words=blank(WORD_FEATURES))


def read_all(split: str, with_authors: bool = False) -> Questions:
    """Every labelled question of a split, whatever file it stands in (``files_of``)."""
    return [q for path in files_of(split, with_authors) for q in read_questions(path)]


def files_of(split: str, with_authors: bool = False) -> list[Path]:
    """The labelled files of a split; the questions of the authors only where they are wanted.

    Half of those ask for a fine detail that no record holds: a chance learned from them takes plain questions for such.
    """
    found = sorted(EVALUATION.rglob(f"{split}.jsonl"))
    return [path for path in found if with_authors or path.parent != AUTHORS]


def fit(retriever: Retriever, train: Questions, dev: Questions) -> dict[str, Any]:
    """The calibrations as stored in ``calibration.json``; leaves ``retriever`` with the neutral ones."""
    return {
        name: _fit(retriever, train, dev, system)
        for name, system in (("both", System.BOTH), ("words", System.WORDS))
    }


def _fit(retriever: Retriever, train: Questions, dev: Questions, system: System) -> dict[str, Any]:
    retriever.calibrations = neutral()
    rank = _fit_rank([w for q in train if (w := _weighed(retriever, q, system)) is not None])
    _use(retriever, system, rank)
    rows, known = _matrix(_training_rows(retriever, train, system))
    mean, scale = rows.mean(0), np.where(rows.std(0) < LEAST_SPREAD, 1.0, rows.std(0))
    stored = _fit_chance(mean.round(5), scale.round(5), rows, known)
    own = [
        (question, ranking, stored.chances(np.array([ranking.hits[0].features]))[0])
        for question, ranking in _searched(retriever, dev, system)
        if question.intent != OUT_OF_SCOPE
    ]
    unanswerable = sum(question.unanswerable for question in dev)
    without = np.array([chance for q, _, chance in own if not q.right_policies])
    if not unanswerable or not any(q.right_policies for q, _, _ in own):
        raise LabelError("the development questions must hold answerable and unanswerable ones")
    answered = [
        (chance, ranking.hits[0].policy.id in q.right_policies)
        for q, ranking, chance in own
        if q.right_policies
    ]
    chances, right = np.array([c for c, _ in answered]), np.array([r for _, r in answered])
    return {
        "rank": {"features": list(RANK_FEATURES), "weights": list(rank.weights)},
        "chance": {
            "features": list(FEATURES if system is System.BOTH else WORD_FEATURES),
            **asdict(stored),
        },
        "answer_from": _least_harm(without, chances, unanswerable),
        "clarify_from": round(float(np.quantile(chances, REFUSED)), 3),
        "sure_from": _surest(np.append(chances, without), np.append(right, without < 0)),
        "fitted_on": f"train: {int(known.sum())} right, {int((~known).sum())} not",
    }


def _fit_chance(
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    rows: NDArray[np.float64],
    known: NDArray[np.bool_],
) -> ChanceModel:
    pairs = with_pairs((rows - mean) / scale)
    # Every feature and every pair is held back alike, whatever its spread.
    centre, spread = pairs.mean(0), np.maximum(pairs.std(0), LEAST_SPREAD)
    found = LogisticRegression(C=STRENGTH, max_iter=3000).fit((pairs - centre) / spread, known)
    weights = (found.coef_[0] / spread).round(5)
    intercept = float(found.intercept_[0] - centre @ weights)
    return ChanceModel(
        tuple(mean.tolist()), tuple(scale.tolist()), tuple(weights.tolist()), round(intercept, 5)
    )


def _use(retriever: Retriever, system: System, rank: RankModel) -> None:
    blank = neutral()
    changed = replace(blank.both if system is System.BOTH else blank.words, rank=rank)
    retriever.calibrations = (
        replace(blank, both=changed) if system is System.BOTH else replace(blank, words=changed)
    )


def _stands_alone(question: LabelledQuestion) -> bool:
    return not question.context and not question.expected_policies_all


def _weighed(retriever: Retriever, question: LabelledQuestion, system: System) -> Weighed | None:
    """The evidence for one question and which of its rows are right; ``None`` where there is nothing to learn."""
    if not (question.right_policies and _stands_alone(question)):
        return None
    evidence = retriever.weigh(question.text, system)
    right = [retriever.policy_at(int(row)).id in question.right_policies for row in evidence.rows]
    return (evidence, np.array(right)) if any(right) else None


def _fit_rank(weighed: list[Weighed]) -> RankModel:
    """Listwise softmax regression (ListNet's top-one likelihood, Cao et al. 2007), drawn towards ``PRIOR``."""
    prior = np.array([PRIOR.get(name, 0.0) for name in RANK_FEATURES])

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        away = weights - prior
        total, gradient = DRAWN * float(away @ away), 2 * DRAWN * away
        for evidence, right in weighed:
            scores = evidence.features @ weights + evidence.adjustment
            shares = np.exp(scores - scores.max())
            shares /= shares.sum()
            hit = max(float(shares[right].sum()), 1e-12)
            total -= float(np.log(hit))
            gradient -= evidence.features.T @ (np.where(right, shares / hit, 0.0) - shares)
        return total, gradient

    bounds = [BOUNDS.get(name, (None, None)) for name in RANK_FEATURES]
    found = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=bounds).x
    return RankModel(tuple(found.round(5).tolist()))


def _searched(
    retriever: Retriever, questions: Questions, system: System
) -> Iterator[tuple[LabelledQuestion, Ranking]]:
    """What search finds for each question that comes to the chance at all: the others are refused before."""
    answerer = Answerer(retriever)
    for question in questions:
        if _stands_alone(question):
            ranking = retriever.search(question.text, system=system)
            if answerer.may_answer(ranking):
                yield question, ranking


def _training_rows(retriever: Retriever, train: Questions, system: System) -> Iterator[Row]:
    """The features of the first hit, and whether a right policy is among the first ``SHOWN``.

    A question whose detail is not in the record still is about its policy; the detail is checked when answering.
    """
    for question, ranking in _searched(retriever, train, system):
        first = {hit.policy.id for hit in ranking.hits[:SHOWN]}
        yield ranking.hits[0].features, bool(first & question.right_policies)
        if question.right_policies:
            without = retriever.search(
                question.text, without=question.right_policies, system=system
            )
            if without.hits:
                yield without.hits[0].features, False


def _least_harm(
    without: NDArray[np.float64], chances: NDArray[np.float64], unanswerable: int
) -> float:
    """The highest cut with hardly more than the least harm: share of ``unanswerable`` questions answered, of others not."""
    cuts = np.arange(0.05, 0.95, 0.01)
    harm = [
        HARM_OF_INVENTING * (without >= cut).sum() / unanswerable + (chances < cut).mean()
        for cut in cuts
    ]
    least = np.flatnonzero(np.array(harm) <= min(harm) + TOLERATED)
    return round(float(cuts[least[-1]]), 3)


def _surest(chances: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """The lowest cut above which the first hit is right ``SURE`` of the time."""
    cuts = np.arange(0.5, 1.0, 0.005)
    enough = [c for c in cuts if (chances >= c).any() and right[chances >= c].mean() >= SURE]
    return round(float(enough[0]), 3) if enough else 1.01


def _matrix(rows: Iterator[Row]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    features, right = zip(*rows, strict=True)
    return np.array(features), np.array(right)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cache", type=Path, default=Path("var/vectors"), help="folder of stored vectors"
    )
    cache = VectorCache(parser.parse_args().cache)
    retriever = Retriever(read_catalogue(), load_encoder(BUILT_IN), cache, neutral())
    text = json.dumps(
        fit(retriever, read_all("train"), read_all("dev")), ensure_ascii=False, indent=1
    )
    CALIBRATION_FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
