"""The Chinese words for what a report is made of."""

from __future__ import annotations

from knowledge.clauses import LABELS
from knowledge.measures import MEASURE_OF
from knowledge.policy import Facet, Status

_FACETS = {**{facet.value: label for facet, label in LABELS.items()}, Facet.OVERVIEW: "概况"}
_STATUSES: dict[str, str] = {
    Status.CURRENT: "现行有效",
    Status.EXPIRED: "已过期",
    Status.UPCOMING: "尚未施行",
    Status.UNKNOWN: "未核实",
}
DIMENSIONS = {
    "facet": "问什么",
    "level": "政策层级",
    "kind": "题型",
    "intent": "意图",
    "adversarial": "是否刁难",
    "context": "有无上文",
    "file": "题集",
}
_GROUPS = {
    ("adversarial", "yes"): "刁难",
    ("adversarial", "no"): "平常",
    ("context", "with"): "有上文",
    ("context", "without"): "无上文",
}
_INTENTS = {
    "ask_policy": "问政策",
    "ask_policy_detail": "追问",
    "apply_project": "要申报",
    "application_status": "查申报进度",
    "match_policies": "匹配政策",
    "provide_profile": "说企业情况",
    "submit_appeal": "提诉求",
    "appeal_status": "查诉求",
    "talk_to_human": "找人工",
    "greet": "问候",
    "thanks": "道谢",
    "goodbye": "道别",
    "bot_challenge": "问你是谁",
    "affirm": "肯定",
    "deny": "否定",
    "chitchat": "闲聊",
    "complaint_angry": "发火",
    "rate_service": "评价",
    "out_of_scope": "范围外",
}
PARTS = {
    "as_of": "问答的日期",
    "catalogue": "政策目录",
    "encoder": "编码器",
    "calibration": "校准",
    "model": "对话模型",
}
FAILURES = {
    "error": "出错",
    "answered": "硬答",
    "refused": "误拒",
    "offered": "反问",
    "policies": "政策不对",
    "facts": "缺事实",
    "citations": "引用不符",
    "cited": "漏引用",
    "status": "有效性",
    "forbidden": "不该说",
    "intent": "意图",
}
NONE = "（无）"


def measure_title(key: str) -> str:
    return MEASURE_OF[key].title if key in MEASURE_OF else key


def group_title(dimension: str, name: str) -> str:
    """The name of one group of a breakdown; an unknown one is called as the label file calls it."""
    if name == "none":
        return NONE
    if dimension == "facet":
        return _FACETS.get(name, name)
    if dimension == "intent":
        return _INTENTS.get(name, name)
    if dimension == "file":
        return name.removesuffix(".jsonl")
    return _GROUPS.get((dimension, name), name)


def status_title(status: str | None) -> str:
    return "未标注" if status is None else _STATUSES.get(status, status)


def percent(value: float | None) -> str:
    """``92.1%``; a dash where nothing was counted."""
    return "—" if value is None else f"{value * 100:.1f}%"
