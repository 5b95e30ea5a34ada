"""Enterprise and policy pairs that are eligible or unknown: in blocks, as a parquet file, as Arrow."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from knowledge.enterprise_table import Slice
from knowledge.errors import TableError
from knowledge.label_file import Dictionary, LabelFile, Packed, Runs
from knowledge.masks import Masks, Plan
from knowledge.verdicts import Verdict

COLUMNS = ("enterprise", "policy_id", "verdict", "status")
_VERDICTS = (Verdict.ELIGIBLE, Verdict.UNKNOWN)
_AT_ONCE = 1 << 23  # pairs in one block: 16 MB
_MOST_RUNS = 1 << 15  # in one block, so that its policies can be numbered with 16 bits


@dataclass(frozen=True)
class Labels:
    """What stands for a plan's policies in the pairs, in their order: ids, and their statuses on a day."""

    ids: tuple[str, ...]
    statuses: tuple[str, ...]

    @staticmethod
    def of(plan: Plan, day: date) -> Labels:
        statuses = tuple(policy.status_on(day).value for policy in plan.policies)
        return Labels(tuple(policy.id for policy in plan.policies), statuses)


@dataclass(frozen=True)
class Block:
    """Some pairs of one slice, by policy, then verdict, then the enterprises' order.

    ``rows``, shape (n,), are the enterprises by their place in ``found``. ``runs`` tell of whom, one after the other:
    the policy's place in the plan, the verdict's in ``Verdict``, and how many pairs.
    """

    found: Slice
    rows: NDArray[np.uint16]
    runs: list[tuple[int, int, int]]

    def arrow(self, labels: Labels, at_once: int) -> Iterator[pa.RecordBatch]:
        """The pairs as plain text under ``COLUMNS``, at most ``at_once`` in a batch."""
        numbers, verdicts, lengths = np.array(self.runs).T
        policies, verdicts = np.repeat(numbers, lengths), np.repeat(verdicts, lengths)
        named: list[tuple[pa.StringArray, NDArray[np.int_]]] = [
            (self.found.keys, self.rows.astype(np.int_)),
            (pa.array(labels.ids, pa.string()), policies),
            (pa.array(_VERDICTS, pa.string()), verdicts),
            (pa.array(labels.statuses, pa.string()), policies),
        ]
        for first in range(0, len(self.rows), at_once):
            some = slice(first, first + at_once)
            columns = [texts.take(pa.array(codes[some])) for texts, codes in named]
            yield pa.RecordBatch.from_arrays(columns, names=COLUMNS)


class Pairing:
    """Makes the pairs of one slice after another; ``counts`` adds up the verdicts of all of them."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.counts: Counter[Verdict] = Counter()

    def blocks(self, found: Slice) -> Iterator[Block]:
        """All pairs of a slice."""
        masks = Masks(self._plan, found.columns, len(found))
        making = _Making(found)
        for number in range(len(self._plan.policies)):
            for verdict, bits in enumerate(masks.item(number)):
                making.add(number, verdict, masks.rows(bits))
            if making.is_full:
                yield self._counted(making.block())
                making = _Making(found)
        self.counts[Verdict.INELIGIBLE] += len(found) * len(self._plan.policies)
        if making.runs:
            yield self._counted(making.block())

    def _counted(self, block: Block) -> Block:
        for _, place, count in block.runs:
            self.counts[_VERDICTS[place]] += count
        self.counts[Verdict.INELIGIBLE] -= len(block.rows)
        return block


class _Making:
    """A block that is being filled."""

    def __init__(self, found: Slice) -> None:
        self._found = found
        self._rows = np.empty(_AT_ONCE + 2 * len(found), np.uint16)
        self._filled = 0
        self.runs: list[tuple[int, int, int]] = []

    @property
    def is_full(self) -> bool:
        return self._filled >= _AT_ONCE or len(self.runs) >= _MOST_RUNS

    def add(self, number: int, verdict: int, rows: NDArray[np.intp]) -> None:
        if len(rows):
            end = self._filled + len(rows)
            self._rows[self._filled : end] = rows
            self.runs.append((number, verdict, len(rows)))
            self._filled = end

    def block(self) -> Block:
        return Block(self._found, self._rows[: self._filled], self.runs)


class PairFile:
    """A parquet file of pairs being written, a row group a block."""

    def __init__(self, file: BinaryIO, labels: Labels) -> None:
        self._file, self._labels = LabelFile(file, COLUMNS), labels
        self._verdicts = Dictionary(_VERDICTS)
        self._keys: tuple[Slice, Dictionary] | None = None

    def add(self, block: Block) -> None:
        if self._keys is None or self._keys[0] is not block.found:
            self._keys = block.found, Dictionary(block.found.keys.to_pylist())
        numbers = [number for number, _, _ in block.runs]
        counts = [count for _, _, count in block.runs]
        columns = (
            Packed(self._keys[1], block.rows),
            _runs([self._labels.ids[number] for number in numbers], counts),
            Runs(self._verdicts, [(verdict, count) for _, verdict, count in block.runs]),
            _runs([self._labels.statuses[number] for number in numbers], counts),
        )
        self._file.add(len(block.rows), columns)

    def close(self, facts: Mapping[str, str]) -> None:
        """Ends the file; ``facts`` are kept in its metadata."""
        self._file.close(facts)


def _runs(texts: Sequence[str], counts: Sequence[int]) -> Runs:
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    codes = (places[text] for text in texts)
    return Runs(Dictionary(places), list(zip(codes, counts, strict=True)))


@contextmanager
def written_whole(target: Path, source: Path) -> Iterator[Path]:
    """A path to write to; it takes the target's place when the block ends well, and is gone when it does not.

    Raises ``TableError`` where nothing can be written, or where the target is the ``source`` that is read.
    """
    if target.resolve() == source.resolve():
        raise TableError(str(target), "就是要读的企业表；结果请写到别的文件")
    if target.is_dir():
        raise TableError(str(target), "是一个文件夹，写不成文件")
    try:
        handle, name = tempfile.mkstemp(".part", f".{target.name}.", target.parent)
    except OSError as error:
        raise TableError(str(target), f"写不了：{error.strerror or error}") from error
    os.close(handle)
    part = Path(name)
    try:
        yield part
        _flush(part)
        part.chmod(0o666 & ~_umask())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
