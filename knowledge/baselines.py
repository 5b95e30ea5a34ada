"""Ranks whole documents by plain BM25: what hybrid retrieval has to beat."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from typing import Protocol

import bm25s
import numpy as np

from knowledge.lexical import Scores, WordIndex, fold, tokens


class Baseline(Protocol):
    """Ranks the rows of a corpus."""

    def __call__(self, text: str, top: int) -> list[int]:
        """The best rows that share a word with ``text``, best first, equal ones in their order."""
        ...


def by_bigrams(texts: Sequence[str]) -> Baseline:
    """BM25 over character bigrams."""
    index = WordIndex(texts)
    return _ranker(lambda text: index.scores(tokens(text)))


def by_segments(texts: Sequence[str]) -> Baseline:
    """BM25 over the words jieba finds."""
    cut = _segmenter()
    split = [cut(text) for text in texts]
    if not any(split):
        return _ranker(lambda _: np.zeros(len(texts), np.float32))
    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it reports every step otherwise
    index = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    index.index(split, show_progress=False)

    def score(text: str) -> Scores:
        known = [word for word in cut(text) if word in index.vocab_dict]
        if not known:
            return np.zeros(len(texts), np.float32)
        return np.asarray(index.get_scores(known), np.float32)

    return _ranker(score)


def _segmenter() -> Callable[[str], list[str]]:
    with warnings.catch_warnings():  # jieba 0.42 still asks for pkg_resources
        warnings.simplefilter("ignore")
        import jieba

    jieba.setLogLevel(logging.ERROR)

    def cut(text: str) -> list[str]:
        words: list[str] = jieba.lcut(fold(text))
        return [word for word in words if any(map(str.isalnum, word))]

    return cut


def _ranker(score: Callable[[str], Scores]) -> Baseline:
    def rank(text: str, top: int) -> list[int]:
        scores = score(text)
        order = np.argsort(-scores, kind="stable")[:top].tolist()
        return [row for row in order if scores[row] > 0]

    return rank
