"""Signed answers: one person writes, another approves; what is suspended and why, what ends soon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from nicegui import ui

from knowledge.catalogue import Catalogue
from knowledge.policy import Status
from service.console import showing
from service.console.frame import told
from service.console.pages.debt import split_ids
from service.console.pages.enterprise import when
from service.console.queries_debt import is_expiring
from service.console.registry import console_page
from service.console.seat import Seat
from service.console.texts import SIGNED_STATES, SIGNED_TONES
from service.db import utc_now
from service.debt import signing
from service.debt.models import SignedAnswer, SignedState
from service.debt.signing import MAX_TEXT_CHARS, AnswerDraft
from service.errors import InvalidInput, NotFound
from service.staff.permissions import Permission

_READ, _HANDLE, _SIGN = Permission.DEBT_READ, Permission.DEBT_HANDLE, Permission.FAQ_SIGN
_PICK = "(e) => { const row = e.target.closest('[data-id]'); if (row) emit(row.dataset.id); }"
_EXPIRING = "expiring"
_IN = "outlined dense"
_USUAL_DAYS = 180


@console_page("/faq", _READ, "审定答复", icon="fact_check", order=53)
async def build(seat: Seat) -> None:
    await FaqPage(seat).show()


@dataclass(frozen=True)
class CitedClause:
    """A clause an answer rests on, as the catalogue has it now; without ``title`` it is gone."""

    id: str
    policy_id: str
    title: str | None
    text: str | None
    changed: bool
    ended: bool


def cited(catalogue: Catalogue, clauses: list[list[str]], day: date) -> list[CitedClause]:
    """Each clause with what it says now.

    ``changed``: it reads otherwise than the hash kept with it; ``ended``: its policy is not in force on the day.
    """
    found = []
    for clause_id, hash_ in clauses:
        clause = catalogue.clauses.get(clause_id)
        policy_id = clause_id.partition("#")[0]
        if clause is None:
            found.append(CitedClause(clause_id, policy_id, None, None, changed=False, ended=False))
            continue
        policy = catalogue.policies[clause.policy_id]
        found.append(
            CitedClause(
                clause_id,
                policy_id,
                policy.title,
                clause.text,
                changed=bool(hash_) and clause.hash != hash_,
                ended=policy.status_on(day) is Status.EXPIRED,
            )
        )
    return found


class FaqPage:
    """The list on the left; one answer, or the form of a new one, on the right."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        given = seat.query.get("id", "")
        self._chosen: int | None = int(given) if given.isascii() and given.isdigit() else None

    async def show(self) -> None:
        with ui.element("div").classes("qf-bar"):
            views = {"": "全部", **{each.value: name for each, name in SIGNED_STATES.items()}}
            views[_EXPIRING] = "即将到期"
            self._view = ui.toggle(views, value="", on_change=told(self._fill))
            self._view.props('no-caps unelevated dense aria-label="显示哪些"')
            ui.space()
            if self._seat.may(_HANDLE):
                ui.button("写一条", icon="edit", on_click=told(self._new)).props(
                    "unelevated no-caps"
                )
        with ui.element("div").classes("qg"):
            with ui.element("section").classes("qf-panel qg-left") as left:
                left.props('aria-label="审定答复列表"')
                self._rows = ui.html(sanitize=False)
                self._rows.on("click", told(self._picked), js_handler=_PICK)
            self._one = ui.element("section").classes("qf-panel qg-right")
            self._one.props('aria-label="所选答复" aria-live="polite"')
        await self._fill()
        await self._open(self._chosen)

    @property
    def _today(self) -> date:
        return self._seat.parts.debt.today()

    @property
    def _catalogue(self) -> Catalogue:
        return self._seat.parts.live.now.catalogue

    async def _fill(self) -> None:
        view = str(self._view.value or "")
        state = SignedState(view) if view and view != _EXPIRING else None
        rows = await self._seat.read(_READ, signing.list_answers, state)
        expiring = {each.id for each in rows if is_expiring(each, self._today)}
        shown = [each for each in rows if view != _EXPIRING or each.id in expiring]
        self._rows.set_content(
            showing.html_of(
                "answer_rows.html",
                rows=shown,
                chosen=self._chosen,
                expiring=expiring,
                today=self._today,
            )
        )

    async def _picked(self, event: object) -> None:
        await self._open(int(str(event.args)))  # type: ignore[attr-defined]
        await self._fill()

    async def _open(self, answer_id: int | None) -> None:
        self._chosen = answer_id
        self._one.clear()
        with self._one:
            if answer_id is None:
                ui.html(
                    '<div class="qf-empty"><span>从左边选一条，或写一条新的</span></div>',
                    sanitize=False,
                )
                return
            try:
                answer = await self._seat.read(_READ, signing.get_answer, answer_id)
            except NotFound as error:
                ui.label(error.message).classes("qf-muted")
                return
            self._draw(answer)

    # -- one answer ------------------------------------------------------------------------------

    def _draw(self, answer: SignedAnswer) -> None:
        with ui.element("div").classes("qf-bar"):
            ui.label(answer.question).classes("qf-title").props('role="heading" aria-level="1"')
            ui.label(SIGNED_STATES[answer.state]).classes(f"qf-tag {SIGNED_TONES[answer.state]}")
            if answer.valid_until < self._today:
                ui.label("已过期").classes("qf-tag bad")
            elif is_expiring(answer, self._today):
                ui.label("即将到期").classes("qf-tag warn")
        ui.label(f"有效期 {answer.valid_from} 至 {answer.valid_until}").classes("qf-muted")
        signed = f"；{answer.approver_name} 审定" if answer.approver_name else ""
        at = f"于 {when(answer.approved_at)}" if answer.approved_at else ""
        ui.label(f"{answer.author_name} 撰写于 {when(answer.created_at)}{signed}{at}").classes(
            "qf-muted"
        )
        if answer.suspended_because:
            ui.label(f"暂停原因：{answer.suspended_because}").classes("qf-error qg-do")
        ui.label(answer.text).classes("qf-said qf-text")
        if answer.variants:
            ui.label(f"其他问法：{'；'.join(answer.variants)}").classes("qf-muted qg-do")
        ui.html('<h2 class="qf-title qg-sub">依据</h2>', sanitize=False)
        clauses = cited(self._catalogue, answer.clauses, self._today)
        ui.html(showing.html_of("clauses.html", clauses=clauses), sanitize=False)
        if self._seat.may(_SIGN):
            self._build_signing(answer)

    def _build_signing(self, answer: SignedAnswer) -> None:
        if answer.state is not SignedState.IN_FORCE:
            is_own = answer.author == self._seat.staff.id
            with ui.element("div").classes("qf-bar qg-do"):
                button = ui.button("审定生效", on_click=told(self._approve))
                button.props("unelevated no-caps")
                button.set_enabled(not is_own)
                if is_own:
                    ui.label("撰写人不能审定自己的答复。").classes("qf-muted")
            return
        with ui.element("div").classes("qf-bar qg-do"):
            self._why = ui.input("暂停的理由").props(f"{_IN} maxlength=500").classes("qf-field")
            ui.button("暂停", on_click=told(self._suspend)).props("flat no-caps color=negative")

    async def _approve(self) -> None:
        if self._chosen is None:
            return
        await self._seat.change(
            _SIGN, signing.approve, self._chosen, self._seat.staff, self._catalogue, self._today,
            utc_now(),
        )  # fmt: skip
        await self._changed("已审定生效")

    async def _suspend(self) -> None:
        if self._chosen is None:
            return
        await self._seat.change(
            _SIGN, signing.suspend, self._chosen, self._why.value or "", utc_now()
        )
        await self._changed("已暂停")

    async def _changed(self, text: str) -> None:
        self._seat.parts.debt.signed.forget()
        ui.notify(text, type="positive", position="top")
        await self._open(self._chosen)
        await self._fill()

    # -- a new one -------------------------------------------------------------------------------

    async def _new(self) -> None:
        self._chosen = None
        self._one.clear()
        with self._one:
            ui.html('<h1 class="qf-title">写一条审定答复</h1>', sanitize=False)
            ui.label("写好后由另一位有审定权限的人审定，才会对外使用。").classes("qf-muted")
            self._question = self._field(ui.input("企业怎么问").props("maxlength=300"))
            self._variants = self._field(
                ui.textarea("其他问法（一行一条，可不填）").props("autogrow")
            )
            self._text = self._field(
                ui.textarea("答复").props(f"autogrow maxlength={MAX_TEXT_CHARS}")
            )
            self._clauses = self._field(
                ui.input("依据的条款编号（如 FT-001#amount，可多条）").props("debounce=300")
            )
            self._preview = ui.html(sanitize=False)
            self._clauses.on_value_change(self._show_clauses)
            until = self._today + timedelta(days=_USUAL_DAYS)
            with ui.element("div").classes("qf-bar qg-do"):
                self._from = ui.input("从", value=str(self._today))
                self._until = ui.input("有效到", value=str(until))
                for each in (self._from, self._until):
                    each.props(f"{_IN} type=date stack-label")
                ui.space()
                ui.button("提交审定", on_click=told(self._add)).props("unelevated no-caps")
        await self._fill()

    @staticmethod
    def _field(field: ui.input | ui.textarea) -> ui.input | ui.textarea:
        return field.props(_IN).classes("qf-wide qg-do")

    def _show_clauses(self) -> None:
        ids = [[each, ""] for each in split_ids(self._clauses.value)]
        clauses = cited(self._catalogue, ids, self._today)
        self._preview.set_content(showing.html_of("clauses.html", clauses=clauses))

    async def _add(self) -> None:
        variants = (self._variants.value or "").splitlines()
        draft = AnswerDraft(
            self._question.value or "",
            self._text.value or "",
            tuple(split_ids(self._clauses.value)),
            _day(self._from.value, "valid_from"),
            _day(self._until.value, "valid_until"),
            tuple(each for each in variants if each.strip()),
        )
        answer = await self._seat.change(
            _HANDLE, signing.add_answer, draft, self._seat.staff, self._catalogue, utc_now()
        )
        ui.notify("已提交，待审定", type="positive", position="top")
        await self._open(answer.id)
        await self._fill()


def _day(text: str | None, where: str) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError as error:
        raise InvalidInput("请选择日期。", where) from error
