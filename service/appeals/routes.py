"""Shows an appeal to the person it belongs to, and to nobody else."""

from __future__ import annotations

import math
import re
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from actions.replies import AppealCard
from service.appeals.clock import SHANGHAI
from service.appeals.projection import events_of
from service.appeals.models import Appeal, AppealEvent, AppealState, EventKind
from service.appeals.operations import AppealNotFound, get_visible
from service.db import Database
from service.errors import TooManyRequests, UnknownSession
from service.limits import caller

_PHONE = re.compile(r"1\d{10}", re.ASCII)
_NUMBER = re.compile(r"[A-Z0-9]{1,8}-\d{8}-\d{4,8}", re.ASCII)
_PROVISIONAL = "办理期限按周一至周五计算，国务院办公厅公布该年放假安排后可能调整。"
_STATE_TEXTS = {
    AppealState.FILED: "已收到您的诉求",
    AppealState.DISPATCHED: "已分派给{note}",
    AppealState.ACCEPTED: "责任部门已受理",
    AppealState.ANSWERED: "责任部门已答复：{note}",
    AppealState.CLOSED: "已办结",
    AppealState.RETURNED: "责任部门已退回，正在重新分派",
    AppealState.EXPLAINED: "责任部门作出说明：{note}",
    AppealState.ESCALATED: "已提请区领导协调",
    AppealState.REOPENED: "已重新办理",
    AppealState.WITHDRAWN: "您已撤回",
}
_KIND_TEXTS = {
    EventKind.JOINED: "您再次反映了同一事项：{note}",
    EventKind.SUPPLEMENTED: "您补充了说明：{note}",
}


class TimelineEntry(BaseModel):
    """One thing that happened, in words for the requester; ``state`` is that afterwards."""

    model_config = ConfigDict(frozen=True)

    state: AppealState
    at: datetime
    text: str


class AppealPage(AppealCard):
    """An appeal with its history, oldest first.

    ``due_note`` is present only when the due date may still move.
    """

    matter: str
    received_at: datetime
    due_note: str | None
    timeline: list[TimelineEntry]


class MissCounter:
    """Counts wrong guesses per key in a sliding hour, in memory; oldest keys go first."""

    def __init__(
        self,
        limit: int = 10,
        window_s: float = 3600.0,
        max_keys: int = 20_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit, self._window_s, self._max_keys, self._clock = limit, window_s, max_keys, clock
        self._misses: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, key: str) -> float:
        """Seconds until the key may guess again; 0 when it may now."""
        with self._lock:
            times = self._recent(key)
            return times[0] + self._window_s - self._clock() if len(times) >= self._limit else 0.0

    def add(self, key: str) -> None:
        """Counts one miss."""
        with self._lock:
            times = self._recent(key)
            times.append(self._clock())
            self._misses[key] = times
            self._misses.move_to_end(key)
            while len(self._misses) > self._max_keys:
                self._misses.popitem(last=False)

    def _recent(self, key: str) -> deque[float]:
        times = self._misses.get(key, deque())
        while times and times[0] <= self._clock() - self._window_s:
            times.popleft()
        return times


def appeals_router(misses: MissCounter) -> APIRouter:
    """The endpoints of this room; ``request.app.state`` holds ``database`` and ``tokens``."""
    router = APIRouter(tags=["appeals"])

    @router.get("/api/appeals/{no}")
    def read_appeal(
        request: Request, no: str, session: str | None = None, phone: str | None = None
    ) -> AppealPage:
        """One appeal, with the ``session`` that filed it or the full ``phone`` it carries.

        404 when it does not exist or belongs to somebody else; 429 after ten wrong guesses an hour.
        """
        number = no.strip().upper()
        key = f"{number[:40]} {caller(request) or 'local'}"
        page = _page_for(request, number, session=session)
        if page is None:
            wait_s = misses.wait_s(key)
            if wait_s > 0:
                raise TooManyRequests("查询次数过多，请稍后再试。", "no", math.ceil(wait_s))
            page = _page_for(request, number, phone=phone)
        if page is None:
            misses.add(key)
            raise AppealNotFound(
                "没有找到这个诉求，请核对编号，并用提交时的会话或手机号查询。", "no"
            )
        return page

    return router


def _page_for(
    request: Request, number: str, session: str | None = None, phone: str | None = None
) -> AppealPage | None:
    """The page of the appeal when the session's token or the phone opens it."""
    owner = None if session is None else _conversation_id(request, session)
    if phone is not None and not _PHONE.fullmatch(phone):
        phone = None
    if not _NUMBER.fullmatch(number) or (owner is None and phone is None):
        return None
    database: Database = request.app.state.database
    with database.reading() as db:
        appeal = get_visible(db, number, owner, phone)
        return None if appeal is None else _page(appeal, events_of(db, appeal))


def _conversation_id(request: Request, token: str) -> str | None:
    try:
        return str(request.app.state.tokens.read(token).conversation_id)
    except UnknownSession:
        return None


def _page(appeal: Appeal, events: list[AppealEvent]) -> AppealPage:
    timeline, state = [], AppealState.FILED
    for event in events:
        state = event.to_state or state
        words = _STATE_TEXTS[state] if event.kind is EventKind.MOVED else _KIND_TEXTS[event.kind]
        note = event.note or ("责任部门" if state is AppealState.DISPATCHED else "")
        text = words.format(note=note).rstrip("：")
        timeline.append(TimelineEntry(state=state, at=event.at.astimezone(SHANGHAI), text=text))
    return AppealPage(
        no=appeal.no,
        state=str(appeal.state),
        department=appeal.department,
        due_at=appeal.due_at.astimezone(SHANGHAI),
        matter=appeal.matter,
        received_at=appeal.received_at.astimezone(SHANGHAI),
        due_note=None if appeal.calendar_known else _PROVISIONAL,
        timeline=timeline,
    )
