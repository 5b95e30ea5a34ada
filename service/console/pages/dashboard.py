"""The dashboard: how much is asked, how well it is answered, how appeals keep their promise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nicegui import ui
from sqlalchemy.orm import Session

from knowledge.catalogue import Catalogue
from service.console.frame import empty, failed, loading, told
from service.console.queries_appeals import DepartmentLine
from service.console.queries_dashboard import RANGES, Dashboard, TopClause, TopQuestion
from service.console.registry import console_page
from service.console.routes import viewer_of
from service.console.seat import Seat
from service.console.shares import Share
from service.db import utc_now
from service.errors import NotSignedIn, ServiceError
from service.staff.permissions import Permission

_READ = Permission.DASHBOARD_READ
_JADE, _BLUE, _RED, _AMBER = "#0b6b5d", "#2c5a94", "#a32a1e", "#b7791f"
DEFINITIONS = {
    "消息": "收到的消息条数，按收到的日期（北京时间）。",
    "新会话": "首次来询的会话数，按建立的日期。",
    "拒答率": "小福的答复里含有“如实拒答”的消息，占小福答复过的消息的比例。",
    "反问率": "小福的答复里含有反问的消息，占小福答复过的消息的比例。",
    "首次答复用时": "会话的第一条消息到得到答复的时间；半数不超过中位数，95% 不超过后一个数。",
    "诉求登记": "这段时间登记的诉求。",
    "诉求办结": "这段时间办结的诉求，含以前登记的。",
    "现在超期": "此刻已过期限、仍未答复的诉求，不论何时登记。",
    "按期答复率": "这段时间登记、已答复或已到期限的诉求里，期限之前首次答复的比例；撤回和不予受理的不计。",
    "解决率": "这段时间办结的诉求里，没有因“未解决”而重新办理过的比例。",
    "满意率": "这段时间办结、企业打了分的诉求里，4 分和 5 分的比例。",
}


@console_page("/dashboard", _READ, "看板", icon="insights", order=60)
async def build(seat: Seat) -> None:
    await _Board(seat).show()


class _Board:
    """A range above, figures and charts below."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    async def show(self) -> None:
        with ui.element("div").classes("qf-bar"):
            ui.label("看板").classes("qf-title").props('role="heading" aria-level="1"')
            options = {days: f"近 {days} 天" for days in RANGES}
            self._range = ui.toggle(options, value=30).props("no-caps unelevated dense")
            self._note = ui.label().classes("qf-muted").props('role="status"')
        self._range.on_value_change(told(self._fill))
        self._content = ui.element("div")
        await self._fill()

    async def _fill(self) -> None:
        self._content.clear()
        try:
            with self._content, loading("正在统计…"):
                found = await self._seat.read(_READ, self._figures)
        except NotSignedIn:
            raise
        except ServiceError as error:
            with self._content:
                failed(error.message, told(self._fill))
            return
        self._note.set_text(f"{found.since} 至 {found.until}，每分钟更新；指着数字可看定义。")
        with self._content:
            _numbers(found)
            if not (found.messages or found.appeals.filed):
                empty("这段时间还没有消息和诉求")
                return
            with ui.element("div").classes("qf-two"):
                _volume(found)
                _answers(found)
                _appeals(found)
                _departments(found.appeals.departments)
                _clauses(found.clauses, self._seat.parts.live.now.catalogue)
                _questions(found.refused_questions)

    def _figures(self, db: Session) -> Dashboard:
        days, viewer = int(self._range.value), viewer_of(self._seat.staff)
        return self._seat.parts.figures.dashboard(db, days, utc_now(), viewer)


def _numbers(found: Dashboard) -> None:
    wait = found.first_answer
    appeals = found.appeals
    with ui.element("div").classes("qf-cards"):
        _number("消息", f"{found.messages:,}")
        _number("新会话", f"{found.conversations:,}")
        _share("拒答率", found.refused)
        _share("反问率", found.clarified)
        _number(
            "首次答复用时",
            _seconds(wait.p50_s),
            f"95% 在 {_seconds(wait.p95_s)} 内 · {wait.n:,} 个会话",
        )
        _number("诉求登记", f"{sum(appeals.filed.values()):,}")
        _number("诉求办结", f"{sum(appeals.closed.values()):,}")
        _number("现在超期", f"{appeals.overdue:,}", is_bad=appeals.overdue > 0)
        _share("按期答复率", appeals.in_time)
        _share("解决率", appeals.solved)
        _share("满意率", appeals.satisfied)


def _number(name: str, value: str, hint: str = "", is_bad: bool = False) -> None:
    card = ui.element("div").classes("qf-panel qf-figure").props('tabindex="0" role="group"')
    with card:
        ui.label(name).classes("qf-muted")
        number = ui.label(value).classes("qf-number")
        if is_bad:
            number.classes("qf-failed")
        ui.label(hint).classes("qf-muted")
        ui.tooltip(DEFINITIONS[name])
    card.props(f'aria-label="{name} {value} {hint}。{DEFINITIONS[name]}"'.replace("\n", ""))


def _share(name: str, share: Share) -> None:
    if share.value is None or share.low is None or share.high is None:
        _number(name, "—", "还没有可算的")
        return
    hint = f"区间 {share.low:.1%} – {share.high:.1%} · {share.hits:,}/{share.n:,}"
    _number(name, f"{share.value:.1%}", hint)


