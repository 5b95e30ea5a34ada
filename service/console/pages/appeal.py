"""One appeal: what it is about, its clock, what happened, and every step that may be taken now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from nicegui import ui
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.appeals import remaining
from service.appeals.departments import directory
from service.appeals.models import Appeal
from service.appeals.staff_routes import StaffAppeal, staff_appeal
from service.common_issues.export import masked_phone
from service.console import showing
from service.console.appeal_forms import FORMS
from service.console.appeal_words import STATE_TONES, STATES, clock_tone, has_clock
from service.console.frame import empty, told
from service.console.registry import console_page
from service.console.seat import Seat
from service.console.step_dialog import StepDialog
from service.conversations.models import Conversation
from service.db import utc_now
from service.errors import NotFound
from service.staff.office import office_of
from service.staff.permissions import Permission, Staff

_READ, _DISPATCH = Permission.APPEALS_READ, Permission.APPEALS_DISPATCH
_FRESH_S = 15.0
_USE = (
    "(e) => { const use = e.target.closest('[data-department]'); "
    "if (use) emit(use.dataset.department); }"
)
_PLAIN = frozenset({"note", "close", "rate", "reopen", "common", "refuse", "escalate"})
"""Steps whose buttons stand back: they are rare, or end the matter."""


@console_page("/appeals/{no}", _READ, "诉求")
async def build(seat: Seat) -> None:
    no = seat.path_params["no"].strip().upper()[:32]
    page = AppealPage(seat, no)
    try:
        await page.read()
    except NotFound as error:
        empty(error.message, "可能编号有误，或由别的部门办理。")
        ui.link("回到诉求列表", "/appeals")
        return
    await seat.looked_at(_READ, "appeal_opened", ("appeal", no))
    await page.show()


@dataclass(frozen=True)
class _Found:
    """An appeal as the page shows it; ``conversation`` is the one it came from, where there is one."""

    appeal: StaffAppeal
    tone: str
    conversation: str | None


def _find(db: Session, no: str, staff: Staff, now: datetime) -> _Found:
    appeal = staff_appeal(db, no, staff, now)
    row = db.scalars(select(Appeal).where(Appeal.no == no)).one()
    tone = clock_tone(remaining.remaining(row, now), office_of(db).warning_share)
    is_spoken = db.get(Conversation, row.session) is not None
    return _Found(appeal, tone, row.session if is_spoken else None)


class AppealPage:
    """One open appeal; what can change is drawn again after every step and every few seconds."""

    def __init__(self, seat: Seat, no: str) -> None:
        self._seat, self._no = seat, no
        self._steps: tuple[str, ...] | None = None

    async def read(self) -> None:
        """Reads the appeal as it is now; ``NotFound`` for what they may not see."""
        self._found = await self._seat.read(_READ, _find, self._no, self._seat.staff, utc_now())

    async def show(self) -> None:
        with ui.element("div").classes("qa-one"):
            with ui.element("div").classes("qa-main"):
                with ui.element("section").classes("qf-panel qf-section"):
                    self._build_head()
                    self._bar = ui.element("div").classes("qf-bar qa-steps")
                    self._bar.props('role="group" aria-label="可以办理"')
                with ui.element("section").classes("qf-panel qf-section"):
                    ui.html('<h2 class="qf-title">办理过程</h2>', sanitize=False)
                    self._timeline = ui.html(sanitize=False)
            with ui.element("aside").classes("qa-side").props('aria-label="时限与承办"'):
                self._facts = ui.html(sanitize=False)
                self._facts.on("click", told(self._use), js_handler=_USE)
                self._build_requester()
        self._draw()
        ui.timer(_FRESH_S, told(self._refresh), immediate=False)

    # -- what does not change --------------------------------------------------------------------

    def _build_head(self) -> None:
        row = self._found.appeal.row
        with ui.element("div").classes("qf-bar"):
            ui.link("← 诉求", "/appeals").classes("qf-muted")
            ui.label(row.no).classes("qf-title qf-mono").props('role="heading" aria-level="1"')
            self._state = ui.label("")
            ui.space()
            ui.label(f"{showing.moment(row.received_at)} 收到").classes("qf-muted")
        ui.label(row.matter).classes("qf-text qa-words")

    def _build_requester(self) -> None:
        appeal = self._found.appeal
        with ui.element("section").classes("qf-panel qf-section"):
            ui.html('<h2 class="qf-title">诉求人</h2>', sanitize=False)
            self._pair("企业", appeal.row.company or "未留名称", self._enterprise_link())
            with ui.element("div").classes("qf-pair"):
                ui.label("电话").classes("qf-muted")
                with ui.element("div").classes("qf-bar qa-phone"):
                    self._phone = ui.label(masked_phone(appeal.phone) or "未留电话")
                    self._phone.classes("qf-mono")
                    if appeal.phone:
                        self._reveal = ui.button("显示", on_click=told(self._show_phone))
                        self._reveal.props('flat dense no-caps title="显示完整号码，记入审计日志"')
            conversation = self._found.conversation
            if conversation and self._seat.may(Permission.INBOX_READ):
                self._pair("会话", "打开会话", f"/inbox?id={quote(conversation)}")
            if appeal.policy_id:
                self._pair("相关政策", appeal.policy_id, self._policy_link(appeal.policy_id))

    def _enterprise_link(self) -> str | None:
        code = self._found.appeal.credit_code
        may = self._seat.may(Permission.ENTERPRISES_READ)
        purpose = quote("办理诉求")
        return f"/enterprises/{quote(code)}?purpose={purpose}" if code and may else None

    def _policy_link(self, policy_id: str) -> str | None:
        may = self._seat.may(Permission.CATALOGUE_READ)
        return f"/catalogue/{quote(policy_id)}" if may else None

    @staticmethod
    def _pair(name: str, value: str, target: str | None = None) -> None:
        with ui.element("div").classes("qf-pair"):
            ui.label(name).classes("qf-muted")
            if target:
                ui.link(value, target)
            else:
                ui.label(value)

    async def _show_phone(self) -> None:
        await self._seat.looked_at(_READ, "appeal_phone_shown", ("appeal", self._no), "办理诉求")
        self._phone.set_text(self._found.appeal.phone or "")
        self._reveal.set_visibility(False)

    # -- what changes ----------------------------------------------------------------------------

    async def _refresh(self) -> None:
        await self.read()
        self._draw()

    def _draw(self) -> None:
        appeal = self._found.appeal
        state = appeal.row.state
        self._state.set_text(STATES[state])
        self._state.classes(replace=f"qf-tag {STATE_TONES.get(state, '')}")
        facts = showing.html_of(
            "appeal_facts.html",
            appeal=appeal,
            timed=has_clock(state),
            tone=self._found.tone,
            used=round(appeal.row.share_used * 100),
            pauses=[each for each in appeal.timeline if each.kind in ("paused", "resumed")],
            may_dispatch=self._seat.may(_DISPATCH) and "dispatch" in appeal.steps,
        )
        if facts != self._facts.content:
            self._facts.set_content(facts)
        timeline = showing.html_of("appeal_timeline.html", entries=appeal.timeline)
        if timeline != self._timeline.content:
            self._timeline.set_content(timeline)
        if appeal.steps != self._steps:
            self._steps = appeal.steps
            self._draw_steps()

    def _draw_steps(self) -> None:
        self._bar.clear()
        with self._bar:
            usual = next((name for name in self._steps or () if name not in _PLAIN), None)
            for name in sorted(self._steps or (), key=lambda name: name != usual):
                button = ui.button(FORMS[name].title, on_click=self._opening(name))
                button.props("no-caps dense " + ("unelevated" if name == usual else "outline"))
                button.classes("qa-step")
            if not self._steps:
                ui.label("这件诉求由别的部门主办，您可以查看。").classes("qf-muted")

    def _opening(self, name: str) -> Callable[[], Awaitable[None]]:
        @told
        async def open_form() -> None:
            self._open(name)

        return open_form

    def _open(self, name: str, lead: str | None = None) -> None:
        StepDialog(self._seat, self._no, name, self._refresh, {"lead": lead} if lead else None)

    async def _use(self, event: object) -> None:
        found = directory().today(str(event.args))  # type: ignore[attr-defined]
        if found is not None:
            self._open("dispatch", found.code)
