"""Tells how much working time an appeal has left: the same numbers for staff and requester."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from service.appeals.clock import DISTRICT_HOURS, Hours
from service.appeals.models import UNANSWERED_STATES, Appeal
from service.appeals.reasons import PAUSES, PauseReason
from service.appeals.worktime import minute_of, worked_between


@dataclass(frozen=True)
class RemainingTime:
    """An appeal's clock now, in working minutes.

    ``left_min`` is negative when overdue, ``share_used`` may exceed 1. ``is_over``: nobody owes an
    answer any more, the numbers are those of when it was given. ``paused`` is the reason in words,
    absent while the clock runs.
    """

    budget_min: int
    left_min: int
    share_used: float
    is_overdue: bool
    is_over: bool
    paused: str | None
    is_provisional: bool
    per_day_min: int

    def in_words(self) -> str:
        """``剩余2个工作日3小时``, ``已逾期40分钟``, ``已暂停计时：等待企业补充材料``."""
        if self.is_over:
            return "已逾期答复" if self.is_overdue else "已按时答复"
        said = f"{'已逾期' if self.is_overdue else '剩余'}{_length(abs(self.left_min), self.per_day_min)}"
        return f"已暂停计时（{self.paused}），{said}" if self.paused else said


def remaining(appeal: Appeal, now: datetime) -> RemainingTime:
    """From the appeal's row, which holds what its events say of the clock."""
    hours = Hours.parse(appeal.clock_hours) if appeal.clock_hours else DISTRICT_HOURS
    used = appeal.clock_used
    if appeal.clock_since is not None:
        used += worked_between(minute_of(appeal.clock_since), minute_of(now), hours)
    left = appeal.clock_budget - used
    reason = appeal.pause_reason
    return RemainingTime(
        budget_min=appeal.clock_budget,
        left_min=left,
        share_used=round(used / max(1, appeal.clock_budget), 4),
        is_overdue=left < 0
        or (left == 0 and appeal.clock_since is not None and now > appeal.due_at),
        is_over=appeal.state not in UNANSWERED_STATES,
        paused=PAUSES[PauseReason(reason)].text if reason else None,
        is_provisional=not appeal.calendar_known,
        per_day_min=hours.per_day,
    )


def _length(minutes: int, per_day: int) -> str:
    days, rest = divmod(minutes, per_day)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "个工作日"), (hours, "小时"), (0 if days else minutes, "分钟")]
    return "".join(f"{n}{unit}" for n, unit in parts if n) or "不足1分钟"
