"""The ownership of conversations against a model of it, over random orders of events."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from service.conversations.models import Owner
from service.db import Database
from service.staff.permissions import Staff
from tests.service.handoff.world import EVENTS, STAFF, World, drive


def test_ten_thousand_random_events_keep_every_promise(sqlite_database: Database) -> None:
    world = drive(sqlite_database, 10_000, seed=20261123)
    assert {owner for owner, _ in world.owners.values()}  # the run did change hands
    assert sum(world.versions.values()) > 1000
    assert world.filed and world.sent


def test_random_events_with_races_of_claimers(database: Database) -> None:
    world = drive(database, 400, seed=7, races=0.1)
    assert sum(world.versions.values()) > 50


class Ownership(RuleBasedStateMachine):
    """Looks for the shortest order of events that breaks a promise."""

    names = ("a", "b")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = Database.open(f"sqlite:///{Path(self.folder.name) / 'd.db'}")
        self.world = World(self.database, self.names)

    @rule(event=st.sampled_from(EVENTS), name=st.sampled_from(names), staff=st.sampled_from(STAFF))
    def happens(self, event: str, name: str, staff: Staff) -> None:
        self.world.step(event, name, staff)

    @rule(name=st.sampled_from(names))
    def asks_for_a_person(self, name: str) -> None:
        """Said, asked and ended in one go: by chance alone it is rare."""
        self.world.step("say", name, STAFF[0])
        self.world.step("ask", name, STAFF[0])
        self.world.step("finish", name, STAFF[0])

    @rule(name=st.sampled_from(names))
    def is_raced_for(self, name: str) -> None:
        if name in self.world.said and self.world.owners.get(name, (Owner.BOT,))[0] != Owner.PERSON:
            self.world.race(name)

    @invariant()
    def every_promise_holds(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()


TestOwnership = Ownership.TestCase
TestOwnership.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
