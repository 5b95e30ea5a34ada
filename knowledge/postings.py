"""Which texts hold which words, and how often: the immutable segments a word index is made of."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from knowledge.stored import damaged, link, read_array, read_json, write_array, write_json

Keys = NDArray[np.uint64]
Rows = NDArray[np.int32]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_OTHER = re.compile(r"[a-z]+|\d+(?:\.\d+)?")
_FIRST, _LAST = 0x3400, 0x9FFF
_SHIFT = 21
_HASHED = 1 << 63
_BATCH = 20_000
_PARTS = ("keys", "starts", "rows", "counts", "lengths")


def word_key(word: str) -> int:
    """The 64-bit key of a word: the code points of one or two Chinese characters, else a hash with the top bit set.

    Among a million other words two share a hash with a chance of 1 in 10 million.
    """
    codes = [ord(character) for character in word]
    if len(codes) <= 2 and codes and all(_FIRST <= code <= _LAST for code in codes):
        return codes[0] if len(codes) == 1 else codes[0] << _SHIFT | codes[1]
    digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little") | _HASHED


def _word(key: int, names: Mapping[int, str]) -> str:
    if key & _HASHED:
        return names[key]
    first = key >> _SHIFT
    return (chr(first) if first else "") + chr(key & ((1 << _SHIFT) - 1))


@dataclass(frozen=True)
class Segment:
    """The words of some texts, grouped by word.

    Word ``w`` (``keys``, ascending, shape ``(words,)``) stands ``counts[i]`` times in text ``rows[i]`` for ``i`` in
    ``starts[w]:starts[w + 1]``, rows ascending. ``lengths`` (shape ``(texts,)``) are the texts' words, repeats
    counted; ``names`` spells the hashed keys. ``folder`` is where it is stored, absent while it is only in memory.
    """

    keys: Keys
    starts: NDArray[np.int64]
    rows: Rows
    counts: NDArray[Any]
    lengths: Rows
    names: Mapping[int, str]
    folder: Path | None = field(default=None, compare=False)

    @property
    def size(self) -> int:
        """How many texts."""
        return len(self.lengths)

    def spans(self, keys: Keys) -> NDArray[np.int64]:
        """Shape ``(len(keys), 2)``: where each word's postings begin and end; equal where no text has it."""
        if not len(self.keys):
            return np.zeros((len(keys), 2), np.int64)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        found = np.stack([self.starts[at], self.starts[at + 1]], axis=1)
        found[self.keys[at] != keys] = 0
        return found

    def impacts(self, keys: Keys, weights: Floats, norms: Floats) -> Floats:
        """BM25 of every text: the sum of ``weight * tf / (tf + norm)`` over the words, shape ``(texts,)``."""
        spans = self.spans(keys)
        sizes = spans[:, 1] - spans[:, 0]
        if not sizes.any():
            return np.zeros(self.size, np.float32)
        rows = np.concatenate([self.rows[a:b] for a, b in spans])
        impact = np.concatenate([self.counts[a:b] for a, b in spans]).astype(np.float32)
        impact /= impact + norms.take(rows)
        ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
        # The product of a sparse matrix with a vector is the fastest scatter-add NumPy or SciPy has.
        by_word = csr_array((impact, rows, ends), shape=(len(keys), self.size))
        scores: Floats = by_word.T @ weights
        return scores

    def held(self, keys: Keys, asked: Rows) -> Mask:
        """Shape ``(len(keys), len(asked))``: which of the texts hold which words."""
        found = np.zeros((len(keys), len(asked)), bool)
        for line, (a, b) in enumerate(self.spans(keys)):
            if b > a:
                rows = self.rows[a:b]
                at = np.minimum(np.searchsorted(rows, asked), b - a - 1)
                found[line] = rows[at] == asked
        return found

    def words_of(self, row: int) -> frozenset[str]:
        """The words of one text; reads every posting."""
        at = np.flatnonzero(self.rows == row)
        columns = np.searchsorted(self.starts, at, side="right") - 1
        return frozenset(_word(int(key), self.names) for key in self.keys[columns])

    def save(self, folder: Path) -> None:
        """Fills a new folder; what is stored already is linked."""
        folder.mkdir()
        if self.folder is not None and self.folder.is_dir():
            for path in self.folder.iterdir():
                link(path, folder / path.name)
            return
        for name in _PARTS:
            write_array(folder / f"{name}.npy", getattr(self, name))
        write_json(folder / "names.json", list(self.names.values()))

    @classmethod
    def load(cls, folder: Path) -> Segment:
        """A stored segment, mapped.

        Raises:
            StoredIndexError: a file is damaged or they do not fit each other.
            FileNotFoundError: a file is absent.
        """
        keys = read_array(folder / "keys.npy", np.uint64)
        starts = read_array(folder / "starts.npy", np.int64)
        rows = read_array(folder / "rows.npy", np.int32)
        counts = read_array(folder / "counts.npy", np.uint8, np.uint16, np.uint32)
        lengths = read_array(folder / "lengths.npy", np.int32)
        if len(starts) != len(keys) + 1 or not len(rows) == len(counts) == starts[-1]:
            raise damaged(folder, "its arrays do not fit each other")
        names = {word_key(name): name for name in read_json(folder / "names.json")}
        return cls(keys, starts, rows, counts, lengths, names, folder)


