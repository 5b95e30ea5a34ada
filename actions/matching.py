"""Finding policies for an enterprise: its facts held against every item, or the nearest ones to a bare need."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from rasa_sdk.events import FollowupAction, SlotSet

from actions.answering import NOT_SOLVED, PolicyAction, PolicyTurn, detail_button
from actions.appeal import PERSON
from actions.base import SURE, Events
from actions.desk import AppealReason
from actions.match_replies import (
    explanation_reply,
    found_matches,
    known_text,
    missing_reply,
    question_reply,
    results_reply,
)
from actions.match_state import SLOT, read_state
from actions.match_talk import MatchTalk, asks_something, need_of_text, tells_of_self
from actions.replies import Button, Reply, ReplyKind
from knowledge.composition import list_line
from knowledge.discussion import Discussion
from knowledge.policy import Facet
from knowledge.profile import Profile
from knowledge.question import read_question

FORM = "match_form"
TOLD = "match_told"
_WISH = "match_policies"


def talk_of(turn: PolicyTurn) -> MatchTalk:
    """The match of the session as the last turn left it, with what the desk has on file today."""
    state = read_state(turn.said.slot(SLOT))
    context = turn.said.context
    profile = turn.desk.profile_of(context.session, state.called) or Profile()
    return MatchTalk.of(turn.answerer.matcher, profile, state, context.as_of)


def kept(talk: MatchTalk) -> Any:
    return SlotSet(SLOT, talk.state.to_json())


class MatchPolicies(PolicyAction):
    """A wish to be matched, or facts: into the form, or straight to the results where nothing is left to ask.

    A bare need (想租办公室) is answered with the policies near to it.
    """

    action_name = "action_match_policies"

    def talk(self, turn: PolicyTurn) -> Events:
        explained = explain_asked(turn)
        if explained is not None:
            return explained
        before = talk_of(turn)
        heard = before.hear(turn.said, turn.desk)
        is_wish = turn.said.intent == _WISH
        if heard is None and (not is_wish or not before.has_facts) and self._has_need(turn):
            return list_near(turn)
        return open_match(turn, heard or before, is_new=is_wish)

    def _has_need(self, turn: PolicyTurn) -> bool:
        """帮我匹配 holds no fact of the enterprise and no subject: any list would be a guess."""
        said = turn.said
        if said.is_button:
            return False
        return (
            bool(said.entities) or not turn.answerer.answer(said.text, said.context.as_of).refusal
        )


def open_match(turn: PolicyTurn, talk: MatchTalk, is_new: bool) -> Events:
    """Opens the form, or says the results at once where there is no question worth asking."""
    said = turn.said
    asked = _answered_along(turn) if said.intent == "provide_profile" else None
    need = "" if said.is_button else need_of_text(said.text)
    state = replace(talk.state, heard=said.context.message_id, need=need or talk.state.need)
    talk = replace(talk, state=state)
    talk = (talk.begun_again() if is_new else talk).planned()
    events: Events = asked or []
    if talk.state.is_ended and not talk.state.pending:
        return [*events, *show_results(turn, talk)]
    return [*events, kept(talk), _question(talk), SlotSet(TOLD, None), FollowupAction(FORM)]


def _answered_along(turn: PolicyTurn) -> Events | None:
    """The answer to a question that came along with the facts."""
    if not asks_something(turn.said.text):
        return None
    answers = turn.answers()
    if answers[0].refusal or not set(answers[0].facets) - {Facet.OVERVIEW}:
        turn.said.context.candidates.clear()
        turn.said.context.chances.clear()
        return None
    return turn.tell(answers, AppealReason.NO_ANSWER)


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
            heard = talk.taken(said) if said.intent == _WISH else talk.not_understood(said)
        events: Events = []
        is_told = heard.state.facts != talk.state.facts
        if is_told and said.intent in _POLICY and asks_something(said.text):
            events = turn.tell(turn.answers(), AppealReason.NO_ANSWER)
        heard = heard.planned()
        is_done = heard.state.is_ended and not heard.state.pending
        told = SlotSet(TOLD, "done" if is_done else None)
        return [*events, kept(heard), _question(heard), told]


_POLICY = frozenset({"ask_policy", "ask_policy_detail", "apply_project"})
# What the form leaves to the rule of the intent, and comes back after it or gives way to it.
_BESIDE = _POLICY | {
    "application_status",
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
        _question(talk),
        SlotSet("policy_id", listed[0] if listed else None),
        SlotSet("facets", []),
        SlotSet("listed", listed),
    ]


def _question(talk: MatchTalk) -> Any:
    """What the match is about, as a clerk should read it."""
    matter = "匹配政策"
    if talk.state.called:
        matter += f"，企业：{talk.state.called}"
    if talk.state.need:
        matter += f"，需求：{talk.state.need}"
    if said := known_text(talk):
        matter += f"（企业情况：{said}）"
    return SlotSet("question", matter)


class ExplainMatch(PolicyAction):
    """One item condition by condition, by button."""

    action_name = "action_explain_match"

    def talk(self, turn: PolicyTurn) -> Events:
        policy_id = turn.said.entity("policy_id") or turn.said.slot("policy_id")
        if policy_id not in turn.answerer.catalogue.policies:
            turn.say(Reply(kind=ReplyKind.QUESTION, text=_WHICH_ITEM, buttons=[PERSON]))
            return []
        return _explain(turn, talk_of(turn), str(policy_id))


class MatchMissing(PolicyAction):
    """What the items shown still wait for."""

    action_name = "action_match_missing"

    def talk(self, turn: PolicyTurn) -> Events:
        talk = talk_of(turn)
        turn.say(missing_reply(talk, turn, found_matches(talk, turn)))
        return []


_WHY = re.compile(
    r"为(?:什么|啥|何)|怎么(?:会)?(?:就)?不(?:符合|行|能|够)|点解|凭什么|差(?:在)?(?:什么|哪|多少)"
)
_FITS = re.compile(
    r"(?:我们|我司|我公司|我哋|咱们?|本公司|公司|企业).*(?:符合|满足|够条件|够资格|够格|够得上|有资格|达标|达到(?:条件|要求)?|能(?:不能)?(?:拿|领|享受|申请|申报|报))"
)
_ORDINAL = re.compile(r"第\s*[\d一二三四五六七八九十]+\s*[个项条]")
_OPEN = re.compile(r"什么|哪|啥|多少|怎么|如何|几|咩")
_ASKS = re.compile(r"[吗么嘛?？]|不符合|符不符合|是否|是不是|够不够|能不能")
_MISSING_WORDS = re.compile(
    r"^(?:我们?)?还(?:差|缺)(?:什么|哪些|啥|多少)(?:信息|条件|资料)?(?:呢|啊|呀)?[?？]?$"
)


def explain_asked(turn: PolicyTurn) -> Events | None:
    """Explains the item that 为什么不符合 X or 我们符合 X 吗 is about; ``None`` where nothing of the kind is asked.

    Without any fact of the enterprise there is nothing to explain: the conditions themselves are the answer.
    """
    said = turn.said
    if said.is_button:
        return None
    talk, text = talk_of(turn), said.text.strip()
    if not talk.has_facts and not talk.state.is_shown:
        return None
    if _MISSING_WORDS.search(text):
        turn.say(missing_reply(talk, turn, found_matches(talk, turn)))
        return []
    is_why = _WHY.search(text) is not None and ("符合" in text or bool(said.slot("listed")))
    is_whether = _FITS.search(text) and _ASKS.search(text) and not _OPEN.search(text)
    if not is_why and not is_whether:
        return None
    policy_id = _item_meant(turn)
    if policy_id is None and is_why and _ORDINAL.search(text):
        turn.say(Reply(kind=ReplyKind.QUESTION, text=_WHICH_ITEM, buttons=[PERSON]))
        return []
    return _explain(turn, talk, policy_id) if policy_id else None


def _item_meant(turn: PolicyTurn) -> str | None:
    """The item a question points at, names, or goes on about."""
    said, policies = turn.said, turn.answerer.catalogue.policies
    discussion = Discussion(said.slot("policy_id"), (), tuple(said.slot("listed") or ()))
    pointed = discussion.pointed_at(read_question(said.text))
    if pointed in policies or _ORDINAL.search(said.text):
        return pointed if pointed in policies else None
    answer = turn.answerer.answer(said.text, said.context.as_of, discussion)
    return answer.policy_id if answer.policy_id in policies else None


def _explain(turn: PolicyTurn, talk: MatchTalk, policy_id: str) -> Events:
    match = talk.matcher.explain(policy_id, talk.whole, talk.day)
    turn.consider([(policy_id, 1.0)])
    turn.say(explanation_reply(talk, turn, match))
    return [
        SlotSet("policy_id", policy_id),
        SlotSet("facets", [Facet.CONDITIONS.value]),
        SlotSet("question", f"《{match.policy.title}》是否符合（企业情况：{known_text(talk)}）"),
    ]


def corrected(turn: PolicyTurn, *, is_sure: bool = True) -> Events | None:
    """不对，是2300万 after the results: taken in, and the results again; ``None`` where nothing is told.

    Not ``is_sure``: whatever was not understood otherwise may be a word of the match.
    """
    talk = talk_of(turn)
    if turn.said.is_button or not talk.state.facts:
        return None
    # The form is closed: nothing was asked that a bare 没有 could answer.
    talk = replace(talk, state=replace(talk.state, asking=None, pending={}))
    heard = talk.hear(turn.said, turn.desk)
    if heard is None:
        return None
    is_told = heard.state.facts != talk.state.facts or bool(heard.state.pending)
    return open_match(turn, heard, is_new=False) if is_told or not is_sure else None


def about_match(turn: PolicyTurn) -> Events | None:
    """Why an item fits or not, or a fact told after the results, taken for a policy question."""
    explained = explain_asked(turn)
    if explained is None and tells_of_self(turn.said.text):
        return corrected(turn)
    return explained


def list_near(turn: PolicyTurn) -> Events:
    """Policies near to a described need; whether each condition is met is for the person to check."""
    said, answerer = turn.said, turn.answerer
    answers = turn.answers()
    said.context.candidates.clear()
    ranking = answerer.listing(said.text, said.context.as_of)
    if not ranking.hits:
        return turn.tell(answers, AppealReason.NO_ANSWER)
    turn.consider((hit.policy.id, hit.score) for hit in ranking.hits)
    citations = [
        answerer.cite(hit.policy.id, Facet.AMOUNT, said.context.as_of) for hit in ranking.hits
    ]
    lines = [list_line(number, each) for number, each in enumerate(citations, 1)]
    buttons = [
        detail_button(f"{number} 的条件", each.policy.id, Facet.CONDITIONS)
        for number, each in enumerate(citations[:3], 1)
    ]
    text = "\n".join([_NEAREST, *lines, _CHECK_CONDITIONS])
    turn.say(
        Reply(
            kind=ReplyKind.ANSWER,
            text=text,
            citations=turn.cite(citations),
            buttons=[*buttons, _BY_CONDITIONS, NOT_SOLVED, PERSON],
        )
    )
    listed = [each.policy.id for each in citations]
    state = replace(read_state(said.slot(SLOT)), need=said.text[:_NEED_CHARS], is_shown=False)
    return [
        SlotSet(SLOT, state.to_json()),
        SlotSet("question", said.text),
        SlotSet("policy_id", listed[0]),
        SlotSet("facets", []),
        SlotSet("listed", listed),
    ]


_NEED_CHARS = 100
_BY_CONDITIONS = Button(title="按条件逐项匹配", payload="/match_policies")
_WHICH_ITEM = "请问您想看哪一项？说出名称，或者说“第几个为什么”。"
_NEAREST = "按您的描述，最接近的未过期政策有："
_CHECK_CONDITIONS = "是否符合要逐条核对条件：点下面的按钮看条款，或者说说企业情况，我逐项核对。"
