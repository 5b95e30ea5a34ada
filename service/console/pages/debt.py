"""Question debt: what was answered badly or not, whose it is, until when, and how it was settled."""

from __future__ import annotations

import re

from nicegui import ui
from sqlalchemy.orm import Session

from service.console import showing
from service.console.frame import told
from service.console.pages.enterprise import when
from service.console.queries_debt import DebtFilter, DebtView, debts, one_debt, owners
from service.console.registry import console_page
from service.console.seat import Seat
from service.console.texts import CAUSE_TONES, CAUSES, CLOSURES, DEBT_STATES
from service.db import Database, utc_now
from service.debt import operations
from service.debt.closing import Grounds, Settlement, close_debt
from service.debt.models import Cause, Closure, Debt, DebtState
from service.debt.regressions import write_regressions
from service.debt.routes import DebtParts, settlement_of
from service.errors import InvalidInput, NotFound
from service.staff.permissions import Permission, Staff

_READ, _HANDLE = Permission.DEBT_READ, Permission.DEBT_HANDLE
_PICK = "(e) => { const row = e.target.closest('[data-id]'); if (row) emit(row.dataset.id); }"
_SPLIT = re.compile(r"[\s,，、;；]+")
_IN = "outlined dense"


@console_page("/debt", _READ, "问题欠账", icon="contact_support", order=52)
async def build(seat: Seat) -> None:
    await DebtPage(seat).show()


def split_ids(text: str | None) -> list[str]:
    """Ids typed one after another, however they are set apart."""
    return [each for each in _SPLIT.split((text or "")[:2000]) if each]


