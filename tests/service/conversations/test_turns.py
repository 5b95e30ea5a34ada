"""Recording, claiming and finishing: every step once, in order, and by one process at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text, update

from actions.replies import Author, Button, Reply
from bot.turn import TurnTrace
from service.conversations import operations, turns
from service.conversations.models import (
    Conversation,
    Message,
    MessageStatus,
    OutboxRow,
    OutboxStatus,
    Owner,
)
from service.conversations.operations import Backlog, Incoming, Recorded
from service.conversations.turns import Claim, Finished, Lease, Outcome
from service.conversations.worker import holder_name, is_dead
from service.db import Database
from service.errors import Conflict, Overloaded, TooManyRequests

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
MINE = Lease("here:1:a:b", NOW + timedelta(seconds=30))
OTHERS = Lease("there:2:c:d", NOW + timedelta(seconds=30))
BACKLOG = Backlog(500, 20)


def say(
    database: Database,
    what: str,
    client_id: str | None = None,
    conversation: str = "web-a",
    lease: Lease = MINE,
    backlog: Backlog = BACKLOG,
    now: datetime = NOW,
) -> Recorded:
    incoming = Incoming(conversation, uuid4().hex, client_id or uuid4().hex, what)
    with database.session() as session:
        return operations.record(session, incoming, lease, backlog, now)


def claimed(recorded: Recorded) -> Claim:
    assert recorded.claim is not None
    return recorded.claim


def answer(
    database: Database, claim: Claim, *replies: str, state: str = "s", lease: Lease = MINE
) -> Finished:
    outcome = Outcome([Reply(text=reply) for reply in replies or ("好",)], state)
    with database.session() as session:
        return turns.finish(session, claim, outcome, lease, NOW)


def set_owner(database: Database, owner: Owner) -> None:
    with database.session() as session:
        session.execute(update(Conversation).values(owner=owner))


def leftovers(database: Database, now: datetime, lease: Lease = MINE) -> list[Claim]:
    with database.session() as session:
        return turns.claim_waiting(session, lease, now, 100)


# -- recording ---------------------------------------------------------------------------------


def test_a_first_message_is_claimed_at_once(database: Database) -> None:
    claim = claimed(say(database, "你好"))
    assert (claim.text, claim.state, claim.attempts, claim.is_button) == ("你好", None, 1, False)


def test_a_second_message_waits_for_the_first(database: Database) -> None:
    say(database, "一")
    second = say(database, "二")
    assert second.claim is None
    assert second.answer is None


def test_a_repeat_meets_the_first_message(database: Database) -> None:
    first = say(database, "你好", "c1")
    again = say(database, "你好", "c1")
    assert again.message_id == first.message_id
    assert again.claim is None
    answer(database, claimed(first), "您好")
    answered = say(database, "你好", "c1")
    assert answered.answer is not None
    assert [d.body["text"] for d in answered.answer.deliveries] == ["您好"]


def test_a_repeat_with_other_words_is_refused(database: Database) -> None:
    say(database, "你好", "c1")
    with pytest.raises(Conflict):
        say(database, "再见", "c1")


def test_one_client_id_in_two_conversations_names_two_messages(database: Database) -> None:
    a = say(database, "你好", "c1", "web-a")
    b = say(database, "你好", "c1", "web-b")
    assert a.message_id != b.message_id


def test_ten_threads_with_one_client_id_store_one_message(database: Database) -> None:
    with ThreadPoolExecutor(10) as pool:
        recorded = list(pool.map(lambda _: say(database, "你好", "c1"), range(10)))
    assert len({r.message_id for r in recorded}) == 1
    assert sum(r.claim is not None for r in recorded) == 1
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 1


def test_a_conversation_may_not_pile_up(database: Database) -> None:
    backlog = Backlog(500, 2)
    say(database, "一", "c1", backlog=backlog)
    say(database, "二", backlog=backlog)
    with pytest.raises(TooManyRequests):
        say(database, "三", backlog=backlog)
    assert say(database, "一", "c1", backlog=backlog).message_id  # a repeat is no new message
    assert say(database, "一", conversation="web-b", backlog=backlog).claim


def test_the_service_may_not_pile_up(database: Database) -> None:
    backlog = Backlog(2, 20)
    say(database, "一", conversation="web-a", backlog=backlog)
    say(database, "二", conversation="web-b", backlog=backlog)
    with pytest.raises(Overloaded):
        say(database, "三", conversation="web-c", backlog=backlog)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 2


def test_only_an_offered_payload_is_a_button(database: Database) -> None:
    first = claimed(say(database, "菜单"))
    reply = Reply(text="请选", buttons=[Button(title="转人工", payload="/human")])
    with database.session() as session:
        turns.finish(session, first, Outcome([reply]), MINE, NOW)
    pressed = claimed(say(database, "/human"))
    answer(database, pressed)
    typed = claimed(say(database, "/restart"))
    assert (pressed.is_button, typed.is_button) == (True, False)
    with database.reading() as session:
        labels = session.scalars(select(Message.label).order_by(Message.seq)).all()
    assert labels == [None, "转人工", None]


def test_a_button_of_another_conversation_is_not_a_button(database: Database) -> None:
    first = claimed(say(database, "菜单"))
    reply = Reply(text="请选", buttons=[Button(title="转人工", payload="/human")])
    with database.session() as session:
        turns.finish(session, first, Outcome([reply]), MINE, NOW)
    assert not claimed(say(database, "/human", conversation="web-b")).is_button


def test_a_button_offered_long_ago_is_not_a_button(database: Database) -> None:
    first = claimed(say(database, "菜单"))
    reply = Reply(text="请选", buttons=[Button(title="转人工", payload="/human")])
    with database.session() as session:
        turns.finish(session, first, Outcome([reply]), MINE, NOW)
    for _ in range(30):
        answer(database, claimed(say(database, "再说")))
    assert not claimed(say(database, "/human")).is_button


def test_a_message_to_a_person_is_stored_and_not_answered(database: Database) -> None:
    answer(database, claimed(say(database, "你好")))
    set_owner(database, Owner.PERSON)
    recorded = say(database, "在吗")
    assert recorded.claim is None
    assert recorded.answer is not None
    assert (recorded.answer.owner, recorded.answer.deliveries) == (Owner.PERSON, ())
    assert leftovers(database, NOW + timedelta(days=1)) == []


# -- finishing ---------------------------------------------------------------------------------


def test_finishing_stores_all_of_a_turn(database: Database) -> None:
    claim = claimed(say(database, "你好"))
    trace = TurnTrace("greet", 0.75, (("sz-1", 0.5), ("sz-2", 0.25)))
    outcome = Outcome([Reply(text="您好"), Reply(text="请问")], "state 1", trace)
    with database.session() as session:
        turns.finish(session, claim, outcome, MINE, NOW)
    with database.reading() as session:
        message = session.scalars(select(Message)).one()
        rows = session.scalars(select(OutboxRow).order_by(OutboxRow.seq)).all()
        conversation = session.scalars(select(Conversation)).one()
    assert (message.status, message.answered_at) == (MessageStatus.ANSWERED, NOW)
    assert (message.intent, message.confidence) == ("greet", 0.75)
    assert message.candidates == [["sz-1", 0.5], ["sz-2", 0.25]]
    assert [(row.id, row.body["text"], row.status) for row in rows] == [
        (f"{claim.message_id}-0", "您好", OutboxStatus.PLANNED),
        (f"{claim.message_id}-1", "请问", OutboxStatus.PLANNED),
    ]
    assert all(row.body["id"] == row.id for row in rows)
    assert (conversation.state, conversation.lease_by) == ("state 1", None)


def test_finishing_claims_what_arrived_meanwhile_with_the_new_state(database: Database) -> None:
    first = claimed(say(database, "一"))
    say(database, "二")
    say(database, "三")
    second = answer(database, first, state="after one").next
    assert second is not None
    assert (second.text, second.state) == ("二", "after one")
    third = answer(database, second).next
    assert third is not None
    assert third.text == "三"
    assert answer(database, third).next is None


def test_a_message_is_never_answered_twice(database: Database) -> None:
    claim = claimed(say(database, "一"))
    say(database, "二")
    answer(database, claim, "第一次")
    assert answer(database, claim, "第二次") == Finished(None)
    with database.reading() as session:
        assert [row["text"] for row in session.scalars(select(OutboxRow.body))] == ["第一次"]


def test_who_lost_the_lease_stores_nothing(database: Database) -> None:
    claim = claimed(say(database, "一"))
    later = NOW + timedelta(minutes=5)
    taken = leftovers(database, later, OTHERS)
    assert [c.message_id for c in taken] == [claim.message_id]
    assert taken[0].attempts == 2
    assert answer(database, claim, "晚了", state="late") == Finished(None)
    assert answer(database, taken[0], "及时", lease=OTHERS).answer is not None
    with database.reading() as session:
        assert [row["text"] for row in session.scalars(select(OutboxRow.body))] == ["及时"]


def test_the_bot_is_silent_when_a_person_took_over_meanwhile(database: Database) -> None:
    claim = claimed(say(database, "一"))
    say(database, "二")
    set_owner(database, Owner.PERSON)
    finished = answer(database, claim, "机器人的话", state="kept")
    assert finished.answer is not None
    assert (finished.answer.owner, finished.answer.deliveries) == (Owner.PERSON, ())
    assert finished.next is None
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(OutboxRow)) == 0
        assert set(session.scalars(select(Message.status))) == {MessageStatus.ANSWERED}


def test_a_state_not_given_stays_as_it_is(database: Database) -> None:
    answer(database, claimed(say(database, "一")), state="kept")
    claim = claimed(say(database, "二"))
    with database.session() as session:
        turns.finish(session, claim, Outcome([Reply(text="兜底")]), MINE, NOW)
    assert claimed(say(database, "三")).state == "kept"


# -- leftovers ---------------------------------------------------------------------------------


def test_a_living_lease_is_respected(database: Database) -> None:
    say(database, "一")
    assert leftovers(database, NOW + timedelta(seconds=29), OTHERS) == []
    assert len(leftovers(database, NOW + timedelta(seconds=31), OTHERS)) == 1


def test_a_renewed_lease_lives_longer(database: Database) -> None:
    say(database, "一")
    with database.session() as session:
        turns.renew_leases(session, Lease(MINE.holder, NOW + timedelta(seconds=90)))
    assert leftovers(database, NOW + timedelta(seconds=60), OTHERS) == []


def test_leftovers_are_taken_oldest_first_and_once(database: Database) -> None:
    for n in range(3):
        say(database, f"一{n}", conversation="web-a", lease=OTHERS)
        say(database, f"二{n}", conversation="web-b", lease=OTHERS)
    later = NOW + timedelta(minutes=1)
    assert sorted(c.text for c in leftovers(database, later)) == ["一0", "二0"]
    assert leftovers(database, NOW + timedelta(minutes=1)) == []


def test_a_given_back_message_is_claimed_again(database: Database) -> None:
    say(database, "一")
    with database.session() as session:
        turns.release_leases(session, MINE.holder, ["web-a"])
    assert len(leftovers(database, NOW)) == 1


def test_two_processes_never_claim_the_same(database: Database) -> None:
    for n in range(40):
        say(database, "问", conversation=f"web-{n}", lease=OTHERS)
    later = NOW + timedelta(minutes=1)
    leases = [Lease(f"h:{n}:p:x", later + timedelta(minutes=1)) for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda lease: leftovers(database, later, lease), leases))
    names = [claim.conversation_id for taken in claims for claim in taken]
    assert sorted(names) == sorted(f"web-{n}" for n in range(40))


def test_the_dead_are_known_by_their_process() -> None:
    me = holder_name()
    host, pid, process, _ = me.split(":")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not is_dead(me)
    assert not is_dead(holder_name())
    assert is_dead(f"{host}:{ended.pid}:{process}:x")
    assert is_dead(f"{host}:{pid}:earlier:x")
    assert not is_dead(f"{host}:{os.getppid()}:other:x")
    assert not is_dead(f"elsewhere:{ended.pid}:other:x")


def test_what_the_dead_hold_is_free_at_once(database: Database) -> None:
    say(database, "一", conversation="web-a")
    say(database, "二", conversation="web-b", lease=OTHERS)
    with database.session() as session:
        turns.release_dead(session, lambda holder: holder == OTHERS.holder)
    assert [claim.text for claim in leftovers(database, NOW)] == ["二"]


# -- reading back ------------------------------------------------------------------------------


def test_a_line_nobody_asked_for_is_planned(database: Database) -> None:
    answer(database, claimed(say(database, "一")))
    with database.session() as session:
        posted = turns.post_reply(session, "web-a", Reply(author=Author.SYSTEM, text="进展"), NOW)
        assert turns.post_reply(session, "web-nobody", Reply(text="进展"), NOW) is None
    assert posted is not None
    with database.reading() as session:
        waiting = operations.undelivered_replies(session, "web-a")
        assert [d.body["text"] for d in waiting] == ["好", "进展"]
        assert operations.replies_after(session, "web-a", posted.seq - 1) == [posted]
        assert operations.latest_seq(session, ["web-a", "web-b"]) == {"web-a": posted.seq}


def test_the_bot_posts_nothing_while_a_person_answers(database: Database) -> None:
    answer(database, claimed(say(database, "一")))
    set_owner(database, Owner.PERSON)
    with database.session() as session:
        assert turns.post_reply(session, "web-a", Reply(text="我"), NOW) is None
        assert turns.post_reply(session, "web-a", Reply(author=Author.PERSON, text="我"), NOW)


def test_sent_replies_are_not_missed_any_more(database: Database) -> None:
    answer(database, claimed(say(database, "一")), "甲", "乙")
    with database.session() as session:
        first = operations.undelivered_replies(session, "web-a")[0]
        operations.mark_sent(session, [first.seq], NOW)
    with database.reading() as session:
        missed = operations.undelivered_replies(session, "web-a")
    assert [d.body["text"] for d in missed] == ["乙"]


def test_a_history_is_in_order_and_cut_at_its_limit(database: Database) -> None:
    for n in range(5):
        at = NOW + timedelta(minutes=n)
        claim = claimed(say(database, f"问{n}", now=at, lease=MINE))
        with database.session() as session:
            outcome = Outcome([Reply(text=f"答{n}")])
            turns.finish(session, claim, outcome, MINE, at + timedelta(seconds=1))
    with database.session() as session:
        at = NOW + timedelta(minutes=3, seconds=30)
        turns.post_reply(session, "web-a", Reply(author=Author.SYSTEM, text="进展"), at)
    with database.reading() as session:
        said = operations.history(session, "web-a", 3)
        assert operations.history(session, "web-b", 3) == []
    assert [(line.text, [r["text"] for r in line.replies]) for line in said] == [
        ("问2", ["答2"]),
        ("问3", ["答3"]),
        (None, ["进展"]),
        ("问4", ["答4"]),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM messages WHERE status != 'answered'",
        "SELECT id FROM messages WHERE conversation_id = 'a' AND status != 'answered' ORDER BY seq",
        "SELECT seq FROM outbox WHERE conversation_id = 'a' AND seq > 5 ORDER BY seq",
        "SELECT seq FROM outbox WHERE message_id = 'a'",
        "SELECT id FROM messages WHERE conversation_id = 'a' AND client_id = 'b'",
        "UPDATE conversations SET lease_until = NULL WHERE lease_by = 'a'",
    ],
)
def test_queries_of_every_turn_use_an_index(sqlite_database: Database, query: str) -> None:
    with sqlite_database.reading() as session:
        plan = session.execute(text(f"EXPLAIN QUERY PLAN {query}")).all()
    assert all("USING" in step.detail and "INDEX" in step.detail for step in plan), plan
