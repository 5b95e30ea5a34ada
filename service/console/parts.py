"""What the console needs of the product it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from knowledge.live import Live
from service.conversations.turns import Delivery
from service.db import Database
from service.handoff.feed import StaffFeed
from service.settings import Settings


@dataclass(frozen=True)
class ConsoleParts:
    """Handed in once when the console is mounted; pages find it in their seat.

    ``posted`` hands replies that were just stored to the visitor's open streams.
    """

    settings: Settings
    database: Database
    live: Live
    feed: StaffFeed
    posted: Callable[[str, list[Delivery]], None]
