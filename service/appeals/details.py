"""Says what each kind of event carries besides its note; the hash of the chain covers it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.appeals.models import EventKind

Detail = Mapping[str, Any]

_STATE_CHANGE: Mapping[str, type] = {
    "by": str,  # the name of who did it, as it was then
    "days": int,  # working days given (filed, reopened)
    "hours": str,  # the hours they are counted in (filed, reopened)
    "department": str,  # the lead (dispatched, escalated)
    "co": list,  # those that assist it
    "arbitrated": bool,  # the centre decided; it cannot be sent back
    "leader": str,  # the district leader asked (escalated)
    "basis": str,  # what an explanation rests on
    "category": str,  # why it was refused
    "where": str,  # where to go instead
    "on_spot": bool,  # rule 1
    "automatic": bool,  # closed because nobody reacted
    "solved": bool,  # what the requester said (closed, reopened)
}
KEYS: Mapping[EventKind, Mapping[str, type]] = {
    EventKind.MOVED: _STATE_CHANGE,
    EventKind.JOINED: {},
    EventKind.SUPPLEMENTED: {},
    EventKind.REDIRECTED: {"by": str, "department": str, "co": list},
    EventKind.PAUSED: {"by": str, "reason": str},
    EventKind.RESUMED: {"by": str, "because": str},
    EventKind.EXTENSION_ASKED: {"by": str, "days": int},
    EventKind.EXTENDED: {"by": str, "days": int},
    EventKind.EXTENSION_DENIED: {"by": str},
    EventKind.COMMON: {"by": str, "department": str, "co": list},
    EventKind.WARNED: {"warning": str, "round": int, "to": str},
    EventKind.NOTED: {"by": str},
    EventKind.RATED: {"by": str, "satisfied": int},
}


class DetailInvalid(Exception):
    """Code tried to store a detail its kind of event does not have."""


def checked(kind: EventKind, detail: Detail | None) -> dict[str, Any] | None:
    """The detail as it is stored, without what is absent; ``None`` when nothing is left."""
    kept = {key: value for key, value in (detail or {}).items() if value is not None}
    for key, value in kept.items():
        wanted = KEYS[kind].get(key)
        if wanted is None or type(value) is not wanted:
            raise DetailInvalid(f"{kind}: {key} of type {type(value).__name__} is not expected")
    return kept or None
