"""Takes files of enterprises in: read whole first, then written in one transaction or not at all."""

from __future__ import annotations

import pickle
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import IO, Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from knowledge.fields import Fields
from knowledge.profile import Source
from knowledge.roster.columns import Unmapped
from knowledge.roster.reading import Roster, RosterProblem, RosterRow, open_roster
from service.db import Database, utc_now
from service.enterprises.models import ENTERPRISES, PROFILES, EnterpriseImport
from service.enterprises.names import name_key
from service.enterprises.profiles import suspend_contradicted, talked_about

DISTRICT = "registered_district"
_AT_ONCE = 5000

Progress = Callable[[str, int, int | None], None]


@dataclass
class ImportReport:
    """What became of a file. ``problems`` holds the first thousand, ``problem_count`` all.

    ``suspended`` said facts now wait to be confirmed, because the file contradicts them. ``unlisted`` are values, by
    field, that the dictionary does not list, the most frequent first.
    """

    file: str
    mapped: dict[str, str] = field(default_factory=dict)
    unmapped: tuple[Unmapped, ...] = ()
    added: int = 0
    updated: int = 0
    left_out: int = 0
    facts: int = 0
    suspended: int = 0
    problems: list[RosterProblem] = field(default_factory=list)
    problem_count: int = 0
    unlisted: dict[str, Counter[str]] = field(default_factory=dict)
    is_written: bool = False


