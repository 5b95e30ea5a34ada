"""The five handling rules and what surrounds them, step by step, on real databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from actions.replies import Reply
from service.appeals import handling, operations
from service.appeals.clock import SHANGHAI
from service.appeals.departments import directory
from service.appeals.derived import Derived, derive
from service.appeals.history import append_event, verify_chain
from service.appeals.models import Appeal, AppealParty, AppealState, EventKind
from service.appeals.notices import tell_requesters
from service.appeals.operations import AppealNotFound, IllegalMove, ReasonMissing
from service.appeals.projection import events_of
from service.appeals.reasons import NOT_ACCEPTED, PAUSES, Category, PauseReason
from service.appeals.remaining import remaining
from service.appeals.visibility import NotYours, visible_to
from service.db import Database
from service.desk import ServiceDesk
from service.errors import InvalidInput
from service.staff.permissions import Staff
from tests.service.appeals.people import (
    ADMIN,
    CENTRE,
    COMMISSIONER,
    EVERYBODY,
    FINANCE,
    POWER,
    POWER_NAME,
    SCIENCE,
    SCIENCE_NAME,
)
from tests.service.appeals.seams import Clock, draft

S = AppealState
Do = Callable[..., Appeal]


@pytest.fixture
def no(desk: ServiceDesk) -> str:
    """A fresh appeal at the power supplier's, filed Monday at 10:00, due Monday 18:00 a week later."""
    return desk.file_appeal(draft("m1")).no


@pytest.fixture
def lines(database: Database) -> Iterator[list[str]]:
    """What requesters were told, in order."""
    told: list[str] = []

    def keep(_db: Session, session: str, reply: Reply) -> None:
        assert session == "web-1"
        told.append(reply.text)

    stop = tell_requesters(database, keep)
    yield told
    stop()


@pytest.fixture
def step(database: Database, clock: Clock, no: str) -> Do:
    """Does one step as somebody, in a transaction of its own, and checks the history."""

    def do(what: Callable[..., Appeal], who: Staff, *args: object, **more: object) -> Appeal:
        clock.pass_(timedelta(minutes=1))
        with database.session() as db:
            appeal = what(db, no, who, *args, **more, now=clock())
            assert verify_chain(db, appeal) == []
        return appeal

    return do


def at(text_: str) -> datetime:
    return datetime.fromisoformat(text_).replace(tzinfo=SHANGHAI)


def derived(database: Database, no: str) -> Derived:
    with database.reading() as db:
        appeal = db.scalars(select(Appeal).where(Appeal.no == no)).one()
        return derive(events_of(db, appeal))


def test_rule_1_is_answered_and_closed_at_once_by_whoever_can(step: Do, lines: list[str]) -> None:
    appeal = step(handling.settle_on_spot, COMMISSIONER, "已当场开通账号")
    assert (appeal.state, appeal.clock_since) == (S.CLOSED, None)
    assert lines == [f"诉求 {appeal.no}：已即时办理：已当场开通账号\n这件事解决了吗？"]


def test_rule_2_is_accepted_and_answered_by_the_lead_alone(
    step: Do, lines: list[str], no: str
) -> None:
    for other in (SCIENCE, FINANCE, ADMIN):
        with pytest.raises(AppealNotFound):
            step(handling.accept, other)
    with pytest.raises(NotYours):
        step(handling.answer, COMMISSIONER, "…")
    step(handling.accept, POWER)
    with pytest.raises(ReasonMissing):
        step(handling.answer, POWER, " \0 ")
    appeal = step(handling.answer, POWER, "已恢复供电")
    assert (appeal.state, appeal.due_at) == (S.ANSWERED, at("2026-11-30T18:00"))
    assert lines == [
        f"诉求 {no}：{POWER_NAME}已受理，2026年11月30日 18:00前答复您。",
        f"诉求 {no}：{POWER_NAME}答复：已恢复供电\n这件事解决了吗？",
    ]


def test_rule_3_needs_reason_and_basis(step: Do, lines: list[str]) -> None:
    for reason, basis in (("", "第三条"), ("预算用完", "")):
        with pytest.raises(ReasonMissing):
            step(handling.explain, POWER, reason, basis)
    appeal = step(handling.explain, POWER, "预算用完", "第三条")
    assert appeal.state is S.EXPLAINED
    assert lines == [
        f"诉求 {appeal.no}：{POWER_NAME}说明：预算用完（依据：第三条）\n这件事解决了吗？"
    ]


