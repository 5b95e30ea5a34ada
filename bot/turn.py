"""One turn of the dialogue as data: what goes into the bot, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from actions.replies import Reply


@dataclass(frozen=True)
class Turn:
    """One message for the bot.

    ``session`` names the conversation (1-64 characters of ``[A-Za-z0-9_-]``). ``message_id`` identifies the message
    for ever, so that a turn run twice files nothing twice. ``state`` is what the last turn of this session returned,
    ``None`` for the first. ``is_button`` says that ``text`` is a payload this service offered; only then may it
    begin with ``/``.
    """

    session: str
    message_id: str
    text: str
    as_of: date
    state: str | None = None
    is_button: bool = False
    channel: str = "web"


@dataclass(frozen=True)
class TurnTrace:
    """Why the bot said what it said: the intent (0-1 confidence) and the policies considered, best first.

    ``sources`` are the clauses its answers rest on (clause id, ``Clause.hash``), each once. ``chance`` (0-1) is
    how likely the first policy answers, absent where the catalogue was not asked.
    """

    intent: str | None = None
    confidence: float = 0.0
    candidates: tuple[tuple[str, float], ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    chance: float | None = None


@dataclass(frozen=True)
class TurnResult:
    """What one turn produced: at least one reply, and the dialogue state to hand to the next turn."""

    replies: tuple[Reply, ...]
    state: str
    trace: TurnTrace = field(default_factory=TurnTrace)


class BotError(Exception):
    """Everything the bot raises.

    BotError
    ├── TurnFailed      the turn raised, or ended without a reply
    ├── TurnTimeout     the turn took longer than its limit
    ├── TrainingFailed  the training data or configuration was rejected
    └── StandInCalled   something called a package that is deliberately absent (bot/compat.py)
    """


class TurnFailed(BotError):
    """The turn raised or ended silent; nothing of it was kept."""


class TurnTimeout(BotError):
    """The turn did not end within its limit; nothing of it was kept."""


class TrainingFailed(BotError):
    """Training stopped; the message names the file or setting."""


class StandInCalled(BotError):
    """A stand-in for an absent package was called for real; the message names it."""
