"""Loads the words of ``vocabulary.yml`` and of the field dictionary, compiled for matching."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from knowledge.fields import NONE, read_fields

VOCABULARY_FILE = Path(__file__).with_name("vocabulary.yml")


@dataclass(frozen=True)
class Lexicon:
    """Words of one kind: ``pattern`` finds the longest, ``canonical`` names what it stands for.

    A canonical name of ``None`` marks words that only look like one of the kind.
    """

    kind: str
    pattern: re.Pattern[str]
    canonical: dict[str, str | None]


@dataclass(frozen=True)
class Vocabulary:
    """Everything the extractor knows by heart, ready to match against normalised text."""

    lexicons: tuple[Lexicon, ...]
    district_patterns: tuple[tuple[str, re.Pattern[str]], ...]
    facets: tuple[tuple[str, re.Pattern[str]], ...]
    misuse: tuple[tuple[str, re.Pattern[str]], ...]
    company_lead: re.Pattern[str]
    company_place: re.Pattern[str]
    company_generic: re.Pattern[str]
    policy_names: re.Pattern[str]
    money_words: str
    rating_words: Lexicon
    ratings: dict[str, int]
    appeal_prefix: str


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """The vocabulary of the package, read once."""
    data: dict[str, Any] = yaml.safe_load(VOCABULARY_FILE.read_text("utf-8"))
    ratings: dict[str, int] = data["rating_words"]
    fields = read_fields()
    places = {**fields["registered_district"].values, **fields["park"].values}
    places.pop(NONE)
    return Vocabulary(
        lexicons=(
            _lexicon("qualification", fields["qualifications"].values, []),
            _lexicon("industry", fields["industry"].values, data["not_industry"]),
            _lexicon("district", places, data["not_district"]),
        ),
        district_patterns=tuple((n, re.compile(p)) for n, p in data["district_patterns"].items()),
        facets=_named_patterns(data["facet_patterns"]),
        misuse=_named_patterns(data["misuse_patterns"]),
        company_lead=re.compile(f"(?:{any_of(data['company_lead'])})+[:： ]*"),
        company_place=re.compile(any_of(data["company_places"])),
        company_generic=re.compile(any_of(data["company_generic"])),
        policy_names=re.compile(any_of(data["policy_names"])),
        money_words=any_of(data["money_words"]),
        rating_words=_lexicon("rating", {word: [] for word in ratings}, []),
        ratings=ratings,
        appeal_prefix=data["appeal_prefix"],
    )


def _named_patterns(named: dict[str, list[str]]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (name, re.compile("|".join(patterns), re.IGNORECASE)) for name, patterns in named.items()
    )


def any_of(words: list[str]) -> str:
    """A regular expression for any of the words, the longest first."""
    return "|".join(map(_bounded, sorted(set(words), key=lambda word: (-len(word), word))))


def _bounded(word: str) -> str:
    """Latin words stand alone: AI is not part of MAIL."""
    start = r"(?<![A-Za-z])" if word[0].isascii() and word[0].isalpha() else ""
    end = r"(?![A-Za-z])" if word[-1].isascii() and word[-1].isalpha() else ""
    return start + re.escape(word) + end


def _lexicon(kind: str, words: Mapping[str, Iterable[str]], not_words: list[str]) -> Lexicon:
    canonical: dict[str, str | None] = {word.lower(): None for word in not_words}
    for name, synonyms in words.items():
        canonical |= {word.lower(): name for word in (name, *synonyms)}
    return Lexicon(kind, re.compile(any_of(list(canonical)), re.IGNORECASE), canonical)
