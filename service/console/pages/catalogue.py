"""The catalogue in force: looked through, and one policy with its clauses."""

from __future__ import annotations

from datetime import date

from nicegui import ui

from knowledge.clauses import STATUS_TEXT
from knowledge.fields import read_fields
from knowledge.policy import Level, Status
from service.console.frame import empty, loading, told
from service.console.queries_catalogue import (
    ClauseView,
    PoliciesFound,
    PolicyFilter,
    PolicyLine,
    PolicyView,
    browse,
    choices,
    policy_view,
)
from service.console.registry import console_page
from service.console.seat import Seat
from service.errors import InvalidInput, NotFound
from service.staff.permissions import Permission

_READ = Permission.CATALOGUE_READ
_PAGE = 30
STATUS_CLASS = {
    Status.CURRENT: "good",
    Status.EXPIRED: "bad",
    Status.UNKNOWN: "warn",
    Status.UPCOMING: "info",
}


@console_page("/catalogue", _READ, "政策目录", icon="library_books", order=50)
async def build(seat: Seat) -> None:
    tabs("/catalogue")
    await _Browser(seat).show()


@console_page("/catalogue/{policy_id}", _READ, "政策")
async def build_policy(seat: Seat) -> None:
    tabs("")
    await _Policy(seat, seat.path_params["policy_id"]).show()


def tabs(here: str) -> None:
    """The ways into the catalogue; ``here`` is the path of the page shown."""
    with ui.element("nav").classes("qf-tabs").props('aria-label="政策目录"'):
        for path, title in (("/catalogue", "浏览目录"), ("/hit-test", "命中测试")):
            link = ui.link(title, path).classes("qf-tab")
            if path == here:
                link.classes("qf-here").props('aria-current="page"')


def day_input(label: str, value: date) -> ui.input:
    """A field for a day, with the browser's own calendar."""
    return ui.input(label, value=value.isoformat()).props("outlined dense type=date stack-label")


def day_of(field: ui.input) -> date:
    """The day typed; ``InvalidInput`` when it is none."""
    try:
        return date.fromisoformat(field.value or "")
    except ValueError as error:
        raise InvalidInput("请选择一个日期。", "as_of") from error


def status_tag(status: Status) -> None:
    ui.label(STATUS_TEXT[status]).classes(f"qf-tag {STATUS_CLASS[status]}")


