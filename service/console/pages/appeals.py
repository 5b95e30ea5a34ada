"""Appeals as a table and as a board: what waits, with whom, how long there is; many dispatched at once."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from nicegui import ui

from service.appeals.board import Order, Wanted
from service.appeals.departments import directory
from service.appeals.models import UNANSWERED_STATES, AppealState
from service.console import queries_board, showing
from service.console.appeal_words import STATES
from service.console.bulk_dispatch import BulkDispatchForm
from service.console.frame import told
from service.console.queries_board import COLUMNS, MOST_COUNTED, sum_of
from service.console.registry import console_page
from service.console.seat import Seat
from service.db import utc_now
from service.errors import InvalidInput
from service.settings import LOCAL_ZONE
from service.staff.permissions import Permission, Role

_READ, _DISPATCH = Permission.APPEALS_READ, Permission.APPEALS_DISPATCH
_FRESH_S = 15.0
_WAITING, _ALL = "waiting", "all"
_ENDED = (AppealState.CLOSED, AppealState.WITHDRAWN, AppealState.REFUSED)
_ORDERS = {Order.DUE.value: "先到期的在前", Order.NEWEST.value: "新收到的在前"}
# One listener on the list: arrows move between rows, space picks, Enter opens.
_PRESSED = """(e) => {
  const more = e.target.closest('[data-state]');
  if (more && e.type === 'click') { emit('state ' + more.dataset.state); return; }
  const all = e.target.closest('[data-all]');
  if (all) {
    if (e.type !== 'click') return;
    document.querySelectorAll('.qa-list [data-pick]').forEach((box) => {
      box.checked = all.checked;
      box.closest('.qa-row').classList.toggle('picked', all.checked);
    });
    emit((all.checked ? 'all' : 'none') + ' page');
    return;
  }
  const row = e.target.closest('.qa-row');
  if (!row) return;
  window.qaRow = row.dataset.no;
  const box = row.querySelector('[data-pick]');
  if (e.type === 'click') {
    if (e.target === box) {
      row.classList.toggle('picked', box.checked);
      emit((box.checked ? 'pick ' : 'drop ') + row.dataset.no);
    } else if (!e.target.closest('a') && !String(window.getSelection())) row.querySelector('a').click();
    return;
  }
  const step = {ArrowDown: 1, ArrowUp: -1}[e.key];
  if (step) {
    const rows = [...document.querySelectorAll('.qa-list .qa-row')];
    const next = rows[rows.indexOf(row) + step];
    if (next) next.focus();
    e.preventDefault();
  } else if (e.key === ' ' && box && e.target !== box) {
    box.click();
    e.preventDefault();
  } else if (e.key === 'Enter' && e.target === row) row.querySelector('a').click();
}"""
_CHIP = (
    "(e) => { const chip = e.target.closest('[data-state]'); if (chip) emit(chip.dataset.state); }"
)
# What was drawn anew must not take the focus away from who moves through it.
_KEEP_FOCUS = """setTimeout(() => {
  if (document.activeElement !== document.body || !window.qaRow) return;
  const rows = [...document.querySelectorAll('.qa-list .qa-row')];
  const row = rows.find((each) => each.dataset.no === window.qaRow);
  if (row) row.focus({preventScroll: true});
}, 60)"""


@console_page("/appeals", _READ, "诉求", icon="assignment", order=20)
async def build(seat: Seat) -> None:
    await AppealsPage(seat).show()


class AppealsPage:
    """One open page: filters, numbers by state, rows or columns, and the form for many at once."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._state = seat.query.get("state", _WAITING)
        self._is_board = seat.query.get("view") == "board"
        self._places: list[str | None] = [None]
        self._next: str | None = None
        self._rows: list[str] = []
        self._picked: set[str] = set()
        self._shown = ""

    async def show(self) -> None:
        self._build_filters()
        self._chips = ui.html(sanitize=False).on("click", told(self._choose), js_handler=_CHIP)
        self._bulk = BulkDispatchForm(self._seat, lambda: sorted(self._picked), self._dispatched)
        self._list = ui.html(sanitize=False).classes("qa-list qf-panel")
        for event in ("click", "keydown"):
            self._list.on(event, told(self._pressed), js_handler=_PRESSED)
        self._list.props('role="region" aria-label="诉求列表"')
        with ui.element("div").classes("qf-bar qa-pages"):
            self._number = ui.label("").classes("qf-muted").props('aria-live="polite"')
            ui.space()
            self._before = ui.button("上一页", on_click=told(self._page_back)).props("flat no-caps")
            self._after = ui.button("下一页", on_click=told(self._page_on)).props("flat no-caps")
        ui.label("↑ ↓ 移动，空格选中，回车打开，/ 搜索").classes("qf-muted qa-keys")
        await self._fill()
        ui.timer(_FRESH_S, told(self._fill), immediate=False)

    # -- filters ---------------------------------------------------------------------------------

    def _build_filters(self) -> None:
        given = self._seat.query
        names = {each.code: each.name for each in directory().departments}
        with ui.element("div").classes("qf-bar qa-filters"):
            with ui.element("div").classes("qf-search qf-field"):
                self._text = ui.input(
                    placeholder="编号、事项、企业名称（/）", value=given.get("text", "")
                ).props('outlined dense clearable debounce=300 maxlength=200 aria-label="搜索诉求"')
            self._department = ui.select(
                names, label="部门", with_input=True, clearable=True,
                value=given.get("department") if given.get("department") in names else None,
            ).props("outlined dense").classes("qf-filter")  # fmt: skip
            self._department.set_visibility(self._seat.staff.role is not Role.DEPARTMENT)
            self._from = self._day("收到日期从")
            self._to = self._day("到")
            self._order = (
                ui.select(_ORDERS, value=Order.DUE.value, label="排序")
                .props("outlined dense")
                .classes("qf-filter")
            )
            self._view = ui.toggle(
                {False: "表格", True: "看板"}, value=self._is_board, on_change=told(self._turn)
            ).props('no-caps unelevated dense aria-label="显示方式"')
        with ui.element("div").classes("qf-bar qa-flags"):
            self._overdue = ui.checkbox("已逾期", value=given.get("overdue") == "1")
            self._paused = ui.checkbox("暂停计时", value=given.get("paused") == "1")
            self._common = ui.checkbox("共性问题")
            self._extension = ui.checkbox("延期待批", value=given.get("extension") == "1")
        for each in (
            self._text, self._department, self._from, self._to, self._order, self._overdue,
            self._paused, self._common, self._extension,
        ):  # fmt: skip
            each.on_value_change(told(self._anew))

    @staticmethod
    def _day(label: str) -> ui.input:
        return ui.input(label).props("outlined dense type=date stack-label").classes("qa-day")

    def _wanted(self) -> Wanted:
        states = {
            _WAITING: frozenset(UNANSWERED_STATES),
            _ALL: frozenset[AppealState](),
        }.get(self._state)
        if states is None:
            known = self._state in STATES
            states = frozenset({AppealState(self._state)}) if known else frozenset()
        return Wanted(
            states=states,
            department=self._department.value or None,
            overdue=self._overdue.value,
            paused=self._paused.value,
            common=self._common.value,
            extension_asked=self._extension.value,
            text=(self._text.value or "").strip(),
            credit_code=self._seat.query.get("credit_code") or None,
            received_from=_midnight(self._from.value),
            received_to=_midnight(self._to.value, days=1),
            order=Order(self._order.value),
        )

    async def _anew(self) -> None:
        self._places = [None]
        await self._fill()

    async def _turn(self) -> None:
        self._is_board = bool(self._view.value)
        await self._anew()

    async def _choose(self, event: object) -> None:
        self._state = str(event.args)  # type: ignore[attr-defined]
        await self._anew()

    # -- rows ------------------------------------------------------------------------------------

    async def _fill(self) -> None:
        wanted, now = self._wanted(), utc_now()
        if self._is_board:
            await self._fill_board(wanted, now)
        else:
            await self._fill_table(wanted, now)
        self._bulk.offer(len(self._picked))

    async def _fill_table(self, wanted: Wanted, now: datetime) -> None:
        staff, place = self._seat.staff, self._places[-1]
        found = await self._seat.read(_READ, queries_board.listed, staff, wanted, now, place)
        self._rows, self._next = [row.appeal.no for row in found.page.rows], found.page.next
        self._draw(
            showing.html_of(
                "appeal_rows.html",
                rows=found.page.rows,
                near=found.near_share,
                picked=self._picked,
                may_pick=self._seat.may(_DISPATCH),
                is_filtered=wanted != Wanted(states=frozenset(UNANSWERED_STATES)),
            )
        )
        self._draw_chips(found.counts)
        more = "+" if found.total >= MOST_COUNTED else ""
        page = f"，第 {len(self._places)} 页" if found.total > len(self._rows) else ""
        self._number.set_text(f"共 {found.total}{more} 件{page}")
        self._before.set_visibility(len(self._places) > 1)
        self._after.set_visibility(self._next is not None)

    async def _fill_board(self, wanted: Wanted, now: datetime) -> None:
        found = await self._seat.read(_READ, queries_board.columns, self._seat.staff, wanted, now)
        self._draw(
            showing.html_of(
                "appeal_board.html", columns=found.columns, near=found.near_share, most=MOST_COUNTED
            )
        )
        self._draw_chips(found.counts)
        self._number.set_text("" if found.columns else "已办结、撤回和不予受理的请看表格。")
        self._before.set_visibility(False)
        self._after.set_visibility(False)

    def _draw(self, html: str) -> None:
        if html == self._shown:
            return
        self._shown = html
        self._list.set_content(html)
        ui.run_javascript(_KEEP_FOCUS)

    def _draw_chips(self, counts: object) -> None:
        known: dict[AppealState, int] = dict(counts)  # type: ignore[call-overload]
        chips = [(_WAITING, "待答复", sum_of(known, UNANSWERED_STATES))]
        chips += [(s.value, STATES[s.value], known.get(s, 0)) for s in (*COLUMNS, *_ENDED)]
        chips.append((_ALL, "全部", sum(known.values())))
        html = showing.html_of("appeal_states.html", chips=chips, chosen=self._state)
        if html != self._chips.content:
            self._chips.set_content(html)

    async def _page_on(self) -> None:
        if self._next is not None:
            self._places.append(self._next)
            await self._fill()

    async def _page_back(self) -> None:
        if len(self._places) > 1:
            self._places.pop()
            await self._fill()

    # -- picking ---------------------------------------------------------------------------------

    async def _pressed(self, event: object) -> None:
        what, _, of = str(event.args).partition(" ")  # type: ignore[attr-defined]
        if what == "state":
            self._state, self._is_board = of, False
            self._view.set_value(False)
            await self._anew()
            return
        if what == "pick":
            self._picked.add(of)
        elif what == "drop":
            self._picked.discard(of)
        elif what == "all":
            self._picked.update(self._rows)
        elif what == "none":
            self._picked.difference_update(self._rows)
        self._bulk.offer(len(self._picked))

    async def _dispatched(self, done: list[str]) -> None:
        self._picked.difference_update(done)
        await self._fill()


def _midnight(day: str | None, days: int = 0) -> datetime | None:
    """The beginning of a day as the browser's date field gives it; absent stays absent."""
    if not day:
        return None
    try:
        wanted = date.fromisoformat(day) + timedelta(days=days)
    except (ValueError, OverflowError) as error:
        raise InvalidInput("日期不正确。", "day") from error
    return datetime.combine(wanted, time(), LOCAL_ZONE)
