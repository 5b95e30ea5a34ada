"""Knows matters that people ask about and the catalogue does not hold, so that what sounds alike is not taken for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from knowledge.policy import Policy
from knowledge.question import DATA, subject_of

ABSENT_FILE = DATA / "absent.yml"

Words = frozenset[str]


class Names:
    """Names as the words that tell them apart; how completely a question says one of them."""

    def __init__(self, names: Iterable[str]) -> None:
        self.words = tuple({words for name in names if (words := frozenset(subject_of(name)))})

    def said_in(self, words: Words) -> float:
        """The largest share (0-1) of any name's words that stand in a question."""
        return max((len(name & words) / len(name) for name in self.words), default=0.0)


def names_of(policy: Policy) -> Names:
    return Names([policy.title, *policy.aliases])


def read_absent(policies: Sequence[Policy], path: Path = ABSENT_FILE) -> Names:
    """The matters of ``absent.yml`` that no policy is called by; a policy taken in later takes its matter out."""
    known = [frozenset(word for name in names_of(p).words for word in name) for p in policies]
    ways = [way for entry in yaml.safe_load(path.read_text(encoding="utf-8")) for way in entry]
    absent = Names(ways)
    absent.words = tuple(
        words for words in absent.words if not any(words <= held for held in known)
    )
    return absent
