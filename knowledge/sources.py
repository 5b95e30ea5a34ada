"""Documents as an index takes them, and what tells whether one has changed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

# Part of every digest: an index made by other rules of cutting texts into words is built anew.
_FORMAT = b"3"


@dataclass(frozen=True)
class Source:
    """A document to be found: ``passages`` are encoded and searched (title in front), ``text`` is the whole of it.

    ``names`` is all it is called by, where names are searched by themselves (``HybridIndex.build``, ``named``).
    """

    id: str
    title: str
    passages: tuple[str, ...]
    text: str
    names: str = ""

    @property
    def searched(self) -> tuple[str, ...]:
        """The passages, at least one."""
        return self.passages or (self.title or self.text,)

    @cached_property
    def digest(self) -> bytes:
        """Sixteen bytes that change with anything in it."""
        parts = [self.id, self.title, self.text, self.names, *self.passages]
        said = [_FORMAT, *(part.encode("utf-8", "surrogatepass") for part in parts)]
        sized = b"".join(len(part).to_bytes(8, "little") + part for part in said)
        return hashlib.blake2b(sized, digest_size=16).digest()


def content_hash(sources: Iterable[Source]) -> str:
    """Thirty-two hex digits over all sources, whatever their order."""
    return combined(source.digest for source in sources)


def combined(digests: Iterable[bytes]) -> str:
    """The same from the digests of sources."""
    return hashlib.blake2b(b"".join(sorted(digests)), digest_size=16).hexdigest()


def different_ids(sources: Iterable[Source]) -> tuple[str, ...]:
    """The ids.

    Raises:
        ValueError: one of them stands twice.
    """
    ids = tuple(source.id for source in sources)
    twice = [id_ for id_, times in Counter(ids).items() if times > 1]
    if twice:
        raise ValueError(f"source {twice[0]!r}: the id stands twice; ids must differ")
    return ids
