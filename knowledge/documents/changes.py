"""Follows clauses from one edition of a document to the next: who is who, and what is different."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rapidfuzz import fuzz, process

from knowledge.catalogue import KEYS
from knowledge.documents.blocks import bare
from knowledge.documents.outline import Piece
from knowledge.documents.rows import row_of
from knowledge.policy import Clause, Policy

# Two wordings are the same clause, changed, when they share this much (0-100, Indel similarity). In the same place
# less is needed: 第八条 stays 第八条 though half of it is new.
ALIKE = 65.0
ALIKE_IN_PLACE = 45.0
_PLACE_BONUS = 15.0
# Bounds of memory where thousands of rows are nearly the same.
_ROWS_AT_ONCE = 256
_LIKELIEST = 8


class ChangeKind(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    # Same words under another number, heading or facet.
    MOVED = "moved"


@dataclass(frozen=True)
class ClauseChange:
    """One clause that is not as it was. ``old`` is absent for an added one, ``new`` for a removed one."""

    kind: ChangeKind
    id: str
    old: Clause | None
    new: Clause | None

    @property
    def label(self) -> str:
        """What it is called now, or was called last."""
        clause = self.new or self.old
        assert clause is not None
        return clause.label


@dataclass(frozen=True)
class FactChange:
    """A key of the record with its values as a row has them."""

    key: str
    old: Any
    new: Any


@dataclass(frozen=True)
class PolicyChange:
    """What an import does to one policy; ``kept`` counts the clauses that stay as they are.

    ``repaged`` counts clauses of which only the page differs: that is no change of the policy.
    """

    policy_id: str
    title: str
    is_new: bool
    facts: tuple[FactChange, ...]
    clauses: tuple[ClauseChange, ...]
    kept: int
    repaged: int = 0

    @property
    def is_nothing(self) -> bool:
        return not (self.is_new or self.facts or self.clauses)

    def counts(self) -> dict[str, int]:
        """How many clauses of each kind, ``kept`` included."""
        found = {kind.value: 0 for kind in ChangeKind}
        for change in self.clauses:
            found[change.kind.value] += 1
        return found | {"kept": self.kept}


def number_of(clause_id: str) -> int:
    """12 for ``FT-201#c12``; 0 for a clause that is no part of a document's wording."""
    name = clause_id.rpartition("#c")[2]
    return int(name) if name.isascii() and name.isdigit() else 0


def align(old: Sequence[Clause], pieces: Sequence[Piece], highest: int) -> list[int]:
    """The clause number of every piece. ``highest`` is the highest ever given in this policy.

    A piece that says what an old clause says keeps its number wherever it went; of those left, pairs that are alike
    keep it too, the most alike first; the rest get numbers never given before.
    """
    numbers: dict[int, int] = {}
    free = dict(enumerate(old))
    _match_equal(free, pieces, numbers)
    _match_alike(free, pieces, numbers)
    for index in range(len(pieces)):
        if index not in numbers:
            highest += 1
            numbers[index] = highest
    return [numbers[index] for index in range(len(pieces))]


def _match_equal(free: dict[int, Clause], pieces: Sequence[Piece], numbers: dict[int, int]) -> None:
    """By words; among equal words (营业执照) first under the same label, then in order."""
    same: defaultdict[str, list[int]] = defaultdict(list)
    for at, clause in free.items():
        same[bare(clause.text)].append(at)
    for needs_label in (True, False):
        for index, piece in enumerate(pieces):
            if index in numbers:
                continue
            places = same.get(bare(piece.text), [])
            found = next(
                (at for at in places if not needs_label or free[at].label == piece.label), None
            )
            if found is not None:
                places.remove(found)
                numbers[index] = number_of(free.pop(found).id)


def _match_alike(free: dict[int, Clause], pieces: Sequence[Piece], numbers: dict[int, int]) -> None:
    left = [index for index in range(len(pieces)) if index not in numbers]
    places = list(free)
    pairs: list[tuple[float, int, int]] = []
    for start in range(0, len(left) if places else 0, _ROWS_AT_ONCE):
        pairs += _likely_pairs(left[start : start + _ROWS_AT_ONCE], places, free, pieces)
    for _, index, at in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if index not in numbers and at in free:
            numbers[index] = number_of(free.pop(at).id)


def _likely_pairs(
    rows: Sequence[int], places: Sequence[int], free: Mapping[int, Clause], pieces: Sequence[Piece]
) -> Iterator[tuple[float, int, int]]:
    """Score, piece and old clause of pairs that may be one clause: for each piece the likeliest few, and its place."""
    scores = process.cdist(
        [bare(pieces[index].text) for index in rows],
        [bare(free[at].text) for at in places],
        scorer=fuzz.ratio,
        score_cutoff=ALIKE_IN_PLACE,
    )
    by_label: defaultdict[str, list[int]] = defaultdict(list)
    for column, at in enumerate(places):
        by_label[free[at].label].append(column)
    for row, index in enumerate(rows):
        in_place = set(by_label.get(pieces[index].label, ()))
        likeliest = scores[row].argsort()[::-1][:_LIKELIEST]
        for column in sorted(in_place | set(likeliest.tolist())):
            score = float(scores[row, column])
            if score >= (ALIKE_IN_PLACE if column in in_place else ALIKE):
                bonus = _PLACE_BONUS if column in in_place else 0.0
                yield score + bonus, index, places[column]


def change_of(old: Policy | None, new: Policy) -> PolicyChange:
    """What is different in ``new``; ``old`` absent means the policy was not there."""
    before = {clause.id: clause for clause in old.wording} if old else {}
    after = {clause.id: clause for clause in new.wording}
    clauses: list[ClauseChange] = []
    kept = repaged = 0
    for clause in new.wording:
        kind = _kind(before.get(clause.id), clause)
        if kind is None:
            kept += 1
            repaged += before[clause.id].page != clause.page
        else:
            clauses.append(ClauseChange(kind, clause.id, before.get(clause.id), clause))
    gone = (clause for clause in before.values() if clause.id not in after)
    clauses += [ClauseChange(ChangeKind.REMOVED, clause.id, clause, None) for clause in gone]
    return PolicyChange(
        new.id, new.title, old is None, _facts(old, new), tuple(clauses), kept, repaged
    )


def _kind(old: Clause | None, new: Clause) -> ChangeKind | None:
    if old is None:
        return ChangeKind.ADDED
    if old.text != new.text:
        return ChangeKind.CHANGED
    same_place = (old.label, old.path, old.facet) == (new.label, new.path, new.facet)
    return None if same_place else ChangeKind.MOVED


def _facts(old: Policy | None, new: Policy) -> tuple[FactChange, ...]:
    before, after = (row_of(old) if old else {}), row_of(new)
    return tuple(
        FactChange(key, before.get(key), after.get(key))
        for key in KEYS
        if key not in {"id", "wording"} and before.get(key) != after.get(key)
    )
