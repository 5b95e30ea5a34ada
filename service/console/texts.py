"""Chinese names of what the database keeps as codes."""

from __future__ import annotations

from service.conversations.models import Owner
from service.debt.models import Cause, Closure, DebtState, SignedState
from service.handoff.inbox import InboxRow, View

OWNER_TONES = {"bot": "", "queued": "bad", "person": "good", "closed": ""}
VIEWS = {
    View.ALL: "全部",
    View.QUEUED: "排队",
    View.MINE: "我的",
    View.OTHERS: "同事的",
    View.BOT: "机器人",
    View.CLOSED: "已结束",
}
CHANNELS = {
    "web": "网页",
    "wecom_bot": "企业微信群",
    "kf": "微信客服",
    "mp": "公众号",
    "room": "互动群",
}
INTENTS = {
    "ask_policy": "问政策",
    "ask_policy_detail": "追问细节",
    "affirm": "肯定",
    "deny": "否定",
    "thanks": "感谢",
    "goodbye": "道别",
    "bot_challenge": "问是不是机器人",
    "rate_service": "评价",
    "match_policies": "找政策",
    "apply_project": "问申报",
    "application_status": "问进度",
    "submit_appeal": "提诉求",
    "appeal_status": "查诉求",
    "talk_to_human": "找人工",
    "complaint_angry": "不满",
    "not_solved": "没解决",
    "out_of_scope": "其他",
    "chitchat": "闲聊",
    "greet": "问候",
    "provide_profile": "报资料",
}


VERDICTS = {"eligible": "符合", "ineligible": "不符合", "unknown": "还不能确定"}
VERDICT_TONES = {"eligible": "good", "ineligible": "bad", "unknown": "warn"}
KINDS = {
    "answer": "已答",
    "refusal": "没答上",
    "match": "匹配",
    "appeal": "诉求",
    "question": "追问",
    "handoff": "转人工",
    "text": "闲聊",
}
KIND_TONES = {"answer": "good", "refusal": "bad", "match": "good", "question": "warn"}


def owner_words(row: InboxRow) -> str:
    """Who has the conversation, in words."""
    if row.owner is Owner.PERSON:
        return f"{row.owner_name or '专员'} 接待中"
    return {Owner.BOT: "机器人", Owner.QUEUED: "等待人工", Owner.CLOSED: "已结束"}[row.owner]


def visitor_name(row: InboxRow) -> str:
    """What an unbound visitor is called: the channel and the end of the conversation's id."""
    return f"{CHANNELS.get(row.channel, row.channel)}来访者 {row.conversation_id[-4:]}"


CAUSES = {
    Cause.THUMBS_DOWN: "说没解决",
    Cause.REFUSAL: "没答上",
    Cause.LOW_CONFIDENCE: "把握不足",
}
CAUSE_TONES = {Cause.THUMBS_DOWN: "bad", Cause.REFUSAL: "warn", Cause.LOW_CONFIDENCE: "info"}
DEBT_STATES = {DebtState.OPEN: "未还清", DebtState.CLOSED: "已关闭"}
CLOSURES = {
    Closure.CATALOGUE: "目录已更新",
    Closure.FAQ: "已有审定答复",
    Closure.NONE: "不需处理",
}
SIGNED_STATES = {
    SignedState.DRAFT: "待审定",
    SignedState.IN_FORCE: "生效中",
    SignedState.SUSPENDED: "已暂停",
}
SIGNED_TONES = {
    SignedState.DRAFT: "warn",
    SignedState.IN_FORCE: "good",
    SignedState.SUSPENDED: "bad",
}
