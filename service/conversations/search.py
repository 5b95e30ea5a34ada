"""Finds messages by words in them, on both databases, through an index of character pairs.

SQLite keeps the index in a full-text table, PostgreSQL in a ``tsvector``; neither is asked to know
Chinese words. What they find is compared with the text itself, so a hit always holds what was asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

TABLE = "message_search"
_RUNS = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")
_ASCII = re.compile(r"[a-z0-9]+")
_MAX_GRAM_CHARS = 40
_MAX_GRAMS = 4000
_ADD = {
    "sqlite": text(f"INSERT INTO {TABLE} (rowid, grams) VALUES (:seq, :grams)"),
    "postgresql": text(
        f"INSERT INTO {TABLE} (seq, grams) VALUES"
        " (:seq, array_to_tsvector(string_to_array(:grams, ' ')))"
    ),
}
_CLEAR = {
    "sqlite": text(f"INSERT INTO {TABLE} ({TABLE}) VALUES ('delete-all')"),
    "postgresql": text(f"DELETE FROM {TABLE}"),
}
_FIND: dict[str, TextClause] = {
    "sqlite": text(
        f"SELECT m.seq, m.conversation_id FROM {TABLE} s JOIN messages m ON m.seq = s.rowid"
        f" WHERE {TABLE} MATCH :match AND lower(m.text) LIKE :pattern ESCAPE '\\'"
        " ORDER BY s.rowid DESC LIMIT :limit"
    ),
    "postgresql": text(
        f"SELECT m.seq, m.conversation_id FROM {TABLE} s JOIN messages m ON m.seq = s.seq"
        " WHERE s.grams @@ CAST(:match AS tsquery) AND lower(m.text) LIKE :pattern ESCAPE '\\'"
        " ORDER BY s.seq DESC LIMIT :limit"
    ),
}


def add(db: Session, seq: int, said: str) -> None:
    """Makes a new message findable."""
    if grams := grams_of(said):
        db.execute(_ADD[db.get_bind().dialect.name], {"seq": seq, "grams": " ".join(grams)})


def clear(db: Session) -> None:
    """Forgets every message."""
    db.execute(_CLEAR[db.get_bind().dialect.name])


def find(db: Session, wanted: str, limit: int) -> list[str]:
    """The conversations of the newest ``limit`` messages that hold the words, each once, newest first.

    Nothing for fewer than two characters.
    """
    wanted = _folded(wanted.strip())
    grams = grams_of(wanted)
    if len(wanted) < 2 or not grams:
        return []
    dialect = db.get_bind().dialect.name
    pattern = escaped(wanted)
    found = db.execute(
        _FIND[dialect],
        {"match": _query(grams, dialect), "pattern": f"%{pattern}%", "limit": limit},
    )
    return list(dict.fromkeys(row.conversation_id for row in found))


def escaped(text: str) -> str:
    """The text as ``LIKE … ESCAPE '\\'`` takes it literally."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def grams_of(said: str) -> list[str]:
    """The pairs of neighbouring characters of each run; a Latin word or number stays whole."""
    grams: dict[str, None] = {}
    for run in _RUNS.findall(_folded(said)):
        for part in _split(run):
            grams[part] = None
        if len(grams) >= _MAX_GRAMS:
            break
    return list(grams)[:_MAX_GRAMS]


def _split(run: str) -> Iterable[str]:
    if _ASCII.fullmatch(run):
        return [run[:_MAX_GRAM_CHARS]]
    if len(run) == 1:
        return [run]
    return (run[start : start + 2] for start in range(len(run) - 1))


def _folded(said: str) -> str:
    return unicodedata.normalize("NFKC", said).lower()


def _query(grams: list[str], dialect: str) -> str:
    # Grams hold letters and digits only: no quotes, no operators. What stands alone or comes last may
    # be the beginning of more (a word typed in part); all else is looked up whole, which is quicker.
    sqlite = dialect == "sqlite"
    terms = []
    for number, gram in enumerate(grams):
        is_open = len(gram) == 1 or (
            number == len(grams) - 1 and _ASCII.fullmatch(gram) is not None
        )
        if sqlite:
            terms.append(f'"{gram}"*' if is_open else f'"{gram}"')
        else:
            terms.append(f"'{gram}':*" if is_open else f"'{gram}'")
    return (" AND " if sqlite else " & ").join(terms)
