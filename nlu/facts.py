"""Extracts the facts of a message: who speaks, figures with units, places, trades, what is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from nlu.fact import Fact
from nlu.figures import figures
from nlu.identifiers import companies, identifiers
from nlu.normalise import normalise
from nlu.numerals import CAPITALS
from nlu.vocabulary import Lexicon, Vocabulary, vocabulary

__all__ = ["Fact", "extract"]

# Figures in these are neither sums nor people: document numbers, dates, clauses, idioms.
_NO_FIGURES = re.compile(
    r"[〔\[（(]20\d\d[〕\]）)]\s?\d+号|\d{1,2}\s?月\s?\d{1,2}\s?[日号]?|(?<!\d)\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)"
    r"|第[一二三四五六七八九十百\d]+[条款项章批次届名个季步]|十万火急|千万[别要不]|\d{1,2}[点:：]\d{2}|\d{3,4}-\d{7,8}"
)
_STARS = re.compile(
    r"(?P<drawn>[⭐★🌟]{1,5})|(?P<stars>[1-5一二两三四五])\s?[颗个粒]?星(?!级|期)|(?:打|给|评)(?:个|你|您|了)?\s?(?P<points>\d{1,3}|[一二两三四五六七八九十])分(?!之|钟|以上|以下|左右)"
)
_GOT = "(?:拿到|评上|评到|通过|认定|获得|取得|申请|入选|过)?"
_LACKED_BEFORE = re.compile(
    rf"(?:(?<!有)(?<!是)(?:还?没有?|无|暂无|冇|未)|(?<!是)(?:还?不是|唔系|并非)){_GOT}(?:过|到)?$"
)
_LACKED_AFTER = re.compile(
    r"(?:证书|资质|认定)?(?:还|都|也)?(?:没有|没|未)(?:评上|拿到|通过|过|评|下来|有|认定)"
)
_PLANNED = re.compile(
    r"(?:准备|打算|想|想要|计划|正在|要|可以|能)(?:去)?(?:申请|申报|报|评|认定|冲|拿|做)个?$"
)


def extract(text: str) -> list[Fact]:
    """The facts of ``text`` in the order they stand; spans refer to ``text`` as given.

    Spans do not overlap, except that the two ends of a range share one. A facet is given once.
    """
    normalised = normalise(text)
    found = _select(normalised.text)
    facts = []
    for fact in sorted(found, key=lambda fact: (fact.start, fact.end)):
        start, end = normalised.origin(fact.start, fact.end)
        facts.append(replace(fact, start=start, end=end, text=text[start:end]))
    return facts


def _select(text: str) -> list[Fact]:
    words = vocabulary()
    taken = bytearray(len(text))
    found: list[Fact] = []
    _take(identifiers(text), taken, found)
    _take(companies(text), taken, found)
    for pattern in (words.policy_names, _NO_FIGURES):
        for match in pattern.finditer(text):
            taken[match.start() : match.end()] = b"\1" * len(match[0])
    _take(islice(_ratings(text, words), 1), taken, found)
    _take(figures(text.translate(CAPITALS)), taken, found)
    for lexicon in words.lexicons:
        _take(_words(text, lexicon), taken, found)
    _take(_district_patterns(text, words), taken, found)
    found.extend(_facets(text, words))
    return found


def _take(facts: Iterable[Fact], taken: bytearray, found: list[Fact]) -> None:
    """Keeps the facts whose place is still free; facts of one span come together."""
    last: tuple[str, int, int] | None = None
    for fact in facts:
        this = (fact.kind, fact.start, fact.end)
        if fact in found or (this != last and any(taken[fact.start : fact.end])):
            continue
        last = this
        taken[fact.start : fact.end] = b"\1" * (fact.end - fact.start)
        found.append(fact)


def _words(text: str, lexicon: Lexicon) -> Iterator[Fact]:
    seen: set[tuple[str, str]] = set()
    for match in lexicon.pattern.finditer(text):
        name = lexicon.canonical[match[0].lower()]
        if name is None:
            continue
        kind, note = lexicon.kind, None
        if kind == "qualification":
            if _LACKED_BEFORE.search(text[: match.start()]) or _LACKED_AFTER.match(
                text, match.end()
            ):
                kind = "lacks_qualification"
            elif _PLANNED.search(text[: match.start()]):
                note = "planned"
        if (kind, name) not in seen:
            seen.add((kind, name))
            yield Fact(kind, name, None, *match.span(), match[0], note)


def districts(text: str) -> list[Fact]:
    """Every place named in a normalised text, each time it is, in order; ``extract`` gives each once."""
    words = vocabulary()
    (lexicon,) = (each for each in words.lexicons if each.kind == "district")
    named = [
        Fact("district", name, None, *match.span(), match[0])
        for match in lexicon.pattern.finditer(text)
        if (name := lexicon.canonical[match[0].lower()]) is not None
    ]
    return sorted([*named, *_district_patterns(text, words)], key=lambda fact: fact.start)


def _district_patterns(text: str, words: Vocabulary) -> Iterator[Fact]:
    for name, pattern in words.district_patterns:
        for match in pattern.finditer(text):
            yield Fact("district", name, None, *match.span(), match[0])


def _facets(text: str, words: Vocabulary) -> Iterator[Fact]:
    for name, pattern in words.facets:
        if match := pattern.search(text):
            yield Fact("facet", name, None, *match.span(), match[0])


def _ratings(text: str, words: Vocabulary) -> Iterator[Fact]:
    for match in _STARS.finditer(text):
        drawn = len(match["drawn"] or "")
        value = drawn or _five(match["stars"] or match["points"])
        if value is not None:
            yield Fact("rating", value, "星", *match.span(), match[0])
    for match in words.rating_words.pattern.finditer(text):
        if text[match.end() : match.end() + 1] not in ("度", "吗", "么"):
            value = words.ratings[match[0]]
            yield Fact("rating", value, "星", *match.span(), match[0])


def _five(written: str) -> int | None:
    """Points out of five, ten or a hundred as one to five stars."""
    points = (
        int(written)
        if written.isdigit()
        else "零一二三四五六七八九十".find(written.replace("两", "二"))
    )
    if not 1 <= points <= 100:
        return None
    return points if points <= 5 else -(-points // 2) if points <= 10 else -(-points // 20)
