"""Says of one item why it fits or not, and what the items shown still wait for."""

from __future__ import annotations

import re

from rasa_sdk.events import SlotSet

from actions.answering import PolicyAction, PolicyTurn
from actions.appeal import PERSON
from actions.base import Events
from actions.match_form import talk_of
from actions.match_replies import (
    explanation_reply,
    found_matches,
    known_text,
    missing_reply,
)
from actions.match_talk import MatchTalk
from actions.replies import Reply, ReplyKind
from knowledge.discussion import Discussion
from knowledge.policy import Facet
from knowledge.question import read_question


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


_WHICH_ITEM = "请问您想看哪一项？说出名称，或者说“第几个为什么”。"
