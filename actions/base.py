"""The frame every action shares: read the turn, do the work off Rasa's loop, say structured replies."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.context import TurnContext, turn_context
from actions.replies import Reply

Say = Callable[[Reply], None]
Events = list[dict[str, Any]]

# From this confidence on, small talk and off-topic intents are believed.
SURE = 0.75


@dataclass(frozen=True)
class Said:
    """What the person said in this turn, as Rasa understood it.

    ``text`` is normalised and holds a payload when a button was pressed. ``intent`` is the best real intent, also
    when the confidence fell below the fallback threshold.
    """

    text: str
    intent: str | None
    confidence: float
    entities: tuple[Mapping[str, Any], ...]
    slots: Mapping[str, Any]
    context: TurnContext

    @property
    def is_button(self) -> bool:
        return self.text.startswith("/")

    def entity(self, name: str) -> Any:
        """The first value of an entity, ``None`` when the message has none."""
        return next((entity["value"] for entity in self.entities if entity["entity"] == name), None)

    def slot(self, name: str) -> Any:
        return self.slots.get(name)


class TurnAction(Action):  # type: ignore[misc]  # rasa_sdk has no types
    """An action whose work is ordinary blocking code; it runs in a thread so that a slow one delays nobody else."""

    action_name: str

    def name(self) -> str:
        return self.action_name

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        said = _read(tracker)

        def say(reply: Reply) -> None:
            dispatcher.utter_message(json_message=reply.model_dump(mode="json"))

        try:
            return await asyncio.to_thread(self.act, said, say)
        except Exception as error:
            said.context.failures.append(f"{self.action_name}: {type(error).__name__}: {error}")
            raise

    @abstractmethod
    def act(self, said: Said, say: Say) -> Events:
        """Says at least one reply and returns the events to keep."""


def _read(tracker: Tracker) -> Said:
    message = tracker.latest_message
    intent, confidence = best_intent(message)
    return Said(
        text=message.get("text") or "",
        intent=intent,
        confidence=confidence,
        entities=tuple(message.get("entities") or ()),
        slots=tracker.slots,
        context=turn_context.get(),
    )


def best_intent(message: Mapping[str, Any]) -> tuple[str | None, float]:
    """The likeliest real intent of a parsed message and its confidence (0-1), whatever the fallback decided."""
    ranking = [
        entry
        for entry in message.get("intent_ranking") or []
        if entry.get("name") != "nlu_fallback"
    ]
    best = ranking[0] if ranking else message.get("intent") or {}
    return best.get("name"), float(best.get("confidence") or 0.0)
