"""Policy questions: an answer with its clauses, or a refusal that becomes an appeal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rasa_sdk.events import SlotSet

from actions.appeal import PERSON, appeal_reply
from actions.base import SURE, Events, Said, Say, TurnAction
from actions.desk import AppealDraft, AppealReason, Desk
from actions.replies import Button, CitationCard, Reply, ReplyKind
from knowledge.answer import Answer, Answerer, Citation
from knowledge.clauses import LABELS
from knowledge.policy import Facet

NOT_SOLVED = Button(title="没解决", payload="/not_solved")
_OFFERED = (Facet.CONDITIONS, Facet.MATERIALS, Facet.AMOUNT, Facet.WINDOW, Facet.PROCESS)
_MEANINGFUL_CHARS = 4
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


class PolicyAction(TurnAction):
    """What the actions on policies share: the catalogue and the desk."""

    def __init__(self, answerer: Answerer, desk: Desk) -> None:
        self._answerer = answerer
        self._desk = desk

    def _answer(self, said: Said, default: Facet | None = None) -> Answer:
        pressed = said.entity("policy_id") if said.is_button else None
        if pressed in self._answerer.catalogue.policies:
            facet = said.entity("asked_facet")
            answer = self._answerer.detail(
                pressed, [Facet(facet)] if facet else [], said.context.as_of
            )
        else:
            answer = self._answerer.answer(
                said.text, said.context.as_of, said.slot("policy_id"), default
            )
        said.context.candidates.extend(
            (hit.policy.id, round(hit.score, 3)) for hit in answer.candidates
        )
        return answer

    def _say_answer(self, answer: Answer, said: Said, say: Say) -> Events:
        say(answer_reply(answer, self._answerer))
        return self._remember(answer, said)

    def _refuse(self, answer: Answer, reason: AppealReason, said: Said, say: Say) -> Events:
        """Says that there is no answer, files the appeal, says its number."""
        say(Reply(kind=ReplyKind.REFUSAL, text=answer.text, buttons=[PERSON]))
        policy = self._answerer.catalogue.policies.get(answer.policy_id or "")
        matter = self._matter(answer, said)
        appeal = self._desk.file_appeal(
            AppealDraft(
                session=said.context.session,
                message_id=said.context.message_id,
                matter=matter,
                reason=reason,
                policy_id=answer.policy_id,
                policy_department=policy.department if policy else None,
            )
        )
        say(appeal_reply(appeal))
        return [*self._remember(answer, said), SlotSet("appeal_no", appeal.no)]

    def _matter(self, answer: Answer, said: Said) -> str:
        """The question as a clerk should read it: a pressed button or a follow-up alone says too little."""
        policy = self._answerer.catalogue.policies.get(answer.policy_id or "")
        asked = "、".join(LABELS[facet] for facet in answer.facets if facet is not Facet.OVERVIEW)
        if policy is None:
            return "点击了目录里已经没有的政策" if said.is_button else said.text
        if said.is_button:
            return f"询问《{policy.title}》的{asked or '详情'}"
        return said.text if policy.title in said.text else f"{said.text}（关于《{policy.title}》）"

    def _remember(self, answer: Answer, said: Said) -> Events:
        events: Events = [SlotSet("question", self._matter(answer, said))]
        if answer.policy_id:
            events.append(SlotSet("policy_id", answer.policy_id))
        return events


class AnswerPolicy(PolicyAction):
    """Answers a question, new or about the policy under discussion."""

    action_name = "action_answer_policy"

    def act(self, said: Said, say: Say) -> Events:
        answer = self._answer(said)
        if not answer.refusal:
            return self._say_answer(answer, said, say)
        if not answer.names_subject and answer.policy_id is None:
            say(Reply(kind=ReplyKind.QUESTION, text=_WHICH_POLICY, buttons=[PERSON]))
            return []
        return self._refuse(answer, AppealReason.NO_ANSWER, said, say)


class ApplyProject(PolicyAction):
    """How and where to apply: the process of the policy named or under discussion, else which one is meant."""

    action_name = "action_apply_project"

    def act(self, said: Said, say: Say) -> Events:
        answer = self._answer(said, default=Facet.PROCESS)
        if not answer.refusal:
            return self._say_answer(answer, said, say)
        if not answer.names_subject:
            say(Reply(kind=ReplyKind.QUESTION, text=_WHICH_PROJECT, buttons=[PERSON]))
            return []
        return self._refuse(answer, AppealReason.NO_ANSWER, said, say)


class ApplicationStatus(PolicyAction):
    """Progress of an application: not in any record the bot can see, so the department is asked for it."""

    action_name = "action_application_status"

    def act(self, said: Said, say: Say) -> Events:
        answer = self._answer(said)
        known = answer if not answer.refusal else None
        say(Reply(kind=ReplyKind.REFUSAL, text=_NO_STATUS, buttons=[PERSON]))
        policy = self._answerer.catalogue.policies.get(known.policy_id or "") if known else None
        appeal = self._desk.file_appeal(
            AppealDraft(
                session=said.context.session,
                message_id=said.context.message_id,
                matter=f"查询申报进度：{said.text}",
                reason=AppealReason.NO_ANSWER,
                policy_id=policy.id if policy else None,
                policy_department=policy.department if policy else None,
            )
        )
        say(appeal_reply(appeal))
        return [SlotSet("appeal_no", appeal.no), SlotSet("question", said.text)]


class Fallback(PolicyAction):
    """The meaning is unclear: the catalogue may still know; else the question is filed, unless it says nothing."""

    action_name = "action_fallback"

    def act(self, said: Said, say: Say) -> Events:
        answer = self._answer(said)
        if not answer.refusal and any(char.isalnum() for char in said.text):
            return self._say_answer(answer, said, say)
        if sum("一" <= char <= "鿿" for char in said.text) < _MEANINGFUL_CHARS:
            say(Reply(kind=ReplyKind.QUESTION, text=_UNCLEAR, buttons=[*MENU, PERSON]))
            return []
        return self._refuse(answer, AppealReason.LOW_CONFIDENCE, said, say)


class CoreFallback(Fallback):
    """The same when no rule fits the turn; Rasa asks for it under its own name."""

    action_name = "action_default_fallback"


class OutOfScope(PolicyAction):
    """Requests outside enterprise service, unless the catalogue clearly has an answer."""

    action_name = "action_out_of_scope"

    def act(self, said: Said, say: Say) -> Events:
        if said.confidence < SURE:
            answer = self._answer(said)
            if not answer.refusal:
                return self._say_answer(answer, said, say)
        say(Reply(kind=ReplyKind.REFUSAL, text=_OUT_OF_SCOPE, buttons=[*MENU, PERSON]))
        return []


class ListPolicies(PolicyAction):
    """Policies near to a described enterprise or need; whether each condition is met is for the person to check."""

    action_name = "action_list_policies"

    def act(self, said: Said, say: Say) -> Events:
        if self._describes_nothing(said):
            say(Reply(kind=ReplyKind.QUESTION, text=_DESCRIBE, buttons=[PERSON]))
            return []
        answer = self._answer(said)
        asked = set(answer.facets) - {Facet.OVERVIEW}
        if said.intent == "provide_profile" and asked and not answer.refusal:
            return self._say_answer(answer, said, say)  # a question came along with the facts
        said.context.candidates.clear()
        ranking = self._answerer.listing(said.text, said.context.as_of)
        if not ranking.hits:
            return self._refuse(answer, AppealReason.NO_ANSWER, said, say)
        said.context.candidates.extend((hit.policy.id, round(hit.score, 3)) for hit in ranking.hits)
        citations = [
            self._answerer.cite(hit.policy.id, Facet.AMOUNT, said.context.as_of)
            for hit in ranking.hits
        ]
        lines = [
            f"{number}. 《{each.policy.title}》：{each.clause.text}"
            for number, each in enumerate(citations, 1)
        ]
        buttons = [
            _detail_button(f"{number} 的条件", each.policy.id, Facet.CONDITIONS)
            for number, each in enumerate(citations[:3], 1)
        ]
        text = "\n".join(
            [
                "按您的描述，最接近的未过期政策有：",
                *lines,
                "是否符合要逐条核对条件，点下面的按钮查看。",
            ]
        )
        say(
            Reply(
                kind=ReplyKind.ANSWER,
                text=text,
                citations=[citation_card(each) for each in citations],
                buttons=[*buttons, NOT_SOLVED, PERSON],
            )
        )
        return [SlotSet("question", said.text), SlotSet("policy_id", citations[0].policy.id)]

    def _describes_nothing(self, said: Said) -> bool:
        """帮我匹配 holds no fact of the enterprise and no subject: any list would be a guess."""
        if said.is_button:
            return True
        has_fact = any(entity["entity"] in _PROFILE for entity in said.entities)
        return not has_fact and bool(self._answerer.answer(said.text, said.context.as_of).refusal)


def answer_reply(answer: Answer, answerer: Answerer) -> Reply:
    """An answer as a message: text, stored clauses, and the next questions that have an answer."""
    assert answer.policy_id is not None
    recorded = {clause.facet for clause in answerer.catalogue.clauses_of(answer.policy_id)}
    shown = {citation.clause.facet for citation in answer.citations}
    offered = [facet for facet in _OFFERED if facet in recorded and facet not in shown][:2]
    buttons = [_detail_button(LABELS[facet], answer.policy_id, facet) for facet in offered]
    return Reply(
        kind=ReplyKind.ANSWER,
        text=answer.text,
        citations=[citation_card(citation) for citation in answer.citations],
        buttons=[*buttons, NOT_SOLVED, PERSON],
    )


def citation_card(citation: Citation) -> CitationCard:
    policy = citation.policy
    return CitationCard(
        policy_id=policy.id,
        title=policy.title,
        doc_no=policy.doc_no,
        issuer=policy.issuer,
        clause=citation.clause.label,
        quote=citation.clause.text,
        valid_from=policy.valid_from,
        valid_to=policy.valid_to,
        status=citation.status.value,
        url=policy.source_url,
    )


def _detail_button(title: str, policy_id: str, facet: Facet) -> Button:
    return Button(
        title=title,
        payload=payload("ask_policy_detail", policy_id=policy_id, asked_facet=facet.value),
    )


def payload(intent: str, **entities: Any) -> str:
    """What a button sends: Rasa's own short form of an intent with entities."""
    return f"/{intent}{json.dumps(entities, ensure_ascii=False)}" if entities else f"/{intent}"


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
_DESCRIBE = (
    "可以的。请告诉我企业在哪个区、做什么行业、有什么资质（如国高、专精特新）、去年营收和人数，"
    "或者想解决什么（租办公室、上市、招人……），我来找最接近的政策。"
)
