"""Builds the web application from its parts and serves it."""

from __future__ import annotations

import asyncio
import html
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol

import uvicorn
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.auth import SessionTokens
from service.conversations import routes as conversations
from service.conversations.routes import Room
from service.conversations.stream import Hub
from service.conversations.worker import Bot, Fallback, TurnWorker
from service.db import Database
from service.errors import InvalidInput, ServiceError, StartFailed, TooLarge
from service.limits import BodyLimit, TokenBuckets
from service.logs import RequestLog
from service.settings import Settings

STATIC = Path(__file__).parent / "web" / "static"
_PAGES = {
    "/": "index.html",
    "/appeals/": "appeal.html",
    "/appeals/{no}": "appeal.html",
    "/widget.js": "widget.js",
}
_FRAMED_QUERY = b"embed=1"
_STATUS_MESSAGES = {
    400: ("bad_request", "请求内容无法读取，请检查格式。"),
    404: ("not_found", "没有找到您要的内容。"),
    405: ("method_not_allowed", "这个地址不支持此操作。"),
    413: (TooLarge.code, "内容太大了，请缩短后再发送。"),
}

ReadyCheck = Callable[[], str | None]
ReadyNote = Callable[[], Mapping[str, object]]


class Companion(Protocol):
    """Something that runs beside the application, from its start to its end."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


def create_app(
    settings: Settings,
    database: Database,
    bot: Bot,
    fallback: Fallback,
    *,
    routers: Sequence[APIRouter] = (),
    ready_checks: Mapping[str, ReadyCheck] | None = None,
    ready_notes: Mapping[str, ReadyNote] | None = None,
    companions: Sequence[Companion] = (),
    hub: Hub | None = None,
) -> FastAPI:
    """The whole web application; its threads start and stop with its lifespan.

    ``fallback`` answers when the bot fails. ``routers`` are other rooms' endpoints: they find
    ``settings``, ``database`` and ``tokens`` in ``request.app.state``. A ready check returns why
    its part is not ready, ``None`` when it is; a ready note says what a part serves now. ``companions``
    start and stop with the application. ``hub`` is the one that other parts post through.
    """
    hub = hub or Hub()
    worker = TurnWorker(database, bot, fallback, hub, settings)
    app = FastAPI(
        title="企服小福",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(hub, worker, settings, companions),
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    app.state.database = database
    app.state.tokens = SessionTokens(settings.signing_secret(), settings.session_days)
    app.state.hub = hub
    app.state.room = Room(
        settings=settings,
        database=database,
        tokens=app.state.tokens,
        hub=hub,
        worker=worker,
        messages=TokenBuckets(settings.messages_per_minute),
        sessions=TokenBuckets(settings.sessions_per_minute),
    )
    for router in (conversations.router, *routers):
        app.include_router(router)
    _add_state_pages(app, database, worker, ready_checks or {}, ready_notes or {})
    _add_pages(app)
    _add_error_answers(app)
    _add_middleware(app, settings)
    return app


def _lifespan(
    hub: Hub, worker: TurnWorker, settings: Settings, companions: Sequence[Companion]
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        hub.start(asyncio.get_running_loop())
        worker.start()
        for companion in companions:
            await run_in_threadpool(companion.start)
        try:
            yield
        finally:
            hub.close()
            for companion in reversed(companions):
                await run_in_threadpool(companion.stop)
            await run_in_threadpool(worker.stop, settings.shutdown_s)

    return lifespan


def _add_state_pages(
    app: FastAPI,
    database: Database,
    worker: TurnWorker,
    checks: Mapping[str, ReadyCheck],
    notes: Mapping[str, ReadyNote],
) -> None:
    @app.get("/healthz", tags=["state"])
    async def healthz() -> dict[str, str]:
        """The process runs."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["state"])
    def readyz() -> JSONResponse:
        """200 when messages can be answered now, with what is served; 503 with the reasons when not."""
        reasons = {
            "database": None if database.is_reachable() else "the database does not answer",
            "worker": None if worker.is_alive() else "the turn worker is not running",
            **{name: check() for name, check in checks.items()},
        }
        failing = {name: reason for name, reason in reasons.items() if reason}
        if failing:
            return JSONResponse({"status": "not_ready", "reasons": failing}, status_code=503)
        serving = {name: dict(note()) for name, note in notes.items()}
        return JSONResponse({"status": "ready", "reasons": {}, "serving": serving})


def _add_pages(app: FastAPI) -> None:
    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(_docs_page(app))

    files = FreshFiles(directory=STATIC)
    for path, name in _PAGES.items():
        app.add_api_route(path, _page(files, name), include_in_schema=False)
    app.mount("/static", files, name="static")


