"""Common issues: what was found alike, confirmed or not, answered together, listed for the meeting."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from nicegui import ui
from sqlalchemy.orm import Session

from service.appeals import handling
from service.common_issues import operations
from service.common_issues.export import STATES as ISSUE_STATES
from service.common_issues.grouping import Grouped, group_open_appeals
from service.common_issues.meeting import ListedIssue
from service.common_issues.models import GROWING, MOVES, CommonIssue, IssueState
from service.common_issues.operations import AnsweredTogether
from service.console import showing
from service.console.frame import told
from service.console.queries_issues import issues, one_issue
from service.console.registry import console_page
from service.console.seat import Seat
from service.db import utc_now
from service.errors import NotFound
from service.staff.permissions import Permission, Staff

_MAY = Permission.COMMON_ISSUES
_TONES = {"proposed": "warn", "confirmed": "info", "answered": "good", "dismissed": ""}
_PICK = "(e) => { const row = e.target.closest('[data-no]'); if (row) emit(row.dataset.no); }"
_OUT = (
    "(e) => { const out = e.target.closest('[data-remove]'); if (out) emit(out.dataset.remove); }"
)
_WAITING = (IssueState.PROPOSED, IssueState.CONFIRMED)
_VIEWS: dict[str, tuple[str, tuple[IssueState, ...]]] = {
    "waiting": ("待办", _WAITING),
    "answered": ("已统一答复", (IssueState.ANSWERED,)),
    "dismissed": ("不成立", (IssueState.DISMISSED,)),
    "all": ("全部", ()),
}


@console_page("/common-issues", _MAY, "共性问题", icon="hub", order=30)
async def build(seat: Seat) -> None:
    await CommonIssuesPage(seat).show()


class CommonIssuesPage:
    """The list on the left, one issue with what can be done on the right."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._view = "waiting"
        self._chosen: str | None = seat.query.get("no")
        self._before: list[int | None] = [None]

    async def show(self) -> None:
        self._build_head()
        with ui.element("div").classes("qg"):
            with (
                ui.element("section").classes("qf-panel qg-left").props('aria-label="共性问题列表"')
            ):
                self._rows = ui.html(sanitize=False)
                self._rows.on("click", told(self._picked), js_handler=_PICK)
                with ui.element("div").classes("qf-bar qa-pages"):
                    self._newer = ui.button("较新的", on_click=told(self._page_back)).props("flat")
                    ui.space()
                    self._older = ui.button("更早的", on_click=told(self._page_on)).props("flat")
            self._one = ui.element("section").classes("qf-panel qg-right")
            self._one.props('aria-label="所选共性问题" aria-live="polite"')
        await self._fill()
        await self._open(self._chosen)

    def _build_head(self) -> None:
        with ui.element("div").classes("qf-bar"):
            names = {key: name for key, (name, _) in _VIEWS.items()}
            self._tabs = ui.toggle(names, value=self._view, on_change=told(self._turn))
            self._tabs.props('no-caps unelevated dense aria-label="显示哪些"')
            self._at_least = ui.select(
                {0: "不限件数", 3: "3 件以上", 5: "5 件以上", 10: "10 件以上"}, value=0,
                label="诉求数",
            ).props("outlined dense").classes("qf-filter")  # fmt: skip
            self._at_least.on_value_change(told(self._turn))
            ui.space()
            ui.button("立即归集", icon="hub", on_click=told(self._group)).props("flat no-caps")
            self._export = ui.html(sanitize=False)

    def _export_address(self) -> str:
        states = [("state", state.value) for state in _VIEWS[self._view][1]]
        return f"/api/staff/common-issues/export.xlsx?{urlencode(states)}"

    # -- the list --------------------------------------------------------------------------------

    async def _turn(self) -> None:
        self._view, self._before = str(self._tabs.value), [None]
        await self._fill()

    async def _fill(self) -> None:
        states = _VIEWS[self._view][1]
        found = await self._seat.read(
            _MAY, issues, states, int(self._at_least.value or 0), self._before[-1]
        )
        self._next = found.next
        self._rows.set_content(
            showing.html_of(
                "issue_rows.html",
                rows=found.rows,
                chosen=self._chosen,
                issue_states=ISSUE_STATES,
                issue_tones=_TONES,
            )
        )
        self._newer.set_visibility(len(self._before) > 1)
        self._older.set_visibility(found.next is not None)
        self._export.set_content(
            f'<a class="qg-export" href="{self._export_address()}">导出专办会清单（Excel）</a>'
        )

    async def _page_on(self) -> None:
        self._before.append(self._next)
        await self._fill()

    async def _page_back(self) -> None:
        self._before.pop()
        await self._fill()

    async def _group(self) -> None:
        done: Grouped = await self._seat.alone(
            _MAY, group_open_appeals, self._seat.parts.meaning, utc_now()
        )
        text = (
            f"看了 {done.looked_at} 件新诉求：{done.joined} 件并入已有的，新提出 {done.proposed} 个"
        )
        ui.notify(text, type="positive", position="top")
        await self._fill()

    # -- one issue -------------------------------------------------------------------------------

    async def _picked(self, event: object) -> None:
        await self._open(str(event.args))  # type: ignore[attr-defined]
        await self._fill()

    async def _open(self, no: str | None) -> None:
        self._chosen = no
        self._one.clear()
        with self._one:
            if no is None:
                ui.html(
                    '<div class="qf-empty"><span>从左边选一个共性问题</span></div>', sanitize=False
                )
                return
            try:
                found = await self._seat.read(_MAY, one_issue, no)
            except NotFound as error:
                ui.label(error.message).classes("qf-muted")
                return
            self._draw(found)

    async def _again(self) -> None:
        await self._open(self._chosen)
        await self._fill()

    def _draw(self, found: ListedIssue) -> None:
        row = found.row
        with ui.element("div").classes("qf-bar"):
            ui.label(row.title).classes("qf-title").props('role="heading" aria-level="1"')
            ui.label(ISSUE_STATES[row.state]).classes(f"qf-tag {_TONES[row.state.value]}")
        ui.label(
            f"{row.no} · {row.appeals} 件诉求 · {row.enterprises} 家企业"
            + (f" · {'、'.join(row.streets)}" if row.streets else "")
            + (f" · {row.first} 至 {row.last}" if row.first else "")
        ).classes("qf-muted")
        self._build_decision(found)
        ui.html('<h2 class="qf-title qg-sub">其中的诉求</h2>', sanitize=False)
        members = ui.html(
            showing.html_of(
                "issue_appeals.html", appeals=found.appeals, may_change=row.state in GROWING
            ),
            sanitize=False,
        )
        members.on("click", told(self._remove), js_handler=_OUT)
        if row.state in GROWING:
            self._build_adding()

    def _build_decision(self, found: ListedIssue) -> None:
        state = found.row.state
        if IssueState.CONFIRMED in MOVES[state]:
            with ui.element("div").classes("qf-bar qg-do"):
                self._title = ui.input("共性问题的标题", value=found.row.title).props(
                    "outlined dense maxlength=200"
                )
                self._title.classes("qf-field")
                ui.button("确认为共性问题", on_click=told(self._confirm)).props(
                    "unelevated no-caps"
                )
        if IssueState.ANSWERED in MOVES[state]:
            self._text = ui.textarea(
                "统一答复（逐件发给企业，已答复的不再发）", value=found.issue.answer or ""
            )
            self._text.props("outlined autogrow maxlength=5000").classes("qf-wide qg-do")
            with ui.element("div").classes("qf-bar"):
                ui.button("统一答复", on_click=told(self._answer)).props("unelevated no-caps")
                self._left = ui.element("div").props('role="status"')
        if IssueState.DISMISSED in MOVES[state]:
            ui.button("不成立，各自办理", on_click=told(self._dismiss)).props(
                "flat dense no-caps color=negative"
            )

    def _build_adding(self) -> None:
        with ui.element("div").classes("qf-bar qg-do"):
            self._added = ui.input("再加一件（诉求编号）").props("outlined dense maxlength=32")
            self._added.on("keydown.enter", told(self._add))
            ui.button("加入", on_click=told(self._add)).props("flat no-caps")

    async def _confirm(self) -> None:
        title = self._title.value or ""
        await self._change(lambda db, no, who: operations.confirm(db, no, who, title, utc_now()))

    async def _dismiss(self) -> None:
        await self._change(lambda db, no, who: operations.dismiss(db, no, who, utc_now()))

    async def _remove(self, event: object) -> None:
        appeal_no = str(event.args)  # type: ignore[attr-defined]
        await self._change(
            lambda db, no, who: operations.remove_member(db, no, appeal_no, who, utc_now())
        )

    async def _add(self) -> None:
        appeal_no = (self._added.value or "").strip().upper()
        await self._change(
            lambda db, no, who: operations.add_member(db, no, appeal_no, who, utc_now())
        )

    async def _answer(self) -> None:
        if self._chosen is None:
            return
        done: AnsweredTogether = await self._seat.change(
            _MAY, operations.answer_together, self._chosen, self._seat.staff,
            self._text.value or "", utc_now(), handling.answer,
        )  # fmt: skip
        # Drawing anew takes away the button this runs for, and with it the place to speak from.
        ui.notify(f"已答复 {len(done.answered)} 件", type="positive", position="top")
        await self._again()
        with self._left:
            for no, reason in done.left:
                ui.label(f"{no} 没有答复：{reason}").classes("qf-tag warn qf-wrap")

    async def _change(self, change: Callable[[Session, str, Staff], CommonIssue]) -> None:
        if self._chosen is None:
            return
        await self._seat.change(_MAY, change, self._chosen, self._seat.staff)
        await self._again()
