"""Knows the details people ask about by name, and whether a record states one: a curated table, no learning.

到账时间 is asked for by 钱多久下来 and stated by a clause that says within how many days it is paid. What is asked and nowhere
stated cannot be answered, however well the policy fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from knowledge.clauses import clauses_of
from knowledge.lexical import fold
from knowledge.policy import Facet, Policy

TABLE_FILE = Path(__file__).parent / "data" / "details.yml"
# Of a very long document this much is looked at for one detail.
RECORD_CHARS = 20_000
_NAMED = re.compile(r"<(\w+)>")


@dataclass(frozen=True)
class Particular:
    """One detail: what a reader calls it, what asks for it, what states it, and in which facets that counts."""

    called: str
    asks: re.Pattern[str]
    states: re.Pattern[str]
    within: frozenset[Facet]

    def is_asked(self, asked: str) -> bool:
        """Whether a folded question, its policy's names taken out, asks for it."""
        return self.asks.search(asked) is not None


class Record:
    """What one policy's record says, folded, facet by facet."""

    def __init__(self, policy: Policy) -> None:
        said: dict[Facet, list[str]] = {}
        for clause in clauses_of(policy):
            said.setdefault(clause.facet, []).append(fold(clause.text))
        self._said = {facet: "\n".join(texts)[:RECORD_CHARS] for facet, texts in said.items()}

    def states(self, particular: Particular) -> bool:
        return bool(self.facets_stating(particular))

    def facets_stating(self, particular: Particular) -> tuple[Facet, ...]:
        """The facets whose clauses state a detail, in the order of the record."""
        return tuple(
            facet
            for facet, text in self._said.items()
            if facet in particular.within and particular.states.search(text)
        )


@lru_cache(maxsize=1)
def read_particulars(path: Path = TABLE_FILE) -> tuple[Particular, ...]:
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    words = {str(name): str(said) for name, said in raw["words"].items()}
    return tuple(_particular(each, words) for each in raw["details"])


def asked_in(asked: str, among: Iterable[Particular] | None = None) -> tuple[Particular, ...]:
    """The details a folded question asks for, in the order of the table."""
    table = read_particulars() if among is None else among
    return tuple(each for each in table if each.is_asked(asked))


def _particular(raw: Mapping[str, object], words: Mapping[str, str]) -> Particular:
    asks = _compiled(str(raw["asks"]), words)
    within = raw.get("within")
    facets = (
        frozenset(Facet) - {Facet.VALIDITY}
        if within is None
        else frozenset(Facet(str(name)) for name in within)  # type: ignore[attr-defined]
    )
    states = _compiled(str(raw["states"]), words) if "states" in raw else asks
    return Particular(str(raw["called"]), asks, states, facets)


def _compiled(pattern: str, words: Mapping[str, str]) -> re.Pattern[str]:
    while _NAMED.search(pattern):
        pattern = _NAMED.sub(lambda found: words[found[1]], pattern)
    return re.compile(pattern)
