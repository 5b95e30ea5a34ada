"""Weighs what speaks for each policy as the answer to one question: words, meaning, figures, place, level, validity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from knowledge.catalogue_index import PolicyWords
from knowledge.clauses import facets_recorded
from knowledge.decoys import Names, names_of, read_absent
from knowledge.lexical import tokens
from knowledge.policy import Facet, Policy, Status
from knowledge.question import Question, figures_of, read_places, years_of
from knowledge.ranking import RANK_FEATURES, Matrix

Scores = NDArray[np.float32]
Rows = NDArray[np.int64]

TOP = 50
# A question that names no place is asked from home; a neighbour's own policy is no answer to it.
NEIGHBOUR_PENALTY = 5.0
DOC_NO_BONUS = 100.0
_HEAVY_SUBJECT = 60.0


@dataclass(frozen=True)
class WordScores:
    """BM25 of one question with every policy, shape ``(policies,)`` each: whole, best clause, names."""

    document: Scores
    clause: Scores
    title: Scores


@dataclass(frozen=True)
class Evidence:
    """What was weighed for the candidates ``rows`` (indexes of policies); ``features`` has a row for each.

    ``adjustment`` is added to the learned score: rules that no training question may soften.
    """

    rows: Rows
    features: Matrix
    adjustment: Scores


@dataclass(frozen=True)
class _Read:
    """What is read out of one policy's texts."""

    policy: Policy
    figures: frozenset[str]
    years: frozenset[str]
    recorded: frozenset[Facet]
    names: Names


