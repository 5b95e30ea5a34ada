"""The index of a catalogue that changes: it ranks as one built anew, is stored and mapped, and shares what is unchanged."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from knowledge import index as index_module
from knowledge.answer import Answerer
from knowledge.catalogue import Catalogue
from knowledge.clauses import clauses_of
from knowledge.dense import VectorCache
from knowledge.encoder import Vectors
from knowledge.index import HybridIndex
from knowledge.policy import Policy
from knowledge.retrieval import Retriever, System
from knowledge.stored import Generations
from tests.knowledge.samples import HashedEncoder

AS_OF = date(2026, 11, 24)
QUESTIONS = (
    "首次认定国家高新技术企业在福田能拿多少钱",
    "新落户租办公室福田有没有租金补贴",
    "蓝鲸计划观测设备补贴几成",
    "市里的稳岗返还比例",
    "深圳首台（套）装备资助比例",
    "福府办规[2023]5号说的是什么",
    "人才奖励",
    "怎么申报",
    "今天天气怎么样",
    "ESG 5000万",
)


class Noting(HashedEncoder):
    """Notes the passages it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded: list[str] = []

    def passages(self, texts: Sequence[str]) -> Vectors:
        self.encoded += texts
        return super().passages(texts)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> VectorCache:
    """Shared: the same texts have the same vectors."""
    return VectorCache(tmp_path_factory.mktemp("vectors"))


@pytest.fixture
def pool(catalogue: Catalogue) -> list[Policy]:
    return list(catalogue.policies.values())[:90]


def told(answerer: Answerer) -> list[object]:
    """All that questions bring, down to the last digit: hits, chances, features, clauses and whole answers."""
    retriever = answerer.retriever
    found: list[object] = []
    for text in QUESTIONS:
        for system in System:
            found.append(retriever.search(text, 30, as_of=AS_OF, system=system))
        found.append(retriever.search_clauses(text, 5, as_of=AS_OF))
        found.append(answerer.answer(text, AS_OF))
    return found


def changed(policy: Policy, number: int) -> Policy:
    return replace(policy, note=f"第{number}次修订：蓝鲸计划观测设备补贴{number + 1}成。")


def random_step(rng: random.Random, held: list[Policy], out: list[Policy], number: int) -> None:
    """One to three policies added, changed, taken out or moved."""
    for _ in range(rng.randint(1, 3)):
        kind = rng.choice(["add", "change", "change", "remove", "move", "retitle"])
        at = rng.randrange(len(held))
        if kind == "add" and out:
            held.insert(rng.randint(0, len(held)), out.pop(rng.randrange(len(out))))
        elif kind == "remove" and len(held) > 5:
            out.append(held.pop(at))
        elif kind == "move":
            held.insert(rng.randint(0, len(held) - 1), held.pop(at))
        elif kind == "retitle":
            held[at] = replace(held[at], title=f"{held[at].title}（{number}年修订）", aliases=())
        else:
            held[at] = changed(held[at], number)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("is_stored", [False, True])
def test_any_changes_rank_as_an_index_built_anew(
    pool: list[Policy], cache: VectorCache, tmp_path: Path, seed: int, is_stored: bool
) -> None:
    rng, encoder = random.Random(seed), HashedEncoder()
    rng.shuffle(pool)
    held, out = pool[:60], pool[60:]
    folder = tmp_path / "index" if is_stored else None
    live = Answerer(Retriever(Catalogue(held), encoder, cache, folder=folder))
    for number in range(6):
        random_step(rng, held, out, number)
        catalogue = Catalogue(held)
        live = Answerer(
            Retriever(catalogue, encoder, cache, folder=folder, before=live.retriever), live
        )
        if number % 3 == 2:
            anew = told(Answerer(Retriever(catalogue, encoder, cache)))
            assert told(live) == anew
            if folder:  # as another process finds it
                loaded = Answerer(Retriever(catalogue, encoder, cache, folder=folder))
                assert told(loaded) == anew


def test_the_index_before_goes_on_undisturbed(pool: list[Policy], cache: VectorCache) -> None:
    before = Answerer(Retriever(Catalogue(pool), HashedEncoder(), cache))
    expected = told(before)
    is_over = threading.Event()

    def ask() -> int:
        times = 0
        while not is_over.is_set() or not times:
            assert told(before) == expected
            times += 1
        return times

    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(ask)
        after = before
        for number in range(5):
            pool[number] = changed(pool[number], number)
            catalogue = Catalogue(pool[number + 1 :] + pool[: number + 1])
            after = Answerer(
                Retriever(catalogue, HashedEncoder(), cache, before=after.retriever), after
            )
        is_over.set()
        assert asking.result(60) >= 1
    assert told(after) != expected


