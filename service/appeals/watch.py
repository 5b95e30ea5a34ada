"""Runs the rounds over the appeals every half minute, in the background of one process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from service.appeals.ladder import NEAR_SHARE
from service.appeals.rounds import appeals_to_look_at, look, provisional_appeals, recount
from service.db import Database, utc_now

log = structlog.get_logger("qifu.appeals")


class AppealWatch:
    """Looks at what is due, one appeal a transaction; any number of processes may run one.

    ``near_share`` is the used share of the time at which the first warning is given.
    """

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime] = utc_now,
        near_share: Callable[[], float] = lambda: NEAR_SHARE,
        every_s: float = 30.0,
    ) -> None:
        self._database = database
        self._now = now
        self._near_share = near_share
        self._scheduler = BackgroundScheduler(timezone="Asia/Shanghai")
        # What was missed while the machine slept is one run: the rows tell what is due.
        self._scheduler.add_job(
            self.make_rounds,
            "interval",
            seconds=every_s,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )

    def start(self) -> None:
        """Recounts what rests on unpublished holidays, then looks at once and from time to time."""
        self.recount_provisional()
        self._scheduler.start()
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(self._scheduler.timezone))

    def stop(self) -> None:
        """Waits for the round under way."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def make_rounds(self) -> int:
        """One round now; how many events came of it."""
        now, done, seen = self._now(), 0, set[str]()
        while True:
            with self._database.reading() as db:
                numbers = [no for no in appeals_to_look_at(db, now) if no not in seen]
            if not numbers:
                return done
            seen.update(numbers)
            for no in numbers:
                done += self._look(no, now)

    def recount_provisional(self) -> None:
        """Brings due dates counted without holidays to what is known today."""
        with self._database.reading() as db:
            numbers = provisional_appeals(db)
        for no in numbers:
            with self._database.session() as db:
                recount(db, no, self._near_share())

    def _look(self, no: str, now: datetime) -> int:
        try:
            with self._database.session() as db:
                return look(db, no, now, self._near_share())
        except Exception:
            # One appeal that cannot be looked at must not silence the others.
            log.exception("appeal_not_looked_at", no=no)
            return 0
