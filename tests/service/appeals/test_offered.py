"""What is offered is what can be done: each step in each situation, by everybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from service.appeals import handling
from service.appeals.clock import DISTRICT_HOURS
from service.appeals.derived import derive
from service.appeals.models import Appeal
from service.appeals.offered import offered
from service.appeals.operations import AppealNotFound, IllegalMove
from service.appeals.projection import events_of
from service.appeals.staff_routes import STEPS, Step, staff_appeal
from service.appeals.visibility import NotYours
from service.db import Database
from service.desk import ServiceDesk
from service.staff.permissions import Staff
from tests.service.appeals.people import CENTRE, EVERYBODY, POWER
from tests.service.appeals.seams import Clock, draft

Prepare = list[Callable[..., object]]

_H = handling


def _dispatched(db: object, no: str, now: object) -> object:
    return _H.dispatch_to(db, no, CENTRE, "power", ["finance"], now=now)  # type: ignore[arg-type]


def _by(step: str, staff: Staff, **values: object) -> Callable[..., object]:
    _, _, do = STEPS[step]
    return lambda db, no, now: do(db, no, staff, Step(**values), now, DISTRICT_HOURS)


_BACK = _by("send-back", POWER, reason="不属于我们")
SITUATIONS: dict[str, Prepare] = {
    "as filed": [],
    "dispatched": [_dispatched],
    "accepted": [_dispatched, _by("accept", POWER)],
    "paused": [_dispatched, _by("pause", POWER, category="superior")],
    "extension asked": [_dispatched, _by("ask-extension", POWER, days=2, reason="要检测")],
    "extended": [
        _dispatched,
        _by("ask-extension", POWER, days=2, reason="要检测"),
        _by("extend", CENTRE, approved=True),
    ],
    "returned": [_dispatched, _BACK],
    "returned twice": [_dispatched, _BACK, _dispatched, _BACK],
    "arbitrated": [
        _dispatched,
        _BACK,
        _dispatched,
        _BACK,
        _by("arbitrate", CENTRE, lead="power", co=["finance"], reason="已研究"),
    ],
    "answered": [_dispatched, _by("accept", POWER), _by("answer", POWER, text="好了")],
    "explained": [_dispatched, _by("explain", POWER, reason="没有依据", basis="条例第三条")],
    "escalated": [_dispatched, _by("escalate", POWER, reason="涉及多个部门", co=["finance"])],
    "settled": [_dispatched, _by("settle", POWER, text="已处理")],
    "closed": [
        _dispatched,
        _by("accept", POWER),
        _by("answer", POWER, text="好了"),
        _by("rate", POWER, solved=True, satisfied=5),
    ],
    "reopened": [
        _dispatched,
        _by("accept", POWER),
        _by("answer", POWER, text="好了"),
        _by("rate", POWER, solved=False),
    ],
    "common": [_dispatched, _by("common", CENTRE, reason="多家企业")],
    "refused": [_by("refuse", CENTRE, category="petition", reason="信访中")],
}
GOOD = Step(
    text="说明", reason="理由", basis="依据", note="备注", lead="finance", days=2, approved=True,
    solved=True, satisfied=4, category="superior",
)  # fmt: skip


class _Undo(Exception):
    pass


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One kind is enough here: what is offered reads one row and its events."""
    return sqlite_database


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_is_offered_can_be_done_and_nothing_else(
    database: Database, desk: ServiceDesk, clock: Clock, situation: str
) -> None:
    no = desk.file_appeal(draft("m1")).no
    for prepare in SITUATIONS[situation]:
        clock.pass_(timedelta(minutes=5))
        with database.session() as db:
            prepare(db, no, clock())
    for staff in EVERYBODY:
        with database.reading() as db:
            appeal = db.scalars(select(Appeal).where(Appeal.no == no)).one()
            shown = offered(appeal, derive(events_of(db, appeal)), staff)
        done = {name for name in STEPS if _works(database, no, staff, name, clock)}
        if _sees(database, no, staff, clock):
            assert set(shown) == done, (situation, staff.name)
        else:
            assert done == set(), (situation, staff.name)


def _sees(database: Database, no: str, staff: Staff, clock: Clock) -> bool:
    try:
        with database.reading() as db:
            staff_appeal(db, no, staff, clock())
    except AppealNotFound:
        return False
    return True


def _works(database: Database, no: str, staff: Staff, name: str, clock: Clock) -> bool:
    """Does the step and undoes it; anything but a refusal for what stands or who asks fails the test."""
    step = GOOD.model_copy(update={"category": "petition"}) if name == "refuse" else GOOD
    if name == "escalate":
        step = step.model_copy(update={"lead": ""})
    try:
        with database.session() as db:
            STEPS[name][2](db, no, staff, step, clock(), DISTRICT_HOURS)
            raise _Undo
    except _Undo:
        return True
    except (IllegalMove, NotYours, AppealNotFound):
        return False
