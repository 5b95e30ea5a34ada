"""One enterprise: what is known of it, who speaks for it, what fits it, what it talked about."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from nicegui import ui

from knowledge.fields import read_fields
from knowledge.profile import Source
from service.console.appeal_words import OWNERS, STATES
from service.console.frame import empty, loading, told
from service.console.pages.audit import ACTIONS
from service.console.pages.matches import Matches
from service.console.queries_enterprises import (
    EnterpriseView,
    FactView,
    SpeakerView,
    bind_speaker,
    enterprise_view,
    on_file,
    unbind_speaker,
)
from service.console.registry import console_page, has_page
from service.console.seat import Seat
from service.db import utc_now
from service.errors import InvalidInput, NotFound
from service.settings import LOCAL_ZONE
from service.staff.permissions import Permission

_READ, _BIND = Permission.ENTERPRISES_READ, Permission.ENTERPRISES_BIND
SOURCES = {Source.REGISTRY: "登记资料", Source.PROFILE: "企业档案", Source.SAID: "对话中所说"}


@console_page("/enterprises/{credit_code}", _READ, "企业")
async def build(seat: Seat) -> None:
    try:
        row = await seat.read(_READ, on_file, seat.path_params["credit_code"])
    except (NotFound, InvalidInput) as error:
        empty(error.message, "从“企业”页按名称查找。")
        return
    purpose = seat.query.get("purpose", "").strip()[:200] or None
    await seat.looked_at(_READ, "enterprise_opened", ("enterprise", row.credit_code), purpose)
    await _Page(seat, row.credit_code).show()


def when(at: datetime) -> str:
    """A moment as the office reads it."""
    return f"{at.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}"


def section(title: str, hint: str = "") -> ui.element:
    """A panel with a heading."""
    panel = ui.element("section").classes("qf-panel qf-section")
    with panel:
        ui.label(title).classes("qf-title").props('role="heading" aria-level="2"')
        if hint:
            ui.label(hint).classes("qf-muted")
    return panel


class _Page:
    """Filled anew after every change."""

    def __init__(self, seat: Seat, credit_code: str) -> None:
        self._seat = seat
        self._code = credit_code

    async def show(self) -> None:
        self._content = ui.element("div")
        await self._fill()
        matches = Matches(self._seat, self._code)
        await matches.show()

    async def _fill(self) -> None:
        with self._content, loading():
            view = await self._seat.read(_READ, enterprise_view, self._code, read_fields())
        self._content.clear()
        with self._content:
            _head(view)
            with ui.element("div").classes("qf-two"):
                with ui.element("div").classes("qf-section"):
                    _facts(view)
                    self._speakers(view.speakers)
                with ui.element("div").classes("qf-section"):
                    _talks(view)
                    _appeals(view)
                    _looks(view)

    def _speakers(self, bound: list[SpeakerView]) -> None:
        hint = "绑定后，这个会话里的人可以看到并补充本企业的资料。请先核实身份。"
        with section("谁代表企业说话", hint):
            if not bound:
                empty("还没有绑定任何会话")
            for each in bound:
                self._speaker(each)
            if self._seat.may(_BIND):
                self._form()

    def _speaker(self, bound: SpeakerView) -> None:
        @told
        async def unbind() -> None:
            by, now = self._seat.staff.id, utc_now()
            await self._seat.change(_BIND, unbind_speaker, self._code, bound.session, by, now)
            ui.notify("已解除绑定", type="positive", position="top")
            await self._fill()

        with ui.element("div").classes("qf-line"):
            ui.label(bound.session).classes("qf-mono qf-cut")
            ui.label(f"{bound.bound_by} 于 {when(bound.bound_at)} 绑定").classes("qf-muted")
            ui.space()
            if self._seat.may(_BIND):
                ui.button("解除", on_click=unbind).props("flat dense color=negative")

    def _form(self) -> None:
        with ui.element("div").classes("qf-bar"):
            session = ui.input("会话编号").props("outlined dense autocomplete=off maxlength=64")
            session.classes("qf-field")

            @told
            async def bind() -> None:
                wanted = (session.value or "").strip()
                if not wanted:
                    raise InvalidInput("请先输入会话编号。", "session")
                by, now = self._seat.staff.id, utc_now()
                await self._seat.change(_BIND, bind_speaker, self._code, wanted, by, now)
                ui.notify("已绑定", type="positive", position="top")
                await self._fill()

            session.on("keydown.enter", bind)
            ui.button("绑定", on_click=bind)


def _head(view: EnterpriseView) -> None:
    with ui.element("section").classes("qf-panel qf-section"):
        with ui.element("div").classes("qf-bar"):
            ui.label(view.name).classes("qf-title").props('role="heading" aria-level="1"')
            tag, kind = ("已核实", "good") if view.is_verified else ("未经核实", "warn")
            ui.label(tag).classes(f"qf-tag {kind}")
        also = f" · 群里叫法：{'、'.join(view.aliases)}" if view.aliases else ""
        where = view.district or "注册区未知"
        ui.label(f"{view.credit_code} · {where}{also}").classes("qf-muted")


def _facts(view: EnterpriseView) -> None:
    with section("资料", "每一项都注明来源和日期。"):
        if not (view.facts or view.said):
            empty("还没有资料", "导入登记资料，或由绑定的代表在对话中补充。")
        for fact in (*view.facts, *view.said):
            _fact(fact)
        if view.pending:
            ui.label("待确认：对话中所说与登记资料不一致").classes("qf-tag warn qf-wrap")
            for fact in view.pending:
                _fact(fact)


def _fact(fact: FactView) -> None:
    with ui.element("div").classes("qf-pair"):
        ui.label(fact.label).classes("qf-muted")
        with ui.element("div"):
            ui.label(fact.text).classes("qf-text")
            if fact.official:
                ui.label(f"登记资料：{fact.official}").classes("qf-tag bad qf-wrap")
            day = f"{fact.day:%Y-%m-%d}" if fact.day else "日期不明"
            ui.label(f"{SOURCES[fact.source]} · {day}").classes("qf-muted")


def _talks(view: EnterpriseView) -> None:
    with section("会话"):
        if not view.conversations:
            empty("没有会话")
        for each in view.conversations:
            with ui.element("div").classes("qf-line"):
                if has_page("/inbox"):
                    ui.link(each.session, f"/console/inbox?id={quote(each.session)}").classes(
                        "qf-cut"
                    )
                else:
                    ui.label(each.session).classes("qf-mono qf-cut")
                ui.label(OWNERS[each.owner]).classes("qf-tag")
                ui.label(f"{each.messages} 条 · {when(each.updated_at)}").classes("qf-muted")


def _appeals(view: EnterpriseView) -> None:
    with section("诉求"):
        if not view.appeals:
            empty("没有诉求")
        for each in view.appeals:
            with ui.element("div").classes("qf-line"):
                if has_page("/appeals/{no}"):
                    ui.link(each.no, f"/console/appeals/{each.no}").classes("qf-strong")
                else:
                    ui.label(each.no).classes("qf-strong")
                ui.label(STATES.get(each.state, each.state)).classes("qf-tag info")
                ui.label(each.department).classes("qf-muted")
                ui.label(f"期限 {when(each.due_at)}").classes("qf-muted")


def _looks(view: EnterpriseView) -> None:
    with section("谁查看过", "完整记录见审计日志。"):
        for each in view.looks[:10]:
            with ui.element("div").classes("qf-line"):
                ui.label(when(each.at)).classes("qf-muted qf-mono")
                ui.label(each.staff_id or "命令行").classes("qf-strong")
                ui.label(ACTIONS.get(each.action, each.action)).classes("qf-tag")
                if each.purpose:
                    ui.label(f"用途：{each.purpose}").classes("qf-muted")
