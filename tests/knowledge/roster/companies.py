"""Made-up enterprises for tests: valid credit codes, never those of real ones on purpose."""

from __future__ import annotations

import io
from collections.abc import Sequence

import openpyxl
from stdnum.cn import uscc


def code_of(number: int) -> str:
    """The credit code of the n-th made-up enterprise of 深圳."""
    body = f"91440300T{number:08d}"  # T and eight digits: the office that registered none of these
    return body + str(uscc.calc_check_digit(body))


def name_of(number: int) -> str:
    return f"深圳市试验{number:06d}科技有限公司"


def to_xlsx(rows: Sequence[Sequence[object]], formats: dict[str, str] | None = None) -> bytes:
    """A workbook of these rows; ``formats`` are number formats by cell (C2)."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    for cell, shown in (formats or {}).items():
        sheet[cell].number_format = shown
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
