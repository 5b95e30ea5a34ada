"""Gives the dialogue the signed answer in force for a question, and takes out of force what no longer holds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import date, datetime

import structlog
from sqlalchemy import select

from actions.desk import SignedAnswer as ToldAnswer
from knowledge.catalogue import Catalogue
from knowledge.encoder import Encoder
from knowledge.live import Live
from service.db import Database, utc_now
from service.debt.clause_history import note_catalogue
from service.debt.models import SignedAnswer, SignedState
from service.debt.sameness import core_of, is_same_question
from service.debt.signing import suspend_changed

_FRESH_S = 1.0

log = structlog.get_logger("qifu.debt")


class SignedAnswers:
    """Finds signed answers; safe to use from many threads and processes.

    What may match is remembered for a second; whether it is in force is read each time. ``live`` is what clauses are
    compared with.
    """

    def __init__(
        self,
        database: Database,
        encoder: Encoder,
        live: Live,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._encoder = encoder
        self._live = live
        self._now = now
        self._lock = threading.Lock()
        self._cores: dict[str, list[tuple[int, str]]] = {}
        self._read_at = float("-inf")

    def find(self, text: str, as_of: date) -> ToldAnswer | None:
        """The answer for exactly this question on that day, ``None`` where there is none; the newest of several."""
        for answer_id, wording in self._candidates().get(core_of(text), ()):
            if is_same_question(wording, text, self._encoder):
                return self._in_force(answer_id, as_of)
        return None

    def forget(self) -> None:
        """Makes the next question see what was just approved."""
        with self._lock:
            self._read_at = float("-inf")

    def catalogue_exchanged(self, catalogue: Catalogue, day: date) -> None:
        """Notes how the clauses read now, and suspends the answers that no longer hold."""
        now = self._now()
        with self._database.session() as db:
            note_catalogue(db, catalogue, now)
            suspended = [each.id for each in suspend_changed(db, catalogue, day, now)]
        if suspended:
            log.warning("signed_answers_suspended", answers=suspended)
        self.forget()

    def _candidates(self) -> dict[str, list[tuple[int, str]]]:
        with self._lock:
            if time.monotonic() - self._read_at < _FRESH_S:
                return self._cores
            begun = time.monotonic()
        with self._database.reading() as db:
            rows = db.execute(
                select(SignedAnswer.id, SignedAnswer.question, SignedAnswer.variants)
                .where(SignedAnswer.state == SignedState.IN_FORCE)
                .order_by(SignedAnswer.id.desc())
            ).all()
        cores: dict[str, list[tuple[int, str]]] = {}
        for row in rows:
            for wording in (row.question, *row.variants):
                cores.setdefault(core_of(wording), []).append((row.id, wording))
        with self._lock:
            self._cores, self._read_at = cores, begun
        return cores

    def _in_force(self, answer_id: int, as_of: date) -> ToldAnswer | None:
        with self._database.reading() as db:
            answer = db.get(SignedAnswer, answer_id)
        if answer is None or answer.state is not SignedState.IN_FORCE:
            return None
        if not answer.valid_from <= as_of <= answer.valid_until:
            return None
        if not self._still_holds(answer, as_of):
            return None
        return ToldAnswer(
            id=answer.id,
            question=answer.question,
            text=answer.text,
            clauses=tuple((clause_id, hash_) for clause_id, hash_ in answer.clauses),
            approver=answer.approver_name or "",
            valid_until=answer.valid_until,
        )

    def _still_holds(self, answer: SignedAnswer, as_of: date) -> bool:
        """Looks once more: a catalogue may have been exchanged, or a policy have ended over night."""
        catalogue = self._live.now.catalogue
        reads = all(
            clause_id in catalogue.clauses and catalogue.clauses[clause_id].hash == hash_
            for clause_id, hash_ in answer.clauses
        )
        ended = any(
            (policy := catalogue.policies.get(clause_id.partition("#")[0])) is not None
            and policy.valid_to is not None
            and policy.valid_to < as_of
            for clause_id, _ in answer.clauses
        )
        if reads and not ended:
            return True
        with self._database.session() as db:
            suspend_changed(db, catalogue, as_of, self._now())
        self.forget()
        return False
