"""Plays labelled questions to the real bot, as `qifu eval qa` and the tests need it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from datetime import date

from actions.replies import Button, Reply, ReplyKind
from bot.runtime import BotRuntime
from bot.turn import Turn, TurnFailed, TurnResult, TurnTimeout
from knowledge.evaluate import CitedClause, Outcome
from knowledge.labels import LabelledQuestion

_ASSERTING = frozenset({ReplyKind.ANSWER, ReplyKind.MATCH})
_OFFER = re.compile(r"/ask_policy_detail(\{.*\})", re.DOTALL)


def responder(bot: BotRuntime, as_of: date) -> Callable[[LabelledQuestion], Outcome]:
    """Answers each question in a conversation of its own, after replaying what the person said before.

    A question is asked on its own day, on ``as_of`` when it names none. A turn that fails brings an outcome that
    says so; the evaluation goes on.
    """
    count = 0

    def respond(question: LabelledQuestion) -> Outcome:
        nonlocal count
        count += 1
        session, state = f"eval-{count}", None
        day = question.as_of or as_of
        started = time.perf_counter()
        try:
            for number, said in enumerate(turn for turn in question.context if turn.is_person):
                state = bot.turn(Turn(session, f"{session}-{number}", said.text, day, state)).state
            started = time.perf_counter()
            result = bot.turn(Turn(session, f"{session}-question", question.text, day, state))
        except (TurnFailed, TurnTimeout) as error:
            return _failed(error, _ms_since(started))
        return outcome_of(result, _ms_since(started))

    return respond


def outcome_of(result: TurnResult, latency_ms: float) -> Outcome:
    """What a turn asserted. The policies an answer cites count before those it only considered."""
    asserting = [reply for reply in result.replies if reply.kind in _ASSERTING]
    asking = [reply for reply in result.replies if reply.kind is ReplyKind.QUESTION]
    cited = [citation.policy_id for reply in asserting for citation in reply.citations]
    considered = [policy_id for policy_id, _ in result.trace.candidates]
    return Outcome(
        text="\n".join(reply.text for reply in result.replies),
        citations=tuple(citation for reply in asserting for citation in _cited(reply)),
        policies=tuple(dict.fromkeys([*cited, *considered])) if asserting else (),
        refused=not asserting,
        intent=result.trace.intent,
        latency_ms=latency_ms,
        asked_back=bool(asking),
        offered=tuple(dict.fromkeys(id for reply in asking for id in offered_policies(reply))),
        considered=tuple(considered),
        # The trace tells the chance once the dialogue passes it on; until then none is told.
        chance=result.trace.chance,
    )


def offered_policies(reply: Reply) -> list[str]:
    """The policies a counter-question lets the person choose from, in their order.

    None for a reply that cites something: that one asserts, and its buttons only lead on.
    """
    return [] if reply.citations else list(_named(reply.buttons))


def _named(buttons: Iterable[Button]) -> Iterable[str]:
    for button in buttons:
        match = _OFFER.fullmatch(button.payload)
        if match:
            policy_id = json.loads(match[1]).get("policy_id")
            if isinstance(policy_id, str):
                yield policy_id


def _cited(reply: Reply) -> list[CitedClause]:
    return [CitedClause(c.policy_id, c.title, c.clause, c.quote, c.status) for c in reply.citations]


def _failed(error: Exception, latency_ms: float) -> Outcome:
    return Outcome("", (), (), True, None, latency_ms, error=f"{type(error).__name__}: {error}")


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1e3
