"""One fact of many enterprises at once, in its field's type; what cannot be used is unknown and is told.

A value is judged by ``knowledge.profile.read_value`` and by nothing else, once for all rows that hold the same. Only
numbers are sorted in bulk, and what looks wrong among them goes the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from knowledge.conditions import holds
from knowledge.fields import FieldSpec
from knowledge.policy import Op, Scalar
from knowledge.profile import MOST_NUMBER, read_value
from knowledge.written import written_value

Flags = NDArray[np.bool_]
Value = Scalar | tuple[str, ...]
# Called with a row's number in its slice, counted from 0, and what is wrong there, in Chinese.
Tell = Callable[[int, str], None]

_EXACT = 2**53  # whole numbers up to here are float64 as they are


@dataclass(frozen=True)
class Numbers:
    """A number of each enterprise, shape (n,): float64, or objects where float64 would not be exact."""

    values: NDArray[Any]
    known: Flags

    def meets(self, op: Op, need: Any) -> Flags:
        """Where the value meets the op, shape (n,); means nothing where it is not known."""
        values = self.values if abs(need) <= _EXACT else self.values.astype(object)
        return np.asarray(holds(op, values, need), bool)

    def value(self, row: int) -> Value | None:
        if not self.known[row]:
            return None
        number = float(self.values[row])
        return int(self.values[row]) if number.is_integer() else number


@dataclass(frozen=True)
class Choices:
    """One of few values of each enterprise: ``codes``, shape (n,), point into ``values``."""

    values: tuple[Value, ...]
    codes: NDArray[np.int32]
    known: Flags

    def meets(self, op: Op, need: Any) -> Flags:
        """Where the value meets the op, shape (n,); means nothing where it is not known."""
        table = np.array([holds(op, value, need) for value in self.values] or [False], bool)
        return table[self.codes]

    def value(self, row: int) -> Value | None:
        return self.values[self.codes[row]] if self.known[row] else None


Column = Numbers | Choices


def read_typed(cells: pa.Array, spec: FieldSpec, tell: Tell) -> Column:
    """A column that comes with types; a value of the wrong type is told, as ``read_profile`` does."""
    kind = cells.type
    if spec.type == "number" and _is_numeric(kind):
        return _numbers(cells, spec, tell)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _lists(cells, spec, tell)
    try:
        encoded = cells if pa.types.is_dictionary(kind) else cells.dictionary_encode()
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return read_mixed(cells.to_pylist(), spec, tell)
    return _judged(encoded.dictionary.to_pylist(), _codes(encoded.indices), spec, tell)


def read_texts(cells: pa.StringArray, spec: FieldSpec, tell: Tell) -> Column:
    """A column of which all cells are text; see ``written_value``."""
    encoded = cells.dictionary_encode()
    distinct = [written_value(text, spec) for text in encoded.dictionary.to_pylist()]
    return _judged(distinct, _codes(encoded.indices), spec, tell)


def read_mixed(cells: Sequence[object], spec: FieldSpec, tell: Tell) -> Column:
    """A column of any objects, each judged by itself; ``None`` is unknown."""
    return _judged(cells, np.arange(len(cells), dtype=np.int32), spec, tell)


def unknown_column(count: int) -> Column:
    """A fact that no enterprise has given."""
    return Choices((), np.zeros(count, np.int32), np.zeros(count, bool))


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def _numbers(cells: pa.Array, spec: FieldSpec, tell: Tell) -> Column:
    known = ~cells.is_null().to_numpy(zero_copy_only=False)
    plain = cells.fill_null(0)
    if pa.types.is_integer(cells.type):
        whole = plain.to_numpy(zero_copy_only=False)
        if len(whole) and (int(whole.max()) > _EXACT or int(whole.min()) < -_EXACT):
            return read_mixed(cells.to_pylist(), spec, tell)
    values = plain.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    low = -MOST_NUMBER if spec.low is None else max(spec.low, -MOST_NUMBER)
    high = MOST_NUMBER if spec.high is None else min(spec.high, MOST_NUMBER)
    doubtful = known & ~(np.isfinite(values) & (values >= low) & (values <= high))
    if doubtful.any():
        for row in np.flatnonzero(doubtful):
            tell(int(row), read_value(_plain(values[row]), spec)[1])
        known, values = known & ~doubtful, np.where(doubtful, 0.0, values)
    return Numbers(values, known)


def _plain(number: np.float64) -> int | float:
    return int(number) if float(number).is_integer() else float(number)


def _lists(cells: pa.Array, spec: FieldSpec, tell: Tell) -> Column:
    """Lists with the same elements in the same order are judged together."""
    flat = cells.flatten()
    if flat.null_count or not (
        pa.types.is_string(flat.type) or pa.types.is_large_string(flat.type)
    ):
        return read_mixed(cells.to_pylist(), spec, tell)
    encoded = flat.dictionary_encode()
    names = encoded.dictionary.to_pylist()
    lengths = pc.list_value_length(cells).fill_null(0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    codes = pa.ListArray.from_arrays(offsets, encoded.indices.cast(pa.string()))
    joined = pc.if_else(cells.is_null(), None, pc.binary_join(codes, ",")).dictionary_encode()
    distinct = [
        [names[int(code)] for code in text.split(",")] if text else []
        for text in joined.dictionary.to_pylist()
    ]
    return _judged(distinct, _codes(joined.indices), spec, tell)


def _codes(indices: pa.Array) -> NDArray[np.int32]:
    """-1 where there is nothing."""
    codes: NDArray[np.int32] = indices.cast(pa.int32()).fill_null(-1).to_numpy(zero_copy_only=False)
    return codes


def _judged(
    distinct: Sequence[object], codes: NDArray[np.int32], spec: FieldSpec, tell: Tell
) -> Column:
    """The column of which a row holds the value its code points to; a negative code holds none."""
    values: list[Value | None] = []
    wrong: dict[int, str] = {}
    for code, given in enumerate(distinct):
        value, message = (None, "") if given is None else read_value(given, spec)
        values.append(value)
        if message:
            wrong[code] = message
    values.append(None)  # what -1 points to
    if wrong:
        for row in np.flatnonzero(np.isin(codes, list(wrong))):
            tell(int(row), wrong[int(codes[row])])
    known = np.array([value is not None for value in values])[codes]
    if spec.type == "number":
        return Numbers(_numbers_of(values)[codes], known)
    return _choices(values, codes, known)


def _numbers_of(values: Sequence[Value | None]) -> NDArray[Any]:
    plain: list[Any] = [0 if value is None else value for value in values]
    exact = all(isinstance(value, float) or abs(value) <= _EXACT for value in plain)
    return np.array(plain, np.float64 if exact else object)


def _choices(values: Sequence[Value | None], codes: NDArray[np.int32], known: Flags) -> Choices:
    places: dict[Value, int] = {}
    place_of = [0 if value is None else places.setdefault(value, len(places)) for value in values]
    return Choices(tuple(places), np.array(place_of, np.int32)[codes], known)
