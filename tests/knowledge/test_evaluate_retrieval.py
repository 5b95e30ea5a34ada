"""The run of ``qifu eval retrieval``: its report, how absence is told, and any model of any dimension."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge import evaluate_retrieval as module
from knowledge.absence import FEATURES, build_index, fit, read_model
from knowledge.baselines import by_bigrams, by_segments
from knowledge.corpus import Corpus, Document, Query, read_corpus
from knowledge.dense import VectorCache
from knowledge.encoder import Encoder, Vectors
from knowledge.errors import LabelError
from knowledge.evaluate_retrieval import (
    build,
    evaluate_retrieval,
    questions_asked,
    report_lines,
    with_intervals,
)
from knowledge.ranking_metrics import MEASURES

DATA = Path(__file__).parent / "data"
SYSTEMS = ("hybrid", "words", "words_jieba", "dense")


class BagEncoder:
    """Unit vectors from the characters of a text; notes the passages it was given."""

    name, dim = "bag-1", 64

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def queries(self, texts: Sequence[str]) -> Vectors:
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


@pytest.fixture(scope="module")
def sample() -> Corpus:
    return read_corpus(DATA / "services.docs.jsonl", DATA / "services.queries.jsonl")


@pytest.fixture(scope="module")
def report(sample: Corpus, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    cache = VectorCache(tmp_path_factory.mktemp("vectors"))
    return evaluate_retrieval(sample, build(sample, BagEncoder(), cache))


@pytest.fixture
def cache(tmp_path: Path) -> VectorCache:
    return VectorCache(tmp_path / "vectors")


class TestReport:
    def test_keys_are_those_of_the_contract(self, report: dict[str, Any]) -> None:
        for name in SYSTEMS:
            assert list(report[name]) == list(MEASURES)
            for key, value in report[name].items():
                low, high = report["intervals"][name][key]
                assert 0 <= low <= value <= high <= 1
        assert set(report["latency_ms"]) == {"p50", "p95"}
        assert report["counts"] == {
            "documents": 24, "chunks": 24, "queries": 27, "answered": 24, "absent": 3,
        }  # fmt: skip
        assert json.loads(json.dumps(report, ensure_ascii=False)) == report

    def test_differences_are_those_of_the_measures(self, report: dict[str, Any]) -> None:
        for name in SYSTEMS[1:]:
            for key, gain in report["differences"][name].items():
                assert gain["value"] == pytest.approx(
                    report["hybrid"][key] - report[name][key], abs=2e-4
                )
                assert gain["low"] <= gain["value"] <= gain["high"]

    def test_two_runs_differ_in_their_times_only(
        self, sample: Corpus, report: dict[str, Any], cache: VectorCache
    ) -> None:
        again = evaluate_retrieval(sample, build(sample, BagEncoder(), cache))
        times = {"latency_ms", "build"}
        assert {k: v for k, v in again.items() if k not in times} == {
            k: v for k, v in report.items() if k not in times
        }

    def test_misses_are_listed_with_what_was_found(self, report: dict[str, Any]) -> None:
        missed = round((1 - report["hybrid"]["recall@1"]) * 24)
        assert len(report["failures"]) == missed > 0
        for row in report["failures"]:
            assert row["got"][0] not in row["want"]

    def test_progress_is_counted(self, sample: Corpus, cache: VectorCache) -> None:
        calls: list[int] = []
        evaluate_retrieval(sample, build(sample, BagEncoder(), cache), lambda: calls.append(1))
        assert len(calls) == questions_asked(sample) == 48

    def test_lines_and_shares_show_the_same_numbers(self, report: dict[str, Any]) -> None:
        text = "\n".join(report_lines(report))
        share = with_intervals(report)["hybrid"]["mrr@10"]
        assert share["value"] == report["hybrid"]["mrr@10"]
        assert f"{share['value']:.3f} [{share['low']:.3f}, {share['high']:.3f}]" in text

    def test_nothing_to_measure_is_an_error(self, cache: VectorCache) -> None:
        corpus = Corpus((Document(id="a", text="甲"),), (Query(id="q", text="甲", doc_ids=("b",)),))
        with pytest.raises(LabelError, match="no question names a document"):
            evaluate_retrieval(corpus, build(corpus, BagEncoder(), cache))

    @pytest.mark.parametrize("text", ["？！", "한국어 문서", "甲", "A" * 5000])
    def test_odd_documents_and_questions_do_no_harm(self, cache: VectorCache, text: str) -> None:
        corpus = Corpus(
            (Document(id="a", text=text), Document(id="b", text="……")),
            (
                Query(id="q1", text=text, doc_ids=("a",)),
                Query(id="q2", text="怎么办？", doc_ids=("b",)),
            ),
        )
        report = evaluate_retrieval(corpus, build(corpus, BagEncoder(), cache))
        assert all(np.isfinite(list(report[name].values())).all() for name in SYSTEMS)

    def test_a_second_run_encodes_nothing(self, sample: Corpus, cache: VectorCache) -> None:
        first, second = BagEncoder(), BagEncoder()
        assert build(sample, first, cache).encoded == len(first.encoded) == 24
        assert build(sample, second, cache).encoded == len(second.encoded) == 0

    def test_an_interrupted_build_goes_on_where_it_stopped(
        self, sample: Corpus, cache: VectorCache
    ) -> None:
        class Breaking(BagEncoder):
            def passages(self, texts: Sequence[str]) -> Vectors:
                if self.encoded:
                    raise KeyboardInterrupt
                return super().passages(texts)

        broken, later = Breaking(), BagEncoder()
        with pytest.raises(KeyboardInterrupt):
            build(sample, broken, cache)
        build(sample, later, cache)
        assert len(broken.encoded) > 0
        assert sorted(broken.encoded + later.encoded) == sorted(set(broken.encoded + later.encoded))


class TestAbsence:
    def test_few_absent_questions_are_made_up_for_by_leaving_answers_out(
        self, report: dict[str, Any]
    ) -> None:
        told = report["no_answer"]
        assert (told["how"], told["n_present"], told["n_absent"]) == ("leave-out", 12, 12)

    def test_enough_absent_questions_are_taken_as_they_are(
        self, sample: Corpus, cache: VectorCache, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "ENOUGH_ABSENT", 3)
        report = evaluate_retrieval(sample, build(sample, BagEncoder(), cache))
        told = report["no_answer"]
        assert (told["how"], told["n_present"], told["n_absent"]) == ("labelled", 24, 3)

    def test_one_question_is_too_few_to_tell(self, cache: VectorCache) -> None:
        corpus = Corpus(
            (Document(id="a", text="甲乙"),), (Query(id="q", text="甲乙", doc_ids=("a",)),)
        )
        report = evaluate_retrieval(corpus, build(corpus, BagEncoder(), cache))
        assert report["no_answer"]["auc"] is None
        assert report["intervals"]["no_answer"]["auc"] is None

    def test_an_answer_left_out_lowers_the_chance(
        self, sample: Corpus, encoder: Encoder, vector_cache: VectorCache
    ) -> None:
        ranker = build(sample, encoder, vector_cache).ranker
        chances = [
            (ranker.chance(query.text, ()), ranker.chance(query.text, right))
            for query, right in sample.answered()
        ]
        assert sum(with_it > without for with_it, without in chances) >= 22

    def test_leaving_out_leaves_the_index_as_it_was(
        self, sample: Corpus, cache: VectorCache
    ) -> None:
        index = build_index(sample, BagEncoder(), cache)
        before = index.rank("住满多久才能领居住证")
        smaller = index.without({"g04", "unknown"})
        assert "g04" not in {found.id for found in smaller.rank("住满多久才能领居住证", 24)}
        assert (len(smaller), len(index)) == (23, 24)
        assert index.rank("住满多久才能领居住证") == before

    def test_the_fit_learns_what_tells(self, sample: Corpus, cache: VectorCache) -> None:
        model = fit([(sample, build_index(sample, BagEncoder(), cache))])
        weights = dict(zip(model.features, model.weights, strict=True))
        assert tuple(weights) == FEATURES
        assert weights["document_share"] > 0 and weights["best_cosine"] > 0

    @pytest.mark.parametrize("text", ["", "{}", '{"features": ["x"]}'])
    def test_a_damaged_model_file_is_an_error(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "no_answer.json").write_text(text)
        with pytest.raises(LabelError, match=r"no_answer\.json: .*python -m knowledge\.absence"):
            read_model(tmp_path / "no_answer.json")

    def test_a_model_of_other_features_is_an_error(self, tmp_path: Path) -> None:
        told = read_model().model_dump() | {"features": ["x"]}
        (tmp_path / "m.json").write_text(json.dumps(told))
        with pytest.raises(LabelError, match="other features"):
            read_model(tmp_path / "m.json")


class TestQuality:
    def test_hybrid_leads_words_on_spoken_questions(
        self, sample: Corpus, encoder: Encoder, vector_cache: VectorCache
    ) -> None:
        report = evaluate_retrieval(sample, build(sample, encoder, vector_cache))
        for key in ("recall@1", "mrr@10"):
            assert report["hybrid"][key] > max(report[name][key] for name in SYSTEMS[1:3])
        assert report["hybrid"]["mrr@10"] >= 0.9


class TestBaselines:
    TEXTS = ("租金补贴按一半发放", "高新技术企业认定奖励", "！？")

    @pytest.mark.parametrize("make", [by_bigrams, by_segments])
    def test_a_shared_word_is_found_and_nothing_else(self, make: type) -> None:
        rank = make(self.TEXTS)
        assert rank("租金補貼有多少", 10) == [0]
        assert rank("高新技术", 10) == [1]
        assert rank("天气", 10) == []

    @pytest.mark.parametrize("make", [by_bigrams, by_segments])
    def test_texts_without_any_word_are_never_found(self, make: type) -> None:
        assert make(["！", "……"])("！", 10) == []
