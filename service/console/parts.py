"""What the console needs of the product it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from knowledge.live import Live
from service.appeals.clock import Hours
from service.common_issues.likeness import Meaning
from service.console.hit_test import Rehearse
from service.console.queries_dashboard import Figures
from service.conversations.turns import Delivery
from service.db import Database
from service.debt.routes import DebtParts
from service.enterprises.names import NameIndex
from service.handoff.board import Board
from service.handoff.feed import StaffFeed
from service.settings import Settings


@dataclass(frozen=True)
class ConsoleParts:
    """Handed in once when the console is mounted; pages find it in their seat.

    ``rehearse`` runs one turn of the bot without keeping anything. ``posted`` hands replies that were
    just stored to the visitor's open streams. ``hours`` are those appeals are counted in, ``meaning``
    what common issues are told by. ``board`` keeps what the inboxes show; the feed tells it of changes
    first. ``is_demo``: the data are made up, and every page says so. ``names`` and ``figures`` are
    shared by pages and endpoints.
    """

    settings: Settings
    database: Database
    live: Live
    rehearse: Rehearse
    feed: StaffFeed
    posted: Callable[[str, Sequence[Delivery]], None]
    hours: Callable[[], Hours]
    meaning: Meaning
    debt: DebtParts
    is_demo: bool = False
    board: Board = field(default_factory=Board)
    names: NameIndex = field(default_factory=NameIndex)
    figures: Figures = field(default_factory=Figures)

    def __post_init__(self) -> None:
        self.feed.before_telling(self.board.take)
