"""Somebody's seat at an open console page: who they are, and their way to the database."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from service.console.parts import ConsoleParts
from service.db import Database, utc_now
from service.errors import Forbidden, NotSignedIn
from service.staff.access import refreshed
from service.staff.audit import record
from service.staff.permissions import ROLE_NAMES, Permission, Staff

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_RECENT_S = 2.0


@dataclass
class Seat:
    """One open page. A page may stay open for hours, so every call looks again who is signed in."""

    parts: ConsoleParts
    token: str
    staff: Staff
    csrf: str
    path_params: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    address: str | None = None
    _checked_at: float = -inf

    def may(self, permission: Permission) -> bool:
        """Whether to offer something at all; doing it is checked again."""
        return self.staff.may(permission)

    async def read(
        self,
        permission: Permission,
        function: Callable[Concatenate[Session, _Given], _Result],
        *args: _Given.args,
        **kwargs: _Given.kwargs,
    ) -> _Result:
        """Runs a query in a thread, on a session that only reads.

        ``NotSignedIn`` when the sign-in ended meanwhile, ``Forbidden`` when the role lacks the permission.
        """

        def run() -> _Result:
            self._check(permission)
            with self.parts.database.reading() as db:
                return function(db, *args, **kwargs)

        return await run_in_threadpool(run)

    async def show_again(
        self,
        permission: Permission,
        function: Callable[Concatenate[Session, _Given], _Result],
        *args: _Given.args,
        **kwargs: _Given.kwargs,
    ) -> _Result:
        """As :meth:`read`, for what an open page brings up to date by itself, some times a second.

        Who is signed in is then known from two seconds ago at most.
        """

        def run() -> _Result:
            if time.monotonic() > self._checked_at + _RECENT_S:
                self._check(permission)
            with self.parts.database.reading() as db:
                return function(db, *args, **kwargs)

        return await run_in_threadpool(run)

    async def change(
        self,
        permission: Permission,
        function: Callable[Concatenate[Session, _Given], _Result],
        *args: _Given.args,
        **kwargs: _Given.kwargs,
    ) -> _Result:
        """Runs an operation in a thread, in a transaction of its own; errors as :meth:`read`."""

        def run() -> _Result:
            self._check(permission)
            with self.parts.database.session() as db:
                return function(db, *args, **kwargs)

        return await run_in_threadpool(run)

    async def alone(
        self,
        permission: Permission,
        function: Callable[Concatenate[Database, _Given], _Result],
        *args: _Given.args,
        **kwargs: _Given.kwargs,
    ) -> _Result:
        """Runs what opens its own sessions in a thread; errors as :meth:`read`."""

        def run() -> _Result:
            self._check(permission)
            return function(self.parts.database, *args, **kwargs)

        return await run_in_threadpool(run)

    async def looked_at(
        self,
        permission: Permission,
        action: str,
        subject: tuple[str, str],
        purpose: str | None = None,
    ) -> None:
        """Puts into the audit log that data of an enterprise or a person were opened."""

        def note(db: Session) -> None:
            record(
                db, self.staff.id, action, subject, utc_now(), purpose=purpose, address=self.address
            )

        await self.change(permission, note)

    def _check(self, permission: Permission) -> None:
        signed_in = refreshed(self.parts.database, self.token)
        if signed_in is None:
            raise NotSignedIn("登录已结束，请重新登录。", "cookie")
        if not signed_in.staff.may(permission):
            raise Forbidden(
                f"您的角色（{ROLE_NAMES[signed_in.staff.role]}）不能进行此操作。", permission
            )
        self.staff = signed_in.staff
        self._checked_at = time.monotonic()
