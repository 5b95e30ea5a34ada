"""Holds many enterprises against many policies at once: three-valued logic on packed bits.

Each distinct condition is a pair of bit masks over the enterprises: where it is met, and where it has not failed. A
conjunction is the AND of both, an alternative the OR of both, which is Kleene's strong logic; the truths are those of
``knowledge.conditions.truth_of`` one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.columns import Column
from knowledge.policy import Criterion, Op, Policy
from knowledge.verdicts import Verdict

Bits = NDArray[np.uint8]
_WORD = 8  # masks are padded to whole 64-bit words


@dataclass(frozen=True)
class Plan:
    """Policies with their conditions told apart, so that each is held against the enterprises once.

    ``conditions`` are the distinct ones on single fields, ``alternatives`` the distinct ``or``: numbers of what they
    choose from. An alternative is numbered after the conditions, and after the alternatives it is made of.
    ``items`` are each policy's conditions by number.
    """

    policies: tuple[Policy, ...]
    conditions: tuple[Criterion, ...]
    alternatives: tuple[NDArray[np.intp], ...]
    items: tuple[NDArray[np.intp], ...]

    @staticmethod
    def of(policies: Iterable[Policy]) -> Plan:
        """The plan for these policies, in the order of their ids."""
        ordered = tuple(sorted(policies, key=lambda policy: policy.id))
        conditions = _distinct(each for policy in ordered for each in policy.criteria)
        numbers: dict[Any, int] = {key: number for number, key in enumerate(conditions)}
        alternatives: list[NDArray[np.intp]] = []

        def number_of(criterion: Criterion) -> int:
            key = _key(criterion)
            if key not in numbers:
                parts = [number_of(part) for part in _parts(criterion)]
                numbers[key] = len(numbers)
                alternatives.append(np.array(parts, np.intp))
            return numbers[key]

        items = tuple(
            np.array(sorted({number_of(each) for each in policy.criteria}), np.intp)
            for policy in ordered
        )
        return Plan(ordered, tuple(conditions.values()), tuple(alternatives), items)


class Masks:
    """The conditions of a plan held against the enterprises of one slice."""

    def __init__(self, plan: Plan, columns: Mapping[str, Column], count: int) -> None:
        """``columns`` holds ``count`` enterprises; a field without a column is unknown of all."""
        self._plan, self._count = plan, count
        total = len(plan.conditions) + len(plan.alternatives)
        width = -(-count // (8 * _WORD)) * _WORD
        self._everyone = np.zeros(width, np.uint8)
        self._everyone[: -(-count // 8)] = np.packbits(np.ones(count, bool))
        self._met = np.zeros((total, width), np.uint8)
        self._possible = np.zeros((total, width), np.uint8)
        unknown = {name: self._packed(~column.known) for name, column in columns.items()}
        for number, condition in enumerate(plan.conditions):
            column = columns.get(condition.field)
            if column is None:
                self._possible[number] = self._everyone
                continue
            met = column.meets(condition.op, condition.value) & column.known
            self._met[number] = self._packed(met)
            self._possible[number] = self._met[number] | unknown[condition.field]
        for number, parts in enumerate(plan.alternatives, len(plan.conditions)):
            np.bitwise_or.reduce(self._met[parts], axis=0, out=self._met[number])
            np.bitwise_or.reduce(self._possible[parts], axis=0, out=self._possible[number])

    def item(self, number: int) -> tuple[Bits, Bits]:
        """Who is eligible for the plan's policy of this number, and of whom that cannot be told yet."""
        parts = self._plan.items[number]
        if not len(parts):
            return self._everyone, np.zeros_like(self._everyone)
        met = np.bitwise_and.reduce(self._met[parts], axis=0)
        possible = np.bitwise_and.reduce(self._possible[parts], axis=0)
        return met, possible ^ met

    def counts(self, number: int) -> dict[Verdict, int]:
        """How many enterprises have each verdict on the plan's policy of this number."""
        eligible, unknown = (count_of(bits) for bits in self.item(number))
        return {
            Verdict.ELIGIBLE: eligible,
            Verdict.UNKNOWN: unknown,
            Verdict.INELIGIBLE: self._count - eligible - unknown,
        }

    def verdicts(self, number: int) -> NDArray[np.int8]:
        """Each enterprise's verdict, shape (n,), as its place in ``verdicts.VERDICTS``."""
        eligible, unknown = (self.flags(bits) for bits in self.item(number))
        return np.where(eligible, 0, np.where(unknown, 1, 2)).astype(np.int8)

    def flags(self, bits: Bits) -> NDArray[np.bool_]:
        """A mask as one truth an enterprise, shape (n,)."""
        return np.unpackbits(bits, count=self._count).view(bool)

    def rows(self, bits: Bits) -> NDArray[np.intp]:
        """The numbers of the enterprises in a mask, ascending."""
        return np.flatnonzero(self.flags(bits))

    def _packed(self, flags: NDArray[np.bool_]) -> Bits:
        bits = np.zeros_like(self._everyone)
        bits[: -(-self._count // 8)] = np.packbits(flags)
        return bits


def count_of(bits: Bits) -> int:
    """How many enterprises are in a mask."""
    return int(np.bitwise_count(bits.view(np.uint64)).sum())


def _distinct(criteria: Iterable[Criterion]) -> dict[Any, Criterion]:
    found: dict[Any, Criterion] = {}
    for criterion in criteria:
        if criterion.op is Op.OR:
            for key, part in _distinct(_parts(criterion)).items():
                found.setdefault(key, part)
        else:
            found.setdefault(_key(criterion), criterion)
    return found


def _key(criterion: Criterion) -> Any:
    """The same for conditions that say the same, whatever their note."""
    if criterion.op is Op.OR:
        return (Op.OR, frozenset(_key(part) for part in _parts(criterion)))
    return (criterion.op, criterion.field, criterion.value)


def _parts(criterion: Criterion) -> Sequence[Criterion]:
    value = criterion.value
    return (
        [part for part in value if isinstance(part, Criterion)] if isinstance(value, tuple) else []
    )
