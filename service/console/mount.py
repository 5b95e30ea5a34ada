"""Puts the console's pages into the web application, below /console."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.staticfiles import StaticFiles
from nicegui import core, ui
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from service.console import pages
from service.console.frame import frame
from service.console.parts import ConsoleParts
from service.console.registry import PAGES, ConsolePage, navigation
from service.console.seat import Seat
from service.console.sign_in import page_of, sign_in_router
from service.limits import caller
from service.staff.access import COOKIE, refreshed

_STATIC = Path(__file__).parent / "static"


def register_pages() -> None:
    """Reads every page's module, so that ``PAGES`` is whole; nothing happens twice."""
    for module in pkgutil.iter_modules(pages.__path__):
        importlib.import_module(f"{pages.__name__}.{module.name}")


def mount_console(app: FastAPI, parts: ConsoleParts) -> None:
    """Adds sign-in and every page to the application; once a process, as NiceGUI has one app."""
    register_pages()
    app.include_router(sign_in_router())
    app.add_api_route("/console", _home, include_in_schema=False)
    app.add_api_route("/console/", _home, include_in_schema=False)
    app.mount("/console-static", StaticFiles(directory=_STATIC), name="console-static")
    core.app.state.console_parts = parts
    core.app.state.database = parts.database
    for page in PAGES:
        _register(page)
    ui.run_with(
        app,
        mount_path="/console",
        title="企服小福工作台",
        language="zh-CN",
        favicon=_STATIC.parents[1] / "web" / "static" / "favicon.svg",
        storage_secret=None,
        show_welcome_message=False,
        reconnect_timeout=15.0,
        tailwind=False,
        binding_refresh_interval=None,
    )


def _home(request: Request) -> Response:
    """The first page that the one signed in may open."""
    token = request.cookies.get(COOKIE, "")
    signed_in = refreshed(request.app.state.database, token) if token else None
    if signed_in is None:
        return RedirectResponse("/console/sign-in", status_code=303)
    seat = Seat(core.app.state.console_parts, token, signed_in.staff, signed_in.csrf)
    first = next(iter(navigation(seat)), None)
    return RedirectResponse(f"/console{first.path if first else '/sign-in'}", status_code=303)


def _register(page: ConsolePage) -> None:
    @ui.page(page.path, response_timeout=15)
    async def show(request: Request) -> Response | None:
        parts: ConsoleParts = core.app.state.console_parts
        token = request.cookies.get(COOKIE, "")
        signed_in = await run_in_threadpool(refreshed, parts.database, token) if token else None
        if signed_in is None:
            wanted = quote(f"/console{request.url.path.removeprefix('/console')}", safe="/")
            return RedirectResponse(f"/console/sign-in?next={wanted}", status_code=303)
        if not signed_in.staff.may(page.permission):
            return HTMLResponse(
                page_of("forbidden.html", staff=signed_in.staff, csrf=signed_in.csrf),
                status_code=403,
            )
        seat = Seat(
            parts=parts,
            token=token,
            staff=signed_in.staff,
            csrf=signed_in.csrf,
            path_params=dict(request.path_params),
            query=dict(request.query_params),
            address=caller(request),
        )
        with frame(seat, page):
            await page.build(seat)
        return None

    show.__doc__ = page.title
