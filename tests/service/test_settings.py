"""Settings: what may be left out, and when a secret may not."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from service.settings import Settings, is_loopback


def test_the_environment_is_read_with_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIFU_PORT", "9001")
    monkeypatch.setenv("QIFU_AS_OF", "2026-11-23")
    monkeypatch.setenv("QIFU_ALLOWED_ORIGINS", "https://a.example, https://b.example/")
    settings = Settings(_env_file=None)
    assert settings.port == 9001
    assert settings.today() == date(2026, 11, 23)
    assert settings.allowed_origins == ("https://a.example", "https://b.example")


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QIFU_DATABASE_URL", "QIFU_SECRET", "QIFU_AS_OF"):
        monkeypatch.setenv(name, " ")
    settings = Settings(_env_file=None)
    assert settings.secret is None
    assert settings.as_of is None
    assert settings.database().startswith("sqlite:///")


def test_a_reachable_host_needs_a_secret() -> None:
    with pytest.raises(ValidationError, match="QIFU_SECRET is not set"):
        Settings(_env_file=None, host="0.0.0.0")


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValidationError, match="too short"):
        Settings(_env_file=None, secret=SecretStr("guess"))


def test_the_secret_is_not_shown() -> None:
    settings = Settings(_env_file=None, secret=SecretStr("a-very-long-secret-indeed"))
    assert "indeed" not in repr(settings)
    assert settings.signing_secret() == "a-very-long-secret-indeed"


def test_the_demo_makes_one_secret_and_keeps_it(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path / "var")
    with ThreadPoolExecutor(8) as pool:
        secrets = {f.result() for f in [pool.submit(settings.signing_secret) for _ in range(8)]}
    assert len(secrets) == 1
    assert len(secrets.pop()) >= 32
    kept = list((tmp_path / "var").iterdir())
    assert [file.name for file in kept] == ["session_secret"]
    assert stat.S_IMODE(kept[0].stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("10.0.0.1", False), ("example.com", False)],
)  # fmt: skip
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
