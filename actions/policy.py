"""Policy questions: an answer with its clauses, or a refusal that becomes an appeal."""

from __future__ import annotations

from collections.abc import Sequence

from rasa_sdk.events import SlotSet

from actions.answering import PolicyAction, PolicyTurn
from actions.appeal import PERSON
from actions.base import SURE, Events
from actions.desk import AppealReason
from actions.match_explain import explain_asked
from actions.matching import about_match, corrected
from actions.replies import Button, Reply, ReplyKind
from knowledge.lexical import fold
from knowledge.moods import drop_subject, wants_only_promise
from knowledge.outcome import Answer, Refusal
from knowledge.policy import Facet

_MEANINGFUL_CHARS = 4
# What is said although a message seems to be outside enterprise service.
_TOLD = (None, Refusal.ASKS_WHICH, Refusal.NEW_SUBJECT, Refusal.NONE_LISTED)


class AnswerPolicy(PolicyAction):
    """Answers a question, new or about the policy under discussion."""

    action_name = "action_answer_policy"
    may_be_signed = True

    def talk(self, turn: PolicyTurn) -> Events:
        if (told := about_match(turn)) is not None:
            return told
        answers = turn.answers()
        if _is_empty(answers):
            turn.say(Reply(kind=ReplyKind.QUESTION, text=_WHICH_POLICY, buttons=[PERSON]))
            return []
        return turn.tell(answers, AppealReason.NO_ANSWER)


class ApplyProject(PolicyAction):
    """How and where to apply: the process of the policy named or under discussion, else which one is meant."""

    action_name = "action_apply_project"
    may_be_signed = True

    def talk(self, turn: PolicyTurn) -> Events:
        if (told := about_match(turn)) is not None:
            return told
        answers = turn.answers(default=Facet.PROCESS)
        if _is_empty(answers):
            turn.say(Reply(kind=ReplyKind.QUESTION, text=_WHICH_PROJECT, buttons=[PERSON]))
            return []
        return turn.tell(answers, AppealReason.NO_ANSWER)


class ApplicationStatus(PolicyAction):
    """Progress of an application: not in any record the bot can see, so the department is asked for it."""

    action_name = "action_application_status"
    may_be_signed = True

    def talk(self, turn: PolicyTurn) -> Events:
        if (told := about_match(turn)) is not None:
            return told
        first = turn.answers()[0]
        turn.say(Reply(kind=ReplyKind.REFUSAL, text=_NO_STATUS, buttons=[PERSON]))
        policy_id = None if first.refusal else first.policy_id
        matter = f"查询申报进度：{turn.said.text}"
        events = turn.file(matter, AppealReason.NO_ANSWER, policy_id)
        return [*events, SlotSet("question", turn.said.text)]


class Fallback(PolicyAction):
    """The meaning is unclear: the catalogue may still know; else the question is filed, unless it says nothing."""

    action_name = "action_fallback"
    may_be_signed = True

    def talk(self, turn: PolicyTurn) -> Events:
        told = explain_asked(turn)
        if told is None:
            told = corrected(turn, is_sure=False)
        if told is not None:
            return told
        answers, text = turn.answers(), turn.said.text
        if has_answer(answers) and any(char.isalnum() for char in text):
            return turn.tell(answers, AppealReason.LOW_CONFIDENCE)
        if sum("一" <= char <= "鿿" for char in text) < _MEANINGFUL_CHARS:
            turn.say(Reply(kind=ReplyKind.QUESTION, text=_UNCLEAR, buttons=[*MENU, PERSON]))
            return []
        return turn.tell(answers, AppealReason.LOW_CONFIDENCE)


class CoreFallback(Fallback):
    """The same when no rule fits the turn; Rasa asks for it under its own name."""

    action_name = "action_default_fallback"


class OutOfScope(PolicyAction):
    """Requests outside enterprise service, unless the catalogue clearly has an answer."""

    action_name = "action_out_of_scope"
    may_be_signed = True

    def talk(self, turn: PolicyTurn) -> Events:
        if (told := about_match(turn)) is not None:
            return told
        said = fold(turn.said.text)
        is_about_talk = wants_only_promise(said) or drop_subject(said) is not None
        if turn.said.confidence < SURE or is_about_talk:
            answers = turn.answers()
            if all(answer.refusal in _TOLD for answer in answers):
                return turn.tell(answers, AppealReason.NO_ANSWER)
        turn.say(Reply(kind=ReplyKind.REFUSAL, text=_OUT_OF_SCOPE, buttons=[*MENU, PERSON]))
        return []


def has_answer(answers: Sequence[Answer]) -> bool:
    """Whether anything is asserted, or asked back with something to choose from."""
    return any(not (answer.refusal and answer.refusal.needs_clerk) for answer in answers)


def _is_empty(answers: Sequence[Answer]) -> bool:
    """Whether the message names nothing that one could look up."""
    return all(
        answer.refusal
        and answer.refusal.needs_clerk
        and not answer.names_subject
        and answer.policy_id is None
        for answer in answers
    )


MENU: Sequence[Button] = (
    Button(title="查政策", payload="/bot_challenge"),
    Button(title="提诉求", payload="/submit_appeal"),
)
_WHICH_POLICY = "请问您问的是哪一项政策？说出名称或用途即可，例如“国高认定奖励要什么材料”。"
_WHICH_PROJECT = "请问您想申报哪一个项目？说出名称或用途即可，例如“国高认定奖励怎么申报”。"
_NO_STATUS = "抱歉，申报系统里的审核进度我查不到，已转请受理部门核实后答复您。"
_UNCLEAR = "抱歉，我没看懂这句话。可以说得具体一点吗？例如“国高认定有多少奖励”，或者直接找人工。"
_OUT_OF_SCOPE = (
    "这个超出了我的服务范围。我能回答惠企政策、帮您找合适的政策、登记和查询诉求，也可以转人工。"
)
