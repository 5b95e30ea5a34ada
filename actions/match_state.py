"""Keeps what one session said of its enterprise between two turns, as JSON in a slot of the dialogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from knowledge.profile import Known, Source

SLOT = "matching"
# The question that opens a match: who is it, or what is it like.
OPENING = "*"
MOST_QUESTIONS = 5
MOST_TIMES = 2


@dataclass(frozen=True)
class SaidValue:
    """A value as it was said: ``text`` are the words, ``day`` when; see ``Known`` for the rest."""

    value: Any
    day: str
    text: str = ""
    is_complete: bool = True
    lacks: tuple[str, ...] = ()
    is_approximate: bool = False
    is_derived: bool = False

    @property
    def known(self) -> Known:
        """The fact as a profile holds it."""
        value = tuple(self.value) if isinstance(self.value, list) else self.value
        return Known(
            value,
            Source.SAID,
            date.fromisoformat(self.day),
            is_complete=self.is_complete,
            lacks=tuple(self.lacks),
            is_approximate=self.is_approximate,
        )


def said_value(known: Known, text: str, is_derived: bool = False) -> SaidValue:
    assert known.day is not None
    value = list(known.value) if isinstance(known.value, tuple) else known.value
    return SaidValue(
        value,
        known.day.isoformat(),
        text,
        known.is_complete,
        known.lacks,
        known.is_approximate,
        is_derived,
    )


@dataclass(frozen=True)
class MatchState:
    """A match in progress.

    ``facts`` are what was said, by field, the newest last. ``asking`` is the field the last question was about
    (``OPENING`` for the first), ``asked`` how often each field was asked in this match, ``avoid`` the fields never to be
    asked again. ``pending`` are values that contradict what is on file, waiting to be confirmed, ``confirmed`` the
    fields whose said value was confirmed. ``need`` is what they want, ``called`` the name or credit code they gave.
    ``heard`` is the message last taken in, ``notes`` what is to be acknowledged with the next reply, ``missed`` how
    many answers running were not understood. ``is_ended``: no more questions until a new match is wished for. ``is_shown``: results were shown, and 第几个 is one of them.
    """

    facts: Mapping[str, SaidValue] = field(default_factory=dict)
    asking: str | None = None
    asked: Mapping[str, int] = field(default_factory=dict)
    avoid: tuple[str, ...] = ()
    pending: Mapping[str, SaidValue] = field(default_factory=dict)
    confirmed: tuple[str, ...] = ()
    need: str = ""
    called: str | None = None
    heard: str | None = None
    notes: tuple[str, ...] = ()
    missed: int = 0
    is_ended: bool = False
    is_shown: bool = False

    def known(self) -> dict[str, Known]:
        return {name: each.known for name, each in self.facts.items()}

    @property
    def derived(self) -> frozenset[str]:
        """The fields nobody said that follow from others: 福田 lies in 深圳."""
        return frozenset(name for name, each in self.facts.items() if each.is_derived)

    def passed_over(self, name: str) -> MatchState:
        """Never asks for the field again."""
        return replace(self, avoid=tuple(dict.fromkeys((*self.avoid, name))))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def read_state(raw: Any) -> MatchState:
    """The state that ``to_json`` put down; a new one for nothing, and for what another version of ours put down."""
    try:
        return _read(raw) if isinstance(raw, dict) else MatchState()
    except (AttributeError, KeyError, TypeError):
        return MatchState()


def _read(raw: dict[str, Any]) -> MatchState:
    values = dict(raw)
    for name in ("facts", "pending"):
        values[name] = {
            key: SaidValue(**{**each, "lacks": tuple(each["lacks"])})
            for key, each in raw[name].items()
        }
    for name in ("avoid", "confirmed", "notes"):
        values[name] = tuple(raw[name])
    return MatchState(**values)