class PolicyTable:
    """The policies of a catalogue as arrays, so that a question is held against all of them at once."""

    def __init__(
        self,
        policies: Sequence[Policy],
        documents: PolicyWords,
        titles: PolicyWords,
        before: PolicyTable | None = None,
    ) -> None:
        """``before`` is the table of an earlier state of the catalogue: policies it had already are not read again."""
        self.policies = policies
        self._read: dict[str, _Read] = _read_all(policies, before._read if before else {})
        read = [self._read[policy.id] for policy in policies]
        self._documents, self._titles = documents, titles
        self._places = np.array([policy.place or "" for policy in policies])
        self._levels = np.array([policy.level.value for policy in policies])
        self._doc_nos = [policy.doc_no for policy in policies]
        self._figures = [each.figures for each in read]
        self._years = [each.years for each in read]
        self._recorded = [each.recorded for each in read]
        self._names = [each.names for each in read]
        self._absent = read_absent(self._names)
        home = read_places().home
        self._at_home = self._places == home
        self._is_neighbour = ~np.isin(self._places, ["", *read_places().around(home)])

    def within_reach(self, question: Question) -> NDArray[np.bool_]:
        """Which policies may answer at all: those of a place named, around it or inside it."""
        if question.elsewhere:
            return np.zeros(len(self.policies), bool)
        reach = read_places().reach(question.places)
        if not reach:
            return np.ones(len(self.policies), bool)
        return np.isin(self._places, ["", *reach])

    def with_status(self, statuses: Sequence[Status], day: date | None) -> NDArray[np.bool_]:
        """Which policies have one of these statuses on ``day``, or in the record where no day is given."""
        return np.array([_status(policy, day) in statuses for policy in self.policies], bool)

    def weigh(
        self,
        question: Question,
        words: WordScores,
        cosine: Scores | None,
        allowed: NDArray[np.bool_],
        day: date | None,
    ) -> Evidence:
        """The evidence for every allowed policy that one of the systems has among its best ``TOP``."""
        lexical = 0.5 * z_scores(words.document) + 0.5 * z_scores(words.clause)
        title = z_scores(words.title)
        fused = lexical if cosine is None else self._fuse(question, words, lexical, cosine)
        named = _named(question, self._doc_nos) & allowed
        found = _best_rows(allowed, lexical + title, fused)
        rows = np.union1d(found, np.flatnonzero(named)).astype(np.int64)
        columns = {
            "fused": fused[rows],
            "title": title[rows],
            "subject_cover": _covers(self._documents, question.subject, rows),
            "title_cover": _covers(self._titles, question.subject, rows),
            "not_meant": _covers(self._titles, question.not_meant, rows),
            **self._facts(question, rows, day),
        }
        features = np.stack([columns[name] for name in RANK_FEATURES], axis=1)
        return Evidence(rows, features.astype(np.float32), self._adjustment(question, rows))

    def _fuse(
        self, question: Question, words: WordScores, lexical: Scores, cosine: Scores
    ) -> Scores:
        """Meaning counts the more, the less of the question the words know (shared retrieval notes §3)."""
        cover = self._documents.cover(question.words, int(np.argmax(words.document)))
        share = float(np.clip(0.7 - 0.7 * cover, 0.15, 0.80))
        return share * z_scores(cosine) + (1 - share) * lexical

    def _facts(
        self, question: Question, rows: Rows, day: date | None
    ) -> dict[str, NDArray[np.float64]]:
        """What the records' facts say for or against each row: figures, place, level, validity, the facet asked for."""
        shared = [self._figures_shared(question, row) for row in rows.tolist()]
        levels = [level.value for level in question.levels]
        level_named = np.isin(self._levels[rows], levels)
        policies = [self.policies[row] for row in rows.tolist()]
        years = years_of(question.search_text)
        return {
            "figures_held": np.array([held for held, _ in shared], float),
            "figures_missing": np.array([missing for _, missing in shared], float),
            "place_named": np.isin(self._places[rows], question.places).astype(float),
            "at_home": self._at_home[rows] * float(not question.places),
            "level_named": level_named.astype(float),
            "level_other": (~level_named) * float(bool(levels)),
            "expired": np.array([_status(p, day) is Status.EXPIRED for p in policies], float),
            "year_held": np.array([float(bool(years & self._years[row])) for row in rows.tolist()]),
            "facet_held": np.array([self._facet_held(question, row) for row in rows.tolist()]),
        }

    def _figures_shared(self, question: Question, row: int) -> tuple[float, float]:
        """How many figures of the question the policy's text has, and how many it lacks; at most 3 each."""
        held = len(question.figures & self._figures[row])
        return float(min(held, 3)), float(min(len(question.figures) - held, 3))

    def _facet_held(self, question: Question, row: int) -> float:
        """Whether the record answers the facet asked for first: 1 yes, 0 no, a half where none is asked for."""
        if not question.facets:
            return 0.5
        return float(question.facets[0] in self._recorded[row])

    def _names_missing(self, question: Question, rows: Rows) -> list[float]:
        """Share of the names in the question that each policy does not have; 0 where nothing is called by a name."""
        missing = np.zeros(len(rows))
        for name in question.names:
            missing += ~self._documents.held(tokens(name), rows).all(axis=0)
        shares: list[float] = (missing / max(len(question.names), 1)).tolist()
        return shares

    def _adjustment(self, question: Question, rows: Rows) -> Scores:
        adjustment = np.zeros(len(rows), np.float32)
        if not question.places:
            adjustment -= NEIGHBOUR_PENALTY * self._is_neighbour[rows]
        if question.doc_no:
            named = [question.names_document(self._doc_nos[row]) for row in rows]
            adjustment += np.array(named, np.float32) * DOC_NO_BONUS
        return adjustment

    def chance_features(
        self,
        question: Question,
        words: WordScores,
        cosine: Scores | None,
        evidence: Evidence,
        scores: Scores,
        best: Sequence[int],
    ) -> Matrix:
        """One row of the chance model's features for each of ``best`` (positions in ``evidence.rows``)."""
        mass = sum(self._documents.idf(word) for word in sorted(set(question.words))) or 1.0
        subject_mass = sum(self._documents.idf(word) for word in sorted(set(question.subject)))
        best_rows = evidence.rows[list(best)]
        names_missing = self._names_missing(question, best_rows)
        subject = sorted(set(question.subject))
        held = self._documents.held(subject, evidence.rows)
        unseen = sum(
            self._documents.idf(word)
            for word, by in zip(subject, held, strict=True)
            if not by.any()
        )
        said = frozenset([*question.words, *question.subject])
        absent = self._absent.said_in(said)
        top_cosine = None if cosine is None else float(cosine[evidence.rows].max())
        found: list[tuple[float, ...]] = []
        word_covers = _covers(self._documents, question.words, best_rows).tolist()
        for cover, missing, position in zip(word_covers, names_missing, best, strict=True):
            row = int(evidence.rows[position])
            others = np.delete(scores, position)
            rival = float(others.max()) if len(others) else float(scores[position]) - 3.0
            shown = evidence.features[position]
            features = [
                float(scores[position] - evidence.adjustment[position]),
                float(np.clip(scores[position] - rival, -3.0, 3.0)),
                float(shown[RANK_FEATURES.index("subject_cover")]),
                float(shown[RANK_FEATURES.index("title_cover")]),
                cover,
                float(words.document[row]) / mass,
                float(words.clause[row]) / mass,
                float(words.title[row]) / mass,
                unseen / (subject_mass or 1.0),
                min(subject_mass, _HEAVY_SUBJECT) / _HEAVY_SUBJECT,
                float(shown[RANK_FEATURES.index("figures_missing")]),
                float(shown[RANK_FEATURES.index("level_other")]),
                missing,
                self._names[row].said_in(said),
                absent,
            ]
            if cosine is not None and top_cosine is not None:
                features += [float(cosine[row]), top_cosine - float(cosine[row])]
            found.append(tuple(features))
        return np.array(found, np.float32)


