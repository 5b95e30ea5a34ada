"""Reads which items exclude or limit each other: the same matter not twice, the higher of several, a common cap."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from knowledge.errors import CatalogueError

EXCLUSIONS_FILE = Path(__file__).parent / "data" / "exclusions.yml"


class Rule(StrEnum):
    """How the items of a group bear on each other."""

    NOT_TWICE = "not_twice"  # one matter is supported once: the enterprise chooses one
    HIGHER_OF = "higher_of"  # of several grades only the highest is paid
    CAP = "cap"  # all may be had, together up to a limit


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class Exclusion:
    """One group of items. ``reason`` says it in Chinese for the enterprise, ``basis`` which clauses say so.

    ``cap_cny`` is the limit of a cap in yuan, absent where it depends on what the catalogue does not hold (a share of
    the interest paid): then it is told, not computed. ``inferred`` marks a group concluded from what the items are
    about, not read.
    """

    id: str
    rule: Rule
    policies: tuple[str, ...]
    reason: str
    basis: tuple[str, ...] = ()
    cap_cny: int | None = None
    inferred: bool = False


@lru_cache(maxsize=4)
def read_exclusions(path: Path = EXCLUSIONS_FILE) -> tuple[Exclusion, ...]:
    """All groups, in file order. An item that the catalogue in force does not hold does no harm.

    Raises:
        CatalogueError: naming file, group and key of every defect.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise CatalogueError([f"{path.name}: not valid YAML: {error}"]) from error
    try:
        groups = TypeAdapter(tuple[Exclusion, ...]).validate_python(raw)
    except ValidationError as error:
        raise CatalogueError(
            [
                f"{path.name}: {'.'.join(map(str, each['loc'])) or 'groups'}: {each['msg']}"
                for each in error.errors(include_url=False)
            ]
        ) from error
    problems = [problem for group in groups for problem in _problems(group)]
    names = [group.id for group in groups]
    problems += [
        f"{name}: id: is used twice" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    if problems:
        raise CatalogueError([f"{path.name}: {problem}" for problem in problems])
    return groups


def _problems(group: Exclusion) -> list[str]:
    found = []
    if len(set(group.policies)) < 2 or len(set(group.policies)) != len(group.policies):
        found.append(f"{group.id}: policies: name at least two items, each once")
    if group.rule is not Rule.CAP and group.cap_cny is not None:
        found.append(f"{group.id}: cap_cny: only a cap has a limit")
    if group.cap_cny is not None and group.cap_cny <= 0:
        found.append(f"{group.id}: cap_cny: must be more than 0")
    return found
