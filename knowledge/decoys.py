"""Knows matters that people ask about and the catalogue does not hold, so that what sounds alike is not taken for it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import yaml

from knowledge.policy import Policy
from knowledge.question import DATA, subject_of

ABSENT_FILE = DATA / "absent.yml"

Words = frozenset[str]


class Names:
    """Names as the words that tell them apart; how completely a question says one of them."""

    def __init__(self, words: Iterable[Words]) -> None:
        self.words = tuple({each for each in words if each})
        self.held: Words = frozenset(word for name in self.words for word in name)
        self._holding: dict[str, list[int]] = defaultdict(list)
        for number, name in enumerate(self.words):
            for word in name:
                self._holding[word].append(number)

    def said_in(self, words: Words) -> float:
        """The largest share (0-1) of any name's words that stand in a question."""
        held = Counter(number for word in words for number in self._holding.get(word, ()))
        return max((count / len(self.words[number]) for number, count in held.items()), default=0.0)


def names_of(policy: Policy) -> Names:
    return Names(frozenset(subject_of(name)) for name in (policy.title, *policy.aliases))


def read_absent(names: Sequence[Names], path: Path = ABSENT_FILE) -> Names:
    """The matters of ``absent.yml`` that no policy is called by; a policy taken in later takes its matter out.

    ``names`` are those of the policies, as ``names_of`` gives them.
    """
    matters = _matters(path)
    asked = frozenset().union(*matters)
    holding: dict[str, set[int]] = defaultdict(set)
    for number, each in enumerate(names):
        for word in each.held & asked:
            holding[word].add(number)

    def is_held(words: Words) -> bool:
        having = sorted((holding.get(word, set()) for word in words), key=len)
        return not having or bool(having[0].intersection(*having[1:]))

    return Names(words for words in matters if not (names and is_held(words)))


@lru_cache(maxsize=4)
def _matters(path: Path) -> tuple[Words, ...]:
    """The words of every way to say a matter of a file."""
    ways = [way for entry in yaml.safe_load(path.read_text(encoding="utf-8")) for way in entry]
    return tuple(frozenset(subject_of(way)) for way in ways)
