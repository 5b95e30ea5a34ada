"""The worker: every message gets one answer, in order, whatever the bot or the process does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from actions.replies import Reply
from bot.turn import Turn
from service.conversations import operations
from service.conversations.models import Conversation, Message, MessageStatus, OutboxRow
from service.conversations.operations import Backlog, Incoming
from service.conversations.stream import Hub
from service.conversations.turns import Lease
from service.conversations.worker import LAST_LINE, Bot, Fallback, TurnWorker
from service.db import Database, utc_now
from service.settings import Settings
from tests.service.fakes import EchoBot, sleeping, sorry

StartWorker = Callable[..., TurnWorker]


@pytest.fixture
def start_worker(database: Database, settings: Settings) -> Iterator[StartWorker]:
    """Starts a worker with a bot, a fallback and changed settings; stopped at the end."""
    with ExitStack() as stack:

        def start(bot: Bot, fallback: Fallback = sorry, **changes: object) -> TurnWorker:
            changed = settings.model_copy(update=changes)
            worker = TurnWorker(database, bot, fallback, Hub(), changed)
            worker.start()
            stack.callback(worker.stop, 5.0)
            return worker

        yield start


def say(
    database: Database, text: str, conversation: str = "web-a", worker: TurnWorker | None = None
) -> str:
    """Records a message, as a request would; without a worker as one whose process then died."""
    lease = worker.lease() if worker else Lease("gone:1:x:y", utc_now() - timedelta(seconds=1))
    incoming = Incoming(conversation, uuid4().hex, uuid4().hex, text)
    with database.session() as session:
        recorded = operations.record(session, incoming, lease, Backlog(500, 50), utc_now())
    if worker and recorded.claim:
        worker.submit(recorded.claim)
    return recorded.message_id


def wait_until(is_so: Callable[[], bool], limit_s: float = 20.0) -> None:
    deadline = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def all_answered(database: Database) -> bool:
    with database.reading() as session:
        statuses = set(session.scalars(select(Message.status)))
    return statuses == {MessageStatus.ANSWERED}


def answers(database: Database, conversation: str = "web-a") -> list[str]:
    with database.reading() as session:
        rows = session.scalars(
            select(OutboxRow.body)
            .where(OutboxRow.conversation_id == conversation)
            .order_by(OutboxRow.seq)
        )
        return [row["text"] for row in rows]


def test_messages_of_one_session_are_answered_in_order(
    database: Database, start_worker: StartWorker
) -> None:
    bot = EchoBot(sleeping(0.01))
    worker = start_worker(bot)
    threads = [
        threading.Thread(
            target=lambda name=name: [say(database, f"问{n}", name, worker) for n in range(10)]
        )
        for name in (f"web-{number}" for number in range(8))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: all_answered(database))
    for number in range(8):
        assert answers(database, f"web-{number}") == [f"{n + 1}:问{n}" for n in range(10)]
    assert bot.overlapped == []
    assert bot.most_at_once > 1


def test_the_bot_is_told_everything_it_needs(
    database: Database, start_worker: StartWorker, settings: Settings
) -> None:
    bot = EchoBot()
    message_id = say(database, "你好", worker=start_worker(bot))
    wait_until(lambda: all_answered(database))
    assert bot.turns == [Turn("web-a", message_id, "你好", settings.today(), None, False, "web")]


def test_no_database_session_is_open_during_a_turn(
    database: Database, start_worker: StartWorker
) -> None:
    def write(_turn: Turn) -> None:
        with database.session() as session:
            session.execute(update(Conversation).values(channel="written"))

    say(database, "你好", worker=start_worker(EchoBot(write)))
    wait_until(lambda: all_answered(database))
    assert answers(database) == ["1:你好"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fail", "sorry:fail"),
        ("silent", "sorry:silent"),
        ("fail badly", LAST_LINE),
        ("silent badly", LAST_LINE),
    ],
)
def test_a_failed_turn_is_answered_all_the_same(
    database: Database, start_worker: StartWorker, text: str, expected: str
) -> None:
    worker = start_worker(EchoBot())
    say(database, "一", worker=worker)
    say(database, text, worker=worker)
    say(database, "三", worker=worker)
    wait_until(lambda: all_answered(database))
    assert answers(database) == ["1:一", expected, "2:三"]


def test_a_fallback_without_reply_is_no_answer(
    database: Database, start_worker: StartWorker
) -> None:
    def nothing(_turn: Turn) -> Sequence[Reply]:
        return []

    say(database, "fail", worker=start_worker(EchoBot(), nothing))
    wait_until(lambda: all_answered(database))
    assert answers(database) == [LAST_LINE]


def test_a_bot_that_hangs_is_left_behind(
    database: Database, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.conversations.worker._GRACE_S", 0.1)
    release = threading.Event()

    def hang(turn: Turn) -> None:
        if turn.text.startswith("hang"):
            release.wait(20)

    worker = start_worker(EchoBot(hang), turn_workers=2, turn_timeout_s=0.2)
    for name in ("web-a", "web-b", "web-c"):
        say(database, "hang", name, worker)
    say(database, "后来", "web-a", worker)
    wait_until(lambda: all_answered(database))
    assert answers(database, "web-a") == ["sorry:hang", "1:后来"]
    assert worker.is_alive()
    release.set()
    time.sleep(0.2)
    assert answers(database, "web-a") == ["sorry:hang", "1:后来"]
    assert answers(database, "web-c") == ["sorry:hang"]


def test_what_a_former_run_left_is_answered_in_order(
    database: Database, start_worker: StartWorker
) -> None:
    for n in range(3):
        say(database, f"问{n}", "web-a")
        say(database, f"问{n}", "web-b")
    start_worker(EchoBot())
    wait_until(lambda: all_answered(database))
    assert answers(database, "web-a") == answers(database, "web-b") == ["1:问0", "2:问1", "3:问2"]


def test_a_message_that_ends_the_process_is_kept_from_the_bot(
    database: Database, start_worker: StartWorker
) -> None:
    say(database, "毒", "web-a")
    say(database, "更毒", "web-b")
    with database.session() as session:
        for name, attempts in (("web-a", 3), ("web-b", 5)):
            session.execute(
                update(Message).where(Message.conversation_id == name).values(attempts=attempts)
            )
    bot = EchoBot()
    start_worker(bot)
    wait_until(lambda: all_answered(database))
    assert bot.turns == []
    assert answers(database, "web-a") == ["sorry:毒"]
    assert answers(database, "web-b") == [LAST_LINE]


def test_two_workers_answer_every_message_once(
    database: Database, start_worker: StartWorker
) -> None:
    bots = [EchoBot(sleeping(0.005)), EchoBot(sleeping(0.005))]
    workers = [start_worker(bot) for bot in bots]
    for n in range(10):
        for name in ("web-a", "web-b", "web-c"):
            say(database, f"问{n}", name, workers[n % 2])
    wait_until(lambda: all_answered(database))
    for name in ("web-a", "web-b", "web-c"):
        assert answers(database, name) == [f"{n + 1}:问{n}" for n in range(10)]
    assert len(bots[0].turns) + len(bots[1].turns) == 30


def test_stopping_ends_running_turns_and_gives_back_the_rest(
    database: Database, start_worker: StartWorker
) -> None:
    begun = threading.Event()

    def slow(_turn: Turn) -> None:
        begun.set()
        time.sleep(0.3)

    worker = start_worker(EchoBot(slow), turn_workers=1)
    for name in ("web-a", "web-b"):
        say(database, "问", name, worker)
    say(database, "再问", "web-a", worker)
    begun.wait(5)
    worker.stop(5.0)
    assert not worker.is_alive()
    assert answers(database, "web-a") == ["1:问"]
    assert answers(database, "web-b") == []
    start_worker(EchoBot())
    wait_until(lambda: all_answered(database))
    assert answers(database, "web-a") == ["1:问", "2:再问"]
    assert answers(database, "web-b") == ["1:问"]


def test_a_database_that_fails_for_a_while_loses_nothing(
    database: Database, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.conversations import turns

    monkeypatch.setattr("service.conversations.worker._STORE_WAITS_S", (0.01,))
    finish, failures = turns.finish, iter(range(6))  # all three stages, twice each

    def finish_later(*arguments: object) -> object:
        if next(failures, None) is not None:
            raise OperationalError("UPDATE", {}, Exception("the disk is full"))
        return finish(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(turns, "finish", finish_later)
    say(database, "问", worker=start_worker(EchoBot()))
    wait_until(lambda: all_answered(database))
    assert answers(database) == ["1:问"]


def test_a_long_turn_keeps_its_lease(database: Database, start_worker: StartWorker) -> None:
    slow, other = EchoBot(sleeping(3.0)), EchoBot()
    say(database, "慢", worker=start_worker(slow, lease_s=2.0))
    start_worker(other, lease_s=2.0)
    wait_until(lambda: all_answered(database))
    assert other.turns == []
    assert answers(database) == ["1:慢"]
