"""Checks rows of labelled files for what a schema cannot see: ids used twice, names that nothing knows."""

from __future__ import annotations

from collections.abc import Collection


class SeenIds:
    """The ids of one file with the lines they stand in."""

    def __init__(self) -> None:
        self._lines: dict[str, int] = {}

    def defect(self, row_id: str, line: int) -> str | None:
        """What is wrong with an id met in ``line``; ``None`` where it is new. Rows without an id are not told apart."""
        if not row_id:
            return None
        first = self._lines.setdefault(row_id, line)
        if first == line:
            return None
        return f"id: {row_id!r} is already the id of line {first}; every id may occur once, give this row another"


def unknown_name(field: str, name: str, known: Collection[str]) -> str | None:
    """What is wrong with a name that is none of ``known``; ``None`` where it is one."""
    if name in known:
        return None
    return f"{field}: {name!r} is none of {', '.join(sorted(known))}; write one of these"
