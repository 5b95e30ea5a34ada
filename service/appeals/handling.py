"""What the desk's people do with an appeal: the five handling rules, step by step.

Every function takes the appeal's number, who acts and when; it works inside the caller's
transaction and appends what happened as an event. All raise ``AppealNotFound`` for what the person may not
see, ``NotYours`` for what is not theirs to do, ``IllegalMove`` where the appeal does not stand so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from actions.appeal import STATES
from service.appeals.clock import DISTRICT_HOURS, Hours
from service.appeals.departments import Department, directory
from service.appeals.derived import Derived, derive
from service.appeals.details import Detail
from service.appeals.history import append_event
from service.appeals.models import (
    MOVE_LIMITS,
    UNANSWERED_STATES,
    Appeal,
    AppealState,
    EventKind,
)
from service.appeals.operations import (
    AppealNotFound,
    IllegalMove,
    ReasonMissing,
    locked,
    move,
    reopened,
)
from service.appeals.projection import events_of
from service.appeals.reasons import (
    MOST_EXTENSION_WORKING_DAYS,
    NOT_ACCEPTED,
    PAUSES,
    Category,
    PauseReason,
)
from service.appeals.visibility import NotYours, is_centre, is_visible, leads
from service.errors import InvalidInput
from service.staff.permissions import Permission, Role, Staff

MOST_CHARS = 5000
_S = AppealState
_PAUSABLE = UNANSWERED_STATES - {_S.FILED, _S.RETURNED}


def accept(db: Session, no: str, staff: Staff, now: datetime) -> Appeal:
    """The department takes it up (签收)."""
    return _move(db, _led(db, no, staff), _S.ACCEPTED, staff, now)


def answer(db: Session, no: str, staff: Staff, text: str, now: datetime) -> Appeal:
    """Rule 2: the department's answer, which stops the clock and asks the requester."""
    return _move(db, _led(db, no, staff), _S.ANSWERED, staff, now, _said(text, "text"))


def settle_on_spot(db: Session, no: str, staff: Staff, text: str, now: datetime) -> Appeal:
    """Rule 1: answered and closed at once, by whoever can."""
    appeal = _seen(db, no, staff)
    if staff.role is Role.DEPARTMENT and not leads(appeal, staff):
        raise NotYours("只有主办部门、服务专员或企服中心可以即时办结。", "no")
    detail = {"on_spot": True}
    return _move(db, appeal, _S.CLOSED, staff, now, _said(text, "text"), detail)


def explain(db: Session, no: str, staff: Staff, reason: str, basis: str, now: datetime) -> Appeal:
    """Rule 3: policy or circumstances do not allow it now; reason and basis are both needed."""
    appeal = _led(db, no, staff)
    detail = {"basis": _said(basis, "basis")}
    return _move(db, appeal, _S.EXPLAINED, staff, now, _said(reason, "reason"), detail)


def send_back(db: Session, no: str, staff: Staff, reason: str, now: datetime) -> Appeal:
    """The department says it is not theirs; at most twice, and never after arbitration."""
    appeal = _led(db, no, staff)
    if appeal.is_arbitrated:
        raise IllegalMove(f"诉求{no}已由企服中心仲裁确定主办部门，不能再退回。", "state")
    return _move(db, appeal, _S.RETURNED, staff, now, _said(reason, "reason"))


def dispatch_to(
    db: Session, no: str, staff: Staff, lead: str, co: Sequence[str] = (), *,
    reason: str = "", now: datetime,
) -> Appeal:  # fmt: skip
    """The centre names the lead and those that assist it; names or codes, also former ones."""
    appeal = _dispatched_by(db, no, staff)
    if appeal.returns >= MOVE_LIMITS[_S.RETURNED] and not appeal.is_arbitrated:
        raise IllegalMove(f"诉求{no}已两次退回，请由企服中心仲裁确定主办部门。", "state")
    return _direct(db, appeal, staff, lead, co, now, _optional(reason))


def arbitrate(
    db: Session, no: str, staff: Staff, lead: str, reason: str, co: Sequence[str] = (), *,
    now: datetime,
) -> Appeal:  # fmt: skip
    """After two send-backs the centre decides for good; the reason is shown to all."""
    appeal = _dispatched_by(db, no, staff)
    if appeal.state is not _S.RETURNED or appeal.returns < MOVE_LIMITS[_S.RETURNED]:
        raise IllegalMove(f"诉求{no}退回未满两次，直接重新分派即可。", "state")
    said = _said(reason, "reason")
    return _direct(db, appeal, staff, lead, co, now, said, {"arbitrated": True})


def escalate(
    db: Session, no: str, staff: Staff, reason: str, co: Sequence[str] = (), *,
    lead: str | None = None, leader: str = "分管区领导", now: datetime,
) -> Appeal:  # fmt: skip
    """Rule 4: too complex for one department; the lead asks the district leader to coordinate."""
    appeal = _led(db, no, staff)
    if lead is not None and not is_centre(staff):
        raise NotYours("变更牵头部门由企服中心办理。", "lead")
    parties = _parties(lead or appeal.department, co)
    detail = {**parties, "leader": _said(leader, "leader")}
    return _move(db, appeal, _S.ESCALATED, staff, now, _said(reason, "reason"), detail)


