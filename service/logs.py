"""Writes one structured line per request and per turn, with personal numbers masked."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Mapping, MutableMapping
from typing import Any
from uuid import uuid4

import structlog
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import ServiceError
from service.settings import Settings

log = structlog.get_logger("qifu.http")

# 统一社会信用代码 (GB 32100-2015) and, of the same length, the citizen's number: 18 characters.
_CREDIT_CODE = re.compile(
    r"(?<![0-9A-Za-z])([0-9A-Za-z]{2}\d{2})\d{4}[0-9A-Za-z]{7}([0-9A-Za-z]{3})(?![0-9A-Za-z])"
)
_PHONE = re.compile(r"(?<!\d)((?:\+?86[ -]?)?1[3-9]\d)([ -]?)\d{4}([ -]?)(\d{4})(?!\d)")
# Made here from random bytes, so they hold nobody's number; masked they would not be found again.
_OWN_IDS = frozenset({"message_id", "request_id"})
_QUIET_PATHS = frozenset({"/healthz", "/readyz"})


def masked(text: str) -> str:
    """The text with mainland mobile numbers (138****1234) and credit codes masked."""
    return _PHONE.sub(r"\1\2****\3\4", _CREDIT_CODE.sub(r"\1**********\2", text))


def mask_values(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Any:
    """A structlog processor: masks every string value, however deep."""
    return {key: value if key in _OWN_IDS else _mask(value) for key, value in event.items()}


def _mask(value: object) -> object:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {_mask(key): _mask(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_mask(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return _mask(str(value)) if isinstance(value, int) and abs(value) > 10**10 else value
    return masked(str(value))


def configure(settings: Settings) -> None:
    """Sends structlog and the standard library's logging to stderr, one line per event.

    JSON, or coloured text when stderr is a terminal (``log_format`` decides otherwise).
    """
    is_console = settings.log_format == "console" or (
        settings.log_format == "auto" and sys.stderr.isatty()
    )
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer()
        if is_console
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    ending: list[Any] = [structlog.processors.format_exc_info, mask_values, renderer]
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(max(level, logging.WARNING))


class RequestLog:
    """ASGI middleware: names each request, logs it when it ends, answers 500 when all else failed.

    Endpoints add fields by setting ``request.state.log_fields``. The query is never logged: it
    holds session tokens.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid4().hex
        status = 0
        begun = time.monotonic()

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._app(scope, receive, send_named)
        except Exception:
            log.exception("request_failed", method=scope["method"], path=scope["path"])
            if not status:
                await _internal_error()(scope, receive, send_named)
        finally:
            fields = scope.get("state", {}).get("log_fields", {})
            write = log.debug if scope["path"] in _QUIET_PATHS else log.info
            write(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round((time.monotonic() - begun) * 1000, 1),
                **fields,
            )
            structlog.contextvars.unbind_contextvars("request_id")


def _internal_error() -> JSONResponse:
    error = ServiceError("系统内部出错，请稍后再试。")
    return JSONResponse(error.body(), status_code=error.status)
