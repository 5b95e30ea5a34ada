"""Asking for a person: queued with a place and a wait, or noted with a number when nobody comes."""

from __future__ import annotations

from rasa_sdk.events import SlotSet

from actions.appeal import PERSON, appeal_card, chinese_time
from actions.base import Events, Said, Say, TurnAction
from actions.desk import Desk, Handoff
from actions.replies import Author, Button, Reply, ReplyKind

CANCEL = Button(title="取消排队", payload="/cancel_person")
QUEUE_BUTTONS = (CANCEL,)


class RequestPerson(TurnAction):
    """Asks the desk for a person, with what the conversation was about.

    When the conversation is queued the desk itself has put the visible line; what is said here then
    stands for it where there is no desk to do so (tests, evaluation).
    """

    action_name = "action_request_person"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def act(self, said: Said, say: Say) -> Events:
        question = said.slot("question")
        wish = "请求人工服务" if said.is_button else f"请求人工服务：{said.text}"
        handoff = self._desk.request_person(
            said.context.session,
            said.context.message_id,
            f"{wish}（此前询问：{question}）" if question else wish,
            said.entity("phone"),
        )
        say(_reply(handoff))
        return [SlotSet("appeal_no", handoff.appeal.no)] if handoff.appeal else []


def queued_text(position: int, wait_minutes: int, hours: str, limit_minutes: int) -> str:
    """The one line that says that somebody waits for a person now."""
    return (
        f"正在为您转接服务专员：您排在第 {position} 位，预计 {wait_minutes} 分钟内有人接入。服务时间：{hours}。"
        f"等待时可以继续补充情况，专员会看到；{limit_minutes} 分钟内无人接入，会为您登记诉求并告知编号。"
        "不想等了请说“取消人工”。"
    )


def _reply(handoff: Handoff) -> Reply:
    if handoff.appeal is not None:
        return _nobody(handoff)
    if handoff.position is None:
        text = "已经有服务专员在为您服务，请直接发送您的问题。"
    else:
        text = queued_text(
            handoff.position, handoff.wait_minutes or 1, handoff.hours, handoff.limit_minutes
        )
    return Reply(
        author=Author.SYSTEM, kind=ReplyKind.HANDOFF, text=text, buttons=list(QUEUE_BUTTONS)
    )


def _nobody(handoff: Handoff) -> Reply:
    appeal = handoff.appeal
    assert appeal is not None
    when = f"，{chinese_time(handoff.opens_at)}恢复人工服务" if handoff.opens_at else ""
    return Reply(
        kind=ReplyKind.HANDOFF,
        text=(
            f"现在没有服务专员在岗（服务时间：{handoff.hours}）{when}。为免您久等，已先为您登记，编号 {appeal.no}，"
            f"由{appeal.department}在{chinese_time(appeal.due_at)}前联系您。您可以先留下电话和具体问题，我会一并转告；"
            "政策问题也可以继续问我。"
        ),
        appeal=appeal_card(appeal),
        buttons=[
            Button(title="补充", payload=f'/supplement_appeal{{"appeal_no": "{appeal.no}"}}'),
            PERSON,
        ],
    )
