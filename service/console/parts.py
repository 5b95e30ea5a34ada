"""What the console needs of the product it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field

from knowledge.live import Live
from service.console.hit_test import Rehearse
from service.console.queries_dashboard import Figures
from service.db import Database
from service.enterprises.names import NameIndex
from service.settings import Settings


@dataclass(frozen=True)
class ConsoleParts:
    """Handed in once when the console is mounted; pages find it in their seat.

    ``rehearse`` runs one turn of the bot without keeping anything. ``names`` and ``figures`` are
    shared by pages and endpoints.
    """

    settings: Settings
    database: Database
    live: Live
    rehearse: Rehearse
    names: NameIndex = field(default_factory=NameIndex)
    figures: Figures = field(default_factory=Figures)
