"""Appeals in every state and at every place of the clock, for the pages to show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from service.appeals import handling
from service.appeals.departments import load_departments
from service.appeals.dispatch import Dispatcher
from service.conversations.models import Conversation, Owner
from service.db import Database, utc_now
from service.desk import ServiceDesk
from service.staff.permissions import Role, Staff
from tests.service.appeals.people import CENTRE
from tests.service.appeals.seams import LetterEncoder, draft

FINANCE = Staff("u-department", "林专员", Role.DEPARTMENT, "finance")
MATTERS = (
    "贷款贴息申请三个月没有回音，银行说要区里盖章，区里说要银行先放款，希望明确流程。",
    "园区配电房老化，上周停电两次，生产线停了六个小时，想请供电部门来看看增容怎么办。",
    "人才住房配租排到什么时候，企业两个骨干要来深圳，急着租房。",
    "公司门口人行道施工围挡挡住了货车出入口，已经两周。",
    "首贷户贴息和知识产权质押贷款贴息能不能同时申请？窗口答复不一致。",
)
Do = Callable[[Session, str, datetime], object]
_CO = ["power"]


def _dispatched(db: Session, no: str, now: datetime) -> object:
    return handling.dispatch_to(db, no, CENTRE, "finance", _CO, reason="涉及贴息", now=now)


def _accepted(db: Session, no: str, now: datetime) -> object:
    return handling.accept(db, no, FINANCE, now)


def _answered(db: Session, no: str, now: datetime) -> object:
    return handling.answer(db, no, FINANCE, "已与银行核对，材料齐全，本周内完成拨付。", now)


_SENT_BACK: Do = lambda db, no, now: handling.send_back(db, no, FINANCE, "不属于金融", now)  # noqa: E731
JOURNEYS: dict[str, list[Do]] = {
    "filed": [],
    "dispatched": [_dispatched],
    "accepted": [_dispatched, _accepted],
    "paused": [
        _dispatched,
        _accepted,
        lambda db, no, now: handling.pause(
            db, no, FINANCE, "more_from_requester", "请补充贷款合同复印件", now
        ),
    ],
    "extension": [
        _dispatched,
        _accepted,
        lambda db, no, now: handling.ask_extension(db, no, FINANCE, 3, "需要银行回函", now),
    ],
    "returned": [_dispatched, _SENT_BACK],
    "returned twice": [_dispatched, _SENT_BACK, _dispatched, _SENT_BACK],
    "escalated": [
        _dispatched,
        lambda db, no, now: handling.escalate(db, no, FINANCE, "涉及三个部门", ["power"], now=now),
    ],
    "answered": [_dispatched, _accepted, _answered],
    "explained": [
        _dispatched,
        lambda db, no, now: handling.explain(
            db, no, FINANCE, "同一贷款不能重复贴息", "福田区支持金融业若干措施第五条", now
        ),
    ],
    "reopened": [
        _dispatched,
        _accepted,
        _answered,
        lambda db, no, now: handling.rate(db, no, FINANCE, False, None, note="钱还没到", now=now),
    ],
    "closed": [
        _dispatched,
        _accepted,
        _answered,
        lambda db, no, now: handling.rate(db, no, FINANCE, True, 5, now=now),
    ],
    "refused": [
        lambda db, no, now: handling.refuse(db, no, CENTRE, "proceedings", "已进入仲裁", now=now)
    ],
    "common": [
        _dispatched,
        lambda db, no, now: handling.mark_common(db, no, CENTRE, "多家企业同类问题", now),
    ],
}
AGES = (0, 1, 4, 6, 9)
"""Days ago the appeals of one state were filed: fresh, in the middle, near the end, overdue."""


def fill_appeals(database: Database, ages: tuple[int, ...] = AGES) -> dict[str, list[str]]:
    """Files and handles appeals; their numbers by the name of the journey, oldest first."""
    numbers: dict[str, list[str]] = {name: [] for name in JOURNEYS}
    dispatcher = Dispatcher(load_departments(), LetterEncoder())
    for age in sorted(ages, reverse=True):
        at = utc_now() - timedelta(days=age, minutes=40)
        for number, (name, journey) in enumerate(JOURNEYS.items()):
            session = f"web-{age}-{number}"
            if number % 2:
                with database.session() as db:
                    db.add(Conversation(id=session, channel="web", owner=Owner.BOT))
            desk = ServiceDesk(database, dispatcher, LetterEncoder(), now=lambda at=at: at)  # type: ignore[misc]
            filed = desk.file_appeal(
                draft(
                    f"m-{age}-{number}",
                    f"{MATTERS[(number + age) % len(MATTERS)]}（{name}）",
                    session=session,
                    phone="13800138000",
                    company="深圳市云帆智能科技有限公司" if number % 4 else None,
                )
            )
            numbers[name].append(filed.no)
            for step, do in enumerate(journey, start=1):
                with database.session() as db:
                    do(db, filed.no, at + timedelta(minutes=2 * step))
    return numbers
