"""Finds the policies a question is about, and says how likely it is that each of them answers it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.catalogue import Catalogue
from knowledge.catalogue_index import CatalogueIndex, build_index, open_index, searched
from knowledge.dense import Progress, VectorCache
from knowledge.encoder import WORDS_ONLY, Encoder
from knowledge.evidence import Evidence, PolicyTable, WordScores
from knowledge.lexical import tokens
from knowledge.policy import Clause, Policy, Status
from knowledge.question import Question, read_question
from knowledge.ranking import Calibration, Calibrations, read_calibrations

Scores = NDArray[np.float32]


class System(StrEnum):
    """What ranks. The cascade takes words alone where they are sure, and encodes the question only where not."""

    CASCADE = "cascade"
    WORDS = "words"
    BOTH = "both"


@dataclass(frozen=True)
class Hit:
    """One policy found: its score (higher is better), the chance (0-1) that it answers the question, cosine (absent
    where words alone decided), the question's words it holds, what the chance was computed from.
    """

    policy: Policy
    score: float
    chance: float
    cosine: float | None
    matched: tuple[str, ...]
    features: tuple[float, ...] = ()


@dataclass(frozen=True)
class ClauseHit:
    """A clause of a policy found, and why: its BM25, its cosine (absent where there is no encoder), the words it shares.

    ``in_title`` are those of ``matched`` that only its policy's title or its headings hold; a clause is searched with them.
    """

    clause: Clause
    score: float
    cosine: float | None
    matched: tuple[str, ...]
    in_title: tuple[str, ...]


@dataclass(frozen=True)
class Ranking:
    """What a search found, best first."""

    question: Question
    hits: tuple[Hit, ...]

    @property
    def chance(self) -> float:
        """The chance (0-1) that the first hit answers the question; 0 where nothing was found."""
        return self.hits[0].chance if self.hits else 0.0


class Retriever:
    """Words and meaning over one catalogue, scored by the same index as any other set of documents (``HybridIndex``).

    One object serves chat, the console's hit test and evaluation; a test holds their rankings together.

    Scores are fused as z-scores over each system's best 50, the dense share falling with how much of the question
    the words already cover (shared retrieval notes §3), then corrected by what else speaks for a policy
    (``evidence``). Where words alone are sure of the first hit the question is not encoded at all, which saves most
    of the time of a turn.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        encoder: Encoder,
        cache: VectorCache,
        calibrations: Calibrations | None = None,
        progress: Progress | None = None,
        folder: Path | None = None,
        before: Retriever | None = None,
    ) -> None:
        """``folder`` is where the index is stored and mapped from; without it the index is built in memory.

        ``before`` searches an earlier state of the catalogue with the same encoder: only what differs is indexed anew.
        It is left as it is, and this one ranks as one built from nothing.

        Raises:
            EncoderError: the encoder, or what it stored, cannot be used.
        """
        self.catalogue = catalogue
        self.encoder = encoder
        self.calibrations = calibrations or read_calibrations()
        self._policies = list(catalogue.policies.values())
        self._rows = {policy.id: row for row, policy in enumerate(self._policies)}
        self._index: CatalogueIndex
        if before is not None:
            self._index = before._index.updated(catalogue, cache, progress)
            if folder is not None:
                self._index.keep(folder)
        elif folder is not None:
            self._index = open_index(folder, catalogue, encoder, cache, progress)
        else:
            self._index = build_index(catalogue, encoder, cache, progress)
        self._documents = self._index.documents
        self._table: PolicyTable = PolicyTable(
            self._policies,
            self._documents,
            self._index.names,
            None if before is None else before._table,
        )

    def search(
        self,
        text: str,
        top: int = 5,
        *,
        as_of: date | None = None,
        statuses: Collection[Status] | None = None,
        without: Collection[str] = (),
        only: Collection[str] | None = None,
        system: System = System.CASCADE,
    ) -> Ranking:
        """The best ``top`` policies for a question.

        ``statuses`` keeps only policies that have one of them on the day ``as_of``, or in the record where no day is
        given. ``without`` leaves policies out, as if the catalogue did not hold them (used to calibrate refusals);
        ``only`` leaves out all others.
        """
        question = read_question(text)
        allowed = self._allowed(question, as_of, statuses, without, only)
        words = self._word_scores(question)
        if self.encoder.name == WORDS_ONLY:
            system = System.WORDS
        if system is not System.BOTH:
            quick = self._rank(question, words, None, allowed, top, as_of)
            sure = self.calibrations.words.sure_from
            if system is System.WORDS or not quick.hits or quick.chance >= sure:
                return quick
        return self._rank(question, words, self._cosines(question), allowed, top, as_of)

    @property
    def passages(self) -> int:
        """How many passages are searched."""
        return self._index.passage_count

    @property
    def cuts(self) -> Calibration:
        """Where answering, asking back and refusing divide, for the system in use."""
        is_wordy = self.encoder.name == WORDS_ONLY
        return self.calibrations.words if is_wordy else self.calibrations.both

    def weigh(self, text: str, system: System) -> Evidence:
        """What speaks for each candidate, before anything learned is applied to it."""
        question = read_question(text)
        cosine = None if system is System.WORDS else self._cosines(question)
        allowed = self._table.within_reach(question)
        return self._table.weigh(question, self._word_scores(question), cosine, allowed, None)

    def policy_at(self, row: int) -> Policy:
        """The policy of a row of ``Evidence``."""
        return self._policies[row]

    def _word_scores(self, question: Question) -> WordScores:
        words = list(dict.fromkeys(question.words))  # said twice is not asked twice
        return WordScores(
            self._documents.scores(words),
            self._index.clause_scores(words),
            self._index.names.scores(words),
        )

    def _cosines(self, question: Question) -> Scores:
        query = self.encoder.queries([question.search_text])[0]
        return self._index.cosines(query)

    def _rank(
        self,
        question: Question,
        words: WordScores,
        cosine: Scores | None,
        allowed: NDArray[np.bool_],
        top: int,
        day: date | None,
    ) -> Ranking:
        calibration = self.calibrations.words if cosine is None else self.calibrations.both
        evidence = self._table.weigh(question, words, cosine, allowed, day)
        if not len(evidence.rows):
            return Ranking(question, ())
        scores = calibration.rank.scores(evidence.features) + evidence.adjustment
        order = np.argsort(-scores, kind="stable")[: max(top, 1)].tolist()
        features = self._table.chance_features(question, words, cosine, evidence, scores, order)
        chances = calibration.chance.chances(features)
        hits = []
        for at, chance, known in zip(order, chances.tolist(), features.tolist(), strict=True):
            row = int(evidence.rows[at])
            hits.append(self._hit(question, row, float(scores[at]), chance, cosine, tuple(known)))
        return Ranking(question, tuple(hits))

    def best_clause(
        self, policy_id: str, words: Sequence[str], among: Sequence[Clause]
    ) -> tuple[Clause, float] | None:
        """The clause of a policy that shares most of the words, with the share (0-1) of their weight it holds."""
        weights = {word: self._documents.idf(word) for word in sorted(set(words))}
        mass = sum(weights.values())
        if not mass or not among:
            return None
        held = {
            c.id: sum(weights[w] for w in sorted(set(tokens(c.text))) if w in weights) / mass
            for c in among
        }
        best = max(among, key=lambda clause: held[clause.id])
        return best, held[best.id]

    def clauses(self, question: Question, policy_id: str, most: int = 3) -> list[ClauseHit]:
        """The clauses of a policy that answer a question best, by meaning and then words, at most ``most``."""
        row, clauses = self._rows[policy_id], searched(self.catalogue.clauses_of(policy_id))
        rows = self._index.passages_of(row, len(clauses))
        words = list(dict.fromkeys(question.words))
        scores, held = self._index.passage_words(words, rows)
        cosines: list[float] | None = None
        if self.encoder.name != WORDS_ONLY:
            query = self.encoder.queries([question.search_text])[0]
            cosines = self._index.passage_cosines(query, rows).tolist()
        hits = []
        for number, clause in enumerate(clauses):
            own = set(tokens(clause.text))
            matched = tuple(w for w, has in zip(words, held[:, number], strict=True) if has)
            in_title = tuple(word for word in matched if word not in own)
            cosine = cosines[number] if cosines else None
            hits.append(ClauseHit(clause, float(scores[number]), cosine, matched, in_title))
        return sorted(hits, key=lambda hit: (hit.cosine or 0.0, hit.score), reverse=True)[:most]

    def search_clauses(
        self, text: str, top: int = 5, *, as_of: date | None = None
    ) -> list[tuple[Hit, list[ClauseHit]]]:
        """What ``search`` finds, each policy with the clauses that speak for it: the hit test, and what is evaluated."""
        ranking = self.search(text, top, as_of=as_of)
        return [(hit, self.clauses(ranking.question, hit.policy.id)) for hit in ranking.hits]

    def nearest(self, question: Question, top: int) -> list[str]:
        """The policies nearest by meaning alone, nearest first."""
        order = np.argsort(-self._cosines(question), kind="stable")[:top]
        return [self._policies[row].id for row in order.tolist()]

    def holds(self, policy_id: str, words: Sequence[str]) -> float:
        """The share (0-1) of the words' weight that the whole record of a policy holds."""
        return self._documents.cover(words, self._rows[policy_id])

    def nearest_clauses(
        self, question: Question, among: Sequence[Clause], most: int
    ) -> list[Clause]:
        """The clauses that share most with a question, at most ``most``, in the order of the document."""
        weights = {word: self._documents.idf(word) for word in sorted(set(question.words))}
        shared = {
            clause.id: sum(weights.get(word, 0.0) for word in sorted(set(tokens(clause.text))))
            for clause in among
        }
        best = sorted(among, key=lambda clause: -shared[clause.id])[:most]
        return [clause for clause in among if clause in best]

    def _allowed(
        self,
        question: Question,
        as_of: date | None,
        statuses: Collection[Status] | None,
        without: Collection[str],
        only: Collection[str] | None,
    ) -> NDArray[np.bool_]:
        allowed = self._table.within_reach(question)
        if statuses is not None:
            allowed &= self._table.with_status(tuple(statuses), as_of)
        if without or only is not None:
            kept = [p.id not in without and (only is None or p.id in only) for p in self._policies]
            allowed &= np.array(kept, bool)
        return allowed

    def _hit(
        self,
        question: Question,
        row: int,
        score: float,
        chance: float,
        cosine: Scores | None,
        features: tuple[float, ...],
    ) -> Hit:
        policy, asked = self._policies[row], list(dict.fromkeys(question.words))
        held = self._documents.held(asked, [row])[:, 0].tolist()
        return Hit(
            policy,
            score,
            1.0 if question.names_document(policy.doc_no) else chance,
            None if cosine is None else float(cosine[row]),
            tuple(word for word, is_held in zip(asked, held, strict=True) if is_held),
            features,
        )
