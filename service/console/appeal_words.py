"""What states and clocks of appeals and owners of conversations are called on the console's pages."""

from __future__ import annotations

from collections.abc import Mapping

from service.appeals.models import AppealState
from service.appeals.remaining import RemainingTime
from service.conversations.models import Owner

STATES: Mapping[str, str] = {
    "filed": "已登记",
    "dispatched": "已派单",
    "accepted": "已受理",
    "answered": "已答复",
    "closed": "已办结",
    "returned": "已退回",
    "explained": "已解释",
    "escalated": "已上报",
    "reopened": "重新办理",
    "withdrawn": "已撤回",
    "refused": "不予受理",
}
STATE_TONES: Mapping[str, str] = {
    "filed": "info",
    "dispatched": "info",
    "accepted": "info",
    "answered": "good",
    "explained": "good",
    "returned": "warn",
    "escalated": "warn",
    "reopened": "warn",
}
EXTENSIONS: Mapping[str, str] = {
    "asked": "申请延期待批",
    "extended": "已延期",
    "denied": "延期未获批准",
}
_STOPPED = frozenset({AppealState.WITHDRAWN, AppealState.REFUSED})


def has_clock(state: str) -> bool:
    """Whether time counts: nobody waits for the answer to what was withdrawn or not taken up."""
    return state not in _STOPPED


def clock_tone(left: RemainingTime, near_share: float) -> str:
    """``late``, ``still`` (paused), ``over`` (answered), ``near`` from ``near_share`` of the time on, else ``calm``."""
    if left.is_over:
        return "late" if left.is_overdue else "over"
    if left.is_overdue:
        return "late"
    if left.paused:
        return "still"
    return "near" if left.share_used >= near_share else "calm"


OWNERS: Mapping[Owner, str] = {
    Owner.BOT: "小福接待",
    Owner.QUEUED: "等待人工",
    Owner.PERSON: "人工接待",
    Owner.CLOSED: "已结束",
}
