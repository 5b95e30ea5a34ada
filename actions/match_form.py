"""The form of a match: hears every message, asks the next question, shows the results when it has ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rasa_sdk.events import SlotSet

from actions.answering import PolicyAction, PolicyTurn
from actions.base import SURE, Events
from actions.desk import AppealReason
from actions.match_replies import (
    found_matches,
    known_text,
    question_reply,
    results_reply,
)
from actions.match_state import SLOT, read_state
from actions.match_talk import MatchTalk, asks_something
from knowledge.profile import Profile

FORM = "match_form"
TOLD = "match_told"
WISH = "match_policies"


def talk_of(turn: PolicyTurn) -> MatchTalk:
    """The match of the session as the last turn left it, with what the desk has on file today."""
    state = read_state(turn.said.slot(SLOT))
    context = turn.said.context
    profile = turn.desk.profile_of(context.session, state.called) or Profile()
    return MatchTalk.of(turn.answerer.matcher, profile, state, context.as_of)


def kept(talk: MatchTalk) -> Any:
    return SlotSet(SLOT, talk.state.to_json())


class HearFacts(PolicyAction):
    """Takes in every message of the form; leaves it to others where it is about something else."""

    action_name = f"validate_{FORM}"

    def talk(self, turn: PolicyTurn) -> Events:
        talk, said = talk_of(turn), turn.said
        if talk.state.heard == said.context.message_id:
            return []  # taken in when the form was opened, or before something else was answered
        if _goes_elsewhere(turn):
            return []
        heard = talk.hear(said, turn.desk)
        if heard is None:
            if _is_beside(turn):
                return []
            heard = talk.taken(said) if said.intent == WISH else talk.not_understood(said)
        events: Events = []
        is_told = heard.state.facts != talk.state.facts
        if is_told and said.intent in _POLICY and asks_something(said.text):
            events = turn.tell(turn.answers(), AppealReason.NO_ANSWER)
        heard = heard.planned()
        is_done = heard.state.is_ended and not heard.state.pending
        told = SlotSet(TOLD, "done" if is_done else None)
        return [*events, kept(heard), question_slot(heard), told]


_POLICY = frozenset({"ask_policy", "ask_policy_detail", "apply_project"})
# What the form leaves to the rule of the intent, and comes back after it or gives way to it.
_BESIDE = _POLICY | {
    "application_status",
    "appeal_solved",
    "appeal_status",
    "bot_challenge",
    "chitchat",
    "complaint_angry",
    "explain_match",
    "goodbye",
    "greet",
    "match_missing",
    "not_solved",
    "out_of_scope",
    "rate_service",
    "submit_appeal",
    "supplement_appeal",
    "talk_to_human",
    "thanks",
    "withdraw_appeal",
}
_UNSURE_BELOW = 0.3  # the threshold of the fallback in bot/config.yml
_NOT_FOR_A_FORM = frozenset({"talk_to_human", "submit_appeal"})


def _goes_elsewhere(turn: PolicyTurn) -> bool:
    """A person or an appeal is surely wanted, whatever facts come along."""
    said = turn.said
    return said.intent in _NOT_FOR_A_FORM and said.confidence >= SURE


def _is_beside(turn: PolicyTurn) -> bool:
    said = turn.said
    if said.is_button:
        return said.intent in _BESIDE
    if said.confidence < _UNSURE_BELOW:
        return asks_something(said.text)
    return said.intent in _BESIDE


class AskNext(PolicyAction):
    """Says what was understood and asks the next question."""

    action_name = f"action_ask_{TOLD}"

    def talk(self, turn: PolicyTurn) -> Events:
        talk = talk_of(turn)
        is_back = talk.state.heard != turn.said.context.message_id
        turn.say(question_reply(talk, is_back))
        return [kept(replace(talk, state=replace(talk.state, notes=())))]


class ShowMatches(PolicyAction):
    """The results, when the form has ended."""

    action_name = "action_show_matches"

    def talk(self, turn: PolicyTurn) -> Events:
        return show_results(turn, talk_of(turn))


def show_results(turn: PolicyTurn, talk: MatchTalk) -> Events:
    found = found_matches(talk, turn)
    turn.consider((each.policy.id, each.score or 0.0) for each in found)
    turn.say(results_reply(talk, turn, found))
    listed = [each.policy.id for each in found]
    return [
        kept(replace(talk, state=replace(talk.state, notes=(), asking=None, is_shown=True))),
        SlotSet(TOLD, None),
        question_slot(talk),
        SlotSet("policy_id", listed[0] if listed else None),
        SlotSet("facets", []),
        SlotSet("listed", listed),
        SlotSet("listing", None),
    ]


def question_slot(talk: MatchTalk) -> Any:
    """Keeps what the match is about as the question that a person or an appeal is told."""
    return SlotSet("question", matter_of(talk))


def matter_of(talk: MatchTalk) -> str:
    """What the match is about, as a clerk should read it."""
    matter = "匹配政策"
    if talk.state.called:
        matter += f"，企业：{talk.state.called}"
    if talk.state.need:
        matter += f"，需求：{talk.state.need}"
    if said := known_text(talk):
        matter += f"（企业情况：{said}）"
    return matter
