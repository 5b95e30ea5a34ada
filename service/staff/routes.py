"""Endpoints of the room: who am I, accounts, settings, canned replies, the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from service.db import Database, utc_now
from service.errors import NotSignedIn
from service.staff import accounts, audit, canned, office
from service.staff.access import require, signed_in_of
from service.staff.models import AuditEntry, CannedReply, StaffAccount
from service.staff.permissions import GRANTS, Permission, Role, Staff


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Me(_Model):
    """The one signed in; ``csrf`` goes into ``X-CSRF-Token`` of every changing request."""

    id: str
    name: str
    role: Role
    department: str | None
    permissions: list[Permission]
    csrf: str


class AccountView(_Model):
    """An account as others see it."""

    id: str
    name: str
    role: Role
    department: str | None
    is_active: bool
    is_demo: bool
    locked_until: datetime | None


class AccountDraft(_Model):
    """A new account."""

    id: str = Field(max_length=32)
    name: str = Field(max_length=50)
    role: Role
    password: str = Field(max_length=128)
    department: str | None = Field(None, max_length=64)


class ActiveChange(_Model):
    is_active: bool


class PasswordChange(_Model):
    password: str = Field(max_length=128)


class SettingChange(_Model):
    value: Any


class CannedDraft(_Model):
    shortcut: str = Field(max_length=40)
    title: str = Field(max_length=80)
    text: str = Field(max_length=3000)


class CannedView(CannedDraft):
    id: int
    changed_by: str
    changed_at: datetime


class AuditView(_Model):
    """One entry of the audit log."""

    id: int
    at: datetime
    staff_id: str | None
    action: str
    subject_kind: str
    subject_id: str
    purpose: str | None
    detail: dict[str, Any]
    address: str | None


Admin = Annotated[Staff, Depends(require(Permission.ACCOUNTS))]
Setter = Annotated[Staff, Depends(require(Permission.SETTINGS))]
Auditor = Annotated[Staff, Depends(require(Permission.AUDIT_READ))]
Writer = Annotated[Staff, Depends(require(Permission.CANNED_REPLIES))]


def staff_router() -> APIRouter:
    """The endpoints below /api/staff; ``request.app.state`` holds ``database``."""
    router = APIRouter(prefix="/api/staff", tags=["staff"])

    @router.get("/me")
    def read_me(request: Request) -> Me:
        """The one signed in; 401 for nobody."""
        signed_in = signed_in_of(request)
        if signed_in is None:
            raise NotSignedIn("请先登录工作台。", "cookie")
        staff = signed_in.staff
        return Me(
            id=staff.id,
            name=staff.name,
            role=staff.role,
            department=staff.department,
            permissions=sorted(GRANTS[staff.role]),
            csrf=signed_in.csrf,
        )

    @router.get("/accounts")
    def list_accounts(request: Request, staff: Admin) -> list[AccountView]:
        """Every account."""
        with _database(request).reading() as db:
            return [_account(row) for row in accounts.accounts(db)]

    @router.post("/accounts", status_code=201)
    def add_account(request: Request, staff: Admin, draft: AccountDraft) -> AccountView:
        """Opens an account."""
        new = accounts.NewAccount(**draft.model_dump())
        with _database(request).session() as db:
            accounts.create_account(db, new, accounts.default_passwords(), staff.id, utc_now())
            return _account(accounts.account(db, draft.id))

    @router.put("/accounts/{account_id}/active")
    def set_active(
        request: Request, staff: Admin, account_id: str, change: ActiveChange
    ) -> AccountView:
        """Opens or closes an account; a closed one is signed out at once."""
        with _database(request).session() as db:
            accounts.set_active(db, account_id, change.is_active, staff.id, utc_now())
            return _account(accounts.account(db, account_id))

    @router.put("/accounts/{account_id}/password", status_code=204)
    def set_password(
        request: Request, staff: Admin, account_id: str, change: PasswordChange
    ) -> None:
        """Sets a password; every sign-in of the account ends."""
        with _database(request).session() as db:
            accounts.change_password(
                db, account_id, change.password, accounts.default_passwords(), staff.id, utc_now()
            )

    @router.get("/office")
    def read_office(request: Request, staff: Setter) -> office.Office:
        """The settings in force."""
        with _database(request).reading() as db:
            return office.office_of(db)

    @router.put("/office/{key}")
    def change_office(
        request: Request, staff: Setter, key: str, change: SettingChange
    ) -> office.Office:
        """Changes one setting."""
        with _database(request).session() as db:
            return office.change_office(db, key, change.value, staff.id, utc_now())

    @router.get("/canned")
    def list_canned(request: Request, staff: Writer, q: str = "") -> list[CannedView]:
        """Canned replies by shortcut, title or text."""
        with _database(request).reading() as db:
            return [_canned(row) for row in canned.canned_replies(db, q)]

    @router.post("/canned", status_code=201)
    def add_canned(request: Request, staff: Writer, draft: CannedDraft) -> CannedView:
        """Adds a canned reply."""
        with _database(request).session() as db:
            return _canned(canned.keep_canned(db, **draft.model_dump(), by=staff.id, now=utc_now()))

    @router.put("/canned/{canned_id}")
    def change_canned(
        request: Request, staff: Writer, canned_id: int, draft: CannedDraft
    ) -> CannedView:
        """Changes a canned reply."""
        with _database(request).session() as db:
            row = canned.keep_canned(
                db, **draft.model_dump(), by=staff.id, now=utc_now(), canned_id=canned_id
            )
            return _canned(row)

    @router.delete("/canned/{canned_id}", status_code=204)
    def delete_canned(request: Request, staff: Writer, canned_id: int) -> None:
        """Deletes a canned reply."""
        with _database(request).session() as db:
            canned.delete_canned(db, canned_id, staff.id, utc_now())

    @router.get("/audit")
    def read_audit(
        request: Request,
        staff: Auditor,
        by: str | None = None,
        action: str | None = None,
        subject_kind: str | None = None,
        subject_id: str | None = None,
        before: int | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> list[AuditView]:
        """Who did and looked at what, newest first; ``before`` is the last id of the page before."""
        subject = (subject_kind, subject_id) if subject_kind and subject_id else None
        wanted = audit.AuditFilter(by, action, subject, before=before)
        with _database(request).reading() as db:
            return [_audit(row) for row in audit.entries(db, wanted, limit)]

    return router


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _account(row: StaffAccount) -> AccountView:
    return AccountView(
        id=row.id,
        name=row.name,
        role=row.role,
        department=row.department,
        is_active=row.is_active,
        is_demo=row.is_demo,
        locked_until=row.locked_until,
    )


def _canned(row: CannedReply) -> CannedView:
    return CannedView(
        id=row.id,
        shortcut=row.shortcut,
        title=row.title,
        text=row.text,
        changed_by=row.changed_by,
        changed_at=row.changed_at,
    )


def _audit(row: AuditEntry) -> AuditView:
    return AuditView(
        id=row.id,
        at=row.at,
        staff_id=row.staff_id,
        action=row.action,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        purpose=row.purpose,
        detail=row.detail,
        address=row.address,
    )