def _files(folder: Path) -> list[Path]:
    return [path for path in Generations(folder).current().rglob("*") if path.is_file()]


def test_one_changed_clause_encodes_one_passage_and_writes_little(
    pool: list[Policy], tmp_path: Path
) -> None:
    encoder, folder = Noting(), tmp_path / "index"
    cache = VectorCache(tmp_path / "vectors")
    before = Retriever(Catalogue(pool), encoder, cache, folder=folder)
    kept_files = {path.stat().st_ino for path in _files(folder)}
    encoder.encoded.clear()
    pool[3] = changed(pool[3], 1)
    Retriever(Catalogue(pool), encoder, cache, folder=folder, before=before)
    assert len(encoder.encoded) == 1
    assert "蓝鲸计划" in encoder.encoded[0]
    after = {path.stat().st_ino: path.stat().st_size for path in _files(folder)}
    written = sum(size for inode, size in after.items() if inode not in kept_files)
    assert written < sum(after.values()) / 10
    kept = HybridIndex.load(folder, encoder, cache)
    assert len(kept.parts.documents) == len(pool) + 1  # the row of the old wording is dead
    assert len(kept) == len(pool)


def test_nothing_changed_is_the_same_index_and_is_not_written(
    pool: list[Policy], cache: VectorCache, tmp_path: Path
) -> None:
    encoder, folder = HashedEncoder(), tmp_path / "index"
    before = Retriever(Catalogue(pool), encoder, cache, folder=folder)
    generation = Generations(folder).current()
    Retriever(Catalogue(pool), encoder, cache, folder=folder, before=before)
    Retriever(Catalogue(pool[::-1]), encoder, cache, folder=folder, before=before)  # another order
    Retriever(Catalogue(pool), encoder, cache, folder=folder)
    assert Generations(folder).current() == generation


def test_a_stored_index_is_mapped_and_brought_up_to_the_catalogue(
    pool: list[Policy], cache: VectorCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder, folder = HashedEncoder(), tmp_path / "index"
    Retriever(Catalogue(pool), encoder, cache, folder=folder)
    pool[5] = changed(pool[5], 2)

    def refuse(*_: object, **__: object) -> HybridIndex:
        raise AssertionError("the index was built anew")

    monkeypatch.setattr(HybridIndex, "build", refuse)
    found = Retriever(Catalogue(pool), encoder, cache, folder=folder)
    rows = HybridIndex.load(folder, encoder, cache).parts.meaning._blocks[0]
    assert isinstance(rows, np.memmap)
    assert found.search("蓝鲸计划", 3).hits[0].policy.id == pool[5].id


def test_many_dead_rows_are_left_behind(
    pool: list[Policy], cache: VectorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    retriever = Retriever(Catalogue(pool), HashedEncoder(), cache)
    built: list[int] = []
    build: Callable[..., HybridIndex] = HybridIndex.build

    def counted(*args: object, **kwargs: object) -> HybridIndex:
        built.append(1)
        return build(*args, **kwargs)

    monkeypatch.setattr(HybridIndex, "build", staticmethod(counted))
    rounds = int(len(pool) * index_module._DEAD_SHARE * 2)
    for number in range(rounds):
        pool[number % 7] = changed(pool[number % 7], number)
        retriever = Retriever(Catalogue(pool), HashedEncoder(), cache, before=retriever)
    assert built == [1]


@pytest.mark.parametrize("name", ["names", "documents", "meaning/manifest.json", "ids.json"])
def test_a_stored_index_that_lost_a_part_is_built_again(
    pool: list[Policy], cache: VectorCache, tmp_path: Path, name: str
) -> None:
    encoder, folder = HashedEncoder(), tmp_path / "index"
    Retriever(Catalogue(pool), encoder, cache, folder=folder)
    part = Generations(folder).current() / name
    part.rename(tmp_path / "lost")
    found = Retriever(Catalogue(pool), encoder, cache, folder=folder)
    assert found.search("国高", 3).hits
    assert (Generations(folder).current() / name).exists()


def test_words_of_a_title_are_told_with_the_clause_they_count_for(
    pool: list[Policy], cache: VectorCache
) -> None:
    policy = replace(
        pool[0], id="TT-001", title="蓝鲸观测补贴", aliases=(), asked=(), note="按两成给予。"
    )
    retriever = Retriever(Catalogue([*pool, policy]), HashedEncoder(), cache)
    ((_, clauses),) = retriever.search_clauses("蓝鲸两成", 1)
    assert len(list(clauses_of(policy))) >= len(clauses) > 0
    note = next(each for each in clauses if "两成" in each.clause.text)
    assert set(note.matched) == {"蓝鲸", "两成"}
    assert note.in_title == ("蓝鲸",)
    for each in clauses:
        assert each.score == 0 or each.matched
