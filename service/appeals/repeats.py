"""Tells whether two matters are the same one said twice."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from knowledge.encoder import Encoder

SAME_FROM = 0.976
"""Cosine of the built-in encoder from which two matters are one: on the pairs in
tests/service/appeals/repeat_pairs.jsonl eight in ten repeats are seen and no other matter is taken
for one. A missed repeat costs a second appeal; a wrong join would hide a matter, so the line is
drawn high.
"""

_NUMBER = re.compile(r"\d+")


def normal_matter(text: str) -> str:
    """The matter as repeats are compared: half width, lower case, letters and digits only."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if c.isalnum())


def searchable(text: str) -> str:
    """The text as it is searched: half width, lower case, one blank between words."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def repeats_of(
    matter: str, others: Sequence[str], encoder: Encoder, same_from: float = SAME_FROM
) -> list[bool]:
    """For each of the others whether it is the same matter.

    Other figures (floor, year, sum) make another matter.
    """
    normal = [normal_matter(text) for text in (matter, *others)]
    same = [text == normal[0] for text in normal[1:]]
    open_questions = [
        i
        for i, text in enumerate(normal[1:])
        if not same[i] and _figures(text) == _figures(normal[0])
    ]
    if open_questions:
        vectors = encoder.queries([matter, *(others[i] for i in open_questions)])
        for i, cosine in zip(open_questions, vectors[1:] @ vectors[0], strict=True):
            same[i] = bool(cosine >= same_from)
    return same


def _figures(text: str) -> list[str]:
    return sorted(_NUMBER.findall(text))