def test_rule_4_goes_to_the_district_leader_with_lead_and_assistants(
    step: Do, database: Database, lines: list[str], no: str
) -> None:
    with pytest.raises(NotYours):
        step(handling.escalate, POWER, "涉及市级", ["finance"], lead="science_industry_it")
    step(handling.escalate, POWER, "涉及市级部门", ["finance", "power"])
    got = derived(database, no)
    assert (got.department, got.co_departments) == (POWER_NAME, ("福田区金融工作局",))
    assert (got.leader, got.state) == ("分管区领导", S.ESCALATED)
    assert lines == [f"诉求 {no}：事项较复杂，已由{POWER_NAME}牵头提请分管区领导协调。"]
    with database.reading() as db:
        for staff in (POWER, FINANCE, CENTRE, COMMISSIONER):
            assert db.scalars(select(Appeal.no).where(visible_to(staff))).all() == [no]
        for staff in (SCIENCE, ADMIN):
            assert db.scalars(select(Appeal.no).where(visible_to(staff))).all() == []
    with pytest.raises(NotYours):
        step(handling.answer, FINANCE, "协办单位不答复")
    step(handling.note, FINANCE, "已提供材料")
    assert step(handling.answer, POWER, "已协调").state is S.ANSWERED


def test_rule_5_gives_the_lead_to_the_centre(step: Do, database: Database, no: str) -> None:
    with pytest.raises(NotYours):
        step(handling.mark_common, POWER, "多家企业反映")
    appeal = step(handling.mark_common, CENTRE, "多家企业反映")
    assert (appeal.is_common, appeal.department) == (True, "福田区企业服务中心")
    got = derived(database, no)
    assert (got.co_departments, got.first_department) == ((POWER_NAME,), POWER_NAME)


def test_two_send_backs_then_the_centre_decides_for_good(
    step: Do, database: Database, lines: list[str], no: str
) -> None:
    with pytest.raises(ReasonMissing):
        step(handling.send_back, POWER, "")
    with pytest.raises(IllegalMove, match="未满两次"):
        step(handling.arbitrate, CENTRE, "finance", "先裁一次")
    step(handling.send_back, POWER, "不是供电问题")
    step(handling.dispatch_to, CENTRE, "区科创局", reason="看似设备")
    step(handling.send_back, SCIENCE, "也不是我局职责")
    with pytest.raises(IllegalMove, match="仲裁"):
        step(handling.dispatch_to, CENTRE, "finance")
    with pytest.raises(NotYours):
        step(handling.arbitrate, COMMISSIONER, "power", "…")
    appeal = step(handling.arbitrate, CENTRE, "power", "按职责清单第二条", ["finance"])
    assert (appeal.department, appeal.is_arbitrated, appeal.returns) == (POWER_NAME, True, 2)
    with pytest.raises(IllegalMove, match="不能再退回"):
        step(handling.send_back, POWER, "还是不办")
    assert appeal.due_at == at("2026-11-30T18:00"), "send-backs cost the department, not the asker"
    assert derived(database, no).first_department == POWER_NAME
    assert len(lines) == 4
    assert lines[3].startswith(
        f"诉求 {no}：经企服中心研究，已转由{POWER_NAME}办理，福田区金融工作局协办"
    )


def test_the_centre_redirects_what_was_dispatched_wrongly(
    step: Do, database: Database, lines: list[str], no: str
) -> None:
    with pytest.raises(InvalidInput, match="这个部门"):
        step(handling.dispatch_to, CENTRE, "火星局")
    appeal = step(handling.dispatch_to, CENTRE, "福田区工业和信息化局", ["power"])
    assert (appeal.state, appeal.department) == (S.DISPATCHED, SCIENCE_NAME)
    assert appeal.first_department == POWER_NAME
    with database.reading() as db:
        rows = db.execute(select(AppealParty.department, AppealParty.is_lead)).all()
    assert {tuple(row) for row in rows} == {(SCIENCE_NAME, True), (POWER_NAME, False)}
    assert len(lines) == 1


def test_a_pause_stops_the_clock_for_a_named_reason_only(
    step: Do, database: Database, clock: Clock, lines: list[str], no: str
) -> None:
    with pytest.raises(InvalidInput, match="等待企业补充材料"):
        step(handling.pause, POWER, "先放一放", "")
    clock.at = at("2026-11-24T10:00") - timedelta(minutes=1)
    paused = step(handling.pause, POWER, PauseReason.SUPERIOR, "等省里批复")
    left = remaining(paused, at("2026-11-27T17:00"))
    assert (left.left_min, left.paused) == (420 * 4 + 360, "等待上级批复")
    with pytest.raises(IllegalMove, match="已经暂停"):
        step(handling.pause, POWER, PauseReason.SUPERIOR, "")
    clock.at = at("2026-11-26T10:00") - timedelta(minutes=1)
    resumed = step(handling.resume, POWER)
    assert resumed.due_at == at("2026-12-02T18:00"), "two working days later than before"
    assert remaining(resumed, clock()).left_min == left.left_min
    with pytest.raises(IllegalMove):
        step(handling.resume, POWER)
    assert lines[0] == f"诉求 {no}：计时已暂停：等待上级批复（等省里批复）。"
    assert lines[1] == f"诉求 {no}：计时已恢复，2026年12月2日 18:00前答复您。"
    assert len(lines) == 2
    assert derived(database, no).pause_reason is None


