"""Says which appeals somebody of the desk may see, and which they may handle."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, select, true
from sqlalchemy.orm import Session

from service.appeals.departments import directory
from service.appeals.models import Appeal, AppealParty
from service.errors import ServiceError
from service.staff.permissions import Permission, Role, Staff


class NotYours(ServiceError):
    """Signed in and able to see the appeal, but this is not theirs to do."""

    status = 403
    code = "not_yours"


def visible_to(staff: Staff) -> ColumnElement[bool]:
    """The filter on ``Appeal``: all for commissioners and the centre; a department's own.

    A department's own are those it leads or assists today, also under a name it had before.
    """
    if not staff.may(Permission.APPEALS_READ):
        return false()
    if staff.role is not Role.DEPARTMENT:
        return true()
    names = directory().names_of(staff.department or "")
    if not names:
        return false()
    return Appeal.id.in_(
        select(AppealParty.appeal_id).where(AppealParty.department.in_(sorted(names)))
    )


def is_visible(db: Session, appeal: Appeal, staff: Staff) -> bool:
    """Whether the filter lets this one through."""
    query = select(Appeal.id).where(Appeal.id == appeal.id, visible_to(staff))
    return db.execute(query).first() is not None


def leads(appeal: Appeal, staff: Staff) -> bool:
    """Whether they belong to the department that answers for it."""
    names = directory().names_of(staff.department or "")
    return staff.role is Role.DEPARTMENT and appeal.department in names


def is_centre(staff: Staff) -> bool:
    """Whether they act for the centre, which dispatches and decides."""
    return staff.may(Permission.APPEALS_DISPATCH)
