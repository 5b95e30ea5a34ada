"""The desk's endpoints for appeals: lists, one with its timeline, every step of handling."""

# No postponed annotations here: the endpoints' dependencies are names of an enclosing function.

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.desk import AppealReason
from service.appeals import board, handling
from service.appeals.clock import DISTRICT_HOURS, SHANGHAI, Hours
from service.appeals.departments import directory
from service.appeals.derived import derive
from service.appeals.models import Appeal, AppealEvent, AppealState, EventKind
from service.appeals.offered import offered
from service.appeals.operations import AppealNotFound
from service.appeals.progress import RemainingView, remaining_view, words_of
from service.appeals.projection import events_of
from service.appeals.reasons import NOT_ACCEPTED, PAUSES
from service.appeals.remaining import remaining
from service.appeals.visibility import visible_to
from service.db import Database, utc_now
from service.errors import ServiceError
from service.limits import caller
from service.staff.audit import record
from service.staff.permissions import Permission, Staff

Require = Callable[[Permission], Callable[[Request], Staff]]
Words = Annotated[str, Field(max_length=handling.MOST_CHARS)]
MOST_AT_ONCE = 200


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class AppealRow(_View):
    """One line of a list."""

    no: str
    state: str
    department: str
    co_departments: list[str]
    company: str | None
    matter: str
    received_at: datetime
    due_at: datetime
    left_min: int
    share_used: float
    is_overdue: bool
    clock: str
    returns: int
    is_common: bool
    extension: str | None


class AppealList(_View):
    """A page; ``next`` is the ``after`` of the page that follows, absent on the last."""

    appeals: list[AppealRow]
    next: str | None


class StaffEntry(_View):
    """One event as the desk sees it."""

    seq: int
    at: datetime
    kind: str
    state: str | None
    by: str
    text: str
    note: str | None


class StaffAppeal(_View):
    """One appeal with everything the desk knows of it; ``steps`` are those the reader may do now."""

    row: AppealRow
    phone: str | None
    policy_id: str | None
    credit_code: str | None
    first_department: str
    candidates: list[dict[str, Any]]
    is_arbitrated: bool
    leader: str | None
    extension_days: int | None
    solved: bool | None
    satisfied: int | None
    remaining: RemainingView
    steps: tuple[str, ...]
    timeline: list[StaffEntry]


class Step(BaseModel):
    """What a step of handling needs; each says in its description which of these it reads."""

    model_config = ConfigDict(extra="forbid")

    text: Words = ""
    reason: Words = ""
    basis: Words = ""
    note: Words = ""
    where: Words = ""
    category: str = ""
    lead: str = ""
    co: list[str] = Field(default_factory=list, max_length=20)
    leader: str = "分管区领导"
    days: int = 0
    approved: bool = False
    solved: bool = False
    satisfied: int | None = None


class BulkDispatch(BaseModel):
    """Many appeals to one lead."""

    model_config = ConfigDict(extra="forbid")

    numbers: list[str] = Field(min_length=1, max_length=MOST_AT_ONCE)
    lead: str
    co: list[str] = Field(default_factory=list, max_length=20)
    reason: Words = ""


class BulkResult(_View):
    """What became of one of them; ``error`` is absent when it was dispatched."""

    no: str
    ok: bool
    error: str | None


Do = Callable[[Session, str, Staff, Step, datetime, Hours], Appeal]
_H, _D = Permission.APPEALS_HANDLE, Permission.APPEALS_DISPATCH
STEPS: dict[str, tuple[Permission, str, Do]] = {
    "accept": (_H, "签收", lambda db, no, who, s, now, h: handling.accept(db, no, who, now)),
    "answer": (_H, "答复：text", lambda db, no, who, s, now, h: handling.answer(db, no, who, s.text, now)),
    "settle": (
        _H, "即时办结：text",
        lambda db, no, who, s, now, h: handling.settle_on_spot(db, no, who, s.text, now),
    ),
    "explain": (
        _H, "解释说明：reason、basis",
        lambda db, no, who, s, now, h: handling.explain(db, no, who, s.reason, s.basis, now),
    ),
    "send-back": (
        _H, "退回：reason",
        lambda db, no, who, s, now, h: handling.send_back(db, no, who, s.reason, now),
    ),
    "escalate": (
        _H, "提请区领导协调：reason、co、lead、leader",
        lambda db, no, who, s, now, h: handling.escalate(
            db, no, who, s.reason, s.co, lead=s.lead or None, leader=s.leader, now=now
        ),
    ),
    "pause": (
        _H, "暂停计时：category（暂停原因）、note",
        lambda db, no, who, s, now, h: handling.pause(db, no, who, s.category, s.note, now),
    ),
    "resume": (_H, "恢复计时", lambda db, no, who, s, now, h: handling.resume(db, no, who, now)),
    "ask-extension": (
        _H, "申请延期：days、reason",
        lambda db, no, who, s, now, h: handling.ask_extension(db, no, who, s.days, s.reason, now),
    ),
    "close": (_H, "办结：note", lambda db, no, who, s, now, h: handling.close(db, no, who, s.note, now=now)),
    "reopen": (
        _H, "重新办理：reason",
        lambda db, no, who, s, now, h: handling.reopen(db, no, who, s.reason, now, h),
    ),
    "note": (_H, "内部备注：text", lambda db, no, who, s, now, h: handling.note(db, no, who, s.text, now)),
    "rate": (
        _H, "代记评价：solved、satisfied、note",
        lambda db, no, who, s, now, h: handling.rate(
            db, no, who, s.solved, s.satisfied, note=s.note, now=now, hours=h
        ),
    ),
    "dispatch": (
        _D, "分派：lead、co、reason",
        lambda db, no, who, s, now, h: handling.dispatch_to(
            db, no, who, s.lead, s.co, reason=s.reason, now=now
        ),
    ),
    "arbitrate": (
        _D, "仲裁：lead、co、reason",
        lambda db, no, who, s, now, h: handling.arbitrate(
            db, no, who, s.lead, s.reason, s.co, now=now
        ),
    ),
    "common": (
        _D, "列为共性问题：reason",
        lambda db, no, who, s, now, h: handling.mark_common(db, no, who, s.reason, now),
    ),
    "extend": (
        _D, "审批延期：approved、note",
        lambda db, no, who, s, now, h: handling.extend(db, no, who, s.approved, s.note, now=now),
    ),
    "refuse": (
        _D, "不予受理：category、reason、where",
        lambda db, no, who, s, now, h: handling.refuse(
            db, no, who, s.category, s.reason, s.where, now=now
        ),
    ),
}  # fmt: skip
"""Every step by its last path segment: who may call it, its description, what it does."""


def appeals_staff_router(
    require: Require,
    now: Callable[[], datetime] = utc_now,
    hours: Callable[[], Hours] = lambda: DISTRICT_HOURS,
) -> APIRouter:
    """The endpoints; ``require`` gives the signed-in person or raises, for one permission."""
    router = APIRouter(prefix="/api/staff/appeals", tags=["staff-appeals"])
    reader = Annotated[Staff, Depends(require(Permission.APPEALS_READ))]
    dispatcher = Annotated[Staff, Depends(require(Permission.APPEALS_DISPATCH))]

    @router.get("")
    def list_appeals(
        request: Request,
        staff: reader,
        state: Annotated[list[AppealState] | None, Query()] = None,
        department: str | None = None,
        overdue: bool = False,
        paused: bool = False,
        common: bool = False,
        extension_asked: bool = False,
        text: str = "",
        credit_code: str | None = None,
        received_from: datetime | None = None,
        received_to: datetime | None = None,
        order: board.Order = board.Order.DUE,
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=board.MOST_ROWS)] = 50,
    ) -> AppealList:
        """A page of appeals they may see, filtered, most urgent or newest first."""
        wanted = board.Wanted(
            states=frozenset(state or ()), department=department, overdue=overdue, paused=paused,
            common=common, extension_asked=extension_asked, text=text, credit_code=credit_code,
            received_from=_aware(received_from), received_to=_aware(received_to), order=order,
        )  # fmt: skip
        with _database(request).reading() as db:
            page = board.list_appeals(db, staff, wanted, now(), after, limit)
            rows = [_row(row.appeal, row.co_departments, now()) for row in page.rows]
            return AppealList(appeals=rows, next=page.next)

    @router.get("/choices")
    def choices(staff: reader) -> dict[str, Any]:
        """The named reasons for pausing and for not accepting, and the departments of today."""
        return {
            "pauses": [{"code": code, "text": pause.text} for code, pause in PAUSES.items()],
            "not_accepted": [
                {"code": code, "text": kind.text, "where_to_go": kind.where_to_go}
                for code, kind in NOT_ACCEPTED.items()
            ],
            "departments": [{"code": d.code, "name": d.name} for d in directory().departments],
        }

    @router.get("/counts")
    def counts(request: Request, staff: reader) -> dict[str, int]:
        """How many they may see in each state."""
        with _database(request).reading() as db:
            return {str(k): v for k, v in board.count_by_state(db, staff).items()}

    @router.get("/{no}")
    def read_appeal(request: Request, staff: reader, no: str) -> StaffAppeal:
        """One appeal with its timeline; 404 for what they may not see. Noted in the audit log."""
        with _database(request).session() as db:
            found = staff_appeal(db, no, staff, now())
            subject = ("appeal", found.row.no)
            record(db, staff.id, "appeal_opened", subject, now(), address=caller(request))
            return found

    @router.post("/dispatch")
    def dispatch_many(request: Request, staff: dispatcher, many: BulkDispatch) -> list[BulkResult]:
        """Dispatches many: each wholly or not at all, with a result for each."""
        return dispatch_each(_database(request), staff, many, now())

    for name, (permission, description, do) in STEPS.items():
        _add_step(router, name, require(permission), description, do, now, hours)
    return router