def import_enterprises(
    database: Database,
    path: Path,
    fields: Fields,
    given: Mapping[str, str] | None = None,
    source: Source = Source.REGISTRY,
    day: date | None = None,
    is_dry: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Adds the enterprises of a file or brings them up to date; what a row leaves empty stays as it is.

    Wrong rows and cells are left out and named. Nothing is written where ``is_dry`` or anything raises. ``day`` is the
    one the file tells of, today when absent; ``progress(step, done, total)`` counts rows.

    Raises:
        RosterError: the file cannot be used as a whole.
        OSError: it cannot be opened.
    """
    day, tell = day or date.today(), progress or (lambda step, done, total: None)
    roster = open_roster(path, fields, given, day)
    report = ImportReport(path.name, unmapped=roster.unmapped)
    report.mapped = {column.header: column.key for column in roster.mapping.columns}
    with (
        tempfile.TemporaryFile() as waiting
    ):  # read before the transaction begins, so that it is short
        rows = _read(roster, waiting, tell)
        waiting.seek(0)
        if is_dry:
            with database.reading() as db:
                _foresee(db, roster, report, waiting)
        elif rows:
            with database.session() as db:
                number = _number(db, path.name, source, day, rows)
                _write(db, roster, report, waiting, number, rows, tell)
            report.is_written = True
    report.left_out = roster.rows_left_out
    report.problems, report.problem_count = roster.problems, roster.problem_count
    report.unlisted = roster.unlisted
    return report


def _read(roster: Roster, waiting: IO[bytes], tell: Progress) -> int:
    rows = 0
    while chunk := list(islice(roster.rows, _AT_ONCE)):
        pickle.dump(chunk, waiting, pickle.HIGHEST_PROTOCOL)
        rows += len(chunk)
        tell("读取", rows, roster.total)
    return rows


def _chunks(waiting: IO[bytes]) -> Iterator[list[RosterRow]]:
    while True:
        try:
            yield pickle.load(waiting)
        except EOFError:
            return


def _number(db: Session, file: str, source: Source, day: date, rows: int) -> int:
    taken = EnterpriseImport(file=file[:255], source=source.value, day=day, rows=rows)
    db.add(taken)
    db.flush()
    return taken.id


def _foresee(db: Session, roster: Roster, report: ImportReport, waiting: IO[bytes]) -> None:
    for chunk in _chunks(waiting):
        known = _ids(db, [row.credit_code for row in chunk])
        for row in _usable(chunk, known, roster):
            report.facts += len(row.facts)
            if row.credit_code in known:
                report.updated += 1
            else:
                report.added += 1


def _write(
    db: Session,
    roster: Roster,
    report: ImportReport,
    waiting: IO[bytes],
    number: int,
    total: int,
    tell: Progress,
) -> None:
    done, talked_of = 0, talked_about(db)
    for chunk in _chunks(waiting):
        known = _ids(db, [row.credit_code for row in chunk])
        rows = _usable(chunk, known, roster)
        new = [row for row in rows if row.credit_code not in known]
        old = [row for row in rows if row.credit_code in known]
        if new:
            _insert(db, new)
            known |= _ids(db, [row.credit_code for row in new])
        _update(db, old, known)
        report.suspended += _keep_facts(db, rows, known, number, talked_of)
        report.added, report.updated = report.added + len(new), report.updated + len(old)
        report.facts += sum(len(row.facts) for row in rows)
        done += len(chunk)
        tell("写入", done, total)


def _usable(
    chunk: Sequence[RosterRow], known: Mapping[str, int], roster: Roster
) -> list[RosterRow]:
    """Without rows of enterprises that are not on file and whose name is not given."""
    usable = []
    for row in chunk:
        if row.name is None and row.credit_code not in known:
            message = "没有企业名称，这一行没有导入；请补上"
            roster.note(row.number, None, message, is_whole_row=True)
        else:
            usable.append(row)
    return usable


def _ids(db: Session, codes: Sequence[str]) -> dict[str, int]:
    query = select(ENTERPRISES.c.credit_code, ENTERPRISES.c.id)
    rows = db.execute(query.where(ENTERPRISES.c.credit_code.in_(codes)))
    return {code: id_ for code, id_ in rows}


def _insert(db: Session, rows: Sequence[RosterRow]) -> None:
    now = utc_now()
    values: list[dict[str, Any]] = [
        {
            "credit_code": row.credit_code,
            "name": row.name,
            "name_key": name_key(row.name or ""),
            "district": row.facts.get(DISTRICT),
            "contact_aliases": [],
            "is_verified": True,
            "created_at": now,
            "updated_at": now,
        }
        for row in rows
    ]
    is_sqlite = db.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert(ENTERPRISES) if is_sqlite else postgresql.insert(ENTERPRISES)
    db.execute(insert.on_conflict_do_nothing(index_elements=["credit_code"]), values)


def _update(db: Session, rows: Sequence[RosterRow], known: Mapping[str, int]) -> None:
    """Names and districts that the file gives; an enterprise only stated until now is verified by it."""
    now = utc_now()
    names = [
        {"of": known[r.credit_code], "name": r.name, "name_key": name_key(r.name)}
        for r in rows
        if r.name is not None
    ]
    places = [
        {"of": known[r.credit_code], "district": r.facts[DISTRICT]}
        for r in rows
        if DISTRICT in r.facts
    ]
    same = update(ENTERPRISES).where(ENTERPRISES.c.id == bindparam("of"))
    if names:
        named = same.values(
            name=bindparam("name"),
            name_key=bindparam("name_key"),
            is_verified=True,
            updated_at=now,
        )
        db.connection().execute(named, names)
    if places:
        placed = same.values(district=bindparam("district"), updated_at=now)
        db.connection().execute(placed, places)


def _keep_facts(
    db: Session,
    rows: Sequence[RosterRow],
    known: Mapping[str, int],
    number: int,
    talked_of: frozenset[int],
) -> int:
    """Adds the facts to the profiles; how many said facts of those talked of they suspend comes back."""
    by_id = {known[row.credit_code]: row for row in rows if row.facts}
    talked = by_id.keys() & talked_of
    query = select(PROFILES.c.enterprise_id, PROFILES.c.facts)
    stored: dict[int, dict[str, list[Any]]] = {
        id_: facts
        for id_, facts in db.execute(
            query.where(PROFILES.c.enterprise_id.in_(by_id)).with_for_update()
        )
    }
    values: list[dict[str, Any]] = [
        {"enterprise_id": id_, "facts": stored.get(id_, {}) | _numbered(row, number)}
        for id_, row in by_id.items()
    ]
    if values:
        is_sqlite = db.get_bind().dialect.name == "sqlite"
        insert = sqlite.insert(PROFILES) if is_sqlite else postgresql.insert(PROFILES)
        db.execute(
            insert.on_conflict_do_update(
                index_elements=["enterprise_id"], set_={"facts": insert.excluded.facts}
            ),
            values,
        )
    before = {id_: {name: each[0] for name, each in stored.get(id_, {}).items()} for id_ in talked}
    after = {id_: _plain(by_id[id_]) for id_ in talked}
    return suspend_contradicted(db, talked, before, after)


def _numbered(row: RosterRow, number: int) -> dict[str, list[Any]]:
    return {
        name: [list(value) if isinstance(value, tuple) else value, number]
        for name, value in row.facts.items()
    }


def _plain(row: RosterRow) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in row.facts.items()
    }
