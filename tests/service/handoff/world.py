"""A whole desk in one object: every event that can happen to conversations, and what must hold after it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.desk import Appeal, AppealDraft
from actions.replies import Reply
from service.conversations import operations, turns
from service.conversations.models import Message, OutboxRow, Owner, OwnerChange
from service.conversations.operations import Backlog, Incoming
from service.conversations.ownership import ConversationNotFound, OwnedByAnother
from service.conversations.turns import Claim, Lease, Outcome
from service.db import Database
from service.errors import Conflict
from service.handoff import messages, queue, taking
from service.handoff.hours import Rules
from service.handoff.routing import Wanted
from service.handoff.watch import look_after_queue
from service.staff.permissions import Role, Staff

BEGIN = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
RULES = Rules()
STAFF = (
    Staff("li", "李敏", Role.COMMISSIONER),
    Staff("wang", "王强", Role.COMMISSIONER),
    Staff("centre", "中心", Role.CENTRE),
)
EVENTS = (
    "say",
    "say_again",
    "ask",
    "cancel",
    "finish",
    "claim",
    "send",
    "send_again",
    "release",
    "transfer",
    "close",
    "wait",
    "restart",
)


@dataclass
class World:
    """``conversations`` are driven by events; a model of who owns them is kept beside.

    ``owners`` is the model: (owner, staff id). ``said`` and ``sent`` are what must be found again, by
    conversation, in order; ``filed`` the appeals of waits given up.
    """

    database: Database
    conversations: tuple[str, ...]
    now: datetime = BEGIN
    generation: int = 0
    claims: dict[str, Claim] = field(default_factory=dict)
    owners: dict[str, tuple[Owner, str | None]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    said: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    sent: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    bot_allowed: dict[str, set[str]] = field(default_factory=dict)
    filed: list[str] = field(default_factory=list)
    count: int = 0

    def step(self, event: str, conversation: str, staff: Staff) -> None:
        """One event; it may be refused, which must then be what the model expects."""
        self.now += timedelta(seconds=7)
        getattr(self, f"_{event}")(conversation, staff)

    # -- the visitor ---------------------------------------------------------------------------

    def _say(self, name: str, _staff: Staff, text: str | None = None, again: bool = False) -> None:
        self.count += 1
        client, words = f"c{self.count}", text or f"第{self.count}句"
        if again:
            client, words = random.Random(self.count).choice(self.said[name])
        incoming = Incoming(name, f"m{self.count}", client, words)
        with self.database.session() as db:
            recorded = operations.record(
                db, incoming, self._lease(), Backlog(10**6, 10**6), self.now
            )
        owner = self._owner(name)[0]
        if not again:
            self.said.setdefault(name, []).append((client, words))
            if owner == Owner.CLOSED or (owner == Owner.QUEUED and words == "取消人工"):
                self._moved(name, Owner.BOT)
        elif recorded.claim:
            raise AssertionError("a repeat was claimed")
        if recorded.claim:
            assert name not in self.claims, "two turns of one conversation at once"
            self.claims[name] = recorded.claim

    def _say_again(self, name: str, staff: Staff) -> None:
        if self.said.get(name):
            self._say(name, staff, again=True)

    def _cancel(self, name: str, staff: Staff) -> None:
        self._say(name, staff, "取消人工")

    # -- the bot -------------------------------------------------------------------------------

    def _ask(self, name: str, _staff: Staff) -> None:
        """The turn in progress asks for a person; it ends with the usual words of the action."""
        claim = self.claims.get(name)
        if claim is None:
            return
        with self.database.session() as db:
            asked = queue.ask_for_person(
                db, name, claim.message_id, Wanted("转人工"), RULES, self.now
            ).asked
        if self._owner(name)[0] == Owner.BOT and asked is queue.Asked.QUEUED:
            self._moved(name, Owner.QUEUED)
        else:
            assert asked is not queue.Asked.QUEUED

    def _finish(self, name: str, _staff: Staff) -> None:
        claim = self.claims.pop(name, None)
        if claim is None:
            return
        outcome = Outcome([Reply(text=f"答{claim.message_id}")], f"state{claim.seq}")
        may_speak = self._owner(name)[0] == Owner.BOT and claim.owner_version == self.versions.get(
            name, 0
        )
        with self.database.session() as db:
            finished = turns.finish(db, claim, outcome, self._lease(), self.now)
        assert finished.answer is not None
        if may_speak:
            self.bot_allowed.setdefault(name, set()).add(claim.message_id)
        if finished.next:
            assert self._owner(name)[0] == Owner.BOT
            self.claims[name] = finished.next

    def _restart(self, _name: str, _staff: Staff) -> None:
        """The process dies with its turns and another takes up what is left."""
        self.claims.clear()
        self.generation += 1
        self.now += timedelta(minutes=2)
        with self.database.session() as db:
            claims = turns.claim_waiting(db, self._lease(), self.now, 100)
        for claim in claims:
            assert self._owner(claim.conversation_id)[0] == Owner.BOT
            self.claims[claim.conversation_id] = claim

    # -- the desk ------------------------------------------------------------------------------

    def _claim(self, name: str, staff: Staff) -> None:
        owner, holder = self._owner(name)
        is_free = owner != Owner.PERSON
        may = is_free or holder == staff.id
        if self._try(lambda db: taking.claim(db, name, staff, self.now), may) and is_free:
            self._moved(name, Owner.PERSON, staff.id)

    def _send(self, name: str, staff: Staff, again: bool = False) -> None:
        self.count += 1
        client, words = f"s{self.count}", f"专员说{self.count}"
        mine = [each for each in self.sent.get(name, []) if each[0].startswith(staff.id)]
        if again:
            if not mine:
                return
            client, words = mine[-1][0].partition(":")[2], mine[-1][1]
        may = again or self._owner(name) == (Owner.PERSON, staff.id)
        was_sent = self._try(
            lambda db: messages.send(db, name, staff, words, client, self.now), may
        )
        if was_sent and not again:
            self.sent.setdefault(name, []).append((f"{staff.id}:{client}", words))

    def _send_again(self, name: str, staff: Staff) -> None:
        self._send(name, staff, again=True)

    def _release(self, name: str, staff: Staff) -> None:
        if self._try(
            lambda db: taking.release(db, name, staff, self.now), self._may_give(name, staff)
        ):
            self._moved(name, Owner.BOT)

    def _transfer(self, name: str, staff: Staff) -> None:
        to = next(each for each in STAFF if each != staff)
        may = self._may_give(name, staff) and self._owner(name)[1] != to.id
        if self._try(lambda db: taking.transfer(db, name, staff, to, self.now), may):
            self._moved(name, Owner.PERSON, to.id)

    def _close(self, name: str, staff: Staff) -> None:
        owner = self._owner(name)[0]
        may = owner in (Owner.BOT, Owner.QUEUED) or self._may_give(name, staff)
        if self._try(lambda db: taking.close(db, name, staff, self.now), may):
            self._moved(name, Owner.CLOSED)

    def _wait(self, _name: str, _staff: Staff) -> None:
        """Time passes within the day's hours, and the watch looks, twice."""
        self.now += timedelta(minutes=5)
        if self.now > BEGIN + timedelta(hours=2, minutes=30):
            self.now += timedelta(days=1) - (self.now - BEGIN) % timedelta(days=1)
            while self.now.weekday() > 4:
                self.now += timedelta(days=1)
        waiting = [n for n, (owner, _) in self.owners.items() if owner == Owner.QUEUED]
        ended = look_after_queue(self.database, self._prepare, RULES, self.now)
        assert look_after_queue(self.database, self._prepare, RULES, self.now) == []
        for each in ended:
            assert each.conversation_id in waiting
            self._moved(each.conversation_id, Owner.BOT)

    def race(self, name: str) -> None:
        """Everybody claims at the same moment; one gets it, the others are told who."""
        if self._owner(name)[0] == Owner.PERSON or name not in self.said:
            return
        start = Barrier(len(STAFF))
        won: list[Staff] = []
        told: list[str] = []

        def claim(staff: Staff) -> None:
            start.wait()
            try:
                with self.database.session() as db:
                    taking.claim(db, name, staff, self.now)
                won.append(staff)
            except OwnedByAnother as lost:
                told.append(lost.message)

        threads = [Thread(target=claim, args=(staff,)) for staff in STAFF]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1, won
        assert told == [f"{won[0].name}正在服务这个会话。"] * (len(STAFF) - 1)
        self._moved(name, Owner.PERSON, won[0].id)

    # -- the model -----------------------------------------------------------------------------

    def _owner(self, name: str) -> tuple[Owner, str | None]:
        return self.owners.get(name, (Owner.BOT, None))

    def _moved(self, name: str, owner: Owner, staff: str | None = None) -> None:
        self.owners[name] = (owner, staff)
        self.versions[name] = self.versions.get(name, 0) + 1

    def _may_give(self, name: str, staff: Staff) -> bool:
        owner, holder = self._owner(name)
        return owner == Owner.PERSON and (holder == staff.id or staff.role is Role.CENTRE)

    def _try(self, operation: Callable[[Session], object], may: bool) -> bool:
        try:
            with self.database.session() as db:
                operation(db)
        except (Conflict, ConversationNotFound) as refused:
            assert not may or isinstance(refused, ConversationNotFound), refused
            return False
        assert may, "what must be refused was done"
        return True

    def _lease(self) -> Lease:
        return Lease(f"here:1:{self.generation}", self.now + timedelta(seconds=30))

    def _prepare(self, draft: AppealDraft) -> Callable[[Session], Appeal]:
        def file(_db: Session) -> Appeal:
            self.filed.append(draft.message_id)
            return Appeal(f"FT-{len(self.filed)}", "dispatched", "企服中心", self.now, draft.matter)

        return file

    # -- what must hold ------------------------------------------------------------------------

    def check(self) -> None:
        """The promises of the issue, on all that is stored."""
        assert len(set(self.filed)) == len(self.filed), "a wait was filed twice"
        with self.database.reading() as db:
            for name in self.said:
                self._check_one(db, name)

    def _check_one(self, db: Session, name: str) -> None:
        said = db.execute(
            select(Message.client_id, Message.text)
            .where(Message.conversation_id == name)
            .order_by(Message.seq)
        ).all()
        assert [tuple(row) for row in said] == self.said[name], "a message was lost or doubled"
        changes = db.scalars(
            select(OwnerChange)
            .where(OwnerChange.conversation_id == name)
            .order_by(OwnerChange.version)
        ).all()
        told = db.execute(
            select(OutboxRow.id, OutboxRow.body, OutboxRow.message_id)
            .where(OutboxRow.conversation_id == name)
            .order_by(OutboxRow.seq)
        ).all()
        assert [c.version for c in changes] == list(range(1, self.versions.get(name, 0) + 1))
        lines = [row.id for row in told if row.body["kind"] == "handoff"]
        assert lines == [change.line_id for change in changes], "one line a change, in order"
        sent = [row.body["text"] for row in told if row.body["author"] == "person"]
        assert sent == [text for _, text in self.sent.get(name, [])]
        self._check_speakers(told, {change.line_id: change.to_owner for change in changes})
        by_bot = [row.message_id for row in told if row.body["author"] == "bot"]
        assert len(set(by_bot)) == len(by_bot)
        assert set(by_bot) == self.bot_allowed.get(name, set())

    @staticmethod
    def _check_speakers(told: Sequence[Any], handed_to: dict[str, Owner]) -> None:
        owner = Owner.BOT
        for row in told:
            if row.id in handed_to:
                owner = handed_to[row.id]
            elif row.body["author"] == "bot":
                assert owner == Owner.BOT, "the bot spoke while it did not own"
            else:
                assert owner == Owner.PERSON, "a person spoke without owning"


def drive(database: Database, events: int, seed: int, races: float = 0.0) -> World:
    """A world after so many random events, checked now and then and at the end."""
    rng = random.Random(seed)
    world = World(database, tuple(f"w{seed}-{n}" for n in range(6)))
    for number in range(events):
        name = rng.choice(world.conversations)
        if races and rng.random() < races:
            world.race(name)
        else:
            holder = next(
                (s for s in STAFF if s.id == world.owners.get(name, (None, None))[1]), None
            )
            staff = holder if holder and rng.random() < 0.5 else rng.choice(STAFF)
            world.step(rng.choice(EVENTS), name, staff)
        if number % 500 == 499:
            world.check()
    world.check()
    return world
