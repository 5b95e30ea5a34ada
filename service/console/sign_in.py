"""Signing in and out of the console: plain pages that work before any script runs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse, RedirectResponse, Response

from service.db import Database, utc_now
from service.errors import Forbidden, ServiceError, TooManyRequests
from service.limits import TokenBuckets, caller
from service.staff.access import COOKIE, check_csrf, set_cookie, signed_in_of
from service.staff.accounts import default_passwords, refused, sign_in, sign_out

_TEMPLATES = Path(__file__).parent / "templates"
_TRIES_PER_MINUTE = 20


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True)


def page_of(template: str, **values: object) -> str:
    """One of the plain pages, filled in; every value is text."""
    return _environment().get_template(template).render(**values)


def sign_in_router() -> APIRouter:
    """The pages; ``request.app.state`` holds ``database``."""
    router = APIRouter(include_in_schema=False)
    tries = TokenBuckets(_TRIES_PER_MINUTE)

    @router.get("/console/sign-in")
    def show(request: Request, next: str = "") -> HTMLResponse:
        return HTMLResponse(_sign_in_page(request, wanted=next))

    @router.post("/console/sign-in")
    def enter(
        request: Request,
        login: Annotated[str, Form(max_length=64)] = "",
        password: Annotated[str, Form(max_length=256)] = "",
        wanted: Annotated[str, Form(max_length=500)] = "",
    ) -> Response:
        _check_origin(request)
        database: Database = request.app.state.database
        try:
            if wait_s := tries.wait_s(caller(request) or "local"):
                raise TooManyRequests("尝试次数过多，请稍后再试。", "login", int(wait_s) + 1)
            with database.session() as db:
                signed_in = sign_in(
                    db, login, password, default_passwords(), utc_now(), caller(request)
                )
            if signed_in is None:
                raise refused()
        except ServiceError as error:
            page = _sign_in_page(request, login=login, wanted=wanted, error=error.message)
            return HTMLResponse(page, status_code=error.status)
        response = RedirectResponse(_inside(wanted), status_code=303)
        set_cookie(response, request, signed_in.token)
        return response

    @router.post("/console/sign-out")
    def leave(request: Request, csrf: Annotated[str, Form(max_length=200)] = "") -> Response:
        signed_in = signed_in_of(request)
        if signed_in is not None:
            check_csrf(signed_in, csrf)
            database: Database = request.app.state.database
            with database.session() as db:
                sign_out(db, signed_in.token, utc_now())
        response = RedirectResponse("/console/sign-in", status_code=303)
        response.delete_cookie(COOKIE, path="/")
        return response

    return router


def _sign_in_page(request: Request, login: str = "", wanted: str = "", error: str = "") -> str:
    hint = getattr(request.app.state, "demo_sign_ins", None)
    return page_of("sign_in.html", login=login, wanted=_inside(wanted), error=error, demo=hint)


def _inside(wanted: str) -> str:
    """Where to go after signing in: a page of the console, nowhere else."""
    parts = urlsplit(wanted)
    is_inside = not parts.scheme and not parts.netloc and parts.path.startswith("/console/")
    is_plain = "\\" not in wanted and not parts.path.startswith("/console/sign-")
    return wanted if is_inside and is_plain else "/console"


def _check_origin(request: Request) -> None:
    """``Forbidden`` when another site's form was sent here in somebody's name."""
    origin = request.headers.get("origin")
    if origin and origin != "null" and urlsplit(origin).netloc != request.headers.get("host"):
        raise Forbidden("请从工作台的登录页登录。", "origin")
