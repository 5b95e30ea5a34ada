"""Shows an appeal's progress to its requester, by the same clock as the desk's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from actions.appeal import chinese_time
from actions.replies import AppealCard
from service.appeals.clock import SHANGHAI
from service.appeals.departments import directory
from service.appeals.derived import Derived, derive
from service.appeals.ladder import pause_ends_at
from service.appeals.models import (
    MOVES,
    OPEN_STATES,
    REQUESTER,
    Appeal,
    AppealEvent,
    AppealState,
    EventKind,
)
from service.appeals.projection import events_of
from service.appeals.reasons import NOT_ACCEPTED, PAUSES, Category, PauseReason
from service.appeals.remaining import remaining
from service.appeals.worktime import instant_of

_MOBILE = re.compile(r"(?<!\d)(1\d{2})\d{4}(\d{4})(?!\d)", re.ASCII)
_PROVISIONAL = "办理期限按周一至周五计算，国务院办公厅公布该年放假安排后可能调整。"
_HIDDEN = frozenset(
    {EventKind.NOTED, EventKind.WARNED, EventKind.EXTENSION_ASKED, EventKind.EXTENSION_DENIED}
)
_STATE_TEXTS = {
    AppealState.FILED: "已收到您的诉求",
    AppealState.DISPATCHED: "已分派给{department}{co}",
    AppealState.ACCEPTED: "责任部门已受理",
    AppealState.ANSWERED: "责任部门已答复：{note}",
    AppealState.CLOSED: "已办结",
    AppealState.RETURNED: "责任部门已退回，正在重新分派",
    AppealState.EXPLAINED: "责任部门作出说明：{note}",
    AppealState.ESCALATED: "已提请{leader}协调",
    AppealState.REOPENED: "已重新办理",
    AppealState.WITHDRAWN: "您已撤回",
    AppealState.REFUSED: "不予受理：{note}",
}
_KIND_TEXTS = {
    EventKind.JOINED: "您再次反映了同一事项：{note}",
    EventKind.SUPPLEMENTED: "您补充了说明：{note}",
    EventKind.REDIRECTED: "已转由{department}办理{co}",
    EventKind.PAUSED: "计时暂停：{reason}{why}",
    EventKind.RESUMED: "计时恢复",
    EventKind.EXTENDED: "经批准延期{days}个工作日{why}",
    EventKind.COMMON: "列为共性问题，由{department}牵头研究",
    EventKind.RATED: "您评价满意度{satisfied}分",
}


class TimelineEntry(BaseModel):
    """One thing that happened, in words for the requester; ``state`` is that afterwards."""

    model_config = ConfigDict(frozen=True)

    state: AppealState
    at: datetime
    text: str


class RemainingView(BaseModel):
    """The clock in working minutes; ``left_min`` is negative when overdue."""

    model_config = ConfigDict(frozen=True)

    left_min: int
    budget_min: int
    share_used: float
    is_overdue: bool
    is_over: bool
    paused: str | None
    paused_until: datetime | None
    text: str


class AppealPage(AppealCard):
    """An appeal with its history, oldest first.

    ``due_note`` is present only when the due date may still move; ``where_to_go`` only when it was
    not taken up. ``asks`` is what the requester is asked now: solved, satisfied or nothing. ``may``
    are the acts open to them now (``service.appeals.reactions.Act``).
    """

    matter: str
    received_at: datetime
    due_note: str | None
    first_department: str
    co_departments: list[str]
    remaining: RemainingView
    basis: str | None
    where_to_go: str | None
    asks: str | None
    may: list[str]
    timeline: list[TimelineEntry]


def progress_page(
    db: Session, appeal: Appeal, now: datetime, by_session: bool = False
) -> AppealPage:
    """What the requester may see: no names of staff, no notes among them, no phone.

    ``by_session``: the conversation that filed it asks, which may also add to it and withdraw it. Anybody
    else reads phones that were written into it masked.
    """
    shown_text = str if by_session else masked_phones
    events = events_of(db, appeal)
    derived = derive(events)
    details = [event.detail or {} for event in events]
    shown = directory().shown
    return AppealPage(
        no=appeal.no,
        state=str(appeal.state),
        department=shown(appeal.department),
        due_at=appeal.due_at.astimezone(SHANGHAI),
        matter=shown_text(appeal.matter),
        received_at=appeal.received_at.astimezone(SHANGHAI),
        due_note=None if appeal.calendar_known else _PROVISIONAL,
        first_department=shown(derived.first_department),
        co_departments=[shown(name) for name in derived.co_departments],
        remaining=remaining_view(appeal, derived, now),
        basis=_last(details, "basis"),
        where_to_go=_last(details, "where"),
        may=_acts(derived, by_session),
        asks="solved" if derived.asks_solved else "satisfied" if derived.asks_satisfied else None,
        timeline=[
            entry.model_copy(update={"text": shown_text(entry.text)})
            for entry in timeline_of(events)
        ],
    )


def masked_phones(text: str) -> str:
    """The text with the middle of every mobile number in it hidden."""
    return _MOBILE.sub(r"\1****\2", text)


def _acts(derived: Derived, by_session: bool) -> list[str]:
    acts = ["solved"] if derived.asks_solved else []
    if AppealState.REOPENED in MOVES[derived.state]:
        acts.append("not_solved")
    if derived.asks_satisfied:
        acts.append("rate")
    if by_session and derived.state in OPEN_STATES:
        acts += ["supplement", "withdraw"]
    return acts


def remaining_view(appeal: Appeal, derived: Derived, now: datetime) -> RemainingView:
    """The clock as both sides read it."""
    left, ends = remaining(appeal, now), pause_ends_at(derived)
    return RemainingView(
        left_min=left.left_min,
        budget_min=left.budget_min,
        share_used=left.share_used,
        is_overdue=left.is_overdue,
        is_over=left.is_over,
        paused=left.paused,
        paused_until=None if ends is None else instant_of(ends),
        text=left.in_words(),
    )


def progress_words(appeal: Appeal, now: datetime) -> str:
    """One line for the chat: who has it, what the clock says."""
    left = remaining(appeal, now)
    if left.is_over:
        return ""
    return f"{left.in_words()}（{chinese_time(appeal.due_at)}前答复）"


def timeline_of(events: Iterable[AppealEvent]) -> Iterable[TimelineEntry]:
    """What happened in words for the requester, oldest first."""
    state = AppealState.FILED
    for event in events:
        state = event.to_state or state
        if event.kind in _HIDDEN:
            continue
        text = words_of(event)
        yield TimelineEntry(state=state, at=event.at.astimezone(SHANGHAI), text=text)


def words_of(event: AppealEvent) -> str:
    """One event in words."""
    detail = event.detail or {}
    is_move = event.kind is EventKind.MOVED and event.to_state is not None
    words = _special(event) or (
        _STATE_TEXTS[event.to_state] if is_move and event.to_state else _KIND_TEXTS[event.kind]
    )
    shown = directory().shown
    co = "、".join(shown(name) for name in detail.get("co", ()))
    return words.format(
        note=event.note or "",
        why=f"（{event.note}）" if event.note else "",
        department=shown(detail.get("department") or event.note or "责任部门"),
        co=f"，{co}协办" if co else "",
        reason=PAUSES[PauseReason(detail["reason"])].text if "reason" in detail else "",
        days=detail.get("days", ""),
        satisfied=detail.get("satisfied", ""),
        leader=detail.get("leader", "区领导"),
    ).rstrip("：")


def _special(event: AppealEvent) -> str | None:
    """Words of moves that mean more than their state."""
    detail = event.detail or {}
    if event.to_state is AppealState.CLOSED:
        if detail.get("on_spot"):
            return "即时办结：{note}"
        if detail.get("automatic"):
            return "未收到反馈，已自动办结"
        if detail.get("solved"):
            return "您确认已解决，办结" if event.actor == REQUESTER else "企业确认已解决，办结"
    if event.to_state is AppealState.DISPATCHED and detail.get("arbitrated"):
        return "企服中心仲裁，由{department}办理{co}"
    if event.to_state is AppealState.REFUSED:
        return f"不予受理（{NOT_ACCEPTED[Category(detail['category'])].text}）：{{note}}"
    return None


def _last(details: list[dict[str, object]], key: str) -> str | None:
    found = [str(detail[key]) for detail in details if key in detail]
    return found[-1] if found else None
