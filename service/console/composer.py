"""What a commissioner writes with: message or note, canned replies, the bot's draft."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from nicegui import ui
from sqlalchemy.orm import Session

from actions.replies import Reply
from service.console import showing
from service.console.frame import told
from service.console.seat import Seat
from service.conversations.turns import Delivery
from service.db import utc_now
from service.handoff import draft, messages
from service.handoff.draft import Proposed
from service.staff import canned
from service.staff.models import CannedReply
from service.staff.permissions import Permission

_ANSWER = Permission.INBOX_ANSWER
_SHOWN_CANNED = 6


class Composer:
    """The lower end of the thread."""

    def __init__(
        self,
        seat: Seat,
        current: Callable[[], str | None],
        posted: Callable[[str, Delivery], None],
        grown: Callable[[], None],
    ) -> None:
        """``grown`` is called when the composer takes room from the thread above it."""
        self._seat, self._current, self._posted, self._grown = seat, current, posted, grown
        self._draft: Proposed | None = None
        self._inserted: str | None = None
        self._client_id = uuid4().hex
        self._build()

    def _build(self) -> None:
        with ui.element("div").classes("qc") as self._box:
            self._proposal = (
                ui.element("div").classes("qc-draft").props('role="region" aria-label="草稿"')
            )
            self._canned = ui.element("div").classes("qc-canned")
            self._text = (
                ui.textarea(placeholder="写给来访者；输入 / 调常用回复；Ctrl+回车发送")
                .props(
                    'outlined dense autogrow debounce=150 aria-label="回复内容" input-style="max-height: 30vh"'
                )
                .classes("qc-text")
            )
            self._text.on_value_change(told(self._typed))
            self._text.on("keydown.ctrl.enter", told(self._send))
            with ui.element("div").classes("qc-bar"):
                self._send_button = ui.button("发送", on_click=told(self._send)).props(
                    'unelevated dense no-caps padding="xs md"'
                )
                self._draft_button = ui.button(
                    "小福草稿", icon="auto_awesome", on_click=told(self.draft_or_insert)
                ).props(
                    'flat dense no-caps title="按来访者的问题查目录拟答（Alt+D；再按一次插入）"'
                )
                self._note_button = ui.button(
                    "存为备注", icon="sticky_note_2", on_click=told(self._note)
                ).props('flat dense no-caps title="只有同事看得到"')
        self._proposal.set_visibility(False)
        self._canned.set_visibility(False)

    def offer(self, may_send: bool, may_note: bool) -> None:
        """Shows what can be done with the conversation that is open now."""
        self._box.set_visibility(may_note)
        self._send_button.set_visibility(may_send)
        self._draft_button.set_visibility(may_note)

    def forget(self) -> None:
        """Another conversation was opened: what was begun for the last one is put away."""
        self._text.set_value("")
        self._drop_draft()

    async def draft_or_insert(self) -> None:
        """The first press asks for a draft, the second puts it into the field."""
        if self._draft is not None and self._draft.text:
            self._insert()
            return
        conversation_id = self._current()
        if conversation_id is None:
            return
        parts = self._seat.parts
        self._draft = await self._seat.alone(
            _ANSWER,
            draft.propose,
            conversation_id,
            self._seat.staff,
            parts.live.now,
            parts.settings.today(),
            utc_now(),
        )
        self._show_draft()

    def _show_draft(self) -> None:
        self._proposal.clear()
        self._proposal.set_visibility(True)
        self._grown()
        with self._proposal:
            if self._draft is None:
                ui.label("来访者还没有提问，没有可以拟的答复。")
                return
            ui.html(showing.html_of("draft.html", draft=self._draft), sanitize=False).classes(
                "qc-shown"
            )
            with ui.element("div").classes("qc-bar"):
                if self._draft.text:
                    ui.button("插入（Alt+D）", on_click=self._insert).props(
                        'unelevated dense no-caps padding="xs md"'
                    )
                ui.button("不用", on_click=self._drop_draft).props("flat dense no-caps")

    def _insert(self) -> None:
        if self._draft is None:
            return
        before = (self._text.value or "").rstrip()
        self._text.set_value(f"{before}\n{self._draft.text}".strip())
        self._inserted = self._draft.id
        self._proposal.set_visibility(False)
        self._draft = None
        self._text.run_method("focus")

    def _drop_draft(self) -> None:
        self._draft, self._inserted = None, None
        self._proposal.set_visibility(False)

    async def _typed(self) -> None:
        text = (self._text.value or "").strip()
        is_wanted = text.startswith("/") and "\n" not in text and len(text) <= 33
        self._canned.set_visibility(is_wanted)
        if not is_wanted:
            return
        found = await self._seat.read(_ANSWER, canned.canned_replies, text)
        self._canned.clear()
        with self._canned:
            for row in found[:_SHOWN_CANNED]:
                self._canned_button(row)
            if not found:
                ui.label("没有这样的常用回复；可在“设置”里添加。").classes("qf-muted")

    def _canned_button(self, row: CannedReply) -> None:
        def put() -> None:
            self._text.set_value(row.text)
            self._canned.set_visibility(False)
            self._text.run_method("focus")

        button = ui.button(f"/{row.shortcut} {row.title}", on_click=put)
        button.props("outline dense no-caps").classes("qc-chip")

    async def _send(self) -> None:
        conversation_id = self._current()
        if conversation_id is None or not (self._text.value or "").strip():
            return
        sent = await self._seat.change(
            _ANSWER,
            _sent,
            conversation_id,
            self._seat,
            self._text.value or "",
            self._client_id,
            self._inserted,
        )
        self._posted(conversation_id, sent)
        self._done()

    async def _note(self) -> None:
        conversation_id = self._current()
        if conversation_id is None or not (self._text.value or "").strip():
            return
        await self._seat.change(
            _ANSWER,
            messages.add_note,
            conversation_id,
            self._seat.staff,
            self._text.value or "",
            self._client_id,
            utc_now(),
        )
        self._done()

    def _done(self) -> None:
        # Only what was stored gets a new name: pressing twice while it is under way sends once.
        self._client_id = uuid4().hex
        self._text.set_value("")
        self._drop_draft()
        self._text.run_method("focus")
        self._grown()


def _sent(
    db: Session, conversation_id: str, seat: Seat, text: str, client_id: str, draft_id: str | None
) -> Delivery:
    cited = draft.citations_of(db, conversation_id, draft_id) if draft_id else ()
    sent = messages.send(db, conversation_id, seat.staff, text, client_id, utc_now(), cited)
    if draft_id and sent.is_new:
        reply = Reply.model_validate(sent.delivery.body)
        draft.note_sent(db, draft_id, reply.id, reply.text)
    return sent.delivery
