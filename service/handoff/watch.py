"""Looks after who waits for a person: nobody in time, and it becomes an appeal and the bot is back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.appeal import PERSON, appeal_card, chinese_time
from actions.desk import Appeal, AppealDraft, AppealReason
from actions.replies import Button, Reply
from service.conversations.models import ChangeReason, Conversation, Owner
from service.conversations.ownership import Change, change_owner, lock
from service.db import Database
from service.handoff.hours import Rules, has_ended_for_the_day, is_open, minutes_waited
from service.handoff.routing import is_anybody_free
from service.handoff.transcript import transcript

log = structlog.get_logger("qifu.handoff")

PrepareAppeal = Callable[[AppealDraft], Callable[[Session], Appeal]]
"""``ServiceDesk.prepare_appeal``: decides outside a transaction, files inside the one given."""

_AT_ONCE = 100


@dataclass(frozen=True)
class _Waiting:
    conversation_id: str
    version: int
    since: datetime
    text: str


@dataclass(frozen=True)
class GivenUp:
    """A wait that became an appeal."""

    conversation_id: str
    no: str


def look_after_queue(
    database: Database, prepare: PrepareAppeal, rules: Rules, now: datetime
) -> list[GivenUp]:
    """Ends every wait that is over: appeal, line with its number and return to the bot are one step.

    Safe to run in many processes at once and after any crash: of one wait exactly one appeal comes.
    """
    given_up = []
    for waiting in _overdue(database, rules, now):
        draft = AppealDraft(
            session=waiting.conversation_id,
            message_id=f"wait-{waiting.version}-{waiting.conversation_id}"[:64],
            matter=waiting.text,
            reason=AppealReason.HUMAN_WANTED,
        )
        file = prepare(draft)
        with database.session() as db:
            ended = _give_up(db, waiting, file, rules, now)
        if ended:
            log.info("wait_given_up", conversation=waiting.conversation_id, no=ended.no)
            given_up.append(ended)
    return given_up


def _overdue(database: Database, rules: Rules, now: datetime) -> list[_Waiting]:
    with database.reading() as db:
        queued = db.execute(
            select(Conversation.id, Conversation.owner_version, Conversation.owner_since)
            .where(Conversation.owner == Owner.QUEUED)
            .order_by(Conversation.owner_since)
        ).all()
        is_unmanned = has_ended_for_the_day(now, rules) and not is_anybody_free(db, rules, now)
        over = [
            (name, version, since)
            for name, version, since in queued
            if since is not None and (is_unmanned or _is_over(since, now, rules))
        ]
        return [
            _Waiting(
                name, version, since, f"请求人工服务，无人接入。对话记录：\n{transcript(db, name)}"
            )
            for name, version, since in over[:_AT_ONCE]
        ]


def _is_over(since: datetime, now: datetime, rules: Rules) -> bool:
    if is_open(since, rules) or is_open(now, rules):
        return minutes_waited(since, now, rules) >= rules.wait_minutes
    # Somebody was there outside the hours: then the clock on the wall counts.
    return (now - since).total_seconds() >= rules.wait_minutes * 60


def _give_up(
    db: Session, waiting: _Waiting, file: Callable[[Session], Appeal], rules: Rules, now: datetime
) -> GivenUp | None:
    held = lock(db, waiting.conversation_id)
    if held.owner != Owner.QUEUED or held.version != waiting.version:
        return None  # somebody came, or another process was faster
    appeal = file(db)
    reply = Reply(
        text=_words(appeal, rules),
        appeal=appeal_card(appeal),
        buttons=[
            Button(title="补充", payload=f'/supplement_appeal{{"appeal_no": "{appeal.no}"}}'),
            PERSON,
        ],
    )
    change_owner(db, held, Change(Owner.BOT, ChangeReason.TIMED_OUT, reply.text, reply=reply), now)
    return GivenUp(waiting.conversation_id, appeal.no)


def _words(appeal: Appeal, rules: Rules) -> str:
    return (
        f"抱歉，暂时没有服务专员能接入（服务时间：{rules.hours()}）。已把您的问题和对话记录登记为诉求，编号 {appeal.no}，"
        f"由{appeal.department}在{chinese_time(appeal.due_at)}前答复您。机器人小福继续为您服务，也可以再次转人工。"
    )


class QueueWatch:
    """Runs a look every few seconds in a thread of its own; what it misses, the next one finds."""

    def __init__(self, look: Callable[[], object], every_s: float = 5.0) -> None:
        self._look = look
        self._every_s = every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="qifu-queue-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the look it is in."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            try:
                self._look()
            except Exception:
                log.exception("queue_watch_failed")
