"""Finds the policies a question is about, and says how likely it is that one of them answers it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.catalogue import Catalogue
from knowledge.clauses import LABELS
from knowledge.dense import MeaningIndex, Progress, VectorCache
from knowledge.encoder import Encoder
from knowledge.lexical import WordIndex, tokens
from knowledge.policy import Clause, Facet, Policy, Status
from knowledge.question import DATA, Question, read_places, read_question

Scores = NDArray[np.float32]

CALIBRATION_FILE = DATA / "calibration.json"
TOP = 50
TITLE_WEIGHT = 0.2
PLACE_BONUS = 0.35
# A question that names no place is asked from home; a neighbour's own policy is no answer to it.
NEIGHBOUR_PENALTY = 5.0
DOC_NO_BONUS = 10.0
EXPIRED_PENALTY = 0.05
# These say when, where and who for nearly every item alike; as search text they only add noise.
_NOT_SEARCHED = frozenset({Facet.VALIDITY, Facet.CONTACT, Facet.DEPARTMENT})
FEATURES = (
    "cosine",
    "best_cosine",
    "subject_cover",
    "title_cover",
    "word_cover",
    "margin",
    "log_document_score",
    "log_clause_score",
    "log_title_score",
    "subject_mass",
)


WORD_FEATURES = FEATURES[2:]


class System(StrEnum):
    """What ranks. The cascade takes words alone where they are sure, and encodes the question only where not."""

    CASCADE = "cascade"
    WORDS = "words"
    BOTH = "both"


@dataclass(frozen=True)
class Hit:
    """One policy found: its score (higher is better), cosine (absent where words alone decided), the question's
    words it holds.
    """

    policy: Policy
    score: float
    cosine: float | None
    matched: tuple[str, ...]


@dataclass(frozen=True)
class Ranking:
    """What a search found, best first, and the calibrated chance (0-1) that the first hit answers the question."""

    question: Question
    hits: tuple[Hit, ...]
    chance: float
    features: tuple[float, ...]


@dataclass(frozen=True)
class Calibration:
    """A logistic model of "the first hit answers this", fitted on the training questions only."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    answer_from: float

    def chance(self, features: Sequence[float]) -> float:
        scaled = (np.array(features) - np.array(self.mean)) / np.array(self.scale)
        return float(1 / (1 + np.exp(-(scaled @ np.array(self.weights) + self.intercept))))


@dataclass(frozen=True)
class Calibrations:
    """One model for words and meaning together, one for words alone; ``words.answer_from`` is where those are sure
    enough (99 % right) to leave meaning out.
    """

    both: Calibration
    words: Calibration


def read_calibrations(path: Path = CALIBRATION_FILE) -> Calibrations:
    raw = json.loads(path.read_text(encoding="utf-8"))
    return Calibrations(_calibration(raw["both"]), _calibration(raw["words"]))


def _calibration(raw: dict[str, Any]) -> Calibration:
    return Calibration(
        tuple(raw["mean"]),
        tuple(raw["scale"]),
        tuple(raw["weights"]),
        raw["intercept"],
        raw["answer_from"],
    )


@dataclass(frozen=True)
class _WordScores:
    """BM25 of one question with every policy, shape ``(policies,)`` each: whole, best clause, names."""

    document: Scores
    clause: Scores
    title: Scores


