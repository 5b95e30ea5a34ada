"""Finds the one question whose answer settles most: the unknown fact with the highest expected gain.

Let O be the items whose verdict is unknown and that can still be applied for. For a field f that no fact tells and some
open condition of O rests on, A(f) are the answers that differ for those conditions: both of a yes or no; each value a
condition names, and one none names; a number in each interval between the thresholds; of a list, no entry, or one of
those named. All are taken as equally likely. Then

    settles(f) = (1 / |A|) Σ_a  number of items of O that are no longer unknown once f = a
    money(f)   = (1 / |A|) Σ_a  Σ amount of the items of O that are eligible once f = a

A field is worth a question where it settles at least ``FEWEST_SETTLED`` items or brings at least ``LEAST_MONEY_CNY``;
of those the best has the largest ``settles``, then the largest ``money``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from knowledge.fields import FieldSpec
from knowledge.matching import Matcher
from knowledge.policy import Scalar
from knowledge.profile import Profile
from knowledge.verdicts import FAILED, MET, UNKNOWN, Codes, Leaf, Rows, Shape, VerdictTable

FEWEST_SETTLED = 2.0
LEAST_MONEY_CNY = 1_000_000.0
# No condition names this value, so it stands for all others.
_ANOTHER = "\x00"

Answer = Scalar | tuple[str, ...]


@dataclass(frozen=True)
class NextQuestion:
    """What to ask. ``settles`` of ``unknown`` items are expected to be settled, ``money_cny`` expected to be gained."""

    spec: FieldSpec
    settles: float
    money_cny: float
    unknown: int


def next_question(
    matcher: Matcher, profile: Profile, as_of: date, avoid: Collection[str] = ()
) -> NextQuestion | None:
    """The question with the highest expected gain; ``None`` where none is worth it.

    ``avoid`` are the fields already asked or refused; none of them is asked, nor one the profile knows.
    """
    table = matcher.table
    leaves = table.leaf_codes(profile)
    conditions = table.shape.conditions(leaves)
    is_open: Rows = table.shape.items(conditions) == UNKNOWN
    is_open &= matcher.can_match & matcher.on(as_of).can_be_offered
    if not is_open.any():
        return None
    shape, amounts = table.shape.only(is_open), matcher.amounts[is_open]
    best: NextQuestion | None = None
    for field, reach in _reach(table, shape, leaves):
        if best is not None and reach < best.settles:
            break  # no field from here on can settle more
        spec = matcher.fields.get(field)
        if spec is None or field in avoid or field in profile.facts:
            continue
        settles, money = _gain(table, shape, leaves, amounts, spec)
        if settles < FEWEST_SETTLED and money < LEAST_MONEY_CNY:
            continue
        if best is None or (settles, money) > (best.settles, best.money_cny):
            best = NextQuestion(spec, settles, money, len(amounts))
    return best


def _reach(table: VerdictTable, shape: Shape, leaves: Codes) -> list[tuple[str, int]]:
    """How many items each field could settle at most, the largest first: those with an open condition on it."""
    is_open = shape.conditions(leaves) == UNKNOWN
    open_slots = np.repeat(is_open, shape.condition_sizes) & (leaves[shape.slots] == UNKNOWN)
    item_of = np.repeat(np.arange(len(shape.item_starts)), shape.item_sizes)
    items = np.repeat(item_of, shape.condition_sizes)[open_slots]
    fields = table.field_numbers[shape.slots[open_slots]]
    pairs = np.unique(items * len(table.fields) + fields)
    counts = np.bincount(pairs % len(table.fields), minlength=len(table.fields))
    order = np.argsort(-counts, kind="stable")
    return [(table.fields[at], int(counts[at])) for at in order.tolist() if counts[at]]


def _gain(
    table: VerdictTable,
    shape: Shape,
    leaves: Codes,
    amounts: NDArray[np.float64],
    spec: FieldSpec,
) -> tuple[float, float]:
    """The expected number of items settled by the field, and the money they bring, in yuan."""
    numbers = table.by_field[spec.name]
    asked = [table.leaves[number - 1] for number in numbers]
    answers = answers_to(spec, asked)
    told = np.array([[leaf.is_met_by(answer) for leaf in asked] for answer in answers], bool)
    # Only items that rest on the field can change.
    touched = np.isin(shape.slots, numbers)
    of_item = np.repeat(np.repeat(np.arange(len(amounts)), shape.item_sizes), shape.condition_sizes)
    items = np.zeros(len(amounts), bool)
    items[of_item[touched]] = True
    supposed = np.tile(leaves, (len(answers), 1))
    supposed[:, numbers] = np.where(told, MET, FAILED)
    part = shape.only(items)
    codes = part.items(part.conditions(supposed))
    settled = float((codes != UNKNOWN).sum(axis=1).mean())
    money = float(((codes == MET) @ amounts[items]).mean())
    return settled, money


def answers_to(spec: FieldSpec, leaves: Iterable[Leaf]) -> Sequence[Answer]:
    """One answer for each case that the conditions tell apart."""
    if spec.type == "boolean":
        return (True, False)
    values = [leaf.value for leaf in leaves]
    if spec.type == "number":
        return _between(sorted({float(v) for v in values if isinstance(v, int | float)}))
    named = dict.fromkeys(
        each for value in values for each in (value if isinstance(value, tuple) else (str(value),))
    )
    if spec.type == "string":
        return (*named, _ANOTHER)
    return ((), *((each,) for each in named))


def _between(thresholds: Sequence[float]) -> tuple[float, ...]:
    """A number below all thresholds, one in each interval, one above all."""
    inner = ((low + high) / 2 for low, high in pairwise(thresholds))
    return (thresholds[0] - 1, *inner, thresholds[-1] + 1)
