"""Plays the HTTP service of the chat page with scripted answers, to test the page by itself."""

from __future__ import annotations

import json
import mimetypes
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any
from urllib.parse import parse_qs, urlsplit

from actions.replies import Reply
from tests.browser.script import TIMELINE, Answer, answer_to

STATIC = Path(__file__).resolve().parents[2] / "service" / "web" / "static"
POLICY = "default-src 'self'; frame-ancestors *"


@dataclass
class Message:
    """One message as kept: the answer is empty until it is given."""

    message_id: str
    client_id: str
    text: str
    received_at: datetime
    replies: list[Reply] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "message_id": self.message_id,
            "client_id": self.client_id,
            "text": self.text,
            "received_at": self.received_at.isoformat(),
            "replies": [reply.model_dump(mode="json") for reply in self.replies],
        }


class FakeService:
    """Keeps what was said across ``stop`` and ``start``, as the database of the real one does.

    ``posts`` records every body received. ``fail_next`` holds statuses to answer the next posts
    with. ``lose_next`` stores that many messages and drops the line before answering.
    ``unasked`` holds history lines of no message; ``owner_name`` is the person's who answers. ``foreign_script`` is the address of
    ``widget.js`` as the page at ``/foreign`` includes it.
    """

    def __init__(self) -> None:
        self.sessions: dict[str, list[Message]] = {}
        self.owners: dict[str, str] = {}
        self.owner_name: str | None = None
        self.posts: list[dict[str, Any]] = []
        self.unasked: list[dict[str, Any]] = []
        self.fail_next: list[int] = []
        self.lose_next = 0
        self.delay_s = 0.0
        self.foreign_script = ""
        self.port = 0
        self._streams: list[tuple[str, Queue[str | None]]] = []
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def messages(self) -> list[Message]:
        return [message for kept in self.sessions.values() for message in kept]

    def start(self) -> None:
        service = self

        class Handler(_Handler):
            def __init__(self, *args: Any) -> None:
                self.service = service
                super().__init__(*args)

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Closes the port and every open stream; what was said is kept."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = None
        with self._lock:
            for _, stream in self._streams:
                stream.put(None)
            self._streams.clear()

    def forget_sessions(self) -> None:
        self.sessions.clear()

    def new_session(self) -> str:
        token = f"token-{len(self.sessions) + 1}-{threading.get_ident()}"
        self.sessions[token] = []
        return token

    def listen(self, session: str) -> Queue[str | None]:
        stream: Queue[str | None] = Queue()
        with self._lock:
            self._streams.append((session, stream))
        return stream

    def push(self, event: str, data: dict[str, Any], session: str | None = None) -> None:
        """Sends an event to the streams of a session, or to all."""
        line = f"event: {event}\ndata: {json.dumps(data)}\n\n"
        with self._lock:
            for owner, stream in self._streams:
                if session in (None, owner):
                    stream.put(line)

    def push_reply(self, reply: Reply, message_id: str | None = None) -> None:
        self.push("reply", {"message_id": message_id, "reply": reply.model_dump(mode="json")})

    def receive(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        session = body["session"] or self.new_session()
        kept = self.sessions[session]
        said = next((each for each in kept if each.client_id == body["client_id"]), None)
        answer = answer_to(body["text"])
        if said is None:
            said = Message(
                f"m{len(self.messages)}", body["client_id"], body["text"], datetime.now(UTC)
            )
            kept.append(said)
            if not answer.is_later:
                said.replies.extend(answer.replies)
        self.owners[session] = answer.owner or self.owners.get(session, "bot")
        if answer.is_later:
            timer = threading.Timer(0.4, self._answer_later, (session, said, answer))
            timer.daemon = True
            timer.start()
        result = {
            "session": session,
            "message_id": said.message_id,
            "owner": self.owners[session],
            "replies": [reply.model_dump(mode="json") for reply in said.replies],
        }
        for reply in said.replies:
            # The real service delivers twice as well: the response and the stream.
            self.push_reply(reply, said.message_id)
        return (202 if answer.is_later else 200), result

    def _answer_later(self, session: str, said: Message, answer: Answer) -> None:
        said.replies.extend(answer.replies)
        if answer.is_streamed:
            for reply in answer.replies:
                data = {"message_id": said.message_id, "reply": reply.model_dump(mode="json")}
                self.push("reply", data, session)


class _Handler(BaseHTTPRequestHandler):
    service: FakeService

    def log_message(self, format: str, *args: Any) -> None:
        return

    def _json(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(body).encode())

    def _send(self, status: int, kind: str, body: bytes, policy: str = POLICY) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", policy)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)
        except ConnectionError:
            return

    def _error(self, status: int, message: str) -> None:
        self._json(status, {"error": {"code": "scripted", "message": message, "where": None}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.service.posts.append(body)
        if self.service.fail_next:
            self._error(self.service.fail_next.pop(0), "服务正忙，请稍后再试。")
        elif body["session"] is not None and body["session"] not in self.service.sessions:
            self._error(401, "会话已失效。")
        else:
            status, answer = self.service.receive(body)
            threading.Event().wait(self.service.delay_s)
            if self.service.lose_next:
                self.service.lose_next -= 1
                self.close_connection = True
                return
            self._json(status, answer)

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        session = parse_qs(address.query).get("session", [None])[0]
        if address.path.startswith("/api/") and session and session not in self.service.sessions:
            self._error(401, "会话已失效。")
        elif address.path == "/api/chat/stream":
            self._stream(session)
        elif address.path == "/api/chat/history":
            kept = self.service.sessions[session or ""]
            owner = self.service.owners.get(session or "", "bot")
            messages = [each.as_json() for each in kept] + self.service.unasked
            found = {"session": session, "owner": owner, "messages": messages}
            self._json(200, found | {"owner_name": self.service.owner_name})
        elif address.path.startswith("/api/appeals/"):
            self._json(200, TIMELINE)
        elif address.path == "/foreign":
            script = self.service.foreign_script
            page, policy = FOREIGN_PAGE % script, FOREIGN_POLICY.format(script.rpartition("/")[0])
            self._send(200, "text/html; charset=utf-8", page.encode(), policy)
        else:
            self._file(address.path)

    def _file(self, path: str) -> None:
        name = {"/": "index.html", "/widget.js": "widget.js"}.get(
            path, path.removeprefix("/static/")
        )
        file = STATIC / name
        if not file.is_file():
            self._error(404, "没有这个页面。")
            return
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._send(200, f"{kind}; charset=utf-8", file.read_bytes())

    def _stream(self, session: str | None) -> None:
        token = session or self.service.new_session()
        stream = self.service.listen(token)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            self.wfile.write(b": open\n\n")
            if session is None:
                self.wfile.write(
                    f"event: session\ndata: {json.dumps({'session': token})}\n\n".encode()
                )
            while True:
                try:
                    line = stream.get(timeout=1)
                except Empty:
                    line = ": still here\n\n"
                if line is None:
                    return
                self.wfile.write(line.encode())
        except ConnectionError:
            return


# A strict site: it admits our script and frame by name and no styles but its own.
FOREIGN_POLICY = "default-src 'none'; style-src 'nonce-own'; script-src {0}; frame-src {0}"
FOREIGN_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>园区网站</title>
<style nonce="own">button, iframe, div { all: unset; color: red !important; }</style></head>
<body><h1>某园区网站</h1><p><a href="#x" id="before">正文链接</a></p>
<script src="%s" defer data-title="企业咨询"></script></body></html>"""
