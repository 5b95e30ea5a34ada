"""Settings of the office: hours, limits, accounts, canned replies."""

from __future__ import annotations

from nicegui import ui

from service.appeals.departments import directory, load_departments
from service.console.frame import empty, told
from service.console.registry import console_page
from service.console.seat import Seat
from service.db import utc_now
from service.handoff import routing
from service.staff import accounts, canned, office
from service.staff.models import CannedReply, StaffAccount
from service.staff.permissions import ROLE_NAMES, Permission, Role


@console_page("/settings", Permission.CANNED_REPLIES, "设置", icon="tune", order=90)
async def build(seat: Seat) -> None:
    with ui.element("div").classes("qf-settings"):
        if seat.may(Permission.SETTINGS):
            await _Hours(seat).show()
        if seat.may(Permission.ACCOUNTS):
            await _Accounts(seat).show()
        if seat.may(Permission.INBOX_ANSWER):
            await _MySkill(seat).show()
        await _Canned(seat).show()
        if seat.may(Permission.SETTINGS) or seat.may(Permission.APPEALS_DISPATCH):
            _show_departments()


def _show_departments() -> None:
    """Who appeals can go to, with every name they have or had."""
    with _section(
        "部门",
        "派单和检索认得这些名称；增改部门、合并改名请联系系统维护人员（说明见 docs/desk.md）。",
    ):
        for each in directory().departments:
            others = sorted(directory().names_of(each.code) - {each.name})
            with ui.expansion(each.name).classes("qf-wide"):
                if others:
                    ui.label(f"又称、旧称：{'、'.join(others)}").classes("qf-muted")
                for duty in each.duties:
                    ui.label(f"· {duty}")


class _MySkill:
    """What the one signed in takes conversations about."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    async def show(self) -> None:
        staff = self._seat.staff
        known = await self._seat.read(Permission.INBOX_ANSWER, routing.skill_of, staff.id)
        with _section("我的接待范围", "有人请求人工时，先推荐给主题、部门相符且手头不满的专员。"):
            topics = ui.input(
                "主题词（用顿号隔开）", value="、".join(known.topics if known else ())
            )
            names = [each.name for each in directory().departments]
            chosen = known.departments if known else []
            departments = ui.select(
                names, label="部门", value=chosen, multiple=True, with_input=True
            )
            most = ui.number(
                "同时最多接待", value=known.max_conversations if known else 8, min=1, max=100
            )
            for field in (topics, departments, most):
                field.props("outlined dense")

            @told
            async def save() -> None:
                await self._seat.change(
                    Permission.INBOX_ANSWER,
                    routing.set_skill,
                    staff.id,
                    staff.name,
                    (topics.value or "").replace("，", "、").split("、"),
                    departments.value or [],
                    int(most.value or 0),
                )
                ui.notify("已保存", type="positive", position="top")

            ui.button("保存接待范围", on_click=save)


def _section(title: str, hint: str = "") -> ui.element:
    panel = ui.element("section").classes("qf-panel qf-section")
    with panel:
        ui.html(f'<h2 class="qf-title">{title}</h2>', sanitize=False)
        if hint:
            ui.label(hint).classes("qf-muted")
    return panel


class _Hours:
    """The numbers and hours everything is counted by."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    async def show(self) -> None:
        now_set = await self._seat.read(Permission.SETTINGS, office.office_of)
        with _section("工作时间与期限", "改动立即生效，并记入审计日志。"):
            spans = "，".join(f"{a:%H:%M}-{b:%H:%M}" for a, b in now_set.working_hours)
            self._field("working_hours", spans, "例如 09:00-12:00，14:00-18:00")
            for key in office.OFFICE_LABELS:
                if key != "working_hours":
                    self._field(key, str(getattr(now_set, key)))

    def _field(self, key: str, value: str, hint: str = "") -> None:
        with ui.element("div").classes("qf-bar"):
            field = ui.input(office.OFFICE_LABELS[key], value=value).props("outlined dense")
            field.classes("qf-field")
            if hint:
                field.props(f'hint="{hint}"')

            @told
            async def save() -> None:
                await self._seat.change(
                    Permission.SETTINGS,
                    office.change_office,
                    key,
                    _meant(key, field.value or ""),
                    self._seat.staff.id,
                    utc_now(),
                )
                ui.notify("已保存", type="positive", position="top")

            field.on("keydown.enter", save)
            ui.button("保存", on_click=save).props("flat")


def _meant(key: str, text: str) -> object:
    """The typed text as the setting's JSON value; what cannot be read is left for the check to refuse."""
    if key == "working_hours":
        spans = text.replace("，", ",").replace("–", "-").replace("：", ":").split(",")
        return [[edge.strip() for edge in span.split("-")] for span in spans if span.strip()]
    try:
        return float(text) if key == "warning_share" else int(text)
    except ValueError:
        return text


