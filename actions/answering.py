"""Says what the catalogue answers: replies with their clauses, counter-questions, refusals that become appeals."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rasa_sdk.events import SlotSet

from actions.appeal import PERSON, appeal_reply
from actions.base import Events, Said, Say, TurnAction
from actions.desk import AppealDraft, AppealReason, Desk, SignedAnswer
from actions.replies import Button, CitationCard, Reply, ReplyKind
from knowledge.answer import Answerer
from knowledge.clauses import LABELS
from knowledge.composition import Citation
from knowledge.discussion import Discussion
from knowledge.live import Live
from knowledge.outcome import Answer, Refusal, after
from knowledge.policy import Facet, Policy

NOT_SOLVED = Button(title="没解决", payload="/not_solved")
_OFFERED = (Facet.CONDITIONS, Facet.MATERIALS, Facet.AMOUNT, Facet.WINDOW, Facet.PROCESS)


class PolicyAction(TurnAction):
    """What the actions on policies share: what answers come from, and the desk.

    ``may_be_signed``: what is said to this action may be a question that people have signed an answer for.
    """

    may_be_signed = False

    def __init__(self, live: Live, desk: Desk) -> None:
        self._live = live
        self._desk = desk

    def act(self, said: Said, say: Say) -> Events:
        turn = PolicyTurn(self._live.now, self._desk, said, say)
        told = turn.signed() if self.may_be_signed else None
        return self.talk(turn) if told is None else told

    @abstractmethod
    def talk(self, turn: PolicyTurn) -> Events:
        """Says at least one reply and returns the events to keep."""


@dataclass(frozen=True)
class PolicyTurn:
    """One turn about policies; works on one catalogue from beginning to end, whatever is exchanged meanwhile."""

    answerer: Answerer
    desk: Desk
    said: Said
    say: Say

    def answers(self, default: Facet | None = None) -> list[Answer]:
        """What the catalogue has to say to this message, a part of it at a time; the trace is told."""
        context = self.said.context
        pressed = self.said.entity("policy_id") if self.said.is_button else None
        if pressed in self.answerer.catalogue.policies:
            facet = self.said.entity("asked_facet")
            answer = self.answerer.detail(pressed, [Facet(facet)] if facet else [], context.as_of)
            answers = [replace(answer, discussion=after(self._discussion(), answer))]
        else:
            answers = self.answerer.answers(
                self.said.text, context.as_of, self._discussion(), default
            )
        for answer in answers:
            context.chances.append(answer.chance)
            self.consider((hit.policy.id, hit.score) for hit in answer.candidates)
        return answers

    def consider(self, found: Iterable[tuple[str, float]]) -> None:
        """Tells the trace which policies were weighed, best first."""
        self.said.context.candidates.extend(
            (policy_id, round(score, 3)) for policy_id, score in found
        )

    def cite(self, citations: Iterable[Citation]) -> list[CitationCard]:
        """The cards of the clauses an answer rests on; the trace keeps each with its hash."""
        cited = list(citations)
        self.said.context.sources.extend((each.clause.id, each.clause.hash) for each in cited)
        return [citation_card(each) for each in cited]

    def tell(self, answers: Sequence[Answer], reason: AppealReason) -> Events:
        """Says every answer; what is unclear is asked back, what is not answered goes into one appeal."""
        refused: list[Answer] = []
        for answer in answers:
            if not answer.refusal:
                self.say(answer_reply(answer, self.answerer, self.cite(answer.citations)))
            elif answer.refusal.asks_back:
                self.say(_clarification(answer, self.answerer))
            elif not answer.refusal.needs_clerk:
                self.say(Reply(kind=ReplyKind.REFUSAL, text=answer.text, buttons=[PERSON]))
            else:
                self.say(Reply(kind=ReplyKind.REFUSAL, text=answer.text, buttons=[PERSON]))
                refused.append(answer)
        events: Events = []
        if refused:
            policy_id = next((a.policy_id for a in refused if a.policy_id), None)
            events = self.file("；".join(map(self.matter, refused)), reason, policy_id)
        return [*events, *self.remember(answers[-1])]

    def signed(self) -> Events | None:
        """Says the answer people have signed for this very question; ``None`` where there is none that holds.

        Its clauses must read in the catalogue of this turn as they were signed.
        """
        context = self.said.context
        if self.said.is_button:
            return None
        found = self.desk.signed_answer(self.said.text, context.as_of)
        if found is None:
            return None
        catalogue = self.answerer.catalogue
        clauses = [catalogue.clauses.get(clause_id) for clause_id, _ in found.clauses]
        if [clause and clause.hash for clause in clauses] != [hash_ for _, hash_ in found.clauses]:
            return None
        citations = [
            Citation(clause, policy, policy.status_on(context.as_of))
            for clause in clauses
            if clause and (policy := catalogue.policies[clause.policy_id])
        ]
        policy_id = citations[0].policy.id
        context.chances.append(1.0)
        self.consider([(each.policy.id, 1.0) for each in citations])
        self.say(
            Reply(
                kind=ReplyKind.ANSWER,
                text=f"{found.text}\n{_signature(found)}",
                citations=self.cite(citations),
                buttons=[NOT_SOLVED, PERSON],
            )
        )
        question = SlotSet("question", self.said.text)
        return [
            question,
            SlotSet("policy_id", policy_id),
            SlotSet("facets", []),
            SlotSet("listed", []),
        ]

    def file(self, matter: str, reason: AppealReason, policy_id: str | None) -> Events:
        policy = self.answerer.catalogue.policies.get(policy_id or "")
        appeal = self.desk.file_appeal(
            AppealDraft(
                session=self.said.context.session,
                message_id=self.said.context.message_id,
                matter=matter,
                reason=reason,
                policy_id=policy_id,
                policy_department=policy.department if policy else None,
            )
        )
        self.say(appeal_reply(appeal))
        return [SlotSet("appeal_no", appeal.no)]

    def matter(self, answer: Answer) -> str:
        """The question as a clerk should read it: a pressed button or a follow-up alone says too little."""
        policy = self.answerer.catalogue.policies.get(answer.policy_id or "")
        asked = "、".join(LABELS[facet] for facet in answer.facets if facet is not Facet.OVERVIEW)
        text = answer.question or self.said.text
        if policy is None:
            return "点击了目录里已经没有的政策" if self.said.is_button else text
        if self.said.is_button:
            return f"询问《{policy.title}》的{asked or '详情'}"
        return text if policy.title in text else f"{text}（关于《{policy.title}》）"

    def remember(self, answer: Answer) -> Events:
        """The policy, facets and list under discussion, for the next turn."""
        discussion = answer.discussion
        is_over = answer.refusal is Refusal.NEW_SUBJECT
        return [
            SlotSet("question", None if is_over else self.matter(answer)),
            SlotSet("policy_id", discussion.policy_id),
            SlotSet("facets", [facet.value for facet in discussion.facets]),
            SlotSet("listed", list(discussion.listed)),
            SlotSet("listing", discussion.listing),
        ]

    def _discussion(self) -> Discussion:
        return Discussion(
            self.said.slot("policy_id"),
            tuple(Facet(facet) for facet in self.said.slot("facets") or ()),
            tuple(self.said.slot("listed") or ()),
            self.said.slot("listing"),
        )


def answer_reply(answer: Answer, answerer: Answerer, citations: list[CitationCard]) -> Reply:
    """An answer as a message: text, stored clauses, and the next questions that have an answer."""
    return Reply(
        kind=ReplyKind.ANSWER,
        text=answer.text + _also(answer, answerer),
        citations=citations,
        buttons=[*_next_steps(answer, answerer), NOT_SOLVED, PERSON],
    )


def _signature(answer: SignedAnswer) -> str:
    until = answer.valid_until
    return f"（人工审定答复，审定人{answer.approver}，有效至{until.year}年{until.month}月{until.day}日）"


def _next_steps(answer: Answer, answerer: Answerer) -> list[Button]:
    """The policies listed, else the facets not shown yet and the policies that may be meant as well."""
    if answer.listed:
        return [
            detail_button(f"{number} 的条件", policy_id, Facet.CONDITIONS)
            for number, policy_id in enumerate(answer.listed[:3], 1)
        ]
    if answer.policy_id is None:
        return []
    recorded = {clause.facet for clause in answerer.catalogue.clauses_of(answer.policy_id)}
    shown = {citation.clause.facet for citation in answer.citations}
    offered = [facet for facet in _OFFERED if facet in recorded and facet not in shown][:2]
    policies = answerer.catalogue.policies
    return [
        *(detail_button(LABELS[facet], answer.policy_id, facet) for facet in offered),
        *(_policy_button(policies[policy_id]) for policy_id in answer.related[:1]),
    ]


def _also(answer: Answer, answerer: Answerer) -> str:
    """A line on the like of the policy, the level named, so that nobody thinks the answer is all there is."""
    if not answer.related or answer.policy_id is None:
        return ""
    policies = answerer.catalogue.policies
    this, other = policies[answer.policy_id], policies[answer.related[0]]
    scope = "" if this.level is other.level else f"{other.level.value}级"
    return f"\n另有{scope}相近的《{other.title}》，两项分别看各自条件。"


def _clarification(answer: Answer, answerer: Answerer) -> Reply:
    policies = [answerer.catalogue.policies[policy_id] for policy_id in answer.offered]
    facet = answer.facets[0] if answer.facets else None
    return Reply(
        kind=ReplyKind.QUESTION,
        text=answer.text,
        buttons=[
            *(_policy_button(policy, facet) for policy in policies),
            *([NOT_SOLVED] if policies else []),
            PERSON,
        ],
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


def detail_button(title: str, policy_id: str, facet: Facet) -> Button:
    return Button(
        title=title,
        payload=payload("ask_policy_detail", policy_id=policy_id, asked_facet=facet.value),
    )


def _policy_button(policy: Policy, facet: Facet | None = None) -> Button:
    asked = {"asked_facet": facet.value} if facet else {}
    return Button(
        title=policy.title, payload=payload("ask_policy_detail", policy_id=policy.id, **asked)
    )


def payload(intent: str, **entities: Any) -> str:
    """What a button sends: Rasa's own short form of an intent with entities."""
    return f"/{intent}{json.dumps(entities, ensure_ascii=False)}" if entities else f"/{intent}"
