"""The list of matters the catalogue does not hold: well formed, and never a name of a policy that is held."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import cast

import yaml

from knowledge.catalogue import Catalogue, read_catalogue
from knowledge.lexical import fold
from knowledge.question import DATA

ABSENT_FILE = DATA / "absent.yml"
SHORTEST, LONGEST = 4, 24
# Shorter names (高企, 国高, 科小) stand inside words of any field.
TELLING_NAME = 4


@cache
def absent() -> list[list[str]]:
    return cast("list[list[str]]", yaml.safe_load(ABSENT_FILE.read_text(encoding="utf-8")))


def ways() -> list[str]:
    return [way for matter in absent() for way in matter]


def held_names(catalogue: Catalogue) -> dict[str, str]:
    """Folded titles and aliases of at least ``TELLING_NAME`` characters, each with its policy's id."""
    return {
        fold(name): policy.id
        for policy in catalogue.policies.values()
        for name in (policy.title, *policy.aliases)
        if len(fold(name)) >= TELLING_NAME
    }


def test_file_is_a_list_of_one_to_four_ways_each() -> None:
    assert isinstance(absent(), list)
    odd = [
        matter
        for matter in absent()
        if not (
            isinstance(matter, list)
            and 1 <= len(matter) <= 4
            and all(isinstance(way, str) and way == way.strip() for way in matter)
        )
    ]
    assert not odd, f"{ABSENT_FILE.name}: not a list of 1-4 texts: {odd}"


def test_list_is_long_enough_to_cover_the_fields_of_government() -> None:
    assert len(absent()) >= 400


def test_every_way_is_said_once() -> None:
    twice = [way for way, times in Counter(map(fold, ways())).items() if times > 1]
    assert not twice, f"{ABSENT_FILE.name}: said more than once: {twice}"


def test_every_way_is_short() -> None:
    odd = [way for way in ways() if not SHORTEST <= len(fold(way)) <= LONGEST]
    assert not odd, f"{ABSENT_FILE.name}: not {SHORTEST}-{LONGEST} characters: {odd}"


def test_no_way_holds_the_name_of_a_policy_we_have() -> None:
    names = held_names(read_catalogue())
    assert names
    clashes = [(way, name, names[name]) for way in ways() for name in names if name in fold(way)]
    assert not clashes, (
        f"{ABSENT_FILE.name}: the catalogue holds these; take them out of the list: {clashes}"
    )