def test_what_the_requester_adds_ends_the_pause_that_waits_for_it(
    step: Do, desk: ServiceDesk, clock: Clock, database: Database, no: str
) -> None:
    step(handling.pause, POWER, PauseReason.MORE_FROM_REQUESTER, "请补充地址")
    clock.pass_(timedelta(days=1))
    for _ in range(2):
        assert desk.supplement_appeal("web-1", no, "福华路1号", "m2") is not None
    got = derived(database, no)
    assert (got.pause_reason, got.clock.since is not None) == (None, True)
    assert got.clock.due_at == at("2026-12-01T18:00")
    step(handling.pause, POWER, PauseReason.SITE_VISIT, "")
    desk.supplement_appeal("web-1", no, "下午方便", "m3")
    assert derived(database, no).pause_reason == "site_visit"


def test_extension_is_asked_once_and_approved_by_the_centre(
    step: Do, lines: list[str], no: str
) -> None:
    for days in (0, 6):
        with pytest.raises(InvalidInput):
            step(handling.ask_extension, POWER, days, "设备在途")
    with pytest.raises(IllegalMove):
        step(handling.extend, CENTRE, True)
    asked = step(handling.ask_extension, POWER, 3, "设备在途")
    assert (asked.extension, asked.due_at) == ("asked", at("2026-11-30T18:00"))
    with pytest.raises(NotYours):
        step(handling.extend, POWER, True)
    extended = step(handling.extend, CENTRE, True)
    assert (extended.extension, extended.due_at) == ("extended", at("2026-12-03T18:00"))
    with pytest.raises(IllegalMove, match="一次"):
        step(handling.ask_extension, POWER, 3, "还要")
    assert lines == [f"诉求 {no}：经企服中心批准延期3个工作日，2026年12月3日 18:00前答复您。"]


def test_a_denied_extension_changes_no_date(step: Do, lines: list[str]) -> None:
    step(handling.ask_extension, POWER, 2, "人手不足")
    with pytest.raises(ReasonMissing):
        step(handling.extend, CENTRE, False)
    denied = step(handling.extend, CENTRE, False, "理由不充分")
    assert (denied.extension, denied.due_at) == ("denied", at("2026-11-30T18:00"))
    assert lines == []


@pytest.mark.parametrize("category", list(Category))
def test_not_accepted_says_why_and_where_to_go(
    step: Do, lines: list[str], no: str, category: Category
) -> None:
    with pytest.raises(NotYours):
        step(handling.refuse, POWER, category, "理由")
    with pytest.raises(InvalidInput):
        step(handling.refuse, CENTRE, "太麻烦", "理由")
    with pytest.raises(ReasonMissing):
        step(handling.refuse, CENTRE, category, "")
    appeal = step(handling.refuse, CENTRE, category, "已在法院立案")
    assert (appeal.state, appeal.next_check_at) == (S.REFUSED, None)
    (line,) = lines
    known = NOT_ACCEPTED[category]
    assert known.text in line and "已在法院立案" in line and known.where_to_go in line


def test_not_solved_reopens_with_a_shorter_clock(
    step: Do, desk: ServiceDesk, database: Database, clock: Clock, no: str
) -> None:
    step(handling.accept, POWER)
    step(handling.answer, POWER, "已修好")
    clock.at = at("2026-12-01T11:00")
    for _ in range(2):
        appeal = desk.say_solved("web-1", no, False, "还在停电", "m2")
        assert appeal is not None and appeal.state == "reopened"
        assert appeal.due_at == at("2026-12-03T18:00")
    assert desk.say_solved("web-2", no, False, "别人", "m3") is None
    got = derived(database, no)
    assert (got.solved, got.clock.round, got.asks_solved) == (False, 2, False)
    step(handling.answer, POWER, "换了变压器")
    closed = desk.say_solved("web-1", no, True, "", "m4")
    assert closed is not None and closed.state == "closed"
    assert derived(database, no).asks_satisfied
    desk.rate("web-1", 4, "还行", "m5")
    desk.rate("web-1", 1, "再来", "m6")
    assert (derived(database, no).solved, derived(database, no).satisfied) == (True, 4)


def test_both_questions_can_be_answered_by_phone(step: Do) -> None:
    with pytest.raises(IllegalMove, match="没有待评价"):
        step(handling.rate, COMMISSIONER, True, 5)
    step(handling.accept, POWER)
    step(handling.answer, POWER, "已修好")
    with pytest.raises(InvalidInput):
        step(handling.rate, COMMISSIONER, True, 6)
    appeal = step(handling.rate, COMMISSIONER, True, 5)
    assert (appeal.state, appeal.solved, appeal.satisfied) == (S.CLOSED, True, 5)
    with pytest.raises(IllegalMove):
        step(handling.rate, COMMISSIONER, True, 1)


