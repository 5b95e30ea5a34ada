"""From a policy to the enterprises: who can have it, and who would gain or lose if a condition changed."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.enterprise_table import EnterpriseTable, Slice
from knowledge.masks import Masks, Plan
from knowledge.pairs import written_whole
from knowledge.policy import Criterion, Policy
from knowledge.sweep import Progress
from knowledge.tally import GROUPED_BY, Tally
from knowledge.verdicts import VERDICTS

_VERDICTS = tuple(verdict.value for verdict in VERDICTS)
_EFFECTS = ("gained", "lost", "unknown", "ruled_out", "same")
_ELIGIBLE, _UNKNOWN, _INELIGIBLE = range(3)


@dataclass(frozen=True)
class Effect:
    """What a changed condition does.

    ``before`` and ``after`` count verdicts. ``tally`` counts enterprises: ``gained`` become eligible, ``lost`` were and
    are no longer, ``unknown`` lack the facts to tell whether the change touches them, ``ruled_out`` might have been
    eligible and cannot be now, ``same`` are as before.
    """

    policy: Policy
    changed: Policy
    before: Counter[str]
    after: Counter[str]
    tally: Tally


def reach(
    policy: Policy,
    table: EnterpriseTable,
    out: Path | None = None,
    progress: Progress = lambda done, total: None,
) -> Tally:
    """Counts the enterprises by their verdict on a policy.

    ``out``, a csv file, lists those who are eligible or of whom it cannot be told yet. Raises ``TableError`` where a
    file cannot be read or written.
    """
    plan, tally, done = Plan.of([policy]), Tally(_VERDICTS), 0
    with _listing(out, table.file.path) as write:
        for found in table.slices():
            codes = Masks(plan, found.columns, len(found)).verdicts(0)
            tally.add(found, codes)
            write(found, codes)
            done += len(found)
            progress(done, table.file.rows)
    return tally


def what_if(
    policy: Policy,
    changed: Policy,
    table: EnterpriseTable,
    progress: Progress = lambda done, total: None,
) -> Effect:
    """Holds both forms of a policy against the enterprises. Raises ``TableError`` as ``reach`` does."""
    plan = Plan.of(
        replace(policy, id=f"{number}", criteria=criteria)
        for number, criteria in enumerate(
            (
                policy.criteria,
                changed.criteria,
                _only(policy.criteria, changed.criteria),
                _only(changed.criteria, policy.criteria),
            )
        )
    )
    before, after, tally, done = Counter[str](), Counter[str](), Tally(_EFFECTS), 0
    for found in table.slices():
        masks = Masks(plan, found.columns, len(found))
        for number, counter in enumerate((before, after)):
            counter.update({each.value: n for each, n in masks.counts(number).items()})
        tally.add(found, _effects([masks.verdicts(number) for number in range(4)]))
        done += len(found)
        progress(done, table.file.rows)
    return Effect(policy, changed, before, after, tally)


def _only(these: tuple[Criterion, ...], not_these: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
    return tuple(criterion for criterion in these if criterion not in not_these)


def _effects(verdicts: list[NDArray[np.int8]]) -> NDArray[np.int8]:
    """The effect on each, shape (n,), as its place in ``_EFFECTS``.

    ``verdicts`` are those before and after, then those of the changed condition alone: where the facts it needs are
    known and settle it alike both times, the change does not touch the enterprise, whatever else is missing.
    """
    was, now, was_condition, now_condition = verdicts
    is_settled = (was_condition == now_condition) & (now_condition != _UNKNOWN)
    cases = [
        (now == _ELIGIBLE) & (was != _ELIGIBLE),
        (was == _ELIGIBLE) & (now != _ELIGIBLE),
        (now == _UNKNOWN) & ~is_settled,
        (was == _UNKNOWN) & (now == _INELIGIBLE),
    ]
    return np.select(cases, [0, 1, 2, 3], 4).astype(np.int8)


@contextmanager
def _listing(out: Path | None, source: Path) -> Iterator[Any]:
    """A function that writes the rows of one slice; it writes nothing without a file."""
    if out is None:
        yield lambda found, codes: None
        return
    with (
        written_whole(out, source) as part,
        part.open("w", encoding="utf-8-sig", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(("enterprise", "name", "verdict", *GROUPED_BY))
        yield lambda found, codes: writer.writerows(_rows(found, codes))


def _rows(found: Slice, codes: NDArray[np.int8]) -> Iterator[tuple[object, ...]]:
    columns = [found.column(name) for name in GROUPED_BY]
    for row in map(int, np.flatnonzero(codes != _INELIGIBLE)):
        groups = (column.value(row) for column in columns)
        yield found.keys[row].as_py(), found.names[row].as_py(), _VERDICTS[codes[row]], *groups
