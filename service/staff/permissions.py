"""Says what each role may do, in one table that pages, endpoints and tests read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is at the desk."""

    COMMISSIONER = "commissioner"
    DEPARTMENT = "department"
    CENTRE = "centre"
    ADMIN = "admin"


ROLE_NAMES: Mapping[Role, str] = {
    Role.COMMISSIONER: "服务专员",
    Role.DEPARTMENT: "责任部门",
    Role.CENTRE: "企服中心",
    Role.ADMIN: "系统管理员",
}


class Permission(StrEnum):
    """One thing that may be done; ``*_READ`` shows, the others change."""

    INBOX_READ = "inbox_read"
    INBOX_ANSWER = "inbox_answer"
    APPEALS_READ = "appeals_read"
    APPEALS_HANDLE = "appeals_handle"
    APPEALS_DISPATCH = "appeals_dispatch"
    COMMON_ISSUES = "common_issues"
    CATALOGUE_READ = "catalogue_read"
    ENTERPRISES_READ = "enterprises_read"
    ENTERPRISES_BIND = "enterprises_bind"
    DEBT_READ = "debt_read"
    DEBT_HANDLE = "debt_handle"
    FAQ_SIGN = "faq_sign"
    DASHBOARD_READ = "dashboard_read"
    CANNED_REPLIES = "canned_replies"
    SETTINGS = "settings"
    ACCOUNTS = "accounts"
    AUDIT_READ = "audit_read"


_P = Permission

GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.COMMISSIONER: frozenset(
        {
            _P.INBOX_READ,
            _P.INBOX_ANSWER,
            _P.APPEALS_READ,
            _P.APPEALS_HANDLE,
            _P.CATALOGUE_READ,
            _P.ENTERPRISES_READ,
            _P.ENTERPRISES_BIND,
            _P.DEBT_READ,
            _P.DEBT_HANDLE,
            _P.DASHBOARD_READ,
            _P.CANNED_REPLIES,
        }
    ),
    Role.DEPARTMENT: frozenset(
        {
            _P.APPEALS_READ,
            _P.APPEALS_HANDLE,
            _P.CATALOGUE_READ,
            _P.DEBT_READ,
            _P.DEBT_HANDLE,
            _P.DASHBOARD_READ,
        }
    ),
    Role.CENTRE: frozenset(Permission) - {_P.SETTINGS, _P.ACCOUNTS},
    Role.ADMIN: frozenset(
        {
            _P.SETTINGS,
            _P.ACCOUNTS,
            _P.AUDIT_READ,
            _P.DASHBOARD_READ,
            _P.CATALOGUE_READ,
            _P.CANNED_REPLIES,
        }
    ),
}
"""A department sees and handles only appeals it leads or assists (``service.appeals.visibility``)."""


@dataclass(frozen=True)
class Staff:
    """Somebody signed in. ``department`` is the code of theirs; absent for centre and admin."""

    id: str
    name: str
    role: Role
    department: str | None = None

    def may(self, permission: Permission) -> bool:
        """Whether their role allows it."""
        return permission in GRANTS[self.role]
