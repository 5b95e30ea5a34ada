"""Takes turns: one message of a conversation at a time, different conversations side by side.

A turn is claimed in the transaction that records its message, run without any database session,
and stored in a second transaction. Whatever happens in between, the message is answered: by the
bot, else by the fallback, else by one fixed line.
"""

from __future__ import annotations

import os
import queue
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from functools import cache
from typing import Protocol

import structlog
from sqlalchemy.exc import OperationalError

from actions.replies import Author, Reply, ReplyKind
from bot.turn import Turn, TurnFailed, TurnResult
from service.conversations import operations, turns
from service.conversations.stream import Hub
from service.conversations.turns import Claim, Finished, Lease, Outcome
from service.db import Database, utc_now
from service.settings import Settings

log = structlog.get_logger("qifu.worker")

LAST_LINE = "抱歉，系统刚才出了点问题，没能回答您的问题。请稍后再发一次，或联系服务专员。"
_GRACE_S = 2.0
_FALLBACK_LIMIT_S = 6.0
_TRIES_WITH_BOT = 3
_TRIES_WITH_FALLBACK = 5
_LEFTOVERS_PER_POLL = 100
_SENT_PER_UPDATE = 500
_STREAMS_PER_QUERY = 500
_STORE_WAITS_S = (0.2, 0.5, 1.0)

Fallback = Callable[[Turn], Outcome]


class Bot(Protocol):
    """What the service needs of the bot; see ``bot.turn``."""

    def turn(self, turn: Turn, timeout_s: float) -> TurnResult:
        """Runs one turn; ``BotError`` when it fails or takes longer than ``timeout_s``."""
        ...


class Stage(IntEnum):
    """Who is to answer; each failure moves one step down."""

    BOT = 0
    FALLBACK = 1
    LAST_LINE = 2


@dataclass
class Job:
    """A claim on its way through the stages; the thread that runs it loses it when it is overdue.

    ``due`` and ``queued`` are readings of the monotonic clock; ``due`` absent: no limit now.
    """

    claim: Claim
    stage: Stage
    due: float | None = None
    queued: float = field(default_factory=time.monotonic)


@cache
def _process_name() -> str:
    return f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(4)}"


def holder_name() -> str:
    """A new name for a holder of leases: ``host:pid:process:holder``, the last two random."""
    return f"{_process_name()}:{secrets.token_hex(3)}"


def is_dead(holder: str) -> bool:
    """Whether a holder certainly runs no more: its process was on this host and has gone."""
    process = holder.rpartition(":")[0]
    host, _, pid = process.rpartition(":")[0].rpartition(":")
    my_host, _, my_pid = _process_name().rpartition(":")[0].rpartition(":")
    if process == _process_name() or host != my_host or not pid.isdigit():
        return False
    if pid == my_pid:
        return True  # an earlier process had the number that this one has now
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


