"""Asks for what a step of handling needs, and does the step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.value_element import ValueElement
from sqlalchemy.orm import Session

from service.appeals.clock import Hours
from service.appeals.departments import directory
from service.appeals.handling import MOST_CHARS
from service.appeals.reasons import MOST_EXTENSION_WORKING_DAYS, NOT_ACCEPTED, PAUSES
from service.appeals.staff_routes import STEPS, Step
from service.console.appeal_forms import FORMS, Field, Kind
from service.console.frame import told
from service.console.seat import Seat
from service.db import utc_now
from service.errors import InvalidInput, NotSignedIn, ServiceError
from service.staff.permissions import Staff

_SCORES = {5: "5 非常满意", 4: "4 满意", 3: "3 一般", 2: "2 不满意", 1: "1 很不满意"}
_LINE_CHARS = 500
_IN = "outlined dense"


class StepDialog:
    """One step of one appeal; ``done`` is awaited when it was taken. ``given`` fills fields beforehand."""

    def __init__(
        self,
        seat: Seat,
        no: str,
        name: str,
        done: Callable[[], Awaitable[None]],
        given: dict[str, Any] | None = None,
    ) -> None:
        self._seat, self._no, self._name, self._done = seat, no, name, done
        self._form = FORMS[name]
        self._fields: dict[str, ValueElement[Any]] = {}
        with ui.dialog() as self._dialog, ui.card().classes("qd"):
            self._dialog.props(f'aria-label="{self._form.title}"')
            ui.label(f"{self._form.title} · {no}").classes("qf-title").props(
                'role="heading" aria-level="2"'
            )
            ui.label(self._form.hint).classes("qf-muted")
            for field in self._form.fields:
                self._fields[field.name] = _built(field, (given or {}).get(field.name))
            self._problem = ui.label("").classes("qf-error").props('role="alert"')
            self._problem.set_visibility(False)
            with ui.element("div").classes("qf-bar qd-actions"):
                ui.space()
                ui.button("取消", on_click=self._dialog.close).props("flat no-caps")
                self._button = ui.button(f"确定{self._form.title}", on_click=told(self._send))
                self._button.props("unelevated no-caps")
        self._dialog.on("hide", self._dialog.delete)
        self._dialog.open()

    async def _send(self) -> None:
        self._button.props("loading")
        try:
            step = self._filled()
            permission, _, _ = STEPS[self._name]
            parts, staff = self._seat.parts, self._seat.staff
            await self._seat.change(
                permission, _take, self._name, self._no, staff, step, parts.hours
            )
        except NotSignedIn:
            raise
        except ServiceError as error:
            self._problem.set_text(error.message)
            self._problem.set_visibility(True)
            return
        finally:
            self._button.props(remove="loading")
        self._dialog.close()
        ui.notify(f"{self._form.title}：已完成", type="positive", position="top")
        await self._done()

    def _filled(self) -> Step:
        """What was filled in; ``InvalidInput`` naming the first field that is missing."""
        values: dict[str, Any] = {}
        for field in self._form.fields:
            value = self._fields[field.name].value
            if isinstance(value, str):
                value = value.strip()[:MOST_CHARS]
            if value in (None, "", []):
                if field.is_needed:
                    raise InvalidInput(f"请填写“{field.label}”。", field.name)
                continue
            values[field.name] = int(value) if field.kind is Kind.DAYS else value
        return Step(**values)


def _take(
    db: Session, name: str, no: str, staff: Staff, step: Step, hours: Callable[[], Hours]
) -> None:
    STEPS[name][2](db, no, staff, step, utc_now(), hours())


def _built(field: Field, given: Any) -> ValueElement[Any]:
    match field.kind:
        case Kind.TEXT:
            text = ui.textarea(field.label, value=given or "")
            return text.props(f"{_IN} autogrow maxlength={MOST_CHARS}").classes("qf-wide")
        case Kind.LINE:
            line = ui.input(field.label, value=given or "")
            return line.props(f"{_IN} maxlength={_LINE_CHARS}").classes("qf-wide")
        case Kind.DAYS:
            days = {n: f"{n} 个工作日" for n in range(1, MOST_EXTENSION_WORKING_DAYS + 1)}
            return _select(field, days, given)
        case Kind.YES_NO:
            yes, no = field.choices
            ui.label(field.label).classes("qf-muted")
            radio = ui.radio({True: yes, False: no}, value=given)
            return radio.props(f'inline aria-label="{field.label}"')
        case _:
            return _select(field, _choices(field.kind), given)


def _select(field: Field, options: dict[Any, str], given: Any) -> ui.select:
    is_many = field.kind is Kind.DEPARTMENTS
    select = ui.select(
        options,
        label=field.label,
        value=given if given is not None else ([] if is_many else None),
        with_input=field.kind in (Kind.DEPARTMENT, Kind.DEPARTMENTS),
        multiple=is_many,
        clearable=not field.is_needed,
    )
    return select.props(_IN + (" use-chips" if is_many else "")).classes("qf-wide")


def _choices(kind: Kind) -> dict[Any, str]:
    match kind:
        case Kind.PAUSE:
            return {code.value: pause.text for code, pause in PAUSES.items()}
        case Kind.CATEGORY:
            return {code.value: known.text for code, known in NOT_ACCEPTED.items()}
        case Kind.SCORE:
            return dict(_SCORES)
        case _:
            return {each.code: each.name for each in directory().departments}
