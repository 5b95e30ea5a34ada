"""The dispatcher over the real table, for the labelled pairs."""

from __future__ import annotations

import pytest

from knowledge.encoder import Encoder
from service.appeals.departments import load_departments
from service.appeals.dispatch import Dispatcher


@pytest.fixture(scope="session")
def dispatcher(encoder: Encoder) -> Dispatcher:
    return Dispatcher(load_departments(), encoder)
