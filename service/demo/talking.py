"""Plays the demo's conversations: real turns of the bot, real changes of owner, at moments in the past."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import uuid4

from bot.runtime import BotRuntime
from bot.turn import Turn
from service.conversations.operations import Backlog, Incoming, record
from service.conversations.turns import Claim, Lease, Outcome, finish
from service.conversations.worker import holder_name
from service.db import Database
from service.demo.clock import SetClock, WorkingDays
from service.demo.people import place
from service.demo.script import Line, Talk
from service.demo.standing import BY
from service.handoff import messages, routing, taking
from service.settings import Settings
from service.staff.permissions import Role, Staff

_TURN_LIMIT_S = 60.0  # a busy machine must not cost the demo a turn
_THINKING = timedelta(seconds=2)
_BACKLOG = Backlog(1000, 100)

Answer = Callable[[Claim], Outcome]


class Stage:
    """Where conversations are played."""

    def __init__(
        self, settings: Settings, database: Database, bot: BotRuntime, clock: SetClock,
        staff: Mapping[str, Staff], days: WorkingDays, now: datetime,
    ) -> None:  # fmt: skip
        self._settings, self._database, self._bot, self._clock = settings, database, bot, clock
        self._staff, self._days, self._now = staff, days, now
        self._holder = holder_name()

    def play(self, talk: Talk) -> None:
        """One conversation from its first line to its last."""
        if talk.days_ago is not None:
            at = self._days.ago(talk.days_ago)
        else:
            at = self._now - timedelta(minutes=talk.minutes_ago or 0)
        for number, line in enumerate(talk.lines):
            at = min(at + timedelta(minutes=line.after if number else 0), self._now - _THINKING)
            self._happen(talk.id, line, at)
            if number == 0:
                with self._database.session() as db:
                    place(db, talk.id, talk.group, talk.enterprise, BY, self._now)

    def say(
        self, conversation_id: str, text: str, at: datetime, answer: Answer | None = None
    ) -> str:
        """Something the visitor writes, answered by the bot (or ``answer``) where the bot has it; its id."""
        incoming = Incoming(conversation_id, uuid4().hex, uuid4().hex, text)
        lease = Lease(self._holder, at + _THINKING)
        with self._clock.at(at), self._database.session() as db:
            claim = record(db, incoming, lease, _BACKLOG, at).claim
        if claim is not None:
            with self._clock.at(at):
                outcome = (answer or self._turn)(claim)
            with self._database.session() as db:
                finish(db, claim, outcome, lease, at + _THINKING)
        return incoming.message_id

    def _turn(self, claim: Claim) -> Outcome:
        turn = Turn(
            session=claim.conversation_id,
            message_id=claim.message_id,
            text=claim.text,
            as_of=self._settings.today(),
            state=claim.state,
            is_button=claim.is_button,
        )
        result = self._bot.turn(turn, _TURN_LIMIT_S)
        return Outcome(result.replies, result.state, result.trace)

    def _happen(self, name: str, line: Line, at: datetime) -> None:
        if line.say is not None:
            self._be_there(at)
            self.say(name, line.say, at)
            return
        who = self._staff[line.by or line.claim or line.release or line.close or ""]
        with self._database.session() as db:
            if line.claim:
                taking.claim(db, name, who, at)
            elif line.release:
                taking.release(db, name, who, at)
            elif line.close:
                taking.close(db, name, who, at)
            elif line.send:
                messages.send(db, name, who, line.send, uuid4().hex, at)
            elif line.note:
                messages.add_note(db, name, who, line.note, uuid4().hex, at)
            messages.mark_read(db, name, who, at)

    def _be_there(self, at: datetime) -> None:
        """Commissioners are at their desks, so that somebody asked for is waited for at any hour."""
        with self._database.session() as db:
            for who in self._staff.values():
                if who.role is Role.COMMISSIONER:
                    routing.set_presence(db, who.id, who.name, True, at)
