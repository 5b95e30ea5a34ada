"""Files an appeal: numbers it, dispatches it, or joins it to the open one it repeats."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from actions.desk import AppealDraft
from service.appeals.clock import (
    ANSWER_WITHIN_WORKING_DAYS,
    DISTRICT_HOURS,
    Hours,
    shanghai_day,
)
from service.appeals.dispatch import Dispatch
from service.appeals.history import append_event, genesis_hash
from service.appeals.models import (
    APPEAL_SEARCH,
    REQUESTER,
    SYSTEM,
    UNANSWERED_STATES,
    Appeal,
    AppealEvent,
    AppealNumber,
    AppealState,
    AppealText,
    EventKind,
)
from service.appeals.repeats import normal_matter, searchable
from service.errors import Conflict, InvalidInput


class MessageTaken(Conflict):
    """The message id already filed an appeal of another session."""

    code = "message_taken"


@dataclass(frozen=True)
class Filing:
    """Everything decided about a draft before the transaction begins.

    ``days`` and ``hours`` are the promise: an answer within so many working days. ``repeats`` are the ids of open appeals found to be on the same matter; the text itself is
    compared again here.
    """

    draft: AppealDraft
    dispatch: Dispatch
    received_at: datetime
    days: int = ANSWER_WITHIN_WORKING_DAYS
    hours: Hours = DISTRICT_HOURS
    prefix: str = "FT"
    repeats: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Filed:
    """The appeal a draft led to.

    ``joined`` says the draft was a repeat and no second appeal was made.
    """

    appeal: Appeal
    joined: bool


def file_appeal(db: Session, filing: Filing) -> Filed:
    """Files and dispatches an appeal, or joins the open one on the same matter.

    Safe to repeat and to race.

    ``MessageTaken`` when the message filed for another session, ``InvalidInput`` when the matter is
    empty.
    """
    draft = filing.draft
    if not draft.matter.strip():
        raise InvalidInput("请写明要反映的事情。", "matter")
    day = shanghai_day(filing.received_at)
    last = _locked_number(db, filing)
    known = _filed_by(db, draft)
    if known is not None:
        return known
    twin = _open_twin(db, filing)
    if twin is not None:
        append_event(
            db, twin, EventKind.JOINED, REQUESTER, filing.received_at,
            note=draft.matter, message_id=draft.message_id,
        )  # fmt: skip
        return Filed(twin, joined=True)
    db.execute(update(AppealNumber).where(AppealNumber.day == day).values(last=last + 1))
    appeal = _new_appeal(filing, f"{filing.prefix}-{day:%Y%m%d}-{last + 1:04d}")
    db.add(appeal)
    db.flush()
    said = searchable(f"{draft.matter} {draft.company or ''}")
    db.add(AppealText(appeal_id=appeal.id, text=said))
    APPEAL_SEARCH.add(db, appeal.id, said)
    at, message_id = filing.received_at, draft.message_id
    append_event(
        db, appeal, EventKind.MOVED, REQUESTER, at, to_state=AppealState.FILED,
        note=draft.reason, message_id=message_id,
        detail={"days": filing.days, "hours": str(filing.hours)},
    )  # fmt: skip
    append_event(
        db, appeal, EventKind.MOVED, SYSTEM, at, to_state=AppealState.DISPATCHED,
        note=filing.dispatch.department, message_id=message_id,
        detail={"department": filing.dispatch.department},
    )  # fmt: skip
    return Filed(appeal, joined=False)


def _locked_number(db: Session, filing: Filing) -> int:
    """The last number given that day, its row locked to the end of the transaction.

    All filings of a day pass here one after the other, which makes numbers gapless and lets a
    repeat see the appeal it repeats.
    """
    insert = _numbers(db).values(day=shanghai_day(filing.received_at), last=0)
    lock = insert.on_conflict_do_update(index_elements=["day"], set_={"last": AppealNumber.last})
    return int(db.execute(lock.returning(AppealNumber.last)).scalar_one())


def _filed_by(db: Session, draft: AppealDraft) -> Filed | None:
    """What this message already led to."""
    appeal = db.scalars(
        select(Appeal).where(Appeal.source_message_id == draft.message_id)
    ).one_or_none()
    joined = appeal is None
    if appeal is None:
        appeal = db.scalars(
            select(Appeal)
            .join(AppealEvent, AppealEvent.appeal_id == Appeal.id)
            .where(AppealEvent.message_id == draft.message_id, AppealEvent.kind == EventKind.JOINED)
        ).first()
    if appeal is None:
        return None
    if appeal.session != draft.session:
        raise MessageTaken("这条消息已被另一个会话使用，请重新发送。", "message_id")
    return Filed(appeal, joined)


def _open_twin(db: Session, filing: Filing) -> Appeal | None:
    matter = normal_matter(filing.draft.matter)
    query = (
        select(Appeal)
        .where(Appeal.session == filing.draft.session, Appeal.state.in_(UNANSWERED_STATES))
        .order_by(Appeal.received_at.desc(), Appeal.id.desc())
        .with_for_update()
    )
    for appeal in db.scalars(query):
        if appeal.id in filing.repeats or normal_matter(appeal.matter) == matter:
            return appeal
    return None


def _new_appeal(filing: Filing, no: str) -> Appeal:
    draft = filing.draft
    appeal = Appeal(
        no=no,
        session=draft.session,
        source_message_id=draft.message_id,
        reason=draft.reason,
        matter=draft.matter,
        state=AppealState.FILED,
        department=filing.dispatch.department,
        dispatch_confidence=filing.dispatch.confidence,
        dispatch_candidates=[asdict(candidate) for candidate in filing.dispatch.candidates],
        policy_id=draft.policy_id,
        phone=draft.phone,
        credit_code=draft.credit_code,
        company=draft.company,
        received_at=filing.received_at,
        due_at=filing.received_at,  # the first event tells
        calendar_known=True,
        version=0,
    )
    appeal.chain_head = genesis_hash(appeal)
    return appeal


def _numbers(db: Session) -> sqlite.Insert | postgresql.Insert:
    if db.get_bind().dialect.name == "sqlite":
        return sqlite.insert(AppealNumber)
    return postgresql.insert(AppealNumber)
