"""Enterprise and policy pairs that are eligible or unknown, as Arrow batches and as a parquet file."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from knowledge.enterprise_table import Slice
from knowledge.errors import TableError
from knowledge.masks import Masks, Plan, Verdict

# What the file holds, all of it text; in memory the numbers that stand for the texts are as short as they can be.
_NUMBERS = {
    "enterprise": pa.int16(),  # of a slice
    "policy_id": pa.int32(),
    "verdict": pa.int8(),
}
PAIRS = pa.schema(
    [
        pa.field(name, pa.dictionary(number, pa.string()), nullable=False)
        for name, number in _NUMBERS.items()
    ]
)
_AT_ONCE = 1 << 21  # pairs in one batch: 15 MB, and 4 MB in the file
_LARGEST_DICTIONARY = 1 << 26  # bytes; beyond it pyarrow would write every key again for every pair


class Pairing:
    """Makes the pairs of one slice after another; ``counts`` adds up the verdicts of all of them."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._ids = pa.array([policy.id for policy in plan.policies], pa.string())
        self._verdicts = pa.array([Verdict.ELIGIBLE, Verdict.UNKNOWN], pa.string())
        self.counts: Counter[Verdict] = Counter()

    def batches(self, found: Slice) -> Iterator[pa.RecordBatch]:
        """The pairs of a slice by policy, then verdict, then the enterprises' order; ``PAIRS`` is the schema."""
        masks = Masks(self._plan, found.columns, len(found))
        self.counts[Verdict.INELIGIBLE] += len(found) * len(self._plan.policies)
        rows, runs, waiting = [], [], 0
        for number in range(len(self._plan.policies)):
            for verdict, bits in enumerate(masks.item(number)):
                here = masks.rows(bits).astype(np.int16)
                rows.append(here)
                runs.append((number, verdict, len(here)))
                waiting += len(here)
            if waiting >= _AT_ONCE:
                yield self._batch(found, rows, runs)
                rows, runs, waiting = [], [], 0
        if waiting:
            yield self._batch(found, rows, runs)

    def _batch(
        self, found: Slice, rows: list[Any], runs: list[tuple[int, int, int]]
    ) -> pa.RecordBatch:
        numbers, verdicts, lengths = np.array(runs, np.int32).T
        for place, verdict in enumerate((Verdict.ELIGIBLE, Verdict.UNKNOWN)):
            pairs = int(lengths[verdicts == place].sum())
            self.counts[verdict] += pairs
            self.counts[Verdict.INELIGIBLE] -= pairs
        columns = [
            (np.concatenate(rows), found.keys),
            (np.repeat(numbers, lengths), self._ids),
            (np.repeat(verdicts.astype(np.int8), lengths), self._verdicts),
        ]
        return pa.RecordBatch.from_arrays(
            [pa.DictionaryArray.from_arrays(codes, labels) for codes, labels in columns],
            schema=PAIRS,
        )


class PairFile:
    """A parquet file of pairs being written."""

    def __init__(self, path: Path) -> None:
        # Statistics would sort the keys of every batch: ten times the cost of writing the pairs.
        self._writer = pq.ParquetWriter(
            path,
            PAIRS,
            compression="none",
            write_statistics=False,
            dictionary_pagesize_limit=_LARGEST_DICTIONARY,
            write_batch_size=1 << 16,
            data_page_size=1 << 22,
            store_schema=False,
        )

    def add(self, batch: pa.RecordBatch) -> None:
        self._writer.write_table(pa.Table.from_batches([batch]), row_group_size=len(batch))

    def close(self, facts: Mapping[str, str]) -> None:
        """Ends the file; ``facts`` are kept in its metadata."""
        self._writer.add_key_value_metadata(dict(facts))
        self._writer.close()


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
