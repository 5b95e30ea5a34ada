"""What an action may know of the turn it runs in, beyond the tracker that Rasa gives it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class TurnContext:
    """The turn in progress.

    ``candidates`` is a list that actions fill with the policies they considered (id, score; best first),
    ``chances`` one with how likely (0-1) the first of them answers, ``sources`` one with the clauses their answers rest on (clause id, clause hash), ``failures`` one with what went
    wrong, because Rasa itself drops the error of an action.
    """

    session: str
    message_id: str
    as_of: date
    candidates: list[tuple[str, float]] = field(default_factory=list)
    chances: list[float] = field(default_factory=list)
    sources: list[tuple[str, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


turn_context: ContextVar[TurnContext] = ContextVar("turn_context")
