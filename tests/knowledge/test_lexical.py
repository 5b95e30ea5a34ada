"""Words: one spelling, bigrams of Chinese, BM25 scores equal to bm25s's however the index grew, stored and mapped."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.lexical import Scores, WordIndex, fold, tokens
from knowledge.postings import build_segment, read_words, word_key
from knowledge.stored import StoredIndexError

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


def clauses(count: int, seed: int = 0) -> list[str]:
    """Texts of uneven length in which some words are in nearly every one and some in one only."""
    rng = random.Random(seed)
    common = [
        "企业奖励",
        "最高补贴",
        "研发投入",
        "高新技术",
        "申报条件",
        "5000",
        "ipo",
        "万元",
        "补",
    ]
    rare = [chr(0x4E00 + code) for code in range(0, 2000, 7)]
    return [
        "，".join(
            rng.choices(common, k=rng.randint(0, 12)) + rng.choices(rare, k=rng.randint(0, 9))
        )
        for _ in range(count)
    ]


QUESTIONS = ("企业研发投入补贴最高5000万元", "IPO 奖励奖励奖励", "高新", "没有的词", "", "补 一些")


def bm25s_scores(texts: Sequence[str], words: Sequence[str]) -> Scores:
    """What bm25s gives, built anew over these texts."""
    logging.getLogger("bm25s").setLevel(logging.WARNING)
    model = bm25s.BM25(method="lucene")
    split = [tokens(text) for text in texts]
    model.index(split, show_progress=False)
    known = [word for word in words if any(word in words_of for words_of in split)]
    if not known:
        return np.zeros(len(texts), np.float32)
    return np.asarray(model.get_scores(known), np.float32)


def assert_scores_are_bm25s(index: WordIndex, texts: Sequence[str | None]) -> None:
    """``texts`` by row, ``None`` for removed ones."""
    rows = [row for row, text in enumerate(texts) if text is not None]
    left = [text for text in texts if text is not None]
    for question in QUESTIONS:
        words = tokens(question)
        scores = index.scores(words)
        assert scores.shape == (len(texts),)
        np.testing.assert_allclose(scores[rows], bm25s_scores(left, words), atol=1e-4, rtol=0)
        assert not scores[[row for row, text in enumerate(texts) if text is None]].any()


class TestReadingWordsOfManyTexts:
    @given(st.lists(ANY_TEXT, max_size=8))
    def test_they_are_those_of_one_text_after_another(self, texts: list[str]) -> None:
        keys, rows, _ = read_words([fold(text) for text in texts])
        found = sorted(zip(rows.tolist(), keys.tolist(), strict=True))
        expected = sorted(
            (r, word_key(word)) for r, text in enumerate(texts) for word in tokens(text)
        )
        assert found == expected

    def test_batches_make_no_difference(self, monkeypatch: pytest.MonkeyPatch) -> None:
        texts = [fold(text) for text in clauses(50)]
        whole = build_segment(texts)
        monkeypatch.setattr("knowledge.postings._BATCH", 7)
        parts = build_segment(texts)
        for name in ("keys", "starts", "rows", "counts", "lengths"):
            np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))

    @given(st.lists(st.text(alphabet="企业补贴奖励ab12.", min_size=1), min_size=1, max_size=30))
    def test_different_words_have_different_keys(self, texts: list[str]) -> None:
        words = {word for text in texts for word in tokens(text)}
        assert len({word_key(word) for word in words}) == len(words)

    def test_held_words_are_spelt_as_they_were_read(self) -> None:
        index = WordIndex(["ESG 补 5.5 万 办公室", "其他"])
        assert index.holds(0) == {"esg", "补", "5.5", "万", "办公", "公室"}


class TestGrowing:
    def test_scores_equal_bm25s(self) -> None:
        texts = clauses(300)
        assert_scores_are_bm25s(WordIndex(texts), texts)

    def test_scores_equal_bm25s_however_texts_came_and_went(self) -> None:
        texts: list[str | None] = [*clauses(120)]
        index = WordIndex([str(text) for text in texts])
        rng = random.Random(3)
        for step in range(40):
            new = clauses(rng.choice([1, 1, 2, 30]), seed=step + 1)
            assert list(index.add(new)) == list(range(len(texts), len(texts) + len(new)))
            texts += new
            gone = [row for row in rng.sample(range(len(texts)), 3) if texts[row] is not None]
            index.remove(gone)
            for row in gone:
                texts[row] = None
        assert_scores_are_bm25s(index, texts)

    def test_one_by_one_leaves_few_segments(self) -> None:
        index = WordIndex()
        for text in clauses(200):
            index.add([text])
        assert len(index._state.segments) < 8

    def test_removing_all_leaves_an_index_that_answers_and_grows(self) -> None:
        index = WordIndex(TEXTS)
        index.remove(range(3))
        index.remove([1])
        assert index.scores(["租金"]).tolist() == [0, 0, 0]
        assert (index.holds(0), index.cover(["租金"], 1)) == (frozenset(), 0)
        index.add(["租金支持"])
        assert index.scores(["租金"]).argmax() == 3

    def test_removed_text_counts_for_nothing(self) -> None:
        index = WordIndex(TEXTS)
        index.remove([2])
        left = WordIndex(TEXTS[:2])
        assert index.idf("奖励") == left.idf("奖励")
        assert index.count("esg") == 0

    def test_no_texts_at_all(self) -> None:
        index = WordIndex()
        assert index.scores(["租金"]).shape == (0,)
        assert index.idf("租金") == pytest.approx(np.log(2))

    @pytest.mark.parametrize("row", [-1, 3])
    def test_unknown_row_is_refused(self, index: WordIndex, row: int) -> None:
        with pytest.raises(IndexError, match="rows 0 to 2"):
            index.copy().remove([row])
        with pytest.raises(IndexError, match="rows 0 to 2"):
            index.holds(row)

    def test_copy_changes_on_its_own(self, index: WordIndex) -> None:
        twin = index.copy()
        twin.add(["新"])
        twin.remove([0])
        assert (len(index), len(twin)) == (3, 4)
        assert index.scores(["国家"])[0] > 0


class TestManyTexts:
    def test_covers_and_held_are_those_of_each_text(self) -> None:
        index = WordIndex(clauses(30))
        index.add(clauses(9, seed=2))
        index.remove([4])
        words, rows = tokens("企业研发投入补贴5000"), [38, 4, 0, 31]
        expected = [index.cover(words, row) for row in rows]
        np.testing.assert_allclose(index.covers(words, rows), expected, atol=1e-6)
        held = index.held(words, rows)
        assert [[word in index.holds(row) for row in rows] for word in words] == held.tolist()

    def test_no_words_cover_nothing(self, index: WordIndex) -> None:
        assert index.covers([], [0, 1]).tolist() == [0, 0]


class TestStored:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        index = WordIndex(clauses(60))
        index.add(["ESG 新增 5.5"])
        index.remove([7])
        index.save(tmp_path / "words")
        return tmp_path / "words"

    def test_loaded_index_scores_the_same(self, folder: Path) -> None:
        texts: list[str | None] = [*clauses(60), "ESG 新增 5.5"]
        texts[7] = None
        index = WordIndex.load(folder)
        assert_scores_are_bm25s(index, texts)
        assert index.holds(60) == {"esg", "新增", "5.5"}

    def test_loaded_index_is_mapped_and_grows(self, folder: Path) -> None:
        index = WordIndex.load(folder)
        assert isinstance(index._state.segments[0].rows, np.memmap)
        index.add(["租金支持"])
        assert index.scores(["租金"]).argmax() == 61

    def test_unchanged_segments_are_linked(self, folder: Path, tmp_path: Path) -> None:
        index = WordIndex.load(folder)
        index.add(["租"])
        index.save(tmp_path / "later")
        first = "000/rows.npy"
        assert (folder / first).samefile(tmp_path / "later" / first)
        assert WordIndex.load(tmp_path / "later").scores(["租"]).argmax() == 61

    def test_empty_index_can_be_stored(self, tmp_path: Path) -> None:
        WordIndex().save(tmp_path / "none")
        assert WordIndex.load(tmp_path / "none").scores(["租金"]).shape == (0,)

    @pytest.mark.parametrize(
        "name",
        ["000/keys.npy", "000/starts.npy", "000/rows.npy", "000/counts.npy", "000/lengths.npy"],
    )
    @pytest.mark.parametrize("kept", [0, 40, -1])
    def test_cut_off_file_is_named_with_what_to_do(
        self, folder: Path, name: str, kept: int
    ) -> None:
        path = folder / name
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(StoredIndexError, match=rf"{name[4:]}: damaged.*build it anew"):
            WordIndex.load(folder)

    @pytest.mark.parametrize("name", ["words.json", "000/names.json"])
    def test_damaged_description_is_named(self, folder: Path, name: str) -> None:
        (folder / name).write_text("{")
        with pytest.raises(StoredIndexError, match="damaged"):
            WordIndex.load(folder)

    def test_file_of_another_index_is_noticed(self, folder: Path, tmp_path: Path) -> None:
        WordIndex(clauses(20, seed=9)).save(tmp_path / "other")
        (folder / "000/rows.npy").write_bytes((tmp_path / "other/000/rows.npy").read_bytes())
        with pytest.raises(StoredIndexError, match="do not fit each other"):
            WordIndex.load(folder)
