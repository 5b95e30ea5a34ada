"""Finds the names and values of the field dictionary in a text, the longest at each place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from knowledge.fields import YES, Fields, FieldSpec, Parser

T = TypeVar("T")


@dataclass(frozen=True)
class Found(Generic[T]):
    """What a phrase at ``start:end`` may mean."""

    start: int
    end: int
    text: str
    meanings: tuple[T, ...]


class Phrases(Generic[T]):
    """Phrases with their meanings, found by their first character."""

    def __init__(self, phrases: Iterable[tuple[str, T]]) -> None:
        by_phrase: dict[str, list[T]] = {}
        for phrase, meaning in phrases:
            meanings = by_phrase.setdefault(phrase.casefold(), [])
            if meaning not in meanings:
                meanings.append(meaning)
        self._meanings = {phrase: tuple(found) for phrase, found in by_phrase.items()}
        self._by_first: dict[str, list[str]] = {}
        for phrase in sorted(by_phrase, key=len, reverse=True):
            self._by_first.setdefault(phrase[0], []).append(phrase)

    def find(self, text: str) -> Iterator[Found[T]]:
        """The phrases in ``text`` in order; they do not overlap, the earlier and longer one is kept."""
        folded = text.lower()  # casefold could change the length
        at = 0
        while at < len(folded):
            phrase = next(
                (p for p in self._by_first.get(folded[at], ()) if self._stands(folded, p, at)), None
            )
            if phrase is None:
                at += 1
                continue
            end = at + len(phrase)
            yield Found(at, end, text[at:end], self._meanings[phrase])
            at = end

    @staticmethod
    def _stands(text: str, phrase: str, at: int) -> bool:
        """Whether the phrase is there; Latin words stand alone: AI is not part of MAIL."""
        if not text.startswith(phrase, at):
            return False
        before, behind = text[at - 1 : at], text[at + len(phrase) : at + len(phrase) + 1]
        starts_latin, ends_latin = _is_latin(phrase[0]), _is_latin(phrase[-1])
        return not (starts_latin and _is_latin(before)) and not (ends_latin and _is_latin(behind))


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalpha()


@dataclass(frozen=True)
class Names:
    """The dictionary as phrases: names of numbers, of choices, of claims; claims and values said in other words.

    ``claims`` mean a field and whether they affirm it; ``values`` a field and the canonical value.
    """

    numbers: Phrases[FieldSpec]
    choices: Phrases[FieldSpec]
    booleans: Phrases[FieldSpec]
    claims: Phrases[tuple[FieldSpec, bool]]
    values: Mapping[str, Phrases[str]]

    @classmethod
    def of(cls, fields: Fields) -> Names:
        """The phrases of a dictionary."""
        specs = list(fields.values())
        yes_no = [spec for spec in specs if spec.type == "boolean"]
        return cls(
            numbers=_called(spec for spec in specs if spec.type == "number"),
            choices=_called(spec for spec in specs if spec.type in ("string", "string_list")),
            booleans=_called(yes_no),
            claims=Phrases(
                (way, (spec, value == YES))
                for spec in yes_no
                for value, ways in spec.values.items()
                for way in ways
            ),
            values={
                spec.name: Phrases(
                    (way, value) for value, ways in spec.values.items() for way in (value, *ways)
                )
                for spec in specs
                if spec.parser is Parser.CHOICE
            },
        )


def _called(specs: Iterable[FieldSpec]) -> Phrases[FieldSpec]:
    return Phrases((name, spec) for spec in specs for name in (spec.label, *spec.synonyms))
