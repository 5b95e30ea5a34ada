"""Finds conversations by words of their messages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.conversations.models import Message
from service.text_search import TextIndex, folded, holds, one_of, words_of

INDEX = TextIndex("message_search")
_AT_ONCE = 400
_MOST_COMPARED = 4000
_COMPARED = select(Message.conversation_id, Message.text)


def add(db: Session, seq: int, said: str) -> None:
    """Makes a new message findable."""
    INDEX.add(db, seq, said)


def find(db: Session, wanted: str, limit: int) -> list[str]:
    """The conversations of the newest ``limit`` messages that hold all the words, each once, newest first.

    Nothing for fewer than two characters.
    """
    words = words_of(wanted)
    if len(folded(wanted).strip()) < 2 or not words:
        return []
    hits: list[str] = []
    for conversation_id in _holding(db, words):
        hits.append(conversation_id)
        if len(hits) == limit:
            break
    return list(dict.fromkeys(hits))


def _holding(db: Session, words: list[str]) -> Iterator[str]:
    """A conversation for each message that holds the words, newest message first."""
    compared = 0
    for numbers in INDEX.candidates(db, words, _AT_ONCE):
        is_candidate = one_of(db, "messages.seq", numbers)
        rows = db.execute(_COMPARED.where(is_candidate).order_by(Message.seq.desc()))
        for conversation_id, said in rows:
            if holds(said, words):
                yield conversation_id
        compared += len(numbers)
        if compared >= _MOST_COMPARED:
            return


def escaped(text: str) -> str:
    """The text as ``LIKE … ESCAPE '\\'`` takes it literally."""
    return re.sub(r"([\\%_])", r"\\\1", text)