def dispatch_each(
    database: Database, staff: Staff, many: BulkDispatch, now: datetime
) -> list[BulkResult]:
    """Dispatches many, each in a transaction of its own, in the order given."""
    results = []
    for no in dict.fromkeys(each.strip().upper() for each in many.numbers):
        error = None
        try:
            with database.session() as db:
                handling.dispatch_to(db, no, staff, many.lead, many.co, reason=many.reason, now=now)
        except ServiceError as refused:
            error = refused.message
        results.append(BulkResult(no=no, ok=error is None, error=error))
    return results


def _add_step(
    router: APIRouter, name: str, may: Callable[[Request], Staff], description: str, do: Do,
    now: Callable[[], datetime], hours: Callable[[], Hours],
) -> None:  # fmt: skip
    worker = Annotated[Staff, Depends(may)]

    def handle(request: Request, staff: worker, no: str, step: Step) -> AppealRow:
        with _database(request).session() as db:
            appeal = do(db, no.strip().upper(), staff, step, now(), hours())
            co = derive(events_of(db, appeal)).co_departments
            return _row(appeal, co, now())

    router.add_api_route(
        f"/{{no}}/{name}", handle, methods=["POST"], name=f"appeal_{name}", description=description
    )


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _aware(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=SHANGHAI) if at is not None and at.tzinfo is None else at


def _row(appeal: Appeal, co: tuple[str, ...], now: datetime) -> AppealRow:
    left, shown = remaining(appeal, now), directory().shown
    return AppealRow(
        no=appeal.no,
        state=str(appeal.state),
        department=shown(appeal.department),
        co_departments=[shown(name) for name in co],
        company=appeal.company,
        matter=appeal.matter,
        received_at=appeal.received_at.astimezone(SHANGHAI),
        due_at=appeal.due_at.astimezone(SHANGHAI),
        left_min=left.left_min,
        share_used=left.share_used,
        is_overdue=left.is_overdue,
        clock=left.in_words(),
        returns=appeal.returns,
        is_common=appeal.is_common,
        extension=appeal.extension,
    )


def staff_appeal(db: Session, no: str, staff: Staff, now: datetime) -> StaffAppeal:
    """One appeal as somebody of the desk sees it; ``AppealNotFound`` for what they may not see."""
    query = select(Appeal).where(Appeal.no == no.strip().upper(), visible_to(staff))
    appeal = db.scalars(query).one_or_none()
    if appeal is None:
        raise AppealNotFound("没有找到这个诉求。", "no")
    events = events_of(db, appeal)
    derived = derive(events)
    return StaffAppeal(
        row=_row(appeal, derived.co_departments, now),
        phone=appeal.phone,
        policy_id=appeal.policy_id,
        credit_code=appeal.credit_code,
        first_department=directory().shown(derived.first_department),
        candidates=appeal.dispatch_candidates,
        is_arbitrated=derived.is_arbitrated,
        leader=derived.leader,
        extension_days=derived.extension_days,
        solved=derived.solved,
        satisfied=derived.satisfied,
        remaining=remaining_view(appeal, derived, now),
        steps=offered(appeal, derived, staff),
        timeline=[_entry(event) for event in events],
    )


_STAFF_TEXTS = {
    EventKind.EXTENSION_ASKED: "申请延期{days}个工作日",
    EventKind.EXTENSION_DENIED: "延期申请未获批准",
    EventKind.NOTED: "备注",
    EventKind.WARNED: "提醒",
}
_REASONS = {
    AppealReason.REQUESTED.value: "企业提出",
    AppealReason.NO_ANSWER.value: "小福没有答上",
    AppealReason.LOW_CONFIDENCE.value: "小福把握不足",
    AppealReason.NOT_SOLVED.value: "企业说答复没有解决",
    AppealReason.HUMAN_WANTED.value: "企业找人工，当时无人接待",
    AppealReason.FAILURE.value: "小福出了故障",
}
"""Why it was filed: the note of the first event."""
_ACTORS = {"requester": "企业", "system": "系统"}


def _entry(event: AppealEvent) -> StaffEntry:
    detail = event.detail or {}
    own = _STAFF_TEXTS.get(event.kind)
    return StaffEntry(
        seq=event.seq,
        at=event.at.astimezone(SHANGHAI),
        kind=str(event.kind),
        state=event.to_state,
        by=detail.get("by") or _ACTORS.get(event.actor, event.actor),
        text=own.format(days=detail.get("days", "")) if own else _for_staff(event),
        note=_REASONS.get(event.note or "", event.note) if event.seq == 1 else event.note,
    )


def _for_staff(event: AppealEvent) -> str:
    """The requester's words for it, with whoever they are addressed to named; what was written stays as it is."""
    before, written, after = words_of(event).partition(event.note or "\0")
    return f"{before.replace('您', '企业')}{written}{after}"
