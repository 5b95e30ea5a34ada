"""Runs one action on one message, without Rasa, for tests of single actions."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from actions.base import Said, TurnAction
from actions.context import TurnContext
from actions.replies import Reply, ReplyKind
from tests.bot.talk import TODAY

_numbers = count(1)


@dataclass
class Heard:
    """What an action said and did: replies, the slots it set, the form it opened (``None``: none)."""

    context: TurnContext
    replies: list[Reply] = field(default_factory=list)
    slots: dict[str, Any] = field(default_factory=dict)
    follow_up: str | None = None

    @property
    def kinds(self) -> list[ReplyKind]:
        return [reply.kind for reply in self.replies]

    @property
    def text(self) -> str:
        return "\n\n".join(reply.text for reply in self.replies)

    @property
    def buttons(self) -> dict[str, str]:
        """Payloads by title."""
        return {b.title: b.payload for reply in self.replies for b in reply.buttons}


def hear(
    action: TurnAction,
    text: str,
    *,
    intent: str | None = None,
    confidence: float = 0.9,
    session: str = "s",
    message_id: str | None = None,
    slots: dict[str, Any] | None = None,
    **entities: Any,
) -> Heard:
    """One turn of ``action``; a new message each time unless ``message_id`` is given."""
    context = TurnContext(session, message_id or f"m{next(_numbers)}", TODAY)
    found = tuple({"entity": name, "value": value} for name, value in entities.items())
    said = Said(text, intent, confidence, found, slots or {}, context)
    heard = Heard(context)
    for event in action.act(said, heard.replies.append):
        if event["event"] == "slot":
            heard.slots[event["name"]] = event["value"]
        else:
            assert event["event"] == "followup"
            heard.follow_up = event["name"]
    return heard
