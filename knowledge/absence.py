"""Says how likely it is that a corpus holds what a question asks for: ``python -m knowledge.absence`` fits it.

The weights are learned from the demo catalogue and its training questions alone: each question as it is, with its right
documents left out (the right field, but not there), and with all that is near left out too (another field). They carry
over to other corpora because no feature knows their size.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from knowledge.catalogue import Catalogue, read_catalogue
from knowledge.chunks import passages
from knowledge.corpus import Corpus, Document, Query
from knowledge.dense import VectorCache
from knowledge.encoder import BUILT_IN, Encoder, load_encoder
from knowledge.errors import LabelError
from knowledge.index import FEATURES as INDEX_FEATURES
from knowledge.index import HybridIndex, Source, System
from knowledge.labels import LabelledQuestion, read_questions
from knowledge.question import DATA

MODEL_FILE = DATA / "no_answer.json"
TRAINING_QUESTIONS = DATA / "eval" / "train.jsonl"
# Left out: it takes the spread of the fifty nearest for what is usual, and a small corpus has no such fifty.
_USED = tuple(at for at, name in enumerate(INDEX_FEATURES) if name != "cosine_z")
FEATURES = (*(INDEX_FEATURES[at] for at in _USED), "lead")

# Where the lead of the nearest document is measured from: those next in the order by meaning, the first few left out
# because near-duplicates of the answer stand there.
_FIELD = slice(5, 20)
_PENALTY = 0.1
_NEAR = 0.05


class PresenceModel(BaseModel):
    """A logistic model of "the corpus holds the answer", over ``FEATURES``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    features: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def chance(self, features: Sequence[float]) -> float:
        """0-1."""
        scaled = (np.array(features) - np.array(self.mean)) / np.array(self.scale)
        return float(1 / (1 + np.exp(-(scaled @ np.array(self.weights) + self.intercept))))


def read_model(path: Path = MODEL_FILE) -> PresenceModel:
    """The shipped weights.

    Raises:
        LabelError: the file is absent, damaged, or was made for other features.
    """
    try:
        model = PresenceModel.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise LabelError(f"{path}: cannot be used; run python -m knowledge.absence") from error
    if model.features != FEATURES:
        raise LabelError(f"{path}: made for other features; run python -m knowledge.absence")
    return model


def presence_features(index: HybridIndex, text: str) -> tuple[float, ...]:
    """As named by ``FEATURES``; ``lead`` is how far the nearest document's cosine stands above those that follow."""
    near = [found.cosine or 0.0 for found in index.rank(text, _FIELD.stop, System.DENSE)]
    field = near[_FIELD] or near[-1:]
    lead = near[0] - float(np.mean(field)) if near else 0.0
    told = index.features(text)
    return (*(told[at] for at in _USED), lead)


def build_index(corpus: Corpus, encoder: Encoder, cache: VectorCache) -> HybridIndex:
    """The index of a corpus."""
    return HybridIndex.build(sources(corpus), encoder, cache, singles=True)


def sources(corpus: Corpus) -> Iterator[Source]:
    """The documents as the index takes them."""
    for document in corpus.documents:
        yield Source(
            document.id,
            document.title,
            passages(document.title, document.text),
            f"{document.title}\n{document.text}".strip(),
        )


def fit(indexes: Sequence[tuple[Corpus, HybridIndex]]) -> PresenceModel:
    """Learns from every answered question three times: as it is, without its right documents, without all near ones."""
    from sklearn.linear_model import LogisticRegression

    rows: list[tuple[float, ...]] = []
    present: list[bool] = []
    weights: list[float] = []
    for corpus, index in indexes:
        answered = corpus.answered()
        for query, right in answered:
            near = {found.id for found in index.rank(query.text, int(_NEAR * len(index)))}
            rows += [
                presence_features(seen, query.text)
                for seen in (index, index.without(right), index.without(near | right))
            ]
            present += [True, False, False]
            # Present and absent weigh the same, and a large corpus should not speak for all.
            weights += [weight * len(answered) ** -0.5 for weight in (2.0, 1.0, 1.0)]
    matrix: NDArray[np.float64] = np.array(rows)
    mean, scale = matrix.mean(0), matrix.std(0) + 1e-6
    fitted = LogisticRegression(C=_PENALTY, max_iter=1000).fit(
        (matrix - mean) / scale, present, sample_weight=np.array(weights) / np.mean(weights)
    )
    return PresenceModel(
        features=FEATURES,
        mean=tuple(mean.round(5).tolist()),
        scale=tuple(scale.round(5).tolist()),
        weights=tuple(fitted.coef_[0].round(5).tolist()),
        intercept=round(float(fitted.intercept_[0]), 5),
    )


def training_corpora(
    catalogue: Catalogue, questions: Sequence[LabelledQuestion]
) -> tuple[Corpus, Corpus]:
    """The catalogue twice: a policy a document, and a clause a document."""
    asked = [q for q in questions if q.right_policies and not q.unanswerable and not q.context]
    policies = tuple(
        Document(
            id=policy.id,
            title=policy.title,
            text="\n".join(f"{c.label}：{c.text}" for c in catalogue.clauses_of(policy.id)),
        )
        for policy in catalogue.policies.values()
    )
    clauses = tuple(
        Document(id=c.id, title=catalogue.policies[c.policy_id].title, text=c.text)
        for c in catalogue.clauses.values()
    )
    of_policies = tuple(
        Query(id=q.id, text=q.text, doc_ids=tuple(sorted(q.right_policies))) for q in asked
    )
    of_clauses = []
    for question in asked:
        right = tuple(
            c.id
            for c in catalogue.clauses.values()
            if c.policy_id in question.right_policies and c.facet.value == question.facet
        )
        if right:
            of_clauses.append(Query(id=question.id, text=question.text, doc_ids=right))
    return Corpus(policies, of_policies), Corpus(clauses, tuple(of_clauses))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cache", type=Path, default=Path("var/vectors"), help="folder of stored vectors"
    )
    parser.add_argument("--encoder", default=BUILT_IN, help="as in QIFU_ENCODER")
    parser.add_argument("--out", type=Path, default=MODEL_FILE)
    options = parser.parse_args()
    encoder, cache = load_encoder(options.encoder), VectorCache(options.cache)
    corpora = training_corpora(read_catalogue(), read_questions(TRAINING_QUESTIONS))
    model = fit([(corpus, build_index(corpus, encoder, cache)) for corpus in corpora])
    told = {
        **model.model_dump(mode="json"),
        "fitted_on": ", ".join(
            f"{len(c.documents)} documents with {len(c.queries)} questions" for c in corpora
        ),
        "encoder": encoder.name,
    }
    options.out.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
