"""One owner at a time, one visible line a change, and nobody answers who does not own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from actions.replies import Author, Reply
from service.conversations.models import ChangeReason, Owner
from service.conversations.ownership import OwnedByAnother
from service.conversations.reception import cancels
from service.conversations.turns import post_reply
from service.db import Database
from service.errors import Conflict
from service.handoff import messages, queue, taking
from service.handoff.queue import Asked
from service.handoff.routing import Wanted
from service.staff.permissions import Staff
from tests.service.handoff.conftest import CENTRE, LI, MONDAY, RULES, WANG, Counter


def test_asking_queues_with_one_line_that_answers_the_message(counter: Counter) -> None:
    claim = counter.say("转人工").claim
    assert claim is not None
    answered = counter.run(_ask, claim.message_id)
    assert (answered.asked, answered.place.position) == (Asked.QUEUED, 1)
    finished = counter.finish(claim, "转接中")
    assert finished.answer is not None
    assert finished.answer.owner == Owner.QUEUED
    (line,) = finished.answer.deliveries
    assert (line.body["author"], line.body["kind"]) == ("system", "handoff")
    assert "排在第 1 位" in line.body["text"]
    assert len(counter.shown()) == 1


def _ask(db, conversation, message_id, now):  # type: ignore[no-untyped-def]
    return queue.ask_for_person(db, conversation, message_id, Wanted("转人工"), RULES, now)


def test_asking_twice_is_one_place_and_one_line(counter: Counter) -> None:
    counter.ask_for_person()
    again = counter.say("转人工")
    assert (again.claim, again.owner) == (None, Owner.QUEUED)
    assert counter.run(_ask, "another").asked is Asked.ALREADY
    assert len(counter.changes()) == len(counter.lines()) == 1


def test_what_is_said_while_waiting_is_kept_and_not_answered(counter: Counter) -> None:
    counter.ask_for_person()
    recorded = counter.say("楼里停电")
    assert recorded.claim is None
    assert recorded.answer is not None and recorded.answer.deliveries == ()
    assert len(counter.shown()) == 1


@pytest.mark.parametrize("text", ["取消人工", "不用人工了", "算了，不用人工了", "/cancel_person"])
def test_calling_it_off_brings_the_bot_back_with_one_line(counter: Counter, text: str) -> None:
    counter.ask_for_person()
    recorded = counter.say(text)
    assert (recorded.owner, recorded.claim) == (Owner.BOT, None)
    assert recorded.answer is not None
    (line,) = recorded.answer.deliveries
    assert "取消排队" in line.body["text"]
    assert counter.owner == Owner.BOT
    assert [change.reason for change in counter.changes()] == [
        ChangeReason.REQUESTED,
        ChangeReason.CANCELLED,
    ]
    assert counter.say("国高补贴多少钱").claim is not None


@pytest.mark.parametrize(
    "text",
    [
        "不要人工智能的补贴",
        "不用排队就能办吗",
        "取消人工智能补贴的原因",
        "小福是谁",
        "不" * 100_000,
    ],
)
def test_other_words_do_not_call_it_off(text: str) -> None:
    assert not cancels(text)


def test_a_repeated_cancelling_message_changes_nothing_more(counter: Counter) -> None:
    counter.ask_for_person()
    counter.say("取消人工", "c1")
    counter.ask_for_person()
    counter.say("取消人工", "c1")
    assert counter.owner == Owner.QUEUED
    assert len(counter.lines()) == 3


def test_a_claim_is_told_and_silences_the_bot(counter: Counter) -> None:
    counter.ask_for_person()
    line = counter.run(taking.claim, LI)
    assert "李敏" in line.body["text"]
    row = counter.row
    assert (row.owner, row.owner_staff, row.owner_name) == (Owner.PERSON, "li", "李敏")
    assert counter.say("还有一个问题").claim is None
    with counter.database.session() as db:
        assert post_reply(db, "web-a", Reply(text="我来"), MONDAY) is None


def test_claiming_again_is_no_second_line(counter: Counter) -> None:
    counter.ask_for_person()
    counter.run(taking.claim, LI)
    assert counter.run(taking.claim, LI) is None
    assert len(counter.lines()) == 2


def test_who_comes_second_is_told_who_has_it(counter: Counter) -> None:
    counter.ask_for_person()
    counter.run(taking.claim, LI)
    with pytest.raises(OwnedByAnother, match="李敏正在服务"):
        counter.run(taking.claim, WANG)


def test_of_ten_who_claim_at_once_one_gets_it(counter: Counter) -> None:
    counter.ask_for_person()
    people = [Staff(f"s{n}", f"专员{n}", LI.role) for n in range(10)]

    def try_it(staff: Staff) -> str:
        try:
            counter.run(taking.claim, staff)
        except OwnedByAnother as lost:
            return lost.message
        return "won"

    with ThreadPoolExecutor(10) as pool:
        told = list(pool.map(try_it, people))
    owner = counter.row.owner_name
    assert told.count("won") == 1
    assert told.count(f"{owner}正在服务这个会话。") == 9
    assert len(counter.lines()) == 2


def test_a_turn_that_ends_after_a_take_over_says_nothing(counter: Counter) -> None:
    late = counter.say("国高补贴多少钱").claim
    counter.run(taking.claim, LI)
    finished = counter.finish(late, "五万元")
    assert finished.answer is not None and finished.answer.deliveries == ()
    assert len(counter.shown()) == 1


def test_a_turn_that_ends_after_take_over_and_release_says_nothing(counter: Counter) -> None:
    late = counter.say("国高补贴多少钱").claim
    counter.run(taking.claim, LI)
    counter.run(taking.release, LI)
    counter.finish(late, "五万元", state="old")
    assert [author for author, _ in counter.shown()] == ["system", "system"]
    assert counter.row.state is None
    after = counter.say("那租金呢").claim
    assert after is not None and after.state is None
    counter.finish(after, "有租金支持")
    assert counter.shown()[-1] == ("bot", "有租金支持")


def test_what_waited_behind_a_turn_goes_to_the_person(counter: Counter) -> None:
    late = counter.say("一").claim
    counter.say("二")
    counter.run(taking.claim, LI)
    finished = counter.finish(late)
    assert finished.next is None
    counter.run(taking.release, LI)
    with counter.database.session() as db:
        from service.conversations.turns import claim_waiting

        assert claim_waiting(db, counter.lease, counter.later(days=20), 10) == []


def test_release_brings_back_a_bot_without_memory(counter: Counter) -> None:
    counter.finish(counter.say("你好").claim, state="remembered")
    counter.run(taking.claim, LI)
    counter.run(taking.release, LI)
    claim = counter.say("在吗").claim
    assert claim is not None and claim.state is None
    assert "小福回来了" in counter.lines()[-1]


def test_only_who_has_it_may_give_it_away(counter: Counter) -> None:
    counter.ask_for_person()
    counter.run(taking.claim, LI)
    for operation in (taking.release, taking.close):
        with pytest.raises(OwnedByAnother, match="李敏"):
            counter.run(operation, WANG)
    with pytest.raises(OwnedByAnother, match="李敏"):
        counter.run(taking.transfer, WANG, WANG)
    counter.run(taking.release, CENTRE)
    with pytest.raises(Conflict):
        counter.run(taking.release, LI)


def test_a_transfer_is_one_line_and_moves_the_right_to_speak(counter: Counter) -> None:
    counter.ask_for_person()
    counter.run(taking.claim, LI)
    counter.run(taking.transfer, LI, WANG)
    assert "王强" in counter.lines()[-1]
    with pytest.raises(OwnedByAnother, match="王强"):
        counter.run(messages.send, LI, "您好", "c1")
    counter.run(messages.send, WANG, "您好", "c1")
    with pytest.raises(Conflict):
        counter.run(taking.transfer, WANG, WANG)


def test_who_writes_after_the_end_meets_the_bot_once_more(counter: Counter) -> None:
    counter.finish(counter.say("你好").claim, state="remembered")
    counter.run(taking.claim, LI)
    counter.run(taking.close, LI)
    assert counter.owner == Owner.CLOSED
    claim = counter.say("再问一个").claim
    assert claim is not None and claim.state is None
    counter.finish(claim, "请讲")
    second = counter.say("好的").claim
    counter.finish(second, "嗯")
    assert [change.reason for change in counter.changes()] == [
        ChangeReason.CLAIMED,
        ChangeReason.CLOSED,
        ChangeReason.REOPENED,
    ]
    assert len(counter.lines()) == 3
    assert counter.ask_for_person().asked is Asked.QUEUED


def test_a_repeat_of_an_old_message_does_not_reopen(counter: Counter) -> None:
    counter.finish(counter.say("你好", "c1").claim)
    counter.run(taking.close, LI)
    counter.say("你好", "c1")
    assert counter.owner == Owner.CLOSED


def test_staff_speak_once_a_client_id_and_under_their_name(counter: Counter) -> None:
    counter.say("你好")
    with pytest.raises(OwnedByAnother, match="请先接入"):
        counter.run(messages.send, LI, "您好", "c1")
    counter.run(taking.claim, LI)
    first = counter.run(messages.send, LI, "您好", "c1")
    again = counter.run(messages.send, LI, "您好", "c1")
    assert (first.is_new, again.is_new) == (True, False)
    assert first.delivery == again.delivery
    assert (first.delivery.body["author"], first.delivery.body["name"]) == (Author.PERSON, "李敏")
    with pytest.raises(Conflict):
        counter.run(messages.send, LI, "别的", "c1")
    counter.run(taking.release, LI)
    assert counter.run(messages.send, LI, "您好", "c1").is_new is False
    assert [author for author, _ in counter.shown()].count("person") == 1


def test_no_person_speaks_through_post_reply_unless_one_owns(counter: Counter) -> None:
    counter.say("你好")
    reply = Reply(author=Author.PERSON, text="我是专员")
    with counter.database.session() as db:
        assert post_reply(db, "web-a", reply, MONDAY) is None


def test_a_note_is_kept_once_and_never_shown(counter: Counter) -> None:
    counter.say("你好")
    note = counter.run(messages.add_note, LI, "此人已来过三次", "n1")
    assert counter.run(messages.add_note, WANG, "此人已来过三次", "n1").id == note.id
    assert counter.shown() == []
    with counter.database.reading() as db:
        from service.conversations.operations import history

        told = history(db, "web-a", 50)
    assert "三次" not in str(told)


def test_closed_hours_queue_nobody(database: Database) -> None:
    counter = Counter(database, now=MONDAY.replace(hour=12))  # 20:00 in Shanghai
    assert counter.ask_for_person().asked is Asked.NOBODY
    assert counter.owner == Owner.BOT
    assert counter.shown()[-1][0] == "bot"
