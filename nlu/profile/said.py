"""One fact of an enterprise as somebody said it in a message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from knowledge.policy import Scalar
from knowledge.profile import Known, Source


class Answer(StrEnum):
    """What was said of a field."""

    STATED = "stated"  # a value
    UNKNOWN = "unknown"  # 不清楚: they do not know it, now
    REFUSED = "refused"  # 跳过: they will not say, do not ask again
    UNCLEAR = "unclear"  # something was said, but no one value: ask again


@dataclass(frozen=True)
class SaidFact:
    """A field with what was said of it; ``text[start:end]`` of the message is where it stood.

    ``value`` is of the field's type, absent unless stated; of a list the members said to be held, then ``lacks`` those
    said not to be, and ``is_complete`` whether that is all there is. ``note`` says in Chinese what is unclear.
    ``is_derived``: not said but it follows (南山 lies in 深圳). ``is_correction``: it takes back what was given before.
    """

    field: str
    answer: Answer
    value: Scalar | tuple[str, ...] | None
    start: int
    end: int
    text: str
    is_approximate: bool = False
    is_correction: bool = False
    is_derived: bool = False
    is_complete: bool = True
    lacks: tuple[str, ...] = ()
    note: str | None = None

    def known(self, day: date) -> Known | None:
        """The fact as a profile holds it, said on ``day``; ``None`` unless a value was stated."""
        if self.answer is not Answer.STATED or self.value is None:
            return None
        return Known(
            self.value,
            Source.SAID,
            day,
            is_complete=self.is_complete,
            lacks=self.lacks,
            is_approximate=self.is_approximate,
        )
