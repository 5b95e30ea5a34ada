"""Asking for a person: noted at once with a number, because nobody may wait in silence."""

from __future__ import annotations

from rasa_sdk.events import SlotSet

from actions.appeal import appeal_card, chinese_time
from actions.base import Events, Said, Say, TurnAction
from actions.desk import AppealDraft, AppealReason, Desk
from actions.replies import Button, Reply, ReplyKind


class RequestPerson(TurnAction):
    """Registers the wish for a person together with what the conversation was about."""

    action_name = "action_request_person"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def act(self, said: Said, say: Say) -> Events:
        question = said.slot("question")
        wish = "请求人工服务" if said.is_button else f"请求人工服务：{said.text}"
        appeal = self._desk.file_appeal(
            AppealDraft(
                session=said.context.session,
                message_id=said.context.message_id,
                matter=f"{wish}（此前询问：{question}）" if question else wish,
                reason=AppealReason.HUMAN_WANTED,
                phone=said.entity("phone"),
            )
        )
        say(
            Reply(
                kind=ReplyKind.HANDOFF,
                text=(
                    f"好的，已请服务专员接手，编号 {appeal.no}，由{appeal.department}在{chinese_time(appeal.due_at)}前"
                    "联系您。服务时间：工作日 9:00–12:00、14:00–18:00。您也可以先留下电话和具体问题，我会一并转告。"
                ),
                appeal=appeal_card(appeal),
                buttons=[
                    Button(
                        title="补充", payload=f'/supplement_appeal{{"appeal_no": "{appeal.no}"}}'
                    )
                ],
            )
        )
        return [SlotSet("appeal_no", appeal.no)]
