"""Says what a visitor's new message does to who answers: it reopens what was closed, or ends a wait."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy.orm import Session

from service.conversations.models import ChangeReason, Owner
from service.conversations.ownership import Change, change_owner, lock
from service.conversations.turns import Delivery

CANCEL_PAYLOAD = "/cancel_person"
_CANCELS = re.compile(
    r"(?:算了[，,。\s]{0,3})?我?(?:先|就|还是)?(?:取消|不用|不要|不需要|不转|不等|不找|别转|别等)"
    r"(?:转|等|找|接|了)?(?:人工|排队|专员|客服)(?:客服|服务|排队)?(?:了|吧|啦){0,2}"
    r"|不等了|不排队?了|不排了|(?:还是)?(?:让|叫|请)?(?:小福|机器人)(?:来|继续)?(?:回答|答|聊)(?:吧|就行|就好)?"
)
_CLOSING_MARKS = "。！!.~～ 谢"
_MAX_CANCEL_CHARS = 30


def cancels(text: str) -> bool:
    """Whether somebody who waits for a person says that they need none any more."""
    if text == CANCEL_PAYLOAD:
        return True
    short = text[: _MAX_CANCEL_CHARS + 1].strip(_CLOSING_MARKS)
    return len(text) <= _MAX_CANCEL_CHARS and _CANCELS.fullmatch(short) is not None


def reopens(db: Session, conversation_id: str, message_id: str, now: datetime) -> Delivery:
    """A visitor writes again after the end: the bot answers, from a clean start."""
    line = "已为您开始新的咨询，由机器人小福回答；需要时请说“转人工”。"
    change = Change(Owner.BOT, ChangeReason.REOPENED, line)
    return change_owner(db, lock(db, conversation_id), change, now)


def ends_wait(db: Session, conversation_id: str, message_id: str, now: datetime) -> Delivery:
    """A visitor waits no longer: the bot is back; the line is the answer to the message."""
    line = "已为您取消排队，机器人小福继续为您服务；需要时可以再说“转人工”。"
    change = Change(Owner.BOT, ChangeReason.CANCELLED, line, message_id=message_id)
    return change_owner(db, lock(db, conversation_id), change, now)
