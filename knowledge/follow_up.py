"""Tells a question that goes on about the policy under discussion from one that changes the subject.

压着最后一天交稳不稳 names nothing, 那充电桩补贴呢 names something else. A logistic model looks at what search finds for the
question alone, at what the policy under discussion holds of it, and at how it is asked (character n-grams).
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path

import numpy as np

from knowledge.policy import Policy
from knowledge.question import is_ellipsis, points_back, subject_of
from knowledge.retrieval import Ranking, Retriever
from knowledge.text_model import Features, TextModel, from_json, grams_of

MODEL_FILE = Path(__file__).parent / "data" / "follow_ups.json"
FIGURES = (
    "other_chance",
    "behind_first",
    "words_held",
    "points_back",
    "names_support",
    "asks_facet",
    "length",
)
# A policy that search does not find is this far behind the first one.
FURTHEST = 5.0
LONG_CHARS = 40
_SUPPORT = re.compile(r"补贴|补助|奖励|资助|扶持|支持|政策|认定|优惠|减免|贷款|贴息|计划|项目|券")


def features_of(ranking: Ranking, discussed: Policy, retriever: Retriever) -> Features:
    """The figures named by ``FIGURES`` and the n-grams of the question; ``ranking`` is of the question alone."""
    question = ranking.question
    text = question.search_text
    first = ranking.hits[0] if ranking.hits else None
    own = next((hit for hit in ranking.hits if hit.policy.id == discussed.id), None)
    behind = FURTHEST if own is None or first is None else first.score - own.score
    held = max(
        retriever.holds(discussed.id, words) for words in (question.subject, subject_of(text))
    )
    figures = [
        ranking.chance if first and first.policy.id != discussed.id else 0.0,
        min(behind, FURTHEST),
        held,
        float(is_ellipsis(text) or points_back(text)),
        float(_SUPPORT.search(text) is not None),
        float(bool(question.facets)),
        min(len(text), LONG_CHARS) / LONG_CHARS,
    ]
    return np.array(figures), grams_of(text)


@lru_cache(maxsize=1)
def read_model(path: Path = MODEL_FILE) -> TextModel:
    return from_json(json.loads(path.read_text(encoding="utf-8")))
