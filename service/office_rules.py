"""Hands the office's settings to those who count by them: read again every few seconds."""

from __future__ import annotations

import threading
import time

from service.appeals.clock import Hours
from service.db import Database
from service.handoff.hours import Rules
from service.staff.office import Office, office_of

_KEPT_S = 3.0


class OfficeRules:
    """The office's settings in the words of each room; a change is in force within seconds everywhere."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._office: Office | None = None
        self._read_at = 0.0

    def office(self) -> Office:
        """The settings in force."""
        with self._lock:
            if self._office is None or time.monotonic() - self._read_at > _KEPT_S:
                with self._database.reading() as db:
                    self._office = office_of(db)
                self._read_at = time.monotonic()
            return self._office

    def hours(self) -> Hours:
        """The hours appeals are counted in."""
        spans = self.office().working_hours
        return Hours(tuple((a.hour * 60 + a.minute, b.hour * 60 + b.minute) for a, b in spans))

    def rules(self) -> Rules:
        """How conversations are taken."""
        office = self.office()
        return Rules(wait_minutes=office.person_wait_minutes, spans=office.working_hours)
