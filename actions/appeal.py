"""Appeals (诉求) in conversation: file, supplement, withdraw, follow."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from rasa_sdk.events import FollowupAction, SlotSet

from actions.base import Events, Said, Say, TurnAction
from actions.desk import Appeal, AppealDraft, AppealReason, Desk
from actions.replies import AppealCard, Button, Reply, ReplyKind

STATES = {
    "filed": "已登记",
    "dispatched": "已分派",
    "accepted": "办理中",
    "answered": "已答复",
    "closed": "已办结",
    "returned": "退回重派",
    "explained": "已解释说明",
    "escalated": "已升级督办",
    "reopened": "重新办理",
    "withdrawn": "已撤回",
    "refused": "不予受理",
}
OPEN_STATES = frozenset({"filed", "dispatched", "accepted", "returned", "escalated", "reopened"})
_SHANGHAI = ZoneInfo("Asia/Shanghai")
_WITHDRAW = re.compile(
    r"(撤回|撤销|取消|撤了|不用办).{0,8}(诉求|工单|投诉|单子|FT-)|(诉求|工单|单子).{0,6}(撤回|撤销|取消|撤了)",
    re.I,
)
_SUPPLEMENT = re.compile(r"补充.{0,8}(诉求|工单|说明|情况)|(诉求|工单).{0,6}补充", re.I)
NOT_SOLVED_WORDS = re.compile(
    r"没(有)?(解决|回答|帮到|答到)|未解决|答非所问|不是我(要|想)(问|的)|唔系我想问|冇解决|没说到点|都不(?:太)?(?:合适|适合|满意)|没(?:有)?(?:一[个项])?合适的"
)
_OPENING = re.compile(
    r"你好|您好|请问|麻烦|小福|我们?|想要?|要|可以|能不能|怎么|如何|在哪|哪里|帮我|提交?|提个|反映|反馈|投诉|登记|一下|个|一个|诉求|问题|情况|工单|的|吗|呢|呀|啊|了|[，。！？,.!?\s]"
)
MATTER_CHARS = 5
# What a person was asked to tell in free words is turned away only when it is plainly something else.
SURELY_BESIDE = 0.9
_NO_MATTER = frozenset({"affirm", "chitchat", "complaint_angry", "out_of_scope", "rate_service"})


class SubmitAppeal(TurnAction):
    """A problem told in free words: filed at once when it says what is the matter, asked for otherwise."""

    action_name = "action_submit_appeal"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def act(self, said: Said, say: Say) -> Events:
        if _WITHDRAW.search(said.text):
            return withdraw(self._desk, said, say)
        if _SUPPLEMENT.search(said.text):
            return open_supplement(self._desk, said, say)
        if NOT_SOLVED_WORDS.search(said.text):
            reopened = reopen_answered(self._desk, said, say)
            if reopened is not None:
                return reopened
            if said.slot("question"):
                return file_not_solved(self._desk, said, say)
        if said.is_button or len(_OPENING.sub("", said.text)) < MATTER_CHARS:
            return [FollowupAction("appeal_form")]
        return _file(self._desk, said, said.text, say)


class HearMatter(TurnAction):
    """Lets a form ask again when what was said is surely not its answer: a button, a yes, small talk, abuse."""

    action_name = "validate_appeal_form"
    slot = "appeal_matter"

    def act(self, said: Said, say: Say) -> Events:
        is_beside = said.is_button or (
            said.intent in _NO_MATTER and said.confidence >= SURELY_BESIDE
        )
        if is_beside or not any(char.isalnum() for char in _OPENING.sub("", said.text)):
            return [SlotSet(self.slot, None)]
        return []


class HearSupplement(HearMatter):
    action_name = "validate_supplement_form"
    slot = "supplement_text"


class FileAppeal(TurnAction):
    """Files what the form asked for."""

    action_name = "action_file_appeal"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def act(self, said: Said, say: Say) -> Events:
        return [
            *_file(self._desk, said, said.slot("appeal_matter"), say),
            SlotSet("appeal_matter", None),
        ]


class NotSolved(TurnAction):
    """The answer did not help: the question goes to a person."""

    action_name = "action_not_solved"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def act(self, said: Said, say: Say) -> Events:
        reopened = reopen_answered(self._desk, said, say)
        return file_not_solved(self._desk, said, say) if reopened is None else reopened


class AppealSolved(TurnAction):
    """The button 已解决 under an answer: closes the appeal and asks how content the person is."""

    action_name = "action_appeal_solved"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def act(self, said: Said, say: Say) -> Events:
        context, no = said.context, said.entity("appeal_no")
        appeal = (
            self._desk.say_solved(context.session, no, True, "", context.message_id) if no else None
        )
        if appeal is None:
            say(Reply(kind=ReplyKind.TEXT, text=_none_found(no)))
            return []
        say(
            Reply(
                kind=ReplyKind.APPEAL,
                text=f"谢谢您的反馈，诉求 {appeal.no} 已办结。请为这次办理打分，5 分最满意。",
                appeal=appeal_card(appeal),
                buttons=_SCORES,
            )
        )
        return []


class WithdrawAppeal(TurnAction):
    action_name = "action_withdraw_appeal"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def act(self, said: Said, say: Say) -> Events:
        return withdraw(self._desk, said, say)


class OpenSupplement(TurnAction):
    """The button 补充: asks what to add."""

    action_name = "action_open_supplement"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def act(self, said: Said, say: Say) -> Events:
        return open_supplement(self._desk, said, say)


class SupplementAppeal(TurnAction):
    """Adds what the form asked for."""

    action_name = "action_supplement_appeal"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def act(self, said: Said, say: Say) -> Events:
        context, no = said.context, said.slot("appeal_no")
        appeal = self._desk.supplement_appeal(
            context.session, no, said.slot("supplement_text"), context.message_id
        )
        if appeal is None:
            say(
                Reply(
                    kind=ReplyKind.TEXT,
                    text=f"诉求 {no} 已经办结或撤回，不能再补充；需要的话可以重新提交。",
                )
            )
        else:
            say(_card_reply(appeal, f"已把您的补充加到诉求 {appeal.no}，承办部门会一并看到。"))
        return [SlotSet("supplement_text", None)]


class AppealStatus(TurnAction):
    """Progress of the session's own appeals."""

    action_name = "action_appeal_status"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def act(self, said: Said, say: Say) -> Events:
        if _WITHDRAW.search(said.text):
            return withdraw(self._desk, said, say)
        if _SUPPLEMENT.search(said.text):
            return open_supplement(self._desk, said, say)
        no = said.entity("appeal_no")
        appeals = self._desk.appeals_of(said.context.session, no)
        if not appeals:
            say(Reply(kind=ReplyKind.TEXT, text=_none_found(no), buttons=[_FILE]))
            return []
        for appeal in appeals[:3]:
            say(_card_reply(appeal, _progress(appeal)))
        return [SlotSet("appeal_no", appeals[0].no)]


