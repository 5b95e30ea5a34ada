"""The form that dispatches many appeals to one department at once, and says what became of each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from service.appeals.departments import directory
from service.appeals.staff_routes import MOST_AT_ONCE, BulkDispatch, BulkResult, dispatch_each
from service.console.frame import told
from service.console.seat import Seat
from service.db import Database, utc_now
from service.errors import InvalidInput
from service.staff.permissions import Permission, Staff

_DISPATCH = Permission.APPEALS_DISPATCH
REASON_CHARS = 1000


class BulkDispatchForm:
    """Shown while something is picked, and until what became of it was read."""

    def __init__(
        self,
        seat: Seat,
        picked: Callable[[], list[str]],
        dispatched: Callable[[list[str]], Awaitable[None]],
    ) -> None:
        self._seat, self._picked, self._dispatched = seat, picked, dispatched
        names = {each.code: each.name for each in directory().departments}
        with ui.element("section").classes("qf-panel qa-bulk") as self._box:
            self._box.props('aria-label="批量分派"')
            self._title = ui.label("").classes("qf-strong")
            with ui.element("div").classes("qf-bar"):
                self._lead = self._select("主办部门", names)
                self._co = self._select("协办部门（可不选）", names, multiple=True)
                self._reason = ui.input("分派理由（企业看得到，可不填）").props(
                    f"outlined dense maxlength={REASON_CHARS}"
                )
                self._reason.classes("qf-field")
                self._button = ui.button("分派", on_click=told(self._send)).props(
                    "unelevated no-caps"
                )
        self._results = ui.element("section").classes("qf-panel qa-results")
        self._results.props('role="status" aria-label="分派结果"')
        self._box.set_visibility(False)
        self._results.set_visibility(False)

    @staticmethod
    def _select(label: str, names: dict[str, str], *, multiple: bool = False) -> ui.select:
        field = ui.select(names, label=label, with_input=True, clearable=True, multiple=multiple)
        return field.props("outlined dense" + (" use-chips" if multiple else "")).classes(
            "qa-choose"
        )

    def offer(self, number: int) -> None:
        """Says how many are picked; with none there is nothing to do."""
        self._box.set_visibility(number > 0 and self._seat.may(_DISPATCH))
        self._title.set_text(f"已选 {number} 件，一并分派：")

    async def _send(self) -> None:
        numbers, lead = self._picked(), self._lead.value
        if not lead:
            raise InvalidInput("请选择主办部门。", "lead")
        if len(numbers) > MOST_AT_ONCE:
            raise InvalidInput(f"一次最多分派 {MOST_AT_ONCE} 件。", "numbers")
        many = BulkDispatch(
            numbers=numbers,
            lead=lead,
            co=list(self._co.value or ()),
            reason=(self._reason.value or "")[:REASON_CHARS],
        )
        self._button.props("loading")
        try:
            results = await self._seat.alone(_DISPATCH, _dispatch, self._seat.staff, many)
        finally:
            self._button.props(remove="loading")
        self._show(results)
        await self._dispatched([each.no for each in results if each.ok])

    def _show(self, results: list[BulkResult]) -> None:
        self._results.clear()
        self._results.set_visibility(True)
        done = sum(each.ok for each in results)
        with self._results:
            with ui.element("div").classes("qf-bar"):
                ui.label(f"已分派 {done} 件，{len(results) - done} 件没有成功").classes("qf-strong")
                ui.space()
                ui.button("知道了", on_click=lambda: self._results.set_visibility(False)).props(
                    "flat dense no-caps"
                )
            for each in results:
                with ui.element("div").classes("qf-line"):
                    ui.label(each.no).classes("qf-mono")
                    ui.label("已分派" if each.ok else "没有成功").classes(
                        f"qf-tag {'good' if each.ok else 'bad'}"
                    )
                    ui.label(each.error or "").classes("qf-muted")


def _dispatch(database: Database, staff: Staff, many: BulkDispatch) -> list[BulkResult]:
    return dispatch_each(database, staff, many, utc_now())
