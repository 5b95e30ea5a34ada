"""The demo catalogue with an encoder that costs nothing, for properties that hold whatever the texts mean."""

from __future__ import annotations

import pytest

from knowledge.answer import Answerer
from knowledge.catalogue import Catalogue
from knowledge.dense import VectorCache
from knowledge.retrieval import Retriever
from tests.knowledge.samples import HashedEncoder


@pytest.fixture(scope="session")
def hashed_cache(tmp_path_factory: pytest.TempPathFactory) -> VectorCache:
    """Vectors of the free encoder."""
    return VectorCache(tmp_path_factory.mktemp("hashed"))


@pytest.fixture(scope="session")
def quick(catalogue: Catalogue, hashed_cache: VectorCache) -> Answerer:
    """Answers from the demo catalogue, fast, with the real rules and the real figures."""
    return Answerer(Retriever(catalogue, HashedEncoder(), hashed_cache))
