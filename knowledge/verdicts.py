"""Gives every item of a catalogue its verdict for one profile at once: each distinct condition is looked at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from knowledge.conditions import Truth, all_of, holds, truth_with
from knowledge.policy import Criterion, Op, Policy, Scalar
from knowledge.profile import Profile

Codes = NDArray[np.int8]
Rows = NDArray[np.bool_]

# Kleene's values in an order in which "all of" is the largest and "any of" the smallest.
MET, UNKNOWN, FAILED = 0, 1, 2


class Verdict(StrEnum):
    """What the conditions of one item come to for one enterprise."""

    ELIGIBLE = "eligible"
    UNKNOWN = "unknown"
    INELIGIBLE = "ineligible"


# By code: MET, UNKNOWN, FAILED of the conjunction of an item's conditions.
VERDICTS = (Verdict.ELIGIBLE, Verdict.UNKNOWN, Verdict.INELIGIBLE)
_MEASURED = frozenset({Op.GTE, Op.GT, Op.LTE, Op.LT})
_VERDICT_OF: Mapping[Truth, Verdict] = {
    Truth.MET: Verdict.ELIGIBLE,
    Truth.UNKNOWN: Verdict.UNKNOWN,
    Truth.FAILED: Verdict.INELIGIBLE,
}

_CODES: Mapping[Truth, int] = {Truth.MET: MET, Truth.UNKNOWN: UNKNOWN, Truth.FAILED: FAILED}


def verdict_of(truths: Iterable[Truth]) -> Verdict:
    """The verdict of an item from its conditions, all of which must hold."""
    return _VERDICT_OF[all_of(truths)]


@dataclass(frozen=True)
class Leaf:
    """A condition on one field, as it stands in any number of items."""

    field: str
    op: Op
    value: Scalar | tuple[str, ...]

    def is_met_by(self, have: Scalar | tuple[str, ...]) -> bool:
        return holds(self.op, have, self.value)


@dataclass(frozen=True)
class Shape:
    """How leaves make up conditions, and conditions items.

    ``slots`` are leaf numbers, condition by condition, item by item; ``condition_starts`` is where each condition
    begins in ``slots``, ``item_starts`` where each item begins in ``condition_starts``. A condition is met where one of
    its leaves is, an item where all of its conditions are. No condition and no item is empty.
    """

    slots: NDArray[np.intp]
    condition_starts: NDArray[np.intp]
    item_starts: NDArray[np.intp]

    def conditions(self, leaves: Codes) -> Codes:
        """The code of every condition; ``leaves`` are codes by leaf number along the last axis."""
        codes: Codes = np.minimum.reduceat(leaves[..., self.slots], self.condition_starts, axis=-1)
        return codes

    def items(self, conditions: Codes) -> Codes:
        """The code of every item, from those of the conditions."""
        codes: Codes = np.maximum.reduceat(conditions, self.item_starts, axis=-1)
        return codes

    def count(self, conditions: Rows) -> NDArray[np.intp]:
        """How many of each item's conditions are marked."""
        counts: NDArray[np.intp] = np.add.reduceat(
            conditions, self.item_starts, axis=-1, dtype=np.intp
        )
        return counts

    def only(self, items: Rows) -> Shape:
        """The same for some of the items, in their order; leaf numbers stay."""
        kept = np.repeat(items, self.item_sizes)
        sizes = self.condition_sizes[kept]
        return Shape(
            self.slots[np.repeat(kept, self.condition_sizes)],
            _starts(sizes),
            _starts(self.item_sizes[items]),
        )

    @cached_property
    def condition_sizes(self) -> NDArray[np.intp]:
        """Leaves per condition."""
        return np.diff(self.condition_starts, append=len(self.slots))

    @cached_property
    def item_sizes(self) -> NDArray[np.intp]:
        """Conditions per item."""
        return np.diff(self.item_starts, append=len(self.condition_starts))


class VerdictTable:
    """The conditions of some policies, compiled. Verdicts equal those of ``knowledge.conditions`` one by one.

    An item whose record holds no condition is met by everyone, as a conjunction of nothing is; ``has_conditions``
    tells it apart.
    """

    def __init__(self, policies: Sequence[Policy]) -> None:
        # Leaf 0 is met by everyone: it stands in for the conditions of an item that has none.
        numbers: dict[Leaf, int] = {}
        slots: list[int] = []
        condition_starts: list[int] = []
        item_starts: list[int] = []
        measured: list[bool] = []
        for policy in policies:
            item_starts.append(len(condition_starts))
            for criterion in policy.criteria:
                condition_starts.append(len(slots))
                leaves = tuple(_leaves(criterion))
                measured.append(any(leaf.op in _MEASURED for leaf in leaves))
                slots += [numbers.setdefault(leaf, len(numbers) + 1) for leaf in leaves]
            if not policy.criteria:
                condition_starts.append(len(slots))
                slots.append(0)
                measured.append(False)
        self.shape = Shape(_index(slots), _index(condition_starts), _index(item_starts))
        self.leaves = tuple(numbers)
        self.has_conditions: Rows = np.array([bool(p.criteria) for p in policies], bool)
        # Whether one can say of a condition by how much it is missed.
        self.is_measured: Rows = np.array(measured, bool)
        self.by_field: dict[str, list[int]] = {}
        for leaf, number in numbers.items():
            self.by_field.setdefault(leaf.field, []).append(number)
        self.fields = tuple(self.by_field)
        places = {field: at for at, field in enumerate(self.fields)}
        # The place in ``fields`` of each leaf's field, by leaf number; leaf 0 has none.
        self.field_numbers = _index([-1, *(places[leaf.field] for leaf in self.leaves)])

    def leaf_codes(self, profile: Profile) -> Codes:
        """What is known of every leaf, by leaf number."""
        codes = np.full(len(self.leaves) + 1, UNKNOWN, np.int8)
        codes[0] = MET
        for field, known in profile.facts.items():
            for number in self.by_field.get(field, ()):
                leaf = self.leaves[number - 1]
                codes[number] = _CODES[truth_with(leaf.op, known, leaf.value)]
        return codes

    def verdict_codes(self, profile: Profile) -> Codes:
        """The verdict of every item as its index in ``VERDICTS``."""
        if not len(self.shape.item_starts):
            return np.empty(0, np.int8)
        return self.shape.items(self.shape.conditions(self.leaf_codes(profile)))


def _leaves(criterion: Criterion) -> Iterator[Leaf]:
    """The conditions on single fields of which one must be met; an alternative within one adds its own."""
    if criterion.op is not Op.OR:
        yield Leaf(criterion.field, criterion.op, _plain(criterion.value))
    elif isinstance(criterion.value, tuple):
        for part in criterion.value:
            if isinstance(part, Criterion):
                yield from _leaves(part)


def _plain(value: Scalar | tuple[str, ...] | tuple[Criterion, ...]) -> Scalar | tuple[str, ...]:
    if isinstance(value, tuple):
        return tuple(item for item in value if isinstance(item, str))
    return value


def _index(numbers: Sequence[int]) -> NDArray[np.intp]:
    return np.array(numbers, np.intp)


def _starts(sizes: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.intp)
