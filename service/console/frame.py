"""What every console page has around it: head, navigation, and ways to say that something failed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import structlog
from nicegui import ui

from service.console.registry import ConsolePage, navigation
from service.console.seat import Seat
from service.errors import NotSignedIn, ServiceError
from service.staff.permissions import ROLE_NAMES

log = structlog.get_logger("qifu.console")
_Given = ParamSpec("_Given")
_MADE_UP = (
    '<span class="qf-made-up" role="note" title="人和企业都是虚构的">'
    '示范数据<span class="qf-made-up-more">：人和企业都是虚构的</span></span>'
)


@contextmanager
def frame(seat: Seat, page: ConsolePage) -> Iterator[None]:
    """The page's surroundings; what is built inside is its content.

    The framework puts /console before the path of a link and of ``ui.navigate.to`` by itself.

    Alt+1 … Alt+9 open the pages of the navigation, / puts the cursor into the page's search field.
    """
    ui.page_title(f"{page.title} · 企服小福工作台")
    ui.colors(primary="#0b6b5d", secondary="#2c5a94", negative="#a32a1e", positive="#11663a")
    ui.add_head_html('<link rel="stylesheet" href="/console-static/console.css">', shared=False)
    offered = navigation(seat)
    with ui.header().classes("qf-head"):
        ui.html('<a class="qf-skip" href="#content">跳到内容</a>', sanitize=False)
        ui.html('<span class="qf-mark" aria-hidden="true">福</span>', sanitize=False)
        ui.label("企服小福工作台").classes("qf-name")
        with ui.element("nav").classes("qf-nav").props('aria-label="页面"'):
            for number, each in enumerate(offered, start=1):
                _nav_link(each, number, is_here=each.path == page.path)
        ui.space()
        _who(seat)
        if seat.parts.is_demo:
            ui.html(_MADE_UP, sanitize=False)
    with ui.element("main").classes("qf-main").props('id="content" tabindex="-1"'):
        yield
    ui.keyboard(on_key=_shortcuts(offered), ignore=["input", "select", "textarea"])


def _nav_link(page: ConsolePage, number: int, is_here: bool) -> None:
    classes = "qf-link qf-here" if is_here else "qf-link"
    with ui.link(target=page.path).classes(classes) as link:
        ui.icon(page.icon or "article").classes("qf-icon").props('aria-hidden="true"')
        ui.label(page.title)
    link.props(f'title="{page.title}（Alt+{number}）"')
    if is_here:
        link.props('aria-current="page"')


def _who(seat: Seat) -> None:
    with ui.element("div").classes("qf-who"):
        ui.label(seat.staff.name).classes("qf-staff")
        ui.label(ROLE_NAMES[seat.staff.role]).classes("qf-role")
    ui.html(
        '<form method="post" action="/console/sign-out">'
        f'<input type="hidden" name="csrf" value="{seat.csrf}">'
        '<button class="qf-out" type="submit">退出</button></form>',
        sanitize=False,
    )


def _shortcuts(offered: list[ConsolePage]) -> Callable[..., None]:
    def pressed(event: object) -> None:
        key = event.key  # type: ignore[attr-defined]
        if not event.action.keydown:  # type: ignore[attr-defined]
            return
        number = key.number
        if event.modifiers.alt and number and number <= len(offered):  # type: ignore[attr-defined]
            ui.navigate.to(offered[number - 1].path)
        elif key == "/":
            ui.run_javascript("document.querySelector('.qf-search input')?.focus()")

    return pressed


def told(action: Callable[_Given, Awaitable[None]]) -> Callable[_Given, Awaitable[None]]:
    """Wraps an event handler: what fails is said in words, the page stays usable.

    Who is signed out meanwhile goes to the sign-in page.
    """

    @wraps(action)
    async def handle(*args: _Given.args, **kwargs: _Given.kwargs) -> None:
        try:
            await action(*args, **kwargs)
        except NotSignedIn:
            ui.navigate.to("/sign-in")
        except ServiceError as error:
            ui.notify(error.message, type="negative", position="top")
        except Exception:  # the edge of the page: it must say something
            log.exception("console_action_failed", action=action.__name__)
            ui.notify("没有成功，请稍后再试。", type="negative", position="top")

    return handle


def empty(text: str, hint: str = "") -> None:
    """Says that there is nothing here, and what to do about it."""
    with ui.element("div").classes("qf-empty").props('role="status"'):
        ui.icon("inbox").props('aria-hidden="true"')
        ui.label(text)
        if hint:
            ui.label(hint).classes("qf-hint")


def failed(text: str, again: Callable[[], Awaitable[None]]) -> None:
    """Says that something could not be loaded, with a way to try again."""
    with ui.element("div").classes("qf-empty qf-failed").props('role="alert"'):
        ui.icon("error_outline").props('aria-hidden="true"')
        ui.label(text)
        ui.button("再试一次", on_click=again).props("outline")


@contextmanager
def loading(text: str = "正在读取…") -> Iterator[None]:
    """Shows that something is being read while the block runs."""
    with ui.element("div").classes("qf-loading").props('role="status"') as shown:
        ui.spinner(size="1.2em")
        ui.label(text)
    try:
        yield
    finally:
        shown.delete()
