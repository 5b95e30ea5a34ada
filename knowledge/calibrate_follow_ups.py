"""Learns which questions go on about the policy under discussion: ``python -m knowledge.calibrate_follow_ups``.

Fitted on the labelled training conversations, and on lone training questions asked while some other policy is under
discussion. The cut is chosen on the development ones. Test questions are never read.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from knowledge.answer import Answerer
from knowledge.calibrate import Questions, read_all
from knowledge.catalogue import read_catalogue
from knowledge.dense import VectorCache
from knowledge.discussion import Discussion
from knowledge.encoder import BUILT_IN, load_encoder
from knowledge.fit_text_model import fit_text_model
from knowledge.follow_up import FIGURES, MODEL_FILE, features_of
from knowledge.labels import LABELLED_FOR, LabelledQuestion
from knowledge.retrieval import Retriever
from knowledge.text_model import Features, to_json

_SEED = 11
CUTS = np.arange(0.2, 0.9, 0.01)

Labelled = list[tuple[Features, bool]]


def labelled(answerer: Answerer, questions: Questions) -> Labelled:
    """The features of each question that has a subject, and whether it goes on about the policy under discussion."""
    return list(_labelled(answerer, questions))


def _labelled(answerer: Answerer, questions: Questions) -> Iterator[tuple[Features, bool]]:
    retriever, policies = answerer.retriever, answerer.catalogue.policies
    chosen = random.Random(_SEED)
    for question in questions:
        policy_id = (
            _discussed(answerer, question) if question.context else chosen.choice(list(policies))
        )
        if policy_id is None or question.expected_policies_all:
            continue
        ranking = retriever.search(question.text, as_of=question.as_of or LABELLED_FOR)
        goes_on = policy_id in question.right_policies
        if ranking.question.subject and (question.context or not goes_on):
            yield features_of(ranking, policies[policy_id], retriever), goes_on


def _discussed(answerer: Answerer, question: LabelledQuestion) -> str | None:
    """The policy under discussion when the question is asked."""
    discussion = Discussion()
    for turn in question.context:
        if turn.is_person:
            day = question.as_of or LABELLED_FOR
            discussion = answerer.answers(turn.text, day, discussion)[-1].discussion
    return discussion.policy_id


def _least_wrong(found: NDArray[np.float64], goes_on: NDArray[np.bool_]) -> float:
    """The cut with the least sum of both kinds of error."""
    wrong = [(found[goes_on] < cut).mean() + (found[~goes_on] >= cut).mean() for cut in CUTS]
    return round(float(CUTS[int(np.argmin(wrong))]), 2)


def main() -> None:
    cache = VectorCache(Path("var/vectors"))
    answerer = Answerer(Retriever(read_catalogue(), load_encoder(BUILT_IN), cache))
    train, dev = (labelled(answerer, read_all(split)) for split in ("train", "dev"))
    model = fit_text_model([each for each, _ in train], np.array([yes for _, yes in train]))
    found = np.array([model.chance(each) for each, _ in dev])
    goes_on = np.array([yes for _, yes in dev])
    cut = _least_wrong(found, goes_on)
    text = json.dumps(to_json(replace(model, cut=cut), FIGURES), ensure_ascii=False, indent=0)
    MODEL_FILE.write_text(text + "\n", encoding="utf-8")
    print(f"train {len(train)}, of them going on {sum(yes for _, yes in train)}")
    print(
        f"dev AUC {roc_auc_score(goes_on, found):.3f} of {len(dev)}; from {cut}: "
        f"{(found[goes_on] >= cut).mean():.1%} of {int(goes_on.sum())} going on, "
        f"{(found[~goes_on] >= cut).mean():.1%} of the others"
    )


if __name__ == "__main__":
    main()
