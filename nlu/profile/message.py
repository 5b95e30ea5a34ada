"""A message made ready for reading: normalised, cut into clauses, its facts and quantities found."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from knowledge.fields import FieldSpec
from nlu.fact import Fact
from nlu.facts import extract
from nlu.normalise import Normalised, normalise
from nlu.profile.quantities import Quantity, quantities
from nlu.profile.said import Answer, SaidFact
from nlu.profile.talk import Clause, clause_at, clauses_of, talk


@dataclass(frozen=True)
class Situation:
    """What the conversation was about when the message came.

    ``asked`` is the field just asked for, ``given`` those given before, the newest last; ``day`` is that of the
    message, ``cuts`` the numbers at which some condition on a field changes its mind.
    """

    asked: FieldSpec | None = None
    given: tuple[FieldSpec, ...] = ()
    day: date | None = None
    cuts: Mapping[str, Collection[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """One message; positions are those of the normalised ``text``."""

    original: str
    normalised: Normalised

    @classmethod
    def of(cls, original: str) -> Message:
        return cls(original, normalise(original))

    @property
    def text(self) -> str:
        return self.normalised.text

    @cached_property
    def clauses(self) -> list[Clause]:
        return clauses_of(self.text)

    @cached_property
    def facts(self) -> list[Fact]:
        """What ``nlu.facts`` finds, in order."""
        return extract(self.text)

    @cached_property
    def quantities(self) -> list[Quantity]:
        return quantities(self.text, self.facts)

    def clause(self, position: int) -> Clause:
        return clause_at(self.clauses, position)

    def claims(self, start: int, end: int) -> bool:
        """Whether what stands there is said of the speaker's own enterprise."""
        return self.clause(start).claims(start, end)

    def is_corrected(self, position: int) -> bool:
        """Whether the speaker has taken something back before or in the clause of this position."""
        return talk().correction.search(self.text[: self.clause(position).end]) is not None

    def fact(
        self,
        spec: FieldSpec,
        answer: Answer,
        start: int,
        end: int,
        value: bool | int | float | str | tuple[str, ...] | None = None,
        note: str | None = None,
        is_approximate: bool = False,
    ) -> SaidFact:
        """A fact at this place, its span that of the message as it was typed."""
        first, last = self.normalised.origin(start, end)
        is_corrected = bool(self.clauses) and self.is_corrected(start)
        return SaidFact(
            spec.name,
            answer,
            value,
            first,
            last,
            self.original[first:last],
            is_approximate=is_approximate,
            is_correction=is_corrected,
            note=note,
        )