def file_not_solved(desk: Desk, said: Said, say: Say) -> Events:
    """Files the last question as unsolved; without one, asks what the matter is."""
    question = said.slot("question")
    if not question:
        return [FollowupAction("appeal_form")]
    matter = question if said.is_button else f"{question}（用户反馈：{said.text}）"
    return _file(desk, said, matter, say, AppealReason.NOT_SOLVED, said.slot("policy_id"))


def reopen_answered(desk: Desk, said: Said, say: Say) -> Events | None:
    """Reopens the appeal whose answer is said not to solve the matter; ``None`` when none is meant.

    A button names its appeal; words mean the appeal answered last when nothing was said since.
    """
    context, no = said.context, said.entity("appeal_no")
    if no is None and not said.is_button:
        answered = desk.answered_appeal(context.session, context.message_id)
        no = answered.no if answered else None
    if no is None:
        return None
    note = "企业反馈没有解决" if said.is_button else said.text
    appeal = desk.say_solved(context.session, no, False, note, context.message_id)
    if appeal is None:
        if said.is_button:
            say(Reply(kind=ReplyKind.TEXT, text=_none_found(no)))
            return []
        return None
    say(
        _card_reply(
            appeal,
            f"抱歉没有解决。诉求 {appeal.no} 已重新办理，由{appeal.department}在{chinese_time(appeal.due_at)}前"
            "再次答复您。有新的情况可以随时补充。",
        )
    )
    return [SlotSet("appeal_no", appeal.no)]


