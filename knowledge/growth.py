"""Makes the next state of an index from the one before: documents taken out and taken in, the rest shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from knowledge.encoder import Vectors
from knowledge.fusion import Parts
from knowledge.sources import Source


def without(parts: Parts, rows: Sequence[int]) -> Parts:
    """The state with these documents taken out; ``parts`` stays as it was."""
    if not rows:
        return parts
    documents, passages = parts.documents.copy(), parts.passages.copy()
    names = None if parts.names is None else parts.names.copy()
    alive = parts.alive.copy()
    documents.remove(rows)
    passages.remove(at for row in rows for at in range(*parts.starts[row : row + 2].tolist()))
    if names is not None:
        names.remove(rows)
    alive[list(rows)] = False
    return replace(parts, documents=documents, passages=passages, alive=alive, names=names)


def with_sources(parts: Parts, sources: Sequence[Source], vectors: Vectors) -> Parts:
    """The state with new documents behind the others, ``vectors`` those of their passages; ``parts`` stays as it was."""
    texts = [source.searched for source in sources]
    documents, passages, meaning = (
        parts.documents.copy(),
        parts.passages.copy(),
        parts.meaning.copy(),
    )
    documents.add([source.text for source in sources])
    passages.add([text for own in texts for text in own])
    meaning.add(vectors)
    names = None if parts.names is None else parts.names.copy()
    if names is not None:
        names.add([source.names for source in sources])
    return Parts(
        (*parts.ids, *(source.id for source in sources)),
        (*parts.digests, *(source.digest for source in sources)),
        np.append(parts.starts, parts.starts[-1] + np.cumsum([len(own) for own in texts])).astype(
            np.int64
        ),
        np.append(parts.alive, np.ones(len(sources), bool)),
        documents,
        passages,
        meaning,
        names,
    )