class TurnWorker:
    """The threads that take turns, and one that looks after what is left lying."""

    def __init__(
        self, database: Database, bot: Bot, fallback: Fallback, hub: Hub, settings: Settings
    ) -> None:
        self.holder = holder_name()
        self._database = database
        self._bot = bot
        self._fallback = fallback
        self._hub = hub
        self._settings = settings
        self._mailbox: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._orphans: list[str] = []
        self._threads: list[threading.Thread] = []
        self._poller = threading.Thread(target=self._poll, name="qifu-poller", daemon=True)
        self._stopping = threading.Event()
        self._next_heartbeat = 0.0

    def start(self) -> None:
        """Starts the threads; what former runs left is claimed at once."""
        for _ in range(self._settings.turn_workers):
            self._add_thread()
        self._poller.start()

    def stop(self, limit_s: float) -> None:
        """Ends running turns within the limit, gives back what was not begun."""
        self._stopping.set()
        threads = list(self._threads)
        for _ in threads:
            self._mailbox.put(None)
        deadline = time.monotonic() + limit_s
        for thread in [*threads, self._poller]:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            left = [job.claim.conversation_id for job in self._jobs.values()]
        self._orphans += left
        for chore in (self._release_orphans, self._flush_sent):
            self._do(chore)

    def is_alive(self) -> bool:
        """Whether messages given now would be taken."""
        running = sum(thread.is_alive() for thread in tuple(self._threads))
        is_manned = running >= self._settings.turn_workers
        return is_manned and self._poller.is_alive() and not self._stopping.is_set()

    def lease(self) -> Lease:
        """A lease for this process, from now on."""
        return Lease(self.holder, utc_now() + timedelta(seconds=self._settings.lease_s))

    def submit(self, claim: Claim) -> None:
        """Takes a claim that has been committed; it is answered or given back."""
        if claim.attempts > _TRIES_WITH_FALLBACK:
            stage = Stage.LAST_LINE
        elif claim.attempts > _TRIES_WITH_BOT:
            stage = Stage.FALLBACK  # it may be this message that ends the process each time
        else:
            stage = Stage.BOT
        self._queue(Job(claim, stage))

    # -- turns ---------------------------------------------------------------------------------

    def _queue(self, job: Job) -> None:
        with self._lock:
            self._jobs[job.claim.message_id] = job
        self._mailbox.put(job)

    def _add_thread(self) -> None:
        name = f"qifu-turns-{len(self._threads)}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (job := self._mailbox.get()) is not None:
            if self._stopping.is_set():
                continue  # stays in _jobs, so stop() gives it back
            try:
                if not self._run(job):
                    return  # overdue: another thread was started in place of this one
            except Exception:
                log.exception("worker_failed", message_id=job.claim.message_id)

    def _run(self, job: Job) -> bool:
        """Answers one job; ``False`` when it took so long that it was taken away."""
        self._hub.typing(job.claim.conversation_id)
        begun = time.monotonic()
        while True:
            if not self._hold(job, self._limit_s(job.stage)):
                return False
            try:
                outcome = self._attempt(job)
                if not self._hold(job, None):
                    return False
                finished = self._store(job.claim, outcome)
                break
            except Exception:
                log.exception(
                    "stage_failed",
                    stage=job.stage.name.lower(),
                    message_id=job.claim.message_id,
                    conversation=job.claim.conversation_id,
                )
            if job.stage == Stage.LAST_LINE:
                self._give_back(job)
                return True
            job.stage = Stage(job.stage + 1)
        self._conclude(job, outcome, finished, begun)
        return True

    def _limit_s(self, stage: Stage) -> float | None:
        if stage == Stage.BOT:
            return self._settings.turn_timeout_s + _GRACE_S
        return _FALLBACK_LIMIT_S if stage == Stage.FALLBACK else None

    def _hold(self, job: Job, limit_s: float | None) -> bool:
        """Whether the job is still this thread's; sets when it will be overdue."""
        with self._lock:
            if self._jobs.get(job.claim.message_id) is not job:
                return False
            job.due = None if limit_s is None else time.monotonic() + limit_s
            return True

    def _attempt(self, job: Job) -> Outcome:
        claim = job.claim
        if job.stage == Stage.LAST_LINE:
            return Outcome([Reply(author=Author.SYSTEM, kind=ReplyKind.TEXT, text=LAST_LINE)])
        turn = Turn(
            session=claim.conversation_id,
            message_id=claim.message_id,
            text=claim.text,
            as_of=self._settings.today(),
            state=claim.state,
            is_button=claim.is_button,
            channel=claim.channel,
        )
        if job.stage == Stage.FALLBACK:
            outcome = self._fallback(turn)
            if not outcome.replies:
                raise TurnFailed("the fallback gave no reply")
            return outcome
        result = self._bot.turn(turn, self._settings.turn_timeout_s)
        if not result.replies:
            raise TurnFailed("the bot gave no reply")
        return Outcome(result.replies, result.state, result.trace)

    def _store(self, claim: Claim, outcome: Outcome) -> Finished:
        for wait_s in (*_STORE_WAITS_S, None):
            try:
                with self._database.session() as session:
                    return turns.finish(session, claim, outcome, self.lease(), utc_now())
            except (OperationalError, TimeoutError):
                if wait_s is None:
                    raise
                log.warning("store_again", message_id=claim.message_id)
                time.sleep(wait_s)
        raise AssertionError("unreachable")

    def _conclude(self, job: Job, outcome: Outcome, finished: Finished, begun: float) -> None:
        claim = job.claim
        if finished.answer:
            self._hub.answered(claim.conversation_id, claim.message_id, finished.answer)
        if finished.next:
            self.submit(finished.next)
        with self._lock:
            del self._jobs[claim.message_id]
        log.info(
            "turn",
            message_id=claim.message_id,
            conversation=claim.conversation_id,
            by=job.stage.name.lower(),
            attempt=claim.attempts,
            stored=finished.answer is not None,
            replies=[reply.kind.value for reply in outcome.replies],
            intent=outcome.trace.intent if outcome.trace else None,
            queued_ms=round((begun - job.queued) * 1000, 1),
            ms=round((time.monotonic() - begun) * 1000, 1),
        )

    def _give_back(self, job: Job) -> None:
        with self._lock:
            del self._jobs[job.claim.message_id]
        self._orphans.append(job.claim.conversation_id)

    # -- chores --------------------------------------------------------------------------------

    def _poll(self) -> None:
        while True:
            for chore in (
                self._replace_overdue,
                self._flush_sent,
                self._release_orphans,
                self._heartbeat,
                self._claim_leftovers,
                self._catch_up_streams,
            ):
                self._do(chore)
            if self._stopping.wait(self._settings.poll_s):
                return

    def _do(self, chore: Callable[[], None]) -> None:
        try:
            chore()
        except Exception:
            log.exception("chore_failed", chore=chore.__name__.lstrip("_"))

    def _replace_overdue(self) -> None:
        now = time.monotonic()
        with self._lock:
            overdue = [job for job in self._jobs.values() if job.due and job.due < now]
            for job in overdue:
                self._jobs[job.claim.message_id] = Job(job.claim, Stage(job.stage + 1))
            replacements = [self._jobs[job.claim.message_id] for job in overdue]
        for job in replacements:
            log.error("turn_overdue", message_id=job.claim.message_id, next=job.stage.name.lower())
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            self._add_thread()
            self._mailbox.put(job)

    def _flush_sent(self) -> None:
        seqs = sorted(self._hub.sent_seqs())
        for start in range(0, len(seqs), _SENT_PER_UPDATE):
            marked = seqs[start : start + _SENT_PER_UPDATE]
            with self._database.session() as session:
                operations.mark_sent(session, marked, utc_now())
            self._hub.forget_sent(marked)

    def _release_orphans(self) -> None:
        orphans = list(self._orphans)
        if orphans:
            with self._database.session() as session:
                turns.release_leases(session, self.holder, orphans)
            del self._orphans[: len(orphans)]

    def _heartbeat(self) -> None:
        if time.monotonic() < self._next_heartbeat:
            return
        with self._database.session() as session:
            turns.renew_leases(session, self.lease())
            turns.release_dead(session, is_dead)
        self._next_heartbeat = time.monotonic() + self._settings.lease_s / 3

    def _claim_leftovers(self) -> None:
        while not self._stopping.is_set():
            with self._database.session() as session:
                claims = turns.claim_waiting(session, self.lease(), utc_now(), _LEFTOVERS_PER_POLL)
            for claim in claims:
                log.info("claimed_leftover", message_id=claim.message_id)
                self.submit(claim)
            if len(claims) < _LEFTOVERS_PER_POLL:
                return

    def _catch_up_streams(self) -> None:
        positions = self._hub.positions()
        names = list(positions)
        for start in range(0, len(names), _STREAMS_PER_QUERY):
            with self._database.reading() as session:
                conversation_ids = names[start : start + _STREAMS_PER_QUERY]
                latest = operations.latest_seq(session, conversation_ids)
                for conversation_id, seq in latest.items():
                    known = positions[conversation_id]
                    if seq > known:
                        news = operations.replies_after(session, conversation_id, known)
                        self._hub.catch_up(conversation_id, news)
