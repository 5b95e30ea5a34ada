"""Finding an enterprise by name, alias or credit code."""

from __future__ import annotations

from urllib.parse import quote

from nicegui import ui

from service.console.frame import empty, failed, loading, told
from service.console.queries_enterprises import MOST_FOUND, EnterpriseLine, search
from service.console.registry import console_page
from service.console.seat import Seat
from service.errors import NotSignedIn, ServiceError
from service.staff.permissions import Permission

_READ = Permission.ENTERPRISES_READ
PURPOSES = ("接待咨询", "办理诉求", "走访服务", "核对资料", "匹配政策")


@console_page("/enterprises", _READ, "企业", icon="apartment", order=45)
async def build(seat: Seat) -> None:
    await _Finder(seat).show()


class _Finder:
    """A search field and what it finds; opening one says what for."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._asked = 0

    async def show(self) -> None:
        with ui.element("div").classes("qf-bar"):
            with ui.element("div").classes("qf-search qf-field"):
                self._text = ui.input(
                    placeholder="企业名称、群里的叫法、统一社会信用代码（按 / 开始输入）",
                    value=self._seat.query.get("text", ""),
                ).props(
                    "outlined dense clearable debounce=250 maxlength=200 "
                    'aria-label="查找企业" autocomplete=off'
                )
            self._purpose = (
                ui.select(list(PURPOSES), label="查看用途（记入审计）", value=PURPOSES[0])
                .props("outlined dense")
                .classes("qf-purpose")
            )
        self._list = ui.element("div").classes("qf-panel").props('aria-live="polite"')
        self._text.on_value_change(told(self._fill))
        self._purpose.on_value_change(told(self._fill))
        await self._fill()

    async def _fill(self) -> None:
        text = (self._text.value or "").strip()
        self._asked += 1
        asked = self._asked
        self._list.clear()
        if len(text) < 2:
            with self._list:
                empty("输入至少两个字", "名称不必写全；信用代码可以只输开头几位。")
            return
        try:
            with self._list, loading("正在查找…"):
                found = await self._seat.read(_READ, search, self._seat.parts.names, text)
        except NotSignedIn:
            raise
        except ServiceError as error:
            with self._list:
                failed(error.message, told(self._fill))
            return
        if asked == self._asked:  # nothing was typed meanwhile
            self._show(found)

    def _show(self, found: list[EnterpriseLine]) -> None:
        with self._list:
            if not found:
                empty("没有找到这家企业", "核对名称，或改用统一社会信用代码。")
            for each in found:
                self._line(each)
            if len(found) == MOST_FOUND:
                ui.label(f"只列出前 {MOST_FOUND} 家，请把名称写得更完整。").classes("qf-muted")

    def _line(self, row: EnterpriseLine) -> None:
        purpose = quote(self._purpose.value or "")
        with ui.element("div").classes("qf-line"):
            ui.link(row.name, f"/enterprises/{row.credit_code}?purpose={purpose}").classes(
                "qf-strong"
            )
            ui.label(row.why).classes("qf-tag info")
            if not row.is_verified:
                ui.label("未经核实").classes("qf-tag warn")
            ui.space()
            ui.label(row.district or "").classes("qf-muted")
            ui.label(row.credit_code).classes("qf-muted qf-mono")
