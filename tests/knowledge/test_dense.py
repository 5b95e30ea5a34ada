"""Meaning: vectors are encoded once and kept by content; the index scores like the plain matrix product."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from knowledge.dense import MeaningIndex, RememberingEncoder, VectorCache
from knowledge.encoder import Vectors
from knowledge.errors import EncoderError
from knowledge.stored import StoredIndexError


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
        rows = [
            np.random.default_rng(list(text.encode("utf-8", "surrogatepass"))).normal(size=self.dim)
            for text in texts
        ]
        return np.array([row / np.linalg.norm(row) for row in rows], np.float32)


class BreakingEncoder(CountingEncoder):
    """Gives up at the second batch."""

    def passages(self, texts: Sequence[str]) -> Vectors:
        if self.encoded:
            raise RuntimeError("out of memory")
        return super().passages(texts)


class BrokenEncoder(CountingEncoder):
    """Must not be asked."""

    def passages(self, texts: Sequence[str]) -> Vectors:
        raise RuntimeError(f"asked to encode {len(texts)} texts that are stored")


class SlowEncoder(CountingEncoder):
    """Takes a tenth of a second a batch."""

    def __init__(self) -> None:
        super().__init__("slow")

    def passages(self, texts: Sequence[str]) -> Vectors:
        time.sleep(0.1)
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

    @pytest.mark.parametrize("name", ["../org/model", ".."])
    def test_any_name_stays_inside_the_folder(self, tmp_path: Path, name: str) -> None:
        folder = tmp_path / "vectors"
        VectorCache(folder).vectors(CountingEncoder(name), ["甲"])
        assert [path.name for path in folder.iterdir()] == [f"{name.replace('/', '_')}.vectors"]
        assert list(tmp_path.iterdir()) == [folder]

    def test_another_dimension_under_the_same_name_is_refused(self, tmp_path: Path) -> None:
        VectorCache(tmp_path).vectors(CountingEncoder(), ["甲"])
        with pytest.raises(EncoderError, match=r"have 4 dimensions.*gives 6; delete the folder"):
            VectorCache(tmp_path).vectors(CountingEncoder(dim=6), ["甲"])

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"dim": 4}'])
    def test_damaged_description_is_named_with_what_to_do(
        self, tmp_path: Path, content: str
    ) -> None:
        cache = VectorCache(tmp_path)
        cache.vectors(CountingEncoder(), ["甲"])
        (cache.path(CountingEncoder()) / "encoder.json").write_text(content)
        with pytest.raises(EncoderError, match=r"encoder\.json: damaged.*delete the folder"):
            cache.vectors(CountingEncoder(), ["甲"])

    def test_another_format_is_refused(self, tmp_path: Path) -> None:
        cache = VectorCache(tmp_path)
        cache.vectors(CountingEncoder(), ["甲"])
        path = cache.path(CountingEncoder()) / "encoder.json"
        path.write_text(path.read_text().replace('"format": 1', '"format": 9'))
        with pytest.raises(EncoderError, match=r"format 9.*delete the folder"):
            cache.vectors(CountingEncoder(), ["甲"])

    def test_changed_row_is_named_with_what_to_do(self, tmp_path: Path) -> None:
        cache = VectorCache(tmp_path)
        cache.vectors(CountingEncoder(), ["甲", "乙"])
        rows = cache.path(CountingEncoder()) / "shard-00000.rows"
        content = bytearray(rows.read_bytes())
        content[-1] ^= 1
        rows.write_bytes(content)
        with pytest.raises(EncoderError, match=r"shard-00000\.rows: damaged.*delete it and shard"):
            cache.vectors(CountingEncoder(), ["乙"])
        assert cache.vectors(CountingEncoder(), ["甲"]).shape == (1, 4)

    @pytest.mark.parametrize("name", ["shard-00000.rows", "shard-00000.keys"])
    @pytest.mark.parametrize("lost", [1, 17, 10_000])
    def test_what_a_dying_process_left_half_written_is_encoded_anew(
        self, tmp_path: Path, name: str, lost: int
    ) -> None:
        cache, texts = VectorCache(tmp_path), ["甲", "乙", "丙"]
        cache.vectors(CountingEncoder(), texts)
        path = cache.path(CountingEncoder()) / name
        path.write_bytes(path.read_bytes()[:-lost] if lost < 99 else b"")
        later = CountingEncoder()
        assert np.array_equal(cache.vectors(later, texts), CountingEncoder().passages(texts))
        assert later.encoded == texts[-len(later.encoded) :] and later.encoded
        again = CountingEncoder()
        cache.vectors(again, texts)
        assert again.encoded == []

    def test_full_shards_are_followed_by_another(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("knowledge.vectors.SHARD_ROWS", 5)
        cache, texts = VectorCache(tmp_path), [f"条款{number}" for number in range(12)]
        for at in range(0, 12, 3):
            cache.vectors(CountingEncoder(), texts[: at + 3])
        assert len(list(cache.path(CountingEncoder()).glob("*.rows"))) == 4
        assert np.array_equal(
            cache.vectors(BrokenEncoder(), texts[::-1]), CountingEncoder().passages(texts[::-1])
        )

    def test_deleted_shard_is_encoded_anew(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("knowledge.vectors.SHARD_ROWS", 1)
        cache = VectorCache(tmp_path)
        for texts in (["甲"], ["甲", "乙"]):
            cache.vectors(CountingEncoder(), texts)
        for name in ("shard-00000.rows", "shard-00000.keys"):
            (cache.path(CountingEncoder()) / name).unlink()
        later = CountingEncoder()
        assert np.array_equal(
            cache.vectors(later, ["甲", "乙"]), CountingEncoder().passages(["甲", "乙"])
        )
        assert later.encoded == ["甲"]

    def test_processes_may_share_a_cache(self, tmp_path: Path) -> None:
        first, second = VectorCache(tmp_path), VectorCache(tmp_path)
        texts = [f"条款{number}" for number in range(60)]

        def fill(turn: int) -> Vectors:
            cache = first if turn % 2 else second
            return cache.vectors(CountingEncoder(), texts[turn : turn + 40])

        with ThreadPoolExecutor(8) as pool:
            rows = list(pool.map(fill, range(20)))
        for turn, found in enumerate(rows):
            assert np.array_equal(found, CountingEncoder().passages(texts[turn : turn + 40]))

    def test_killed_process_loses_at_most_the_last_moments(self, tmp_path: Path) -> None:
        script = (
            "import sys, time; from pathlib import Path\n"
            "sys.path.insert(0, sys.argv[2])\n"
            "from tests.knowledge.test_dense import SlowEncoder\n"
            "from knowledge.dense import VectorCache\n"
            "texts = [f'条款{n}' for n in range(2000)]\n"
            "VectorCache(Path(sys.argv[1])).vectors(SlowEncoder(), texts, lambda d, t: print(d, flush=True))\n"
        )
        root = str(Path(__file__).resolve().parents[2])
        with subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), root], stdout=subprocess.PIPE, cwd=root
        ) as process:
            assert process.stdout is not None
            done = 0
            while done < 300:
                done = int(process.stdout.readline())
            process.kill()
        later = CountingEncoder("slow")
        vectors = VectorCache(tmp_path).vectors(later, [f"条款{n}" for n in range(2000)])
        assert 2000 - done <= len(later.encoded) < 2000 - done + 250
        assert np.array_equal(vectors[-1], later.passages(["条款1999"])[0])

    def test_progress_counts_only_what_is_encoded(self, tmp_path: Path) -> None:
        cache = VectorCache(tmp_path)
        texts = [f"条款{number}" for number in range(20)]
        cache.vectors(CountingEncoder(), texts[:2])
        told: list[tuple[int, int]] = []
        cache.vectors(CountingEncoder(), texts, lambda done, total: told.append((done, total)))
        cache.vectors(CountingEncoder(), texts, lambda done, total: told.append((done, total)))
        assert told == [(16, 18), (18, 18)]

    def test_failure_while_encoding_keeps_what_was_encoded(self, tmp_path: Path) -> None:
        cache = VectorCache(tmp_path)
        texts = [f"条款{number:02d}" for number in range(40)]
        with pytest.raises(RuntimeError):
            cache.vectors(BreakingEncoder(), texts)
        later = CountingEncoder()
        cache.vectors(later, texts)
        assert later.encoded == texts[16:]

    def test_full_disk_leaves_what_was_stored(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cache = VectorCache(tmp_path)
        cache.vectors(CountingEncoder(), ["甲"])

        def full_disk(_: int) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):
            patched.setattr("knowledge.vectors.os.fsync", full_disk)
            cache.vectors(CountingEncoder(), ["甲", "乙"])
        later = CountingEncoder()
        cache.vectors(later, ["甲", "乙"])
        assert later.encoded == ["乙"]

    def test_is_filled_once_something_is_stored(self, tmp_path: Path) -> None:
        cache = VectorCache(tmp_path)
        assert not cache.is_filled(CountingEncoder())
        cache.vectors(CountingEncoder(), ["甲"])
        assert cache.is_filled(CountingEncoder())
        assert not cache.is_filled(CountingEncoder("other"))

    @pytest.mark.parametrize("text", ["", "\ud83d", "甲\0乙"])
    def test_awkward_text_is_kept_like_any_other(self, tmp_path: Path, text: str) -> None:
        cache = VectorCache(tmp_path)
        cache.vectors(CountingEncoder(), [text])
        assert cache.vectors(BrokenEncoder(), [text]).shape == (1, 4)

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

    def test_no_texts_give_no_scores(self) -> None:
        index = MeaningIndex(np.zeros((0, 4), np.float32))
        query = np.ones(4, np.float32)
        assert index.scores(query).shape == (0,)
        assert [len(part) for part in index.search(query, 5)] == [0, 0]

    def test_nearest_come_first_and_equal_ones_by_row(self) -> None:
        one, two = np.eye(4, dtype=np.float32)[:2]
        index = MeaningIndex(np.stack([two, one, two, one]))
        rows, cosines = index.search(one, 3)
        assert (rows.tolist()[:2], cosines.tolist()) == ([1, 3], [1, 1, 0])

    def test_rows_added_one_by_one_are_found(self) -> None:
        texts = unit_rows(40)
        index = MeaningIndex(texts[:3])
        for row in range(3, 40):
            assert index.add(texts[row : row + 1]) == range(row, row + 1)
        query = texts[20]
        np.testing.assert_allclose(index.scores(query), texts @ query, atol=1e-6)
        np.testing.assert_allclose(index.cosines(query, [39, 0, 20]), (texts @ query)[[39, 0, 20]])
        assert index.search(query, 1)[0].tolist() == [20]
        assert len(index._blocks) < 6

    def test_equal_vectors_have_equal_cosines_wherever_they_stand(self) -> None:
        rows = unit_rows(203, dim=37)
        rows[[0, 5, 101, 202]] = rows[17]
        index, query = MeaningIndex(rows[:150]), unit_rows(1, dim=37, seed=8)[0]
        index.add(rows[150:])
        alike = [0, 5, 17, 101, 202]
        assert len(set(index.scores(query)[alike].tolist())) == 1
        assert index.cosines(query, alike).tolist() == index.scores(query)[alike].tolist()
        found, cosines = index.search(query, 203)
        assert cosines.tolist() == index.scores(query)[found].tolist()

    @pytest.mark.parametrize("rows", [[-1], [0, 3]])
    def test_unknown_row_is_refused(self, rows: list[int]) -> None:
        with pytest.raises(IndexError, match="the index has 3"):
            MeaningIndex(unit_rows(3)).cosines(unit_rows(1)[0], rows)

    def test_query_of_another_dimension_is_refused(self) -> None:
        index, query = MeaningIndex(unit_rows(3)), np.ones(5, np.float32)
        for ask in (index.scores, lambda q: index.search(q, 1), lambda q: index.cosines(q, [0])):
            with pytest.raises(ValueError, match=r"shape \(5,\) for vectors of dimension 16"):
                ask(query)

    def test_copy_changes_on_its_own(self) -> None:
        index = MeaningIndex(unit_rows(4))
        index.copy().add(unit_rows(2))
        assert len(index) == 4


def unit_rows(count: int, dim: int = 16, seed: int = 0) -> Vectors:
    """Rows of length 1 that lie in clusters, as those of texts do."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(count // 50, 1), dim))
    rows = centres[rng.integers(0, len(centres), count)] + 0.6 * rng.normal(size=(count, dim))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module")