class FreshFiles(StaticFiles):
    """Files a browser may keep but must ask after each time (by ETag), so a new version shows at once."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _page(files: StaticFiles, name: str) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        return await files.get_response(name, request.scope)

    return page


def _docs_page(app: FastAPI) -> str:
    rows = "".join(
        f"<tr><td>{method.upper()}</td><td><code>{html.escape(path)}</code></td>"
        f"<td>{html.escape(operation.get('description') or operation.get('summary', ''))}</td></tr>"
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
    )
    return (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>接口说明</title>'
        f"<h1>{html.escape(app.title)} 接口</h1>"
        '<p>完整的 OpenAPI 描述：<a href="/openapi.json">/openapi.json</a></p>'
        f"<table>{rows}</table></html>"
    )


def _add_error_answers(app: FastAPI) -> None:
    @app.exception_handler(ServiceError)
    async def service_error(request: Request, error: ServiceError) -> JSONResponse:
        return _answer_error(request, error)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        code, message = _STATUS_MESSAGES.get(error.status_code, ("error", "请求没有成功。"))
        answer = ServiceError(message, request.url.path)
        answer.status, answer.code = error.status_code, code
        return _answer_error(request, answer)

    @app.exception_handler(RequestValidationError)
    async def invalid_input(request: Request, error: RequestValidationError) -> JSONResponse:
        return _answer_error(request, _explain(error))


def _answer_error(request: Request, error: ServiceError) -> JSONResponse:
    fields = getattr(request.state, "log_fields", {})
    request.state.log_fields = {**fields, "error": error.code, "where": error.where}
    headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    return JSONResponse(error.body(), status_code=error.status, headers=headers)


def _explain(error: RequestValidationError) -> InvalidInput:
    """The first fault in words; invalid JSON counts as 400, everything else as 422."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    kind, said = first["type"], str(first["msg"])
    if kind == "json_invalid":
        answer = InvalidInput("请求内容不是有效的 JSON。", "body")
        answer.status, answer.code = 400, "invalid_json"
        return answer
    if not said.isascii():
        return InvalidInput(said, where)
    if not where:
        return InvalidInput("请求内容应为 JSON 对象（Content-Type: application/json）。", "body")
    if kind == "missing":
        return InvalidInput(f"缺少 {where}。", where)
    return InvalidInput(f"{where} 的格式不正确。", where)


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    # The one added last is the outermost.
    code, message = _STATUS_MESSAGES[413]
    too_large = JSONResponse(
        {"error": {"code": code, "message": message, "where": "body"}},
        status_code=413,
        headers={"Connection": "close"},
    )
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes, too_large=too_large)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type", "Last-Event-ID"],
        )
    app.add_middleware(RequestLog)
    app.add_middleware(SecurityHeaders, frame_origins=settings.allowed_origins)


class SecurityHeaders:
    """ASGI middleware: tells browsers to load nothing from elsewhere, and who may frame a page.

    Only the widget's page (``/?embed=1``) may be framed: by ``frame_origins``, by anyone when there
    are none. The console's framework compiles its templates in the browser, so its pages, and no
    others, may run scripts of their own.
    """

    def __init__(self, app: ASGIApp, frame_origins: Sequence[str]) -> None:
        self._app = app
        self._console = self._headers("'none'", " 'unsafe-inline' 'unsafe-eval'")
        self._framed = self._headers(" ".join(["'self'", *frame_origins]) if frame_origins else "*")
        self._unframed = self._headers("'none'")

    @staticmethod
    def _headers(frame_ancestors: str, scripts: str = "") -> list[tuple[bytes, bytes]]:
        own = f"script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; " if scripts else ""
        policy = (
            f"default-src 'self'; {own}img-src 'self' data:; object-src 'none'; base-uri 'self'; "
            f"form-action 'self'; frame-ancestors {frame_ancestors}"
        )
        return [
            (b"content-security-policy", policy.encode("ascii")),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_framed = scope["path"] == "/" and scope["query_string"] == _FRAMED_QUERY
        headers = self._framed if is_framed else self._unframed
        if scope["path"].startswith("/console/"):
            headers = self._console

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        await self._app(scope, receive, send_guarded)


class _Server(uvicorn.Server):
    """Ends open streams before waiting for connections, and returns after a signal.

    A second signal stops without waiting.
    """

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not the inherited one: it raises the signal again at the end, so nothing could be closed.
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._hub.close()
        await super().shutdown(sockets)


def serve(app: FastAPI, settings: Settings, on_listening: Callable[[int], None]) -> None:
    """Serves until SIGINT or SIGTERM, then returns; ``on_listening`` is told the port.

    ``StartFailed`` when the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise StartFailed(
            f"无法监听 {where}（{error.strerror}）；请用 QIFU_PORT 换一个端口。", where
        ) from error
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(settings.shutdown_s)),
    )
    with listener:
        on_listening(listener.getsockname()[1])
        _Server(config, app.state.hub).run(sockets=[listener])
