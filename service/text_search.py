"""Finds stored texts by words in them, newest first, through an index of pairs of characters.

SQLite keeps the index in a full-text table, PostgreSQL in ``tsvector`` rows; neither is asked to know
Chinese words. Pairs only find candidates: who asks compares them with the text (``holds``), so that a
hit always holds what was asked.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    TextClause,
    bindparam,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.orm import Session

MAX_WORDS = 5
_MAX_WANTED_CHARS = 200
_RUNS = re.compile(r"[^\W_]+")
_PARTS = re.compile(r"[a-z0-9]+|[^a-z0-9]+")
_BETWEEN_WORDS = re.compile(r"[\s,;、。!?]+")
_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_MAX_GRAM_CHARS = 40
_MAX_GRAMS = 4000
_MOST_LOOKED_UP = 8
_AT_ONCE = 1000
# PostgreSQL's index gives all hits or none. So each row also carries the number of its block of rows,
# and blocks are asked from the newest on, four times as many each time: a frequent word is found in
# the first ones, a rare one has few hits anyway.
_BLOCK_BITS = 14
_WIDENING = 4
_MOST_BLOCKS = 64

Span = tuple[Sequence[int], int, int]
"""Blocks (none: whichever), the lowest number, the number below which."""
_WHOLE: tuple[Span, ...] = (((), 0, 1 << 62),)


def folded(said: str) -> str:
    """The text as it is compared: half width, without case."""
    return unicodedata.normalize("NFKC", said).casefold()


def words_of(wanted: str) -> list[str]:
    """The words somebody looks for, folded, each once; blanks and commas stand between them.

    Those without a letter or digit are left out.
    """
    parts = _BETWEEN_WORDS.split(folded(wanted[:_MAX_WANTED_CHARS]))
    return list(dict.fromkeys(part for part in parts if _RUNS.search(part)))[:MAX_WORDS]


def holds(said: str, words: Sequence[str]) -> bool:
    """Whether every word occurs in the text."""
    text = folded(said)
    return all(word in text for word in words)


def grams_of(said: str) -> list[str]:
    """What a text is found by: pairs of neighbours, whole Latin words and numbers, and last characters.

    The last character of a run alone makes ``一*`` find every run with 一 in it.
    """
    grams: dict[str, None] = {}
    for run in _RUNS.findall(folded(said)):
        before = ""
        for part in _PARTS.findall(run):
            if before:
                grams[before + part[0]] = None
            if part[0] in _LATIN:
                grams[part[:_MAX_GRAM_CHARS]] = None
            else:
                for start in range(len(part) - 1):
                    grams[part[start : start + 2]] = None
            before = part[-1]
        if before not in _LATIN:
            grams[before] = None
        if len(grams) >= _MAX_GRAMS:
            break
    return list(grams)[:_MAX_GRAMS]


@dataclass(frozen=True)
class Gram:
    """Something to look up; ``is_open`` when it may be the beginning of more (a word typed in part)."""

    text: str
    is_open: bool


def looked_up(words: Sequence[str]) -> list[Gram]:
    """What to look up for texts that hold all the words; empty when nothing can be."""
    found: dict[str, Gram] = {}
    for word in words:
        runs = _RUNS.findall(word)
        for number, run in enumerate(runs):
            is_last = number == len(runs) - 1 and word.endswith(run)
            for gram in _looked_up_of(run, is_last):
                found[gram.text] = gram
    whole = [gram for gram in found.values() if not gram.is_open]
    opened = [gram for gram in found.values() if gram.is_open]
    if whole:  # a beginning of one character stands for very many: the text will tell
        opened = [gram for gram in opened if len(gram.text) > 1]
    step = max(1, -(-len(whole) // _MOST_LOOKED_UP))
    return [*whole[::step], *opened]


def _looked_up_of(run: str, is_last: bool) -> Iterator[Gram]:
    parts = _PARTS.findall(run)
    if len(run) == 1 and run not in _LATIN:
        yield Gram(run, is_open=True)
        return
    before = ""
    for number, part in enumerate(parts):
        if before:
            yield Gram(before + part[0], is_open=False)
        if part[0] in _LATIN:
            is_cut = len(part) > _MAX_GRAM_CHARS
            ends = number == len(parts) - 1 and is_last
            yield Gram(part[:_MAX_GRAM_CHARS], is_open=ends and not is_cut)
        else:
            for start in range(len(part) - 1):
                yield Gram(part[start : start + 2], is_open=False)
        before = part[-1]


def one_of(db: Session, column: str, numbers: Sequence[int]) -> ColumnElement[bool]:
    """That a column (``table.name``) is one of very many numbers, as one parameter."""
    if db.get_bind().dialect.name == "postgresql":
        return literal_column(column).op("=")(
            func.any(bindparam(None, list(numbers), ARRAY(BigInteger)))
        )
    listed = func.json_each(json.dumps(numbers)).table_valued("value")
    return literal_column(column).in_(select(listed.c.value))


@dataclass(frozen=True)
class TextIndex:
    """The index of one table's texts, by the numbers its rows have there; numbers grow with time."""

    table: str

    def create(self, connection: Connection) -> None:
        """Makes the empty index; of a migration."""
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(
                f"CREATE VIRTUAL TABLE {self.table} USING fts5(grams, content='', detail=none,"
                ' tokenize="unicode61 remove_diacritics 0")'
            )
            return
        connection.exec_driver_sql(
            f"CREATE TABLE {self.table} (id BIGINT PRIMARY KEY, grams TSVECTOR NOT NULL)"
        )
        connection.exec_driver_sql(self.gin())

    def gin(self) -> str:
        """The statement that makes PostgreSQL's index.

        New rows go straight into it: a list of what is pending would be read by every search.
        """
        return (
            f"CREATE INDEX ix_{self.table}_grams ON {self.table} USING gin (grams)"
            " WITH (fastupdate = off)"
        )

    def stored(self, number: int, grams: Sequence[str]) -> list[str]:
        """The grams of one text as PostgreSQL keeps them."""
        return [*grams, _block(number >> _BLOCK_BITS)]

    def fill(self, connection: Connection, rows: Iterable[tuple[int, str]]) -> None:
        """Adds many texts."""
        values = [
            self._values(connection.dialect.name, number, grams)
            for number, said in rows
            if (grams := grams_of(said))
        ]
        if values:
            connection.execute(self._insert(connection.dialect.name), values)

    def add(self, db: Session, number: int, said: str) -> None:
        """Makes a new text findable."""
        dialect = db.get_bind().dialect.name
        if grams := grams_of(said):
            db.execute(self._insert(dialect), self._values(dialect, number, grams))

    def clear(self, db: Session) -> None:
        """Forgets every text."""
        if db.get_bind().dialect.name == "sqlite":
            db.execute(text(f"INSERT INTO {self.table} ({self.table}) VALUES ('delete-all')"))
        else:
            db.execute(text(f"DELETE FROM {self.table}"))

    def candidates(
        self, db: Session, words: Sequence[str], at_once: int = _AT_ONCE
    ) -> Iterator[list[int]]:
        """The numbers of texts that may hold all the words, newest first, some at a time.

        None where the words have nothing that can be looked up.
        """
        grams = looked_up(words)
        if not grams:
            return
        is_sqlite = db.get_bind().dialect.name == "sqlite"
        # SQLite reads its list of hits backwards and stops; who wants very many gets them in one go.
        is_whole = is_sqlite or at_once >= 1 << _BLOCK_BITS
        for blocks, lowest, below in _WHOLE if is_whole else self._spans(db):
            match = _sqlite_match(grams) if is_sqlite else _postgresql_match(grams, blocks)
            while True:
                asked = {"match": match, "lowest": lowest, "below": below, "limit": at_once}
                query = self._find_sqlite() if is_sqlite else self._find_postgresql()
                numbers = [row[0] for row in db.execute(query, asked)]
                if numbers:
                    yield numbers
                if len(numbers) < at_once:
                    break
                below = numbers[-1]

    def newest(self, db: Session, words: Sequence[str], most: int) -> list[int]:
        """At most so many of the candidates, the newest."""
        return list(islice(chain.from_iterable(self.candidates(db, words, most)), most))

    def _spans(self, db: Session) -> Iterator[Span]:
        newest = db.execute(text(f"SELECT max(id) FROM {self.table}")).scalar() or 0
        last, count = int(newest) >> _BLOCK_BITS, 1
        while last >= 0:
            if count > _MOST_BLOCKS or count > last:
                yield (), 0, (last + 1) << _BLOCK_BITS
                return
            first = last - count + 1
            yield range(first, last + 1), first << _BLOCK_BITS, (last + 1) << _BLOCK_BITS
            last, count = first - 1, count * _WIDENING

    def _find_sqlite(self) -> TextClause:
        return text(
            f"SELECT rowid FROM {self.table} WHERE {self.table} MATCH :match"
            " AND rowid >= :lowest AND rowid < :below ORDER BY rowid DESC LIMIT :limit"
        )

    def _find_postgresql(self) -> TextClause:
        # All hits first: told of the order and the limit, the planner reads rows one by one instead.
        return text(
            f"WITH hits AS MATERIALIZED (SELECT id FROM {self.table}"
            " WHERE grams @@ CAST(:match AS tsquery))"
            " SELECT id FROM hits WHERE id >= :lowest AND id < :below ORDER BY id DESC LIMIT :limit"
        )

    def _insert(self, dialect: str) -> TextClause:
        if dialect == "sqlite":
            return text(f"INSERT INTO {self.table} (rowid, grams) VALUES (:number, :grams)")
        return text(
            f"INSERT INTO {self.table} (id, grams) VALUES"
            " (:number, array_to_tsvector(string_to_array(:grams, ' ')))"
        )

    def _values(self, dialect: str, number: int, grams: list[str]) -> dict[str, object]:
        told = grams if dialect == "sqlite" else self.stored(number, grams)
        return {"number": number, "grams": " ".join(told)}


def _block(number: int) -> str:
    return f"#{number}"


# Grams hold letters and digits only: no quotes, no operators.
def _sqlite_match(grams: Sequence[Gram]) -> str:
    return " AND ".join(f'"{gram.text}"*' if gram.is_open else f'"{gram.text}"' for gram in grams)


def _postgresql_match(grams: Sequence[Gram], blocks: Sequence[int]) -> str:
    terms = [f"'{gram.text}':*" if gram.is_open else f"'{gram.text}'" for gram in grams]
    if blocks:
        terms.append("(" + " | ".join(f"'{_block(number)}'" for number in blocks) + ")")
    return " & ".join(terms)
