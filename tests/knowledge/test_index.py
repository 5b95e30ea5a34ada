"""The stored engine: the fused order is that of the formula, and building, growing, storing and loading keep it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from knowledge import fusion
from knowledge.dense import VectorCache
from knowledge.encoder import Encoder, Vectors
from knowledge.errors import EncoderError
from knowledge.fusion import best_rows
from knowledge.index import FEATURES, Found, HybridIndex, Source, System, content_hash
from knowledge.lexical import WordIndex, tokens
from knowledge.stored import Generations, StoredIndexError

QUESTIONS = (
    "研发投入补贴多少",
    "租金",
    "高新企业认定奖励条件",
    "没有见过的词语",
    "ipo 5000",
    "？",
    "的",
)


class BagEncoder:
    """Unit vectors from the characters of a text, so that like texts lie near each other."""

    prompts = "q|p"

    def __init__(self, name: str = "bag-1", dim: int = 24) -> None:
        self.name, self.dim = name, dim
        self.encoded: list[str] = []
        self.threads: list[str] = []

    def queries(self, texts: Sequence[str]) -> Vectors:
        self.threads.append(threading.current_thread().name)
        return self._rows(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        self.encoded += texts
        return self._rows(texts)

    def _rows(self, texts: Sequence[str]) -> Vectors:
        rows = np.full((len(texts), self.dim), 0.1, np.float32)
        for line, text in enumerate(texts):
            for character in text:
                rows[line, ord(character) * 7919 % self.dim] += 1
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def make_sources(count: int, seed: int = 0) -> list[Source]:
    rng = random.Random(seed)
    words = [
        "研发投入",
        "租金",
        "高新企业",
        "认定",
        "奖励",
        "补贴",
        "申报条件",
        "5000万元",
        "ipo",
        "上市",
    ]
    words += [chr(0x4E00 + 31 * n) + chr(0x5000 + 17 * n) for n in range(60)]
    sources = []
    for number in range(count):
        title = "".join(rng.choices(words, k=3))
        passages = tuple(
            f"{title} {'，'.join(rng.choices(words, k=rng.randint(2, 8)))}。"
            for _ in range(rng.randint(1, 6))
        )
        sources.append(Source(f"D{number:04d}", title, passages, " ".join((title, *passages))))
    return sources


@pytest.fixture
def cache(tmp_path: Path) -> VectorCache:
    return VectorCache(tmp_path / "vectors")


@pytest.fixture
def index(cache: VectorCache) -> HybridIndex:
    return HybridIndex.build(make_sources(80), BagEncoder(), cache)


def ids(found: Sequence[Found]) -> list[str]:
    return [each.id for each in found]


def formula(sources: Sequence[Source], text: str, system: System) -> list[tuple[float, str]]:
    """Shared retrieval notes §3 written out over all documents, one after another."""
    words = tokens(text)
    documents = WordIndex([source.text for source in sources])
    passages = WordIndex([passage for source in sources for passage in source.passages])
    encoder: Encoder = BagEncoder()
    query = encoder.queries([text])[0]
    by_document = documents.scores(words).tolist()
    by_passage, cosines, rows, row = [], [], [], 0
    every = passages.scores(words)
    for source in sources:
        own = list(range(row, row + len(source.passages)))
        row += len(own)
        rows.append(own)
        by_passage.append(max(every[own].tolist()))
        cosines.append(max((encoder.passages(source.passages) @ query).tolist()))

    def z(values: list[float]) -> list[float]:
        top = sorted(values, reverse=True)[:50]
        mean = sum(top) / len(top)
        deviation = (sum((value - mean) ** 2 for value in top) / len(top)) ** 0.5 + 1e-6
        return [(value - mean) / deviation for value in values]

    best = by_document.index(max(by_document))
    cover = max(passages.cover(words, own) for own in rows[best]) if max(by_document) else 0.0
    proof = min(1.0, sum(documents.idf(word) for word in set(words)) / 30)
    share = max(0.7 * (1 - cover * proof), 0.25)
    lexical = [0.5 * d + 0.5 * p for d, p in zip(z(by_document), z(by_passage), strict=True)]
    scores = {
        System.WORDS: lexical,
        System.DENSE: cosines,
        System.BOTH: [
            share * c + (1 - share) * w for c, w in zip(z(cosines), lexical, strict=True)
        ],
    }[system]
    found = [
        (score, source.id)
        for score, source, d, p in zip(scores, sources, by_document, by_passage, strict=True)
        if system is not System.WORDS or d or p
    ]
    return sorted(found, key=lambda pair: (-round(pair[0], 4), pair[1]))


class TestRanking:
    @pytest.mark.parametrize("system", list(System))
    @pytest.mark.parametrize("count", [7, 400])
    def test_order_and_scores_are_those_of_the_formula(
        self, cache: VectorCache, system: System, count: int
    ) -> None:
        sources = make_sources(count)
        index = HybridIndex.build(sources, BagEncoder(), cache)
        for text in QUESTIONS[:5]:
            expected = formula(sources, text, system)[:10]
            found = index.rank(text, 10, system)
            np.testing.assert_allclose(
                [each.score for each in found], [score for score, _ in expected], atol=2e-3
            )
            assert set(ids(found)[:3]) & {id_ for _, id_ in expected[:3]} or not expected

    @pytest.mark.parametrize("system", list(System))
    def test_fusing_what_is_proposed_equals_fusing_everything(
        self, cache: VectorCache, system: System, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        index = HybridIndex.build(make_sources(1500), BagEncoder(), cache)
        found = [index.rank(text, 20, system) for text in QUESTIONS]
        monkeypatch.setattr(fusion, "_DEPTH", 10_000)
        assert found == [index.rank(text, 20, system) for text in QUESTIONS]

    def test_shallow_lists_are_made_longer_until_the_order_is_certain(
        self, cache: VectorCache, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        index = HybridIndex.build(make_sources(600), BagEncoder(), cache)
        expected = [index.rank(text, 40) for text in QUESTIONS]
        monkeypatch.setattr(fusion, "_DEPTH", 3)
        assert [index.rank(text, 40) for text in QUESTIONS] == expected

    def test_a_hit_tells_its_cosine_its_passage_and_the_words_it_holds(
        self, cache: VectorCache
    ) -> None:
        sources = [
            Source("A", "租金", ("租金 面积", "租金 补贴一成"), "租金 面积 补贴一成"),
            Source("B", "上市", ("上市 奖励",), "上市 奖励"),
        ]
        index = HybridIndex.build(sources, BagEncoder(), cache)
        first = index.rank("补贴一成 奖金")[0]
        query = BagEncoder().queries(["补贴一成 奖金"])[0]
        assert (first.id, first.passage) == ("A", 1)
        assert first.matched == ("补贴", "贴一", "一成")
        assert first.cosine == pytest.approx(
            float((BagEncoder().passages(sources[0].passages) @ query).max()), abs=1e-6
        )
        by_words = index.rank("补贴一成", system=System.WORDS)
        assert [(each.id, each.cosine, each.passage) for each in by_words] == [("A", None, 1)]

    def test_other_words_may_be_searched_than_the_text_has(self, index: HybridIndex) -> None:
        plain = index.rank("房租", system=System.WORDS)
        assert (plain, ids(index.rank("房租", system=System.WORDS, words=["租金"]))) == (
            [],
            ids(index.rank("租金", system=System.WORDS)),
        )

    def test_documents_alike_stand_in_the_order_of_their_ids(self, cache: VectorCache) -> None:
        alike = [Source(id_, "租金", ("租金 补贴",), "租金 补贴") for id_ in "CADB"]
        index = HybridIndex.build(alike, BagEncoder(), cache)
        for system in System:
            assert ids(index.rank("租金", 3, system)) == ["A", "B", "C"]

    def test_many_threads_get_the_same_lists(self, index: HybridIndex) -> None:
        alone = [index.rank(text) for text in QUESTIONS]
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(index.rank, QUESTIONS * 10)) == alone * 10

    def test_the_question_is_encoded_beside_the_words(self, cache: VectorCache) -> None:
        encoder = BagEncoder()
        index = HybridIndex.build(make_sources(3), encoder, cache)
        index.rank("租金")
        index.rank("租金", system=System.WORDS)
        assert [name.startswith("encode-question") for name in encoder.threads] == [True]

    @pytest.mark.parametrize("text", ["", "  ", "\u200b\0"])
    def test_empty_text_finds_nothing(self, index: HybridIndex, text: str) -> None:
        assert all(index.rank(text, system=system) == [] for system in System)
        assert index.features(text) == (0.0,) * len(FEATURES)

    def test_without_a_known_word_meaning_alone_ranks(self, index: HybridIndex) -> None:
        both, dense = (index.rank("鑫鑫", system=s) for s in (System.BOTH, System.DENSE))
        assert ids(both) == ids(dense) and len(both) == 10
        assert index.rank("鑫鑫", system=System.WORDS) == []
        assert {each.matched for each in both} == {()}

    def test_half_a_character_is_no_trouble(self, index: HybridIndex) -> None:
        assert len(index.rank("租金\ud83d")) == 10

    def test_a_failing_encoder_is_told(self, cache: VectorCache) -> None:
        class Failing(BagEncoder):
            def queries(self, texts: Sequence[str]) -> Vectors:
                raise EncoderError("engine gone")

        index = HybridIndex.build(make_sources(3), Failing(), cache)
        with pytest.raises(EncoderError, match="engine gone"):
            index.rank("租金")
        assert index.rank("租金", system=System.WORDS) is not None


class TestFeatures:
    def test_there_is_one_value_a_name(self, index: HybridIndex) -> None:
        for text in QUESTIONS:
            values = index.features(text)
            assert len(values) == len(FEATURES)
            assert np.isfinite(values).all()

    def test_a_question_out_of_a_document_has_more_of_everything(self, cache: VectorCache) -> None:
        sources = make_sources(80)
        index = HybridIndex.build(sources, BagEncoder(), cache)
        known = dict(zip(FEATURES, index.features(sources[3].passages[0]), strict=True))
        alien = dict(zip(FEATURES, index.features("月球上养鱼"), strict=True))
        assert known["cover"] == known["known_share"] == pytest.approx(1)
        assert alien["cover"] == alien["document_share"] == alien["known_share"] == 0
        for name in ("best_cosine", "cosine", "document_share", "passage_share", "document_cover"):
            assert known[name] > alien[name]

    def test_single_document_has_the_full_margin(self, cache: VectorCache) -> None:
        index = HybridIndex.build(make_sources(1), BagEncoder(), cache)
        assert dict(zip(FEATURES, index.features("租金"), strict=True))["margin"] == 3


class TestBuilding:
    def test_no_documents(self, cache: VectorCache, tmp_path: Path) -> None:
        index = HybridIndex.build([], BagEncoder(), cache)
        index.save(tmp_path / "index")
        for each in (index, HybridIndex.load(tmp_path / "index", BagEncoder(), cache)):
            assert (len(each), each.rank("租金"), each.rank("")) == (0, [], [])
            assert each.features("租金") == (0.0,) * len(FEATURES)
            each.add(make_sources(1)[0])
            assert ids(each.rank("租金")) == ["D0000"]

    def test_a_document_without_passages_is_found_by_its_title(self, cache: VectorCache) -> None:
        index = HybridIndex.build(
            [Source("A", "租金", (), ""), Source("B", "", (), "上市"), Source("C", "", (), "")],
            BagEncoder(),
            cache,
        )
        assert ids(index.rank("租金"))[0] == "A"
        assert ids(index.rank("上市"))[0] == "B"

    def test_an_id_that_stands_twice_is_refused(self, cache: VectorCache) -> None:
        with pytest.raises(ValueError, match="'D0001': the id stands twice"):
            HybridIndex.build([*make_sources(3), make_sources(2)[1]], BagEncoder(), cache)

    def test_a_build_that_was_killed_goes_on_where_it_stopped(self, cache: VectorCache) -> None:
        class Dying(BagEncoder):
            def passages(self, texts: Sequence[str]) -> Vectors:
                if len(self.encoded) >= 100:
                    raise KeyboardInterrupt
                return super().passages(texts)

        sources, dying, later = make_sources(80), Dying(), BagEncoder()
        with pytest.raises(KeyboardInterrupt):
            HybridIndex.build(sources, dying, cache)
        told: list[tuple[int, int]] = []
        HybridIndex.build(sources, later, cache, lambda done, total: told.append((done, total)))
        every = {passage for source in sources for passage in source.passages}
        assert set(dying.encoded) | set(later.encoded) == every
        assert not set(dying.encoded) & set(later.encoded)
        assert told[-1] == (len(every) - len(dying.encoded),) * 2

    def test_content_hash_knows_every_part_but_not_the_order(self) -> None:
        first = Source("A", "租金", ("一", "二"), "三")
        others = [
            Source("B", "租金", ("一", "二"), "三"),
            Source("A", "租", ("金", "一", "二"), "三"),
            Source("A", "租金", ("一二",), "三"),
            Source("A", "租金", ("一", "二"), "四"),
        ]
        assert len({content_hash([each]) for each in [first, *others]}) == 5
        sources = make_sources(5)
        assert content_hash(sources) == content_hash(sources[::-1]) != content_hash(sources[1:])


class TestGrowing:
    def test_growing_gives_the_index_that_building_gives(
        self, cache: VectorCache, tmp_path: Path
    ) -> None:
        sources = make_sources(60)
        index = HybridIndex.build(sources[:20], BagEncoder(), cache)
        for number, source in enumerate(sources[20:]):
            index.add(Source(source.id, "旧", ("旧",), "旧"))
            index.add(source)
            if number % 13 == 0:
                index.save(tmp_path / "index")
                index = HybridIndex.load(tmp_path / "index", BagEncoder(), cache)
        for source in sources[:5]:
            index.remove(source.id)
        whole = HybridIndex.build(sources[5:], BagEncoder(), cache)
        assert index.content_hash == whole.content_hash == content_hash(sources[5:])
        assert len(index) == len(whole) == 55
        for text in QUESTIONS:
            for system in System:
                grown, built = index.rank(text, 10, system), whole.rank(text, 10, system)
                np.testing.assert_allclose(
                    [each.score for each in grown], [each.score for each in built], atol=1e-3
                )
            np.testing.assert_allclose(index.features(text), whole.features(text), atol=1e-3)

    def test_removed_document_is_not_found(self, index: HybridIndex) -> None:
        first = index.rank("租金")[0].id
        index.remove(first)
        assert first not in index
        for system in System:
            assert first not in ids(index.rank("租金", 80, system))
        with pytest.raises(KeyError, match=first):
            index.remove(first)

    def test_an_index_emptied_answers_nothing(self, index: HybridIndex) -> None:
        for source in make_sources(80):
            index.remove(source.id)
        assert (len(index), index.rank("租金")) == (0, [])

    def test_only_new_text_is_encoded(self, cache: VectorCache) -> None:
        encoder = BagEncoder()
        index = HybridIndex.build(make_sources(5), encoder, cache)
        encoder.encoded.clear()
        old = make_sources(1)[0]
        index.add(Source(old.id, old.title, (*old.passages, "新的一条"), old.text))
        assert encoder.encoded == ["新的一条"]

    def test_failing_to_encode_leaves_the_index_as_it_was(self, index: HybridIndex) -> None:
        def fail(texts: Sequence[str]) -> Vectors:
            raise EncoderError("engine gone")

        before = index.content_hash, index.rank("租金")
        index._encoder.passages = fail  # type: ignore[method-assign]
        with pytest.raises(EncoderError):
            index.add(Source("D0001", "新", ("新的一条",), "新"))
        assert (index.content_hash, index.rank("租金")) == before

    def test_readers_beside_a_writer_see_whole_states(self, index: HybridIndex) -> None:
        stop = threading.Event()

        def read() -> int:
            lists = 0
            while not stop.is_set():
                found = ids(index.rank("租金", 5))
                assert len(found) == len(set(found)) == 5
                lists += 1
            return lists

        with ThreadPoolExecutor(3) as pool:
            reading = [pool.submit(read) for _ in range(3)]
            try:
                for source in make_sources(60, seed=5):
                    index.add(source)
                    index.remove(source.id)
            finally:
                stop.set()
            assert all(each.result() for each in reading)


class TestStored:
    @pytest.fixture
    def folder(self, index: HybridIndex, tmp_path: Path) -> Path:
        index.save(tmp_path / "index")
        return tmp_path / "index"

    def test_loaded_index_gives_the_same_lists(self, index: HybridIndex, folder: Path) -> None:
        loaded = HybridIndex.load(folder, BagEncoder())
        assert loaded.content_hash == index.content_hash
        for text in QUESTIONS:
            assert loaded.features(text) == index.features(text)
            for system in System:
                assert loaded.rank(text, system=system) == index.rank(text, system=system)

    def test_another_process_gives_the_same_lists(self, index: HybridIndex, folder: Path) -> None:
        script = (
            "import json, sys; from pathlib import Path\n"
            "from tests.knowledge.test_index import BagEncoder, HybridIndex, QUESTIONS, ids\n"
            "loaded = HybridIndex.load(Path(sys.argv[1]), BagEncoder())\n"
            "print(json.dumps([ids(loaded.rank(text)) for text in QUESTIONS]))\n"
        )
        root = Path(__file__).resolve().parents[2]
        done = subprocess.run(
            [sys.executable, "-c", script, str(folder)], capture_output=True, cwd=root, check=True
        )
        assert json.loads(done.stdout) == [ids(index.rank(text)) for text in QUESTIONS]

    def test_only_the_last_generation_is_kept(self, index: HybridIndex, folder: Path) -> None:
        index.save(folder)
        index.save(folder)
        assert sorted(path.name for path in folder.iterdir()) == [
            "current",
            "generation-000003",
            "writer.lock",
        ]

    def test_unchanged_files_are_linked_not_written(self, index: HybridIndex, folder: Path) -> None:
        rows = "meaning/rows-000.npy"
        before = (Generations(folder).current() / rows).stat().st_ino
        index.add(make_sources(1, seed=9)[0])
        index.save(folder)
        assert (Generations(folder).current() / rows).stat().st_ino == before

    def test_reader_of_the_old_generation_finishes_undisturbed(
        self, index: HybridIndex, folder: Path
    ) -> None:
        old = HybridIndex.load(folder, BagEncoder())
        before = [old.rank(text) for text in QUESTIONS]
        for source in make_sources(40):
            index.remove(source.id)
        index.save(folder)
        assert [old.rank(text) for text in QUESTIONS] == before
        assert len(HybridIndex.load(folder, BagEncoder())) == 40

    def test_reader_that_is_overtaken_reads_the_new_generation(
        self, index: HybridIndex, folder: Path
    ) -> None:
        index.add(make_sources(1, seed=9)[0])
        tried: list[str] = []

        def load(generation: Path) -> int:
            tried.append(generation.name)
            if len(tried) == 1:
                index.save(folder)  # removes what is being read
            return len(json.loads((generation / "ids.json").read_text()))

        assert Generations(folder).read(load) == 81
        assert tried == ["generation-000001", "generation-000002"]

    def test_failing_to_save_leaves_the_generation_in_force(
        self, index: HybridIndex, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full_disk(*_: object) -> None:
            raise OSError(28, "No space left on device")

        for module in ("lexical", "meaning", "index"):
            with monkeypatch.context() as patched:
                patched.setattr(f"knowledge.{module}.write_json", full_disk)
                with pytest.raises(OSError, match="No space left"):
                    index.save(folder)
            assert [path.name for path in folder.glob("generation-*")] == ["generation-000001"]
            assert len(HybridIndex.load(folder, BagEncoder())) == 80

    def test_what_a_killed_writer_left_is_cleared_up(
        self, index: HybridIndex, folder: Path
    ) -> None:
        (folder / "generation-000007").mkdir()
        assert len(HybridIndex.load(folder, BagEncoder())) == 80
        index.save(folder)
        assert [path.name for path in folder.glob("generation-*")] == ["generation-000008"]

    def test_an_index_saved_elsewhere_meanwhile_can_be_saved_again(
        self, index: HybridIndex, folder: Path
    ) -> None:
        other = HybridIndex.load(folder, BagEncoder())
        index.save(folder)
        other.remove("D0000")
        other.save(folder)
        assert len(HybridIndex.load(folder, BagEncoder())) == 79

    def test_nothing_stored_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(StoredIndexError, match="no index is stored here; build it first"):
            HybridIndex.load(tmp_path / "none", BagEncoder())

    @pytest.mark.parametrize("pointer", ["", "generation-000099", "../elsewhere"])
    def test_pointer_that_leads_nowhere_is_told(self, folder: Path, pointer: str) -> None:
        (folder / "current").write_text(pointer)
        with pytest.raises(StoredIndexError, match="current: damaged"):
            HybridIndex.load(folder, BagEncoder())

    @pytest.mark.parametrize(
        ("encoder", "said"),
        [
            (BagEncoder("bag-2"), "encoder 'bag-1', in use is 'bag-2'"),
            (BagEncoder(dim=8), "dim 24, in use is 8"),
        ],
    )
    def test_another_encoder_is_refused(self, folder: Path, encoder: BagEncoder, said: str) -> None:
        with pytest.raises(EncoderError, match=said):
            HybridIndex.load(folder, encoder)

    def test_every_missing_or_cut_off_file_is_named(self, index: HybridIndex, folder: Path) -> None:
        generation = Generations(folder).current()
        names = [path.relative_to(generation) for path in generation.rglob("*") if path.is_file()]
        assert len(names) > 15
        for name in names:
            content = (generation / name).read_bytes()
            for kept in (content[: len(content) // 2], None):
                (generation / name).unlink()
                if kept is not None:
                    (generation / name).write_bytes(kept)
                with pytest.raises(StoredIndexError, match=name.name):
                    HybridIndex.load(folder, BagEncoder())
            (generation / name).write_bytes(content)
        assert len(HybridIndex.load(folder, BagEncoder())) == 80

    def test_exchanged_content_is_noticed(self, index: HybridIndex, folder: Path) -> None:
        alive = Generations(folder).current() / "alive.npy"
        np.save(alive, np.zeros(80, bool))
        with pytest.raises(StoredIndexError, match="made from other texts"):
            HybridIndex.load(folder, BagEncoder())


@pytest.mark.parametrize("k", [1, 5, 60, 5000])
def test_best_rows_are_those_of_a_full_sort(k: int) -> None:
    rng = np.random.default_rng(k)
    scores = np.asarray(rng.integers(0, 100, 3000), np.float32)
    scores[rng.random(3000) < 0.5] = 0
    order = np.lexsort((np.arange(3000), -scores))
    assert best_rows(scores, k).tolist() == [row for row in order[:k] if scores[row] > 0]
