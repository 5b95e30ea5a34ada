"""What is kept of a dialogue between two turns."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bot.compat import forgiving_age, import_rasa
from tests.bot.talk import Talk, text_of

import_rasa()

from rasa.shared.core.domain import Domain  # noqa: E402
from rasa.shared.core.events import (  # noqa: E402
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker  # noqa: E402

from bot.tracker_store import (  # noqa: E402
    TurnTrackerStore,
    current_state,
    read_state,
    saved_tracker,
    write_state,
)
from bot.training import DOMAIN  # noqa: E402


@pytest.fixture(scope="module")
def domain() -> Domain:
    with forgiving_age():
        return Domain.load(str(DOMAIN))


def tracker_of(domain: Domain, *events: Any) -> DialogueStateTracker:
    return DialogueStateTracker.from_events("s", list(events), slots=domain.slots, domain=domain)


def said(text: str) -> UserUttered:
    return UserUttered(text, intent={"name": "greet", "confidence": 1.0})


def kinds(state: str) -> list[str]:
    return [event["event"] for event in json.loads(state)]


def test_slots_survive(domain: Domain) -> None:
    before = tracker_of(domain, said("a"), SlotSet("policy_id", "FT-001"))
    after = read_state("s", write_state(before), domain)
    assert after.get_slot("policy_id") == "FT-001"
    assert after.get_slot("appeal_no") is None


def test_only_the_last_turn_is_kept_without_what_the_bot_said(domain: Domain) -> None:
    turn = [ActionExecuted("utter_greet"), BotUttered("好"), ActionExecuted("action_listen")]
    state = write_state(tracker_of(domain, *[said(f"第{i}句") for i in range(9)], *turn))
    assert kinds(state).count("user") == 1
    assert "第8句" in state
    assert "bot" not in kinds(state)


def test_open_form_survives_turns_that_do_not_name_it(domain: Domain) -> None:
    opening = [said("我要提诉求"), ActionExecuted("appeal_form"), ActiveLoop("appeal_form")]
    asking = [SlotSet("requested_slot", "appeal_matter"), ActionExecuted("action_listen")]
    state = write_state(tracker_of(domain, *opening, *asking))
    for _ in range(5):
        tracker = read_state("s", state, domain)
        assert tracker.active_loop_name == "appeal_form"
        assert tracker.get_slot("requested_slot") == "appeal_matter"
        tracker.update(ActionExecuted("action_listen"), domain)
        tracker.update(said("在吗"), domain)
        tracker.update(ActionExecuted("utter_greet"), domain)
        state = write_state(tracker)


def test_closed_form_stays_closed(domain: Domain) -> None:
    form = [ActiveLoop("appeal_form"), ActiveLoop(None)]
    state = write_state(tracker_of(domain, said("a"), *form, said("b")))
    assert read_state("s", state, domain).active_loop_name is None


def test_size_does_not_grow_with_the_turns(domain: Domain) -> None:
    sizes = [
        len(write_state(tracker_of(domain, *[said("你好")] * turns))) for turns in (1, 10, 100)
    ]
    assert max(sizes) - min(sizes) <= 20  # times of events differ in their digits


def test_store_reads_the_state_of_its_own_context(domain: Domain) -> None:
    store = TurnTrackerStore(domain)
    state = write_state(tracker_of(domain, said("a"), SlotSet("policy_id", "FT-001")))

    async def read(given: str | None) -> Any:
        current_state.set(given)
        saved_tracker.set(None)
        await asyncio.sleep(0)
        tracker = await store.retrieve("s")
        return tracker and tracker.get_slot("policy_id")

    async def both() -> list[Any]:
        return list(await asyncio.gather(read(state), read(None)))

    assert asyncio.run(both()) == ["FT-001", None]


def test_store_keeps_what_the_turn_saved(domain: Domain) -> None:
    store = TurnTrackerStore(domain)
    tracker = tracker_of(domain, said("a"))

    async def turn() -> Any:
        current_state.set(None)
        saved_tracker.set(None)
        await store.save(tracker)
        return await store.retrieve("s"), list(await store.keys())

    assert asyncio.run(turn()) == (tracker, [])


def test_state_is_readable_text(talk: Talk, tmp_path: Path) -> None:
    talk.say("首次认定国家高新技术企业在福田能拿多少钱")
    assert talk.state is not None
    kept = tmp_path / "state.json"
    kept.write_text(talk.state, encoding="utf-8")
    talk.state = kept.read_text(encoding="utf-8")
    assert "申报材料" in text_of(talk.say("那需要什么材料"))
