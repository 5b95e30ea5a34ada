"""Finding policies for an enterprise: the nearest ones to what it says of itself or wants."""

from __future__ import annotations

from rasa_sdk.events import SlotSet

from actions.answering import NOT_SOLVED, PolicyAction, PolicyTurn, detail_button
from actions.appeal import PERSON
from actions.base import Events
from actions.desk import AppealReason
from actions.replies import Reply, ReplyKind
from knowledge.composition import list_line
from knowledge.policy import Facet

_PROFILE = frozenset(
    {
        "amount",
        "company",
        "credit_code",
        "district",
        "headcount",
        "industry",
        "lacks_qualification",
        "percentage",
        "qualification",
        "years",
    }
)


class ListPolicies(PolicyAction):
    """Policies near to a described enterprise or need; whether each condition is met is for the person to check."""

    action_name = "action_list_policies"

    def talk(self, turn: PolicyTurn) -> Events:
        if self._describes_nothing(turn):
            turn.say(Reply(kind=ReplyKind.QUESTION, text=_DESCRIBE, buttons=[PERSON]))
            return []
        said, answerer = turn.said, turn.answerer
        answers = turn.answers()
        asked = set(answers[0].facets) - {Facet.OVERVIEW}
        if said.intent == "provide_profile" and asked and not answers[0].refusal:
            # A question came along with the facts.
            return turn.tell(answers, AppealReason.NO_ANSWER)
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
                buttons=[*buttons, NOT_SOLVED, PERSON],
            )
        )
        listed = [each.policy.id for each in citations]
        return [
            SlotSet("question", said.text),
            SlotSet("policy_id", listed[0]),
            SlotSet("facets", []),
            SlotSet("listed", listed),
        ]

    def _describes_nothing(self, turn: PolicyTurn) -> bool:
        """帮我匹配 holds no fact of the enterprise and no subject: any list would be a guess."""
        said = turn.said
        if said.is_button:
            return True
        has_fact = any(entity["entity"] in _PROFILE for entity in said.entities)
        return not has_fact and bool(turn.answerer.answer(said.text, said.context.as_of).refusal)


_DESCRIBE = (
    "可以的。请告诉我企业在哪个区、做什么行业、有什么资质（如国高、专精特新）、去年营收和人数，"
    "或者想解决什么（租办公室、上市、招人……），我来找最接近的政策。"
)
_NEAREST = "按您的描述，最接近的未过期政策有："
_CHECK_CONDITIONS = "是否符合要逐条核对条件，点下面的按钮查看。"
