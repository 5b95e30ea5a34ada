"""Cuts documents into passages of whole sentences, short enough for the encoder, each headed by its title."""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.lexical import fold

PASSAGE_CHARS = 300
TITLE_CHARS = 80  # with 300 of text this stays within what the encoder reads of a passage (400)

# A closing quote or bracket belongs to the sentence it ends.
_SENTENCE = re.compile(r"[^。！？!?；;…]+[。！？!?；;…]*[”’」』）)】》\"']*|[。！？!?；;…]+")
_WEAKER_STOPS = ("，", ",", "、", "：", ":", " ", "\t", "|")
_ARTICLE = re.compile(r"第[零〇一二三四五六七八九十百千\d]+条(?:之[一二三四五六七八九十\d]+)?$")


def passages(title: str, text: str) -> tuple[str, ...]:
    """The passages of one document, in order; at least one, also for a document of a title alone.

    Sentences stay whole up to 300 characters; a line break (a list item, a table row) always ends one. A longer
    sentence is cut at its commas, or anywhere if it has none. The title stands in front of every passage that does
    not hold it, except a statute's article number, which says nothing of what the article is about (measured:
    shared retrieval notes §2).
    """
    head = "" if is_article(title) else _shortened(title)
    bodies = list(_packed(_pieces(text))) or [title.strip()]
    return tuple(_headed(head, body) for body in bodies)


def is_article(title: str) -> bool:
    """Whether a title is that of a statute's article: a law's name and 第…条."""
    return _ARTICLE.search(title.strip()) is not None


def sentences(text: str) -> Iterator[tuple[str, bool]]:
    """Every sentence of a text, stripped, and whether it is the first of its line."""
    for line in text.splitlines():
        is_first = True
        for match in _SENTENCE.finditer(line):
            if sentence := match.group().strip():
                yield sentence, is_first
                is_first = False


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    for sentence, is_first in sentences(text):
        while len(sentence) > PASSAGE_CHARS:
            cut = _cut(sentence)
            yield sentence[:cut].rstrip(), is_first
            sentence, is_first = sentence[cut:].lstrip(), False
        yield sentence, is_first


def _cut(sentence: str) -> int:
    """Where to cut a sentence that is too long: after its last weaker stop in the second half of the limit."""
    for stop in _WEAKER_STOPS:
        at = sentence.rfind(stop, PASSAGE_CHARS // 2, PASSAGE_CHARS)
        if at >= 0:
            return at + 1
    return PASSAGE_CHARS


def _packed(pieces: Iterator[tuple[str, bool]]) -> Iterator[str]:
    """Neighbouring pieces joined while they fit; a new line stays a new line."""
    body = ""
    for piece, is_first in pieces:
        joined = f"{body}\n{piece}" if is_first and body else body + piece
        if len(joined) > PASSAGE_CHARS:
            yield body
            joined = piece
        body = joined
    if body:
        yield body


def _headed(head: str, body: str) -> str:
    if not head or _bare(head) in _bare(body):
        return body
    return f"{head}\n{body}"


def _shortened(title: str) -> str:
    return " ".join(title.split())[:TITLE_CHARS]


def _bare(text: str) -> str:
    """Folded, without spaces: how two spellings of a title are compared."""
    return fold(text).replace(" ", "")
