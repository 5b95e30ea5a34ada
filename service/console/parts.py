"""What the console needs of the product it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.live import Live
from service.db import Database
from service.settings import Settings


@dataclass(frozen=True)
class ConsoleParts:
    """Handed in once when the console is mounted; pages find it in their seat."""

    settings: Settings
    database: Database
    live: Live
