"""The desk as the dialogue uses it: filing, joining, racing, adding, withdrawing, rating."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from actions import desk as contract
from knowledge.encoder import Encoder
from service.appeals.clock import SHANGHAI
from service.appeals.dispatch import Dispatcher
from service.appeals.filing import MessageTaken
from service.appeals.history import verify_chain
from service.appeals.models import Appeal, AppealNumber, AppealState, EventKind, Rating
from service.appeals.operations import move
from service.appeals.projection import events_of
from service.conversations.models import Conversation, Message, MessageStatus
from service.db import Database
from service.desk import ServiceDesk, normal_no
from service.enterprises.models import Enterprise
from service.enterprises.operations import EnterpriseFacts, upsert_enterprise
from service.errors import InvalidInput
from tests.service.appeals.seams import Clock, LetterEncoder, draft

CODE = "91440300192189783K"


def stored(database: Database) -> list[Appeal]:
    with database.reading() as db:
        return list(db.scalars(select(Appeal).order_by(Appeal.no)))


def check_chains(database: Database) -> None:
    with database.reading() as db:
        assert [p for a in db.scalars(select(Appeal)) for p in verify_chain(db, a)] == []


def test_desk_is_the_desk_of_the_dialogue(desk: ServiceDesk) -> None:
    wanted: contract.Desk = desk
    assert wanted.appeals_of("web-1") == []


def test_filing_numbers_dispatches_and_sets_the_due_date(
    database: Database, desk: ServiceDesk
) -> None:
    got = desk.file_appeal(draft("m1", policy_id="FT-001", policy_department="福田区科技创新局"))
    assert got == contract.Appeal(
        no="FT-20261123-0001",
        state="dispatched",
        department="福田区科技和工业信息化局",
        due_at=datetime(2026, 11, 30, 18, tzinfo=SHANGHAI),
        matter="园区停电影响生产",
        progress="剩余5个工作日6小时（2026年11月30日 18:00前答复）",
    )
    assert got.due_at.utcoffset() == timedelta(hours=8)
    (row,) = stored(database)
    assert (row.dispatch_confidence, row.policy_id, row.calendar_known) == (1.0, "FT-001", True)
    assert [set(c) for c in row.dispatch_candidates] == [
        {"department", "confidence", "reason", "words"}
    ] * 3
    with database.reading() as db:
        events = events_of(db, row)
    assert [(e.from_state, e.to_state, e.message_id) for e in events] == [
        (None, AppealState.FILED, "m1"),
        (AppealState.FILED, AppealState.DISPATCHED, "m1"),
    ]
    check_chains(database)


def test_numbers_begin_anew_each_shanghai_day(desk: ServiceDesk, clock: Clock) -> None:
    clock.at = datetime(2026, 11, 23, 15, 59, tzinfo=UTC)
    first = desk.file_appeal(draft("m1", "甲"))
    second = desk.file_appeal(draft("m2", "乙"))
    clock.pass_(timedelta(minutes=2))
    third = desk.file_appeal(draft("m3", "丙"))
    assert [a.no for a in (first, second, third)] == [
        "FT-20261123-0001", "FT-20261123-0002", "FT-20261124-0001"
    ]  # fmt: skip


def test_prefix_is_chosen_by_the_district(
    database: Database, letters: Dispatcher, clock: Clock
) -> None:
    desk = ServiceDesk(database, letters, LetterEncoder(), prefix="NS", now=clock)
    assert desk.file_appeal(draft("m1")).no == "NS-20261123-0001"


def test_the_same_message_files_once(database: Database, desk: ServiceDesk, clock: Clock) -> None:
    first = desk.file_appeal(draft("m1"))
    clock.pass_(timedelta(days=3))
    assert desk.file_appeal(draft("m1")).no == first.no
    assert len(stored(database)) == 1


def test_a_message_of_another_session_is_refused(database: Database, desk: ServiceDesk) -> None:
    desk.file_appeal(draft("m1"))
    with pytest.raises(MessageTaken):
        desk.file_appeal(draft("m1", session="web-2"))
    assert len(stored(database)) == 1


@pytest.mark.parametrize("again", ["园区停电影响生产", "园区停电，影响生产！"])
def test_a_repeat_joins_the_open_appeal(database: Database, desk: ServiceDesk, again: str) -> None:
    first = desk.file_appeal(draft("m1"))
    joined = desk.file_appeal(draft("m2", again))
    assert (joined.no, joined.joined) == (first.no, True)
    assert desk.file_appeal(draft("m2", again)) == joined
    with database.reading() as db:
        (row,) = db.scalars(select(Appeal))
        events = events_of(db, row)
    assert [e.kind for e in events].count(EventKind.JOINED) == 1
    assert (events[-1].note, events[-1].message_id) == (again, "m2")
    check_chains(database)


def test_another_session_matter_or_an_answered_appeal_is_not_joined(
    database: Database, desk: ServiceDesk
) -> None:
    first = desk.file_appeal(draft("m1"))
    assert not desk.file_appeal(draft("m2", session="web-2")).joined
    assert not desk.file_appeal(draft("m3", "国高奖励没到账")).joined
    with database.session() as db:
        move(db, first.no, AppealState.ACCEPTED, "staff")
        move(db, first.no, AppealState.ANSWERED, "staff")
    assert not desk.file_appeal(draft("m4")).joined
    assert len(stored(database)) == 4


@pytest.mark.parametrize("same_message", [True, False])
def test_racing_repeats_make_one_appeal(
    database: Database, desk: ServiceDesk, same_message: bool
) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = ["m1" if same_message else f"m{n}" for n in range(16)]
        got = list(pool.map(lambda message_id: desk.file_appeal(draft(message_id)), ids))
    assert {a.no for a in got} == {"FT-20261123-0001"}
    assert sum(not a.joined for a in got) == (16 if same_message else 1)
    assert len(stored(database)) == 1
    check_chains(database)


def test_racing_across_midnight_makes_one_appeal(database: Database, letters: Dispatcher) -> None:
    midnight = datetime(2026, 11, 23, 16, tzinfo=UTC)
    times = itertools.cycle([midnight - timedelta(seconds=1), midnight])
    desk = ServiceDesk(database, letters, LetterEncoder(), now=lambda: next(times))
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _n: desk.file_appeal(draft("m1")), range(16)))
    assert len({a.no for a in got}) == len(stored(database)) == 1


def test_racing_filings_are_numbered_without_gap(database: Database, desk: ServiceDesk) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda n: desk.file_appeal(draft(f"m{n}", f"事项{n}", f"web-{n % 5}")), range(40)
            )
        )
    assert [row.no for row in stored(database)] == [f"FT-20261123-{n:04d}" for n in range(1, 41)]
    with database.reading() as db:
        assert db.execute(select(AppealNumber.last)).scalars().all() == [40]


def test_a_filing_that_fails_leaves_no_gap(database: Database, desk: ServiceDesk) -> None:
    with pytest.raises(InvalidInput, match="请写明"):
        desk.file_appeal(draft("m1", " \0 "))
    assert desk.file_appeal(draft("m2")).no == "FT-20261123-0001"


def test_long_and_strange_text_is_kept_as_far_as_it_can_be(
    database: Database, desk: ServiceDesk
) -> None:
    desk.file_appeal(draft("m1", "停\0电\ud800<b>'; DROP TABLE appeals;--\u202e🙂" + "长" * 5000))
    (row,) = stored(database)
    assert row.matter.startswith("停电<b>'; DROP TABLE appeals;--\u202e🙂长")
    assert len(row.matter) == 2000


def test_appeals_of_a_session_come_newest_first_and_stay_its_own(
    desk: ServiceDesk, clock: Clock
) -> None:
    first = desk.file_appeal(draft("m1", "甲"))
    clock.pass_(timedelta(hours=1))
    second = desk.file_appeal(draft("m2", "乙"))
    assert [a.no for a in desk.appeals_of("web-1")] == [second.no, first.no]
    assert [a.no for a in desk.appeals_of("web-1", f" {first.no.lower()} ")] == [first.no]
    assert desk.appeals_of("web-2") == desk.appeals_of("web-2", first.no) == []
    assert desk.appeals_of("web-1", "'; --") == []


def test_supplement_is_added_once_and_only_by_its_session(
    database: Database, desk: ServiceDesk
) -> None:
    no = desk.file_appeal(draft("m1")).no
    assert desk.supplement_appeal("web-2", no, "偷看", "m2") is None
    assert desk.supplement_appeal("web-1", "FT-20261123-0009", "没有", "m2") is None
    for _ in range(2):
        got = desk.supplement_appeal("web-1", no, "每天下午三点停", "m3")
        assert got is not None and got.no == no
    with database.reading() as db:
        (row,) = db.scalars(select(Appeal))
        notes = [e.note for e in events_of(db, row) if e.kind is EventKind.SUPPLEMENTED]
    assert notes == ["每天下午三点停"]
    check_chains(database)


def test_withdrawn_appeal_stays_withdrawn(database: Database, desk: ServiceDesk) -> None:
    no = desk.file_appeal(draft("m1")).no
    assert desk.withdraw_appeal("web-2", no, "m2") is None
    first = desk.withdraw_appeal("web-1", no, "m3")
    assert first is not None and first.state == "withdrawn"
    assert desk.withdraw_appeal("web-1", no, "m3") == first
    assert desk.withdraw_appeal("web-1", no, "m4") is None
    assert desk.supplement_appeal("web-1", no, "还有", "m5") is None
    again = desk.file_appeal(draft("m6"))
    assert (again.no, again.joined) == ("FT-20261123-0002", False)
    assert stored(database)[0].closed_at is not None
    check_chains(database)


def test_racing_withdrawals_and_supplements_keep_the_chain(
    database: Database, desk: ServiceDesk
) -> None:
    no = desk.file_appeal(draft("m0")).no

    def act(n: int) -> None:
        if n == 6:
            desk.withdraw_appeal("web-1", no, f"w{n}")
        else:
            desk.supplement_appeal("web-1", no, f"补充{n}", f"s{n}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, range(24)))
    assert stored(database)[0].state is AppealState.WITHDRAWN
    check_chains(database)


def test_rating_goes_to_the_newest_appeal_or_the_session(
    database: Database, desk: ServiceDesk, clock: Clock
) -> None:
    desk.rate("web-9", 5, "很好\0", "r1")
    desk.file_appeal(draft("m1", "甲"))
    clock.pass_(timedelta(minutes=1))
    newest = desk.file_appeal(draft("m2", "乙"))
    for _ in range(2):
        desk.rate("web-1", 2, "", "r2")
    with database.reading() as db:
        rows = list(db.scalars(select(Rating).order_by(Rating.id)))
        target = db.scalars(select(Appeal).where(Appeal.no == newest.no)).one()
    assert [(r.session, r.appeal_id, r.score, r.comment) for r in rows] == [
        ("web-9", None, 5, "很好"),
        ("web-1", target.id, 2, ""),
    ]
    for score in (0, 6, -1):
        with pytest.raises(InvalidInput, match="1至5"):
            desk.rate("web-1", score, "", f"bad{score}")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("13800138000", "13800138000"),
        ("+86 138-0013-8000", "13800138000"),
        ("0755-82925718", "075582925718"),
        ("电话", None),
        (None, None),
    ],
)
def test_phone_is_kept_as_digits(
    database: Database, desk: ServiceDesk, given: str | None, kept: str | None
) -> None:
    desk.file_appeal(draft("m1", phone=given))
    assert stored(database)[0].phone == kept


def test_what_a_chat_states_never_overwrites_the_registered_name(
    database: Database, desk: ServiceDesk
) -> None:
    with database.session() as db:
        upsert_enterprise(db, EnterpriseFacts(CODE, "深圳市登记有限公司", "福田区"))
    desk.file_appeal(draft("m1", credit_code=CODE.lower(), company="随口说的公司"))
    row = stored(database)[0]
    assert (row.credit_code, row.company) == (CODE, "深圳市登记有限公司")
    with database.reading() as db:
        assert db.scalars(select(Enterprise.name)).all() == ["深圳市登记有限公司"]


def test_stated_enterprise_is_kept_unverified_and_a_wrong_code_left_out(
    database: Database, desk: ServiceDesk
) -> None:
    desk.file_appeal(draft("m1", "甲", credit_code=CODE, company="新来的公司"))
    desk.file_appeal(draft("m2", "乙", credit_code=CODE))
    desk.file_appeal(draft("m3", "丙", credit_code="91440300192189783X", company="写错的公司"))
    assert [(r.credit_code, r.company) for r in stored(database)] == [
        (CODE, "新来的公司"), (CODE, "新来的公司"), (None, "写错的公司")
    ]  # fmt: skip
    with database.reading() as db:
        row = db.scalars(select(Enterprise)).one()
        assert not row.is_verified
        assert db.execute(select(func.count()).select_from(Enterprise)).scalar_one() == 1


def test_number_is_read_however_it_was_typed() -> None:
    assert normal_no(" ft-20261123-0001\n") == "FT-20261123-0001"
    assert len(normal_no("9" * 1000)) == 32


def test_alike_by_meaning_joins_only_under_the_same_policy(
    sqlite_database: Database, dispatcher: Dispatcher, encoder: Encoder, clock: Clock
) -> None:
    desk = ServiceDesk(sqlite_database, dispatcher, encoder, now=clock)
    first = desk.file_appeal(draft("m1", "稳岗返还的钱没收到", policy_id="SZ-1"))
    other = desk.file_appeal(draft("m2", "稳岗返还还没收到钱", policy_id="SZ-2"))
    again = desk.file_appeal(draft("m3", "稳岗返还的钱还没有收到", policy_id="SZ-1"))
    assert not other.joined
    assert (again.no, again.joined) == (first.no, True)


def test_the_answer_spoken_of_is_the_last_thing_told(
    database: Database, desk: ServiceDesk, clock: Clock
) -> None:
    no = desk.file_appeal(draft("m1")).no
    with database.session() as db:
        db.add(Conversation(id="web-1", channel="web"))
        db.flush()
        db.add(message("m1", clock.at))
    assert desk.answered_appeal("web-1", "m9") is None
    clock.pass_(timedelta(hours=1))
    with database.session() as db:
        move(db, no, AppealState.ACCEPTED, "staff", now=clock())
        move(db, no, AppealState.ANSWERED, "staff", "已修好", now=clock())
        db.add(message("m9", clock.at + timedelta(minutes=5)))
    answered = desk.answered_appeal("web-1", "m9")
    assert answered is not None and answered.no == no
    assert desk.answered_appeal("web-1", "m10") is None, "something else was said since"
    assert desk.answered_appeal("web-2", "m9") is None


def message(message_id: str, at: datetime) -> Message:
    return Message(
        id=message_id,
        conversation_id="web-1",
        client_id=message_id,
        text="…",
        is_button=False,
        status=MessageStatus.ANSWERED,
        received_at=at,
    )


def test_progress_tells_the_clock(desk: ServiceDesk, clock: Clock) -> None:
    appeal = desk.file_appeal(draft("m1"))
    assert appeal.progress == "剩余5个工作日6小时（2026年11月30日 18:00前答复）"
    clock.at = datetime(2026, 12, 1, 10, tzinfo=SHANGHAI)
    assert desk.appeals_of("web-1")[0].progress.startswith("已逾期1小时")
