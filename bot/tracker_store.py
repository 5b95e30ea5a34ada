"""Holds the dialogue state of the turn being run, cut so that a long conversation costs no more than a short one.

Rasa's own SQL store speaks SQLAlchemy 1.4 and keeps every event for ever. Here the state is one short text that goes
into a turn and comes out of it; whoever runs the turn stores it together with the replies, in one transaction.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from typing import TYPE_CHECKING

from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
    deserialise_events,
)
from rasa.shared.core.trackers import DialogueStateTracker

if TYPE_CHECKING:
    from rasa.shared.core.domain import Domain

current_state: ContextVar[str | None] = ContextVar("current_state", default=None)
saved_tracker: ContextVar[DialogueStateTracker | None] = ContextVar("saved_tracker", default=None)


class TurnTrackerStore(TrackerStore):  # type: ignore[misc]  # rasa has no types
    """Reads the state of the turn that runs in the current context, and keeps the tracker it ends with."""

    def __init__(self, domain: Domain | None) -> None:
        super().__init__(domain)

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        tracker = saved_tracker.get()
        if tracker is not None:
            return tracker
        state = current_state.get()
        if state is None:
            return None
        return read_state(sender_id, state, self.domain)

    async def save(self, tracker: DialogueStateTracker) -> None:
        saved_tracker.set(tracker)

    async def keys(self) -> list[str]:
        return []


def write_state(tracker: DialogueStateTracker) -> str:
    """The events a rule-driven dialogue needs to go on, as JSON: slots, the open form, the last turn.

    What the bot said is left out: rules never read it, and it is most of the bulk.
    """
    form, last_turn = _last_turn(list(tracker.applied_events()))
    events: list[Event] = [
        ActionExecuted(ACTION_SESSION_START_NAME),
        SessionStarted(),
        *(
            SlotSet(slot.name, slot.value)
            for slot in tracker.slots.values()
            if slot.value is not None
        ),
        *([ActiveLoop(form)] if form else []),
        ActionExecuted(ACTION_LISTEN_NAME),
        *last_turn,
    ]
    return json.dumps([event.as_dict() for event in events], ensure_ascii=False)


def read_state(sender_id: str, state: str, domain: Domain) -> DialogueStateTracker:
    """The tracker that ``write_state`` put down."""
    events = deserialise_events(json.loads(state))
    return DialogueStateTracker.from_events(sender_id, events, slots=domain.slots, domain=domain)


def _last_turn(events: list[Event]) -> tuple[str | None, list[Event]]:
    """The form that was open when the last message came, and the events since then."""
    start = next(
        (i for i in reversed(range(len(events))) if isinstance(events[i], UserUttered)),
        len(events),
    )
    opened = [event.name for event in events[:start] if isinstance(event, ActiveLoop)]
    kept = [event for event in events[start:] if not isinstance(event, BotUttered | SlotSet)]
    return (opened[-1] if opened else None), kept
