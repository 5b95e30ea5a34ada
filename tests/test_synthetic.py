"""Synthetic enterprises and items are labelled, repeatable and hang together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stdnum.cn import uscc

from knowledge.catalogue import Catalogue, read_catalogue
from knowledge.documents.export import write_catalogue
from knowledge.enterprise_table import EnterpriseTable
from knowledge.fields import read_fields
from tests import synthetic


@pytest.fixture(scope="module")
def some() -> pa.Table:
    return pa.Table.from_batches(synthetic.enterprises(25_000))


def test_everything_says_that_it_is_synthetic(some: pa.Table) -> None:
    assert some.schema.metadata == {b"synthetic": b"true"}
    assert all(some["synthetic"].to_pylist())
    assert some["name"][0].as_py() == "合成企业000001"
    codes = some["credit_code"].to_pylist()
    assert len(set(codes)) == len(codes)
    assert not any(uscc.is_valid(code) for code in codes[:100])
    (item,) = synthetic.items(1)
    assert "合成" in item.title and "合成" in (item.summary or "") and item.id.startswith("SYN-")


def test_the_same_seed_gives_the_same(some: pa.Table) -> None:
    again = pa.Table.from_batches(synthetic.enterprises(25_000))
    assert again.equals(some)
    assert not pa.Table.from_batches(synthetic.enterprises(25_000, seed=2)).equals(some)
    assert synthetic.items(20) == synthetic.items(20) != synthetic.items(20, seed=2)


def test_fewer_are_the_first_of_more(some: pa.Table) -> None:
    few = pa.Table.from_batches(synthetic.enterprises(20_000))
    assert few.equals(some.slice(0, 20_000).combine_chunks())


def test_every_value_can_be_believed(some: pa.Table, tmp_path: Path) -> None:
    pq.write_table(some, tmp_path / "e.parquet")
    table = EnterpriseTable(tmp_path / "e.parquet", read_fields())
    assert sum(len(each) for each in table.slices()) == 25_000
    assert (table.problems.count, table.problems.columns, table.is_synthetic) == (0, {}, True)


def test_marginals(some: pa.Table) -> None:
    streets = some["street"].drop_null().value_counts().to_pylist()
    share = {each["values"]: each["counts"] for each in streets}
    assert set(share) == set(synthetic.STREETS)
    assert share["福田街道"] > share["华富街道"] * 3
    known = 1 - some["annual_revenue_cny"].null_count / len(some)
    assert 0.4 < known < 0.65
    assert 0.1 < 1 - some["bond_issued"].null_count / len(some) < 0.3


def test_money_people_and_tax_hang_together(some: pa.Table) -> None:
    known = some.select(["annual_revenue_cny", "employees", "annual_tax_cny"]).drop_null()
    logs = np.log1p([column.to_numpy() for column in known.columns])
    correlations = np.corrcoef(logs)
    assert correlations[0, 1] > 0.6
    assert correlations[0, 2] > 0.8


def test_items_are_a_catalogue(tmp_path: Path) -> None:
    made = synthetic.items(200)
    write_catalogue(Catalogue(made), tmp_path / "items.jsonl")
    assert list(read_catalogue(tmp_path / "items.jsonl").policies.values()) == made