def rows() -> Vectors:
    return unit_rows(4000)


@pytest.fixture(scope="module")
def index(rows: Vectors) -> MeaningIndex:
    return MeaningIndex(rows, flat_below=2000)


class TestMeaningIndexOfManyVectors:
    """The inverted file, here from 2,000 vectors up."""

    def test_below_the_limit_every_vector_is_compared(self, rows: Vectors) -> None:
        assert MeaningIndex(rows, flat_below=4001).kind == "flat"

    def test_nearly_all_of_the_true_ten_are_found_with_exact_cosines(
        self, index: MeaningIndex, rows: Vectors
    ) -> None:
        assert index.kind.startswith("ivf") and not index.is_exact
        near = rows[::40] + 0.1 * unit_rows(100, seed=1)
        asked, hits = near / np.linalg.norm(near, axis=1, keepdims=True), 0
        for query in asked:
            found, cosines = index.search(query, 10)
            np.testing.assert_allclose(cosines, rows[found] @ query, atol=1e-6)
            assert (np.diff(cosines) <= 0).all()
            hits += len(set(found.tolist()) & set(np.argsort(-(rows @ query))[:10].tolist()))
        assert hits >= 950

    def test_rows_added_are_found_before_and_after_it_is_built_anew(
        self, index: MeaningIndex, rows: Vectors
    ) -> None:
        grown, new = index.copy(), unit_rows(900, seed=2)
        for start, stop in ((0, 1), (1, 300), (300, 900)):
            grown.add(new[start:stop])
            assert grown.search(new[stop - 1], 1)[0].tolist() == [4000 + stop - 1]
        assert grown._cells is not None and grown._cells.count == 4900
        assert index._cells is not None and index._cells.count == 4000

    def test_it_is_built_when_an_index_grows_over_the_limit(self) -> None:
        index = MeaningIndex(unit_rows(1999), flat_below=2000)
        assert index.is_exact
        index.add(unit_rows(1, seed=3))
        assert not index.is_exact

    def test_stored_and_loaded_it_finds_the_same(self, index: MeaningIndex, tmp_path: Path) -> None:
        index.save(tmp_path / "meaning", CountingEncoder(dim=16), "content")
        loaded = MeaningIndex.load(tmp_path / "meaning", CountingEncoder(dim=16), "content")
        assert loaded.kind == index.kind
        for query in unit_rows(10, seed=4):
            rows, cosines = loaded.search(query, 20)
            own_rows, own_cosines = index.search(query, 20)
            assert (rows.tolist(), cosines.tolist()) == (own_rows.tolist(), own_cosines.tolist())
        loaded.add(unit_rows(1, seed=5))
        assert loaded.search(unit_rows(1, seed=5)[0], 1)[0].tolist() == [4000]

    def test_questions_it_learned_from_are_kept_for_the_next_time(self, tmp_path: Path) -> None:
        asked = unit_rows(30, seed=6)
        index = MeaningIndex(unit_rows(2000), flat_below=2000, asked=asked)
        index.save(tmp_path / "meaning", CountingEncoder(dim=16), "content")
        loaded = MeaningIndex.load(tmp_path / "meaning", CountingEncoder(dim=16))
        loaded.add(unit_rows(300, seed=2))
        assert loaded._cells is not None and loaded._cells.count == 2300
        assert loaded._cells.asked is not None and np.array_equal(loaded._cells.asked, asked)

    def test_nearer_questions_need_fewer_cells(self, rows: Vectors) -> None:
        near = MeaningIndex(rows, flat_below=2000, asked=rows[:100])
        far = MeaningIndex(rows, flat_below=2000, asked=unit_rows(100, seed=11))
        assert near._cells is not None and far._cells is not None
        assert near._cells.probes <= far._cells.probes

    @pytest.mark.parametrize("lost", [1, 5000])
    def test_cut_off_inverted_file_is_named(
        self, index: MeaningIndex, tmp_path: Path, lost: int
    ) -> None:
        index.save(tmp_path / "meaning", CountingEncoder(dim=16), "content")
        path = tmp_path / "meaning" / "cells.faiss"
        path.write_bytes(path.read_bytes()[:-lost])
        with pytest.raises(StoredIndexError, match=r"cells\.faiss: damaged"):
            MeaningIndex.load(tmp_path / "meaning", CountingEncoder(dim=16))


