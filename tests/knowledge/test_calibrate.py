"""Learning on a handful of questions: bounded weights, cuts that are shares, the same result every time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge.calibrate import AUTHORS, BOUNDS, EVALUATION, files_of, fit, neutral, read_all
from knowledge.labels import LabelledQuestion
from knowledge.ranking import FEATURES, RANK_FEATURES, WORD_FEATURES, read_calibrations, with_pairs
from knowledge.retrieval import Retriever
from tests.knowledge.samples import TOWN, retriever_of


def asked(number: int, text: str, *right: str, **values: Any) -> LabelledQuestion:
    return LabelledQuestion(
        id=f"q{number}",
        text=text,
        expected_policies_any=list(right),
        unanswerable=not right,
        **values,
    )


# Every feature differs somewhere among these: a figure, a level, a name, a matter known to be absent.
TRAIN = [
    asked(1, "无人机奖励多少钱", "TT-001"),
    asked(2, "买无人机要什么材料", "TT-001"),
    asked(3, "直播电商奖励多少", "TT-002"),
    asked(4, "开咖啡馆有补贴吗", "TT-003"),
    asked(5, "南山的无人机奖励", "TT-004"),
    asked(6, "深圳市无人机奖励", "TT-005"),
    asked(7, "菜市场改造给多少", "TT-006"),
    asked(8, "养猫补贴多少钱"),
    asked(9, "食堂补贴标准"),
    asked(10, "带货直播间补贴", "TT-002"),
    asked(16, "国家级的“银河系列”无人机奖励，86个人", "TT-001"),
    asked(17, "发明专利授权资助"),
]
DEV = [
    asked(11, "无人机的奖励", "TT-001"),
    asked(12, "直播电商给多少", "TT-002"),
    asked(13, "咖啡馆补贴", "TT-003"),
    asked(14, "养老床位补贴"),
    asked(15, "离婚手续"),
]


@pytest.fixture
def town(tmp_path: Path) -> Retriever:
    return retriever_of(TOWN, tmp_path)


@pytest.fixture
def fitted(town: Retriever) -> dict[str, Any]:
    return fit(town, TRAIN, DEV)


def test_weights_keep_to_their_bounds(fitted: dict[str, Any]) -> None:
    for system in ("both", "words"):
        weights = dict(zip(RANK_FEATURES, fitted[system]["rank"]["weights"], strict=True))
        assert np.isfinite(list(weights.values())).all()
        assert max(abs(value) for value in weights.values()) < 20
        for name, (least, most) in BOUNDS.items():
            assert least is None or weights[name] >= least
            assert most is None or weights[name] <= most


def test_cuts_are_shares(fitted: dict[str, Any]) -> None:
    for system in ("both", "words"):
        assert 0.05 <= fitted[system]["answer_from"] <= 0.95
        assert 0 <= fitted[system]["clarify_from"] <= 1
        assert 0.5 <= fitted[system]["sure_from"] <= 1.01


def test_features_are_named_and_each_has_its_numbers(fitted: dict[str, Any]) -> None:
    for system, names in (("both", FEATURES), ("words", WORD_FEATURES)):
        chance = fitted[system]["chance"]
        assert tuple(chance["features"]) == names
        assert len(chance["mean"]) == len(chance["scale"]) == len(names)
        assert len(chance["weights"]) == len(with_pairs(np.zeros(len(names))))
        assert min(chance["scale"]) > 0


def test_same_questions_teach_the_same(town: Retriever, tmp_path: Path) -> None:
    first = fit(town, TRAIN, DEV)
    assert fit(town, TRAIN, DEV) == first
    assert fit(retriever_of(TOWN, tmp_path / "again"), TRAIN, DEV) == first


def test_what_was_learned_before_does_not_matter(town: Retriever) -> None:
    first = fit(town, TRAIN, DEV)
    town.calibrations = read_calibrations()
    assert fit(town, TRAIN, DEV) == first


def test_result_can_be_stored_and_read(fitted: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(fitted, ensure_ascii=False), encoding="utf-8")
    assert list(read_calibrations(path).both.rank.weights) == fitted["both"]["rank"]["weights"]


def test_learned_order_finds_what_was_taught(town: Retriever, tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(fit(town, TRAIN, DEV), ensure_ascii=False), encoding="utf-8")
    town.calibrations = read_calibrations(path)
    found = {q.id: town.search(q.text).hits[0].policy.id for q in TRAIN if q.right_policies}
    assert found == {q.id: q.expected_policies_any[0] for q in TRAIN if q.right_policies}


def test_questions_with_context_or_two_answers_teach_nothing(town: Retriever) -> None:
    before = [{"role": "user", "text": "无人机奖励多少钱"}]
    leaning = asked(20, "那材料呢", "TT-001", context=before)
    both = asked(21, "无人机和直播电商", expected_policies_all=["TT-001", "TT-002"])
    assert fit(town, [*TRAIN, leaning, both], DEV) == fit(town, TRAIN, DEV)


def test_neutral_ranks_by_the_fused_score_alone() -> None:
    blank = neutral()
    for calibration, names in ((blank.both, FEATURES), (blank.words, WORD_FEATURES)):
        weights = dict(zip(RANK_FEATURES, calibration.rank.weights, strict=True))
        assert {name for name, value in weights.items() if value} == {"fused"}
        assert calibration.chance.chances(np.ones((1, len(names))))[0] == 0.5


def test_every_file_of_a_split_is_read() -> None:
    files = sorted(EVALUATION.rglob("train.jsonl"))
    assert len(files) > 1
    found = read_all("train", with_authors=True)
    lines = sum(1 for f in files for line in f.read_text(encoding="utf-8").split("\n") if line)
    assert len(found) == lines
    assert {question.id for question in found}.isdisjoint(q.id for q in read_all("test"))


def test_chance_and_facets_are_learned_without_the_authors() -> None:
    assert AUTHORS / "train.jsonl" in files_of("train", with_authors=True)
    left_out = {"authors-train", "authors-dev"}
    for split in ("train", "dev"):
        assert AUTHORS / f"{split}.jsonl" not in files_of(split)
        assert not {q.id.rsplit("-", 1)[0] for q in read_all(split)} & left_out
