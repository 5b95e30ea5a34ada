"""What can be done with an appeal; every function works inside the caller's transaction."""

from __future__ import annotations

import hmac
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from actions.appeal import STATES
from service.appeals.clock import DISTRICT_HOURS, Hours
from service.appeals.derived import derive
from service.appeals.details import Detail
from service.appeals.history import append_event
from service.appeals.models import (
    MOVE_LIMITS,
    MOVES,
    NOTE_REQUIRED,
    OPEN_STATES,
    REQUESTER,
    UNANSWERED_STATES,
    Appeal,
    AppealEvent,
    AppealState,
    EventKind,
    Rating,
)
from service.appeals.projection import events_of
from service.appeals.reasons import ANSWER_AGAIN_WITHIN_WORKING_DAYS, PAUSES, PauseReason
from service.db import utc_now
from service.errors import Conflict, InvalidInput, NotFound

_ANSWERED = frozenset({AppealState.ANSWERED, AppealState.EXPLAINED, AppealState.CLOSED})


class AppealNotFound(NotFound):
    """No appeal of this number, or somebody else's: the answer does not tell which."""

    code = "appeal_not_found"


class IllegalMove(Conflict):
    """The appeal's state does not allow this move; the message names both states."""

    code = "illegal_move"


class ReasonMissing(InvalidInput):
    """The move needs a reason and none was given."""

    code = "reason_missing"


def move(
    db: Session,
    no: str,
    to: AppealState,
    actor: str,
    note: str | None = None,
    message_id: str | None = None,
    *,
    now: datetime | None = None,
    detail: Detail | None = None,
) -> Appeal:
    """Moves an appeal along one of the ``MOVES`` with an event.

    ``AppealNotFound``; ``IllegalMove`` when the state does not allow it or it was done too often;
    ``ReasonMissing``.
    """
    appeal = locked(db, no)
    if to not in MOVES[appeal.state]:
        allowed = "、".join(STATES[each] for each in sorted(MOVES[appeal.state])) or "无"
        raise IllegalMove(
            f"诉求{no}处于“{STATES[appeal.state]}”，不能变为“{STATES[to]}”；可以变为：{allowed}。",
            "state",
        )
    if to in NOTE_REQUIRED and not (note and note.strip()):
        raise ReasonMissing(f"把诉求{no}变为“{STATES[to]}”时必须写明理由。", "note")
    limit = MOVE_LIMITS.get(to)
    if limit is not None and _times_entered(db, appeal, to) >= limit:
        raise IllegalMove(f"诉求{no}已{limit}次变为“{STATES[to]}”，不能再变，请升级处理。", "state")
    append_event(
        db, appeal, EventKind.MOVED, actor, now or utc_now(), to_state=to, note=note,
        message_id=message_id, detail=detail,
    )  # fmt: skip
    return appeal


def locked(db: Session, no: str) -> Appeal:
    """The appeal, its row locked to the end of the transaction and read anew.

    ``AppealNotFound`` when there is none.
    """
    query = select(Appeal).where(Appeal.no == no).with_for_update()
    appeal = db.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if appeal is None:
        raise AppealNotFound("没有找到这个诉求。", "no")
    return appeal


def supplement(
    db: Session, session: str, no: str, text: str, message_id: str, now: datetime
) -> Appeal | None:
    """Adds the requester's words to an open appeal; ``None`` when the session has none.

    A pause that waited for them ends.
    """
    appeal = _own_for_update(db, session, no)
    if appeal is None or _has_event(db, appeal, EventKind.SUPPLEMENTED, message_id):
        return appeal
    if appeal.state not in OPEN_STATES:
        return None
    append_event(
        db, appeal, EventKind.SUPPLEMENTED, REQUESTER, now, note=text, message_id=message_id
    )
    if appeal.pause_reason and PAUSES[PauseReason(appeal.pause_reason)].ends_on_supplement:
        because = {"because": "supplemented"}
        append_event(db, appeal, EventKind.RESUMED, REQUESTER, now, detail=because)
    return appeal


def withdraw(db: Session, session: str, no: str, message_id: str, now: datetime) -> Appeal | None:
    """Withdraws an open appeal; ``None`` when the session has no such open appeal."""
    appeal = _own_for_update(db, session, no)
    if appeal is None or _has_event(db, appeal, EventKind.MOVED, message_id, AppealState.WITHDRAWN):
        return appeal
    if appeal.state not in OPEN_STATES:
        return None
    return move(db, appeal.no, AppealState.WITHDRAWN, REQUESTER, message_id=message_id, now=now)


def say_solved(
    db: Session, session: str, no: str, solved: bool, note: str, message_id: str, now: datetime,
    hours: Hours = DISTRICT_HOURS,
) -> Appeal | None:  # fmt: skip
    """The requester's word on an answer: solved closes the appeal, not solved reopens it.

    ``None`` when the session has no answered appeal of this number. An appeal closed before, by
    itself too, may still be told not to be solved.
    """
    appeal = _own_for_update(db, session, no)
    to = AppealState.CLOSED if solved else AppealState.REOPENED
    if appeal is None or _has_event(db, appeal, EventKind.MOVED, message_id, to):
        return appeal
    if solved and appeal.state is AppealState.CLOSED and _asks_solved(db, appeal):
        # Settled on the spot: closed already, so only the word is kept.
        append_event(
            db, appeal, EventKind.MOVED, REQUESTER, now, to_state=AppealState.CLOSED,
            message_id=message_id, detail={"solved": True},
        )  # fmt: skip
        return appeal
    if to not in MOVES[appeal.state]:
        return None
    detail = {"solved": solved} if solved else {"solved": solved, **reopened(hours)}
    return move(db, appeal.no, to, REQUESTER, note or None, message_id, now=now, detail=detail)


