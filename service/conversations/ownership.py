"""Changes who answers a conversation: each change is one row and one visible line.

Every function works inside the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from actions.replies import Author, Reply, ReplyKind
from service.conversations.models import (
    MOVES,
    ChangeReason,
    Conversation,
    Owner,
    OwnerChange,
)
from service.conversations.turns import Delivery, end_unbegun, store_reply
from service.errors import Conflict, NotFound


class ConversationNotFound(NotFound):
    """No conversation of this id."""

    code = "conversation_not_found"


class OwnedByAnother(Conflict):
    """Somebody else has the conversation; the message names them."""

    code = "owned_by_another"


@dataclass(frozen=True)
class Held:
    """Who has a locked conversation. ``staff`` and ``name`` are set while a person does."""

    conversation_id: str
    owner: Owner
    version: int
    since: datetime | None
    staff: str | None
    name: str | None
    assigned_to: str | None
    group_id: str | None


@dataclass(frozen=True)
class Change:
    """A change of owner about to be made, with the words of its one line.

    ``by`` and ``to`` are (staff id, display name); ``message_id`` is the visitor's message that asked
    for it.
    """

    to_owner: Owner
    reason: ChangeReason
    line: str
    by: tuple[str, str] | None = None
    to: tuple[str, str] | None = None
    message_id: str | None = None
    reply: Reply | None = None
    assigned_to: str | None = None


def lock(db: Session, conversation_id: str) -> Held:
    """Locks the conversation's row until the transaction ends. ``ConversationNotFound``."""
    row = db.execute(
        select(
            Conversation.id,
            Conversation.owner,
            Conversation.owner_version,
            Conversation.owner_since,
            Conversation.owner_staff,
            Conversation.owner_name,
            Conversation.assigned_to,
            Conversation.group_id,
        )
        .where(Conversation.id == conversation_id)
        .with_for_update()
    ).first()
    if row is None:
        raise ConversationNotFound("没有找到这个会话。", "conversation_id")
    return Held(*row)


def change_owner(db: Session, held: Held, change: Change, now: datetime) -> Delivery:
    """Hands a locked conversation over; returns its visible line.

    The bot's memory ends here: when it comes back it starts clean. ``Conflict`` when the conversation
    cannot go from its owner to the new one.
    """
    if change.to_owner not in MOVES[held.owner]:
        raise Conflict(f"会话处于{held.owner}，不能变为{change.to_owner}。", "owner")
    line = change.reply or Reply(text=change.line)
    line = line.model_copy(
        update={"author": Author.SYSTEM, "kind": ReplyKind.HANDOFF, "text": change.line}
    )
    delivery = store_reply(db, held.conversation_id, line, now, change.message_id)
    to_staff, to_name = change.to or (None, None)
    db.execute(
        update(Conversation)
        .where(Conversation.id == held.conversation_id)
        .values(
            owner=change.to_owner,
            owner_version=held.version + 1,
            owner_since=now,
            owner_staff=to_staff,
            owner_name=to_name,
            assigned_to=change.assigned_to,
            state=None,
            updated_at=now,
            revision=Conversation.revision + 1,
        ),
        execution_options={"synchronize_session": False},
    )
    by, by_name = change.by or (None, None)
    db.add(
        OwnerChange(
            conversation_id=held.conversation_id,
            version=held.version + 1,
            from_owner=held.owner,
            to_owner=change.to_owner,
            reason=change.reason,
            by=by,
            by_name=by_name,
            to_staff=to_staff,
            to_name=to_name,
            message_id=change.message_id,
            line_id=line.id,
            held_s=None if held.since is None else int((now - held.since).total_seconds()),
            at=now,
        )
    )
    db.flush()
    if change.to_owner != Owner.BOT:
        end_unbegun(db, held.conversation_id, now)
    return delivery


def touch(db: Session, conversation_id: str, now: datetime) -> None:
    """Notes that a console shows something new of the conversation."""
    db.execute(
        update(Conversation)
        .where(Conversation.id == conversation_id)
        .values(updated_at=now, revision=Conversation.revision + 1),
        execution_options={"synchronize_session": False},
    )
