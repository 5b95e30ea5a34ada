"""The real bot with a desk in memory, for the tests of ``bot`` and ``actions``; trained once, then found again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from actions.registry import build_actions
from bot.runtime import BotRuntime
from bot.training import ROOT, ensure_model
from knowledge.encoder import BUILT_IN, Encoder
from knowledge.live import Live
from nlu.sharing import share_encoder
from tests.actions.fake_desk import FakeDesk
from tests.bot.talk import Talk

MODELS = Path(os.environ.get("QIFU_TEST_CACHE", ROOT / "var")) / "models"


@pytest.fixture(scope="session")
def model(encoder: Encoder) -> Path:
    """The model of the present data; the first run after a change of them trains it."""
    share_encoder(BUILT_IN, encoder)
    return ensure_model(MODELS)


@pytest.fixture(scope="session")
def desk() -> FakeDesk:
    """One desk for all conversations: every test has a session of its own."""
    return FakeDesk()


@pytest.fixture(scope="session")
def bot(model: Path, live: Live, desk: FakeDesk) -> Iterator[BotRuntime]:
    """The bot as it is served, except for the desk."""
    runtime = BotRuntime(
        build_actions(live, desk), warm=lambda text: live.now.encoder.queries([text])
    )
    runtime.load(model)
    yield runtime
    runtime.close()


@pytest.fixture
def talk(bot: BotRuntime) -> Talk:
    """A new conversation with the bot."""
    return Talk(bot)
