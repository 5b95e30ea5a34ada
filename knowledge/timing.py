"""Says whether an item can be applied for on a day; it never touches whether an enterprise is eligible."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from knowledge.acts import repeal_words
from knowledge.policy import Policy, Status
from knowledge.windows import Span, Window

# Materials such as an audit report take about a month.
CLOSING_SOON_DAYS = 30


class DateState(StrEnum):
    """Where a day stands in an item's application period."""

    OPEN = "open"
    CLOSING_SOON = "closing_soon"
    UPCOMING = "upcoming"
    CLOSED = "closed"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Timing:
    """The date state of one item on one day.

    ``opens`` and ``closes`` are the ends of the period it rests on, ``None`` where the record does not give them.
    ``days_left`` counts the days until it closes, 0 on the last one; only where it is open. ``status`` is the
    validity of the policy that day, ``text`` says it in Chinese.
    """

    state: DateState
    text: str
    status: Status
    opens: date | None = None
    closes: date | None = None
    days_left: int | None = None

    @property
    def can_be_offered(self) -> bool:
        """Whether it may be proposed as something to apply for; never an expired one, nor a period that is over."""
        return self.state not in (DateState.EXPIRED, DateState.CLOSED)


def timing_of(policy: Policy, window: Window, day: date) -> Timing:
    """The date state; ``window`` is ``read_window(policy.window)``.

    What is expired on the day (``Policy.status_on``) is so whatever its window says.
    """
    status = policy.status_on(day)
    if status is Status.EXPIRED:
        repeal = policy.repeal_on(day)
        until = f"（有效至{policy.valid_to}）" if policy.valid_to else ""
        until = f"（已{repeal_words(repeal)}）" if repeal else until
        text = f"已过期{until}，仅供了解，不能再按此申报"
        return Timing(DateState.EXPIRED, text, status, closes=policy.valid_to)
    if status is Status.UPCOMING:
        first = policy.valid_from or policy.published
        return Timing(DateState.UPCOMING, f"尚未施行，{first}起", status, opens=first)
    if window.is_all_year:
        return Timing(DateState.OPEN, "全年受理", status, closes=policy.valid_to)
    span = _span_for(window, day)
    if span is not None:
        return _in_span(span, status, day)
    said = f"申报时间：{policy.window}" if policy.window else "记录没有写申报起止日期"
    return Timing(DateState.UNKNOWN, f"{said}，请向{policy.department}确认", status)


def _span_for(window: Window, day: date) -> Span | None:
    """The period the day lies in, else the next one, else the last one that is over; without a last day none is over."""
    spans = window.spans
    current = [s for s in spans if s.closes and (s.opens or day) <= day <= s.closes]
    coming = [s for s in spans if s.opens and day < s.opens]
    if current:
        return min(current, key=lambda s: s.closes or day)
    if coming:
        return min(coming, key=lambda s: s.opens or day)
    if any(span.closes is None for span in spans):
        return None
    return max(spans, key=lambda s: s.closes or day, default=None)


def _in_span(span: Span, status: Status, day: date) -> Timing:
    opens, closes = span.opens, span.closes
    if opens and day < opens:
        until = f"，{closes}截止" if closes else ""
        return Timing(DateState.UPCOMING, f"{opens}开始受理{until}", status, opens, closes)
    assert closes is not None, "a period without a last day is used only before it begins"
    left = (closes - day).days
    if left < 0:
        return Timing(DateState.CLOSED, f"本期已于{closes}截止", status, opens, closes)
    if left > CLOSING_SOON_DAYS:
        return Timing(DateState.OPEN, f"受理中，{closes}截止", status, opens, closes, left)
    when = f"还有{left}天截止" if left else "今天截止"
    return Timing(DateState.CLOSING_SOON, f"{when}（{closes}）", status, opens, closes, left)