class Retriever:
    """Words and meaning over one catalogue; the same object serves chat, evaluation and the console.

    Scores are fused as z-scores over each system's best 50, the dense share falling with how much of the question
    the words already cover (measured: shared retrieval notes §3; README "数字" for this catalogue). Where words alone
    are sure of the first hit the question is not encoded at all, which saves most of the time of a turn.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        encoder: Encoder,
        cache: VectorCache,
        calibrations: Calibrations | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.encoder = encoder
        self.calibrations = calibrations or read_calibrations()
        self._policies = list(catalogue.policies.values())
        passages, owners = _passages(catalogue)
        self._owners = np.array(owners)
        self._titles = WordIndex([_names(policy) for policy in self._policies])
        self._documents = WordIndex([_document(policy, catalogue) for policy in self._policies])
        self._clauses = WordIndex(passages)
        self._meaning = MeaningIndex(cache.vectors(encoder, passages, progress))

    def search(
        self,
        text: str,
        top: int = 5,
        *,
        as_of: date | None = None,
        statuses: Collection[Status] | None = None,
        without: Collection[str] = (),
        system: System = System.CASCADE,
    ) -> Ranking:
        """The best ``top`` policies for a question.

        ``statuses`` keeps only policies that have one of them on the day ``as_of``, or in the record where no day is
        given. ``without`` leaves policies out, as if the catalogue did not hold them (used to calibrate refusals).
        """
        question = read_question(text)
        allowed = self._allowed(question, as_of, statuses, without)
        words = _WordScores(
            self._documents.scores(question.words),
            self._best_per_policy(self._clauses.scores(question.words)),
            self._titles.scores(question.words),
        )
        if system is not System.BOTH:
            quick = self._rank(question, words, None, allowed, top)
            sure = self.calibrations.words.answer_from
            if system is System.WORDS or not quick.hits or quick.chance >= sure:
                return quick
        query = self.encoder.queries([question.search_text])[0]
        cosine = self._best_per_policy(self._meaning.scores(query))
        return self._rank(question, words, cosine, allowed, top)

    def _rank(
        self,
        question: Question,
        words: _WordScores,
        cosine: Scores | None,
        allowed: NDArray[np.bool_],
        top: int,
    ) -> Ranking:
        score = self._fuse(question, words, cosine) + self._preferences(question)
        score[~allowed] = -np.inf
        order = np.argsort(-score)[: max(top, 2)]
        order = order[np.isfinite(score[order])]
        names = WORD_FEATURES if cosine is None else FEATURES
        if not len(order):
            return Ranking(question, (), 0.0, (0.0,) * len(names))
        best = int(order[0])
        margin = float(min(score[best] - score[order[1]], 3.0)) if len(order) > 1 else 3.0
        features = self._word_features(question, words, best, margin)
        calibration = self.calibrations.words
        if cosine is not None:
            features = (float(cosine[best]), float(cosine[allowed].max()), *features)
            calibration = self.calibrations.both
        hits = tuple(self._hit(question, int(i), score, cosine) for i in order[:top])
        is_named = question.names_document(hits[0].policy.doc_no)
        return Ranking(question, hits, 1.0 if is_named else calibration.chance(features), features)

    def _word_features(
        self, question: Question, words: _WordScores, best: int, margin: float
    ) -> tuple[float, ...]:
        return (
            self._documents.cover(question.subject, best),
            self._titles.cover(question.subject, best),
            self._documents.cover(question.words, best),
            margin,
            float(np.log1p(words.document[best])),
            float(np.log1p(words.clause[best])),
            float(np.log1p(words.title[best])),
            min(sum(self._documents.idf(word) for word in set(question.subject)), 60.0) / 60.0,
        )

    def best_clause(
        self, policy_id: str, words: Sequence[str], among: Sequence[Clause]
    ) -> tuple[Clause, float] | None:
        """The clause of a policy that shares most of the words, with the share (0-1) of their weight it holds."""
        weights = {word: self._documents.idf(word) for word in set(words)}
        mass = sum(weights.values())
        if not mass or not among:
            return None
        held = {
            c.id: sum(weights[w] for w in set(tokens(c.text)) if w in weights) / mass for c in among
        }
        best = max(among, key=lambda clause: held[clause.id])
        return best, held[best.id]

    def _fuse(self, question: Question, words: _WordScores, cosine: Scores | None) -> Scores:
        lexical: Scores = (
            0.5 * _z(words.document) + 0.5 * _z(words.clause) + TITLE_WEIGHT * _z(words.title)
        )
        if cosine is None:
            return lexical
        cover = self._documents.cover(question.words, int(np.argmax(words.document)))
        share = float(np.clip(0.7 - 0.7 * cover, 0.15, 0.80))
        return share * _z(cosine) + (1 - share) * lexical

    def _preferences(self, question: Question) -> Scores:
        """Prefers the place that was named, or home; a document number named in full decides."""
        places = read_places()
        wanted = set(question.places) or {places.home}
        bonus = np.array(
            [PLACE_BONUS if p.place in wanted else 0.0 for p in self._policies], np.float32
        )
        if not question.places:
            at_home = {None, *places.around(places.home)}
            far = [0.0 if p.place in at_home else NEIGHBOUR_PENALTY for p in self._policies]
            bonus = bonus * 0.3 - np.array(far, np.float32)
        bonus -= np.array(
            [EXPIRED_PENALTY if p.status is Status.EXPIRED else 0.0 for p in self._policies],
            np.float32,
        )
        if question.doc_no:
            named = [question.names_document(p.doc_no) for p in self._policies]
            bonus += np.array(named, np.float32) * DOC_NO_BONUS
        return bonus

    def _allowed(
        self,
        question: Question,
        as_of: date | None,
        statuses: Collection[Status] | None,
        without: Collection[str],
    ) -> NDArray[np.bool_]:
        """Which policies may answer at all: those of a place named, around it or inside it."""
        if question.elsewhere:
            return np.zeros(len(self._policies), bool)
        reach = read_places().reach(question.places)
        return np.array(
            [
                policy.id not in without
                and (not reach or policy.place is None or policy.place in reach)
                and (statuses is None or _status(policy, as_of) in statuses)
                for policy in self._policies
            ]
        )

    def _best_per_policy(self, scores: Scores) -> Scores:
        best = np.full(len(self._policies), -np.inf, np.float32)
        np.maximum.at(best, self._owners, scores)
        return best

    def _hit(self, question: Question, index: int, score: Scores, cosine: Scores | None) -> Hit:
        held = self._documents.holds(index)
        return Hit(
            self._policies[index],
            float(score[index]),
            None if cosine is None else float(cosine[index]),
            tuple(word for word in dict.fromkeys(question.words) if word in held),
        )


def _z(scores: Scores) -> Scores:
    top = np.sort(scores[np.isfinite(scores)])[::-1][:TOP]
    standardised: Scores = (scores - top.mean()) / (top.std() + 1e-6)
    return standardised


def _status(policy: Policy, day: date | None) -> Status:
    return policy.status if day is None else policy.status_on(day)


def _names(policy: Policy) -> str:
    return " ".join([policy.title, *policy.aliases])


def _document(policy: Policy, catalogue: Catalogue) -> str:
    texts = [clause.text for clause in catalogue.clauses_of(policy.id)]
    return " ".join(
        [_names(policy), policy.category, policy.benefit_type, *policy.industries, *texts]
    )


def _passages(catalogue: Catalogue) -> tuple[list[str], list[int]]:
    """What is indexed: title and every alias alone, and each telling clause with the title in front."""
    passages: list[str] = []
    owners: list[int] = []
    for index, policy in enumerate(catalogue.policies.values()):
        clauses = [c for c in catalogue.clauses_of(policy.id) if c.facet not in _NOT_SEARCHED]
        texts = [
            policy.title,
            *policy.aliases,
            *(f"{policy.title} {LABELS[c.facet]}：{c.text}" for c in clauses),
        ]
        passages += texts
        owners += [index] * len(texts)
    return passages, owners
