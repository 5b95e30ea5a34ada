"""Keeps the working catalogue: imported documents and rows, over the one that ships, with the history of every import."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from knowledge.acts import source_of
from knowledge.catalogue import DEMO_CATALOGUE, Catalogue, read_catalogue
from knowledge.documents.aftermath import (
    Aftermath,
    Deed,
    Effect,
    deed_of,
    deed_row,
    effects_of,
)
from knowledge.documents.blocks import Kind, bare
from knowledge.documents.changes import ClauseChange, PolicyChange, align, change_of, number_of
from knowledge.documents.editions import earlier_edition, file_stem, merged, next_id
from knowledge.documents.kinds import kind_of, read_bytes
from knowledge.documents.policy_of import Draft, Notice, clauses_from, draft_of, notice_of
from knowledge.documents.reading import read_document, read_workbook
from knowledge.documents.rows import line_of
from knowledge.errors import CatalogueError, DocumentError, KnowledgeError
from knowledge.fields import read_fields
from knowledge.policy import Clause, Policy

ROWS_FILE = "policies.jsonl"
HISTORY_FILE = Path("history") / "imports.jsonl"
# What imported papers did to others, also to such as are not in the catalogue yet.
DEEDS_FILE = Path("history") / "deeds.jsonl"
_LOCK_WAIT_S = 30.0


@dataclass(frozen=True)
class Step:
    """How far an import is: file ``number`` of ``files``, page ``page`` of ``pages`` of it (1 of 1 without pages)."""

    file: str
    number: int
    files: int
    page: int
    pages: int


Progress = Callable[[Step], None]
T = TypeVar("T")


@dataclass(frozen=True)
class FileResult:
    """What one file brought. ``problems`` is empty where it was taken; ``changes`` then has one entry a policy.

    ``kind`` is absent where the file was refused before it was known. ``effects`` is what the paper does to others;
    ``notice`` the title of one that does nothing else and is no policy.
    """

    file: str
    kind: Kind | None = None
    sha256: str | None = None
    changes: tuple[PolicyChange, ...] = ()
    problems: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    notice: str | None = None


@dataclass(frozen=True)
class ImportReport:
    """An import as a whole; ``is_written`` is false for a dry run, where nothing changed, or when refused."""

    files: tuple[FileResult, ...]
    is_written: bool

    @property
    def is_ok(self) -> bool:
        return not any(result.problems for result in self.files)


@dataclass(frozen=True)
class ImportRecord:
    """One policy's share in one import, as the history keeps it. ``clauses`` are the changes, oldest wording included;
    ``highest`` is the highest clause number ever given in the policy, so that none is given twice. ``is_effect`` says
    that the file is another paper, which did something to the policy.
    """

    time: datetime
    file: str
    sha256: str
    policy_id: str
    title: str
    counts: Mapping[str, int]
    highest: int
    facts: tuple[Mapping[str, Any], ...]
    clauses: tuple[Mapping[str, Any], ...]
    is_effect: bool = False


@dataclass(frozen=True)
class _Source:
    """A file that could be read: a document's draft, a notice about other papers, or rows."""

    path: Path
    kind: Kind
    sha256: str
    draft: Draft | None = None
    notice: Notice | None = None
    rows: tuple[Policy, ...] = ()


