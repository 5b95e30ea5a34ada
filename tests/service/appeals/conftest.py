"""A fixed clock, a desk over a real database, and the real encoder, for the tests of appeals."""

from __future__ import annotations

import pytest

from knowledge.encoder import Encoder, load_encoder
from service.appeals.departments import load_departments
from service.appeals.dispatch import Dispatcher
from service.db import Database
from service.desk import ServiceDesk
from tests.service.appeals.seams import Clock, LetterEncoder


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def letters() -> Dispatcher:
    """A dispatcher over the real table whose encoder only counts characters."""
    return Dispatcher(load_departments(), LetterEncoder())


@pytest.fixture
def desk(database: Database, letters: Dispatcher, clock: Clock) -> ServiceDesk:
    return ServiceDesk(database, letters, LetterEncoder(), now=clock)


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture(scope="session")
def dispatcher(encoder: Encoder) -> Dispatcher:
    dispatcher = Dispatcher(load_departments(), encoder)
    dispatcher.warm()
    return dispatcher
