"""Brings what people type into one written form, and remembers where each character came from."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import opencc

MAX_CHARS = 2000
BOT_NAMES = ("企服小福", "小福", "机器人")

# Room for what normalisation removes; more than this is never looked at.
_RAW_LIMIT = 4 * MAX_CHARS
# Sentence punctuation is text, not a width variant: "50，300人" must not become the number 50,300.
_KEPT = frozenset("，！？：；（）")
# Drawn as nothing although Unicode does not class them as format characters.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_PLAIN = re.compile(r"[一-龥0-9A-Za-z，。！？：；（）、“”《》,.!?:;()%@/+\-]*")
_MENTION = re.compile(rf"@(?:{'|'.join(BOT_NAMES)})(?:[ ,，:：、]+|$)|@(?:企服)?小福(?!田)")


@dataclass(frozen=True)
class Normalised:
    """Normalised text; ``offsets[i]`` is where character ``i`` of it stood in the original.

    ``offsets`` has one entry more than ``text``: the end of the last character's origin.
    """

    text: str
    offsets: tuple[int, ...]

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original text that became ``text[start:end]``."""
        if start >= end:
            return self.offsets[start], self.offsets[start]
        return self.offsets[start], self.offsets[end - 1] + 1


def normalise(text: str) -> Normalised:
    """One written form: NFKC, no invisible characters, simplified script, single spaces.

    Leading mentions of the bot go, unless nothing else was said (then the name stays). At most
    ``MAX_CHARS`` characters come back. The result never begins with ``/``, which Rasa would obey
    as a command: a leading slash is written full-width.
    """
    raw = text[:_RAW_LIMIT]
    if _PLAIN.fullmatch(raw):
        chars, offsets = raw, list(range(len(raw)))
    else:
        chars, offsets = _fold_characters(raw)
    chars = _simplify(chars)
    cut = _mentions_end(chars)
    chars, offsets = chars[cut : cut + MAX_CHARS], offsets[cut : cut + MAX_CHARS]
    if chars.startswith("/"):
        chars = "／" + chars[1:]
    end = offsets[-1] + 1 if offsets else len(raw)
    return Normalised(chars, (*offsets, end))


def normalise_text(text: str) -> str:
    """The normalised text alone, for retrieval and classification."""
    return normalise(text).text


def _fold_characters(raw: str) -> tuple[str, list[int]]:
    """Width, compatibility forms, invisible characters and white space."""
    chars: list[str] = []
    offsets: list[int] = []
    for position, character in enumerate(raw):
        for folded in _fold(character):
            if folded == " " and (not chars or chars[-1] == " "):
                continue
            chars.append(folded)
            offsets.append(position)
    if chars and chars[-1] == " ":
        chars.pop()
        offsets.pop()
    return "".join(chars), offsets


@lru_cache(maxsize=8192)
def _fold(character: str) -> str:
    if character in _KEPT:
        return character
    if character.isspace():
        return " "
    if character in _INVISIBLE or _is_variation_selector(character):
        return ""
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co"):
        return ""
    folded = unicodedata.normalize("NFKC", character)
    return "".join(" " if part.isspace() else part for part in folded)


def _is_variation_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


@lru_cache(maxsize=1)
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def _simplify(chars: str) -> str:
    """Simplified script, one character for one, so that offsets stay true."""
    simplified: str = _converter().convert(chars)
    if len(simplified) != len(chars):
        simplified = "".join(map(_converter().convert, chars))
    if simplified.isascii() or max(simplified) <= "\uffff":
        return simplified
    # Simplified forms outside the basic plane (嗰 → 𠮶) are known to no font and no encoder.
    return "".join(
        old if new > "\uffff" else new for old, new in zip(chars, simplified, strict=True)
    )


def _mentions_end(chars: str) -> int:
    end = 0
    while match := _MENTION.match(chars, end):
        end = match.end()
        while end < len(chars) and chars[end] in " ,，:：、":
            end += 1
    return end if end < len(chars) else chars.rfind("@") + 1 if end else 0