class CatalogueStore:
    """The catalogue in force: ``folder`` (written by imports) over ``base`` (only read).

    A policy in ``folder`` replaces the one of the same id in ``base``; without a base the folder is all there is.
    Writing is all or nothing: the whole merged catalogue is checked in a staging folder, then one file is exchanged.
    """

    def __init__(self, folder: Path, base: Path | None = DEMO_CATALOGUE) -> None:
        self.folder, self.base = folder, base
        self._lines: dict[str, Policy] = {}

    def read(self) -> Catalogue:
        """The merged catalogue; a policy whose line has not changed since the last reading is the very same object.

        Raises:
            CatalogueError: with every defect.
        """
        return read_catalogue(self.folder, base=self.base, lines=self._lines)

    def version(self) -> str:
        """Sixteen hex digits that change whenever a file of either layer does; reads no content."""
        digest = hashlib.sha256()
        for layer in (self.base, self.folder):
            if layer is None:
                continue
            for path in [layer] if layer.is_file() else sorted(layer.glob("*.jsonl")):
                try:
                    stat = path.stat()
                except FileNotFoundError:  # exchanged just now; the next look sees it
                    continue
                digest.update(
                    f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ino}\n".encode()
                )
        return digest.hexdigest()[:16]

    def history(self) -> list[ImportRecord]:
        """Every change ever imported, oldest first. Raises ``CatalogueError`` where a line is damaged."""
        return _read_records(self.folder, HISTORY_FILE, _record_of)

    def deeds(self) -> list[Deed]:
        """What imported papers did to others, oldest first; of one paper the last counts.

        Raises ``CatalogueError`` where a line is damaged.
        """
        return _read_records(self.folder, DEEDS_FILE, deed_of)

    def import_files(
        self,
        paths: Sequence[Path],
        progress: Progress | None = None,
        *,
        strict: bool = False,
        dry_run: bool = False,
        prepare: Callable[[Catalogue], None] = lambda changed: None,
    ) -> ImportReport:
        """Takes in documents, workbooks and row files; a folder means every file in it.

        A file that cannot be taken is named in the report and leaves the catalogue as it was; the good ones are taken
        all the same, unless ``strict``. ``dry_run`` only tells what would change. ``prepare`` is given the new and
        changed policies before they come into force; when it raises, nothing is written.

        Raises:
            CatalogueError: the catalogue as it is cannot be read, or what comes in does not fit it.
        """
        found = list(_files(paths))
        read = [
            self._read_one(path, number, len(found), progress)
            for number, path in enumerate(found, 1)
        ]
        with self._locked(dry_run):
            report, plan = self._plan(read)
            refused = strict and not report.is_ok
            if dry_run or refused or not (plan.policies or plan.removed or plan.deeds):
                return report
            if plan.policies:
                prepare(Catalogue(plan.policies.values()))
            if plan.policies or plan.removed:
                self._write(plan.policies, plan.removed)
            self._append(HISTORY_FILE, [_row_of(record) for record in plan.records])
            self._append(DEEDS_FILE, [deed_row(deed) for deed in plan.deeds])
        return replace(report, is_written=True)

    @contextmanager
    def _locked(self, dry_run: bool) -> Iterator[None]:
        if dry_run:
            yield
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.folder / ".lock", timeout=_LOCK_WAIT_S):
                yield
        except Timeout as error:
            raise CatalogueError(
                [f"{self.folder}: 另一个导入正在进行；请等它结束后再试"]
            ) from error

    @staticmethod
    def _read_one(
        path: Path, number: int, files: int, progress: Progress | None
    ) -> _Source | FileResult:
        def page(at: int, pages: int) -> None:
            if progress:
                progress(Step(path.name, number, files, at, pages))

        kind = digest = None
        try:
            data = read_bytes(path)
            digest = hashlib.sha256(data).hexdigest()
            kind = kind_of(path.name, data)
            if kind is Kind.JSONL:
                rows = tuple(read_catalogue(path).policies.values())
            elif kind is Kind.XLSX:
                rows = tuple(read_workbook(path.name, data, read_fields()))
            else:
                document = read_document(path.name, data, kind, page)
                if notice := notice_of(document):
                    return _Source(path, kind, digest, notice=notice)
                return _Source(path, kind, digest, draft_of(document))
        except CatalogueError as error:
            return FileResult(path.name, kind, digest, problems=tuple(error.problems))
        except KnowledgeError as error:
            return FileResult(path.name, kind, digest, problems=(str(error),))
        page(1, 1)
        return _Source(path, kind, digest, rows=rows)

    def _plan(self, read: Sequence[_Source | FileResult]) -> tuple[ImportReport, _Plan]:
        """What the import does, from the catalogue as it is now: the report, and what is to be written."""
        plan = _Plan(self.read(), self.history(), self.deeds(), frozenset(self._own()))
        results = [each if isinstance(each, FileResult) else plan.take(each) for each in read]
        settled = (
            result if isinstance(source, FileResult) else plan.settle(source, result)
            for source, result in zip(read, results, strict=True)
        )
        return ImportReport(tuple(settled), False), plan

    def _write(self, policies: Mapping[str, Policy], removed: Collection[str]) -> None:
        """Exchanges the file of rows, after the whole merged catalogue with it has passed the strict reader."""
        rows = self.folder / ROWS_FILE
        own = {**self._own(), **policies}
        own = {key: policy for key, policy in own.items() if key not in removed}
        staging = Path(tempfile.mkdtemp(dir=self.folder, prefix=".staging-"))
        try:
            for path in self.folder.glob("*.jsonl"):
                if path.name != ROWS_FILE:
                    shutil.copy2(path, staging / path.name)
            with (staging / ROWS_FILE).open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(f"{line_of(policy)}\n" for policy in own.values())
                file.flush()
                os.fsync(file.fileno())
            read_catalogue(staging, base=self.base)
            os.replace(staging / ROWS_FILE, rows)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _own(self) -> Mapping[str, Policy]:
        """The policies imports have written."""
        rows = self.folder / ROWS_FILE
        return read_catalogue(rows).policies if rows.exists() and rows.stat().st_size else {}

    def _append(self, name: Path, rows: Sequence[Mapping[str, Any]]) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8", newline="\n") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())