class PromptedEncoder(CountingEncoder):
    prompts = "query: |passage: "


class TestStoredMeaningIndex:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        index = MeaningIndex(CountingEncoder().passages(["甲", "乙"]))
        index.add(CountingEncoder().passages(["丙"]))
        index.save(tmp_path / "meaning", CountingEncoder(), "content")
        return tmp_path / "meaning"

    def test_loaded_it_scores_the_same_from_mapped_files(self, folder: Path) -> None:
        index = MeaningIndex.load(folder, CountingEncoder(), "content")
        rows = CountingEncoder().passages(["甲", "乙", "丙"])
        np.testing.assert_allclose(index.scores(rows[2]), rows @ rows[2], atol=1e-6)
        assert all(isinstance(block, np.memmap) for block in index._blocks)

    @pytest.mark.parametrize(
        ("encoder", "said"),
        [
            (CountingEncoder("other"), "encoder 'counting-1', in use is 'other'"),
            (CountingEncoder(dim=6), "dim 4, in use is 6"),
            (PromptedEncoder(), "prompts '', in use is 'query: |passage: '"),
        ],
    )
    def test_another_encoder_is_refused(
        self, folder: Path, encoder: CountingEncoder, said: str
    ) -> None:
        with pytest.raises(EncoderError, match=re.escape(said) + ".*build the index anew"):
            MeaningIndex.load(folder, encoder)

    def test_another_content_is_refused(self, folder: Path) -> None:
        with pytest.raises(StoredIndexError, match=r"made from other texts.*build it anew"):
            MeaningIndex.load(folder, CountingEncoder(), "changed")

    def test_another_format_is_refused(self, folder: Path) -> None:
        path = folder / "manifest.json"
        path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
        with pytest.raises(EncoderError, match="has format 2, in use is 1"):
            MeaningIndex.load(folder, CountingEncoder())

    @pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"format": 1}'])
    def test_damaged_manifest_is_named(self, folder: Path, content: str) -> None:
        (folder / "manifest.json").write_text(content)
        with pytest.raises(StoredIndexError, match=r"manifest\.json: damaged"):
            MeaningIndex.load(folder, CountingEncoder())

    @pytest.mark.parametrize("kept", [0, 100, -1])
    def test_cut_off_rows_are_named(self, folder: Path, kept: int) -> None:
        path = folder / "rows-000.npy"
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(StoredIndexError, match=r"rows-000\.npy: damaged"):
            MeaningIndex.load(folder, CountingEncoder())

    def test_rows_of_another_count_are_noticed(self, folder: Path) -> None:
        np.save(folder / "rows-000.npy", np.zeros((5, 4), np.float32))
        with pytest.raises(StoredIndexError, match="counts are not those"):
            MeaningIndex.load(folder, CountingEncoder())
