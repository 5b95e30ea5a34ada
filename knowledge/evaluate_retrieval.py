"""Measures retrieval on a corpus from outside, or of the bot itself: hybrid against its baselines, speed, and how absence is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from knowledge.absence import read_model, sources
from knowledge.baselines import by_bigrams, by_segments
from knowledge.corpus import Corpus
from knowledge.dense import Progress, VectorCache
from knowledge.encoder import Encoder
from knowledge.errors import LabelError
from knowledge.index import HybridIndex
from knowledge.rankers import CorpusRanker, Ranker
from knowledge.ranking_metrics import (
    DEPTH,
    MEASURES,
    SEED,
    Values,
    auc,
    auc_interval,
    first_right,
    interval,
    measure,
    resampled_means,
)

BASELINES = ("words", "words_jieba", "dense")
SYSTEMS = ("hybrid", *BASELINES)
ENOUGH_ABSENT = 30
MOST_FAILURES = 500
_NAMES = {
    "hybrid": "词与义合用",
    "words": "词（二字）",
    "words_jieba": "词（分词）",
    "dense": "义",
}
_WARM_UP = "什么时候开始办理"


@dataclass(frozen=True)
class Built:
    """A search and what building it took: seconds, passages, and how many of these had to be encoded."""

    ranker: Ranker
    encoder: str
    seconds: float
    passages: int
    encoded: int


@dataclass(frozen=True)
class _Asked:
    """What one question brought: each system's ten best documents, and the milliseconds hybrid took."""

    ranked: Mapping[str, list[str]]
    latency_ms: float


def build(
    corpus: Corpus, encoder: Encoder, cache: VectorCache, progress: Progress | None = None
) -> Built:
    """The index of a corpus.

    Raises:
        EncoderError: the encoder or its stored vectors cannot be used.
    """
    encoded = 0

    def count(done: int, total: int) -> None:
        nonlocal encoded
        encoded = done
        if progress:
            progress(done, total)

    start = time.perf_counter()
    documents = list(sources(corpus))
    index = HybridIndex.build(documents, encoder, cache, count, singles=True)
    seconds = time.perf_counter() - start
    passages = sum(len(each.passages) for each in documents)
    return Built(CorpusRanker(index, read_model()), encoder.name, seconds, passages, encoded)