def build_segment(texts: Sequence[str], singles: bool = False) -> Segment:
    """The segment of folded texts (``lexical.fold``); ``singles`` as in ``lexical.tokens``."""
    parts = [_build(texts[at : at + _BATCH], singles) for at in range(0, len(texts), _BATCH)]
    return merge(parts, [None] * len(parts)) if len(parts) != 1 else parts[0]


def _build(texts: Sequence[str], singles: bool = False) -> Segment:
    keys, rows, names = read_words(texts, singles)
    lengths = np.bincount(rows, minlength=len(texts)).astype(np.int32)
    vocabulary, words = np.unique(keys, return_inverse=True)
    cells, counts = np.unique(words.astype(np.int64) * len(texts) + rows, return_counts=True)
    columns, held_by = np.divmod(cells, max(len(texts), 1))
    starts = np.searchsorted(columns, np.arange(len(vocabulary) + 1)).astype(np.int64)
    return Segment(vocabulary, starts, held_by.astype(np.int32), _small(counts), lengths, names)


def _small(counts: NDArray[Any]) -> NDArray[Any]:
    return counts.astype(np.min_scalar_type(int(counts.max(initial=0))))


def read_words(texts: Sequence[str], singles: bool = False) -> tuple[Keys, Rows, dict[int, str]]:
    """Every word of folded texts, as ``lexical.tokens`` finds them: keys, their texts, spelling of hashed keys.

    The same rule over whole arrays, ten times faster than one text after another; a test holds them together.
    """
    joined = "\n".join(texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    row_at = np.zeros(len(codes) + 1, np.int32)
    row_at[1:] = np.cumsum(codes == ord("\n"))
    chinese = np.zeros(len(codes) + 2, bool)
    chinese[1:-1] = (codes >= _FIRST) & (codes <= _LAST)
    first = np.flatnonzero(chinese[1:-1] & chinese[2:])
    alone = np.flatnonzero(chinese[1:-1] & (singles | ~(chinese[:-2] | chinese[2:])))
    pairs = codes[first] << np.uint64(_SHIFT) | codes[np.minimum(first + 1, len(codes) - 1)]
    others = [(match.group(), match.start()) for match in _OTHER.finditer(joined)]
    key_of = {word: word_key(word) for word in {word for word, _ in others}}
    other_keys = np.array([key_of[word] for word, _ in others], np.uint64)
    other_rows = row_at[np.array([place for _, place in others], np.int64)]
    keys = np.concatenate([pairs, codes[alone], other_keys])
    rows = np.concatenate([row_at[first], row_at[alone], other_rows])
    return keys, rows, {key: word for word, key in key_of.items()}


def merge(parts: Sequence[Segment], dead: Sequence[Mask | None]) -> Segment:
    """The texts of all parts in their order as one segment; texts masked ``dead`` keep their place but lose their words.

    Postings are moved, not sorted: a word's texts in a later part come after those in an earlier one.
    """
    kept = [_without(part, mask) for part, mask in zip(parts, dead, strict=True)]
    keys = np.unique(np.concatenate([np.zeros(0, np.uint64), *(part.keys for part in kept)]))
    columns = [np.searchsorted(keys, part.keys) for part in kept]
    sizes = np.zeros(len(keys), np.int64)
    for part, column in zip(kept, columns, strict=True):
        sizes[column] += np.diff(part.starts)
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    rows = np.empty(starts[-1], np.int32)
    counts = np.empty(starts[-1], np.result_type(np.uint8, *(part.counts.dtype for part in kept)))
    free, offset = starts[:-1].copy(), 0
    for part, column in zip(kept, columns, strict=True):
        own = np.diff(part.starts)
        target = np.repeat(free[column] - part.starts[:-1], own) + np.arange(len(part.rows))
        rows[target] = part.rows + np.int32(offset)
        counts[target] = part.counts
        free[column] += own
        offset += part.size
    lengths = np.concatenate([np.zeros(0, np.int32), *(part.lengths for part in kept)])
    names = {key: name for part in kept for key, name in part.names.items()}
    return Segment(keys, starts, rows, counts, lengths, names)


def _without(part: Segment, dead: Mask | None) -> Segment:
    if dead is None or not dead.any():
        return part
    keep = ~dead[part.rows]
    before = np.concatenate([[0], np.cumsum(keep)])[part.starts]
    used = np.diff(before) > 0
    starts = np.concatenate([before[:-1][used], before[-1:]])
    keys = part.keys[used]
    left = set(keys.tolist())
    names = {key: name for key, name in part.names.items() if key in left}
    lengths = np.where(dead, 0, part.lengths).astype(np.int32)
    return Segment(keys, starts, part.rows[keep], part.counts[keep], lengths, names)
