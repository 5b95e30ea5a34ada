"""Accounts and sign-in: passwords as Argon2 hashes, locked after too many wrong ones."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from service.errors import Conflict, Forbidden, InvalidInput, NotFound, NotSignedIn, TooManyRequests
from service.staff.audit import record
from service.staff.models import StaffAccount, StaffSession
from service.staff.permissions import Role, Staff

FAILURES_ALLOWED = 5
LOCKED_FOR = timedelta(minutes=15)
SIGNED_IN_FOR = timedelta(hours=12)
IDLE_FOR = timedelta(hours=2)
_SEEN_EVERY = timedelta(minutes=1)
_LOGIN = re.compile(r"[a-z][a-z0-9_.-]{1,31}")
_MIN_PASSWORD, _MAX_PASSWORD = 10, 128
_REFUSED = "用户名或密码不正确。"


@dataclass(frozen=True)
class NewAccount:
    """What is needed to open an account."""

    id: str
    name: str
    role: Role
    password: str
    department: str | None = None
    is_demo: bool = False


@dataclass(frozen=True)
class SignedIn:
    """A sign-in: ``token`` is in the cookie, ``csrf`` goes with every changing request."""

    staff: Staff
    token: str
    csrf: str
    seen_at: datetime

    def is_due_to_be_noted(self, now: datetime) -> bool:
        """Whether its use has not been noted for a minute."""
        return self.seen_at + _SEEN_EVERY <= now


class Passwords:
    """Hashes and checks passwords with Argon2id; an unknown name costs as much as a wrong password."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))

    def hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def is_right(self, password: str, stored: str | None) -> bool:
        """Whether the password is that of the hash; ``None``: nobody's, always wrong."""
        try:
            self._hasher.verify(stored or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with weaker parameters than those in force."""
        return self._hasher.check_needs_rehash(stored)


@cache
def default_passwords() -> Passwords:
    """The library's own parameters (RFC 9106, low memory): about 50 ms and 64 MiB a check."""
    return Passwords()


def create_account(
    db: Session, new: NewAccount, passwords: Passwords, by: str, now: datetime
) -> Staff:
    """Opens an account.

    ``InvalidInput`` naming the field, ``Conflict`` when the name is taken.
    """
    if not _LOGIN.fullmatch(new.id):
        raise InvalidInput("用户名应为2至32个小写字母、数字、点、横线或下划线，以字母开头。", "id")
    name = " ".join(new.name.split())
    if not 1 <= len(name) <= 50:
        raise InvalidInput("姓名应为1至50个字。", "name")
    if new.role is Role.DEPARTMENT and not new.department:
        raise InvalidInput("责任部门的账号必须写明部门。", "department")
    _check_password(new.password, new.id)
    if db.get(StaffAccount, new.id) is not None:
        raise Conflict(f"用户名 {new.id} 已被使用。", "id")
    row = StaffAccount(
        id=new.id,
        name=name,
        role=new.role,
        department=new.department,
        password_hash=passwords.hash(new.password),
        is_demo=new.is_demo,
        created_at=now,
    )
    db.add(row)
    db.flush()
    record(db, by, "account_created", ("account", new.id), now, detail={"role": str(new.role)})
    return _staff(row)


def change_password(
    db: Session, staff_id: str, password: str, passwords: Passwords, by: str, now: datetime
) -> None:
    """Sets a password, ends every sign-in of the account, and unlocks it."""
    row = account(db, staff_id)
    _check_password(password, staff_id)
    row.password_hash = passwords.hash(password)
    row.failures, row.locked_until = 0, None
    sign_out_everywhere(db, staff_id)
    record(db, by, "password_changed", ("account", staff_id), now)


def set_active(db: Session, staff_id: str, is_active: bool, by: str, now: datetime) -> None:
    """Opens or closes an account; a closed one is signed out at once."""
    row = account(db, staff_id)
    if not is_active and by == staff_id:
        raise Forbidden("不能停用自己的账号。", "id")
    row.is_active = is_active
    row.failures, row.locked_until = 0, None
    if not is_active:
        sign_out_everywhere(db, staff_id)
    action = "account_opened" if is_active else "account_closed"
    record(db, by, action, ("account", staff_id), now)


def account(db: Session, staff_id: str) -> StaffAccount:
    """The account; ``NotFound`` when there is none."""
    row = db.get(StaffAccount, staff_id)
    if row is None:
        raise NotFound(f"没有账号 {staff_id[:32]}。", "id")
    return row


def accounts(db: Session) -> list[StaffAccount]:
    """Every account, by name."""
    return list(db.scalars(select(StaffAccount).order_by(StaffAccount.id)))


def active_staff(db: Session, staff_id: str) -> Staff | None:
    """Somebody who may sign in; ``None`` for an unknown or a closed account."""
    row = db.get(StaffAccount, staff_id)
    return _staff(row) if row is not None and row.is_active else None


def sign_in(
    db: Session,
    login: str,
    password: str,
    passwords: Passwords,
    now: datetime,
    address: str | None = None,
) -> SignedIn | None:
    """Signs somebody in; ``None`` for a wrong name or password, which is counted and recorded.

    The caller commits in both cases (a refusal that rolls back would count nothing).
    ``TooManyRequests`` while the account is locked.
    """
    known = login.strip().lower()[:32]
    row = db.scalars(
        select(StaffAccount).where(StaffAccount.id == known).with_for_update()
    ).one_or_none()
    if row is not None and row.locked_until is not None and row.locked_until > now:
        wait_s = int((row.locked_until - now).total_seconds()) + 1
        raise TooManyRequests("密码多次输错，账号已暂时锁定，请稍后再试。", "login", wait_s)
    is_right = passwords.is_right(password, row.password_hash if row else None)
    if row is None or not is_right or not row.is_active:
        _count_failure(row, now)
        action = (
            "account_locked" if row and row.locked_until == now + LOCKED_FOR else "sign_in_refused"
        )
        record(db, None, action, ("account", known or "-"), now, address=address)
        return None
    row.failures, row.locked_until = 0, None
    if passwords.is_outdated(row.password_hash):
        row.password_hash = passwords.hash(password)
    db.execute(delete(StaffSession).where(StaffSession.expires_at <= now))
    token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
    db.add(
        StaffSession(
            token_hash=_hashed(token),
            staff_id=row.id,
            csrf=csrf,
            created_at=now,
            seen_at=now,
            expires_at=now + SIGNED_IN_FOR,
        )
    )
    db.flush()
    record(db, row.id, "signed_in", ("account", row.id), now, address=address)
    return SignedIn(_staff(row), token, csrf, now)


# Asked by every console at every change: built once, and no objects are made of it.
_SIGNED_IN = (
    select(
        StaffAccount.id,
        StaffAccount.name,
        StaffAccount.role,
        StaffAccount.department,
        StaffSession.csrf,
        StaffSession.seen_at,
        StaffSession.expires_at,
        StaffAccount.is_active,
    )
    .join(StaffAccount, StaffAccount.id == StaffSession.staff_id)
    .where(StaffSession.token_hash == bindparam("hashed"))
)


def session_of(db: Session, token: str, now: datetime) -> SignedIn | None:
    """The sign-in of a cookie's token; ``None`` when it ended, was idle too long, or never was."""
    found = db.execute(_SIGNED_IN, {"hashed": _hashed(token)}).first()
    if found is None:
        return None
    id_, name, role, department, csrf, seen_at, expires_at, is_active = found
    if expires_at <= now or seen_at + IDLE_FOR <= now or not is_active:
        return None
    return SignedIn(Staff(id_, name, role, department), token, csrf, seen_at)


def staff_of(db: Session, token: str, now: datetime) -> Staff | None:
    """Who the token belongs to now."""
    signed_in = session_of(db, token, now)
    return signed_in.staff if signed_in else None


def touch(db: Session, token: str, now: datetime) -> None:
    """Notes that the sign-in is in use, at most once a minute."""
    session = db.get(StaffSession, _hashed(token))
    if session is not None and session.seen_at + _SEEN_EVERY <= now:
        session.seen_at = now


def sign_out(db: Session, token: str, now: datetime) -> None:
    """Ends the sign-in of the token, if there is one."""
    session = db.get(StaffSession, _hashed(token))
    if session is not None:
        record(db, session.staff_id, "signed_out", ("account", session.staff_id), now)
        db.delete(session)
        db.flush()


def sign_out_everywhere(db: Session, staff_id: str) -> None:
    """Ends every sign-in of the account."""
    db.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id))


def refused() -> NotSignedIn:
    """What a wrong name and a wrong password both get."""
    return NotSignedIn(_REFUSED, "password")


def _count_failure(row: StaffAccount | None, now: datetime) -> None:
    if row is None:
        return
    row.failures += 1
    if row.failures >= FAILURES_ALLOWED:
        row.failures, row.locked_until = 0, now + LOCKED_FOR


def _check_password(password: str, login: str) -> None:
    if not _MIN_PASSWORD <= len(password) <= _MAX_PASSWORD:
        raise InvalidInput(f"密码应为{_MIN_PASSWORD}至{_MAX_PASSWORD}个字符。", "password")
    if login in password.lower() or len(set(password)) < 5:
        raise InvalidInput("密码太容易猜到：不要包含用户名，不要重复同样的字符。", "password")


def _staff(row: StaffAccount) -> Staff:
    return Staff(row.id, row.name, row.role, row.department)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
