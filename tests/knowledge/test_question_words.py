"""Single characters as words: what spoken questions share with written texts, without what only asks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.lexical import WordIndex, fold, question_words, telling, tokens
from knowledge.postings import read_words, word_key

TEXTS = ["处以罚款二百元", "租金补贴 ipo 5000", "罚", "开放时间"]


def test_every_character_is_a_word_beside_the_bigrams() -> None:
    assert tokens("罚款 ipo 元", singles=True) == ["罚款", "罚", "款", "ipo", "元"]


@given(st.lists(st.text("甲乙丙ab1 ，。", max_size=12), min_size=1, max_size=4))
def test_whole_arrays_read_as_one_text_after_another(texts: list[str]) -> None:
    folded = [fold(text) for text in texts]
    keys, rows, _ = read_words(folded, singles=True)
    for row, text in enumerate(texts):
        expected = sorted(word_key(word) for word in tokens(text, singles=True))
        assert sorted(keys[rows == row].tolist()) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("请问怎么办理罚款", ["罚款", "罚", "款"]),
        ("我想知道罚多少", ["罚"]),
        ("怎么办", ["怎么", "么办", "怎", "么", "办"]),
        ("", []),
    ],
)
def test_what_only_asks_is_no_word_unless_nothing_else_is_left(text: str, words: list[str]) -> None:
    assert question_words(text) == words


def test_a_character_inside_a_bigram_does_not_tell() -> None:
    assert telling(["罚款", "罚", "款", "元", "ipo"]) == ["罚款", "元", "ipo"]


def test_a_spoken_question_finds_what_shares_one_character() -> None:
    words = question_words("要罚几块")
    assert not WordIndex(TEXTS[:2]).scores(words).any()
    assert int(np.argmax(WordIndex(TEXTS[:2], singles=True).scores(words))) == 0


def test_added_and_stored_texts_keep_the_rule(tmp_path: Path) -> None:
    index = WordIndex(TEXTS[:2], singles=True)
    index.add(TEXTS[2:])
    index.copy().save(tmp_path / "words")
    loaded = WordIndex.load(tmp_path / "words")
    loaded.add(["罚球"])
    expected = WordIndex([*TEXTS, "罚球"], singles=True)
    np.testing.assert_allclose(loaded.scores(["罚"]), expected.scores(["罚"]), rtol=1e-6)
    assert np.count_nonzero(loaded.scores(["罚"])) == 3
