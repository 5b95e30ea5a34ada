"""What runs now and then: one failing task must not stop the other."""

from __future__ import annotations

import threading

from service.gathering import Gathering


def test_a_task_that_fails_leaves_the_others_alone() -> None:
    done = []

    def fails() -> None:
        raise ZeroDivisionError

    Gathering({"fails": fails, "works": lambda: done.append(1)}).gather()
    assert done == [1]


def test_it_runs_by_itself_until_it_is_stopped() -> None:
    ran = threading.Event()
    gathering = Gathering({"task": ran.set}, every_s=0.05)
    gathering.start()
    assert ran.wait(5)
    gathering.stop()
    gathering.stop()
