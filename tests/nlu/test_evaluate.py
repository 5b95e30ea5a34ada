"""The numbers of ``qifu eval nlu``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from knowledge.errors import LabelError
from nlu.evaluate import evaluate, evaluate_facts, read_examples, share
from tests.nlu.fakes import HashEncoder

TRAINING = """
version: "3.1"
nlu:
- intent: greet
  examples: |
    - 你好
    - 您好
    - 早上好
    - 哈喽
- intent: out_of_scope
  examples: |
    - 今天天气怎么样
    - 帮我写代码
    - 股票能买吗
    - 订个外卖
- synonym: 国高
  examples: |
    - 高企
"""


@pytest.fixture
def training(tmp_path: Path) -> Path:
    path = tmp_path / "chat.yml"
    path.write_text(TRAINING, "utf-8")
    return path


def lines(path: Path, *records: object) -> Path:
    path.write_text("\n".join(json.dumps(record) for record in records), "utf-8")
    return path


def test_report_is_plain_json_with_intervals(training: Path, tmp_path: Path) -> None:
    dev = lines(
        tmp_path / "dev.jsonl",
        {"id": "1", "text": "你好啊", "intent": "greet"},
        {"id": "2", "text": "天气怎么样呀", "intent": "out_of_scope"},
        {"id": "3", "text": "您好", "intent": "out_of_scope"},
    )
    report = json.loads(json.dumps(evaluate(dev, [training], HashEncoder(), folds=2)))
    accuracy = report["accuracy"]
    assert accuracy["n"] == 3
    assert accuracy["value"] == pytest.approx(2 / 3, abs=1e-4)
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    assert report["failures"] == [
        {"id": "3", "text": "您好", "got": "greet", "want": "out_of_scope"}
    ]
    assert report["confusions"] == [{"want": "out_of_scope", "got": "greet", "n": 1}]
    assert report["intents"]["greet"] == {"precision": 0.5, "recall": 1.0, "f1": 0.6667, "n": 1}
    assert report["cross_validation"]["accuracy"]["n"] == report["trained_on"] == 8
    assert 0.0 <= report["out_of_scope_auc"] <= 1.0


def test_auc_is_null_without_messages_out_of_scope(training: Path, tmp_path: Path) -> None:
    dev = lines(tmp_path / "dev.jsonl", {"text": "你好", "intent": "greet"})
    assert evaluate(dev, [training], HashEncoder(), folds=2)["out_of_scope_auc"] is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "你好"}', r"dev\.jsonl:1: intent"),
        ('{"text": "你好", "intent": "greet"}\n{"text": ', r"dev\.jsonl:2"),
        ('{"text": "", "intent": "greet"}', r"dev\.jsonl:1: text"),
        ("\n\n", "nothing in it"),
    ],
)
def test_malformed_label_file_is_named_with_its_line(
    training: Path, tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "dev.jsonl"
    path.write_text(content, "utf-8")
    with pytest.raises(LabelError, match=message):
        evaluate(path, [training], HashEncoder())


def test_missing_label_file_is_named(training: Path, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"absent\.jsonl"):
        evaluate(tmp_path / "absent.jsonl", [training], HashEncoder())


def test_bytes_that_are_no_text_are_named(training: Path, tmp_path: Path) -> None:
    path = tmp_path / "dev.jsonl"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LabelError, match="not UTF-8"):
        evaluate(path, [training], HashEncoder())


def test_examples_are_read_from_rasa_files(training: Path) -> None:
    texts, labels = read_examples([training])
    assert len(texts) == 8
    assert labels[0] == "greet" and texts[-1] == "订个外卖"


@pytest.mark.parametrize("content", ["nlu: 3", "- a", "version: '3.1'", "nlu: ["])
def test_file_that_is_no_training_data_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "broken.yml"
    path.write_text(content, "utf-8")
    with pytest.raises(LabelError, match=r"broken\.yml"):
        read_examples([path])


@pytest.mark.parametrize(
    ("right", "n", "low", "high"), [(9, 10, 0.5958, 0.9821), (0, 10, 0.0, 0.2775), (0, 0, 0.0, 1.0)]
)
def test_share_has_a_wilson_interval(right: int, n: int, low: float, high: float) -> None:
    found = share([True] * right + [False] * (n - right))
    assert (found["low"], found["high"], found["n"]) == (low, high, n)


def test_facts_are_scored_by_kind(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "facts.jsonl",
        {"id": "1", "text": "营收500万，30人", "facts": [{"kind": "amount", "value": 5000000}]},
        {"id": "2", "text": "你好", "facts": [{"kind": "headcount", "value": 3}]},
        {"id": "3", "text": "给个五星", "facts": []},
    )
    report = evaluate_facts(path)
    assert report["kinds"]["amount"]["recall"]["value"] == 1.0
    assert report["kinds"]["headcount"]["precision"]["value"] == 0.0
    assert report["recall"]["value"] == 0.5
    assert [failure["id"] for failure in report["failures"]] == ["1", "2"]


def test_id_used_twice_is_named(training: Path, tmp_path: Path) -> None:
    row = {"id": "1", "text": "你好啊", "intent": "greet"}
    dev = lines(tmp_path / "dev.jsonl", row, row)
    with pytest.raises(LabelError, match=r"^dev\.jsonl:2: id: '1' is already the id of line 1"):
        evaluate(dev, [training], HashEncoder(), folds=2)


def test_intent_that_is_not_trained_is_named(training: Path, tmp_path: Path) -> None:
    dev = lines(tmp_path / "dev.jsonl", {"id": "1", "text": "你好啊", "intent": "greeting"})
    with pytest.raises(
        LabelError, match=r"^dev\.jsonl:1: intent: 'greeting' is none of greet, out_of_scope"
    ):
        evaluate(dev, [training], HashEncoder(), folds=2)
