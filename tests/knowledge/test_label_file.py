"""What the writer of labels writes is read by two readers that know nothing of it."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import label_file
from knowledge.label_file import Dictionary, LabelFile, Packed, Runs
from knowledge.thrift import i32, struct, structs, varint

TEXTS = st.lists(st.text(max_size=20), min_size=1, max_size=40, unique=True)


@st.composite
def groups(draw: st.DrawFn) -> tuple[list[str], list[int], list[str], list[tuple[int, int]]]:
    """One row group: texts and a number a row, texts and runs of as many rows."""
    texts, others = draw(TEXTS), draw(TEXTS)
    places = st.integers(0, len(others) - 1)
    runs = draw(st.lists(st.tuples(places, st.integers(0, 70)), min_size=1, max_size=6))
    runs.append((0, 1))
    rows = sum(times for _, times in runs)
    codes = draw(st.lists(st.integers(0, len(texts) - 1), min_size=rows, max_size=rows))
    return texts, codes, others, runs


@settings(max_examples=150)
@given(parts=st.lists(groups(), max_size=4), page=st.sampled_from([8, 64, 1 << 20]))
def test_both_readers_give_back_the_rows(
    parts: list[tuple[list[str], list[int], list[str], list[tuple[int, int]]]], page: int
) -> None:
    wanted: list[tuple[str, str]] = []
    out = BytesIO()
    file = LabelFile(out, ("packed", "runs"))
    whole, label_file._PAGE = label_file._PAGE, page
    try:
        for texts, codes, others, runs in parts:
            packed = Packed(Dictionary(texts), np.array(codes, np.uint16))
            file.add(len(codes), (packed, Runs(Dictionary(others), runs)))
            repeated = [others[code] for code, times in runs for _ in range(times)]
            wanted += zip((texts[code] for code in codes), repeated, strict=True)
    finally:
        label_file._PAGE = whole
    file.close({"made": "合成"})
    found = pq.ParquetFile(BytesIO(out.getvalue()))
    rows = found.read().to_pylist()
    assert [(row["packed"], row["runs"]) for row in rows] == wanted
    assert found.metadata.metadata == {b"made": "合成".encode()}
    assert pl.read_parquet(BytesIO(out.getvalue())).rows() == wanted


def test_many_rows_in_several_pages_and_groups() -> None:
    texts = [f"企业{number}" for number in range(65_536)]
    codes = np.random.default_rng(1).integers(0, 65_536, 2_500_001).astype(np.uint16)
    out = BytesIO()
    file = LabelFile(out, ("packed", "runs"))
    columns = (Packed(Dictionary(texts), codes), Runs(Dictionary(["一"]), [(0, len(codes))]))
    for _ in range(2):
        file.add(len(codes), columns)
    file.close({})
    table = pq.read_table(BytesIO(out.getvalue()), read_dictionary=["packed"])
    found = pl.read_parquet(BytesIO(out.getvalue()))["packed"]
    wanted = pl.Series("packed", texts)[codes.astype(np.int64)]
    assert table.num_rows == 2 * len(codes)
    assert found.equals(pl.concat([wanted, wanted]))


@pytest.mark.parametrize(
    ("number", "coded"),
    [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (2**32, "8080808010")],
)
def test_varints(number: int, coded: str) -> None:
    assert varint(number).hex() == coded


def test_structures_as_the_protocol_describes_them() -> None:
    assert struct({1: i32(1), 5: i32(150)})[1].hex() == "150245ac0200"
    assert structs([struct({})] * 2)[1].hex() == "2c0000"
    assert structs([struct({})] * 20)[1].hex() == "fc14" + "00" * 20
