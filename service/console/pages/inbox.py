"""The inbox: who waits, what was said, who they are; take over, answer, give back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from uuid import uuid4

from nicegui import background_tasks, ui
from sqlalchemy.orm import Session

from service.console import showing
from service.console.composer import Composer
from service.console.frame import told
from service.console.registry import console_page
from service.console.seat import Seat
from service.console.texts import OWNER_TONES, VIEWS, owner_words, visitor_name
from service.conversations.models import Owner
from service.conversations.turns import Delivery
from service.db import utc_now
from service.handoff import inbox, messages, routing, taking, thread
from service.handoff.board import Board
from service.handoff.context import packet_of
from service.handoff.feed import Changed
from service.handoff.inbox import InboxPage, InboxRow, View
from service.staff.accounts import accounts
from service.staff.models import StaffAccount
from service.staff.permissions import GRANTS, Permission, Staff

_READ, _ANSWER = Permission.INBOX_READ, Permission.INBOX_ANSWER
_PRESENCE_S = 45.0
_ROWS = 50
# One listener on the list instead of one a row: a row tells its id, arrows move the focus.
_PICK = "(e) => { const row = e.target.closest('[data-id]'); if (row) emit(row.dataset.id); }"
_EARLIER = "(e) => { if (e.target.closest('[data-earlier]')) emit(); }"
# After the content has been drawn: on a phone the pane only opens with it.
_DOWN = """
setTimeout(() => { const box = document.querySelector('.qi-thread'); if (box) box.scrollTop = box.scrollHeight; }, 60)
"""
_ARROWS = """
document.querySelector('.qi-list')?.addEventListener('keydown', (e) => {
  const step = {ArrowDown: 1, ArrowUp: -1}[e.key];
  const row = e.target.closest('.qi-row');
  if (!step || !row) return;
  const rows = [...document.querySelectorAll('.qi-row')];
  const next = rows[rows.indexOf(row) + step];
  if (next) { next.focus(); e.preventDefault(); }
});
"""


@console_page("/inbox", _READ, "会话", icon="forum", order=10)
async def build(seat: Seat) -> None:
    await Inbox(seat).show()


class Inbox:
    """The three panes of one open page."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._view = View.ALL
        self._chosen: str | None = seat.query.get("id")
        self._row: InboxRow | None = None
        self._before: datetime | None = None
        self._limit = 100

    async def show(self) -> None:
        with ui.element("div").classes("qi") as self._panes:
            with ui.element("section").classes("qi-left").props('aria-label="会话列表"'):
                self._build_list()
            with ui.element("section").classes("qi-middle").props('aria-label="对话"'):
                self._build_thread()
            with ui.element("aside").classes("qi-right").props('aria-label="资料"'):
                self._side = ui.html(sanitize=False)
        ui.add_body_html(f"<script>window.addEventListener('load', () => {{{_ARROWS}}});</script>")
        ui.keyboard(on_key=self._pressed, ignore=["select"])
        await self._fill_list()
        if self._chosen:
            await self._open(self._chosen)
        else:
            self._show_nothing()
        self._listen()

    # -- the list --------------------------------------------------------------------------------

    def _build_list(self) -> None:
        with ui.element("div").classes("qf-search"):
            self._looked_for = ui.input(placeholder="搜内容、企业、诉求编号（/）").props(
                'outlined dense clearable debounce=300 aria-label="搜索会话"'
            )
        self._looked_for.on_value_change(told(self._searched))
        with ui.element("div").classes("qi-views").props('role="tablist"'):
            self._tabs = {view: self._tab(view) for view in VIEWS}
        self._list = ui.html(sanitize=False).classes("qi-list")
        self._list.on("click", told(self._picked), js_handler=_PICK)

    def _tab(self, view: View) -> ui.button:
        @told
        async def choose() -> None:
            self._view = view
            await self._fill_list()

        tab = ui.button(VIEWS[view], on_click=choose).props("flat dense no-caps role=tab")
        return tab.classes("qi-tab")

    async def _searched(self) -> None:
        await self._fill_list()

    async def _picked(self, event: object) -> None:
        await self._open(str(event.args))  # type: ignore[attr-defined]

    async def _fill_list(self, touched: Collection[str] = (), by_itself: bool = False) -> None:
        text = (self._looked_for.value or "").strip() or None
        read = self._seat.show_again if by_itself else self._seat.read
        page, counts = await read(
            _READ, _listed, self._seat.parts.board, self._seat.staff, self._view, text, touched
        )
        me = self._seat.staff.id
        self._list.set_content(showing.inbox_rows(page.rows, self._chosen, text, me))
        for view, tab in self._tabs.items():
            number = counts.get(view, 0)
            tab.set_text(f"{VIEWS[view]} {number}" if number else VIEWS[view])
            tab.classes(
                add="here" if view is self._view else "",
                remove="" if view is self._view else "here",
            )
            tab.props(f"aria-selected={'true' if view is self._view else 'false'}")
        waiting = counts.get(View.QUEUED, 0)
        ui.page_title(f"{f'（{waiting}）' if waiting else ''}会话 · 企服小福工作台")

    # -- the thread ------------------------------------------------------------------------------

    def _build_thread(self) -> None:
        with ui.element("div").classes("qi-head"):
            back = ui.button(icon="arrow_back", on_click=self._back).props("flat dense round")
            back.classes("qi-back").props('aria-label="回到列表"')
            with ui.element("div").classes("qi-title"):
                self._title = ui.label("").classes("qf-strong")
                self._owner = ui.label("").classes("qf-tag")
            ui.space()
            self._claim = self._action("接入", "Alt+C", taking.claim, "primary")
            self._release = self._action("交还小福", "Alt+R", taking.release)
            self._close = self._action("结束", "", taking.close)
            self._transfer = ui.button("转交").props("flat dense no-caps")
            with self._transfer:
                self._colleagues = ui.menu()
            self._transfer.on("click", told(self._fill_colleagues))
            more = ui.button(icon="badge", on_click=self._swap_side).props("flat dense round")
            more.classes("qi-more").props('aria-label="企业与匹配资料"')
        self._thread = (
            ui.html(sanitize=False).classes("qi-thread").props('aria-live="polite" tabindex="0"')
        )
        self._thread.on("click", told(self._show_earlier), js_handler=_EARLIER)
        self._composer = Composer(self._seat, self._current, self._posted, _scroll_down)

    def _action(
        self,
        title: str,
        keys: str,
        change: Callable[..., Delivery | None],
        color: str | None = None,
    ) -> ui.button:
        @told
        async def act() -> None:
            await self._change(change)

        button = ui.button(title, on_click=act).props(
            "dense no-caps unelevated" if color else "flat dense no-caps"
        )
        if keys:
            button.props(f'title="{title}（{keys}）"')
        return button

    def _current(self) -> str | None:
        return self._chosen

    async def _change(self, change: Callable[..., Delivery | None]) -> None:
        if self._chosen is None:
            return
        line = await self._seat.change(_ANSWER, change, self._chosen, self._seat.staff, utc_now())
        if line is not None:
            self._posted(self._chosen, line)
        await self._refresh()

    def _posted(self, conversation_id: str, line: Delivery) -> None:
        self._seat.parts.posted(conversation_id, [line])

    async def _open(self, conversation_id: str) -> None:
        self._chosen, self._limit = conversation_id, 100
        await self._seat.looked_at(_READ, "conversation_opened", ("conversation", conversation_id))
        await self._refresh()
        self._composer.forget()
        self._panes.classes(add="opened", remove="siding")

    async def _refresh(self) -> None:
        await self._fill_thread()
        await self._fill_list([self._chosen] if self._chosen else ())

    async def _fill_thread(self) -> None:
        if self._chosen is None:
            return
        found = await self._seat.read(
            _READ, thread.thread_of, self._chosen, self._seat.staff, None, self._limit
        )
        self._row = found.row
        self._title.set_text(found.row.enterprise or visitor_name(found.row))
        self._owner.set_text(owner_words(found.row))
        self._owner.set_visibility(True)
        self._owner.classes(replace=f"qf-tag {OWNER_TONES[found.row.owner.value]}")
        self._thread.set_content(
            showing.html_of("thread.html", lines=found.lines, earlier=found.before is not None)
        )
        _scroll_down()
        self._offer_actions(found.row)
        packet = await self._seat.read(_READ, packet_of, self._chosen)
        self._side.set_content(showing.html_of("packet.html", packet=packet, row=found.row))
        await self._seat.change(
            _READ, messages.mark_read, self._chosen, self._seat.staff, utc_now()
        )

    def _offer_actions(self, row: InboxRow) -> None:
        may = self._seat.may(_ANSWER)
        mine = row.owner is Owner.PERSON and row.owner_staff == self._seat.staff.id
        self._claim.set_visibility(may and row.owner is not Owner.PERSON)
        for button in (self._release, self._transfer):
            button.set_visibility(may and mine)
        self._close.set_visibility(
            may and row.owner is not Owner.CLOSED and (mine or row.owner is not Owner.PERSON)
        )
        self._composer.offer(may_send=may and mine, may_note=may)

    async def _show_earlier(self) -> None:
        self._limit = min(self._limit + 100, thread.MAX_LINES)
        await self._fill_thread()

    async def _fill_colleagues(self) -> None:
        rows = await self._seat.read(_ANSWER, accounts)
        others = [row for row in rows if row.is_active and row.id != self._seat.staff.id]
        offered = [row for row in others if _ANSWER in GRANTS[row.role]]
        self._colleagues.clear()
        with self._colleagues:
            for row in offered:
                ui.menu_item(row.name, on_click=self._passing_to(row))
            if not offered:
                ui.menu_item("没有可以转交的同事")

    def _passing_to(self, row: StaffAccount) -> Callable[[], Awaitable[None]]:
        colleague = Staff(row.id, row.name, row.role, row.department)

        @told
        async def pass_on() -> None:
            if self._chosen is None:
                return
            line = await self._seat.change(
                _ANSWER, taking.transfer, self._chosen, self._seat.staff, colleague, utc_now()
            )
            self._posted(self._chosen, line)
            await self._refresh()

        return pass_on

    def _show_nothing(self) -> None:
        self._title.set_text("")
        self._owner.set_visibility(False)
        self._thread.set_content(
            '<div class="qf-empty" role="status"><span>从左边选一个会话</span>'
            '<span class="qf-hint">↑ ↓ 移动，回车打开；Alt+C 接入，Ctrl+回车发送，Alt+D 要草稿</span></div>'
        )
        for button in (self._claim, self._release, self._close, self._transfer):
            button.set_visibility(False)
        self._composer.offer(may_send=False, may_note=False)

    def _back(self) -> None:
        self._panes.classes(remove="opened siding")

    def _swap_side(self) -> None:
        self._panes.classes(toggle="siding")

    # -- staying up to date ----------------------------------------------------------------------

    def _listen(self) -> None:
        client = ui.context.client
        tasks = [
            background_tasks.create(self._hear(), name="inbox feed"),
            background_tasks.create(self._be_present(), name="inbox presence"),
        ]
        client.on_delete(lambda: [task.cancel() for task in tasks])

    async def _hear(self) -> None:
        with self._seat.parts.feed.subscribe() as subscription:
            async for batch in subscription.batches():
                await self._take(batch)

    async def _take(self, batch: list[Changed]) -> None:
        with self._panes:
            await _update(self, batch)

    async def _be_present(self) -> None:
        if not self._seat.may(_ANSWER):
            return
        staff = self._seat.staff
        while True:
            await self._seat.change(
                _ANSWER, routing.set_presence, staff.id, staff.name, True, utc_now()
            )
            await asyncio.sleep(_PRESENCE_S)

    def _pressed(self, event: object) -> None:
        key, modifiers = event.key, event.modifiers  # type: ignore[attr-defined]
        if not event.action.keydown or event.action.repeat:  # type: ignore[attr-defined]
            return
        name = str(key.name).lower()
        if modifiers.alt and name == "c":
            background_tasks.create(self._in_panes(lambda: self._change(taking.claim)))
        elif modifiers.alt and name == "r":
            background_tasks.create(self._in_panes(lambda: self._change(taking.release)))
        elif modifiers.alt and name == "d":
            background_tasks.create(self._in_panes(self._composer.draft_or_insert))

    async def _in_panes(self, act: Callable[[], Awaitable[None]]) -> None:
        with self._panes:
            await told(act)()


def _scroll_down() -> None:
    ui.run_javascript(_DOWN)


@told
async def _update(page: Inbox, batch: list[Changed]) -> None:
    """Shows what changed; the open thread only when it is concerned."""
    if any(change.conversation_id == page._chosen for change in batch):
        await page._refresh()
    else:
        await page._fill_list(by_itself=True)


def _listed(
    db: Session,
    board: Board,
    staff: Staff,
    view: View,
    text: str | None,
    touched: Collection[str],
) -> tuple[InboxPage, dict[View, int]]:
    if text is None:
        return board.page(db, staff, view, _ROWS, touched)
    page = inbox.list_conversations(db, staff, view, text, limit=_ROWS)
    return page, inbox.counts(db, staff)


def client_id() -> str:
    """A fresh name for a message about to be sent; sending it twice stores it once."""
    return uuid4().hex
