"""The hit test: a question and a day, what the bot answers, and what it weighed to get there."""

from __future__ import annotations

from datetime import date

from nicegui import ui

from actions.replies import CitationCard, Reply
from knowledge.clauses import STATUS_TEXT
from knowledge.policy import Status
from service.console.frame import empty, failed, loading, told
from service.console.hit_test import Decision, HitTest, PartOut, RankedPolicy, hit_test
from service.console.pages.catalogue import STATUS_CLASS, day_input, day_of, status_tag, tabs
from service.console.registry import console_page
from service.console.seat import Seat
from service.console.texts import INTENTS
from service.conversations.routes import MAX_TEXT_CHARS
from service.errors import InvalidInput, NotSignedIn, ServiceError
from service.staff.permissions import Permission

_READ = Permission.CATALOGUE_READ
DECISIONS = {
    Decision.ANSWER: ("直接答复", "good"),
    Decision.CLARIFY: ("反问澄清", "warn"),
    Decision.REFUSE: ("如实拒答，转诉求", "bad"),
    Decision.OTHER: ("不查政策目录", "info"),
}
REFUSALS = {
    "nothing_found": "目录里没有找到",
    "elsewhere": "问的是外地政策",
    "not_recorded": "找到了政策，但记录里没有所问内容",
    "detail_not_recorded": "找到了政策，但记录里没有这个细节",
    "unclear": "有几项可能，先问清楚",
}


@console_page("/hit-test", _READ, "命中测试", icon="manage_search", order=55)
async def build(seat: Seat) -> None:
    tabs("/hit-test")
    await _Tester(seat).show()


class _Tester:
    """One question at a time; ``?text=`` asks at once."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    async def show(self) -> None:
        with ui.element("div").classes("qf-bar"):
            with ui.element("div").classes("qf-search qf-field"):
                self._text = ui.input("企业会怎么问", value=self._seat.query.get("text", ""))
                self._text.props(f"outlined dense clearable maxlength={MAX_TEXT_CHARS}")
            self._day = day_input("哪一天问", self._seat.parts.settings.today())
            ui.button("试一试", icon="play_arrow", on_click=told(self._run))
        self._text.on("keydown.enter", told(self._run))
        self._result = ui.element("div").classes("qf-result").props('aria-live="polite"')
        if self._text.value:
            await self._run()
            return
        with self._result:
            empty(
                "输入一句话，看小福怎么答",
                "与群里用的是同一个检索、同一份目录；试问不留记录，也不登记诉求。",
            )

    async def _run(self) -> None:
        text, day = (self._text.value or "").strip(), day_of(self._day)
        if not text:
            raise InvalidInput("请先输入一句话。", "text")
        self._result.clear()
        try:
            with self._result, loading("小福正在想…"):
                found = await self._seat.read(_READ, lambda _db: self._test(text, day))
        except NotSignedIn:
            raise
        except ServiceError as error:
            self._fail(error.message)
            return
        with self._result:
            _Shown(found).show()

    def _test(self, text: str, day: date) -> HitTest:
        parts = self._seat.parts
        return hit_test(parts.live.now, parts.rehearse, text, day)

    def _fail(self, message: str) -> None:
        with self._result:
            failed(message, told(self._run))


class _Shown:
    """The result: decision and answer on the left, what was weighed on the right."""

    def __init__(self, found: HitTest) -> None:
        self._found = found

    def show(self) -> None:
        with ui.element("div").classes("qf-two"):
            with ui.element("section").classes("qf-panel qf-section"):
                self._decision()
                for reply in self._found.replies:
                    _reply(reply)
            with ui.element("section").classes("qf-panel qf-section"):
                for part in self._found.parts:
                    self._part(part)

    def _decision(self) -> None:
        found = self._found
        name, kind = DECISIONS[found.decision]
        with ui.element("div").classes("qf-line"):
            ui.label(name).classes(f"qf-tag {kind} qf-decision")
            if found.intent:
                ui.label(
                    f"意图 {INTENTS.get(found.intent, found.intent)}（{found.confidence:.0%}）"
                ).classes("qf-muted")
        ui.label(
            f"首选政策能答此问的把握 {found.chance:.0%}；"
            f"达到 {found.answer_from:.0%} 直接答，达到 {found.clarify_from:.0%} 反问，否则拒答。"
        ).classes("qf-muted")
        if found.problem:
            ui.label(found.problem).classes("qf-tag warn qf-wrap")

    def _part(self, part: PartOut) -> None:
        ui.label(f"检索：{part.question}").classes("qf-title").props(
            'role="heading" aria-level="2"'
        )
        if part.refusal:
            ui.label(REFUSALS[part.refusal]).classes("qf-tag warn")
        if not part.ranking:
            empty("没有检索到任何政策")
        for number, policy in enumerate(part.ranking, start=1):
            _ranked(number, policy)


def _reply(reply: Reply) -> None:
    with ui.element("article").classes("qf-said"):
        ui.label(reply.text).classes("qf-text")
        for card in reply.citations:
            _citation(card)
        if reply.buttons:
            with ui.element("div").classes("qf-bar"):
                for button in reply.buttons:
                    ui.label(button.title).classes("qf-tag")


def _citation(card: CitationCard) -> None:
    status = Status(card.status)
    with ui.element("div").classes("qf-clause"):
        with ui.element("div").classes("qf-bar"):
            ui.link(card.title, f"/catalogue/{card.policy_id}").classes("qf-strong")
            ui.label(card.clause).classes("qf-tag info")
            ui.label(STATUS_TEXT[status]).classes(f"qf-tag {STATUS_CLASS[status]}")
            if card.url:
                ui.link("来源", card.url, new_tab=True).props('rel="noopener noreferrer"')
        ui.label(card.quote).classes("qf-text")


def _ranked(number: int, policy: RankedPolicy) -> None:
    with ui.element("article").classes("qf-clause"):
        with ui.element("div").classes("qf-bar"):
            ui.label(str(number)).classes("qf-tag qf-mono")
            ui.link(policy.title, f"/catalogue/{policy.policy_id}").classes("qf-strong")
            status_tag(policy.status)
        _why(policy.chance, policy.cosine, policy.score, policy.matched)
        for clause in policy.clauses:
            with ui.element("div").classes("qf-sub"):
                with ui.element("div").classes("qf-bar"):
                    ui.label(clause.id).classes("qf-tag qf-mono")
                    ui.label(clause.label).classes("qf-muted")
                    if clause.is_cited:
                        ui.label("已引用").classes("qf-tag good")
                _why(None, clause.cosine, clause.score, clause.matched)
                ui.label(clause.text).classes("qf-text qf-clip")


def _why(chance: float | None, cosine: float | None, score: float, matched: list[str]) -> None:
    parts = [
        f"把握 {chance:.0%}" if chance is not None else "",
        f"语义相似 {cosine:.2f}" if cosine is not None else "仅凭词语",
        f"得分 {score:.2f}",
        f"命中词 {'、'.join(matched) or '无'}",
    ]
    ui.label(" · ".join(filter(None, parts))).classes("qf-muted qf-mono")
