"""Tables of made-up enterprises in each format, and random facts and conditions that fit a small dictionary."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from knowledge.fields import Fields, FieldSpec
from knowledge.policy import Criterion, Op

TEXTS = ("福田区", "南山区", "软件", "文化")
NUMBERS = (-3, 0, 1, 2.5, 10, 300, 5.5, 2**53, 2**53 + 1, 1e18)


def spec(name: str, type_: Any, **values: Any) -> FieldSpec:
    return FieldSpec(
        name, type_, values.pop("unit", None), values.pop("label", name), "？", **values
    )


SMALL: Fields = {
    each.name: each
    for each in (
        spec("staff", "number", low=0, high=1000, unit="人"),
        spec("tax", "number", unit="CNY", label="纳税"),
        spec("exported", "boolean"),
        spec("district", "string", values={"福田区": ("福田",)}),
        spec("industry", "string"),
        spec("street", "string", label="所在街道"),
        spec("held", "string_list", values={"国家高新技术企业": ("国高",)}),
    )
}


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """The rows as the ending of ``path`` says."""
    if path.suffix == ".jsonl":
        lines = (json.dumps(row, ensure_ascii=False) for row in rows)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), path)
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return path


_numbers = st.one_of(
    st.sampled_from(NUMBERS), st.integers(0, 1200), st.floats(-5, 1200, allow_nan=False)
)
_texts = st.sampled_from((*TEXTS, "福田", " 福田区 ", "ｓｏｆｔ"))
_lists = st.lists(
    st.sampled_from(("国高", "国家高新技术企业", "规上工业", " ", "专精特新")), max_size=4
)
_junk = st.sampled_from(("八十", True, -1, [1], {}, float("nan"), [None], "", [["国高"]], 2**70))


def _value(field: FieldSpec) -> st.SearchStrategy[Any]:
    usual = {
        "number": _numbers,
        "boolean": st.booleans(),
        "string": _texts,
        "string_list": _lists,
    }[field.type]
    return st.one_of(st.none(), usual, usual, usual, _junk)


# What one enterprise's record may hold, good and bad; a key may be missing.
RECORDS = st.fixed_dictionaries({}, optional={name: _value(field) for name, field in SMALL.items()})


def _leaf(field: FieldSpec) -> st.SearchStrategy[Criterion]:
    listed = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3).map(tuple)
    held = st.lists(
        st.sampled_from(("国家高新技术企业", "规上工业", "无人有")), min_size=1, max_size=3
    )
    orders = st.sampled_from((Op.GTE, Op.GT, Op.LTE, Op.LT, Op.EQ))
    pairs: dict[str, st.SearchStrategy[tuple[Op, Any]]] = {
        "number": st.tuples(orders, _numbers),
        "boolean": st.tuples(st.just(Op.EQ), st.booleans()),
        "string": st.one_of(
            st.tuples(st.just(Op.EQ), st.sampled_from(TEXTS)), st.tuples(st.just(Op.IN), listed)
        ),
        "string_list": st.tuples(st.sampled_from((Op.INCLUDES_ANY, Op.EXCLUDES)), held.map(tuple)),
    }
    return pairs[field.type].map(lambda pair: Criterion(field.name, pair[0], pair[1], "条件"))


def _either(parts: st.SearchStrategy[Criterion]) -> st.SearchStrategy[Criterion]:
    chosen = st.lists(parts, max_size=3).map(tuple)
    return chosen.map(lambda some: Criterion("any_of", Op.OR, some, "之一"))


# Any condition that a catalogue may hold over ``SMALL``, alternatives in alternatives included.
CRITERIA = st.recursive(
    st.one_of([_leaf(field) for field in SMALL.values()]), _either, max_leaves=5
)