class _Plan:
    """Works out one import, file after file; each sees what those before it did."""

    def __init__(
        self,
        catalogue: Catalogue,
        history: Sequence[ImportRecord],
        deeds: Sequence[Deed],
        own: frozenset[str],
    ) -> None:
        self._catalogue, self._own = catalogue, own
        self._aftermath = Aftermath(deeds)
        self._highest: dict[str, int] = {}
        self._by_file: dict[str, str] = {}
        for record in history:
            self._highest[record.policy_id] = max(
                record.highest, self._highest.get(record.policy_id, 0)
            )
            if not record.is_effect:
                self._by_file[file_stem(record.file)] = record.policy_id
        self._taken_by: dict[str, str] = {}
        self._time = datetime.now(UTC)
        self.policies: dict[str, Policy] = {}
        self.records: list[ImportRecord] = []
        self.removed: set[str] = set()
        self.deeds: list[Deed] = []

    def take(self, source: _Source) -> FileResult:
        name = source.path.name
        if source.notice:
            deed = _deed_of_notice(name, source.notice)
            self._put_deed(deed)
            changes = self._withdraw(source, source.notice)
            title = source.notice.title
            return FileResult(name, source.kind, source.sha256, changes, notice=title)
        try:
            policies = [self._edition(source, source.draft)] if source.draft else list(source.rows)
            for policy in policies:
                if policy.id in self._taken_by:
                    raise DocumentError(
                        name,
                        f"与这次导入的 {self._taken_by[policy.id]} 是同一份（{policy.id}），只取前一个",
                    )
        except DocumentError as error:
            return FileResult(name, source.kind, source.sha256, problems=(str(error),))
        changes = tuple(self._put(source, policy) for policy in policies)
        if source.draft:
            self._put_deed(_deed_of_policy(name, policies[0], source.draft))
        return FileResult(name, source.kind, source.sha256, changes)

    def settle(self, source: _Source, result: FileResult) -> FileResult:
        """The result with what the paper does to others, once all files of the import are in."""
        if result.problems:
            return result
        deed = None
        if source.notice:
            deed = _deed_of_notice(result.file, source.notice)
        elif source.draft:
            policy = self._catalogue.policies[result.changes[0].policy_id]
            deed = _deed_of_policy(result.file, policy, source.draft)
        if deed is None:
            return result
        changes = [*result.changes]
        effects = effects_of(deed, self._catalogue.policies.values())
        hit = dict.fromkeys(each for effect in effects for each in effect.policies)
        # Those that an earlier edition of this paper meant and this one does not.
        hit |= {
            policy.id: None
            for policy in self._catalogue.policies.values()
            if any(act.source == deed.source for act in policy.acts)
        }
        for policy_id in hit:
            change = self._put(source, self._catalogue.policies[policy_id], is_effect=True)
            if not change.is_nothing:
                changes.append(change)
        return replace(result, changes=tuple(changes), effects=effects)

    def _put_deed(self, deed: Deed) -> None:
        if self._aftermath.put(deed):
            self.deeds.append(deed)

    def _withdraw(self, source: _Source, notice: Notice) -> tuple[PolicyChange, ...]:
        """Takes out the notice where an earlier import had made a policy of it."""
        known = source_of(notice.title, notice.doc_no, notice.issuer)
        gone = [
            policy
            for policy in self._catalogue.policies.values()
            if policy.id in self._own
            and policy.wording
            and source_of(policy.title, policy.doc_no, policy.issuer) == known
            and bare(notice.title) in {bare(name) for name in (policy.title, *policy.aliases)}
        ]
        changes = []
        for policy in gone:
            change = change_of(policy, replace(policy, wording=()))
            self.removed.add(policy.id)
            left = {k: v for k, v in self._catalogue.policies.items() if k != policy.id}
            self._catalogue = Catalogue(left.values())
            highest = self._highest_of(policy.id, policy.wording)
            self._highest[policy.id] = highest
            self.records.append(_record(source, change, highest, self._time, is_effect=True))
            changes.append(change)
        return tuple(changes)

    def _edition(self, source: _Source, draft: Draft) -> Policy:
        """The draft under its policy id, its clauses numbered along those of the edition before."""
        by_file = self._by_file.get(file_stem(source.path.name))
        old = earlier_edition(self._catalogue, draft.policy, by_file)
        if old is None:
            policy_id = next_id(
                self._catalogue, draft.policy.level, draft.policy.place, self._highest
            )
            policy = replace(draft.policy, id=policy_id)
        else:
            policy = merged(old, draft.policy)
        before = old.wording if old else ()
        numbers = align(before, draft.pieces, self._highest_of(policy.id, before))
        return replace(policy, wording=clauses_from(draft, policy.id, numbers))

    def _highest_of(self, policy_id: str, clauses: Sequence[Clause]) -> int:
        return max([self._highest.get(policy_id, 0), *(number_of(clause.id) for clause in clauses)])

    def _put(self, source: _Source, policy: Policy, is_effect: bool = False) -> PolicyChange:
        old = self._catalogue.policies.get(policy.id)
        policy = self._aftermath.applied(policy, old)
        change = change_of(old, policy)
        if not is_effect:
            self._taken_by[policy.id] = source.path.name
        if change.is_nothing and not change.repaged:
            return change
        self._catalogue = Catalogue([*(self._catalogue.policies | {policy.id: policy}).values()])
        self.policies[policy.id] = policy
        highest = self._highest_of(policy.id, [*(old.wording if old else ()), *policy.wording])
        self._highest[policy.id] = highest
        self.records.append(_record(source, change, highest, self._time, is_effect))
        return change


