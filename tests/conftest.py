"""The real demo catalogue and what answers from it, built once for all tests of one run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from knowledge.answer import Answerer
from knowledge.catalogue import Catalogue, read_catalogue
from knowledge.dense import VectorCache
from knowledge.encoder import Encoder, load_encoder
from knowledge.live import Live
from knowledge.retrieval import Retriever

REPOSITORY = Path(__file__).resolve().parents[1]

# A busy machine must not fail a test that is right, and no run must depend on what an earlier one stored.
settings.register_profile("steady", deadline=None, database=None)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The demo catalogue as it ships."""
    return read_catalogue()


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The built-in engine; its recent questions are kept, so equal questions cost once a run."""
    return load_encoder()


@pytest.fixture(scope="session")
def vector_cache() -> VectorCache:
    """Vectors are found by the hash of their text, so all runs and branches may share one folder."""
    folder = os.environ.get("QIFU_TEST_CACHE") or REPOSITORY / "var"
    return VectorCache(Path(folder) / "vectors")


@pytest.fixture(scope="session")
def retriever(catalogue: Catalogue, encoder: Encoder, vector_cache: VectorCache) -> Retriever:
    """Search over the demo catalogue."""
    return Retriever(catalogue, encoder, vector_cache)


@pytest.fixture(scope="session")
def answerer(retriever: Retriever) -> Answerer:
    """Answers over the demo catalogue."""
    return Answerer(retriever)


@pytest.fixture(scope="session")
def live(answerer: Answerer) -> Live:
    """The answerer in force; a test that exchanges it makes a ``Live`` of its own."""
    return Live(answerer)
