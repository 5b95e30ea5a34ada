"""Finding policies for an enterprise: its facts held against every item, or the nearest ones to a bare need."""

from __future__ import annotations

from dataclasses import replace

from rasa_sdk.events import FollowupAction, SlotSet

from actions.answering import NOT_SOLVED, PolicyAction, PolicyTurn, detail_button
from actions.appeal import PERSON
from actions.base import Events
from actions.desk import AppealReason
from actions.match_explain import explain_asked
from actions.match_form import FORM, TOLD, WISH, kept, question_slot, show_results, talk_of
from actions.match_state import SLOT, read_state
from actions.match_talk import MatchTalk, asks_something, need_of_text, tells_of_self
from actions.replies import Button, Reply, ReplyKind
from knowledge.composition import list_line
from knowledge.policy import Facet
from knowledge.question import asks_for_list, read_question, subject_of


class MatchPolicies(PolicyAction):
    """A wish to be matched, or facts: into the form, or straight to the results where nothing is left to ask.

    A bare need (想租办公室) is answered with the policies near to it.
    """

    action_name = "action_match_policies"

    def talk(self, turn: PolicyTurn) -> Events:
        explained = explain_asked(turn)
        if explained is not None:
            return explained
        listed = _list_asked(turn)
        if listed is not None:
            return listed
        before = talk_of(turn)
        heard = before.hear(turn.said, turn.desk)
        is_wish = turn.said.intent == WISH
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


def _list_asked(turn: PolicyTurn) -> Events | None:
    """盐田有哪些政策 and 广州有哪些政策 ask for a list, whatever else they sound like; ``None`` where it is none."""
    asked = read_question(turn.said.text)
    if turn.said.is_button or not asks_for_list(asked.search_text):
        return None
    answers = turn.answers()
    left = asked.search_text.replace(asked.elsewhere or "", " ")
    is_elsewhere = asked.elsewhere is not None and not subject_of(left)
    if is_elsewhere or any(answer.listing for answer in answers):
        return turn.tell(answers, AppealReason.NO_ANSWER)
    turn.said.context.candidates.clear()
    turn.said.context.chances.clear()
    return None


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
    return [*events, kept(talk), question_slot(talk), SlotSet(TOLD, None), FollowupAction(FORM)]


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
        SlotSet("listing", None),
    ]


_NEED_CHARS = 100
_BY_CONDITIONS = Button(title="按条件逐项匹配", payload="/match_policies")
_NEAREST = "按您的描述，最接近的未过期政策有："
_CHECK_CONDITIONS = "是否符合要逐条核对条件：点下面的按钮看条款，或者说说企业情况，我逐项核对。"
