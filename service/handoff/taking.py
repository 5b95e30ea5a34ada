"""Lets staff take a conversation, pass it on, give it back to the bot or end it.

Every function works inside the caller's transaction; whoever loses a race gets ``OwnedByAnother``
with the name of who has it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from service.conversations.models import ChangeReason, Owner
from service.conversations.ownership import Change, Held, OwnedByAnother, change_owner, lock
from service.conversations.turns import Delivery
from service.errors import Conflict
from service.staff.permissions import Role, Staff


def claim(db: Session, conversation_id: str, staff: Staff, now: datetime) -> Delivery | None:
    """Takes the conversation from the queue, from the bot, or after its end.

    Returns the visible line, ``None`` when they have it already.
    """
    held = lock(db, conversation_id)
    if held.owner == Owner.PERSON:
        if held.staff == staff.id:
            return None
        raise _taken(held)
    line = f"服务专员{staff.name}已接入，接下来由专员为您解答。"
    return change_owner(db, held, _by(staff, Owner.PERSON, ChangeReason.CLAIMED, line, staff), now)


def transfer(db: Session, conversation_id: str, staff: Staff, to: Staff, now: datetime) -> Delivery:
    """Passes the conversation on to a colleague."""
    held = _held_by(db, conversation_id, staff)
    if held.staff == to.id:
        raise Conflict(f"会话已经由{to.name}负责，不用再转。", "to")
    line = f"已转由服务专员{to.name}继续为您服务。"
    return change_owner(db, held, _by(staff, Owner.PERSON, ChangeReason.TRANSFERRED, line, to), now)


def release(db: Session, conversation_id: str, staff: Staff, now: datetime) -> Delivery:
    """Gives the conversation back to the bot, which starts clean."""
    held = _held_by(db, conversation_id, staff)
    line = f"服务专员{held.name}已结束本次服务，小福回来了：接下来由机器人为您解答，需要时请再说“转人工”。"
    return change_owner(db, held, _by(staff, Owner.BOT, ChangeReason.RELEASED, line), now)


def close(db: Session, conversation_id: str, staff: Staff, now: datetime) -> Delivery:
    """Ends the conversation; the visitor's next message begins a new one with the bot."""
    held = lock(db, conversation_id)
    if held.owner == Owner.PERSON:
        _check_holder(held, staff)
    line = "本次服务已结束，感谢您的咨询。还有问题时直接发送即可，机器人小福会先为您解答。"
    return change_owner(db, held, _by(staff, Owner.CLOSED, ChangeReason.CLOSED, line), now)


def _by(
    staff: Staff, owner: Owner, reason: ChangeReason, line: str, to: Staff | None = None
) -> Change:
    whom = (to.id, to.name) if to else None
    return Change(owner, reason, line, by=(staff.id, staff.name), to=whom)


def _held_by(db: Session, conversation_id: str, staff: Staff) -> Held:
    held = lock(db, conversation_id)
    if held.owner != Owner.PERSON:
        raise Conflict("这个会话现在没有专员负责，请先接入。", "owner")
    _check_holder(held, staff)
    return held


def _check_holder(held: Held, staff: Staff) -> None:
    """Only who has it; the centre may also free what somebody left lying."""
    if held.staff != staff.id and staff.role is not Role.CENTRE:
        raise _taken(held)


def _taken(held: Held) -> OwnedByAnother:
    return OwnedByAnother(f"{held.name}正在服务这个会话。", "owner")
