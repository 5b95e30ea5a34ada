"""Ranks texts by shared words: BM25 over character bigrams, and how much of a question the texts know."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from opencc import OpenCC

from knowledge.postings import Keys, Mask, Segment, build_segment, merge, word_key
from knowledge.stored import damaged, read_array, read_json, write_array, write_json

Scores = NDArray[np.float32]

# Control, zero-width and direction characters; what separates words stays.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
_RUN = re.compile(r"[㐀-鿿]+|[a-z]+|\d+(?:\.\d+)?")

# They only ask; in formal texts they are rare, so BM25 would take them for the most telling words of a question.
_ASKING = re.compile(
    "请问一下|请问|想问一下|我想问|想知道|想了解|问一下|麻烦|您好|你好|怎么办理|怎么办|怎么样|怎么|怎样|如何"
    "|什么时候|什么样的|什么样|什么|哪些|哪里|哪个|哪儿|多少钱|多少|多久|多长时间|多长|几个|几天|几年|是不是|能不能|可不可以"
    "|有没有|是否|为什么|为何|可以吗|吗|呢|吧|啊|呀|我们|我|你们|你|他们|一下|的话|是谁|谁|咩|嘅|点样|边度|几多"
)

K1, B = 1.5, 0.75
# A new segment swallows those before it that are not this many times its size: few segments, few rewrites.
_GROWTH = 4
_REMEMBERED_ROWS = 8192


@lru_cache(maxsize=1)
def _to_simplified() -> OpenCC:
    return OpenCC("t2s")


def fold(text: str) -> str:
    """One spelling for search: half width, lower case, simplified characters, single spaces, nothing invisible.

    Half a surrogate pair, which a browser can send, becomes a question mark: no engine can read it.
    """
    readable = text.encode("utf-8", "replace").decode("utf-8")
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFKC", readable).lower())
    folded: str = _to_simplified().convert(" ".join(visible.split()))
    return folded


def tokens(text: str, singles: bool = False) -> list[str]:
    """Character bigrams of Chinese runs, whole words of Latin letters and digits; with ``singles`` every character too.

    Bigrams beat segmented words on policy texts by 2-6 points of Recall@1 (measured, README "数字"). Single characters
    are what spoken questions share with written texts (罚 and 罚款): up to 16 points more (docs/models.md).
    """
    found: list[str] = []
    for run in _RUN.findall(fold(text)):
        if "㐀" <= run[0] <= "鿿" and len(run) > 1:
            found += [run[i : i + 2] for i in range(len(run) - 1)]
            found += run if singles else ()
        else:
            found.append(run)
    return found


def question_words(text: str, singles: bool = True) -> list[str]:
    """The words of a question less what only asks (怎么办, 多少, 请问); all if nothing is left. ``singles`` as in ``tokens``."""
    return tokens(_ASKING.sub(" ", fold(text)), singles) or tokens(text, singles)


def telling(words: Iterable[str]) -> list[str]:
    """The words without the single Chinese characters that stand in a longer one; they say little on their own."""
    words = list(words)
    inside = {character for word in words if len(word) == 2 for character in word}
    return [word for word in words if word not in inside]


class WordIndex:
    """BM25 (Lucene's variant, k1 = 1.5, b = 0.75) over texts that may be added, taken out and stored.

    Texts are rows in the order they came; a removed text keeps its row, scores zero, and counts for nothing. Scores
    equal those of ``bm25s`` built anew over the texts left (a test compares them). Readers may run beside a writer:
    each call sees the state before or after a change. One writer at a time.
    """

    def __init__(self, texts: Iterable[str] = (), singles: bool = False) -> None:
        """``singles``: single Chinese characters are words as well, as in ``tokens``."""
        self.singles = singles
        self._state = _State([build_segment([fold(text) for text in texts], singles)])

    def __len__(self) -> int:
        """Rows, removed ones included."""
        return self._state.rows

    def copy(self) -> WordIndex:
        """Another index that changes on its own; they share what neither changes."""
        twin = WordIndex.__new__(WordIndex)
        twin.singles = self.singles
        twin._state = self._state
        return twin

    def add(self, texts: Sequence[str]) -> range:
        """Takes texts in; returns their rows."""
        first = len(self)
        if texts:
            segment = build_segment([fold(text) for text in texts], self.singles)
            self._state = self._state.grown(segment)
        return range(first, len(self))

    def remove(self, rows: Iterable[int]) -> None:
        """Takes texts out; rows that are out already stay out."""
        self._state = self._state.without(list(rows))

    def scores(self, words: Sequence[str]) -> Scores:
        """Shape ``(texts,)``; zero where no word is shared. A word asked twice counts twice."""
        state = self._state
        times: dict[str, int] = {}
        for word in words:
            if state.count(word):
                times[word] = times.get(word, 0) + 1
        keys = np.array([word_key(word) for word in times], np.uint64)
        weights = np.array([state.idf(word) * n for word, n in times.items()], np.float32)
        parts = [
            segment.impacts(keys, weights, norms)
            for segment, norms in zip(state.segments, state.norms, strict=True)
        ]
        scores = parts[0] if len(parts) == 1 else np.concatenate(parts)
        for offset, mask in state.removed():
            scores[offset : offset + len(mask)][mask] = 0
        return scores

    def holds(self, index: int) -> frozenset[str]:
        """The words of text ``index``; none if it was removed. Reads all postings; ``held`` asks for given words."""
        return self._state.holds(index)

    def idf(self, word: str) -> float:
        """How telling a word is; most for one that no text has."""
        return self._state.idf(word)

    def cover(self, words: Sequence[str], index: int) -> float:
        """Share (0-1) of the words' idf mass that text ``index`` holds; 0 for no words."""
        state = self._state
        asked = sorted(set(words))  # sums of floats depend on their order
        mass = sum(state.idf(word) for word in asked)
        if not mass:
            return 0.0
        held = state.held(asked, np.array([index], np.int64))[:, 0].tolist()
        return sum(state.idf(word) for word, has in zip(asked, held, strict=True) if has) / mass

    def count(self, word: str) -> int:
        """How many texts hold the word."""
        return self._state.count(word)

    def held(self, words: Sequence[str], rows: Sequence[int] | NDArray[np.int64]) -> Mask:
        """Shape ``(len(words), len(rows))``: which of these texts hold which words; made for many texts."""
        return self._state.held(words, np.asarray(rows, np.int64))

    def covers(self, words: Sequence[str], rows: Sequence[int] | NDArray[np.int64]) -> Scores:
        """``cover`` of each of these texts, shape ``(len(rows),)``; made for many texts."""
        state = self._state
        asked = sorted(set(words))
        weights = np.array([state.idf(word) for word in asked], np.float32)
        if not len(asked):
            return np.zeros(len(rows), np.float32)
        shares: Scores = weights @ state.held(asked, np.asarray(rows, np.int64)) / weights.sum()
        return shares

    def save(self, folder: Path) -> None:
        """Fills a new folder; segments stored before are linked, not written again."""
        state = self._state
        folder.mkdir()
        for number, segment in enumerate(state.segments):
            segment.save(folder / f"{number:03d}")
        write_array(folder / "removed.npy", state.removed_rows())
        sizes = [segment.size for segment in state.segments]
        write_json(folder / "words.json", {"sizes": sizes, "singles": self.singles})

    def stored_in(self, folder: Path) -> None:
        """Notes that ``folder`` holds this state, so that the next ``save`` can link to it."""
        self._state = self._state.stored_in(folder)

    @classmethod
    def load(cls, folder: Path) -> WordIndex:
        """A stored index, mapped.

        Raises:
            StoredIndexError: a file is damaged or they do not fit each other.
            FileNotFoundError: a file is absent.
        """
        told = read_json(folder / "words.json")
        sizes = told["sizes"]
        segments = [Segment.load(folder / f"{number:03d}") for number in range(len(sizes))]
        if [segment.size for segment in segments] != sizes:
            raise damaged(folder / "words.json", "its sizes are not those of the segments")
        index = cls.__new__(cls)
        index.singles = bool(told.get("singles", False))
        removed = read_array(folder / "removed.npy", np.int64)
        index._state = _State(segments).without(removed.tolist())
        return index


class _State:
    """One unchanging state of a word index: segments, what was removed of each, and the norms of their texts.

    A text's norm is ``k1 (1 - b + b length / mean length)``: what a word's count is weighed against.
    """

    def __init__(self, segments: list[Segment], dead: list[Mask | None] | None = None) -> None:
        self.segments = segments
        self._dead = dead or [None] * len(segments)
        self._starts = np.cumsum([0, *(segment.size for segment in segments)])
        self.rows = int(self._starts[-1])
        gone = [0 if mask is None else int(mask.sum()) for mask in self._dead]
        self.texts = self.rows - sum(gone)
        words = sum(
            int(segment.lengths.sum(dtype=np.int64, where=True if mask is None else ~mask))
            for segment, mask in zip(segments, self._dead, strict=True)
        )
        mean = words / self.texts if words else 1.0
        self.norms = [
            np.asarray(K1 * (1 - B) + K1 * B / mean * segment.lengths, np.float32)
            for segment in segments
        ]
        self._counts: dict[str, int] = {}
        self._held: dict[int, frozenset[str]] = {}

    def grown(self, new: Segment) -> _State:
        segments, dead = list(self.segments), list(self._dead)
        first, size = len(segments), new.size
        while first and segments[first - 1].size < _GROWTH * size:
            first -= 1
            size += segments[first].size
        masks = dead[first:]
        merged = merge([*segments[first:], new], [*masks, None]) if first < len(segments) else new
        gone = [
            np.zeros(segment.size, bool) if mask is None else mask
            for segment, mask in zip(segments[first:], masks, strict=True)
        ]
        mask = np.concatenate([*gone, np.zeros(new.size, bool)])
        return _State([*segments[:first], merged], [*dead[:first], mask if mask.any() else None])

    def without(self, rows: Sequence[int]) -> _State:
        dead = list(self._dead)
        for row in rows:
            if not 0 <= row < self.rows:
                raise IndexError(f"row {row}: the index has rows 0 to {self.rows - 1}")
        at = np.searchsorted(self._starts, rows, side="right") - 1
        for number in set(at.tolist()):
            mask = dead[number]
            mask = np.zeros(self.segments[number].size, bool) if mask is None else mask.copy()
            mask[np.asarray(rows)[at == number] - self._starts[number]] = True
            dead[number] = mask
        return _State(self.segments, dead)

    def stored_in(self, folder: Path) -> _State:
        segments = [
            replace(segment, folder=folder / f"{number:03d}")
            for number, segment in enumerate(self.segments)
        ]
        return _State(segments, self._dead)

    def count(self, word: str) -> int:
        """How many texts hold the word."""
        known = self._counts.get(word)
        if known is None:
            if len(self._counts) > 100_000:
                self._counts.clear()
            known = self._counts[word] = self._count(np.array([word_key(word)], np.uint64))
        return known

    def _count(self, key: Keys) -> int:
        total = 0
        for segment, dead in zip(self.segments, self._dead, strict=True):
            start, stop = segment.spans(key)[0]
            total += int(stop - start)
            if dead is not None and stop > start:
                total -= int(np.count_nonzero(dead[segment.rows[start:stop]]))
        return total

    def idf(self, word: str) -> float:
        count = self.count(word)
        return float(np.log(1 + (self.texts - count + 0.5) / (count + 0.5)))

    def holds(self, index: int) -> frozenset[str]:
        known = self._held.get(index)
        if known is None:
            number, row = self._place(index)
            dead = self._dead[number]
            is_out = dead is not None and bool(dead[row])
            known = frozenset() if is_out else self.segments[number].words_of(row)
            if len(self._held) >= _REMEMBERED_ROWS:
                self._held.clear()
            self._held[index] = known
        return known

    def held(self, words: Sequence[str], rows: NDArray[np.int64]) -> Mask:
        keys = np.array([word_key(word) for word in words], np.uint64)
        found = np.zeros((len(words), len(rows)), bool)
        for segment, dead, start in zip(self.segments, self._dead, self._starts, strict=False):
            here = np.flatnonzero((rows >= start) & (rows < start + segment.size))
            if len(here):
                inside = rows[here] - start
                held = segment.held(keys, inside.astype(np.int32))
                found[:, here] = held if dead is None else held & ~dead[inside]
        return found

    def removed(self) -> list[tuple[int, Mask]]:
        """The masks of segments that lost texts, with the first row of each."""
        return [
            (int(at), mask)
            for at, mask in zip(self._starts, self._dead, strict=False)
            if mask is not None
        ]

    def removed_rows(self) -> NDArray[np.int64]:
        rows = [at + np.flatnonzero(mask) for at, mask in self.removed()]
        return np.concatenate([np.zeros(0, np.int64), *rows]).astype(np.int64)

    def _place(self, index: int) -> tuple[int, int]:
        if not 0 <= index < self.rows:
            raise IndexError(f"row {index}: the index has rows 0 to {self.rows - 1}")
        number = int(np.searchsorted(self._starts, index, side="right")) - 1
        return number, index - int(self._starts[number])
