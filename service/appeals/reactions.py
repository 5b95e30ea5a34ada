"""What a requester does with their appeal on its public page: says whether it is solved, rates, adds, withdraws."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.appeals import operations
from service.appeals.clock import Hours
from service.appeals.derived import derive
from service.appeals.models import AppealEvent, Rating
from service.appeals.operations import IllegalMove, locked
from service.appeals.projection import events_of
from service.errors import Forbidden, InvalidInput

FROM_PAGE = "page"
"""Begins the message id of what was said on the page and not in the conversation."""
MOST_CHARS = 2000


class Act(StrEnum):
    """What can be done on the page."""

    SOLVED = "solved"
    NOT_SOLVED = "not_solved"
    RATE = "rate"
    SUPPLEMENT = "supplement"
    WITHDRAW = "withdraw"


OF_SESSION = frozenset({Act.SUPPLEMENT, Act.WITHDRAW})
"""A number and four digits open the page; these change the appeal, so they need the conversation itself."""

Said = Annotated[str, StringConstraints(max_length=MOST_CHARS, strip_whitespace=True)]


class Reaction(BaseModel):
    """One act with its proof; ``client_id`` names it for ever, so that sending it again changes nothing."""

    model_config = ConfigDict(extra="forbid")

    act: Act
    client_id: str = Field(pattern=r"^[A-Za-z0-9_-]{8,32}$")
    text: Said = ""
    score: int | None = None
    session: str | None = Field(None, max_length=500)
    phone: str | None = Field(None, max_length=20)
    phone_last4: str | None = Field(None, max_length=4)


def react(
    db: Session, no: str, owner: str, said: Reaction, is_session: bool, now: datetime, hours: Hours
) -> None:
    """Does it on behalf of the session ``owner`` that filed the appeal, inside the caller's transaction.

    ``Forbidden`` for what only the conversation may do, ``IllegalMove`` where the appeal does not
    stand so, ``InvalidInput`` where words or score are missing.
    """
    if said.act in OF_SESSION and not is_session:
        raise Forbidden("补充和撤回请在提交诉求的对话里进行。", "act")
    appeal = locked(db, no)
    message_id = f"{FROM_PAGE}-{no}-{said.client_id}"
    if _is_done(db, appeal.id, message_id):
        return
    text = said.text.replace("\0", "").encode("utf-8", "ignore").decode("utf-8").strip()
    asked = derive(events_of(db, appeal))
    done: object = appeal
    match said.act:
        case Act.SOLVED:
            done = asked.asks_solved and operations.say_solved(
                db, owner, no, True, text, message_id, now, hours
            )
        case Act.NOT_SOLVED:
            if not text:
                raise InvalidInput("请写明没有解决的是什么。", "text")
            done = operations.say_solved(db, owner, no, False, text, message_id, now, hours)
        case Act.RATE:
            if said.score is None:
                raise InvalidInput("请选择满意度。", "score")
            if asked.asks_satisfied:
                operations.rate(db, owner, said.score, text, message_id, now, no=no)
            else:
                done = None
        case Act.SUPPLEMENT:
            if not text:
                raise InvalidInput("请写明要补充的内容。", "text")
            done = operations.supplement(db, owner, no, text, message_id, now)
        case Act.WITHDRAW:
            done = operations.withdraw(db, owner, no, message_id, now)
    if not done:
        raise IllegalMove("诉求的状态已经变化，请刷新后再看。", "act")


def _is_done(db: Session, appeal_id: int, message_id: str) -> bool:
    events = select(AppealEvent.id).where(
        AppealEvent.appeal_id == appeal_id, AppealEvent.message_id == message_id
    )
    rated = select(Rating.id).where(Rating.message_id == message_id)
    return any(db.scalars(query.limit(1)).first() is not None for query in (events, rated))
