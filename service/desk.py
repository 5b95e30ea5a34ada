"""The service desk the dialogue talks to, kept in the database."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.desk import Appeal, AppealDraft, SignedAnswer
from knowledge.encoder import Encoder
from knowledge.profile import Known, Profile
from service.appeals import filing, models, operations
from service.appeals.clock import SHANGHAI, due_after_working_days
from service.appeals.dispatch import Dispatcher
from service.appeals.filing import Filed, Filing
from service.appeals.repeats import repeats_of
from service.db import Database, utc_now
from service.debt.serving import SignedAnswers
from service.enterprises import profiles, speakers
from service.enterprises.models import Enterprise
from service.enterprises.operations import (
    EnterpriseFacts,
    InvalidCreditCode,
    find_enterprise,
    keep_stated,
    normal_credit_code,
)

MAX_MATTER_CHARS = 2000
_NOT_DIGITS = re.compile(r"\D")
_COUNTRY = re.compile(r"^(?:\+|00)?86(?=1\d{10}$)")

log = structlog.get_logger("qifu.desk")


class ServiceDesk:
    """Implements ``actions.desk.Desk`` over the rooms; every call opens its own short sessions.

    Safe to use from many threads and processes. Sentences are encoded before a transaction begins,
    never inside one. ``prefix`` begins every appeal number; ``now`` gives the aware time of
    receipt.
    """

    def __init__(
        self,
        database: Database,
        dispatcher: Dispatcher,
        encoder: Encoder,
        prefix: str = "FT",
        now: Callable[[], datetime] = utc_now,
        signed: SignedAnswers | None = None,
    ) -> None:
        self._signed = signed
        self._database = database
        self._dispatcher = dispatcher
        self._encoder = encoder
        self._prefix = prefix
        self._now = now

    def file_appeal(self, draft: AppealDraft) -> Appeal:
        """Files the appeal, or joins the open one of the same session on the same matter."""
        draft = _clean(draft)
        received_at = self._now()
        decided = Filing(
            draft=draft,
            dispatch=self._dispatcher.dispatch(draft.matter, draft.policy_department),
            due=due_after_working_days(received_at),
            received_at=received_at,
            prefix=self._prefix,
            repeats=self._repeats(draft),
        )
        try:
            filed = self._file(decided)
        except IntegrityError:
            # The same message was filed at once across midnight, under another day's lock.
            filed = self._file(decided)
        log.info(
            "appeal_filed",
            no=filed.appeal.no,
            reason=str(draft.reason),
            department=filed.appeal.department,
            confidence=round(filed.appeal.dispatch_confidence, 3),
            joined=filed.joined,
        )
        return _told(filed.appeal, filed.joined)

    def appeals_of(self, session: str, no: str | None = None) -> list[Appeal]:
        """The session's appeals, newest first; with ``no`` that one only."""
        with self._database.reading() as db:
            rows = operations.list_for_session(db, session, None if no is None else normal_no(no))
            return [_told(row) for row in rows]

    def supplement_appeal(self, session: str, no: str, text: str, message_id: str) -> Appeal | None:
        """Adds what the person said to an open appeal of the session."""
        with self._database.session() as db:
            said = _printable(text)
            row = operations.supplement(db, session, normal_no(no), said, message_id)
            return _told(row) if row else None

    def withdraw_appeal(self, session: str, no: str, message_id: str) -> Appeal | None:
        """Withdraws an open appeal of the session."""
        with self._database.session() as db:
            row = operations.withdraw(db, session, normal_no(no), message_id)
            return _told(row) if row else None

    def profile_of(self, session: str, called: str | None = None) -> Profile | None:
        """What is on file of the enterprise the speaker is bound to; a name or code alone shows nothing to anybody."""
        with self._database.reading() as db:
            enterprise = speakers.enterprise_of(db, session)
            return profiles.profile_of(db, enterprise) if enterprise else None

    def keep_said_facts(self, session: str, facts: Mapping[str, Known], message_id: str) -> None:
        """Keeps them with the enterprise the speaker is bound to; of nobody bound the dialogue alone keeps them.

        The dialogue hands over what contradicts the file only once it is confirmed.
        """
        with self._database.session() as db:
            enterprise = speakers.enterprise_of(db, session)
            if enterprise is None:
                return
            kept = profiles.keep_said_facts(db, enterprise, facts, session)
            for each in kept.pending:
                profiles.confirm(db, enterprise, each.field, session)

    def rate(self, session: str, score: int, comment: str, message_id: str) -> None:
        """Keeps a rating, 1 to 5, on the session's newest appeal or the conversation."""
        with self._database.session() as db:
            operations.rate(db, session, score, _printable(comment), message_id)

    def signed_answer(self, text: str, as_of: date) -> SignedAnswer | None:
        """The signed answer in force that day for exactly this question."""
        return self._signed.find(text, as_of) if self._signed else None

    def _file(self, decided: Filing) -> Filed:
        with self._database.session() as db:
            draft = replace(decided.draft, company=_company(db, decided.draft))
            return filing.file_appeal(db, replace(decided, draft=draft))

    def _repeats(self, draft: AppealDraft) -> frozenset[int]:
        with self._database.reading() as db:
            waiting = operations.unanswered_of(db, draft.session, draft.policy_id)
        same = repeats_of(draft.matter, [appeal.matter for appeal in waiting], self._encoder)
        return frozenset(
            appeal.id for appeal, is_same in zip(waiting, same, strict=True) if is_same
        )


def normal_no(text: str) -> str:
    """An appeal number as it is stored, however it was typed; at most 32 characters."""
    return "".join(_printable(text).split()).upper()[:32]


def _clean(draft: AppealDraft) -> AppealDraft:
    """The draft in the form it is stored; a credit code with a wrong check digit is left out."""
    code = None
    if draft.credit_code:
        try:
            code = normal_credit_code(draft.credit_code)
        except InvalidCreditCode:
            log.info("credit_code_left_out", message_id=draft.message_id)
    return replace(
        draft,
        matter=_printable(draft.matter)[:MAX_MATTER_CHARS],
        phone=_digits(draft.phone),
        credit_code=code,
        company=_printable(draft.company)[:200] if draft.company else None,
    )


def _company(db: Session, draft: AppealDraft) -> str | None:
    """The registered name where one is verified, else what the person stated."""
    if draft.credit_code is None:
        return draft.company
    known: Enterprise | None
    if draft.company is not None and len(draft.company) >= 2:
        known = keep_stated(db, EnterpriseFacts(draft.credit_code, draft.company))
    else:
        known = find_enterprise(db, draft.credit_code)
    if known is not None and (known.is_verified or draft.company is None):
        return known.name
    return draft.company


def _digits(phone: str | None) -> str | None:
    digits = _COUNTRY.sub("", _NOT_DIGITS.sub("", phone or ""))
    return digits[:20] or None


def _printable(text: str) -> str:
    """Without NUL and lone surrogates, which no database stores."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode("utf-8").strip()


def _told(row: models.Appeal, joined: bool = False) -> Appeal:
    return Appeal(
        no=row.no,
        state=str(row.state),
        department=row.department,
        due_at=row.due_at.astimezone(SHANGHAI),
        matter=row.matter,
        joined=joined,
    )
