"""A changed catalogue is taken over while questions are being answered; a broken one is not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from knowledge import index
from knowledge.answer import Answerer
from knowledge.catalogue import DEMO_CATALOGUE
from knowledge.dense import VectorCache
from knowledge.encoder import WORDS_ONLY
from knowledge.index import HybridIndex
from knowledge.live import Live
from knowledge.policy import Facet
from knowledge.retrieval import Retriever
from knowledge.store import CatalogueStore
from service.assembly import build_answerer, refresh_of
from service.catalogue import store_of
from service.refresh import CatalogueRefresh
from service.settings import Settings
from tests.service.appeals.seams import LetterEncoder

AS_OF = date(2026, 11, 23)
SWAPS = 20
READERS = 4


class Counting(LetterEncoder):
    """Counts the passages it has to encode."""

    def __init__(self) -> None:
        self.encoded = 0

    def passages(self, texts: Any) -> Any:
        self.encoded += len(texts)
        return super().passages(texts)


class Working:
    """A working catalogue of three policies in a file, and what builds an answerer from it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "catalogue.jsonl"
        self.encoder = Counting()
        self._cache = VectorCache(folder / "vectors")
        self._store = CatalogueStore(folder / "imported", self.path)
        lines = (DEMO_CATALOGUE / "futian.jsonl").read_text(encoding="utf-8").splitlines()[:3]
        self._rows = [json.loads(line) for line in lines]
        self.write(0)

    def write(self, edition: int) -> None:
        """An edition in which every policy gives another amount."""
        for number, row in enumerate(self._rows):
            row["summary"] = f"第{edition}版：第{number}项给予{edition + 1}万元奖励。"
        lines = [json.dumps(row, ensure_ascii=False) for row in self._rows]
        self.write_text("\n".join(lines))

    def write_text(self, text: str) -> None:
        draft = self.path.with_suffix(".draft")
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.path)

    def version(self) -> str:
        return self._store.version()

    def build(self) -> Answerer:
        return Answerer(Retriever(self._store.read(), self.encoder, self._cache))


@pytest.fixture
def working(tmp_path: Path) -> Working:
    return Working(tmp_path)


@pytest.fixture
def live(working: Working) -> Live:
    return Live(working.build())


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


def watched(working: Working, live: Live, **changes: Any) -> CatalogueRefresh:
    given: dict[str, Any] = {
        "version": working.version,
        "build": working.build,
        "served": working.version(),
        "every_s": 0.02,
    }
    return CatalogueRefresh(live, **(given | changes))


def amount(live: Live) -> str:
    return live.now.catalogue.clauses["FT-001#amount"].text


