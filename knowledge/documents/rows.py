"""Writes a policy as the row the catalogue reader reads."""

from __future__ import annotations

import json
from datetime import date
from enum import StrEnum
from typing import Any

from knowledge.acts import Act
from knowledge.catalogue import KEYS, OPTIONAL
from knowledge.policy import Clause, Criterion, Policy


def row_of(policy: Policy) -> dict[str, Any]:
    """The object of one catalogue line; ``read_row`` makes the same policy of it."""
    row = {key: _plain(getattr(policy, key)) for key in KEYS}
    return {key: value for key, value in row.items() if value or key not in OPTIONAL}


def line_of(policy: Policy) -> str:
    """One line of a catalogue file, without its end."""
    return json.dumps(row_of(policy), ensure_ascii=False)


def _plain(value: object) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Act):
        return {key: _plain(each) for key, each in vars(value).items()}
    if isinstance(value, Criterion):
        return {
            "field": value.field,
            "op": value.op.value,
            "value": _plain(value.value),
            "note": value.note,
        }
    if isinstance(value, Clause):
        return {
            "id": value.id,
            "facet": value.facet.value,
            "label": value.label,
            "text": value.text,
            "path": list(value.path),
            "page": value.page,
        }
    return value
