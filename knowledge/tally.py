"""Counts enterprises by what becomes of them, in all and by industry and street."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from knowledge.columns import Choices
from knowledge.enterprise_table import Slice

GROUPED_BY = ("industry", "street")
NOT_KNOWN = "未知"
_SHOWN = 10


@dataclass
class Tally:
    """``counts`` by label; ``groups`` the same by the value of a field, ``NOT_KNOWN`` where that is missing.

    ``first`` names a few enterprises of each label, by name where they have one.
    """

    labels: Sequence[str]
    counts: Counter[str] = field(default_factory=Counter)
    groups: dict[str, dict[str, Counter[str]]] = field(
        default_factory=lambda: {name: {} for name in GROUPED_BY}
    )
    first: dict[str, list[str]] = field(default_factory=dict)

    def add(self, found: Slice, codes: NDArray[np.int8]) -> None:
        """Counts a slice; ``codes``, shape (n,), point into ``labels``."""
        for label, count in zip(
            self.labels, np.bincount(codes, minlength=len(self.labels)), strict=True
        ):
            self.counts[label] += int(count)
        for name in GROUPED_BY:
            self._add_group(name, found, codes)
        for code, label in enumerate(self.labels):
            shown = self.first.setdefault(label, [])
            for row in np.flatnonzero(codes == code)[: _SHOWN - len(shown)]:
                shown.append(found.names[int(row)].as_py() or found.keys[int(row)].as_py())

    def by(self, name: str, labels: Sequence[str]) -> list[tuple[str, Counter[str]]]:
        """The groups of a field that have any of these labels, those with most of them first."""
        some = [
            each for each in self.groups[name].items() if any(each[1][label] for label in labels)
        ]
        return sorted(some, key=lambda each: ([-each[1][label] for label in labels], each[0]))

    def _add_group(self, name: str, found: Slice, codes: NDArray[np.int8]) -> None:
        column = found.column(name)
        if not isinstance(column, Choices):
            return
        names = [*map(str, column.values), NOT_KNOWN]
        group = np.where(column.known, column.codes, len(names) - 1)
        wide = len(self.labels)
        table = np.bincount(group * wide + codes, minlength=len(names) * wide).reshape(-1, wide)
        for named, row in zip(names, table.tolist(), strict=True):
            if any(row):
                here = self.groups[name].setdefault(named, Counter())
                here.update(dict(zip(self.labels, row, strict=True)))
