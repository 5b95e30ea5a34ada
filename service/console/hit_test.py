"""Shows what the bot would answer to a question on a day, and what it weighed to get there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date
from enum import StrEnum

from pydantic import BaseModel

from actions.replies import Reply, ReplyKind
from bot.turn import BotError, TurnResult
from knowledge.answer import Answerer
from knowledge.outcome import Answer, Refusal
from knowledge.policy import Status
from knowledge.question import read_question
from knowledge.retrieval import Hit, Retriever
from nlu.normalise import normalise
from service.rehearsal_desk import NotRehearsed

Rehearse = Callable[[str, date], TurnResult]

_CLAUSES_OF_FIRST = 5
_CLAUSES_OF_OTHERS = 2


class Decision(StrEnum):
    """What the bot does with the question. ``OTHER``: it takes it for no question about policies."""

    ANSWER = "answer"
    CLARIFY = "clarify"
    REFUSE = "refuse"
    OTHER = "other"


class RankedClause(BaseModel):
    """A clause and why it was found: BM25, cosine (absent without an encoder), the words it shares."""

    id: str
    label: str
    text: str
    score: float
    cosine: float | None
    matched: list[str]
    is_cited: bool


class RankedPolicy(BaseModel):
    """A policy considered, with its best clauses; ``chance`` (0-1) that it answers the question."""

    policy_id: str
    title: str
    status: Status
    chance: float
    score: float
    cosine: float | None
    matched: list[str]
    clauses: list[RankedClause]


class PartOut(BaseModel):
    """One question of the message: what the catalogue makes of it, and the policies weighed, best first."""

    question: str
    decision: Decision
    refusal: Refusal | None
    chance: float
    ranking: list[RankedPolicy]


class HitTest(BaseModel):
    """The bot's own turn (``replies``, ``cited`` clause ids, ``intent``) beside the search behind it.

    ``answer_from`` and ``clarify_from`` are the chances from which it answers and asks back.
    ``problem`` says why there are no replies.
    """

    text: str
    as_of: date
    decision: Decision
    intent: str | None
    confidence: float
    chance: float
    answer_from: float
    clarify_from: float
    replies: list[Reply]
    cited: list[str]
    parts: list[PartOut]
    problem: str | None = None


def hit_test(answerer: Answerer, rehearse: Rehearse, text: str, as_of: date) -> HitTest:
    """Runs the bot's own turn, and the same search through the answerer in force."""
    turn, problem = None, None
    try:
        turn = rehearse(text, as_of)
    except NotRehearsed:
        problem = "这句话会让小福去办事（转人工、撤回诉求等），试问时不执行。"
    except BotError:
        problem = "小福这次没有答出来，请再试一次。"
    cited = list(dict.fromkeys(clause for clause, _ in turn.trace.sources)) if turn else []
    answers = answerer.answers(normalise(text).text, as_of)
    replies = list(turn.replies) if turn else []
    cuts = answerer.retriever.cuts
    return HitTest(
        text=text,
        as_of=as_of,
        decision=_decision(replies),
        intent=turn.trace.intent if turn else None,
        confidence=turn.trace.confidence if turn else 0.0,
        chance=answers[0].chance,
        answer_from=cuts.answer_from,
        clarify_from=cuts.clarify_from,
        replies=replies,
        cited=cited,
        parts=[_part(answer, answerer.retriever, as_of, cited) for answer in answers],
        problem=problem,
    )


def _decision(replies: Sequence[Reply]) -> Decision:
    kinds = {reply.kind for reply in replies}
    if ReplyKind.ANSWER in kinds:
        return Decision.ANSWER
    if ReplyKind.REFUSAL in kinds:
        return Decision.REFUSE
    return Decision.CLARIFY if ReplyKind.QUESTION in kinds else Decision.OTHER


def _part(answer: Answer, retriever: Retriever, as_of: date, cited: Collection[str]) -> PartOut:
    found = answer.refusal
    asks = found is not None and (found is Refusal.UNCLEAR or not found.needs_clerk)
    refused = Decision.CLARIFY if asks else Decision.REFUSE
    return PartOut(
        question=answer.question,
        decision=refused if found else Decision.ANSWER,
        refusal=found,
        chance=answer.chance,
        ranking=[
            _policy(hit, retriever, answer.question, as_of, cited, is_first=number == 0)
            for number, hit in enumerate(answer.candidates)
        ],
    )


def _policy(
    hit: Hit,
    retriever: Retriever,
    text: str,
    as_of: date,
    cited: Collection[str],
    is_first: bool,
) -> RankedPolicy:
    most = _CLAUSES_OF_FIRST if is_first else _CLAUSES_OF_OTHERS
    clauses = retriever.clauses(read_question(text), hit.policy.id, most)
    return RankedPolicy(
        policy_id=hit.policy.id,
        title=hit.policy.title,
        status=hit.policy.status_on(as_of),
        chance=hit.chance,
        score=hit.score,
        cosine=hit.cosine,
        matched=list(hit.matched),
        clauses=[
            RankedClause(
                id=each.clause.id,
                label=each.clause.label,
                text=each.clause.text,
                score=each.score,
                cosine=each.cosine,
                matched=list(each.matched),
                is_cited=each.clause.id in cited,
            )
            for each in clauses
        ],
    )
