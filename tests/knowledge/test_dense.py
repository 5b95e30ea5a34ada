"""Meaning: vectors are encoded once and kept by content; the index scores like the plain matrix product."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from knowledge.dense import MeaningIndex, RememberingEncoder, VectorCache
from knowledge.encoder import Vectors
from knowledge.errors import EncoderError


class CountingEncoder:
    """Unit vectors drawn from the text itself; notes what it was asked to encode."""

    def __init__(self, name: str = "counting-1", dim: int = 4) -> None:
        self.name, self.dim = name, dim
        self.encoded: list[str] = []
        self.asked: list[str] = []

    def queries(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return self._rows(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        self.encoded += texts
        return self._rows(texts)

    def _rows(self, texts: Sequence[str]) -> Vectors:
        rows = [np.random.default_rng(list(text.encode())).normal(size=self.dim) for text in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], np.float32)


class BreakingEncoder(CountingEncoder):
    """Gives up at the second batch."""

    def passages(self, texts: Sequence[str]) -> Vectors:
        if self.encoded:
            raise RuntimeError("out of memory")
        return super().passages(texts)


class TestVectorCache:
    def test_known_texts_are_not_encoded_again(self, tmp_path: Path) -> None:
        first = VectorCache(tmp_path).vectors(CountingEncoder(), ["甲", "乙"])
        later = CountingEncoder()
        second = VectorCache(tmp_path).vectors(later, ["乙", "甲"])
        assert later.encoded == []
        assert np.array_equal(first[::-1], second)

    def test_changing_one_text_encodes_one_text(self, tmp_path: Path) -> None:
        cache = VectorCache(tmp_path)
        texts = [f"条款{number}" for number in range(40)]
        cache.vectors(CountingEncoder(), texts)
        later = CountingEncoder()
        texts[7] = "条款七"
        vectors = cache.vectors(later, texts)
        assert later.encoded == ["条款七"]
        assert np.array_equal(vectors, CountingEncoder().passages(texts))

    def test_rows_stand_in_the_order_of_the_texts(self, tmp_path: Path) -> None:
        texts = [f"条款{number}" for number in range(40)]
        vectors = VectorCache(tmp_path).vectors(CountingEncoder(), texts)
        assert vectors.shape == (40, 4)
        assert vectors.dtype == np.float32
        assert np.array_equal(vectors, CountingEncoder().passages(texts))

    def test_repeated_text_gets_the_same_row(self, tmp_path: Path) -> None:
        vectors = VectorCache(tmp_path).vectors(CountingEncoder(), ["甲", "乙", "甲"])
        assert np.array_equal(vectors[0], vectors[2])
        assert not np.array_equal(vectors[0], vectors[1])

    def test_repeated_new_text_is_encoded_once(self, tmp_path: Path) -> None:
        encoder = CountingEncoder()
        VectorCache(tmp_path).vectors(encoder, ["甲", "乙", "甲"])
        assert encoder.encoded == ["甲", "乙"]

    def test_two_encoders_never_share_vectors(self, tmp_path: Path) -> None:
        cache = VectorCache(tmp_path)
        cache.vectors(CountingEncoder("a"), ["甲"])
        other = CountingEncoder("b", dim=6)
        assert cache.vectors(other, ["甲"]).shape == (1, 6)
        assert other.encoded == ["甲"]

    def test_name_with_a_slash_stays_inside_the_folder(self, tmp_path: Path) -> None:
        folder = tmp_path / "vectors"
        VectorCache(folder).vectors(CountingEncoder("../org/model"), ["甲"])
        assert [path.name for path in folder.iterdir()] == [".._org_model.npz"]
        assert list(tmp_path.iterdir()) == [folder]

    def test_another_dimension_under_the_same_name_is_refused(self, tmp_path: Path) -> None:
        VectorCache(tmp_path).vectors(CountingEncoder(), ["甲"])
        with pytest.raises(EncoderError, match=r"have 4 dimensions.*gives 6; delete the file"):
            VectorCache(tmp_path).vectors(CountingEncoder(dim=6), ["甲"])

    @pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
    def test_damaged_file_is_named_with_what_to_do(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "counting-1.npz"
        path.write_bytes(content)
        with pytest.raises(EncoderError, match=r"counting-1\.npz: damaged file.*delete it"):
            VectorCache(tmp_path).vectors(CountingEncoder(), ["甲"])

    def test_archive_of_something_else_is_named_too(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "counting-1.npz", other=np.zeros(1))
        with pytest.raises(EncoderError, match="damaged file"):
            VectorCache(tmp_path).vectors(CountingEncoder(), ["甲"])

    def test_progress_counts_only_what_is_encoded(self, tmp_path: Path) -> None:
        cache = VectorCache(tmp_path)
        texts = [f"条款{number}" for number in range(20)]
        cache.vectors(CountingEncoder(), texts[:2])
        told: list[tuple[int, int]] = []
        cache.vectors(CountingEncoder(), texts, lambda done, total: told.append((done, total)))
        cache.vectors(CountingEncoder(), texts, lambda done, total: told.append((done, total)))
        assert told == [(16, 18), (18, 18)]

    def test_failure_while_encoding_leaves_the_stored_file_as_it_was(self, tmp_path: Path) -> None:
        cache = VectorCache(tmp_path)
        cache.vectors(CountingEncoder(), ["甲"])
        stored = (tmp_path / "counting-1.npz").read_bytes()
        with pytest.raises(RuntimeError):
            cache.vectors(BreakingEncoder(), [f"条款{number}" for number in range(40)])
        assert (tmp_path / "counting-1.npz").read_bytes() == stored

    def test_file_is_swapped_in_whole(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cache = VectorCache(tmp_path)
        cache.vectors(CountingEncoder(), ["甲"])
        stored = (tmp_path / "counting-1.npz").read_bytes()

        def full_disk(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(np, "savez", full_disk)
        with pytest.raises(OSError, match="No space left"):
            cache.vectors(CountingEncoder(), ["甲", "乙"])
        assert (tmp_path / "counting-1.npz").read_bytes() == stored
        assert [path.name for path in tmp_path.iterdir()] == ["counting-1.npz"]

    def test_stored_file_is_all_that_remains(self, tmp_path: Path) -> None:
        cache = VectorCache(tmp_path)
        cache.vectors(CountingEncoder(), ["甲"])
        cache.vectors(CountingEncoder(), ["甲", "乙"])
        assert [path.name for path in tmp_path.iterdir()] == ["counting-1.npz"]

    def test_no_texts_give_no_rows(self, tmp_path: Path) -> None:
        assert VectorCache(tmp_path).vectors(CountingEncoder(), []).shape == (0, 4)


class TestRememberingEncoder:
    def test_passages_are_kept_and_questions_pass_through(self, tmp_path: Path) -> None:
        inner = CountingEncoder()
        encoder = RememberingEncoder(inner, VectorCache(tmp_path))
        assert (encoder.name, encoder.dim) == ("counting-1", 4)
        first = encoder.passages(["甲", "乙"])
        assert np.array_equal(encoder.passages(["甲", "乙"]), first)
        encoder.queries(["问"])
        encoder.queries(["问"])
        assert inner.encoded == ["甲", "乙"]
        assert inner.asked == ["问", "问"]


class TestMeaningIndex:
    def test_scores_equal_the_matrix_product(self) -> None:
        texts = CountingEncoder(dim=32).passages([f"条款{number}" for number in range(200)])
        query = CountingEncoder(dim=32).queries(["问"])[0]
        scores = MeaningIndex(texts).scores(query)
        assert scores.shape == (200,)
        np.testing.assert_allclose(scores, texts @ query, atol=1e-6)

    def test_text_itself_scores_one(self) -> None:
        texts = CountingEncoder().passages(["甲", "乙"])
        scores = MeaningIndex(texts).scores(texts[1])
        assert scores[1] == pytest.approx(1)
        assert scores.argmax() == 1
