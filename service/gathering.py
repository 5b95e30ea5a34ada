"""Gathers what is alike, now and then: open appeals into proposals, owed questions into one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

log = structlog.get_logger("qifu.gathering")

Task = Callable[[], object]


class Gathering:
    """Runs each task every ``every_s`` seconds in a thread of its own; both may be run twice harmlessly."""

    def __init__(self, tasks: Mapping[str, Task], every_s: float = 600.0) -> None:
        self._tasks = tasks
        self._scheduler = BackgroundScheduler(timezone="Asia/Shanghai")
        self._scheduler.add_job(
            self.gather,
            "interval",
            seconds=every_s,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        """Ends the thread after the task it is in."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def gather(self) -> None:
        """One run; a task that fails is logged and leaves the others alone."""
        for name, task in self._tasks.items():
            try:
                task()
            except Exception:  # the edge of the thread: the next run tries again
                log.exception("gathering_failed", task=name)