def test_closed_can_still_be_reopened_by_staff(step: Do, lines: list[str]) -> None:
    step(handling.settle_on_spot, CENTRE, "好了")
    appeal = step(handling.reopen, COMMISSIONER, "企业来电说没好")
    assert (appeal.state, appeal.closed_at) == (S.REOPENED, None)
    assert len(lines) == 2


def test_notes_are_for_colleagues_only(step: Do, lines: list[str], desk: ServiceDesk) -> None:
    step(handling.note, POWER, "这家很难缠")
    assert lines == []


def test_a_line_and_its_change_are_committed_together(
    database: Database, clock: Clock, no: str
) -> None:
    posted: list[str] = []

    def fail(_db: Session, _session: str, reply: Reply) -> None:
        posted.append(reply.text)
        raise ZeroDivisionError

    stop = tell_requesters(database, fail)
    with pytest.raises(ZeroDivisionError), database.session() as db:
        handling.accept(db, no, POWER, clock())
    stop()
    assert len(posted) == 1
    assert derived(database, no).state is S.DISPATCHED


def test_nobody_does_what_the_state_does_not_allow(step: Do, database: Database, no: str) -> None:
    step(handling.settle_on_spot, CENTRE, "好了")
    before = derived(database, no)
    for do in (
        (handling.accept, POWER),
        (handling.answer, POWER, "x"),
        (handling.send_back, POWER, "x"),
        (handling.explain, POWER, "x", "y"),
        (handling.escalate, POWER, "x"),
        (handling.pause, POWER, PauseReason.SUPERIOR, ""),
        (handling.ask_extension, POWER, 1, "x"),
        (handling.dispatch_to, CENTRE, "power"),
        (handling.refuse, CENTRE, Category.OTHER, "x"),
        (handling.mark_common, CENTRE, "x"),
        (handling.close, CENTRE),
    ):
        with pytest.raises(IllegalMove):
            step(*do)
    assert derived(database, no) == before


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE appeals SET department = 'x'", "department x does not come"),
        ("UPDATE appeals SET due_at = '2030-01-01 00:00:00'", "due_at"),
        ("UPDATE appeals SET pause_reason = 'superior'", "pause_reason"),
        ("UPDATE appeals SET extension = 'extended'", "extension"),
        ("DELETE FROM appeal_parties", "its departments"),
        ("UPDATE appeal_events SET detail = '{\"days\": 50}' WHERE seq = 1", "event 1 was changed"),
        ("UPDATE appeal_events SET detail = '[]' WHERE seq = 1", "event 1 was changed"),
        ("UPDATE appeal_events SET once = 'x' WHERE seq = 2", "event 2 was changed"),
    ],
)
def test_tampering_with_what_is_derived_is_seen(
    database: Database, no: str, statement: str, said: str
) -> None:
    with database.session() as db:
        db.execute(text(statement))
    with database.reading() as db:
        appeal = db.scalars(select(Appeal)).one()
        assert said in " ".join(verify_chain(db, appeal))


def test_a_detail_of_another_kind_is_refused(database: Database, clock: Clock, no: str) -> None:
    from service.appeals.details import DetailInvalid

    for detail in ({"days": "5"}, {"unknown": 1}, {"days": True}):
        with pytest.raises(DetailInvalid), database.session() as db:
            appeal = operations.locked(db, no)
            append_event(db, appeal, EventKind.EXTENDED, "c1", clock(), detail=detail)


def test_appeals_of_a_merged_department_are_its_heirs(
    database: Database, desk: ServiceDesk, no: str
) -> None:
    old = "福田区科技创新局"
    assert directory().today(old) is directory().today("区工信局")
    assert directory().shown(old) == f"{old}（现{SCIENCE_NAME}）"
    assert directory().shown(SCIENCE_NAME) == SCIENCE_NAME
    with database.session() as db:
        db.execute(update(AppealParty).values(department=old))
        db.execute(update(Appeal).values(department=old))
    with database.reading() as db:
        assert db.scalars(select(Appeal.no).where(visible_to(SCIENCE))).all() == [no]
        assert db.scalars(select(Appeal.no).where(visible_to(POWER))).all() == []
    assert desk.appeals_of("web-1")[0].department == f"{old}（现{SCIENCE_NAME}）"


def test_every_pause_and_role_is_covered() -> None:
    assert set(PAUSES) == set(PauseReason)
    assert set(NOT_ACCEPTED) == set(Category)
    assert {staff.role for staff in EVERYBODY} == set(type(CENTRE.role))
