"""Says who is warned when, and when an appeal has to be looked at next."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.appeals.clock import due_after_working_days
from service.appeals.derived import Derived
from service.appeals.models import AppealState
from service.appeals.reasons import CLOSE_AFTER_WORKING_DAYS, PAUSES, PauseReason
from service.appeals.running import RunningClock
from service.appeals.worktime import after_working, instant_of, minute_of, next_worked

NEAR_SHARE = 0.8
LOWEST_NEAR_SHARE = 0.5
"""The office may warn earlier than at 80 %, but not before half the time is used."""

_LAST_HOUR = 60


class Alarm(StrEnum):
    """A rung of the ladder; each is told once in a round."""

    NEAR = "near"
    DUE = "due"
    OVERDUE = "overdue"
    DISTRICT = "district"


class Told(StrEnum):
    """Who is warned: the department that leads, the centre above it, the district's leader."""

    DEPARTMENT = "department"
    CENTRE = "centre"
    DISTRICT = "district"


@dataclass(frozen=True)
class Rung:
    """One warning, in the words staff read."""

    alarm: Alarm
    to: Told
    text: str


RUNGS = (
    Rung(Alarm.NEAR, Told.DEPARTMENT, "办理时限已用八成"),
    Rung(Alarm.DUE, Told.DEPARTMENT, "即将到期"),
    Rung(Alarm.OVERDUE, Told.CENTRE, "已逾期，转企服中心督办"),
    Rung(Alarm.DISTRICT, Told.DISTRICT, "逾期满一个工作日，报区领导"),
)
"""From the lowest to the highest; ``_threshold`` says when each is reached."""


def due_rungs(now: Derived, minute: int, near_share: float = NEAR_SHARE) -> list[Rung]:
    """The rungs reached by then and not told yet, lowest first."""
    return [rung for rung, at in _waiting(now, near_share) if at <= minute]


def closes_at(now: Derived) -> int | None:
    """When an answer closes by itself; ``None`` unless a reaction is waited for."""
    is_answered = now.state in (AppealState.ANSWERED, AppealState.EXPLAINED)
    if not is_answered or now.waiting_since is None:
        return None
    hours = now.clock.hours
    due = due_after_working_days(now.waiting_since, CLOSE_AFTER_WORKING_DAYS, hours)
    return next_worked(minute_of(due.due_at), hours)


def pause_ends_at(now: Derived) -> int | None:
    """When the clock runs on by itself; ``None`` unless it is paused."""
    if now.pause_reason is None or now.waiting_since is None:
        return None
    hours = now.clock.hours
    longest = PAUSES[PauseReason(now.pause_reason)].at_most_days * hours.per_day
    return next_worked(after_working(minute_of(now.waiting_since), longest, hours), hours)


def next_check(now: Derived, near_share: float = NEAR_SHARE) -> datetime | None:
    """When something happens by itself next: always in working hours; ``None`` for never."""
    moments = [at for _, at in _waiting(now, near_share)]
    moments += [at for at in (closes_at(now), pause_ends_at(now)) if at is not None]
    return instant_of(min(moments)) if moments else None


def _waiting(now: Derived, near_share: float) -> Iterator[tuple[Rung, int]]:
    if not now.is_unanswered:
        return
    for rung in RUNGS:
        if rung.alarm in now.warned:
            continue
        reached = now.clock.reached(_threshold(rung.alarm, now.clock, near_share))
        if reached is not None:
            yield rung, next_worked(reached, now.clock.hours)


def _threshold(alarm: Alarm, clock: RunningClock, near_share: float) -> int:
    near = max(1, math.ceil(clock.budget * near_share))
    match alarm:
        case Alarm.NEAR:
            return near
        case Alarm.DUE:
            return max(near, clock.budget - _LAST_HOUR)
        case Alarm.OVERDUE:
            return clock.budget
        case Alarm.DISTRICT:
            return clock.budget + clock.hours.per_day