def wait_for(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


def test_an_unchanged_catalogue_is_left_alone(working: Working, live: Live) -> None:
    before = live.now
    refresh = watched(working, live)
    assert not any([refresh.look(), refresh.look()])
    assert live.now is before


def test_a_change_is_taken_over_once_it_has_settled(working: Working, live: Live) -> None:
    refresh = watched(working, live)
    working.write(1)
    assert not refresh.look()  # perhaps somebody is still writing
    working.write(2)
    assert not refresh.look()
    assert refresh.look()
    assert amount(live).startswith("第2版")
    assert refresh.served == working.version()
    assert not refresh.look()


def test_only_what_changed_is_encoded_again(working: Working, live: Live) -> None:
    refresh = watched(working, live)
    row = json.loads(working.path.read_text(encoding="utf-8").splitlines()[0])
    before = working.encoder.encoded
    rest = working.path.read_text(encoding="utf-8").splitlines()[1:]
    changed = json.dumps(row | {"summary": "另一句话，只改这一处。"}, ensure_ascii=False)
    working.write_text("\n".join([changed, *rest]))
    assert [refresh.look(), refresh.look()] == [False, True]
    assert 1 <= working.encoder.encoded - before <= 2


def test_a_broken_file_leaves_the_old_in_force_and_is_logged_once(
    working: Working, live: Live, logged: list[Any]
) -> None:
    refresh = watched(working, live, try_again_s=0)
    before, served = live.now, refresh.served
    working.write_text('{"id": "FT-001"')
    assert not any(refresh.look() for _ in range(5))
    assert (live.now, refresh.served, refresh.is_behind) == (before, served, True)
    refused = [line for line in logged if line["event"] == "catalogue_refused"]
    assert len(refused) == 1
    assert "catalogue.jsonl:1" in refused[0]["error"]
    working.write(3)
    assert [refresh.look(), refresh.look()] == [False, True]
    assert amount(live).startswith("第3版")
    assert not refresh.is_behind


def test_a_refused_version_is_not_built_at_every_look(working: Working, live: Live) -> None:
    built: list[int] = []

    def fail() -> Answerer:
        built.append(1)
        raise MemoryError("no room")

    refresh = watched(working, live, build=fail)
    working.write(1)
    for _ in range(5):
        assert not refresh.look()
    assert len(built) == 1


def test_a_fault_outside_the_catalogue_is_tried_again(working: Working, live: Live) -> None:
    faults = [OSError("disk full"), RuntimeError("no such engine")]

    def build() -> Answerer:
        if faults:
            raise faults.pop()
        return working.build()

    refresh = watched(working, live, build=build, try_again_s=0)
    working.write(1)
    assert [refresh.look() for _ in range(4)] == [False, False, False, True]
    assert amount(live).startswith("第1版")


def test_a_change_taken_back_is_no_longer_behind(working: Working, live: Live) -> None:
    refresh = watched(working, live)
    version = working.version()
    good = working.path.with_suffix(".good")
    working.path.rename(good)
    working.write_text("{")
    refresh.look()
    refresh.look()
    assert refresh.is_behind
    good.rename(working.path)
    refresh.look()
    assert (refresh.is_behind, refresh.served) == (False, version)


def test_nothing_that_goes_wrong_ends_the_thread(
    working: Working, live: Live, logged: list[Any]
) -> None:
    faults: list[Exception] = [OSError("gone"), ValueError("odd"), KeyError("lost")]

    def version() -> str:
        if faults:
            raise faults.pop()
        return working.version()

    refresh = watched(working, live, version=version)
    refresh.start()
    working.write(1)
    wait_for(lambda: amount(live).startswith("第1版"))
    working.write_text("{")
    wait_for(lambda: refresh.is_behind)
    working.write(2)
    wait_for(lambda: amount(live).startswith("第2版"))
    refresh.stop()
    assert [line["event"] for line in logged] == [
        *["catalogue_refused"] * 3,
        "catalogue_taken_over",
        "catalogue_refused",
        "catalogue_taken_over",
    ]


def test_zero_seconds_means_never(working: Working, live: Live) -> None:
    before = threading.active_count()
    refresh = watched(working, live, every_s=0)
    refresh.start()
    assert threading.active_count() == before
    refresh.stop()


def test_a_build_that_ends_after_the_stop_is_not_taken_over(working: Working, live: Live) -> None:
    begun, release = threading.Event(), threading.Event()

    def build() -> Answerer:
        begun.set()
        release.wait(5)
        return working.build()

    refresh = watched(working, live, build=build)
    before = live.now
    refresh.start()
    working.write(1)
    assert begun.wait(5)
    refresh.stop(limit_s=0.05)
    release.set()
    refresh.stop()
    assert live.now is before


def test_questions_asked_during_many_swaps_each_see_one_catalogue(
    working: Working, live: Live
) -> None:
    refresh = watched(working, live)
    is_over = threading.Event()

    def ask() -> set[str]:
        """Asks on; the editions seen. Every citation is of the catalogue held at the start."""
        editions = set()
        while not is_over.is_set():
            answerer = live.now
            catalogue = answerer.catalogue
            for policy_id in ("FT-001", "FT-002", "FT-003"):
                answer = answerer.detail(policy_id, [Facet.AMOUNT], AS_OF)
                assert answer.citations
                for citation in answer.citations:
                    assert catalogue.clauses[citation.clause.id] is citation.clause
                    assert citation.clause.text in answer.text
            ranking = answerer.listing("国家高新技术企业认定奖励", AS_OF)
            assert all(catalogue.policies[hit.policy.id] is hit.policy for hit in ranking.hits)
            texts = {catalogue.clauses[f"FT-00{n}#amount"].text.split("：")[0] for n in (1, 2, 3)}
            assert len(texts) == 1, "two editions in one catalogue"
            editions |= texts
        return editions

    with ThreadPoolExecutor(READERS) as pool:
        asking = [pool.submit(ask) for _ in range(READERS)]
        try:
            for edition in range(1, SWAPS + 1):
                working.write(edition)
                assert [refresh.look(), refresh.look()] == [False, True]
        finally:
            is_over.set()
        seen = set().union(*(reader.result(10) for reader in asking))
    assert amount(live).startswith(f"第{SWAPS}版")
    assert len(seen) > 5, "the readers saw too few swaps to show anything"


def test_an_import_is_taken_over_by_what_changed_and_found_by_the_next_question(
    working: Working, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path / "data", catalogue=working.path, encoder=WORDS_ONLY)
    store = store_of(settings)
    live = Live(build_answerer(settings, store=store))
    refresh = refresh_of(settings, live, store)
    before = live.now
    row = json.loads(working.path.read_text(encoding="utf-8").splitlines()[0])
    changed = tmp_path / "changed.jsonl"
    changed.write_text(
        json.dumps(row | {"summary": "蓝鲸计划购置观测设备的，补贴一成。"}, ensure_ascii=False),
        "utf-8",
    )
    assert store_of(settings).import_files([changed]).is_written

    def refuse(*_: object, **__: object) -> HybridIndex:
        raise AssertionError("the whole index was built anew")

    monkeypatch.setattr(HybridIndex, "build", refuse)
    monkeypatch.setattr(index, "_DEAD_SHARE", 0.5)  # one of three is a third
    assert [refresh.look(), refresh.look()] == [False, True]
    hits = live.now.retriever.search("蓝鲸计划观测设备", 3).hits
    assert hits[0].policy.id == row["id"]
    assert "蓝鲸" in hits[0].matched
    same, old = live.now.catalogue.policies, before.catalogue.policies
    assert [same[key] is old[key] for key in old] == [key != row["id"] for key in old]
    assert not {"蓝鲸"} & set(before.retriever.search("蓝鲸计划观测设备", 3).hits[0].matched)
