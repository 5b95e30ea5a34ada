"""Reads the table of departments: who they are, what they do, which words point to them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from service.errors import StartFailed

DEPARTMENTS_FILE = Path(__file__).parent / "data" / "departments.yml"
FORMER_FILE = Path(__file__).parent / "data" / "former_departments.yml"
STREETS = "subdistrict"
"""Code of the department that stands for all sub-districts; theirs begin with it."""

_LISTS = ("aliases", "duties", "keywords", "hints", "places")
_KEYS = {"code", "name", "example", "triage", "named_only", *_LISTS}


class DepartmentsInvalid(StartFailed):
    """The table of departments cannot be used; the message names the file and the entry."""

    code = "departments_invalid"


@dataclass(frozen=True)
class Department:
    """A department appeals can go to; the top of ``data/departments.yml`` explains the keys."""

    code: str
    name: str
    aliases: tuple[str, ...] = ()
    example: str = ""
    duties: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    triage: bool = False
    named_only: bool = False

    @property
    def is_street(self) -> bool:
        """Whether this is one sub-district, chosen by place."""
        return self.code.startswith(f"{STREETS}_")


def load_departments(path: Path = DEPARTMENTS_FILE) -> tuple[Department, ...]:
    """The departments of a file, in its order.

    ``DepartmentsInvalid`` for anything unknown, missing or ambiguous.
    """
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DepartmentsInvalid(f"{path}: cannot be read: {error}", str(path)) from error
    rows = table.get("departments") if isinstance(table, dict) else None
    if not isinstance(rows, list):
        raise DepartmentsInvalid(f"{path}: must hold a list 'departments'", str(path))
    departments = tuple(_department(path, number, row) for number, row in enumerate(rows, start=1))
    _check(path, departments)
    return departments


def comparable(name: str) -> str:
    """A text as it is compared: half width, lower case, without blanks, the city left out."""
    folded = "".join(unicodedata.normalize("NFKC", name).casefold().split())
    return folded.replace("深圳市福田区", "福田区")


def _department(path: Path, number: int, row: object) -> Department:
    if not isinstance(row, dict) or not row.get("code") or not row.get("name"):
        raise DepartmentsInvalid(f"{path}: entry {number} needs 'code' and 'name'")
    unknown = sorted(set(row) - _KEYS)
    if unknown:
        raise DepartmentsInvalid(
            f"{path}: entry {row['code']}: unknown keys {', '.join(map(str, unknown))}"
        )
    for key in _LISTS:
        values = row.get(key, [])
        if not isinstance(values, list) or not all(
            isinstance(v, str) and v.strip() for v in values
        ):
            raise DepartmentsInvalid(
                f"{path}: entry {row['code']}: '{key}' must be a list of texts"
            )
    lists = {key: tuple(row.get(key, ())) for key in _LISTS}
    return Department(
        code=row["code"],
        name=row["name"],
        example=str(row.get("example", "")),
        triage=bool(row.get("triage", False)),
        named_only=bool(row.get("named_only", False)),
        **lists,
    )


def _check(path: Path, departments: Sequence[Department]) -> None:
    seen: dict[str, str] = {}
    for department in departments:
        if not department.is_street and not department.duties:
            raise DepartmentsInvalid(f"{path}: entry {department.code}: 'duties' is empty")
        for name in {department.code, *map(comparable, (department.name, *department.aliases))}:
            if name in seen:
                raise DepartmentsInvalid(
                    f"{path}: entry {department.code}: '{name}' already belongs to {seen[name]}"
                )
            seen[name] = department.code
    if sum(d.triage for d in departments) != 1:
        raise DepartmentsInvalid(f"{path}: exactly one entry must have 'triage: true'")


@dataclass(frozen=True)
class Former:
    """A department that is no more: its names, its last month, the code of today's department."""

    code: str
    name: str
    aliases: tuple[str, ...]
    valid_until: str
    merged_into: str


class Directory:
    """Departments of today by every name they have or had."""

    def __init__(self, departments: Sequence[Department], formers: Sequence[Former]) -> None:
        self.departments = tuple(departments)
        self._by_code = {d.code: d for d in departments}
        self._names: dict[str, set[str]] = {d.code: {d.name, *d.aliases} for d in departments}
        self._formers = {comparable(n): f for f in formers for n in (f.name, *f.aliases)}
        for former in formers:
            self._by_code[former.code] = self._by_code[former.merged_into]
            self._names[former.merged_into] |= {former.name, *former.aliases}
            self._names[former.code] = self._names[former.merged_into]
        self._today = {
            comparable(name): d for d in departments for name in (*self._names[d.code], d.code)
        }

    def today(self, name: str) -> Department | None:
        """Today's department of a name or code, however old; ``None`` for one of elsewhere."""
        return self._by_code.get(name) or self._today.get(comparable(name))

    def names_of(self, code: str) -> frozenset[str]:
        """Every name under which appeals of this department may be stored; empty for none."""
        return frozenset(self._names.get(code, ()))

    def shown(self, name: str) -> str:
        """The name with today's behind it where the department was merged since."""
        former = self._formers.get(comparable(name))
        return f"{name}（现{self._by_code[former.code].name}）" if former else name

    @property
    def triage(self) -> Department:
        """The centre."""
        return next(d for d in self._by_code.values() if d.triage)


@cache
def directory() -> Directory:
    """The directory that ships, read at the first use."""
    departments = load_departments()
    return Directory(departments, load_formers(departments))


def load_formers(departments: Sequence[Department], path: Path = FORMER_FILE) -> tuple[Former, ...]:
    """The former names of a file; ``DepartmentsInvalid`` where one leads nowhere."""
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))["former"]
        formers = tuple(
            Former(
                row["code"], row["name"], tuple(row.get("aliases", ())),
                str(row["valid_until"]), row["merged_into"],
            )
            for row in rows
        )  # fmt: skip
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        raise DepartmentsInvalid(f"{path}: cannot be used: {error!r}", str(path)) from error
    codes = {d.code for d in departments}
    for former in formers:
        if former.merged_into not in codes or former.code in codes:
            raise DepartmentsInvalid(f"{path}: entry {former.code} must lead to a department")
    return formers