class _Accounts:
    """Who may sign in."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    async def show(self) -> None:
        with _section("账号", "停用的账号立即退出登录。"):
            self._list = ui.element("div")
            await self._fill()
            self._form()

    async def _fill(self) -> None:
        rows = await self._seat.read(Permission.ACCOUNTS, accounts.accounts)
        self._list.clear()
        with self._list:
            for row in rows:
                self._row(row)

    def _row(self, row: StaffAccount) -> None:
        with ui.element("div").classes("qf-line"):
            ui.label(row.name).classes("qf-strong")
            ui.label(row.id).classes("qf-muted")
            ui.label(ROLE_NAMES[row.role]).classes("qf-tag info")
            if row.department:
                ui.label(_department_name(row.department)).classes("qf-muted")
            if not row.is_active:
                ui.label("已停用").classes("qf-tag bad")
            ui.space()

            @told
            async def switch() -> None:
                await self._seat.change(
                    Permission.ACCOUNTS,
                    accounts.set_active,
                    row.id,
                    not row.is_active,
                    self._seat.staff.id,
                    utc_now(),
                )
                await self._fill()

            ui.button("停用" if row.is_active else "启用", on_click=switch).props("flat dense")

    def _form(self) -> None:
        with ui.expansion("新增账号", icon="person_add").classes("qf-wide"):
            login = ui.input("用户名").props("outlined dense autocomplete=off")
            name = ui.input("姓名").props("outlined dense autocomplete=off")
            role = ui.select(
                {role.value: text for role, text in ROLE_NAMES.items()},
                label="角色",
                value=Role.COMMISSIONER.value,
            ).props("outlined dense")
            names = {each.code: each.name for each in load_departments()}
            department = ui.select(
                names, label="部门（责任部门必填）", with_input=True, clearable=True
            )
            department.props("outlined dense")
            password = ui.input("初始密码", password=True).props(
                "outlined dense autocomplete=new-password"
            )

            @told
            async def add() -> None:
                new = accounts.NewAccount(
                    login.value.strip(),
                    name.value,
                    Role(role.value),
                    password.value,
                    department.value,
                )
                await self._seat.change(
                    Permission.ACCOUNTS,
                    accounts.create_account,
                    new,
                    accounts.default_passwords(),
                    self._seat.staff.id,
                    utc_now(),
                )
                for each in (login, name, password):
                    each.set_value("")
                await self._fill()
                ui.notify("已新增", type="positive", position="top")

            ui.button("新增", on_click=add)


def _department_name(code: str) -> str:
    return next((each.name for each in load_departments() if each.code == code), code)


class _Canned:
    """Texts sent often."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._editing: int | None = None

    async def show(self) -> None:
        with _section("常用回复", "在会话里输入 / 加快捷词即可调出。"):
            with ui.element("div").classes("qf-search"):
                self._looked_for = ui.input(placeholder="查找常用回复").props(
                    'outlined dense clearable debounce=250 aria-label="查找常用回复"'
                )
            self._looked_for.on_value_change(self._refill)
            self._list = ui.element("div")
            self._shortcut = ui.input("快捷词").props("outlined dense")
            self._title = ui.input("标题").props("outlined dense")
            self._text = ui.textarea("内容").props("outlined dense autogrow")
            ui.button("保存常用回复", on_click=told(self._save))
            await self._fill()

    async def _refill(self) -> None:
        await self._fill()

    async def _fill(self) -> None:
        wanted = self._looked_for.value or ""
        rows = await self._seat.read(Permission.CANNED_REPLIES, canned.canned_replies, wanted)
        self._list.clear()
        with self._list:
            if not rows:
                empty("没有常用回复", "在下面填写后保存。" if not wanted else "换个词试试。")
            for row in rows:
                self._row(row)

    def _row(self, row: CannedReply) -> None:
        def edit() -> None:
            self._editing = row.id
            self._shortcut.set_value(row.shortcut)
            self._title.set_value(row.title)
            self._text.set_value(row.text)

        @told
        async def delete() -> None:
            await self._seat.change(
                Permission.CANNED_REPLIES,
                canned.delete_canned,
                row.id,
                self._seat.staff.id,
                utc_now(),
            )
            await self._fill()

        with ui.element("div").classes("qf-line"):
            ui.label(f"/{row.shortcut}").classes("qf-tag")
            ui.label(row.title).classes("qf-strong")
            ui.label(row.text).classes("qf-muted qf-cut")
            ui.space()
            ui.button("修改", on_click=edit).props("flat dense")
            ui.button("删除", on_click=delete).props("flat dense color=negative")

    async def _save(self) -> None:
        await self._seat.change(
            Permission.CANNED_REPLIES,
            canned.keep_canned,
            self._shortcut.value or "",
            self._title.value or "",
            self._text.value or "",
            self._seat.staff.id,
            utc_now(),
            self._editing,
        )
        self._editing = None
        for each in (self._shortcut, self._title, self._text):
            each.set_value("")
        await self._fill()
        ui.notify("已保存", type="positive", position="top")