def _deed_of_notice(file: str, notice: Notice) -> Deed:
    return Deed(file, notice.title, notice.doc_no, notice.issuer, notice.aims)


def _deed_of_policy(file: str, policy: Policy, draft: Draft) -> Deed:
    return Deed(file, policy.title, policy.doc_no, policy.issuer, draft.aims)


def _read_records(folder: Path, name: Path, read: Callable[[dict[str, Any]], T]) -> list[T]:
    path = folder / name
    if not path.exists():
        return []
    records = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            records.append(read(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise CatalogueError(
                [
                    f"{name}:{number}: damaged record of an import ({error}); mend or delete this line"
                ]
            ) from error
    return records


def _record_of(row: dict[str, Any]) -> ImportRecord:
    row["time"] = datetime.fromisoformat(row["time"])
    row["facts"], row["clauses"] = tuple(row["facts"]), tuple(row["clauses"])
    return ImportRecord(**row)


def _row_of(record: ImportRecord) -> dict[str, Any]:
    return {**record.__dict__, "time": record.time.isoformat()}


def _record(
    source: _Source, change: PolicyChange, highest: int, time: datetime, is_effect: bool = False
) -> ImportRecord:
    return ImportRecord(
        time,
        source.path.name,
        source.sha256,
        change.policy_id,
        change.title,
        change.counts(),
        highest,
        tuple({"key": fact.key, "old": fact.old, "new": fact.new} for fact in change.facts),
        tuple(clause_row(each) for each in change.clauses),
        is_effect,
    )


def clause_row(change: ClauseChange) -> dict[str, Any]:
    """A clause change as JSON: kind, id, label, old and new wording (``None`` where there is none)."""
    old, new = change.old, change.new
    return {
        "kind": change.kind.value,
        "id": change.id,
        "label": change.label,
        "old_label": old.label if old else None,
        "old": old.text if old else None,
        "new": new.text if new else None,
    }


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """Files as named; of a folder all in it and below, without hidden ones and Office's lock files."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = [p for p in sorted(path.rglob("*")) if p.is_file() and not _is_hidden(p, path)]
        if not inside:
            raise CatalogueError([f"{path}: 文件夹里没有文件"])
        yield from inside


def _is_hidden(path: Path, root: Path) -> bool:
    parts = path.relative_to(root).parts
    return any(part.startswith((".", "~$")) for part in parts) or path.name in {
        "Thumbs.db",
        "desktop.ini",
    }
