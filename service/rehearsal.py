"""Plays labelled questions to the real bot, as `qifu eval qa` and the tests need it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date

from actions.replies import Reply, ReplyKind
from bot.runtime import BotRuntime
from bot.turn import Turn, TurnResult
from knowledge.evaluate import CitedClause, Outcome
from knowledge.labels import LabelledQuestion

_ASSERTING = frozenset({ReplyKind.ANSWER, ReplyKind.MATCH})


def responder(bot: BotRuntime, as_of: date) -> Callable[[LabelledQuestion], Outcome]:
    """Answers each question in a conversation of its own, after replaying what the person said before."""
    count = 0

    def respond(question: LabelledQuestion) -> Outcome:
        nonlocal count
        count += 1
        session, state = f"eval-{count}", None
        for number, said in enumerate(turn for turn in question.context if turn.is_person):
            state = bot.turn(Turn(session, f"{session}-{number}", said.text, as_of, state)).state
        started = time.perf_counter()
        result = bot.turn(Turn(session, f"{session}-question", question.text, as_of, state))
        return outcome_of(result, (time.perf_counter() - started) * 1e3)

    return respond


def outcome_of(result: TurnResult, latency_ms: float) -> Outcome:
    """What a turn asserted. The policy an answer cites first counts as its first choice."""
    asserting = [reply for reply in result.replies if reply.kind in _ASSERTING]
    cited = [citation.policy_id for reply in asserting for citation in reply.citations]
    ranked = [policy_id for policy_id, _ in result.trace.candidates] if asserting else []
    return Outcome(
        text="\n".join(reply.text for reply in result.replies),
        citations=tuple(citation for reply in asserting for citation in _cited(reply)),
        policies=tuple(dict.fromkeys([*cited[:1], *ranked])),
        refused=not asserting,
        intent=result.trace.intent,
        latency_ms=latency_ms,
    )


def _cited(reply: Reply) -> list[CitedClause]:
    return [CitedClause(c.policy_id, c.title, c.clause, c.quote) for c in reply.citations]
