"""People of the desk, with passwords that are quick to check."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from argon2 import PasswordHasher

from service.staff.accounts import NewAccount, Passwords
from service.staff.permissions import Role

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
PASSWORD = "jade-paper-77"


@pytest.fixture(scope="session")
def passwords() -> Passwords:
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def new_account(login: str = "lin", role: Role = Role.COMMISSIONER) -> NewAccount:
    department = "finance" if role is Role.DEPARTMENT else None
    return NewAccount(login, "林专员", role, PASSWORD, department)
