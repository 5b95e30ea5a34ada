"""Fills an empty database with the demo, once, before the product serves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.appeals.departments import directory
from service.assembly import Product
from service.db import utc_now
from service.demo import answers, standing
from service.demo.appeals import Handling
from service.demo.clock import SetClock, WorkingDays
from service.demo.people import put_enterprises, put_people, staff_of
from service.demo.script import Script, read_script
from service.demo.standing import Standing, standing_of
from service.demo.talking import Stage
from service.handoff import routing
from service.settings import is_loopback
from service.staff.accounts import default_passwords
from service.staff.models import StaffAccount
from service.staff.permissions import ROLE_NAMES, Role

log = structlog.get_logger("qifu.demo")

REFUSED_REAL = (
    "数据库里已有账号、会话、诉求或企业，不放示范数据，照常启动。"
    "想看示范：设置 QIFU_DATA_DIR 为一个空目录再启动。"
)
REFUSED_EXPOSED = "监听地址不限于本机，不放示范数据，照常启动。"
IS_DEMO = "注意：这个数据库装的是示范数据，不能用于真实业务；要从头开始，请删除数据目录。"


@dataclass(frozen=True)
class DemoAccount:
    """An account to offer on the sign-in page; ``role`` in words."""

    id: str
    name: str
    role: str


@dataclass(frozen=True)
class DemoSignIns:
    """Who can be signed in as, all with one password."""

    password: str
    accounts: tuple[DemoAccount, ...]


@dataclass(frozen=True)
class Offered:
    """What came of asking for the demo: ``sign_ins`` where there is one, else ``refused`` (Chinese)."""

    sign_ins: DemoSignIns | None = None
    refused: str | None = None


def offer_demo(product: Product, clock: SetClock) -> Offered:
    """Fills an empty database, leaves a filled demo as it is, never touches anything else.

    ``clock`` is the one the product was built with. Only while nothing outside this machine can reach it.
    """
    settings, database = product.settings, product.database
    if not is_loopback(settings.host):
        return Offered(refused=REFUSED_EXPOSED)
    with database.reading() as db:
        found = standing_of(db)
    if found is Standing.REAL:
        return Offered(refused=REFUSED_REAL)
    password = standing.kept_password(settings.data_dir)
    if found is not Standing.DEMO and not _fill(product, clock, read_script(), password):
        return Offered(refused=REFUSED_REAL)
    with database.session() as db:
        standing.keep_password_right(db, password, default_passwords())
        return Offered(DemoSignIns(password, _demo_accounts(db)))


def _demo_accounts(db: Session) -> tuple[DemoAccount, ...]:
    query = select(StaffAccount).where(StaffAccount.is_demo, StaffAccount.is_active)
    rows = sorted(db.scalars(query), key=lambda row: (list(Role).index(row.role), row.id))
    return tuple(DemoAccount(row.id, row.name, _role_of(row)) for row in rows)


def _role_of(row: StaffAccount) -> str:
    department = directory().today(row.department) if row.department else None
    return department.name if department else ROLE_NAMES[row.role]


def _fill(product: Product, clock: SetClock, script: Script, password: str) -> bool:
    """``False`` when somebody was faster and the database is not empty any more."""
    database = product.database
    begun = utc_now()
    encoded = default_passwords().hash(password)
    with database.session() as db:
        if not standing.begin(db, encoded, begun):
            return False
        put_people(db, script, password, encoded, begun)
    put_enterprises(database, begun)
    _play(product, clock, script)
    with database.session() as db:
        for person in script.staff:
            if person.role is Role.COMMISSIONER:
                routing.set_presence(db, person.id, person.name, True, utc_now())
        standing.end(db)
    product.rooms.signed.forget()
    took_s = (utc_now() - begun) / timedelta(seconds=1)
    log.info(
        "demo_filled", appeals=len(script.appeals), talks=len(script.talks), s=round(took_s, 2)
    )
    return True


def _play(product: Product, clock: SetClock, script: Script) -> None:
    database, settings, rooms = product.database, product.settings, product.rooms
    now = utc_now()
    days = WorkingDays(now, rooms.office.hours())
    staff = {person.id: staff_of(person) for person in script.staff}
    stage = Stage(settings, database, product.bot, clock, staff, days, now)
    handling = Handling(database, rooms, stage, clock, staff, days, now)
    for matter in sorted(script.appeals, key=lambda each: -each.days_ago):
        handling.tell(matter)
    for talk in sorted(script.talks, key=lambda each: each.days_ago is None):
        stage.play(talk)
    handling.group(script.common, rooms.meaning)
    rooms.join_alike()
    catalogue, today = product.live.now.catalogue, settings.today()
    with database.session() as db:
        for signed in script.answers:
            answers.sign(db, signed, staff, catalogue, today, days)
        owed = (script.closed_debt, script.owner_of_debt)
        answers.settle(db, *owed, staff, catalogue, days)
