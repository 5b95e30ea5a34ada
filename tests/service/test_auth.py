"""Session tokens: only ours, unchanged and not too old, are read."""

from __future__ import annotations

import re
import time

import pytest

from service.auth import SessionTokens
from service.errors import UnknownSession

TOKENS = SessionTokens("a-secret-of-thirty-two-characters", days=1)


def test_a_token_names_its_conversation() -> None:
    issued = TOKENS.issue()
    assert TOKENS.read(issued.token) == issued
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", issued.conversation_id)


def test_a_named_conversation_can_be_signed() -> None:
    assert TOKENS.read(TOKENS.sign("cli-a").token).conversation_id == "cli-a"


def test_two_sessions_never_share_a_conversation() -> None:
    assert len({TOKENS.issue().conversation_id for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "token", ["", ".", "web-abc", "web-abc.def.ghi", "\ud800", "会话", "a" * 100_000, "a\x00b"]
)
def test_a_made_up_token_is_refused(token: str) -> None:
    with pytest.raises(UnknownSession):
        TOKENS.read(token)


def test_a_changed_conversation_is_refused() -> None:
    _, at, signature = TOKENS.issue().token.rsplit(".", 2)
    other = TOKENS.issue().conversation_id
    with pytest.raises(UnknownSession):
        TOKENS.read(f"{other}.{at}.{signature}")


def test_a_token_of_another_secret_is_refused() -> None:
    with pytest.raises(UnknownSession):
        TOKENS.read(SessionTokens("another-secret-of-32-characters!", days=1).issue().token)


def test_an_old_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    token = TOKENS.issue().token
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 2 * 86_400)
    with pytest.raises(UnknownSession):
        TOKENS.read(token)