def withdraw(desk: Desk, said: Said, say: Say) -> Events:
    """Withdraws the appeal named, or the one last spoken of."""
    context = said.context
    no = said.entity("appeal_no") or said.slot("appeal_no")
    appeal = desk.withdraw_appeal(context.session, no, context.message_id) if no else None
    if appeal is None:
        say(Reply(kind=ReplyKind.TEXT, text=_none_found(no)))
        return []
    say(
        Reply(
            kind=ReplyKind.APPEAL,
            text=f"诉求 {appeal.no} 已撤回，不再办理。",
            appeal=appeal_card(appeal),
        )
    )
    return [SlotSet("appeal_no", None)]


def open_supplement(desk: Desk, said: Said, say: Say) -> Events:
    """Starts asking what to add to the appeal named, or to the one last spoken of."""
    no = said.entity("appeal_no") or said.slot("appeal_no")
    appeals = desk.appeals_of(said.context.session, no) if no else []
    if not appeals or appeals[0].state not in OPEN_STATES:
        say(Reply(kind=ReplyKind.TEXT, text=_none_found(no)))
        return []
    return [SlotSet("appeal_no", appeals[0].no), FollowupAction("supplement_form")]


def _file(
    desk: Desk,
    said: Said,
    matter: str,
    say: Say,
    reason: AppealReason = AppealReason.REQUESTED,
    policy_id: str | None = None,
) -> Events:
    appeal = desk.file_appeal(
        AppealDraft(
            session=said.context.session,
            message_id=said.context.message_id,
            matter=matter,
            reason=reason,
            policy_id=policy_id,
            phone=said.entity("phone"),
            credit_code=said.entity("credit_code"),
            company=said.entity("company"),
        )
    )
    say(appeal_reply(appeal))
    return [SlotSet("appeal_no", appeal.no)]


def appeal_reply(appeal: Appeal) -> Reply:
    """Tells number, department and due time at once, and what can still be done."""
    verb = "已并入您正在办理的诉求" if appeal.joined else "已为您登记诉求"
    return _card_reply(
        appeal,
        f"{verb}，编号 {appeal.no}，由{appeal.department}办理，{chinese_time(appeal.due_at)}前答复您。"
        "您可以随时补充或撤回。",
    )


def _card_reply(appeal: Appeal, text: str) -> Reply:
    buttons = [PERSON]
    if appeal.state in OPEN_STATES:
        buttons = [
            Button(title="补充", payload=f'/supplement_appeal{{"appeal_no": "{appeal.no}"}}'),
            Button(title="撤回", payload=f'/withdraw_appeal{{"appeal_no": "{appeal.no}"}}'),
            PERSON,
        ]
    return Reply(kind=ReplyKind.APPEAL, text=text, appeal=appeal_card(appeal), buttons=buttons)


def appeal_card(appeal: Appeal) -> AppealCard:
    return AppealCard(
        no=appeal.no, state=appeal.state, department=appeal.department, due_at=appeal.due_at
    )


def chinese_time(moment: datetime) -> str:
    """``2026年11月30日 18:00`` in Shanghai time."""
    local = moment.astimezone(_SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def _progress(appeal: Appeal) -> str:
    matter = appeal.matter if len(appeal.matter) <= 40 else f"{appeal.matter[:40]}…"
    due = f"，{chinese_time(appeal.due_at)}前答复" if appeal.state in OPEN_STATES else ""
    if appeal.progress:
        due = f"，{appeal.progress}"
    return f"诉求 {appeal.no}（{matter}）：{STATES.get(appeal.state, appeal.state)}，由{appeal.department}办理{due}。"


def _none_found(no: str | None) -> str:
    if no:
        return f"没有找到您可以处理的诉求 {no}。请核对编号；只能查看和处理自己提交的诉求。"
    return "您在这个会话里还没有诉求。把遇到的问题告诉我，我马上为您登记。"


PERSON = Button(title="转人工", payload="/talk_to_human")
_FILE = Button(title="提诉求", payload="/submit_appeal")
_SCORES = [
    Button(title=f"{score} 分", payload=f'/rate_service{{"rating": "{score}"}}')
    for score in (5, 4, 3, 2, 1)
]
