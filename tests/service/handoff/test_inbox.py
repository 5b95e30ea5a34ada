"""What the console reads: the list in order, the search, unread counts, the thread, the packet."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from actions.replies import CitationCard, CriterionCard, MatchCard, Reply, ReplyKind
from service.conversations import turns
from service.conversations.models import Conversation
from service.conversations.ownership import ConversationNotFound
from service.conversations.turns import Outcome
from service.db import Database
from service.enterprises.models import Enterprise
from service.enterprises.speakers import bind
from service.errors import InvalidInput
from service.handoff import inbox, messages, taking
from service.handoff.context import packet_of
from service.handoff.inbox import InboxPage, View
from service.handoff.thread import LineKind, thread_of
from tests.service.handoff.conftest import LI, MONDAY, WANG, Counter

CARD = CitationCard(
    policy_id="FT-001",
    title="国高奖励",
    doc_no=None,
    issuer="福田区",
    clause="第八条",
    quote="奖励十万元",
    valid_from=None,
    valid_to=None,
    status="current",
    url=None,
)


def listed(database: Database, **asked: object) -> InboxPage:
    with database.reading() as db:
        return inbox.list_conversations(db, LI, **asked)  # type: ignore[arg-type]


def names(page: InboxPage) -> list[str]:
    return [row.conversation_id for row in page.rows]


@pytest.fixture
def desk(database: Database) -> dict[str, Counter]:
    """Two wait, one is mine, one a colleague's, two the bot's, one is closed."""
    made = {}
    for number, name in enumerate(("q1", "q2", "mine", "hers", "bot1", "bot2", "end")):
        counter = Counter(database, name, now=MONDAY + timedelta(minutes=number))
        made[name] = counter
        if name.startswith("q"):
            counter.ask_for_person()
            continue
        counter.finish(counter.say(f"我是{name}，园区停电了").claim)
        if name in ("mine", "hers"):
            counter.run(taking.claim, LI if name == "mine" else WANG)
        elif name == "end":
            counter.run(taking.close, LI)
    return made


def test_who_waits_comes_first_then_mine_others_and_the_bots_newest(
    database: Database, desk: dict[str, Counter]
) -> None:
    assert names(listed(database)) == ["q1", "q2", "mine", "hers", "bot2", "bot1"]
    with database.reading() as db:
        assert inbox.counts(db, LI) == {View.QUEUED: 2, View.MINE: 1, View.OTHERS: 1}
        assert inbox.counts(db, WANG) == {View.QUEUED: 2, View.MINE: 1, View.OTHERS: 1}
    assert names(listed(database, view=View.CLOSED)) == ["end"]
    assert names(listed(database, view=View.OTHERS)) == ["hers"]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_pages_show_each_once_whatever_their_size(
    database: Database, desk: dict[str, Counter], size: int
) -> None:
    found, after = [], None
    for _ in range(10):
        page = listed(database, limit=size, after=after)
        found += names(page)
        after = page.after
        if after is None:
            break
    assert found == ["q1", "q2", "mine", "hers", "bot2", "bot1"]


@pytest.mark.parametrize("after", ["x", "W10=", "WyJhbGwiLDEsMl0="])
def test_a_made_up_page_is_refused(database: Database, after: str) -> None:
    with pytest.raises(InvalidInput):
        listed(database, after=after)


def test_words_of_messages_find_conversations(database: Database, desk: dict[str, Counter]) -> None:
    desk["q2"].say("楼下 ABC-123 噪音扰民，100%真实")
    assert names(listed(database, text="停电")) == ["mine", "hers", "bot2", "bot1", "end"]
    for wanted in ("噪音扰民", "abc-123", "100%真", "abc", "abc-1", "123 噪音", "楼下 ABC"):
        assert names(listed(database, text=wanted)) == ["q2"], wanted
    for wanted in ("扰民噪音", "电园", "%", "停", '" OR "', "'", "不存在的词"):
        assert names(listed(database, text=wanted)) == [], wanted


def test_names_of_enterprises_and_numbers_find_conversations(
    database: Database, desk: dict[str, Counter]
) -> None:
    with database.session() as db:
        enterprise = Enterprise(
            credit_code="91440300MA5EXAMPLE"[:18], name="深圳云帆科技", name_key="深圳云帆科技"
        )
        db.add(enterprise)
        db.flush()
        bind(db, "hers", enterprise, "li")
    page = listed(database, text="云帆")
    assert [(row.conversation_id, row.enterprise) for row in page.rows] == [
        ("hers", "深圳云帆科技")
    ]
    assert names(listed(database, text="bot1")) == ["bot1"]
    assert names(listed(database, text="FT-20261123-0001", named=["q2"])) == ["q2"]


def test_unread_counts_until_read_and_a_marker_never_goes_back(
    database: Database, desk: dict[str, Counter]
) -> None:
    mine = desk["mine"]
    for number in range(3):
        mine.say(f"补充{number}")

    def unread() -> int:
        return next(r.unread for r in listed(database).rows if r.conversation_id == "mine")

    assert unread() == 4
    newest = mine.run(messages.mark_read, LI)
    assert unread() == 0
    with database.session() as db:
        messages.mark_read(db, "mine", LI, MONDAY, seq=1)
    assert unread() == 0
    mine.say("还有")
    assert unread() == 1
    with database.session() as db:
        assert messages.mark_read(db, "mine", LI, MONDAY, seq=10**9) == newest + 1


def test_the_thread_shows_everything_in_order(database: Database) -> None:
    counter = Counter(database)
    counter.finish(counter.say("你好").claim, "您好")
    counter.later(seconds=1)
    counter.ask_for_person()
    counter.later(seconds=1)
    counter.run(taking.claim, LI)
    counter.later(seconds=1)
    counter.run(messages.add_note, LI, "老客户", "n1")
    counter.later(seconds=1)
    counter.run(messages.send, LI, "我是李敏", "c1")
    with database.reading() as db:
        thread = thread_of(db, "web-a", LI)
        told = [(line.kind, line.text[:4]) for line in thread.lines]
        assert told == [
            (LineKind.VISITOR, "你好"),
            (LineKind.REPLY, "您好"),
            (LineKind.VISITOR, "转人工"),
            (LineKind.REPLY, "正在为您"),
            (LineKind.REPLY, "服务专员"),
            (LineKind.NOTE, "老客户"),
            (LineKind.REPLY, "我是李敏"),
        ]
        assert thread.before is None
        end = thread_of(db, "web-a", LI, limit=2)
        assert [line.text[:4] for line in end.lines] == ["老客户", "我是李敏"]
        earlier = thread_of(db, "web-a", LI, before=end.before, limit=200)
        assert len(earlier.lines) == 5
        with pytest.raises(ConversationNotFound):
            thread_of(db, "nobody", LI)


def test_the_packet_tells_what_was_matched_cited_and_tried(database: Database) -> None:
    counter = Counter(database)
    claim = counter.say("帮我匹配").claim
    assert claim is not None
    conditions = [
        CriterionCard(
            field="headcount",
            verdict="failed",
            have="5人",
            need="至少10人",
            clause=None,
            label="人数",
        ),
        CriterionCard(field="revenue", verdict="unknown", have=None, need="2000万元", clause=None),
        CriterionCard(field="district", verdict="met", have="福田", need="福田", clause=None),
    ]
    match = MatchCard(
        policy_id="FT-001",
        title="国高奖励",
        verdict="ineligible",
        score=0.5,
        amount_max_cny=None,
        criteria=conditions,
    )
    reply = Reply(kind=ReplyKind.MATCH, text="一项", matches=[match], citations=[CARD])
    with database.session() as db:
        turns.finish(db, claim, Outcome([reply]), counter.lease, counter.now)
    with database.reading() as db:
        packet = packet_of(db, "web-a")
    (shown,) = packet.last_match
    assert shown.failed == ["人数：要求至少10人，现为5人"]
    assert shown.unknown == ["revenue：要求2000万元，现为未提供"]
    assert [clause.clause for clause in packet.cited] == ["第八条"]
    assert [(each.text, each.kind) for each in packet.tries] == [("帮我匹配", "match")]
    assert (packet.enterprise, packet.open_appeals) == (None, [])


def test_the_list_can_be_read_while_a_conversation_has_odd_times(database: Database) -> None:
    counter = Counter(database)
    counter.say("你好")
    with database.session() as db:
        db.execute(update(Conversation).values(updated_at=MONDAY))
        assert db.scalar(select(Conversation.updated_at)) == MONDAY
    assert names(listed(database, view=View.BOT)) == ["web-a"]
