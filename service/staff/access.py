"""Lets requests of the staff in: who is signed in, whether their role allows it, whether it is really them."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from fastapi import Request, Response

from service.db import Database, utc_now
from service.errors import Forbidden, NotSignedIn
from service.staff.accounts import SIGNED_IN_FOR, SignedIn, session_of, touch
from service.staff.permissions import ROLE_NAMES, Permission, Staff

COOKIE = "qifu_staff"
CSRF_HEADER = "X-CSRF-Token"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_MAX_TOKEN_CHARS = 100

Guard = Callable[[Request], Staff]


def require(permission: Permission) -> Guard:
    """A FastAPI dependency: the one signed in, whose role grants ``permission``.

    ``NotSignedIn`` without a valid cookie, ``Forbidden`` for another role, or when a changing
    request does not carry the sign-in's own token in ``X-CSRF-Token``.
    """

    def guard(request: Request) -> Staff:
        signed_in = signed_in_of(request)
        if signed_in is None:
            raise NotSignedIn("请先登录工作台。", "cookie")
        if not signed_in.staff.may(permission):
            raise Forbidden(
                f"您的角色（{ROLE_NAMES[signed_in.staff.role]}）不能进行此操作。", permission
            )
        if request.method not in _SAFE_METHODS:
            check_csrf(signed_in, request.headers.get(CSRF_HEADER, ""))
        request.state.log_fields = {"staff": signed_in.staff.id}
        return signed_in.staff

    guard.permission = permission  # type: ignore[attr-defined]  # the table of routes reads it
    return guard


def signed_in_of(request: Request) -> SignedIn | None:
    """The sign-in of the request's cookie, kept alive by being used; ``None`` when there is none."""
    token = request.cookies.get(COOKIE, "")
    if not token or len(token) > _MAX_TOKEN_CHARS:
        return None
    database: Database = request.app.state.database
    return refreshed(database, token)


def refreshed(database: Database, token: str) -> SignedIn | None:
    """The sign-in of a token, noted as in use now."""
    now = utc_now()
    with database.reading() as db:
        signed_in = session_of(db, token, now)
        is_stale = signed_in is not None and signed_in.is_due_to_be_noted(now)
    if is_stale:
        with database.session() as db:
            touch(db, token, now)
    return signed_in


def check_csrf(signed_in: SignedIn, given: str) -> None:
    """``Forbidden`` unless the token given is the sign-in's own."""
    if not hmac.compare_digest(given.encode(), signed_in.csrf.encode()):
        raise Forbidden("页面已过期，请刷新后重试。", CSRF_HEADER)


def set_cookie(response: Response, request: Request, token: str) -> None:
    """Gives the browser the sign-in; scripts cannot read it, other sites cannot send it along."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(SIGNED_IN_FOR.total_seconds()),
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="strict",
        path="/",
    )
