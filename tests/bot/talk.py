"""A conversation with the real bot, for tests: keeps the state between the turns."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from itertools import count
from uuid import uuid4

from actions.replies import Reply, ReplyKind
from bot.runtime import TURN_LIMIT_S, BotRuntime
from bot.turn import Turn, TurnResult

TODAY = date(2026, 11, 23)


@dataclass
class Talk:
    """One session. ``say`` types a text, ``press`` sends a payload the way an offered button does."""

    bot: BotRuntime
    session: str = field(default_factory=lambda: f"s-{uuid4().hex}")
    state: str | None = None
    last: TurnResult | None = None
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def say(self, text: str, timeout_s: float = TURN_LIMIT_S) -> TurnResult:
        return self._turn(text, False, timeout_s)

    def press(self, title: str) -> TurnResult:
        """Presses the button of that title in the last turn; ``KeyError`` when none was offered."""
        assert self.last is not None
        offered = {b.title: b.payload for reply in self.last.replies for b in reply.buttons}
        return self.send(offered[title])

    def send(self, payload: str) -> TurnResult:
        return self._turn(payload, True, TURN_LIMIT_S)

    def _turn(self, text: str, is_button: bool, timeout_s: float) -> TurnResult:
        message_id = f"{self.session}-{next(self._numbers)}"
        turn = Turn(self.session, message_id, text, TODAY, self.state, is_button)
        self.last = self.bot.turn(turn, timeout_s)
        self.state = self.last.state
        return self.last


def text_of(result: TurnResult) -> str:
    """All that was said in the turn, one reply a paragraph."""
    return "\n\n".join(reply.text for reply in result.replies)


def kinds_of(result: TurnResult) -> list[ReplyKind]:
    return [reply.kind for reply in result.replies]


def only(result: TurnResult, kind: ReplyKind) -> Reply:
    """The one reply of that kind."""
    (reply,) = [reply for reply in result.replies if reply.kind is kind]
    return reply
