"""Proposes an answer to a staff member from the same catalogue the bot answers from, unsent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4

from rapidfuzz.distance import Levenshtein
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from actions.answering import citation_card
from actions.replies import CitationCard
from knowledge.answer import Answerer
from knowledge.outcome import Answer
from service.conversations.models import Message
from service.db import Database
from service.errors import NotFound
from service.handoff.models import Draft
from service.handoff.transcript import last_words
from service.staff.permissions import Staff

_QUESTIONS = 3


class DraftNotFound(NotFound):
    """No draft of this id in this conversation."""

    code = "draft_not_found"


@dataclass(frozen=True)
class Proposed:
    """A draft. ``text`` is empty when the catalogue has no answer; ``why`` (Chinese) says so, too."""

    id: str
    text: str
    citations: list[CitationCard]
    why: str


def propose(
    database: Database,
    conversation_id: str,
    staff: Staff,
    answerer: Answerer,
    as_of: date,
    now: datetime,
) -> Proposed | None:
    """A draft on what the visitor asked last; ``None`` when they said nothing yet.

    The newest question is answered; one that leans on those before it is read together with them.
    Nothing of it reaches the visitor. No transaction is open while the catalogue is searched.
    """
    with database.reading() as db:
        asked = last_words(db, conversation_id, _QUESTIONS)
        newest = db.scalar(
            select(Message.id)
            .where(Message.conversation_id == conversation_id, Message.is_button.is_(False))
            .order_by(Message.seq.desc())
            .limit(1)
        )
    if not asked or newest is None:
        return None
    question, answer = _answer(answerer, asked, as_of)
    proposed = _worded(question, answer)
    with database.session() as db:
        db.add(
            Draft(
                id=proposed.id,
                conversation_id=conversation_id,
                message_id=newest,
                staff_id=staff.id,
                policy_id=answer.policy_id,
                text=proposed.text,
                citations=[card.model_dump(mode="json") for card in proposed.citations],
                why=proposed.why,
                at=now,
            )
        )
    return proposed


def _answer(answerer: Answerer, asked: list[str], as_of: date) -> tuple[str, Answer]:
    """What was read as the question, and its answer."""
    last = asked[-1]
    answer = answerer.answer(last, as_of)
    for earlier in reversed(asked[:-1]):
        if not answer.refusal:
            break
        begun = answerer.answer(earlier, as_of)
        if not begun.refusal:
            together = answerer.answer(last, as_of, begun.discussion)
            return f"{earlier}；{last}", together if not together.refusal else answer
    return last, answer


def _worded(question: str, answer: Answer) -> Proposed:
    cards = [citation_card(each) for each in answer.citations]
    if answer.refusal:
        why = f"目录里没有能回答“{_short(question)}”的条款，请自行答复或登记诉求。"
        return Proposed(uuid4().hex, "", [], why)
    titles = "、".join(dict.fromkeys(card.title for card in cards))
    chance = round(answer.chance * 100)
    why = f"按“{_short(question)}”检索，依据：{titles}；把握约 {chance}%。"
    return Proposed(uuid4().hex, answer.text, cards, why)


def citations_of(db: Session, conversation_id: str, draft_id: str) -> list[CitationCard]:
    """The clauses a draft rests on. ``DraftNotFound``."""
    draft = db.get(Draft, draft_id)
    if draft is None or draft.conversation_id != conversation_id:
        raise DraftNotFound("没有找到这份草稿。", "draft_id")
    return [CitationCard.model_validate(each) for each in draft.citations]


def note_sent(db: Session, draft_id: str, reply_id: str, text: str) -> None:
    """Notes what a draft became, once: the number of characters changed before it was sent."""
    draft = db.get(Draft, draft_id)
    if draft is None or draft.sent_as is not None:
        return
    distance = Levenshtein.distance(draft.text, text)
    db.execute(
        update(Draft)
        .where(Draft.id == draft_id, Draft.sent_as.is_(None))
        .values(sent_as=reply_id, distance=distance, sent_chars=len(text))
    )


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
