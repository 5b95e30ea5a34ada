"""Keeps arrays and their descriptions on disk: read mapped, never seen half-written, exchanged as a whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from filelock import FileLock
from numpy.typing import DTypeLike, NDArray

from knowledge.errors import KnowledgeError

T = TypeVar("T")

_POINTER = "current"
_PREFIX = "generation-"
_READ_ATTEMPTS = 5


class StoredIndexError(KnowledgeError):
    """A stored index that is absent, damaged, or was made for something else; names the file and what to do."""


def damaged(path: Path, problem: object) -> StoredIndexError:
    return StoredIndexError(
        f"{path}: damaged or incomplete file of a stored index ({problem}); delete the index's folder and build it anew"
    )


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Writes ``array`` in NumPy's format, down to the disk."""
    with path.open("wb") as file:
        np.save(file, np.ascontiguousarray(array))
        file.flush()
        os.fsync(file.fileno())


def read_array(path: Path, *kinds: DTypeLike, ndim: int = 1) -> NDArray[Any]:
    """The array of a file, mapped and read-only; an empty one is read.

    Raises:
        StoredIndexError: the file is cut off, no array, or none of these ``kinds`` and ``ndim`` dimensions.
        FileNotFoundError: it is absent; another process may have exchanged the index meanwhile.
    """
    try:
        try:
            array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            if "empty" not in str(error):
                raise
            array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise damaged(path, error) from error
    if array.ndim != ndim or array.dtype not in [np.dtype(kind) for kind in kinds]:
        raise damaged(path, f"holds {array.dtype} with {array.ndim} dimensions")
    return array


def write_json(path: Path, value: object) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())


def read_json(path: Path) -> Any:
    """What a file holds.

    Raises:
        StoredIndexError: it is no JSON.
        FileNotFoundError: it is absent.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise damaged(path, error) from error


def link(source: Path, target: Path) -> None:
    """The same immutable file under a second name, without a copy where the file system can."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


class Generations:
    """A folder whose content is exchanged as a whole: each generation a subfolder, a pointer to the one in force.

    A process that has mapped an older generation keeps reading it undisturbed: the system holds removed files until
    they are unmapped.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def current(self) -> Path:
        """The generation in force.

        Raises:
            StoredIndexError: nothing was saved here yet, or the pointer leads nowhere.
        """
        try:
            name = (self.folder / _POINTER).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise StoredIndexError(
                f"{self.folder}: no index is stored here; build it first"
            ) from None
        if not name.startswith(_PREFIX) or not (self.folder / name).is_dir():
            raise damaged(self.folder / _POINTER, f"names {name!r}, which is no generation here")
        return self.folder / name

    def read(self, load: Callable[[Path], T]) -> T:
        """What ``load`` makes of the generation in force, begun anew if a writer removes it meanwhile."""
        for _ in range(_READ_ATTEMPTS):
            generation = self.current()
            try:
                return load(generation)
            except FileNotFoundError as error:
                missing = error
                if self.current() == generation:
                    break
        raise damaged(Path(str(missing.filename)), "the file is missing")

    @contextmanager
    def write(self) -> Iterator[Path]:
        """A new folder to fill; it comes into force when the block ends well, and older ones are removed.

        A process that dies before leaves the generation in force as it was; the next writer clears up.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / "writer.lock"):
            number = 1 + max((_number(path) for path in self._all()), default=0)
            target = self.folder / f"{_PREFIX}{number:06d}"
            target.mkdir()
            try:
                yield target
            except BaseException:
                shutil.rmtree(target, ignore_errors=True)
                raise
            pointer = self.folder / f"{_POINTER}.new"
            with pointer.open("w", encoding="utf-8") as file:
                file.write(target.name)
                file.flush()
                os.fsync(file.fileno())
            os.replace(pointer, self.folder / _POINTER)
            for path in self._all():
                if path != target:
                    shutil.rmtree(path, ignore_errors=True)

    def _all(self) -> list[Path]:
        return [path for path in self.folder.glob(f"{_PREFIX}*") if path.is_dir()]


def _number(path: Path) -> int:
    digits = path.name.removeprefix(_PREFIX)
    return int(digits) if digits.isdigit() else 0
