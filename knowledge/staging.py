"""Writes what a table of enterprises holds as parquet, with its fields' types."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from knowledge.columns import Column, Numbers
from knowledge.enterprise_table import EnterpriseTable, Slice
from knowledge.fields import Fields, FieldSpec

_TYPES = {
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
    "string_list": pa.list_(pa.string()),
}


def write_parquet(table: EnterpriseTable, target: Path) -> None:
    """One column a field of the dictionary; an enterprise's key stands as its credit code.

    What could not be used is in ``table.problems`` afterwards. Raises ``TableError`` as ``EnterpriseTable.slices``.
    """
    fields = table.fields
    facts = [pa.field(name, _TYPES[spec.type]) for name, spec in fields.items()]
    names = [pa.field("credit_code", pa.string()), pa.field("name", pa.string())]
    with pq.ParquetWriter(target, pa.schema([*names, *facts])) as writer:
        for found in table.slices():
            writer.write_batch(_batch(found, fields, writer.schema))


def _batch(found: Slice, fields: Fields, schema: pa.Schema) -> pa.RecordBatch:
    columns = [_cells(found.column(name), spec) for name, spec in fields.items()]
    return pa.RecordBatch.from_arrays([found.keys, found.names, *columns], schema=schema)


def _cells(column: Column, spec: FieldSpec) -> pa.Array:
    if isinstance(column, Numbers):
        return pa.array(column.values.astype(np.float64), mask=~column.known)
    codes = pa.array(column.codes, mask=~column.known)
    return pa.array(column.values, _TYPES[spec.type]).take(codes)
