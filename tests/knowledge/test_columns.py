"""Columns hold what a profile would hold, and name the rest."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from knowledge.columns import Column, read_mixed, read_texts, read_typed
from knowledge.fields import FieldSpec
from knowledge.policy import Op
from knowledge.profile import read_value
from tests.knowledge.tables import SMALL


def values(column: Column, count: int) -> list[Any]:
    return [column.value(row) for row in range(count)]


def read(cells: Any, field: str) -> tuple[list[Any], dict[int, str]]:
    told: dict[int, str] = {}
    how = read_typed if isinstance(cells, pa.Array) else read_mixed
    return values(how(cells, SMALL[field], told.__setitem__), len(cells)), told


TYPED = [
    ("staff", pa.array([1, None, 30], pa.int64())),
    ("staff", pa.array([1.5, None, float("nan"), float("inf"), -1.0, 1001.0])),
    ("staff", pa.array([200, 3, None], pa.uint8())),
    ("staff", pa.array(["12", None])),
    ("staff", pa.array([True, None])),
    ("tax", pa.array([2**53 + 1, -(2**53) - 1, None])),
    ("tax", pa.array([0.1, 2.0], pa.float32())),
    ("exported", pa.array([True, None, False])),
    ("exported", pa.array([1, 0])),
    ("district", pa.array(["福田", "福田区", " ", None])),
    ("district", pa.array(["福田", None]).dictionary_encode()),
    ("district", pa.array(["福田", None], pa.large_string())),
    ("district", pa.array([["福田"], None])),
    ("held", pa.array([["国高", "国家高新技术企业"], [], None, [" "], ["a", None]])),
    ("held", pa.array([["b", "a"], [], None, ["a", "b"]], pa.large_list(pa.string()))),
    ("held", pa.array(["国高", None])),
    ("held", pa.array([[1], None])),
    ("held", pa.array([{"a": 1}, None])),
]


@pytest.mark.parametrize(("field", "cells"), TYPED)
def test_typed_cells_are_judged_as_a_profile_judges_them(field: str, cells: pa.Array) -> None:
    got, told = read(cells, field)
    for row, given in enumerate(cells.to_pylist()):
        value, wrong = (None, "") if given is None else read_value(given, SMALL[field])
        assert (got[row], told.get(row, "")) == (value, wrong)


def test_a_slice_of_an_array_is_read_from_where_it_begins() -> None:
    cells = pa.array([["x"], ["国高"], None, ["b"]]).slice(1)
    assert read(cells, "held")[0] == [("国家高新技术企业",), None, ("b",)]


def test_decimals_are_numbers() -> None:
    from decimal import Decimal

    assert read(pa.array([Decimal("12.50"), None]), "staff")[0] == [12.5, None]


def test_objects_of_every_kind() -> None:
    got, told = read([1, None, "x", 2.5, True, 2**70], "tax")
    assert got == [1, None, None, 2.5, None, None]
    assert sorted(told) == [2, 4, 5]


@pytest.mark.parametrize(
    ("op", "need", "met"),
    [
        (Op.GTE, 2**53 + 1, [False, True]),
        (Op.LTE, 2**53, [True, False]),
        (Op.EQ, 2**53 + 1, [False, True]),
    ],
)
def test_numbers_beyond_float64_are_compared_exactly(op: Op, need: int, met: list[bool]) -> None:
    column = read_typed(pa.array([2**53, 2**53 + 1]), SMALL["tax"], lambda row, said: None)
    assert column.meets(op, need).tolist() == met


TEXTS: list[tuple[str, str, Any]] = [
    ("staff", "12", 12),
    ("staff", " 1,200.5 ", None),  # above the bound
    ("staff", "86人", 86),
    ("staff", "86万", None),
    ("tax", "3200万", 32_000_000),
    ("tax", "1.5亿元", 150_000_000),
    ("tax", "1,234,567", 1_234_567),
    ("tax", "2.3e7", 23_000_000),
    ("tax", "１２", 12),
    ("tax", "12,34", None),
    ("tax", "很多", None),
    ("exported", "是", True),
    ("exported", "FALSE", False),
    ("exported", "也许", None),
    ("district", "福田", "福田区"),
    ("held", "国高；规上工业、A", ("国家高新技术企业", "规上工业", "A")),
    ("held", "无", ()),
    ("held", "", None),
]


@pytest.mark.parametrize(("field", "text", "value"), TEXTS)
def test_texts_stand_for_values(field: str, text: str, value: Any) -> None:
    told: dict[int, str] = {}
    spec: FieldSpec = SMALL[field]
    column = read_texts(pa.array([text, None]), spec, told.__setitem__)
    assert values(column, 2) == [value, None]
    assert bool(told) == (value is None and text != "")