def _seconds(value: float | None) -> str:
    if value is None:
        return "—"
    if value < 60:
        return f"{value:.1f} 秒"
    return f"{value / 60:.1f} 分钟" if value < 3600 else f"{value / 3600:.1f} 小时"


_COUNTS = {"type": "value", "minInterval": 1}
_PERCENT = {"type": "value", "min": 0, "max": 100, "axisLabel": {"formatter": "{value}%"}}


def _chart(
    title: str,
    days: Sequence[str],
    series: list[dict[str, Any]],
    note: str,
    axis: dict[str, Any] = _COUNTS,
) -> None:
    with ui.element("section").classes("qf-panel qf-section"):
        ui.label(title).classes("qf-title").props('role="heading" aria-level="2"')
        chart = ui.echart(
            {
                "animation": False,
                "tooltip": {"trigger": "axis"},
                "legend": {"bottom": 0},
                "grid": {"left": 48, "right": 16, "top": 24, "bottom": 56},
                "xAxis": {"type": "category", "data": list(days)},
                "yAxis": axis,
                "series": series,
            }
        ).classes("qf-chart")
        chart.props(f'role="img" aria-label="{note}"')
        ui.label(note).classes("qf-muted")


def _line(name: str, data: list[Any], colour: str, **more: Any) -> dict[str, Any]:
    item = {"color": colour}
    return {
        "name": name,
        "type": "line",
        "showSymbol": False,
        "data": data,
        "itemStyle": item,
    } | more


def _days(found: Dashboard) -> list[str]:
    return [f"{line.day:%m-%d}" for line in found.days]


def _volume(found: Dashboard) -> None:
    messages = [line.messages for line in found.days]
    series = [
        _line("消息", messages, _JADE, type="bar"),
        _line("新会话", [line.conversations for line in found.days], _BLUE),
    ]
    note = f"最多的一天 {max(messages):,} 条消息。"
    _chart("每天的消息和新会话", _days(found), series, note)


def _answers(found: Dashboard) -> None:
    def percent(hits: int, answered: int) -> float | None:
        return round(100 * hits / max(answered, hits), 1) if answered else None

    refused = [percent(line.refused, line.answered) for line in found.days]
    clarified = [percent(line.clarified, line.answered) for line in found.days]
    series = [
        _line("拒答率", refused, _RED),
        _line("反问率", clarified, _AMBER),
    ]
    _chart("每天的拒答率和反问率", _days(found), series, "没有答复的日子不画线。", _PERCENT)


def _appeals(found: Dashboard) -> None:
    series = [
        _line("登记", [line.filed for line in found.days], _BLUE, type="bar"),
        _line("办结", [line.closed for line in found.days], _JADE, type="bar"),
    ]
    filed, closed = sum(found.appeals.filed.values()), sum(found.appeals.closed.values())
    _chart("每天的诉求", _days(found), series, f"共登记 {filed:,} 件，办结 {closed:,} 件。")


def _departments(lines: list[DepartmentLine]) -> None:
    with ui.element("section").classes("qf-panel qf-section"):
        ui.label("各部门的诉求").classes("qf-title").props('role="heading" aria-level="2"')
        if not lines:
            empty("这段时间没有诉求")
            return
        columns: list[dict[Any, Any]] = [
            {"name": "department", "label": "部门", "field": "department", "align": "left"},
            {"name": "filed", "label": "登记", "field": "filed", "sortable": True},
            {"name": "closed", "label": "办结", "field": "closed", "sortable": True},
            {"name": "overdue", "label": "现超期", "field": "overdue", "sortable": True},
            {"name": "in_time", "label": "按期答复率（区间）", "field": "in_time"},
        ]
        rows = [
            {
                "department": each.department,
                "filed": each.filed,
                "closed": each.closed,
                "overdue": each.overdue,
                "in_time": _interval(each.in_time),
            }
            for each in lines
        ]
        table = ui.table(columns=columns, rows=rows, row_key="department", pagination=10)
        table.classes("qf-table").props("flat dense")


def _interval(share: Share) -> str:
    if share.value is None or share.low is None or share.high is None:
        return "—"
    return f"{share.value:.0%}（{share.low:.0%}–{share.high:.0%}，{share.n}）"


def _clauses(top: list[TopClause], catalogue: Catalogue) -> None:
    with ui.element("section").classes("qf-panel qf-section"):
        ui.label("问得最多的条款").classes("qf-title").props('role="heading" aria-level="2"')
        if not top:
            empty("这段时间没有引用条款的答复")
        for each in top:
            clause = catalogue.clauses.get(each.clause_id)
            with ui.element("div").classes("qf-line"):
                if clause is None:
                    ui.label(each.clause_id).classes("qf-strong")
                    ui.label("已不在目录").classes("qf-tag warn")
                else:
                    title = catalogue.policies[clause.policy_id].title
                    ui.link(title, f"/catalogue/{clause.policy_id}").classes("qf-strong")
                    ui.label(clause.label).classes("qf-tag info")
                ui.space()
                ui.label(f"{each.answers:,} 次").classes("qf-mono")


def _questions(top: list[TopQuestion] | None) -> None:
    with ui.element("section").classes("qf-panel qf-section"):
        ui.label("拒答最多的问句").classes("qf-title").props('role="heading" aria-level="2"')
        if top is None:
            empty("您的角色不看问句")
            return
        if not top:
            empty("这段时间没有拒答")
        for each in top:
            with ui.element("div").classes("qf-line"):
                ui.label(each.text).classes("qf-text")
                ui.space()
                ui.label(f"{each.times:,} 次").classes("qf-mono")
