"""The policies that fit an enterprise, on its page: the verdict of each and the conditions behind it."""

from __future__ import annotations

from nicegui import ui
from sqlalchemy.orm import Session

from knowledge.conditions import Truth
from knowledge.verdicts import Verdict
from service.console.frame import empty, loading, told
from service.console.queries_enterprises import profile_to_match
from service.console.seat import Seat
from service.matching.operations import match_out
from service.matching.schemas import CriterionOut, MatchOut
from service.staff.permissions import Permission

_READ = Permission.ENTERPRISES_READ
_FIRST, _MOST = 15, 500
VERDICTS = {
    Verdict.ELIGIBLE: ("符合", "good"),
    Verdict.UNKNOWN: ("还差信息", "warn"),
    Verdict.INELIGIBLE: ("不符合", "bad"),
}
TRUTHS = {
    Truth.MET: ("符合", "good"),
    Truth.FAILED: ("不符合", "bad"),
    Truth.UNKNOWN: ("未知", "warn"),
}


class Matches:
    """The list, the best first, by verdict; conditions unfold."""

    def __init__(self, seat: Seat, credit_code: str) -> None:
        self._seat = seat
        self._code = credit_code
        self._found: list[MatchOut] = []

    async def show(self) -> None:
        with ui.element("section").classes("qf-panel qf-section"):
            ui.label("政策匹配").classes("qf-title").props('role="heading" aria-level="2"')
            ui.label("按今天的目录和上面的资料逐条比对；“未知”是资料里没有，不是不符合。").classes(
                "qf-muted"
            )
            with loading("正在比对…"):
                self._found = await self._seat.read(_READ, self._match)
            self._filter()
            self._list = ui.element("div")
            self._more = ui.button("全部列出", on_click=told(self._all)).props("flat")
            await self._fill()

    def _match(self, db: Session) -> list[MatchOut]:
        profile = profile_to_match(db, self._code)
        matcher = self._seat.parts.live.now.matcher
        found = matcher.match(profile, self._seat.parts.settings.today(), top=_MOST)
        return [match_out(each, matcher.fields) for each in found]

    def _filter(self) -> None:
        counts = {verdict: 0 for verdict in Verdict}
        for each in self._found:
            counts[each.verdict] += 1
        options = {"": f"全部 {len(self._found)}"} | {
            verdict.value: f"{VERDICTS[verdict][0]} {count}" for verdict, count in counts.items()
        }
        self._verdict = ui.toggle(options, value="").props("no-caps unelevated dense")
        self._verdict.on_value_change(told(self._fill))

    async def _fill(self) -> None:
        self._show(_FIRST)

    async def _all(self) -> None:
        self._show(_MOST)

    def _show(self, most: int) -> None:
        wanted = self._verdict.value
        fitting = [each for each in self._found if not wanted or each.verdict == wanted]
        self._list.clear()
        with self._list:
            if not fitting:
                empty("没有这样的政策")
            for each in fitting[:most]:
                _match_line(each)
        self._more.set_visibility(len(fitting) > most)


def _match_line(match: MatchOut) -> None:
    text, kind = VERDICTS[match.verdict]
    with ui.element("article").classes("qf-clause"):
        with ui.element("div").classes("qf-bar"):
            ui.label(text).classes(f"qf-tag {kind}")
            ui.link(match.title, f"/catalogue/{match.policy_id}").classes("qf-strong")
            if match.amount_max_cny:
                ui.label(f"最高 {match.amount_max_cny / 10_000:g} 万元").classes("qf-tag")
            ui.label(match.dates.text).classes("qf-muted")
        for criterion in match.criteria:
            if criterion.verdict is not Truth.MET:
                _criterion(criterion)
        met = sum(criterion.verdict is Truth.MET for criterion in match.criteria)
        if met:
            ui.label(f"另有 {met} 项条件符合").classes("qf-muted")


def _criterion(criterion: CriterionOut) -> None:
    text, kind = TRUTHS[criterion.verdict]
    with ui.element("div").classes("qf-line"):
        ui.label(text).classes(f"qf-tag {kind}")
        ui.label(criterion.need)
        ui.label(f"现有：{criterion.have or '没有资料'}").classes("qf-muted")
        if criterion.gap:
            ui.label(criterion.gap.text).classes("qf-tag")
