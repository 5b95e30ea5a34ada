"""Tells what a message wants: character n-grams, facts and a sentence vector into a linear model."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from knowledge.encoder import Encoder, readable
from knowledge.errors import EncoderError
from nlu.certainty import hard_rows, sure_from, unseen_chances
from nlu.facts import extract
from nlu.normalise import normalise_text
from nlu.vocabulary import vocabulary

Floats = NDArray[np.float32]
Progress = Callable[[int, int], None]
Encode = Callable[[Sequence[str]], Floats]

# Chosen by five-fold cross-validation on the training data; shares right stand beside (each ± 1 point):
MAX_GRAM = 2  # 2 → .864, 3 → .863 at half the speed; without vectors 2 → .811, 4 → .791
VECTOR_WEIGHT = 0.9  # with FULL_C: 0.6 → .870, 0.9 → .874
FACT_WEIGHT = 0.6  # 0.6 → .877, 0.9 → .878, 1.2 → .877; without signs of misuse .875
FULL_C, CHEAP_C = 30.0, 30.0  # 3 → .857, 10 → .865, 30 → .870

_ENCODED_AT_ONCE = 32
_ENCODERS_AT_WORK = 2
# So much of a long paste is read, head and tail: people tell a story first and ask last.
_TEXT_CHARS = 300
_FOLDED = str.maketrans("，！？：；（）", ",!?:;()")
_SIGNALS = (
    "amount", "percentage", "headcount", "years", "year", "company", "credit_code",
    "invalid_credit_code", "district", "industry", "qualification", "lacks_qualification",
    "appeal_no", "phone", "rating", "facet amount", "facet conditions", "facet materials",
    "facet window", "facet process", "facet department", "facet contact", "facet validity",
    "misuse others", "misuse handover", "misuse forgery",
)  # fmt: skip


@dataclass(frozen=True)
class Head:
    """One linear layer: ``weights`` is ``(features, labels)``, ``bias`` ``(labels,)``."""

    weights: Floats
    bias: Floats

    def probabilities(self, columns: NDArray[np.int32], values: Floats, dense: Floats) -> Floats:
        """Shape ``(labels,)``, sums to 1; ``values`` stand in ``columns``, ``dense`` in the last columns."""
        logits = values @ self.weights[columns] + self.bias
        logits = logits + dense @ self.weights[len(self.weights) - len(dense) :]
        powers = np.exp(logits - logits.max())
        chances: Floats = (powers / powers.sum()).astype(np.float32)
        return chances


@dataclass(frozen=True)
class IntentModel:
    """A trained classifier: arrays and words, nothing that runs code when loaded.

    ``cheap`` reads n-grams and facts, ``full`` also the sentence vector, which it wants centred on ``mean`` and
    divided by ``spread``. ``cheap`` decides alone when its best probability reaches ``sure_at``.
    """

    labels: tuple[str, ...]
    grams: tuple[str, ...]
    idf: Floats
    cheap: Head
    full: Head
    mean: Floats
    spread: float
    sure_at: float
    encoder_name: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "_columns", {gram: i for i, gram in enumerate(self.grams)})

    @classmethod
    def train(
        cls,
        texts: Sequence[str],
        labels: Sequence[str],
        encoder: Encoder,
        progress: Progress | None = None,
    ) -> IntentModel:
        """Learns from examples; the same examples give the same model.

        Raises:
            ValueError: fewer than two intents.
        """
        return cls.fit(texts, labels, lambda some: encode(some, encoder, progress), encoder.name)

    @classmethod
    def fit(
        cls, texts: Sequence[str], labels: Sequence[str], encoded: Encode, encoder_name: str
    ) -> IntentModel:
        """Learns from examples; ``encoded`` is asked once, for those that words alone do not settle. See ``train``."""
        wanted = np.asarray(labels)
        if len(set(labels)) < 2:
            raise ValueError("intents: give examples of at least two intents")
        readings = [_reading(text) for text in texts]
        vectoriser = TfidfVectorizer(analyzer=_grams, sublinear_tf=True, dtype=np.float32)
        words = vectoriser.fit_transform([folded for folded, _ in readings])
        signals = csr_matrix(np.stack([_signals(kinds) for _, kinds in readings]))
        shallow = hstack([words, signals]).tocsr()
        chances = unseen_chances(_regression(CHEAP_C), shallow, wanted)
        hard = hard_rows(chances, wanted)
        vectors = encoded([texts[row] for row in hard])
        mean = vectors.mean(axis=0)
        spread = float(np.sqrt(((vectors - mean) ** 2).sum(axis=1).mean())) or 1.0
        centred = csr_matrix((vectors - mean) / spread * VECTOR_WEIGHT)
        deep = hstack([shallow[hard], centred]).tocsr()
        cheap = _regression(CHEAP_C).fit(shallow, wanted)
        full = _regression(FULL_C).fit(deep, wanted[hard])
        return cls(
            labels=tuple(map(str, full.classes_)),
            grams=tuple(map(str, vectoriser.get_feature_names_out())),
            idf=vectoriser.idf_.astype(np.float32),
            cheap=_head(cheap),
            full=_head(full),
            mean=mean.astype(np.float32),
            spread=spread,
            sure_at=sure_from(chances, wanted),
            encoder_name=encoder_name,
        )

    def predict_proba(self, text: str, vector: Floats | None = None) -> Floats:
        """Probability of each of ``labels``; without a vector from n-grams and facts alone."""
        return self._predict(_reading(text), vector)

    def classify(self, text: str, encode_one: Callable[[str], Floats]) -> list[tuple[str, float]]:
        """All intents, the likeliest first; ``encode_one`` is called only when words do not settle it."""
        reading = _reading(text)
        chances = self._predict(reading, None)
        if chances.max() < self.sure_at:
            chances = self._predict(reading, encode_one(text))
        order = np.argsort(-chances, kind="stable")
        return [(self.labels[index], float(chances[index])) for index in order]

    def needs_vector(self, text: str) -> bool:
        """Whether ``classify`` will ask for the sentence vector of this text."""
        return bool(self._predict(_reading(text), None).max() < self.sure_at)

    def check_encoder(self, encoder: Encoder) -> None:
        """Raises EncoderError unless ``encoder`` is the one the model was trained with."""
        if encoder.name != self.encoder_name:
            raise EncoderError(
                f"the intent model was trained with encoder {self.encoder_name!r}, not {encoder.name!r}: train it again"
            )

    def save(self, folder: Path) -> None:
        """Writes ``intents.json`` and ``intents.npz`` into an existing folder."""
        described = {
            "labels": self.labels,
            "grams": self.grams,
            "spread": self.spread,
            "sure_at": self.sure_at,
            "encoder": self.encoder_name,
        }
        (folder / "intents.json").write_text(json.dumps(described, ensure_ascii=False), "utf-8")
        np.savez(
            folder / "intents.npz",
            idf=self.idf,
            mean=self.mean,
            cheap_weights=self.cheap.weights,
            cheap_bias=self.cheap.bias,
            full_weights=self.full.weights,
            full_bias=self.full.bias,
        )

    @classmethod
    def load(cls, folder: Path) -> IntentModel:
        """Reads what ``save`` wrote.

        Raises:
            OSError: a file is missing. ValueError, KeyError: a file is damaged.
        """
        described = json.loads((folder / "intents.json").read_text("utf-8"))
        with np.load(folder / "intents.npz", allow_pickle=False) as arrays:
            return cls(
                labels=tuple(described["labels"]),
                grams=tuple(described["grams"]),
                idf=arrays["idf"],
                cheap=Head(arrays["cheap_weights"], arrays["cheap_bias"]),
                full=Head(arrays["full_weights"], arrays["full_bias"]),
                mean=arrays["mean"],
                spread=float(described["spread"]),
                sure_at=float(described["sure_at"]),
                encoder_name=described["encoder"],
            )

    def _predict(self, reading: tuple[str, frozenset[str]], vector: Floats | None) -> Floats:
        folded, kinds = reading
        columns, values = self._weighed(folded)
        signals = _signals(kinds)
        if vector is None:
            return self.cheap.probabilities(columns, values, signals)
        centred = (vector - self.mean) / self.spread * VECTOR_WEIGHT
        dense = np.concatenate([signals, centred])
        return self.full.probabilities(columns, values, dense)

    def _weighed(self, folded: str) -> tuple[NDArray[np.int32], Floats]:
        """What ``TfidfVectorizer`` makes of one text, fifty times faster for a single one (a test compares them)."""
        known: dict[str, int] = self._columns  # type: ignore[attr-defined]
        counts = Counter(known[gram] for gram in _grams(folded) if gram in known)
        columns = np.fromiter(counts.keys(), np.int32, len(counts))
        tallies = np.fromiter(counts.values(), np.float32, len(counts))
        values = (1 + np.log(tallies)) * self.idf[columns]
        length = np.sqrt((values**2).sum()) or 1.0
        return columns, (values / length).astype(np.float32)


def encode(texts: Sequence[str], encoder: Encoder, progress: Progress | None = None) -> Floats:
    """Sentence vectors of the texts, shape ``(len(texts), encoder.dim)``; equal texts are encoded once."""
    plain = [normalise_text(text) for text in texts]
    unique = list(dict.fromkeys(plain))
    batches = [
        unique[start : start + _ENCODED_AT_ONCE]
        for start in range(0, len(unique), _ENCODED_AT_ONCE)
    ]
    rows: list[Floats] = []
    with ThreadPoolExecutor(_ENCODERS_AT_WORK) as pool:
        for done, vectors in enumerate(pool.map(encoder.queries, batches), 1):
            rows.append(vectors)
            if progress is not None:
                progress(min(done * _ENCODED_AT_ONCE, len(unique)), len(unique))
    place = {text: index for index, text in enumerate(unique)}
    return np.concatenate(rows)[[place[text] for text in plain]]


@lru_cache(maxsize=4096)
def _reading(text: str) -> tuple[str, frozenset[str]]:
    """What the model sees of a message besides its vector: folded characters, kinds of facts, signs of misuse."""
    plain = readable(normalise_text(text), _TEXT_CHARS)
    kinds = {
        f"facet {fact.value}" if fact.kind == "facet" else fact.kind for fact in extract(plain)
    }
    kinds |= {f"misuse {name}" for name, sign in vocabulary().misuse if sign.search(plain)}
    return f"^{plain.lower().translate(_FOLDED)}$", frozenset(kinds)


def _grams(folded: str) -> list[str]:
    return [
        folded[start : start + size]
        for size in range(1, MAX_GRAM + 1)
        for start in range(len(folded) - size + 1)
    ]


def _signals(kinds: frozenset[str]) -> Floats:
    return np.array([FACT_WEIGHT * (kind in kinds) for kind in _SIGNALS], dtype=np.float32)


def _regression(c: float) -> LogisticRegression:
    # lbfgs finds the same weights, ten to thirty times slower for this many columns.
    return LogisticRegression(C=c, solver="newton-cg", max_iter=300, tol=1e-4)


def _head(model: LogisticRegression) -> Head:
    """One column of weights a label; two labels share one column in scikit-learn."""
    weights, bias = model.coef_.T, model.intercept_
    if weights.shape[1] == 1:
        weights, bias = np.hstack([-weights / 2, weights / 2]), np.array([-bias[0], bias[0]]) / 2
    return Head(weights.astype(np.float32), bias.astype(np.float32))
