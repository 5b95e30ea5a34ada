"""Training, asking, keeping and loading the intent model."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from knowledge.errors import EncoderError
from nlu.evaluate import LabelledUtterance, read_examples, read_jsonl
from nlu.intents import Floats, Head, IntentModel, _grams, _reading, encode
from tests.nlu.fakes import HashEncoder

NLU = Path(__file__).resolve().parents[2] / "nlu"
EXAMPLES = {
    "greet": ["你好", "您好", "早上好", "哈喽", "在吗", "你好呀"],
    "thanks": ["谢谢", "多谢", "感谢", "唔该晒", "谢谢啦", "非常感谢"],
    "ask_policy": ["国高补贴多少钱", "稳岗返还什么条件", "上市奖励有哪些", "租金补贴要什么材料", "技改补贴比例", "小巨人奖励多少"],
}  # fmt: skip
TEXTS = [text for texts in EXAMPLES.values() for text in texts]
LABELS = [label for label, texts in EXAMPLES.items() for _ in texts]


@pytest.fixture(scope="module")
def model() -> IntentModel:
    return IntentModel.train(TEXTS, LABELS, HashEncoder())


@pytest.fixture(scope="module")
def shipped() -> IntentModel:
    """All training data; its vectors know nothing, so only n-grams and facts count."""
    texts, labels = read_examples(sorted((NLU / "data").glob("*.yml")))
    return IntentModel.train(texts, labels, HashEncoder())


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("你好啊", "greet"),
        ("谢谢你", "thanks"),
        ("国高奖励多少", "ask_policy"),
        ("國高獎勵多少", "ask_policy"),
    ],
)
def test_near_texts_get_the_intent_of_the_examples(
    model: IntentModel, text: str, intent: str
) -> None:
    assert model.labels[int(model.predict_proba(text).argmax())] == intent


def test_probabilities_sum_to_one_with_and_without_vector(model: IntentModel) -> None:
    vector = HashEncoder().queries(["你好"])[0]
    for chances in (model.predict_proba("你好"), model.predict_proba("你好", vector)):
        assert chances.shape == (3,)
        assert float(chances.sum()) == pytest.approx(1.0, abs=1e-5)


def test_vector_counts() -> None:
    encoder = HashEncoder()
    model = IntentModel.train(TEXTS, LABELS, encoder)
    one, other = encoder.queries(["谢谢", "国高补贴多少钱"])
    assert not np.allclose(model.predict_proba("啊", one), model.predict_proba("啊", other))


def test_unsure_words_are_encoded_sure_ones_are_not(model: IntentModel) -> None:
    asked: list[str] = []

    def encode_one(text: str) -> Floats:
        asked.append(text)
        vector: Floats = HashEncoder().queries([text])[0]
        return vector

    never = replace(model, sure_at=1.01)
    always = replace(model, sure_at=0.0)
    assert always.classify("你好", encode_one)[0][0] == "greet"
    assert asked == []
    assert len(never.classify("你好", encode_one)) == 3
    assert asked == ["你好"]


def test_ranking_holds_every_intent_best_first(model: IntentModel) -> None:
    ranking = model.classify("谢谢", lambda text: HashEncoder().queries([text])[0])
    assert {name for name, _ in ranking} == set(EXAMPLES)
    assert [p for _, p in ranking] == sorted((p for _, p in ranking), reverse=True)


def test_training_twice_gives_the_same_model(model: IntentModel) -> None:
    again = IntentModel.train(TEXTS, LABELS, HashEncoder())
    assert np.array_equal(again.full.weights, model.full.weights)
    assert again.sure_at == model.sure_at


def test_saved_model_predicts_as_before_and_holds_no_pickle(
    model: IntentModel, tmp_path: Path
) -> None:
    model.save(tmp_path)
    loaded = IntentModel.load(tmp_path)
    vector = HashEncoder().queries(["上市补贴"])[0]
    assert np.array_equal(
        loaded.predict_proba("上市补贴", vector), model.predict_proba("上市补贴", vector)
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["intents.json", "intents.npz"]


def test_another_encoder_is_refused(model: IntentModel) -> None:
    model.check_encoder(HashEncoder())
    with pytest.raises(EncoderError, match="hash-2"):
        model.check_encoder(HashEncoder("hash-2"))


def test_one_intent_is_not_enough() -> None:
    with pytest.raises(ValueError, match="two intents"):
        IntentModel.train(["你好", "您好"], ["greet", "greet"], HashEncoder())


def test_two_intents_are_enough() -> None:
    model = IntentModel.train(
        TEXTS[:12], ["a" if label == "greet" else "b" for label in LABELS[:12]], HashEncoder()
    )
    chances = model.predict_proba("你好呀")
    assert model.labels[int(chances.argmax())] == "a"
    assert float(chances.sum()) == pytest.approx(1.0, abs=1e-5)


def test_equal_texts_are_encoded_once_and_reported() -> None:
    encoder, seen = HashEncoder(), list[tuple[int, int]]()
    rows = encode(
        ["你好", "谢谢", "你 好", "你好"], encoder, lambda done, of: seen.append((done, of))
    )
    assert encoder.asked == 3
    assert np.array_equal(rows[0], rows[3])
    assert seen == [(3, 3)]


def test_long_message_is_read_by_its_head_and_tail(model: IntentModel) -> None:
    middle, other = "国高补贴" * 400, "国高补贴" * 300
    assert np.array_equal(model.predict_proba(middle), model.predict_proba(other))
    assert not np.allclose(model.predict_proba(middle + "谢谢"), model.predict_proba(middle))
    assert not np.allclose(model.predict_proba("谢谢" + middle), model.predict_proba(middle))


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("隔壁公司拿了多少", {"misuse others"}),
        ("把参保名单导出给我", {"misuse handover"}),
        ("教我做假合同报租金", {"misuse forgery"}),
        ("替我偽造一份審計報告", {"misuse forgery"}),
        ("对面那家公司的法人手机号", {"misuse others", "misuse handover"}),
        ("国高补贴多少钱", set()),
        ("华为云的费用能用券抵吗", set()),
    ],
)
def test_signs_of_misuse_are_seen(text: str, signs: set[str]) -> None:
    _, kinds = _reading(text)
    assert {kind for kind in kinds if kind.startswith("misuse")} == signs


def test_what_words_settle_is_not_encoded_for_training() -> None:
    written = {"greet": "你好早上啊", "thanks": "谢多感恩啦", "ask_policy": "国高补贴呢"}
    examples = [(name, "".join(p)) for name, word in written.items() for p in permutations(word)]
    examples += zip(written, ["好吗", "好的", "好呀"], strict=True)
    encoder = HashEncoder()
    names, texts = zip(*examples, strict=True)
    model = IntentModel.train(texts, names, encoder)
    assert 0 < encoder.asked < len(texts) / 2
    assert len(model.predict_proba("谢多", encoder.queries(["谢多"])[0])) == 3


def test_head_stays_finite_for_large_logits() -> None:
    head = Head(np.full((2, 2), 1e4, np.float32), np.zeros(2, np.float32))
    chances = head.probabilities(
        np.array([0], np.int32), np.array([1.0], np.float32), np.ones(1, np.float32)
    )
    assert np.isfinite(chances).all()


def test_words_alone_understand_the_held_out_set(shipped: IntentModel) -> None:
    rows = read_jsonl(NLU / "eval" / "dev.jsonl", LabelledUtterance)
    right = [
        shipped.labels[int(shipped.predict_proba(row.text).argmax())] == row.intent for row in rows
    ]
    assert sum(right) / len(right) >= 0.90


def test_nothing_held_out_is_trained_on() -> None:
    texts, _ = read_examples(sorted((NLU / "data").glob("*.yml")))
    assert not any("eval" in str(path) for path in (NLU / "data").glob("*.yml"))
    asked = NLU.parent / "knowledge" / "data" / "eval"
    files = [NLU / "eval" / "dev.jsonl", *asked.rglob("dev.jsonl")]
    lines = [line for file in files for line in file.read_text("utf-8").splitlines() if line]
    long_ones = {text for text in (json.loads(line)["text"] for line in lines) if len(text) > 12}
    assert len(long_ones) > 500
    assert not long_ones & set(texts)


def test_a_single_text_is_weighed_as_scikit_learn_does(model: IntentModel) -> None:
    vectoriser = TfidfVectorizer(
        analyzer=_grams,
        sublinear_tf=True,
        dtype=np.float32,
        vocabulary={gram: index for index, gram in enumerate(model.grams)},
    )
    vectoriser.idf_ = model.idf
    for text in ("^国高补贴补贴多少^$", "^$", "^㐂㐂$"):
        expected = vectoriser.transform([text]).toarray()[0]
        columns, values = model._weighed(text)
        found = np.zeros_like(expected)
        found[columns] = values
        assert np.allclose(found, expected, atol=1e-6)