def z_scores(scores: Scores) -> Scores:
    """Scores in standard deviations above the mean of the best ``TOP``."""
    finite = scores[np.isfinite(scores)]
    top = np.partition(finite, -TOP)[-TOP:] if len(finite) > TOP else finite
    if not len(top):
        return np.zeros_like(scores)
    standardised: Scores = (scores - top.mean()) / (top.std() + 1e-6)
    return standardised


def _named(question: Question, doc_nos: Sequence[str | None]) -> NDArray[np.bool_]:
    """Which policies have the document number that the question gives in full."""
    if not question.doc_no:
        return np.zeros(len(doc_nos), bool)
    return np.array([question.names_document(doc_no) for doc_no in doc_nos], bool)


def _covers(index: PolicyWords, words: Sequence[str], rows: Rows) -> Scores:
    """``WordIndex.cover`` of each row; for the hundred or so candidates of one question."""
    asked = sorted(set(words))
    weights = [index.idf(word) for word in asked]
    mass = sum(weights)
    if not mass:
        return np.zeros(len(rows), np.float32)
    shares = np.zeros(len(rows))
    for weight, is_held in zip(weights, index.held(asked, rows), strict=True):
        shares += weight * is_held
    return np.asarray(shares / mass, np.float32)


def _read_all(policies: Sequence[Policy], before: Mapping[str, _Read]) -> dict[str, _Read]:
    """What is read out of each policy; those that are the very same as before are taken over."""
    found = {}
    for policy in policies:
        known = before.get(policy.id)
        found[policy.id] = known if known and known.policy is policy else _read_one(policy)
    return found


def _read_one(policy: Policy) -> _Read:
    return _Read(
        policy,
        figures_of(_text(policy)),
        years_of(policy.title),
        facets_recorded(policy),
        names_of(policy),
    )


def _best_rows(allowed: NDArray[np.bool_], *rankings: Scores) -> Rows:
    """The allowed rows that are among the best ``TOP`` of any ranking, in catalogue order."""
    chosen: set[int] = set()
    for ranking in rankings:
        masked = np.where(allowed, ranking, -np.inf)
        order = np.argsort(-masked, kind="stable")[:TOP]
        chosen.update(int(row) for row in order if np.isfinite(masked[row]))
    return np.array(sorted(chosen), np.int64)


def _status(policy: Policy, day: date | None) -> Status:
    return policy.status if day is None else policy.status_on(day)


def _text(policy: Policy) -> str:
    parts = [policy.title, policy.summary or "", policy.window or "", policy.note or ""]
    parts += [criterion.note for criterion in policy.criteria]
    parts += [clause.text for clause in policy.wording]
    dates = (policy.published, policy.valid_from, policy.valid_to)
    return " ".join([*parts, *(f"{day:%Y}年" for day in dates if day)])
