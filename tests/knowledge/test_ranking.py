"""The two linear models: their arithmetic, and that the stored ones fit the features."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from knowledge.ranking import (
    CALIBRATION_FILE,
    FEATURES,
    MEANING_FEATURES,
    RANK_FEATURES,
    WORD_FEATURES,
    ChanceModel,
    RankModel,
    read_calibrations,
    with_pairs,
)

STORED = json.loads(CALIBRATION_FILE.read_text(encoding="utf-8"))


class TestModels:
    def test_score_is_the_weighted_sum(self) -> None:
        rows = np.array([[1.0, 2.0], [0.0, -1.0]], np.float32)
        assert RankModel((3.0, -1.0)).scores(rows).tolist() == [1.0, 1.0]

    def test_chance_is_the_logistic_of_the_scaled_features(self) -> None:
        model = ChanceModel((1.0, 0.0), (2.0, 1.0), (3.0, -1.0, 0.0, 0.5, 0.0), 0.5)
        # (2 - 1) / 2 * 3 - 4 + (1 / 2 * 4) * 0.5 + 0.5 = -1
        assert model.chances(np.array([[2.0, 4.0]]))[0] == pytest.approx(1 / (1 + np.exp(1.0)))

    @pytest.mark.parametrize(("value", "counted"), [(1e6, 4.0), (-1e6, -4.0)])
    def test_no_feature_counts_beyond_four_deviations(self, value: float, counted: float) -> None:
        model = ChanceModel((0.0,), (1.0,), (1.0, 0.0), 0.0)
        chance = model.chances(np.array([[value]]))[0]
        assert chance == pytest.approx(1 / (1 + np.exp(-counted)))

    def test_pairs_are_the_features_and_their_products(self) -> None:
        assert with_pairs(np.array([2.0, 3.0])).tolist() == [2.0, 3.0, 4.0, 6.0, 9.0]


class TestStored:
    @pytest.mark.parametrize(("system", "names"), [("both", FEATURES), ("words", WORD_FEATURES)])
    def test_names_the_features_in_their_order(self, system: str, names: tuple[str, ...]) -> None:
        assert tuple(STORED[system]["chance"]["features"]) == names
        assert tuple(STORED[system]["rank"]["features"]) == RANK_FEATURES

    def test_fits_the_features(self) -> None:
        stored = read_calibrations()
        for calibration, names in ((stored.both, FEATURES), (stored.words, WORD_FEATURES)):
            chance = calibration.chance
            sizes = (len(names), len(names), len(with_pairs(np.zeros(len(names)))))
            for values, size in zip(
                (chance.mean, chance.scale, chance.weights), sizes, strict=True
            ):
                assert len(values) == size
                assert np.isfinite(values).all()
            assert len(calibration.rank.weights) == len(RANK_FEATURES)
            assert np.isfinite(calibration.rank.weights).all()
            assert min(chance.scale) > 0

    def test_cuts_are_shares_and_in_order(self) -> None:
        stored = read_calibrations()
        for calibration in (stored.both, stored.words):
            assert 0 < calibration.clarify_from <= calibration.answer_from < 1
            assert calibration.answer_from < calibration.sure_from <= 1.01

    def test_what_was_found_out_the_hard_way_holds(self) -> None:
        """What is named counts for a policy, what has ended and what is not meant against it."""
        stored = read_calibrations()
        for calibration in (stored.both, stored.words):
            weights = dict(zip(RANK_FEATURES, calibration.rank.weights, strict=True))
            assert min(weights["fused"], weights["place_named"], weights["at_home"]) > 0
            assert max(weights["expired"], weights["not_meant"]) < 0

    def test_another_file_can_be_read(self, tmp_path: Path) -> None:
        changed = {**STORED, "both": {**STORED["both"], "answer_from": 0.9}}
        path = tmp_path / "calibration.json"
        path.write_text(json.dumps(changed), encoding="utf-8")
        assert read_calibrations(path).both.answer_from == 0.9


def test_every_feature_has_one_name() -> None:
    assert (*WORD_FEATURES, *MEANING_FEATURES) == FEATURES
    assert len(set(FEATURES)) == len(FEATURES)
    assert len(set(RANK_FEATURES)) == len(RANK_FEATURES)