class _Browser:
    """Filters above, policies below, thirty at a time."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._shown = 0

    async def show(self) -> None:
        live = self._seat.parts.live
        offered = await self._seat.read(_READ, lambda _db: choices(live.now.catalogue))
        with ui.element("div").classes("qf-bar"):
            with ui.element("div").classes("qf-search qf-field"):
                self._text = ui.input(
                    placeholder="名称、文号、编号、部门、内容（按 / 开始输入）"
                ).props('outlined dense clearable debounce=250 aria-label="查找政策"')
            self._level = _select([level.value for level in Level], "级别")
            self._place = _select(offered.places, "地区")
            self._status = _select({s.value: text for s, text in STATUS_TEXT.items()}, "有效性")
            self._department = _select(offered.departments, "部门")
            self._day = day_input("有效性按哪一天", self._seat.parts.settings.today())
        self._count = ui.label().classes("qf-muted").props('role="status"')
        self._list = ui.element("div").classes("qf-panel")
        self._more = ui.button("更多", on_click=told(self._add)).props("flat")
        for each in (self._text, self._level, self._place, self._status, self._department):
            each.on_value_change(told(self._anew))
        self._day.on_value_change(told(self._anew))
        await self._anew()

    async def _anew(self) -> None:
        self._shown = 0
        found = await self._find()
        self._list.clear()
        self._count.set_text(f"共 {found.total} 项")
        with self._list:
            if not found.policies:
                empty("没有符合的政策", "换个词，或去掉几个条件试试。")
        self._append(found)

    async def _add(self) -> None:
        self._append(await self._find())

    async def _find(self) -> PoliciesFound:
        wanted = PolicyFilter(
            level=self._level.value or None,
            place=self._place.value or None,
            status=self._status.value or None,
            department=self._department.value or None,
            text=(self._text.value or "")[:200],
        )
        live, day, offset = self._seat.parts.live, day_of(self._day), self._shown
        return await self._seat.read(
            _READ, lambda _db: browse(live.now.catalogue, wanted, day, _PAGE, offset)
        )

    def _append(self, found: PoliciesFound) -> None:
        with self._list:
            for policy in found.policies:
                _line(policy)
        self._shown += len(found.policies)
        self._more.set_visibility(self._shown < found.total)


def _select(options: list[str] | dict[str, str], label: str) -> ui.select:
    field = ui.select(options, label=label, clearable=True, with_input=len(options) > 6)
    return field.props("outlined dense").classes("qf-filter")


def _line(policy: PolicyLine) -> None:
    with ui.element("div").classes("qf-line"):
        ui.link(policy.title, f"/catalogue/{policy.id}").classes("qf-strong")
        status_tag(policy.status)
        ui.label(f"{policy.place} · {policy.level.value}级").classes("qf-tag")
        ui.label(policy.department).classes("qf-muted")
        ui.space()
        ui.label(f"{policy.id} · {policy.clauses} 条").classes("qf-muted qf-mono")


class _Policy:
    """One policy: facts above, conditions, then every clause with its id."""

    def __init__(self, seat: Seat, policy_id: str) -> None:
        self._seat = seat
        self._policy_id = policy_id

    async def show(self) -> None:
        with ui.element("div").classes("qf-bar"):
            self._day = day_input("有效性按哪一天", self._seat.parts.settings.today())
        self._day.on_value_change(told(self._fill))
        self._content = ui.element("div")
        try:
            await self._fill()
        except NotFound:
            with self._content:
                empty("目录里没有这项政策", "它可能已从目录中移除。")

    async def _fill(self) -> None:
        live, day = self._seat.parts.live, day_of(self._day)
        with self._content, loading():
            view = await self._seat.read(
                _READ,
                lambda _db: policy_view(live.now.catalogue, read_fields(), self._policy_id, day),
            )
        self._content.clear()
        with self._content:
            _facts(view)
            _conditions(view)
            _clauses(view.all_clauses)


def _facts(view: PolicyView) -> None:
    with ui.element("section").classes("qf-panel qf-section"):
        with ui.element("div").classes("qf-line"):
            ui.label(view.title).classes("qf-strong qf-title").props(
                'role="heading" aria-level="1"'
            )
            status_tag(view.status)
            ui.label(view.id).classes("qf-tag")
        rows = {
            "文号": view.doc_no,
            "发布机关": view.issuer,
            "受理部门": view.department,
            "地区": f"{view.place} · {view.level.value}级",
            "有效期": view.validity,
            "最高金额": f"{view.amount_max_cny:,} 元" if view.amount_max_cny else None,
            "别名": "、".join(view.aliases) or None,
        }
        for name, text in rows.items():
            with ui.element("div").classes("qf-pair"):
                ui.label(name).classes("qf-muted")
                ui.label(text or "记录里没有")
        if view.url:
            ui.link("打开来源", view.url, new_tab=True).props('rel="noopener noreferrer"')
        else:
            ui.label("记录里没有来源链接").classes("qf-muted")


def _conditions(view: PolicyView) -> None:
    with ui.element("section").classes("qf-panel qf-section"):
        ui.label("可自动比对的条件").classes("qf-title").props('role="heading" aria-level="2"')
        if not view.conditions:
            empty("没有可自动比对的条件", "是否符合由受理部门判断。")
        for text in view.conditions:
            ui.label(text).classes("qf-line")


def _clauses(clauses: list[ClauseView]) -> None:
    with ui.element("section").classes("qf-panel qf-section"):
        title = ui.label(f"条款（{len(clauses)}）").classes("qf-title")
        title.props('role="heading" aria-level="2"')
        for clause in clauses:
            with ui.element("article").classes("qf-clause").props(f'id="{clause.id}"'):
                with ui.element("div").classes("qf-bar"):
                    ui.label(clause.label).classes("qf-strong")
                    ui.label(clause.id).classes("qf-tag qf-mono")
                    at = [*clause.path, f"第 {clause.page} 页"] if clause.page else clause.path
                    ui.label(" / ".join(at)).classes("qf-muted")
                ui.label(clause.text).classes("qf-text")