def reopened(hours: Hours) -> Detail:
    """The shorter promise an appeal is reopened with."""
    return {"days": ANSWER_AGAIN_WITHIN_WORKING_DAYS, "hours": str(hours)}


def rate(
    db: Session, session: str, score: int, comment: str, message_id: str, now: datetime,
    *, no: str | None = None,
) -> None:  # fmt: skip
    """Keeps a rating on the appeal that asks for one, else the newest, else the session alone; with ``no`` on that one.

    A repeat of the message changes nothing.

    ``InvalidInput`` unless the score is 1 to 5.
    """
    if score not in range(1, 6):
        raise InvalidInput("评分应为1至5分。", "score")
    own = list_for_session(db, session, no)
    asking = next((a for a in own if a.solved is True and a.satisfied is None), None)
    rated = asking or next(iter(own), None)
    values = {
        "session": session,
        "appeal_id": rated.id if rated else None,
        "score": score,
        "comment": comment,
        "message_id": message_id,
        "at": now,
    }
    is_sqlite = db.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert(Rating) if is_sqlite else postgresql.insert(Rating)
    fresh = insert.values(**values).on_conflict_do_nothing(index_elements=["message_id"])
    if db.execute(fresh.returning(Rating.id)).first() and asking:
        appeal = locked(db, asking.no)
        if appeal.satisfied is None:
            append_event(
                db, appeal, EventKind.RATED, REQUESTER, now, message_id=message_id,
                note=comment or None, detail={"satisfied": score},
            )  # fmt: skip


def list_for_session(db: Session, session: str, no: str | None = None) -> list[Appeal]:
    """The session's appeals, newest first; with ``no`` that one only."""
    query = select(Appeal).where(Appeal.session == session)
    if no is not None:
        query = query.where(Appeal.no == no)
    return list(db.scalars(query.order_by(Appeal.received_at.desc(), Appeal.id.desc())))


def get_visible(
    db: Session,
    no: str,
    session: str | None = None,
    phone: str | None = None,
    last_four: str | None = None,
) -> Appeal | None:
    """The appeal when it belongs to the session or carries this phone, in full or its end.

    ``None`` otherwise.
    """
    appeal = db.scalars(select(Appeal).where(Appeal.no == no)).one_or_none()
    # Compared also when there is nothing to compare with, so that the time taken tells nothing.
    owner, carried = (appeal.session, appeal.phone or "") if appeal else ("", "")
    is_own = _same(session, owner)
    is_carried = _same(phone, carried)
    is_ending = _same(last_four, carried[-4:] if len(carried) > 4 else "")
    return appeal if is_own or is_carried or is_ending else None


def _same(given: str | None, kept: str) -> bool:
    """Compared in constant time; nothing is the same as nothing kept."""
    same = hmac.compare_digest((given or "").encode(), kept.encode())
    return same and bool(given)


def newest_answered(db: Session, session: str) -> Appeal | None:
    """The session's appeal answered last whose requester has not said whether it is solved."""
    asking = [
        (derived.answered_at, appeal)
        for appeal in list_for_session(db, session)
        if appeal.state in _ANSWERED and (derived := derive(events_of(db, appeal))).asks_solved
        and derived.answered_at is not None
    ]  # fmt: skip
    return max(asking, key=lambda pair: pair[0], default=(None, None))[1]


def sessions_of_number(db: Session, text: str) -> list[str]:
    """The session that filed the appeal of this number, as a list; empty when there is none."""
    query = select(Appeal.session).where(Appeal.no == text.strip().upper()[:32])
    return list(db.scalars(query))


def unanswered_of(db: Session, session: str, policy_id: str | None) -> list[Appeal]:
    """The session's appeals on this policy (or none) that wait for an answer, newest first."""
    return [
        appeal
        for appeal in list_for_session(db, session)
        if appeal.policy_id == policy_id and appeal.state in UNANSWERED_STATES
    ]


def _asks_solved(db: Session, appeal: Appeal) -> bool:
    return derive(events_of(db, appeal)).asks_solved


def _own_for_update(db: Session, session: str, no: str) -> Appeal | None:
    query = select(Appeal).where(Appeal.no == no, Appeal.session == session).with_for_update()
    return db.scalars(query).one_or_none()


def _has_event(
    db: Session, appeal: Appeal, kind: EventKind, message_id: str, to: AppealState | None = None
) -> bool:
    query = select(AppealEvent.id).where(
        AppealEvent.appeal_id == appeal.id,
        AppealEvent.kind == kind,
        AppealEvent.message_id == message_id,
    )
    if to is not None:
        query = query.where(AppealEvent.to_state == to)
    return db.scalars(query.limit(1)).first() is not None


def _times_entered(db: Session, appeal: Appeal, state: AppealState) -> int:
    query = select(func.count()).where(
        AppealEvent.appeal_id == appeal.id, AppealEvent.to_state == state
    )
    return int(db.execute(query).scalar_one())
