"""Words: one spelling, bigrams of Chinese, BM25 scores, and how much of a question a text covers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.lexical import WordIndex, fold, tokens

TEXTS = ("国家高新技术企业认定奖励", "办公用房租金支持", "ESG 企业 500 强总部奖励")
ANY_TEXT = st.text(st.characters(codec=None), max_size=60)


@pytest.fixture(scope="module")
def index() -> WordIndex:
    return WordIndex(TEXTS)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ＩＰＯ　５００", "ipo 500"),
        ("國家高新技術企業", "国家高新技术企业"),
        ("獎勵㎡", "奖励m2"),
        ("a\ud83db", "a?b"),
        ("", ""),
    ],
)
def test_folding_gives_one_spelling(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(ANY_TEXT)
def test_folding_any_text_gives_text_that_can_be_stored(text: str) -> None:
    fold(text).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("租金支持", ["租金", "金支", "支持"]),
        ("补", ["补"]),
        ("补IPO 5.5万", ["补", "ipo", "5.5", "万"]),
        ("租金，支持", ["租金", "支持"]),
        ("A4打印", ["a", "4", "打印"]),
        ("！？😭", []),
    ],
)
def test_tokens_are_bigrams_words_and_numbers(text: str, found: list[str]) -> None:
    assert tokens(text) == found


@given(ANY_TEXT)
def test_tokens_of_any_text_are_its_own_pieces(text: str) -> None:
    folded = fold(text)
    assert all(token in folded for token in tokens(text))


def test_scores_rank_the_text_that_shares_the_words(index: WordIndex) -> None:
    scores = index.scores(tokens("租金支持"))
    assert scores.shape == (3,)
    assert scores.argmax() == 1
    assert scores[0] == scores[2] == 0


def test_traditional_and_full_width_spelling_score_the_same(index: WordIndex) -> None:
    assert np.array_equal(index.scores(tokens("獎勵５００")), index.scores(tokens("奖励500")))


@pytest.mark.parametrize("words", [[], ["没有"], ["x", "999"]])
def test_words_no_text_has_score_zero_everywhere(index: WordIndex, words: list[str]) -> None:
    assert index.scores(words).tolist() == [0, 0, 0]


def test_unknown_word_among_known_ones_changes_no_score(index: WordIndex) -> None:
    assert np.array_equal(index.scores(["租金", "没有"]), index.scores(["租金"]))


def test_rarer_word_weighs_more(index: WordIndex) -> None:
    assert index.idf("没有") > index.idf("租金") > index.idf("奖励") > 0


class TestCover:
    def test_all_words_held_is_one(self, index: WordIndex) -> None:
        assert index.cover(tokens("租金支持"), 1) == pytest.approx(1)

    def test_no_word_held_is_zero(self, index: WordIndex) -> None:
        assert index.cover(tokens("租金支持"), 0) == 0

    def test_no_words_cover_nothing(self, index: WordIndex) -> None:
        assert index.cover([], 0) == 0

    def test_share_is_weighed_by_rarity(self, index: WordIndex) -> None:
        expected = index.idf("奖励") / (index.idf("奖励") + index.idf("租金"))
        assert index.cover(["奖励", "租金", "租金"], 0) == pytest.approx(expected)
        assert expected < 0.5
