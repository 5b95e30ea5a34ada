"""Keeps one appeal's clock: it runs in stretches of working time, up to a budget of minutes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from service.appeals.clock import Hours
from service.appeals.worktime import (
    after_working,
    instant_of,
    is_calendar_known,
    minute_of,
    worked_between,
)


@dataclass
class RunningClock:
    """A clock of ``budget`` working minutes begun at minute ``begun``.

    ``round`` counts how often the promise was made anew: filed, extended, reopened. ``used`` are
    the working minutes of the stretches that ended; ``since`` is where the present one began,
    absent while the clock stands still.
    """

    hours: Hours
    budget: int
    begun: int
    round: int = 0
    used: int = 0
    since: int | None = None
    stretches: list[tuple[int, int]] = field(default_factory=list)

    def run(self, minute: int) -> None:
        """Lets it run on; nothing when it runs."""
        if self.since is None:
            self.since = minute

    def stop(self, minute: int) -> None:
        """Lets it stand still; nothing when it stands."""
        if self.since is not None:
            self.stretches.append((self.since, minute))
            self.used += worked_between(self.since, minute, self.hours)
            self.since = None

    def extend(self, days: int) -> None:
        """Adds whole working days to the budget."""
        self.budget += days * self.hours.per_day
        self.round += 1

    def reached(self, minutes: int) -> int | None:
        """The minute by which so many are used up; ``None`` when it stands still before."""
        if minutes <= 0:
            return self.begun
        if self.used < minutes:
            if self.since is None:
                return None
            return after_working(self.since, minutes - self.used, self.hours)
        for start, end in self.stretches:
            worked = worked_between(start, end, self.hours)
            if minutes <= worked:
                return after_working(start, minutes, self.hours)
            minutes -= worked
        raise AssertionError("the stretches do not hold what was used")

    @property
    def due(self) -> int:
        """The minute the budget is used up; while it stands still, as if it ran on where it stopped."""
        reached = self.reached(self.budget)
        if reached is not None:
            return reached
        stopped = self.stretches[-1][1] if self.stretches else self.begun
        return after_working(stopped, self.budget - self.used, self.hours)

    @property
    def due_at(self) -> datetime:
        return instant_of(self.due)

    @property
    def is_calendar_known(self) -> bool:
        """Whether no counted day lies in a year whose holidays are unknown yet."""
        return is_calendar_known(self.begun, self.due)


def start_clock(at: datetime, due_at: datetime, hours: Hours, round_: int) -> RunningClock:
    """A clock that runs from now on and is used up when the promise is due."""
    begun = minute_of(at)
    budget = worked_between(begun, minute_of(due_at), hours)
    return RunningClock(hours, budget, begun, round_, since=begun)
