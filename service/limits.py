"""Turns away what is too much: bodies too large, addresses too busy."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.settings import is_loopback

_KEPT_KEYS = 20_000


class BodyLimit:
    """ASGI middleware: a body over the limit is answered 413, and is not read to its end."""

    def __init__(self, app: ASGIApp, max_bytes: int, too_large: ASGIApp) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._too_large = too_large

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self._max_bytes:
            await self._too_large(scope, receive, send)
            return
        received = 0

        async def receive_some() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_some, send)


class TokenBuckets:
    """Lets each key pass ``per_minute`` times a minute, that many at once; 0 lets all pass."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_minute / 60
        self._size = float(per_minute)
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, key: str) -> float:
        """Takes one; 0 when it was there, else the seconds until one is."""
        if not self._size:
            return 0.0
        now = self._clock()
        with self._lock:
            level, at = self._levels.pop(key, (self._size, now))
            level = min(self._size, level + (now - at) * self._per_s)
            is_there = level >= 1
            self._levels[key] = (level - 1 if is_there else level, now)
            if len(self._levels) > _KEPT_KEYS:
                self._levels.popitem(last=False)
        return 0.0 if is_there else (1 - level) / self._per_s


def caller(request: Request) -> str | None:
    """The address to limit; absent for this machine itself (its tests, a proxy that tells none)."""
    host = request.client.host if request.client else None
    return None if host is None or is_loopback(host) else host
