"""The service desk the dialogue talks to, kept in the database."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.desk import Appeal, AppealDraft, AppealReason, Handoff, SignedAnswer
from knowledge.encoder import Encoder
from knowledge.profile import Known, Profile
from service.appeals import filing, models, operations
from service.appeals.clock import DISTRICT_HOURS, Hours
from service.appeals.derived import derive
from service.appeals.dispatch import Dispatcher
from service.appeals.filing import Filed, Filing
from service.appeals.notices import told
from service.appeals.progress import progress_words
from service.appeals.projection import events_of
from service.appeals.repeats import repeats_of
from service.conversations.models import Message
from service.conversations.ownership import ConversationNotFound
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
from service.handoff import hours, queue
from service.handoff.hours import Rules
from service.handoff.routing import Wanted

MAX_MATTER_CHARS = 2000
_NOT_DIGITS = re.compile(r"\D")
_COUNTRY = re.compile(r"^(?:\+|00)?86(?=1\d{10}$)")

log = structlog.get_logger("qifu.desk")


class ServiceDesk:
    """Implements ``actions.desk.Desk`` over the rooms; every call opens its own short sessions.

    Safe to use from many threads and processes. Sentences are encoded before a transaction begins,
    never inside one. ``prefix`` begins every appeal number; ``now`` gives the aware time of
    receipt, ``hours`` the office's working hours.
    """

    def __init__(
        self,
        database: Database,
        dispatcher: Dispatcher,
        encoder: Encoder,
        prefix: str = "FT",
        now: Callable[[], datetime] = utc_now,
        hours: Callable[[], Hours] = lambda: DISTRICT_HOURS,
        rules: Callable[[], Rules] = Rules,
        signed: SignedAnswers | None = None,
    ) -> None:
        self._signed = signed
        self._database = database
        self._dispatcher = dispatcher
        self._encoder = encoder
        self._prefix = prefix
        self._now = now
        self._hours = hours
        self._rules = rules

    def file_appeal(self, draft: AppealDraft) -> Appeal:
        """Files the appeal, or joins the open one of the same session on the same matter."""
        decided = self._decide(draft)
        try:
            filed = self._file(decided)
        except IntegrityError:
            # The same message was filed at once across midnight, under another day's lock.
            filed = self._file(decided)
        _log_filed(filed)
        return self._told(filed.appeal, filed.joined)

    def prepare_appeal(self, draft: AppealDraft) -> Callable[[Session], Appeal]:
        """Decides all that takes time; what comes back files inside the caller's transaction."""
        decided = self._decide(draft)

        def file(db: Session) -> Appeal:
            filed = _file_in(db, decided)
            _log_filed(filed)
            return self._told(filed.appeal, filed.joined)

        return file

    def request_person(
        self, session: str, message_id: str, matter: str, phone: str | None = None
    ) -> Handoff:
        """Queues the conversation; files an appeal at once when nobody will come.

        A session that is no conversation (an evaluation) gets its appeal too.
        """
        rules, now = self._rules(), self._now()
        wanted = Wanted(matter, self._dispatcher.dispatch(matter).department)
        try:
            with self._database.session() as db:
                answered = queue.ask_for_person(db, session, message_id, wanted, rules, now)
        except ConversationNotFound:
            answered = queue.Answered(queue.Asked.NOBODY)
        log.info("person_requested", message_id=message_id, outcome=str(answered.asked))
        handoff = Handoff(rules.hours(), rules.wait_minutes)
        if answered.asked is queue.Asked.NOBODY:
            draft = AppealDraft(session, message_id, matter, AppealReason.HUMAN_WANTED, phone=phone)
            opens_at = None if hours.is_open(now, rules) else hours.next_opening(now, rules)
            return replace(handoff, appeal=self.file_appeal(draft), opens_at=opens_at)
        if answered.place is None:
            return handoff
        place = answered.place
        return replace(handoff, position=place.position, wait_minutes=place.wait_minutes)

    def appeals_of(self, session: str, no: str | None = None) -> list[Appeal]:
        """The session's appeals, newest first; with ``no`` that one only."""
        with self._database.reading() as db:
            rows = operations.list_for_session(db, session, None if no is None else normal_no(no))
            return [self._told(row) for row in rows]

    def supplement_appeal(self, session: str, no: str, text: str, message_id: str) -> Appeal | None:
        """Adds what the person said to an open appeal of the session."""
        with self._database.session() as db:
            said = _printable(text)
            row = operations.supplement(db, session, normal_no(no), said, message_id, self._now())
            return self._told(row) if row else None

    def withdraw_appeal(self, session: str, no: str, message_id: str) -> Appeal | None:
        """Withdraws an open appeal of the session."""
        with self._database.session() as db:
            row = operations.withdraw(db, session, normal_no(no), message_id, self._now())
            return self._told(row) if row else None

    def say_solved(
        self, session: str, no: str, solved: bool, note: str, message_id: str
    ) -> Appeal | None:
        """Closes the answered appeal, or reopens it with a shorter clock."""
        with self._database.session() as db:
            row = operations.say_solved(
                db, session, normal_no(no), solved, _printable(note), message_id, self._now(),
                self._hours(),
            )  # fmt: skip
            return self._told(row) if row else None

    def answered_appeal(self, session: str, message_id: str) -> Appeal | None:
        """The appeal whose answer is the last thing the person was told before this message."""
        with self._database.reading() as db:
            row = operations.newest_answered(db, session)
            if row is None:
                return None
            answered_at = derive(events_of(db, row)).answered_at
            spoke_at = db.scalar(
                select(func.max(Message.received_at)).where(
                    Message.conversation_id == session, Message.id != message_id
                )
            )
            is_last = answered_at is not None and (spoke_at is None or spoke_at <= answered_at)
            return self._told(row) if is_last else None

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
            operations.rate(db, session, score, _printable(comment), message_id, self._now())

    def _told(self, row: models.Appeal, joined: bool = False) -> Appeal:
        return replace(told(row), joined=joined, progress=progress_words(row, self._now()))

    def _decide(self, draft: AppealDraft) -> Filing:
        draft = _clean(draft)
        received_at = self._now()
        return Filing(
            draft=draft,
            dispatch=self._dispatcher.dispatch(draft.matter, draft.policy_department),
            received_at=received_at,
            hours=self._hours(),
            prefix=self._prefix,
            repeats=self._repeats(draft),
        )

    def signed_answer(self, text: str, as_of: date) -> SignedAnswer | None:
        """The signed answer in force that day for exactly this question."""
        return self._signed.find(text, as_of) if self._signed else None

    def _file(self, decided: Filing) -> Filed:
        with self._database.session() as db:
            return _file_in(db, decided)

    def _repeats(self, draft: AppealDraft) -> frozenset[int]:
        with self._database.reading() as db:
            waiting = operations.unanswered_of(db, draft.session, draft.policy_id)
        same = repeats_of(draft.matter, [appeal.matter for appeal in waiting], self._encoder)
        return frozenset(
            appeal.id for appeal, is_same in zip(waiting, same, strict=True) if is_same
        )


def _file_in(db: Session, decided: Filing) -> Filed:
    draft = replace(decided.draft, company=_company(db, decided.draft))
    return filing.file_appeal(db, replace(decided, draft=draft))


def _log_filed(filed: Filed) -> None:
    log.info(
        "appeal_filed",
        no=filed.appeal.no,
        reason=str(filed.appeal.reason),
        department=filed.appeal.department,
        confidence=round(filed.appeal.dispatch_confidence, 3),
        joined=filed.joined,
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