class DebtPage:
    """The list on the left, one debt with what settles it on the right."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        given = seat.query.get("id", "")
        self._chosen: int | None = int(given) if given.isascii() and given.isdigit() else None
        self._after = [0]
        self._next: int | None = None
        self._owners: dict[str, str] = {}

    async def show(self) -> None:
        self._owners = dict(await self._seat.read(_READ, owners))
        self._build_filters()
        with ui.element("div").classes("qg"):
            with ui.element("section").classes("qf-panel qg-left") as left:
                left.props('aria-label="问题欠账列表"')
                self._rows = ui.html(sanitize=False)
                self._rows.on("click", told(self._picked), js_handler=_PICK)
                with ui.element("div").classes("qf-bar qa-pages"):
                    self._back = ui.button("上一页", on_click=told(self._page_back)).props("flat")
                    self._number = ui.label("").classes("qf-muted")
                    self._on = ui.button("下一页", on_click=told(self._page_on)).props("flat")
            self._one = ui.element("section").classes("qf-panel qg-right")
            self._one.props('aria-label="所选欠账" aria-live="polite"')
        await self._fill()
        await self._open(self._chosen)

    def _build_filters(self) -> None:
        with ui.element("div").classes("qf-bar"):
            with ui.element("div").classes("qf-search qf-field"):
                self._text = ui.input(placeholder="搜提问（/）").props(
                    f'{_IN} clearable debounce=300 maxlength=100 aria-label="搜索问题欠账"'
                )
            states = {"": "全部", **{each.value: name for each, name in DEBT_STATES.items()}}
            causes = {each.value: name for each, name in CAUSES.items()}
            self._state = ui.select(states, value=DebtState.OPEN.value, label="状态")
            self._cause = ui.select(causes, label="原因", clearable=True)
            self._owner = ui.select(self._owners, label="负责人", with_input=True, clearable=True)
            for each in (self._state, self._cause, self._owner):
                each.props(_IN).classes("qf-filter")
            self._overdue = ui.checkbox("已逾期")
            if self._seat.may(_HANDLE):
                ui.button("合并同义", on_click=told(self._join)).props(
                    'flat no-caps title="把意思相同的欠账并在一起"'
                )
        for field in (self._text, self._state, self._cause, self._owner, self._overdue):
            field.on_value_change(told(self._anew))

    # -- the list --------------------------------------------------------------------------------

    async def _anew(self) -> None:
        self._after = [0]
        await self._fill()

    async def _fill(self) -> None:
        wanted = DebtFilter(
            state=DebtState(self._state.value) if self._state.value else None,
            cause=Cause(self._cause.value) if self._cause.value else None,
            owner=self._owner.value or "",
            overdue=bool(self._overdue.value),
            text=(self._text.value or "")[:100],
        )
        now = utc_now()
        found = await self._seat.read(_READ, debts, wanted, self._after[-1], now)
        self._next = found.next
        self._rows.set_content(
            showing.html_of(
                "debt_rows.html",
                rows=found.debts,
                chosen=self._chosen,
                owners=self._owners,
                now=now,
            )
        )
        self._number.set_text(f"共 {found.total} 条")
        self._back.set_visibility(len(self._after) > 1)
        self._on.set_visibility(found.next is not None)

    async def _page_on(self) -> None:
        self._after.append(self._next or 0)
        await self._fill()

    async def _page_back(self) -> None:
        self._after.pop()
        await self._fill()

    async def _join(self) -> None:
        parts = self._seat.parts.debt
        joined = await self._seat.alone(_HANDLE, _join, parts)
        ui.notify(f"并入 {joined} 条", type="positive", position="top")
        await self._fill()

    # -- one debt --------------------------------------------------------------------------------

    async def _picked(self, event: object) -> None:
        await self._open(int(str(event.args)))  # type: ignore[attr-defined]
        await self._fill()

    async def _open(self, debt_id: int | None) -> None:
        self._chosen = debt_id
        self._one.clear()
        with self._one:
            if debt_id is None:
                ui.html('<div class="qf-empty"><span>从左边选一条</span></div>', sanitize=False)
                return
            try:
                view = await self._seat.read(_READ, one_debt, debt_id)
            except NotFound as error:
                ui.label(error.message).classes("qf-muted")
                return
            self._draw(view)

    def _draw(self, view: DebtView) -> None:
        debt = view.debt
        ui.label(debt.question).classes("qf-title").props('role="heading" aria-level="1"')
        with ui.element("div").classes("qf-bar"):
            ui.label(CAUSES[debt.cause]).classes(f"qf-tag {CAUSE_TONES[debt.cause]}")
            ui.label(f"问过 {debt.times} 次").classes("qf-tag")
            if debt.reopened:
                ui.label(f"重开 {debt.reopened} 次").classes("qf-tag warn")
            ui.label(f"{when(debt.first_at)} 首次，{when(debt.due_at)} 前还清").classes("qf-muted")
        is_open = debt.state is DebtState.OPEN
        if is_open and self._seat.may(_HANDLE):
            self._build_owner(debt)
            self._build_closing(view)
        else:
            ui.label(f"负责人：{self._owners.get(debt.owner, debt.owner)}")
        if debt.state is DebtState.CLOSED:
            _closed(debt)
        ui.html('<h2 class="qf-title qg-sub">提问原话</h2>', sanitize=False)
        ui.html(
            showing.html_of(
                "debt_wordings.html",
                wordings=view.wordings,
                may_open=self._seat.may(Permission.INBOX_READ),
            ),
            sanitize=False,
        )

    def _build_owner(self, debt: Debt) -> None:
        choices = {**self._owners, debt.owner: self._owners.get(debt.owner, debt.owner)}
        owner = ui.select(choices, label="负责人", value=debt.owner, with_input=True)
        owner.props(_IN).classes("qf-wide")

        @told
        async def assign() -> None:
            if owner.value:
                await self._seat.change(_HANDLE, operations.assign, debt.id, owner.value)
                ui.notify("已指定负责人", type="positive", position="top")
                await self._fill()

        owner.on_value_change(assign)

    def _build_closing(self, view: DebtView) -> None:
        ui.html('<h2 class="qf-title qg-sub">还清</h2>', sanitize=False)
        how = ui.toggle({each.value: name for each, name in CLOSURES.items()}, value="catalogue")
        how.props('no-caps unelevated dense aria-label="凭什么关闭"')
        with ui.element("div").classes("qg-do") as patch:
            policy = ui.input("政策编号", value=view.debt.policy_id or "").props(
                f"{_IN} maxlength=64"
            )
            clauses = ui.input("改动的条款（可多条；整篇重新导入的可不填）").props(
                f"{_IN} maxlength=1000"
            )
            for each in (policy, clauses):
                each.classes("qf-wide")
        with ui.element("div").classes("qg-do") as signed:
            answer = ui.select(
                {each.id: f"#{each.id} {each.question}" for each in view.answers},
                label="审定答复（生效中的）", with_input=True, clearable=True,
            ).props(_IN).classes("qf-wide")  # fmt: skip
            ui.link("去写一条审定答复", "/faq").classes("qf-muted")
        with ui.element("div").classes("qg-do") as nothing:
            reason = ui.textarea("为什么不需处理（至少 10 个字）").props(
                "outlined autogrow maxlength=1000"
            )
            reason.classes("qf-wide")
        panes = {"catalogue": patch, "faq": signed, "none": nothing}

        def turn() -> None:
            for key, pane in panes.items():
                pane.set_visibility(key == how.value)

        how.on_value_change(turn)
        turn()

        @told
        async def close() -> None:
            match Closure(str(how.value)):
                case Closure.CATALOGUE:
                    wanted = (policy.value or "").strip()
                    settlement = settlement_of(wanted, split_ids(clauses.value), None, None)
                case Closure.FAQ:
                    if answer.value is None:
                        raise InvalidInput("请选择一条生效中的审定答复。", "answer_id")
                    settlement = settlement_of(None, [], int(answer.value), None)
                case Closure.NONE:
                    settlement = settlement_of(None, [], None, reason.value or "")
            await self._close(view.debt.id, settlement)

        ui.button("关闭这条欠账", on_click=close).props("unelevated no-caps").classes("qg-do")

    async def _close(self, debt_id: int, settlement: Settlement) -> None:
        parts, staff = self._seat.parts.debt, self._seat.staff
        await self._seat.alone(_HANDLE, _close, parts, debt_id, staff, settlement)
        ui.notify("已关闭，提问已加入回归评测", type="positive", position="top")
        await self._open(debt_id)
        await self._fill()


def _closed(debt: Debt) -> None:
    closing = debt.closing or {}
    with ui.element("div").classes("qf-said"):
        how = CLOSURES[debt.closure] if debt.closure else "已关闭"
        at = f" · {when(debt.closed_at)}" if debt.closed_at else ""
        ui.label(f"{how} · {debt.closed_by or '系统'}{at}").classes("qf-strong")
        if "policy_id" in closing:
            clauses = "、".join(closing.get("clauses", {})) or "整篇重新导入"
            ui.label(f"{closing['policy_id']}：{clauses}")
        if "answer_id" in closing:
            ui.link(f"审定答复 #{closing['answer_id']}", f"/faq?id={closing['answer_id']}")
        if "reason" in closing:
            ui.label(str(closing["reason"]))


def _join(_database: Database, parts: DebtParts) -> int:
    return parts.join_alike()


def _close(
    database: Database, parts: DebtParts, debt_id: int, staff: Staff, settlement: Settlement
) -> None:
    """Closes it, then brings the file of regression questions in line."""
    grounds = Grounds(parts.live.now.catalogue, parts.imported())
    with database.session() as db:
        _closed_in(db, debt_id, staff, settlement, grounds)
    write_regressions(database, parts.regressions)


def _closed_in(
    db: Session, debt_id: int, staff: Staff, settlement: Settlement, grounds: Grounds
) -> None:
    close_debt(db, debt_id, staff, settlement, grounds, utc_now())
