"""Finds an enterprise by its name, or the few whose names are near to what was typed."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import numpy as np
from rapidfuzz import fuzz, process
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.enterprises.models import ENTERPRISES, EnterpriseImport

MOST_NEAR = 5
_NEAR = 60.0
_CONTAINS = 90.0
_RANKED = 40
_MOST_CONTAINING = 1000  # 科技 is in half of all names and tells nothing
# A row may be committed this long after its time was set.
_LATE = timedelta(seconds=60)
_PLACE = re.compile(
    r"^(?:中国|广东省?|深圳市?|福田区?|罗湖区?|南山区?|宝安区?|龙岗区?|龙华区?|盐田区?|光明区?|坪山区?|前海|\(深圳\))+"
)
_FORM = re.compile(
    r"(?:集团)?(?:股份)?(?:有限责任公司|有限公司|公司|合伙企业)?(?:\((?:有限|普通|特殊普通)合伙\))?(?:\(?深圳\)?)?(?:分公司)?$"
)


@dataclass(frozen=True)
class Named:
    """An enterprise by id and name; ``score`` is 100 for the same name, less the less alike."""

    id: int
    name: str
    score: float


@dataclass(frozen=True)
class NamesFound:
    """Those of exactly this name (several may share it), else up to five near ones, the nearest first."""

    exact: tuple[Named, ...] = ()
    near: tuple[Named, ...] = ()


def name_key(name: str) -> str:
    """The name as names are compared: one width, no blanks, no case; at most 200 characters."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())[:200]


def core_of(key: str) -> str:
    """What tells a name from others: without the place before and the legal form behind."""
    core = _PLACE.sub("", _FORM.sub("", key))
    return core if len(core) >= 2 else key


@dataclass(frozen=True)
class _Seen:
    """By what a change of the names shows: the last import, the last row, the last change; absent while there is none."""

    last_import: int | None
    last_row: int | None
    updated_at: datetime | None


class NameIndex:
    """All names in memory, brought up to date at every look-up; safe to use from many threads.

    Some 100 MB for 180,000 names; the first look-up reads them all.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: _Seen | None = None
        self._ids: list[int] = []
        self._names: list[str] = []
        self._keys: list[str] = []
        self._cores: list[str] = []
        self._row_of: dict[int, int] = {}
        self._exact: dict[str, set[int]] = {}
        self._by_core: dict[str, set[int]] = {}
        self._joined: str | None = None
        self._ends = np.zeros(0, np.int64)

    def find(self, db: Session, text: str, most: int = MOST_NEAR) -> NamesFound:
        """The enterprises of this name, or the ``most`` nearest; nothing for a text without two characters."""
        key = name_key(text)
        if len(key) < 2:
            return NamesFound()
        with self._lock:
            self._refresh(db)
            exact = tuple(
                Named(id_, self._names[self._row_of[id_]], 100.0)
                for id_ in sorted(self._exact.get(key, ()))
            )
            return NamesFound(exact) if exact else NamesFound(near=self._near(core_of(key), most))

    def _near(self, core: str, most: int) -> tuple[Named, ...]:
        if not self._cores:
            return ()
        scores = process.cdist([core], self._cores, scorer=fuzz.ratio, dtype=np.float32)[0]
        for row in islice(self._containing(core), _MOST_CONTAINING):
            shorter, longer = sorted((len(core), len(self._cores[row])))
            scores[row] = max(scores[row], _CONTAINS - 20 + 20 * shorter / longer)
        best = np.argpartition(scores, -min(_RANKED, len(scores)))[-_RANKED:]
        ranked = sorted(best.tolist(), key=lambda row: (-scores[row], self._names[row]))
        return tuple(
            Named(self._ids[row], self._names[row], round(float(scores[row]), 1))
            for row in ranked[:most]
            if scores[row] >= _NEAR
        )

    def _containing(self, core: str) -> Iterator[int]:
        """Rows whose core holds this one, or is a part of it of more than two characters."""
        if self._joined is None:
            self._joined = "\n".join(self._cores)
            lengths = np.fromiter(map(len, self._cores), np.int64, len(self._cores))
            self._ends = np.cumsum(lengths + 1)
        at = self._joined.find(core)
        while at >= 0:
            row = int(np.searchsorted(self._ends, at, side="right"))
            yield row
            at = self._joined.find(core, int(self._ends[row]))
        parts = {core[i:j] for i in range(len(core)) for j in range(i + 3, len(core))}
        for part in parts:
            yield from self._by_core.get(part, ())

    def _clear(self) -> None:
        for held in (self._ids, self._names, self._keys, self._cores):
            held.clear()
        for mapped in (self._row_of, self._exact, self._by_core):
            mapped.clear()
        self._joined = None

    def _refresh(self, db: Session) -> None:
        """Reads what has changed since; after an import, whose rows may be older than others already seen, everything."""
        now = _Seen(
            *db.execute(
                select(
                    select(func.max(EnterpriseImport.id)).scalar_subquery(),
                    select(func.max(ENTERPRISES.c.id)).scalar_subquery(),
                    select(func.max(ENTERPRISES.c.updated_at)).scalar_subquery(),
                )
            ).one()
        )
        seen = self._seen
        if now == seen:
            return
        rows = select(ENTERPRISES.c.id, ENTERPRISES.c.name, ENTERPRISES.c.name_key)
        if seen is None or seen.last_import != now.last_import or seen.updated_at is None:
            self._clear()
        else:
            rows = rows.where(ENTERPRISES.c.updated_at >= seen.updated_at - _LATE)
        self._add((id_, name, key) for id_, name, key in db.execute(rows))
        self._seen = now

    def _add(self, rows: Iterable[tuple[int, str, str]]) -> None:
        for id_, name, key in rows:
            row = self._row_of.get(id_)
            if row is None:
                self._row_of[id_] = len(self._ids)
                self._ids.append(id_)
                self._names.append(name)
                self._keys.append(key)
                self._cores.append(core_of(key))
            elif self._keys[row] != key or self._names[row] != name:
                self._exact[self._keys[row]].discard(id_)
                self._by_core[self._cores[row]].discard(row)
                self._names[row], self._keys[row], self._cores[row] = name, key, core_of(key)
            row = self._row_of[id_]
            self._exact.setdefault(key, set()).add(id_)
            self._by_core.setdefault(self._cores[row], set()).add(row)
            self._joined = None


def find_by_name(db: Session, text: str, index: NameIndex | None = None) -> NamesFound:
    """The enterprises of this name, or up to five near ones. A process that looks up often keeps an ``index``."""
    return (index or NameIndex()).find(db, text)