def mark_common(db: Session, no: str, staff: Staff, reason: str, now: datetime) -> Appeal:
    """Rule 5: one of many alike; the centre takes the lead, whoever led assists."""
    appeal = _dispatched_by(db, no, staff)
    _needs(appeal, UNANSWERED_STATES - {_S.FILED}, "列为共性问题")
    centre = directory().triage.name
    co = [name for name in (appeal.department, *_derived(db, appeal).co_departments)]
    detail = {"department": centre, "co": [n for n in dict.fromkeys(co) if n != centre]}
    return _note(db, appeal, EventKind.COMMON, staff, now, _said(reason, "reason"), detail)


def pause(db: Session, no: str, staff: Staff, reason: str, note: str, now: datetime) -> Appeal:
    """Stops the clock for a named reason (``PauseReason``); both sides see reason and note."""
    appeal = _led(db, no, staff)
    _needs(appeal, _PAUSABLE, "暂停计时")
    if reason not in set(PauseReason):
        allowed = "、".join(f"{code}（{PAUSES[code].text}）" for code in PauseReason)
        raise InvalidInput(f"暂停计时只能用列明的原因：{allowed}。", "reason")
    if appeal.pause_reason is not None:
        raise IllegalMove(f"诉求{no}已经暂停计时。", "state")
    return _note(db, appeal, EventKind.PAUSED, staff, now, _optional(note), {"reason": str(reason)})


def resume(db: Session, no: str, staff: Staff, now: datetime) -> Appeal:
    """Lets the clock run on."""
    appeal = _led(db, no, staff)
    if appeal.pause_reason is None:
        raise IllegalMove(f"诉求{no}没有暂停计时。", "state")
    return _note(db, appeal, EventKind.RESUMED, staff, now, None, {"because": "staff"})


def ask_extension(
    db: Session, no: str, staff: Staff, days: int, reason: str, now: datetime
) -> Appeal:
    """The department asks for more working days; once in the life of an appeal."""
    appeal = _led(db, no, staff)
    _needs(appeal, _PAUSABLE, "申请延期")
    if appeal.extension is not None:
        raise IllegalMove(f"诉求{no}已申请过延期，只能申请一次。", "state")
    if not 1 <= days <= MOST_EXTENSION_WORKING_DAYS:
        raise InvalidInput(f"延期应为1至{MOST_EXTENSION_WORKING_DAYS}个工作日。", "days")
    said = _said(reason, "reason")
    return _note(db, appeal, EventKind.EXTENSION_ASKED, staff, now, said, {"days": days})


def extend(
    db: Session, no: str, staff: Staff, approved: bool, note: str = "", *, now: datetime
) -> Appeal:
    """The centre approves the extension asked for, or denies it with a reason."""
    appeal = _dispatched_by(db, no, staff)
    _needs(appeal, UNANSWERED_STATES, "审批延期")
    asked = _derived(db, appeal)
    if asked.extension != "asked":
        raise IllegalMove(f"诉求{no}没有待审批的延期申请。", "state")
    if not approved:
        return _note(db, appeal, EventKind.EXTENSION_DENIED, staff, now, _said(note, "note"))
    detail = {"days": asked.extension_days}
    return _note(db, appeal, EventKind.EXTENDED, staff, now, _optional(note), detail)


def refuse(
    db: Session, no: str, staff: Staff, category: str, reason: str, where: str = "", *,
    now: datetime,
) -> Appeal:  # fmt: skip
    """The centre does not take it up: the category, the reason, and where to go instead."""
    appeal = _dispatched_by(db, no, staff)
    if category not in set(Category):
        raise InvalidInput("请选择列明的不予受理情形。", "category")
    known = NOT_ACCEPTED[Category(category)]
    detail = {"category": str(category), "where": where.strip() or known.where_to_go}
    return _move(db, appeal, _S.REFUSED, staff, now, _said(reason, "reason"), detail)


def close(db: Session, no: str, staff: Staff, note: str = "", *, now: datetime) -> Appeal:
    """Closes what was answered when the requester said so elsewhere; no more is asked."""
    appeal = _seen(db, no, staff)
    _needs(appeal, frozenset({_S.ANSWERED, _S.EXPLAINED}), "办结")
    return _move(db, appeal, _S.CLOSED, staff, now, _optional(note))


def reopen(
    db: Session, no: str, staff: Staff, reason: str, now: datetime, hours: Hours = DISTRICT_HOURS
) -> Appeal:
    """Not solved after all, as the requester told somebody: a shorter clock begins."""
    appeal = _seen(db, no, staff)
    if staff.role is Role.DEPARTMENT and not leads(appeal, staff):
        raise NotYours("只有主办部门、服务专员或企服中心可以重新办理。", "no")
    return _move(db, appeal, _S.REOPENED, staff, now, _said(reason, "reason"), reopened(hours))


