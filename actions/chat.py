"""Short turns that depend on what was said before: yes, no, a rating."""

from __future__ import annotations

import re
from dataclasses import replace

from actions.answering import PolicyAction, PolicyTurn
from actions.appeal import NOT_SOLVED_WORDS, PERSON, file_not_solved, reopen_answered
from actions.base import Events, Said, Say, TurnAction
from actions.desk import AppealReason, Desk
from actions.match_explain import explain_asked
from actions.match_form import matter_of, talk_of
from actions.matching import corrected
from actions.replies import Reply
from knowledge.lexical import fold
from knowledge.moods import drop_subject

LOW_RATING = 2
_NONE_FITS = re.compile(r"都不(?:太)?(?:合适|适合|满意)|没(?:有)?(?:一[个项])?合适的")


class Deny(PolicyAction):
    """A plain no ends the matter politely; one that corrects a fact is taken in, one that the answer missed is filed."""

    action_name = "action_deny"

    def talk(self, turn: PolicyTurn) -> Events:
        said = turn.said
        told = explain_asked(turn)
        if told is None:
            told = corrected(turn)
        if told is not None:
            return told
        talk = talk_of(turn)
        if talk.state.is_shown and _NONE_FITS.search(said.text):
            # Whatever was looked at in between: it is the match that did not help.
            slots = {**said.slots, "question": matter_of(talk), "policy_id": None}
            return file_not_solved(turn.desk, replace(said, slots=slots), turn.say)
        if NOT_SOLVED_WORDS.search(said.text):
            reopened = reopen_answered(turn.desk, said, turn.say)
            if reopened is not None:
                return reopened
        if said.slot("question") and NOT_SOLVED_WORDS.search(said.text):
            return file_not_solved(turn.desk, said, turn.say)
        if drop_subject(fold(said.text)) is not None:
            return turn.tell(turn.answers(), AppealReason.NO_ANSWER)
        turn.say(Reply(text="好的。还有别的政策问题或诉求，随时告诉我。", buttons=[PERSON]))
        return []


class Rate(TurnAction):
    """Keeps a rating; a bad one is answered with the offer of a person."""

    action_name = "action_rate"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def act(self, said: Said, say: Say) -> Events:
        score = said.entity("rating")
        if score is None:
            say(Reply(text="谢谢您愿意评价。请用 1 到 5 分告诉我，5 分最满意。"))
            return []
        self._desk.rate(said.context.session, int(score), said.text, said.context.message_id)
        if int(score) <= LOW_RATING:
            say(
                Reply(
                    text=f"已记下您的评价（{int(score)} 分），抱歉没有帮好您。需要的话可以转人工。",
                    buttons=[PERSON],
                )
            )
        else:
            say(Reply(text=f"已记下您的评价（{int(score)} 分），谢谢。"))
        return []
