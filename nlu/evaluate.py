"""Measures the understanding of messages: intents and facts against labelled files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sklearn.metrics import f1_score, precision_recall_fscore_support, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from knowledge.encoder import Encoder
from knowledge.errors import LabelError
from knowledge.label_rows import SeenIds, unknown_name
from nlu.facts import extract
from nlu.intents import Encode, Floats, IntentModel, encode

OUT_OF_SCOPE = "out_of_scope"
_SEED = 7

Ranking = list[tuple[str, float]]
Share = dict[str, float | int]


class Labelled(BaseModel):
    """What every labelled row has; rows without an id are counted, not told apart."""

    model_config = ConfigDict(extra="ignore")

    id: str = ""


Row = TypeVar("Row", bound=Labelled)


class LabelledUtterance(Labelled):
    """One message and the intent it was said with."""

    text: str = Field(min_length=1)
    intent: str = Field(min_length=1)


class LabelledFact(BaseModel):
    """A fact that must be found: its kind and value, units as in ``nlu.fact``."""

    model_config = ConfigDict(extra="ignore")

    kind: str
    value: str | int | float


class LabelledFacts(Labelled):
    """One message and all facts in it."""

    text: str = Field(min_length=1)
    facts: list[LabelledFact]


def evaluate(
    dev_path: Path, train_paths: Sequence[Path], encoder: Encoder, folds: int = 5
) -> dict[str, Any]:
    """Trains on ``train_paths`` and scores ``dev_path``, and the training data by cross-validation.

    A share is ``{"value", "low", "high", "n"}`` with a 95 % Wilson interval. ``accuracy``, ``macro_f1``,
    ``out_of_scope_auc`` (null without messages of both kinds), ``confusions`` and ``intents`` belong to
    ``dev_path``; ``cross_validation`` holds the same for the training data.

    Raises:
        LabelError: a file is missing or breaks the format; names file and line.
    """
    texts, labels = read_examples(train_paths)
    held_out = read_jsonl(dev_path, LabelledUtterance, frozenset(labels))
    vectors = encode(texts, encoder)
    model = IntentModel.fit(texts, labels, _at_hand(texts, vectors), encoder.name)
    asked = [row.text for row in held_out]
    rankings = _rank(model, asked, encode(asked, encoder))
    crossed = _cross_validate(texts, labels, vectors, encoder.name, folds)
    wanted = [row.intent for row in held_out]
    failures = [
        {"id": row.id, "text": row.text, "got": ranking[0][0], "want": row.intent}
        for row, ranking in zip(held_out, rankings, strict=True)
        if ranking[0][0] != row.intent
    ]
    return {
        **_scores(wanted, rankings),
        "without_encoder": share(
            [_best(model, text) == want for text, want in zip(asked, wanted, strict=True)]
        ),
        "sure_at": model.sure_at,
        "cross_validation": {"folds": folds, **_scores(labels, crossed)},
        "trained_on": len(texts),
        "failures": failures,
    }


def evaluate_facts(path: Path) -> dict[str, Any]:
    """Precision and recall of the fact extractor, together and for each kind the file labels.

    Raises:
        LabelError: the file is missing or breaks the format; names file and line.
    """
    rows = read_jsonl(path, LabelledFacts)
    known = {fact.kind for row in rows for fact in row.facts}
    found_right: Counter[str] = Counter()
    found: Counter[str] = Counter()
    labelled: Counter[str] = Counter()
    failures = []
    for row in rows:
        want = {(fact.kind, _comparable(fact.value)) for fact in row.facts}
        got = {(f.kind, _comparable(f.value)) for f in extract(row.text) if f.kind in known}
        found_right.update(kind for kind, _ in want & got)
        found.update(kind for kind, _ in got)
        labelled.update(kind for kind, _ in want)
        if want != got:
            extra, missed = sorted(got - want), sorted(want - got)
            failures.append({"id": row.id, "text": row.text, "extra": extra, "missed": missed})
    return {
        "precision": share_of(found_right.total(), found.total()),
        "recall": share_of(found_right.total(), labelled.total()),
        "kinds": {
            kind: {
                "precision": share_of(found_right[kind], found[kind]),
                "recall": share_of(found_right[kind], labelled[kind]),
            }
            for kind in sorted(known)
        },
        "failures": failures,
    }


def read_examples(paths: Sequence[Path]) -> tuple[list[str], list[str]]:
    """Texts and intents of Rasa training files, entity marks taken out.

    Raises:
        LabelError: naming the file that is no such file.
    """
    texts: list[str] = []
    labels: list[str] = []
    for path in paths:
        for intent, text in _examples(path):
            texts.append(text)
            labels.append(intent)
    if not texts:
        raise LabelError("no training example found: give files with `nlu:` and `intent:`")
    return texts, labels


def _examples(path: Path) -> Iterator[tuple[str, str]]:
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
        groups = [group for group in document["nlu"] if "intent" in group]
        for group in groups:
            for line in group["examples"].splitlines():
                yield group["intent"], line.removeprefix("- ").strip()
    except OSError as error:
        raise LabelError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise LabelError(f"{path}: not Rasa training data: {error}") from error


def read_jsonl(path: Path, row: type[Row], intents: Collection[str] = ()) -> list[Row]:
    """All records of a JSON-lines file; ``intents`` are those a record may name, any where none are given.

    Raises:
        LabelError: naming file, line and field of the first defect, and what to write instead.
    """
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except OSError as error:
        raise LabelError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: byte {error.start}: not UTF-8") from error
    rows = []
    seen = SeenIds()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = row.model_validate_json(line)
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            name = ".".join(map(str, detail["loc"])) or "record"
            raise LabelError(f"{path.name}:{number}: {name}: {detail['msg']}") from error
        defect = seen.defect(found.id, number)
        if not defect and intents and isinstance(found, LabelledUtterance):
            defect = unknown_name("intent", found.intent, intents)
        if defect:
            raise LabelError(f"{path.name}:{number}: {defect}")
        rows.append(found)
    if not rows:
        raise LabelError(f"{path}: nothing in it; expected one JSON object a line")
    return rows


def share(hits: Sequence[bool]) -> Share:
    """A share with its 95 % Wilson interval; absent hits give value 0 and the interval 0 to 1."""
    return share_of(sum(hits), len(hits))


def share_of(right: int, n: int) -> Share:
    if n == 0:
        return {"value": 0.0, "low": 0.0, "high": 1.0, "n": 0}
    z, p = 1.96, right / n
    middle, norm = p + z * z / (2 * n), 1 + z * z / n
    reach = z * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    low, high = max(0.0, (middle - reach) / norm), min(1.0, (middle + reach) / norm)
    return {"value": round(p, 4), "low": round(low, 4), "high": round(high, 4), "n": n}


def _comparable(value: str | int | float) -> str:
    return value if isinstance(value, str) else json.dumps(float(value))


def _best(model: IntentModel, text: str) -> str:
    return model.labels[int(model.predict_proba(text).argmax())]


def _at_hand(texts: Sequence[str], vectors: Floats) -> Encode:
    """Looks vectors up instead of encoding again."""
    row = {text: index for index, text in enumerate(texts)}
    return lambda some: vectors[[row[text] for text in some]]


def _rank(model: IntentModel, texts: Sequence[str], vectors: Floats) -> list[Ranking]:
    """What the served model says, vectors being at hand."""
    return [
        model.classify(text, lambda _, vector=vector: vector)  # type: ignore[misc]
        for text, vector in zip(texts, vectors, strict=True)
    ]


def _cross_validate(
    texts: Sequence[str], labels: Sequence[str], vectors: Floats, encoder_name: str, folds: int
) -> list[Ranking]:
    rankings: list[Ranking] = [[]] * len(texts)
    splits = StratifiedKFold(folds, shuffle=True, random_state=_SEED).split(texts, labels)
    for learn, held_out in splits:
        model = IntentModel.fit(
            [texts[i] for i in learn],
            [labels[i] for i in learn],
            _at_hand(texts, vectors),
            encoder_name,
        )
        told = _rank(model, [texts[i] for i in held_out], vectors[held_out])
        for index, ranking in zip(held_out, told, strict=True):
            rankings[index] = ranking
    return rankings


def _scores(wanted: Sequence[str], rankings: Sequence[Ranking]) -> dict[str, Any]:
    got = [ranking[0][0] for ranking in rankings]
    intents = sorted(set(wanted))
    precision, recall, f1, support = precision_recall_fscore_support(
        wanted, got, labels=intents, zero_division=0.0
    )
    wrong = Counter((w, g) for w, g in zip(wanted, got, strict=True) if w != g)
    return {
        "accuracy": share([w == g for w, g in zip(wanted, got, strict=True)]),
        "top2": share([w in (r[0][0], r[1][0]) for w, r in zip(wanted, rankings, strict=True)]),
        "macro_f1": round(
            float(f1_score(wanted, got, labels=intents, average="macro", zero_division=0.0)), 4
        ),
        "out_of_scope_auc": _out_of_scope_auc(wanted, rankings),
        "confusions": [{"want": w, "got": g, "n": n} for (w, g), n in wrong.most_common()],
        "intents": {
            name: {
                "precision": round(float(precision[i]), 4),
                "recall": round(float(recall[i]), 4),
                "f1": round(float(f1[i]), 4),
                "n": int(support[i]),
            }
            for i, name in enumerate(intents)
        },
    }


def _out_of_scope_auc(wanted: Sequence[str], rankings: Sequence[Ranking]) -> float | None:
    """How well the best probability of any other intent tells messages in scope from the rest."""
    inside = [want != OUT_OF_SCOPE for want in wanted]
    if all(inside) or not any(inside):
        return None
    best = [max(p for name, p in ranking if name != OUT_OF_SCOPE) for ranking in rankings]
    return round(float(roc_auc_score(inside, best)), 4)
