"""Says which steps of handling somebody may do with an appeal as it stands now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from service.appeals.derived import Derived
from service.appeals.models import (
    MOVE_LIMITS,
    MOVES,
    UNANSWERED_STATES,
    Appeal,
    AppealState,
)
from service.appeals.visibility import is_centre, leads
from service.staff.permissions import Permission, Role, Staff

_S = AppealState
_PAUSABLE = UNANSWERED_STATES - {_S.FILED, _S.RETURNED}
_AWAITING = frozenset({_S.ANSWERED, _S.EXPLAINED})


@dataclass(frozen=True)
class _Case:
    """An appeal, what follows from its events, and who looks at it."""

    appeal: Appeal
    derived: Derived
    staff: Staff

    def may_become(self, state: AppealState) -> bool:
        return state in MOVES[self.appeal.state]

    @property
    def is_unanswered(self) -> bool:
        return self.appeal.state in UNANSWERED_STATES

    @property
    def is_led(self) -> bool:
        return leads(self.appeal, self.staff) or is_centre(self.staff)

    @property
    def is_not_assisting(self) -> bool:
        return self.staff.role is not Role.DEPARTMENT or leads(self.appeal, self.staff)

    @property
    def may_dispatch(self) -> bool:
        return is_centre(self.staff)

    @property
    def is_returned_for_good(self) -> bool:
        return self.appeal.returns >= MOVE_LIMITS[_S.RETURNED]


_OFFERED: Mapping[str, Callable[[_Case], bool]] = {
    "accept": lambda c: c.is_led and c.may_become(_S.ACCEPTED),
    "answer": lambda c: c.is_led and c.may_become(_S.ANSWERED),
    "settle": lambda c: c.is_not_assisting and c.may_become(_S.CLOSED),
    "explain": lambda c: c.is_led and c.may_become(_S.EXPLAINED),
    "send-back": lambda c: (
        c.is_led
        and c.may_become(_S.RETURNED)
        and not c.appeal.is_arbitrated
        and not c.is_returned_for_good
    ),
    "escalate": lambda c: c.is_led and c.may_become(_S.ESCALATED),
    "pause": lambda c: c.is_led and c.appeal.state in _PAUSABLE and c.appeal.pause_reason is None,
    "resume": lambda c: c.is_led and c.appeal.pause_reason is not None,
    "ask-extension": lambda c: (
        c.is_led and c.appeal.state in _PAUSABLE and c.appeal.extension is None
    ),
    "dispatch": lambda c: (
        c.may_dispatch
        and (c.may_become(_S.DISPATCHED) or c.appeal.state is _S.DISPATCHED)
        and (not c.is_returned_for_good or c.appeal.is_arbitrated)
    ),
    "arbitrate": lambda c: (
        c.may_dispatch and c.appeal.state is _S.RETURNED and c.is_returned_for_good
    ),
    "extend": lambda c: c.may_dispatch and c.is_unanswered and c.appeal.extension == "asked",
    "common": lambda c: c.may_dispatch and c.is_unanswered and c.appeal.state is not _S.FILED,
    "refuse": lambda c: c.may_dispatch and c.may_become(_S.REFUSED),
    "rate": lambda c: c.derived.asks_solved,
    "close": lambda c: c.appeal.state in _AWAITING,
    "reopen": lambda c: c.is_not_assisting and c.may_become(_S.REOPENED),
    "note": lambda c: True,
}


def offered(appeal: Appeal, derived: Derived, staff: Staff) -> tuple[str, ...]:
    """The names of the steps (``staff_routes.STEPS``), usual ones first; doing one is checked again.

    For an appeal they can see.
    """
    if not staff.may(Permission.APPEALS_HANDLE):
        return ()
    case = _Case(appeal, derived, staff)
    return tuple(name for name, is_offered in _OFFERED.items() if is_offered(case))