def evaluate_retrieval(
    corpus: Corpus, built: Built, progress: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """The report of ``qifu eval retrieval``; its keys are a contract. ``progress`` counts ``questions_asked``.

    Raises:
        LabelError: no question names a document of the corpus, so there is nothing to measure.
    """
    answered = corpus.answered()
    if not answered:
        raise LabelError(
            "no question names a document that is in the corpus; compare doc_ids of the questions with the documents' id"
        )
    outcomes = _ask_all(corpus, built.ranker, progress)
    values = {
        name: measure(
            [
                first_right(each.ranked[name], right)
                for each, (_, right) in zip(outcomes, answered, strict=True)
            ]
        )
        for name in SYSTEMS
    }
    samples = {name: resampled_means(found) for name, found in values.items()}
    no_answer, no_answer_interval = _tell_absence(corpus, built.ranker, progress)
    times = [each.latency_ms for each in outcomes]
    return {
        **{name: _named(found.mean(0)) for name, found in values.items()},
        "latency_ms": {f"p{q}": round(float(np.percentile(times, q)), 2) for q in (50, 95)},
        "no_answer": no_answer,
        "intervals": {
            **{name: _intervals(drawn) for name, drawn in samples.items()},
            "no_answer": {"auc": no_answer_interval},
        },
        "differences": {
            name: _differences(values["hybrid"] - values[name], samples["hybrid"] - samples[name])
            for name in BASELINES
        },
        "counts": {
            "documents": len(corpus.documents),
            "chunks": built.passages,
            "queries": len(corpus.queries),
            "answered": len(answered),
            "absent": len(corpus.absent()),
        },
        "build": {
            "seconds": round(built.seconds, 2),
            "encoded": built.encoded,
            "chunks_per_s": round(built.passages / built.seconds, 2),
        },
        "encoder": built.encoder,
        "failures": _failures(corpus, outcomes),
    }


def questions_asked(corpus: Corpus) -> int:
    """How often ``evaluate_retrieval`` will report progress."""
    present, absent = _absence_sets(corpus)
    return len(corpus.answered()) + len(present) + len(absent)


def with_intervals(report: Mapping[str, Any]) -> dict[str, Any]:
    """The report with every measure as a share ``{"value", "low", "high", "n"}``, for a page."""
    answered = report["counts"]["answered"]
    shares = {
        name: {
            key: {"value": value, "low": low, "high": high, "n": answered}
            for key, value in report[name].items()
            for low, high in [report["intervals"][name][key]]
        }
        for name in SYSTEMS
    }
    rest = {key: value for key, value in report.items() if key != "intervals"}
    return {**rest, **shares}


def report_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The report for a terminal: a table of the systems, then one line each for the rest."""
    counts, built, absence = report["counts"], report["build"], report["no_answer"]
    yield f"文档 {counts['documents']} 篇（{counts['chunks']} 段），问题 {counts['answered']} 个，另有库里没有答案的 {counts['absent']} 个"
    yield f"{'':14}" + "".join(f"{name:>26}" for name in MEASURES)
    for name in SYSTEMS:
        cells = (
            f"{report[name][key]:.3f} [{low:.3f}, {high:.3f}]"
            for key in MEASURES
            for low, high in [report["intervals"][name][key]]
        )
        yield f"{name:14}" + "".join(f"{cell:>26}" for cell in cells) + f"  {_NAMES[name]}"
    for name in BASELINES:
        cells = (
            f"{gain['value']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}]"
            for gain in report["differences"][name].values()
        )
        yield f"{'- ' + name:14}" + "".join(f"{cell:>26}" for cell in cells) + "  合用减去它"
    times = report["latency_ms"]
    yield f"一次检索 p50 {times['p50']} 毫秒，p95 {times['p95']} 毫秒"
    yield f"建库 {built['seconds']} 秒，每秒 {built['chunks_per_s']} 段，其中新编码 {built['encoded']} 段"
    if absence["auc"] is not None:
        low, high = report["intervals"]["no_answer"]["auc"]
        how = "标注" if absence["how"] == "labelled" else "抽去答案"
        yield (
            f"分辨库里有没有答案：AUC {absence['auc']:.3f} [{low:.3f}, {high:.3f}]，"
            f"有 {absence['n_present']} 问，没有 {absence['n_absent']} 问（{how}）"
        )


def _ask_all(corpus: Corpus, ranker: Ranker, progress: Callable[[], None]) -> list[_Asked]:
    """Every answered question, asked of every system."""
    ids = [document.id for document in corpus.documents]
    texts = [f"{document.title}\n{document.text}" for document in corpus.documents]
    bigrams, segments = by_bigrams(texts), by_segments(texts)
    outcomes = []
    ranker.hybrid(_WARM_UP, DEPTH)
    for query, _ in corpus.answered():
        # First, because the encoder remembers recent questions.
        start = time.perf_counter()
        found = ranker.hybrid(query.text, DEPTH)
        latency_ms = 1000 * (time.perf_counter() - start)
        ranked = {
            "hybrid": found,
            "words": [ids[row] for row in bigrams(query.text, DEPTH)],
            "words_jieba": [ids[row] for row in segments(query.text, DEPTH)],
            "dense": ranker.dense(query.text, DEPTH),
        }
        outcomes.append(_Asked(ranked, latency_ms))
        progress()
    return outcomes


def _tell_absence(
    corpus: Corpus, ranker: Ranker, progress: Callable[[], None]
) -> tuple[dict[str, Any], list[float] | None]:
    """How well the chance of presence tells questions with an answer here from those without, and its interval."""
    present, absent = _absence_sets(corpus)

    def chance(text: str, left_out: frozenset[str]) -> float:
        progress()
        return ranker.chance(text, left_out)

    inside = [chance(text, frozenset()) for text in present]
    outside = [chance(text, right) for text, right in absent]
    told = {
        "auc": None,
        "n_present": len(inside),
        "n_absent": len(outside),
        "how": "labelled" if _is_labelled(corpus) else "leave-out",
    }
    if not inside or not outside:
        return told, None
    low, high = auc_interval(inside, outside)
    return {**told, "auc": round(auc(inside, outside), 4)}, [round(low, 4), round(high, 4)]


def _is_labelled(corpus: Corpus) -> bool:
    """Whether enough questions are marked as having no answer here."""
    return len(corpus.absent()) >= ENOUGH_ABSENT


def _absence_sets(corpus: Corpus) -> tuple[list[str], list[tuple[str, frozenset[str]]]]:
    """Questions with an answer; those without, each with the documents to leave out.

    Fewer than 30 questions marked as absent say too little; then a seeded half of the answered ones is asked with its
    right documents left out.
    """
    answered = corpus.answered()
    if _is_labelled(corpus):
        return [q.text for q, _ in answered], [(q.text, frozenset()) for q in corpus.absent()]
    order = np.random.default_rng(SEED).permutation(len(answered)).tolist()
    left_out, kept = sorted(order[: len(order) // 2]), sorted(order[len(order) // 2 :])
    return (
        [answered[at][0].text for at in kept],
        [(answered[at][0].text, answered[at][1]) for at in left_out],
    )


def _failures(corpus: Corpus, outcomes: Sequence[_Asked]) -> list[dict[str, Any]]:
    """Questions whose right document hybrid did not rank first, at most 500, as ``eval qa`` lists them."""
    missed = (
        {
            "id": query.id,
            "text": query.text,
            "got": each.ranked["hybrid"][:3],
            "want": sorted(right),
            "place": first_right(each.ranked["hybrid"], right),
        }
        for each, (query, right) in zip(outcomes, corpus.answered(), strict=True)
        if first_right(each.ranked["hybrid"], right) != 1
    )
    return list(missed)[:MOST_FAILURES]


def _named(row: Values) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(MEASURES, row, strict=True)}


def _intervals(samples: Values) -> dict[str, list[float]]:
    return {
        name: [round(bound, 4) for bound in interval(samples[:, column])]
        for column, name in enumerate(MEASURES)
    }


def _differences(values: Values, samples: Values) -> dict[str, dict[str, float]]:
    """Hybrid less a baseline, question by question."""
    found = {}
    for column, name in enumerate(MEASURES):
        low, high = interval(samples[:, column])
        mean = float(values[:, column].mean())
        found[name] = {"value": round(mean, 4), "low": round(low, 4), "high": round(high, 4)}
    return found