def note(db: Session, no: str, staff: Staff, text: str, now: datetime) -> Appeal:
    """A note among colleagues; the requester does not see it."""
    return _note(db, _seen(db, no, staff), EventKind.NOTED, staff, now, _said(text, "text"))


def rate(
    db: Session, no: str, staff: Staff, solved: bool, satisfied: int | None, *,
    note: str = "", now: datetime, hours: Hours = DISTRICT_HOURS,
) -> Appeal:  # fmt: skip
    """Keeps what the requester said on the phone: solved? how content, 1 to 5?

    Not solved reopens the appeal, solved closes it.
    """
    appeal = _seen(db, no, staff)
    if satisfied is not None and satisfied not in range(1, 6):
        raise InvalidInput("评分应为1至5分。", "satisfied")
    asked = _derived(db, appeal)
    if not asked.asks_solved:
        raise IllegalMove(f"诉求{no}没有待评价的答复。", "state")
    if not solved:
        detail = {"solved": False, **reopened(hours)}
        said = _optional(note) or "企业反馈没有解决"
        return _move(db, appeal, _S.REOPENED, staff, now, said, detail)
    detail = {"solved": True}
    _event(db, appeal, EventKind.MOVED, staff, now, _optional(note), detail, _S.CLOSED)
    if satisfied is not None:
        _note(db, appeal, EventKind.RATED, staff, now, None, {"satisfied": satisfied})
    return appeal


def _seen(db: Session, no: str, staff: Staff) -> Appeal:
    """The appeal, locked, when they may see and handle appeals like it."""
    appeal = locked(db, no)
    if not is_visible(db, appeal, staff):
        raise AppealNotFound("没有找到这个诉求。", "no")
    if not staff.may(Permission.APPEALS_HANDLE):
        raise NotYours("您的角色不能办理诉求。", "no")
    return appeal


def _led(db: Session, no: str, staff: Staff) -> Appeal:
    appeal = _seen(db, no, staff)
    if not (leads(appeal, staff) or is_centre(staff)):
        raise NotYours("只有主办部门或企服中心可以这样办理。", "no")
    return appeal


def _dispatched_by(db: Session, no: str, staff: Staff) -> Appeal:
    appeal = _seen(db, no, staff)
    if not is_centre(staff):
        raise NotYours("这一步由企服中心办理。", "no")
    return appeal


def _direct(
    db: Session, appeal: Appeal, staff: Staff, lead: str, co: Sequence[str], now: datetime,
    reason: str | None, extra: Detail | None = None,
) -> Appeal:  # fmt: skip
    detail = {**_parties(lead, co), **(extra or {})}
    if appeal.state is _S.DISPATCHED:
        return _note(db, appeal, EventKind.REDIRECTED, staff, now, reason, detail)
    return _move(db, appeal, _S.DISPATCHED, staff, now, reason, detail)


def _parties(lead: str, co: Sequence[str]) -> dict[str, object]:
    leading = _department(lead, "lead")
    assisting = dict.fromkeys(_department(name, "co").name for name in co)
    return {
        "department": leading.name,
        "co": [name for name in assisting if name != leading.name],
    }


def _department(name: str, where: str) -> Department:
    found = directory().today(name)
    if found is None:
        raise InvalidInput(f"没有“{name[:40]}”这个部门。", where)
    return found


def _derived(db: Session, appeal: Appeal) -> Derived:
    return derive(events_of(db, appeal))


def _needs(appeal: Appeal, states: frozenset[AppealState], what: str) -> None:
    if appeal.state not in states:
        raise IllegalMove(f"诉求{appeal.no}处于“{STATES[appeal.state]}”，不能{what}。", "state")


def _said(text: str, where: str) -> str:
    said = _optional(text)
    if said is None:
        raise ReasonMissing("这一步必须写明内容。", where)
    return said


def _optional(text: str) -> str | None:
    kept = text.replace("\0", "").encode("utf-8", "ignore").decode("utf-8").strip()
    return kept[:MOST_CHARS] or None


def _move(
    db: Session, appeal: Appeal, to: AppealState, staff: Staff, now: datetime,
    text: str | None = None, detail: Detail | None = None,
) -> Appeal:  # fmt: skip
    by = {"by": staff.name, **(detail or {})}
    return move(db, appeal.no, to, staff.id, text, now=now, detail=by)


def _note(
    db: Session, appeal: Appeal, kind: EventKind, staff: Staff, now: datetime,
    text: str | None = None, detail: Detail | None = None,
) -> Appeal:  # fmt: skip
    return _event(db, appeal, kind, staff, now, text, detail)


def _event(
    db: Session, appeal: Appeal, kind: EventKind, staff: Staff, now: datetime, text: str | None,
    detail: Detail | None, to: AppealState | None = None,
) -> Appeal:  # fmt: skip
    by = {"by": staff.name, **(detail or {})}
    append_event(db, appeal, kind, staff.id, now, to_state=to, note=text, detail=by)
    return appeal
