"""Builds the desk's rooms and joins them: what runs beside the bot, and the endpoints behind the console."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog
from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from actions.replies import Reply
from bot.runtime import BotRuntime
from knowledge.answer import Answerer
from knowledge.encoder import Encoder
from knowledge.live import Live
from service.app import Companion
from service.appeals import handling
from service.appeals.departments import Department
from service.appeals.dispatch import Dispatcher
from service.appeals.notices import tell_requesters
from service.appeals.operations import sessions_of_number
from service.appeals.staff_routes import appeals_staff_router
from service.appeals.watch import AppealWatch
from service.catalogue import store_of
from service.common_issues.grouping import group_open_appeals
from service.common_issues.likeness import Meaning
from service.common_issues.routes import common_issues_router
from service.console.parts import ConsoleParts
from service.console.routes import console_router
from service.conversations.stream import Hub
from service.conversations.turns import post_reply
from service.db import Database, utc_now
from service.debt.keeping import DebtRules, use_rules
from service.debt.operations import join_alike
from service.debt.regressions import regressions_path
from service.debt.routes import DebtParts, debt_router
from service.debt.serving import SignedAnswers
from service.desk import ServiceDesk
from service.gathering import Gathering
from service.handoff.feed import StaffFeed
from service.handoff.staff_routes import DeskParts, handoff_staff_router
from service.handoff.watch import GivenUp, QueueWatch, look_after_queue
from service.office_rules import OfficeRules
from service.rehearsal_desk import rehearse
from service.settings import Settings
from service.staff.access import require
from service.staff.accounts import active_staff
from service.staff.routes import staff_router

log = structlog.get_logger("qifu.rooms")


@dataclass(frozen=True)
class Rooms:
    """The desk's rooms; ``companions`` start and stop with the application."""

    desk: ServiceDesk
    office: OfficeRules
    signed: SignedAnswers
    feed: StaffFeed
    meaning: Meaning
    join_alike: Callable[[], int]
    companions: Sequence[Companion]
    stop_notices: Callable[[], None]


def build_rooms(
    settings: Settings,
    database: Database,
    live: Live,
    dispatcher: Dispatcher,
    encoder: Encoder,
    departments: Sequence[Department],
    now: Callable[[], datetime] = utc_now,
) -> Rooms:
    """The desk as the bot and the console need it; nothing runs yet. ``now`` dates what the desk does."""
    meaning = Meaning(encoder, departments)
    join = partial(join_alike, database, encoder)
    office = OfficeRules(database)
    signed = SignedAnswers(database, encoder, live)
    signed.catalogue_exchanged(live.now.catalogue, settings.today())
    live.watch(partial(_tell_signed, signed, settings))
    use_rules(
        DebtRules(
            chance_below=settings.debt_chance_below,
            confidence_below=settings.debt_confidence_below,
            working_days=settings.debt_working_days,
        )
    )
    desk = ServiceDesk(
        database,
        dispatcher,
        encoder,
        now=now,
        hours=office.hours,
        rules=office.rules,
        signed=signed,
    )
    feed = StaffFeed(database)
    return Rooms(
        desk=desk,
        office=office,
        signed=signed,
        feed=feed,
        meaning=meaning,
        join_alike=join,
        companions=[
            feed,
            QueueWatch(partial(_look_after_queue, database, desk, office)),
            AppealWatch(database, near_share=lambda: office.office().warning_share),
            Gathering(
                {
                    "common_issues": lambda: group_open_appeals(database, meaning, utc_now()),
                    "question_debt": join,
                }
            ),
        ],
        stop_notices=tell_requesters(database, partial(_post, now)),
    )


def console_parts(
    settings: Settings,
    database: Database,
    live: Live,
    rooms: Rooms,
    bot: BotRuntime,
    hub: Hub,
) -> ConsoleParts:
    """What the console's pages and endpoints share."""
    store = store_of(settings)
    return ConsoleParts(
        settings=settings,
        database=database,
        live=live,
        rehearse=partial(rehearse, bot),
        feed=rooms.feed,
        posted=hub.posted,
        hours=rooms.office.hours,
        meaning=rooms.meaning,
        debt=DebtParts(
            live=live,
            signed=rooms.signed,
            regressions=regressions_path(settings.data_dir),
            imported=lambda: {each.policy_id: each.time for each in store.history()},
            today=settings.today,
            join_alike=rooms.join_alike,
        ),
    )


def staff_routers(
    parts: ConsoleParts, rooms: Rooms, departments: Sequence[Department]
) -> list[APIRouter]:
    """Every endpoint that somebody of the staff signs in for."""
    settings, live = parts.settings, parts.live
    return [
        staff_router(),
        appeals_staff_router(require, hours=rooms.office.hours),
        handoff_staff_router(
            require,
            DeskParts(
                colleague=active_staff,
                answerer=lambda: live.now,
                today=settings.today,
                named=sessions_of_number,
            ),
        ),
        common_issues_router(require, handling.answer, parts.meaning, departments),
        debt_router(require, parts.debt),
        console_router(parts),
    ]


def _look_after_queue(database: Database, desk: ServiceDesk, office: OfficeRules) -> list[GivenUp]:
    return look_after_queue(database, desk.prepare_appeal, office.rules(), utc_now())


def _post(now: Callable[[], datetime], db: Session, session: str, reply: Reply) -> None:
    """A line of the desk in the conversation; an appeal filed elsewhere has none, and gets none."""
    post_reply(db, session, reply, now())


def _tell_signed(signed: SignedAnswers, settings: Settings, now: Answerer) -> None:
    """What cannot be noted now is seen when an answer is about to be served; the exchange itself stands."""
    try:
        signed.catalogue_exchanged(now.catalogue, settings.today())
    except (SQLAlchemyError, TimeoutError) as error:
        log.error("clauses_not_noted", error=str(error))
