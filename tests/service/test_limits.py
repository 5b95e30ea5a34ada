"""Limits: bodies are cut off early, addresses slowed down."""

from __future__ import annotations

import pytest

from service.limits import TokenBuckets
from tests.service.conftest import StartApp


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_refills_with_time() -> None:
    clock = Clock()
    buckets = TokenBuckets(2, clock)
    assert [buckets.wait_s("a") for _ in range(3)] == [0.0, 0.0, 30.0]
    clock.now = 31.0
    assert buckets.wait_s("a") == 0.0
    assert buckets.wait_s("a") > 0


def test_keys_do_not_share_a_bucket() -> None:
    buckets = TokenBuckets(1, Clock())
    assert [buckets.wait_s(key) for key in "aabb"] == [0.0, 60.0, 0.0, 60.0]


def test_zero_lets_everything_pass() -> None:
    buckets = TokenBuckets(0, Clock())
    assert {buckets.wait_s("a") for _ in range(1000)} == {0.0}


def test_buckets_do_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.limits._KEPT_KEYS", 3)
    buckets = TokenBuckets(1, Clock())
    for key in "abcd":
        buckets.wait_s(key)
    assert buckets.wait_s("a") == 0.0  # forgotten, so it begins anew
    assert buckets.wait_s("d") == 60.0


def test_an_address_that_sends_too_fast_is_told_when_to_come_back(start_app: StartApp) -> None:
    client = start_app(address="203.0.113.5", messages_per_minute=2)
    codes = [client.post("/api/chat", json={"text": f"问{n}"}).status_code for n in range(3)]
    assert codes == [200, 200, 429]
    refused = client.post("/api/chat", json={"text": "再问"})
    assert refused.json()["error"]["code"] == "too_many_requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 30


def test_new_sessions_have_a_limit_of_their_own(start_app: StartApp) -> None:
    client = start_app(address="203.0.113.5", sessions_per_minute=1)
    token = client.post("/api/chat", json={"text": "一"}).json()["session"]
    assert client.post("/api/chat", json={"text": "二"}).status_code == 429
    assert client.post("/api/chat", json={"session": token, "text": "三"}).status_code == 200


def test_this_machine_itself_is_not_limited(start_app: StartApp) -> None:
    client = start_app(messages_per_minute=1, sessions_per_minute=1)
    codes = {client.post("/api/chat", json={"text": f"问{n}"}).status_code for n in range(5)}
    assert codes == {200}


@pytest.mark.parametrize("length", ["9999999999", "-1", "ten"])
def test_a_declared_length_over_the_limit_is_refused_unread(
    start_app: StartApp, length: str
) -> None:
    client = start_app()
    refused = client.post("/api/chat", content=b"{}", headers={"content-length": length})
    assert refused.status_code == 413
    assert refused.json()["error"]["code"] == "too_large"


def test_an_endless_body_is_cut_off(start_app: StartApp) -> None:
    client = start_app(max_body_bytes=10_000)
    endless = (b"x" * 1000 for _ in range(1000))
    refused = client.post(
        "/api/chat", content=endless, headers={"content-type": "application/json"}
    )
    assert refused.status_code == 413
    assert refused.json()["error"]["code"] == "too_large"
