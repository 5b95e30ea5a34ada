"""Writes common issues as a workbook: one sheet of parents, one of the appeals in them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from service.appeals.clock import SHANGHAI
from service.appeals.departments import Department
from service.common_issues.meeting import ListedIssue, street_of
from service.common_issues.models import IssueState

STATES = {
    IssueState.PROPOSED: "待确认",
    IssueState.CONFIRMED: "已确认",
    IssueState.ANSWERED: "已统一答复",
    IssueState.DISMISSED: "不成立",
}
_PARENTS = (
    ("编号", 12), ("标题", 44), ("状态", 12), ("诉求数", 8), ("企业数", 8), ("涉及街道", 30), ("涉及部门", 34),
    ("最早", 12), ("最近", 12), ("统一答复", 60),
)  # fmt: skip
_CHILDREN = (
    ("共性问题", 12), ("诉求编号", 20), ("收到时间", 18), ("截止时间", 18), ("办理状态", 12), ("部门", 30), ("街道", 24),
    ("企业", 30), ("联系电话", 16), ("内容", 70),
)  # fmt: skip
_CELL_CHARS = 32_000
# What a spreadsheet takes for a formula, also behind blanks; control characters no workbook may hold.
_FORMULA = re.compile(r"^[\s\u3000]*[=+\-@＝＋－＠\t\r]")
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_DIGITS = re.compile(r"(?<!\d)(1\d{2})\d{4}(\d{4})(?!\d)")


def workbook_of(
    issues: Sequence[ListedIssue], states: dict[str, str], departments: Sequence[Department]
) -> bytes:
    """The xlsx file; ``states`` are the Chinese names of appeals' states. Phones are masked everywhere."""
    book = Workbook(write_only=True)
    _sheet(book, "共性问题", _PARENTS, (_parent(each) for each in issues))
    children = (row for each in issues for row in _children(each, states, departments))
    _sheet(book, "诉求明细", _CHILDREN, children)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def masked_phone(phone: str | None) -> str:
    """The first three and last four digits; shorter numbers show only their last two. Empty when there is none."""
    if not phone:
        return ""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 11 else f"****{phone[-2:]}"


def safe_text(text: str) -> str:
    """A text no spreadsheet runs as a formula, short enough for a cell."""
    plain = _ILLEGAL.sub("", text)[:_CELL_CHARS]
    return f"'{plain}" if _FORMULA.match(plain) else plain


def _parent(each: ListedIssue) -> list[str | int]:
    row = each.row
    return [
        row.no, row.title, STATES[row.state], row.appeals, row.enterprises, "、".join(row.streets),
        "、".join(row.departments), str(row.first or ""), str(row.last or ""), row.answer or "",
    ]  # fmt: skip


def _children(
    each: ListedIssue, states: dict[str, str], departments: Sequence[Department]
) -> Iterable[list[str | int]]:
    for appeal in each.appeals:
        yield [
            each.row.no,
            appeal.no,
            f"{appeal.received_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
            f"{appeal.due_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
            states.get(appeal.state, appeal.state),
            appeal.department,
            street_of(appeal, departments) or "",
            appeal.company or "",
            masked_phone(appeal.phone),
            _DIGITS.sub(r"\1****\2", appeal.matter),
        ]


def _sheet(
    book: Workbook,
    title: str,
    columns: Sequence[tuple[str, int]],
    rows: Iterable[list[str | int]],
) -> None:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for number, (_, width) in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    head = []
    for name, _ in columns:
        cell = WriteOnlyCell(sheet, value=name)
        cell.font = Font(bold=True)
        head.append(cell)
    sheet.append(head)
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])


def _cell(sheet: object, value: str | int) -> WriteOnlyCell:
    if isinstance(value, int):
        return WriteOnlyCell(sheet, value=value)
    cell = WriteOnlyCell(sheet, value=safe_text(value))
    cell.data_type = "s"
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell
