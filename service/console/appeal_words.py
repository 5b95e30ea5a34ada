"""What states of appeals and owners of conversations are called on the console's pages."""

from __future__ import annotations

from collections.abc import Mapping

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
OWNERS: Mapping[Owner, str] = {
    Owner.BOT: "小福接待",
    Owner.QUEUED: "等待人工",
    Owner.PERSON: "人工接待",
    Owner.CLOSED: "已结束",
}
