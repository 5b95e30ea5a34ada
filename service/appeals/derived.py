"""Derives what an appeal is now from what happened to it; nothing else is the truth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from service.appeals.clock import (
    ANSWER_WITHIN_WORKING_DAYS,
    DISTRICT_HOURS,
    Hours,
    due_after_working_days,
)
from service.appeals.models import OPEN_STATES, UNANSWERED_STATES, AppealState, EventKind
from service.appeals.reasons import ANSWER_AGAIN_WITHIN_WORKING_DAYS
from service.appeals.running import RunningClock, start_clock
from service.appeals.worktime import minute_of


class Happened(Protocol):
    """An event as the fold reads it."""

    @property
    def kind(self) -> EventKind: ...
    @property
    def at(self) -> datetime: ...
    @property
    def to_state(self) -> AppealState | None: ...
    @property
    def note(self) -> str | None: ...
    @property
    def detail(self) -> dict[str, Any] | None: ...


@dataclass
class Derived:
    """What follows from the events.

    ``waiting_since`` is when the present pause or the wait for a reaction began. ``warned`` holds
    the warnings told in this round, in order. ``asks_solved``: an answer was given and the
    requester has not said whether it solves the matter; ``asks_satisfied``: nor how content they are.
    """

    state: AppealState = AppealState.FILED
    department: str = ""
    first_department: str = ""
    co_departments: tuple[str, ...] = ()
    leader: str | None = None
    returns: int = 0
    is_arbitrated: bool = False
    is_common: bool = False
    is_closed_automatically: bool = False
    pause_reason: str | None = None
    waiting_since: datetime | None = None
    extension: str | None = None
    extension_days: int | None = None
    solved: bool | None = None
    satisfied: int | None = None
    asks_solved: bool = False
    asks_satisfied: bool = False
    closed_at: datetime | None = None
    answered_at: datetime | None = None
    warned: tuple[str, ...] = ()
    clock: RunningClock = field(default_factory=lambda: RunningClock(DISTRICT_HOURS, 0, 0))

    @property
    def is_unanswered(self) -> bool:
        """Somebody still owes an answer."""
        return self.state in UNANSWERED_STATES


def derive(events: Iterable[Happened]) -> Derived:
    """Everything about an appeal that is not a fact of its filing, from its events in order."""
    now = Derived()
    for event in events:
        if event.kind is EventKind.MOVED and event.to_state is not None:
            _move(now, event, event.to_state)
        else:
            _note(now, event)
    return now


def _move(now: Derived, event: Happened, to: AppealState) -> None:
    detail = event.detail or {}
    now.state, now.pause_reason = to, None
    now.closed_at = None if to in OPEN_STATES else event.at
    if to in (AppealState.FILED, AppealState.REOPENED):
        _start(now, event, detail)
    elif to in UNANSWERED_STATES:
        now.clock.run(minute_of(event.at))
    else:
        now.clock.stop(minute_of(event.at))
    if to in (AppealState.DISPATCHED, AppealState.ESCALATED):
        old_style = event.note if to is AppealState.DISPATCHED else None
        _direct(now, detail.get("department") or old_style, detail)
        now.is_arbitrated |= bool(detail.get("arbitrated"))
        now.leader = detail.get("leader", now.leader)
    elif to is AppealState.RETURNED:
        now.returns += 1
    _ask(now, event, to, detail)


def _start(now: Derived, event: Happened, detail: dict[str, Any]) -> None:
    is_new = event.to_state is AppealState.FILED
    usual = ANSWER_WITHIN_WORKING_DAYS if is_new else ANSWER_AGAIN_WITHIN_WORKING_DAYS
    hours = Hours.parse(detail["hours"]) if "hours" in detail else DISTRICT_HOURS
    due = due_after_working_days(event.at, detail.get("days", usual), hours)
    now.clock = start_clock(event.at, due.due_at, hours, now.clock.round + 1)
    now.warned = ()


def _direct(now: Derived, department: str | None, detail: dict[str, Any]) -> None:
    now.department = department or now.department
    now.first_department = now.first_department or now.department
    now.co_departments = tuple(detail.get("co", ()))


def _ask(now: Derived, event: Happened, to: AppealState, detail: dict[str, Any]) -> None:
    """An answer asks two questions, once; closing by itself asks none."""
    if to in (AppealState.ANSWERED, AppealState.EXPLAINED) or detail.get("on_spot"):
        now.answered_at = now.waiting_since = event.at
        now.solved, now.satisfied = None, None
        now.asks_solved, now.asks_satisfied = True, False
        now.is_closed_automatically = False
        return
    if to is AppealState.CLOSED or to is AppealState.REOPENED:
        now.solved = detail.get("solved", now.solved if to is AppealState.CLOSED else None)
        now.is_closed_automatically = bool(detail.get("automatic"))
        now.asks_satisfied = to is AppealState.CLOSED and now.solved is True
    now.asks_solved = False
    now.waiting_since = None


def _note(now: Derived, event: Happened) -> None:
    detail = event.detail or {}
    minute = minute_of(event.at)
    match event.kind:
        case EventKind.PAUSED:
            now.pause_reason, now.waiting_since = str(detail["reason"]), event.at
            now.clock.stop(minute)
        case EventKind.RESUMED:
            now.pause_reason, now.waiting_since = None, None
            now.clock.run(minute)
        case EventKind.EXTENSION_ASKED:
            now.extension, now.extension_days = "asked", int(detail["days"])
        case EventKind.EXTENDED:
            now.extension, now.extension_days = "extended", int(detail["days"])
            now.clock.extend(int(detail["days"]))
            now.warned = ()
        case EventKind.EXTENSION_DENIED:
            now.extension = "denied"
        case EventKind.REDIRECTED:
            _direct(now, detail.get("department"), detail)
        case EventKind.COMMON:
            now.is_common = True
            _direct(now, detail.get("department"), detail)
        case EventKind.WARNED:
            now.warned = (*now.warned, str(detail["warning"]))
        case EventKind.RATED:
            now.satisfied, now.asks_satisfied = int(detail["satisfied"]), False
        case _:
            pass  # what is said about an appeal does not change what it is
