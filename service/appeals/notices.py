"""Tells the requester what happened to their appeal: one line for each change that concerns them."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.orm import Session

from actions.appeal import appeal_card, chinese_time
from actions.desk import Appeal as ToldAppeal
from actions.replies import Author, Button, Reply, ReplyKind
from service.appeals.clock import SHANGHAI
from service.appeals.departments import directory
from service.appeals.models import REQUESTER, SYSTEM, Appeal, AppealEvent, AppealState, EventKind
from service.appeals.reactions import FROM_PAGE
from service.appeals.reasons import NOT_ACCEPTED, PAUSES, Category, PauseReason
from service.db import Database

Notify = Callable[[Session, str, Reply], object]
"""Posts a line to a session within the transaction given."""


def tell_requesters(database: Database, notify: Notify) -> Callable[[], None]:
    """Posts a notice for each event stored from now on, in the transaction that stores it.

    Whoever handles the appeal, at whatever page or by the clock: the line and the change are
    committed together or not at all. What is called ends it.
    """

    def remember(db: Session, _context: object) -> None:
        if db.get_bind() is database.engine:
            fresh = [row for row in db.new if isinstance(row, AppealEvent)]
            if fresh:
                db.info.setdefault("appeal_events", []).extend(fresh)

    def post(db: Session) -> None:
        if db.get_bind() is not database.engine:
            return
        db.flush()
        for row in db.info.pop("appeal_events", ()):
            appeal = db.get_one(Appeal, row.appeal_id)
            reply = notice_of(appeal, row)
            if reply is not None:
                notify(db, appeal.session, reply)

    def forget(db: Session) -> None:
        db.info.pop("appeal_events", None)

    hooks = (("after_flush", remember), ("before_commit", post), ("after_rollback", forget))
    for name, hook in hooks:
        event.listen(Session, name, hook)

    def stop() -> None:
        for name, hook in hooks:
            event.remove(Session, name, hook)

    return stop


def notice_of(appeal: Appeal, row: AppealEvent) -> Reply | None:
    """The line for one event; ``None`` where it is not the requester's concern, or they said it in the conversation."""
    if row.actor == REQUESTER:
        text = _own(appeal, row) if (row.message_id or "").startswith(f"{FROM_PAGE}-") else None
    else:
        text = _moved(appeal, row) if row.kind is EventKind.MOVED else _noted(appeal, row)
    if text is None:
        return None
    return Reply(
        author=Author.SYSTEM,
        kind=ReplyKind.APPEAL,
        text=f"诉求 {appeal.no}：{text}",
        appeal=appeal_card(told(appeal)),
        buttons=_buttons(appeal, row),
    )


def solved_buttons(no: str) -> list[Button]:
    """The first of the two questions."""
    return [
        Button(title="已解决", payload=f'/appeal_solved{{"appeal_no": "{no}"}}'),
        Button(title="没解决", payload=f'/not_solved{{"appeal_no": "{no}"}}'),
    ]


def told(appeal: Appeal) -> ToldAppeal:
    """The appeal as the dialogue knows it."""
    return ToldAppeal(
        no=appeal.no,
        state=str(appeal.state),
        department=directory().shown(appeal.department),
        due_at=appeal.due_at.astimezone(SHANGHAI),
        matter=appeal.matter,
    )


def _moved(appeal: Appeal, row: AppealEvent) -> str | None:
    detail, note = row.detail or {}, row.note or ""
    department, due = appeal.department, chinese_time(appeal.due_at)
    match row.to_state:
        case AppealState.DISPATCHED if row.actor != SYSTEM:
            decided = "经企服中心研究，" if detail.get("arbitrated") else ""
            co = f"，{'、'.join(detail['co'])}协办" if detail.get("co") else ""
            return f"{decided}已转由{department}办理{co}，{due}前答复您。"
        case AppealState.ACCEPTED:
            return f"{department}已受理，{due}前答复您。"
        case AppealState.ANSWERED:
            return f"{department}答复：{note}\n这件事解决了吗？"
        case AppealState.EXPLAINED:
            return f"{department}说明：{note}（依据：{detail.get('basis', '')}）\n这件事解决了吗？"
        case AppealState.RETURNED:
            return "承办部门认为不属于其职责，企服中心正在重新分派，答复期限不变。"
        case AppealState.ESCALATED:
            return f"事项较复杂，已由{department}牵头提请{detail.get('leader', '区领导')}协调。"
        case AppealState.CLOSED if detail.get("on_spot"):
            return f"已即时办理：{note}\n这件事解决了吗？"
        case AppealState.CLOSED if detail.get("automatic"):
            return (
                "答复后一直没有收到您的反馈，已自动办结。如果没有解决，随时说“没解决”可重新办理。"
            )
        case AppealState.CLOSED:
            return "已办结。如果没有解决，随时说“没解决”可重新办理。"
        case AppealState.REOPENED:
            return f"已重新办理，{due}前再次答复您。"
        case AppealState.REFUSED:
            why = NOT_ACCEPTED[Category(detail["category"])].text
            return f"不予受理：{why}（{note}）。{detail['where']}。"
    return None


def _own(appeal: Appeal, row: AppealEvent) -> str | None:
    """What the requester did on the public page, told where they filed it."""
    match row.to_state, row.kind:
        case AppealState.CLOSED, _:
            return "您在进度页确认已解决，已办结。"
        case AppealState.REOPENED, _:
            due = chinese_time(appeal.due_at)
            return f"您在进度页反映没有解决（{row.note}），已重新办理，{due}前再次答复您。"
        case AppealState.WITHDRAWN, _:
            return "您已在进度页撤回，不再办理。"
        case _, EventKind.SUPPLEMENTED:
            return f"您在进度页补充了说明：{row.note}"
        case _, EventKind.RATED:
            score = (row.detail or {}).get("satisfied")
            return f"收到您的评价：{score} 分，谢谢。"
    return None


def _noted(appeal: Appeal, row: AppealEvent) -> str | None:
    detail, note = row.detail or {}, f"（{row.note}）" if row.note else ""
    due = chinese_time(appeal.due_at)
    match row.kind:
        case EventKind.REDIRECTED:
            co = f"，{'、'.join(detail['co'])}协办" if detail.get("co") else ""
            return f"已转由{appeal.department}办理{co}，{due}前答复您。"
        case EventKind.COMMON:
            return f"多家企业反映了同类问题，已由{appeal.department}牵头研究，答复期限不变。"
        case EventKind.PAUSED:
            pause = PAUSES[PauseReason(detail["reason"])]
            add = "补充后自动继续。" if pause.ends_on_supplement else ""
            return f"计时已暂停：{pause.text}{note}。{add}"
        case EventKind.RESUMED:
            return f"计时已恢复，{due}前答复您。"
        case EventKind.EXTENDED:
            return f"经企服中心批准延期{detail['days']}个工作日{note}，{due}前答复您。"
    return None


def _buttons(appeal: Appeal, row: AppealEvent) -> list[Button]:
    if row.actor == REQUESTER:
        return []
    detail = row.detail or {}
    if row.to_state in (AppealState.ANSWERED, AppealState.EXPLAINED) or detail.get("on_spot"):
        return solved_buttons(appeal.no)
    if row.to_state is AppealState.CLOSED:
        return solved_buttons(appeal.no)[1:]
    if row.kind is EventKind.PAUSED and PAUSES[PauseReason(detail["reason"])].ends_on_supplement:
        payload = f'/supplement_appeal{{"appeal_no": "{appeal.no}"}}'
        return [Button(title="补充", payload=payload)]
    return []
