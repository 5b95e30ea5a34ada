"""The model over figures and n-grams: its arithmetic, its storage, and that it learns what is there to learn."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.fit_text_model import fit_text_model
from knowledge.text_model import GRAM_WEIGHT, TextModel, blank_model, from_json, grams_of, to_json

MODEL = TextModel(
    np.array([1.0]), np.array([2.0]), np.array([3.0]), {"甲": 0.5, "乙": -1.0}, 0.25, 0.4
)


def test_chance_is_the_logistic_of_figures_and_known_grams() -> None:
    score = 0.25 + (2.0 - 1.0) / 2 * 3 + GRAM_WEIGHT * (0.5 - 1.0) / math.sqrt(2)
    found = MODEL.chance((np.array([2.0]), frozenset({"甲", "乙", "丙"})))
    assert found == pytest.approx(1 / (1 + math.exp(-score)))


def test_says_yes_from_the_cut() -> None:
    assert blank_model(1).says((np.array([9.0]), frozenset()))
    no = TextModel(np.zeros(1), np.ones(1), np.zeros(1), {}, -5.0)
    assert not no.says((np.array([9.0]), frozenset()))


def test_grams_have_the_ends_marked() -> None:
    assert grams_of("几") == {"^", "几", "$", "^几", "几$", "^几$"}


def test_stored_model_is_the_same() -> None:
    again = from_json(json.loads(json.dumps(to_json(MODEL, ["share"]))))
    features = (np.array([0.3]), frozenset({"甲"}))
    assert again.chance(features) == MODEL.chance(features)
    assert again.cut == MODEL.cut


def test_what_tells_the_answers_apart_is_learned() -> None:
    features = [
        (np.array([float(n % 2)]), grams_of("到账要几天" if n % 2 else "补多少")) for n in range(20)
    ]
    model = fit_text_model(features, np.array([n % 2 == 1 for n in range(20)]))
    assert model.chance((np.array([1.0]), grams_of("几天到账"))) > 0.5
    assert model.chance((np.array([0.0]), grams_of("补多少"))) < 0.5


@given(st.floats(-1e6, 1e6), st.text(max_size=30))
def test_chance_is_a_share_for_any_text(figure: float, text: str) -> None:
    model = TextModel(np.zeros(1), np.ones(1), np.full(1, 1e-3), {"a": 1.0}, 0.0)
    assert 0 <= model.chance((np.array([figure]), grams_of(text))) <= 1
