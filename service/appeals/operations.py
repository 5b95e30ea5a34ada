"""What can be done with an appeal; every function works inside the caller's transaction."""

from __future__ import annotations

import hmac

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

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
from service.db import utc_now
from service.errors import Conflict, InvalidInput, NotFound


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
) -> Appeal:
    """Moves an appeal along one of the ``MOVES`` with an event.

    ``AppealNotFound``; ``IllegalMove`` when the state does not allow it or it was done too often;
    ``ReasonMissing``.
    """
    appeal = db.scalars(select(Appeal).where(Appeal.no == no).with_for_update()).one_or_none()
    if appeal is None:
        raise AppealNotFound("没有找到这个诉求。", "no")
    if to not in MOVES[appeal.state]:
        allowed = "、".join(sorted(MOVES[appeal.state])) or "无"
        raise IllegalMove(
            f"诉求{no}处于{appeal.state}，不能变为{to}；可以变为：{allowed}。", "state"
        )
    if to in NOTE_REQUIRED and not (note and note.strip()):
        raise ReasonMissing(f"把诉求{no}变为{to}时必须写明理由。", "note")
    limit = MOVE_LIMITS.get(to)
    if limit is not None and _times_entered(db, appeal, to) >= limit:
        raise IllegalMove(f"诉求{no}已{limit}次变为{to}，不能再变，请升级处理。", "state")
    append_event(
        db, appeal, EventKind.MOVED, actor, utc_now(), to_state=to, note=note, message_id=message_id
    )
    return appeal


def supplement(db: Session, session: str, no: str, text: str, message_id: str) -> Appeal | None:
    """Adds the requester's words to an open appeal; ``None`` when the session has none."""
    appeal = _own_for_update(db, session, no)
    if appeal is None or _has_event(db, appeal, EventKind.SUPPLEMENTED, message_id):
        return appeal
    if appeal.state not in OPEN_STATES:
        return None
    append_event(
        db, appeal, EventKind.SUPPLEMENTED, REQUESTER, utc_now(), note=text, message_id=message_id
    )
    return appeal


def withdraw(db: Session, session: str, no: str, message_id: str) -> Appeal | None:
    """Withdraws an open appeal; ``None`` when the session has no such open appeal."""
    appeal = _own_for_update(db, session, no)
    if appeal is None or _has_event(db, appeal, EventKind.MOVED, message_id, AppealState.WITHDRAWN):
        return appeal
    if appeal.state not in OPEN_STATES:
        return None
    return move(db, appeal.no, AppealState.WITHDRAWN, REQUESTER, message_id=message_id)


def rate(db: Session, session: str, score: int, comment: str, message_id: str) -> None:
    """Keeps a rating on the session's newest appeal, or on the session alone.

    A repeat of the message changes nothing.

    ``InvalidInput`` unless the score is 1 to 5.
    """
    if score not in range(1, 6):
        raise InvalidInput("评分应为1至5分。", "score")
    newest = list_for_session(db, session)[:1]
    values = {
        "session": session,
        "appeal_id": newest[0].id if newest else None,
        "score": score,
        "comment": comment,
        "message_id": message_id,
        "at": utc_now(),
    }
    is_sqlite = db.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert(Rating) if is_sqlite else postgresql.insert(Rating)
    db.execute(insert.values(**values).on_conflict_do_nothing(index_elements=["message_id"]))


def list_for_session(db: Session, session: str, no: str | None = None) -> list[Appeal]:
    """The session's appeals, newest first; with ``no`` that one only."""
    query = select(Appeal).where(Appeal.session == session)
    if no is not None:
        query = query.where(Appeal.no == no)
    return list(db.scalars(query.order_by(Appeal.received_at.desc(), Appeal.id.desc())))


def get_visible(
    db: Session, no: str, session: str | None = None, phone: str | None = None
) -> Appeal | None:
    """The appeal when it belongs to the session or carries exactly this phone, else ``None``."""
    appeal = db.scalars(select(Appeal).where(Appeal.no == no)).one_or_none()
    # Compared also when there is nothing to compare with, so that the time taken tells nothing.
    owner, carried = (appeal.session, appeal.phone) if appeal else ("", None)
    is_own = session is not None and hmac.compare_digest(session.encode(), owner.encode())
    is_carried = phone is not None and hmac.compare_digest(phone.encode(), (carried or "").encode())
    return appeal if (is_own and owner) or (is_carried and carried) else None


def unanswered_of(db: Session, session: str, policy_id: str | None) -> list[Appeal]:
    """The session's appeals on this policy (or none) that wait for an answer, newest first."""
    return [
        appeal
        for appeal in list_for_session(db, session)
        if appeal.policy_id == policy_id and appeal.state in UNANSWERED_STATES
    ]


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
