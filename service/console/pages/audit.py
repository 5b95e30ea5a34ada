"""The audit log: who did and looked at what."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

from nicegui import ui

from service.console.frame import empty, told
from service.console.registry import console_page
from service.console.seat import Seat
from service.staff.audit import AuditFilter, entries
from service.staff.models import AuditEntry
from service.staff.permissions import Permission

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_PAGE = 50
ACTIONS = {
    "signed_in": "登录",
    "signed_out": "退出",
    "sign_in_refused": "登录被拒",
    "account_locked": "账号锁定",
    "account_created": "新增账号",
    "account_opened": "启用账号",
    "account_closed": "停用账号",
    "password_changed": "改密码",
    "setting_changed": "改设置",
    "canned_reply_kept": "保存常用回复",
    "canned_reply_deleted": "删除常用回复",
    "enterprise_opened": "查看企业",
    "speaker_bound": "绑定企业代表",
    "speaker_unbound": "解除企业代表",
    "conversation_opened": "查看会话",
    "appeal_opened": "查看诉求",
    "appeal_phone_shown": "查看诉求人电话",
}

SUBJECTS = {
    "account": "账号",
    "setting": "设置",
    "canned_reply": "常用回复",
    "enterprise": "企业",
    "conversation": "会话",
    "appeal": "诉求",
}


@console_page("/audit", Permission.AUDIT_READ, "审计", icon="verified_user", order=95)
async def build(seat: Seat) -> None:
    await _Log(seat).show()


class _Log:
    """A page of entries after another, newest first."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._before: int | None = None

    async def show(self) -> None:
        with ui.element("div").classes("qf-bar"):
            ui.html('<h1 class="qf-title">审计日志</h1>', sanitize=False)
            self._who = ui.input("用户名").props("outlined dense clearable debounce=300")
            self._what = ui.select(ACTIONS, label="操作", clearable=True, with_input=True).props(
                "outlined dense"
            )
        self._who.on_value_change(self._anew)
        self._what.on_value_change(self._anew)
        self._list = ui.element("div").classes("qf-panel").props('aria-live="polite"')
        self._more = ui.button("更早的", on_click=told(self._add)).props("flat")
        await self._anew()

    async def _anew(self) -> None:
        self._before = None
        self._list.clear()
        await self._add()

    async def _add(self) -> None:
        wanted = AuditFilter(
            staff_id=(self._who.value or "").strip() or None,
            action=self._what.value or None,
            before=self._before,
        )
        rows = await self._seat.read(Permission.AUDIT_READ, entries, wanted, _PAGE)
        with self._list:
            if not rows and self._before is None:
                empty("没有符合的记录")
            for row in rows:
                _line(row)
        self._more.set_visibility(len(rows) == _PAGE)
        self._before = rows[-1].id if rows else self._before


def _line(row: AuditEntry) -> None:
    with ui.element("div").classes("qf-line"):
        ui.label(f"{row.at.astimezone(_SHANGHAI):%Y-%m-%d %H:%M:%S}").classes("qf-muted qf-mono")
        ui.label(row.staff_id or "（未登录）").classes("qf-strong")
        ui.label(ACTIONS.get(row.action, row.action)).classes("qf-tag")
        ui.label(f"{SUBJECTS.get(row.subject_kind, row.subject_kind)} {row.subject_id}")
        if row.purpose:
            ui.label(f"用途：{row.purpose}").classes("qf-muted")
        if row.detail:
            ui.label(json.dumps(row.detail, ensure_ascii=False)).classes("qf-muted qf-cut")
