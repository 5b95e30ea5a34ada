"""Turns of the real model: state, buttons, failures, time limits, many threads at once."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from actions.base import Events, Said, Say, TurnAction
from actions.registry import build_actions
from actions.replies import Reply, ReplyKind
from bot.runtime import BotRuntime, neutralise_command
from bot.turn import Turn, TurnFailed, TurnTimeout
from knowledge.live import Live
from tests.actions.fake_desk import FakeDesk
from tests.bot.talk import TODAY, Talk, kinds_of, only, text_of

QUESTION = "首次认定国家高新技术企业在福田能拿多少钱"
FOLLOW_UP = "那需要什么材料"
ASK = "/ask_policy"


class Scripted(TurnAction):
    """Stands where the answer would be given, and does what the test says."""

    action_name = "action_answer_policy"

    def __init__(self, script: Callable[[Said, Say], object]) -> None:
        self._script = script

    def act(self, said: Said, say: Say) -> Events:
        self._script(said, say)
        return []


@contextmanager
def scripted(
    model: Path, live: Live, script: Callable[[Said, Say], object]
) -> Iterator[BotRuntime]:
    """The bot with ``script`` as the action of policy questions."""
    kept = [
        action
        for action in build_actions(live, FakeDesk())
        if action.name() != Scripted.action_name
    ]
    runtime = BotRuntime([*kept, Scripted(script)])
    runtime.load(model)
    try:
        yield runtime
    finally:
        runtime.close()


def test_turn_answers_and_returns_its_trace(talk: Talk) -> None:
    result = talk.say(QUESTION)
    assert kinds_of(result) == [ReplyKind.ANSWER]
    assert result.trace.intent == "ask_policy"
    assert 0.3 <= result.trace.confidence <= 1
    assert result.trace.candidates[0][0] == result.replies[0].citations[0].policy_id


def test_state_carries_the_policy_under_discussion(bot: BotRuntime) -> None:
    talk = Talk(bot)
    first = talk.say(QUESTION).replies[0].citations[0].policy_id
    second = talk.say(FOLLOW_UP).replies[0]
    assert {citation.policy_id for citation in second.citations} == {first}
    assert {citation.clause for citation in second.citations} == {"申报材料"}


def test_state_is_not_kept_in_the_runtime(bot: BotRuntime) -> None:
    talk = Talk(bot)
    talk.say(QUESTION)
    talk.state = None
    assert all(not reply.citations for reply in talk.say(FOLLOW_UP).replies)


def test_one_state_may_be_continued_twice(bot: BotRuntime) -> None:
    talk = Talk(bot)
    kept = talk.say(QUESTION).state
    first = text_of(talk.say(FOLLOW_UP))
    talk.state = kept
    assert text_of(talk.say(FOLLOW_UP)) == first


def test_first_reply_says_that_it_is_a_machine(bot: BotRuntime) -> None:
    for text in (QUESTION, "转人工", "我要提诉求", "垃圾机器人", "你好", "@@@"):
        talk = Talk(bot)
        assert "机器人" in talk.say(text).replies[0].text, text
        assert not talk.say(QUESTION).replies[0].text.startswith("您好，我是"), text


def test_disclosure_is_said_once(talk: Talk) -> None:
    first = talk.say("你好").replies[0].text
    assert first.count("机器人") == 1


@pytest.mark.parametrize(
    "typed", ["/restart", "  /greet", "/submit_appeal", "／not_solved", "//greet"]
)
def test_typed_slash_is_not_obeyed(bot: BotRuntime, typed: str) -> None:
    """A payload is obeyed with confidence 1; a text is only ever classified."""
    assert Talk(bot).send("/greet").trace.confidence == 1
    assert Talk(bot).say(typed).trace.confidence < 1


def test_payload_of_a_button_is_obeyed(bot: BotRuntime) -> None:
    result = Talk(bot).send("/talk_to_human")
    assert result.trace.intent == "talk_to_human"
    assert kinds_of(result) == [ReplyKind.HANDOFF]


def test_payload_of_a_button_carries_values(bot: BotRuntime) -> None:
    result = Talk(bot).send('/ask_policy_detail{"policy_id": "FT-001", "asked_facet": "materials"}')
    assert {citation.policy_id for citation in result.replies[0].citations} == {"FT-001"}


@pytest.mark.parametrize(
    ("typed", "passed"),
    [("/restart", "／restart"), (" \n/a", "／a"), ("a/b", "a/b"), ("", ""), ("／x", "／x")],
)
def test_neutralise_command(typed: str, passed: str) -> None:
    assert neutralise_command(typed) == passed


@pytest.mark.parametrize("session", ["", "a" * 65, "会话", "a b", "a/b", "a:b", "a\n", "../x"])
def test_invalid_session_is_refused(bot: BotRuntime, session: str) -> None:
    with pytest.raises(ValueError, match="1-64 characters"):
        bot.turn(Turn(session, "m", "你好", TODAY))


def test_turn_without_a_model_says_what_to_do(live: Live) -> None:
    runtime = BotRuntime(build_actions(live, FakeDesk()))
    try:
        assert not runtime.is_ready
        with pytest.raises(TurnFailed, match=r"load\(\)"):
            runtime.turn(Turn("s", "m", "你好", TODAY))
    finally:
        runtime.close()


def test_file_that_is_no_model_leaves_the_old_one(bot: BotRuntime, tmp_path: Path) -> None:
    broken, before = tmp_path / "broken.tar.gz", bot.model
    broken.write_bytes(b"no archive")
    with pytest.raises(TurnFailed, match=r"broken\.tar\.gz"):
        bot.load(broken)
    with pytest.raises(TurnFailed, match=r"absent\.tar\.gz"):
        bot.load(tmp_path / "absent.tar.gz")
    assert bot.model == before
    assert kinds_of(Talk(bot).say(QUESTION)) == [ReplyKind.ANSWER]


def test_action_that_raises_is_named(model: Path, live: Live) -> None:
    def script(said: Said, say: Say) -> None:
        raise LookupError("no such clause")

    with scripted(model, live, script) as runtime:
        talk = Talk(runtime)
        with pytest.raises(TurnFailed, match="action_answer_policy: LookupError: no such clause"):
            talk.send(ASK)
        assert "机器人" in text_of(talk.say("你好"))


def test_action_that_says_nothing_fails_the_turn(model: Path, live: Live) -> None:
    with (
        scripted(model, live, lambda said, say: None) as runtime,
        pytest.raises(TurnFailed, match="without a reply"),
    ):
        Talk(runtime).send(ASK)


def test_hanging_actions_delay_nobody_else(model: Path, live: Live) -> None:
    freed = threading.Event()

    def script(said: Said, say: Say) -> None:
        if said.entity("policy_id") == "hang":
            freed.wait(30)
        say(Reply(text="好"))

    def hang(runtime: BotRuntime) -> float:
        began = time.monotonic()
        talk = Talk(runtime)
        with pytest.raises(TurnTimeout, match="no answer within 1 s"):
            talk.bot.turn(
                Turn(talk.session, "m1", ASK + '{"policy_id": "hang"}', TODAY, None, True), 1.0
            )
        took = time.monotonic() - began
        assert text_of(talk.send(ASK)).endswith("好"), "the session goes on after the limit"
        return took

    with scripted(model, live, script) as runtime, ThreadPoolExecutor(12) as threads:
        try:
            hanging = [threads.submit(hang, runtime) for _ in range(12)]
            time.sleep(0.2)
            began = time.monotonic()
            assert text_of(Talk(runtime).send(ASK)).endswith("好")
            assert time.monotonic() - began < 0.8
            assert all(1.0 <= future.result() < 3.0 for future in hanging)
        finally:
            freed.set()


def test_five_messages_at_once_in_one_session(model: Path, live: Live) -> None:
    """Rasa's own lock would take four seconds: it polls once a second."""
    with (
        scripted(model, live, lambda said, say: say(Reply(text="好"))) as runtime,
        ThreadPoolExecutor(5) as threads,
    ):
        runtime.turn(Turn("same", "m0", ASK, TODAY, None, True))
        began = time.monotonic()
        turns = [Turn("same", f"m{number}", ASK, TODAY, None, True) for number in range(1, 6)]
        assert len(list(threads.map(runtime.turn, turns))) == 5
        assert time.monotonic() - began < 1.0


def test_model_is_swapped_without_losing_a_turn(bot: BotRuntime, model: Path) -> None:
    ended = threading.Event()
    swaps: list[Path | None] = []

    def swap() -> None:
        while not ended.is_set():
            bot.load(model)
            swaps.append(bot.model)

    def ask(number: int) -> list[ReplyKind]:
        return kinds_of(Talk(bot).say(QUESTION if number % 2 else "你好"))

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        with ThreadPoolExecutor(8) as threads:
            answered = list(threads.map(ask, range(50)))
            while len(swaps) < 3:
                answered += threads.map(ask, range(50))
    finally:
        ended.set()
        swapping.join()
    assert answered == [[ReplyKind.TEXT], [ReplyKind.ANSWER]] * (len(answered) // 2)
    assert set(swaps) == {model}


def test_state_of_the_hundredth_turn_is_as_small_as_of_the_first(bot: BotRuntime) -> None:
    texts = [
        QUESTION,
        FOLLOW_UP,
        "你能做什么",
        "我要提诉求",
        "在吗",
        "谢谢",
        "算了",
        "诉求办到哪了",
    ]
    talk = Talk(bot)
    sizes = [len(talk.say(texts[number % len(texts)]).state) for number in range(100)]
    assert max(sizes[-16:]) <= 1.5 * max(sizes[:16])


def test_open_form_does_not_grow_with_digressions(bot: BotRuntime) -> None:
    talk = Talk(bot)
    talk.say("我要提诉求")
    sizes = [len(talk.say("你能做什么").state) for _ in range(20)]
    assert max(sizes) - min(sizes) <= 50
    assert "说具体些" in text_of(talk.say("在吗"))


SCRIPTS = (
    (QUESTION, FOLLOW_UP, "截止到什么时候"),
    ("我要提诉求", "你能做什么", "园区的公共充电桩坏了半个月没人修", "诉求办到哪了"),
    ("福田区有没有房租补贴", "没解决", "撤回诉求"),
    ("我要提诉求", "算了", FOLLOW_UP),
)


def _plain(bot_talk: Talk, text: str) -> tuple[list[ReplyKind], str]:
    """A turn without what differs from run to run: the number of the appeal."""
    result = bot_talk.say(text)
    return kinds_of(result), re.sub(r"FT-\d{8}-\d{4}", "FT", text_of(result))


@pytest.fixture(scope="module")
def alone(bot: BotRuntime) -> list[list[tuple[list[ReplyKind], str]]]:
    """What each script is answered when nobody else talks."""
    talks = [Talk(bot) for _ in SCRIPTS]
    return [
        [_plain(talk, text) for text in script] for talk, script in zip(talks, SCRIPTS, strict=True)
    ]


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_interleaved_sessions_do_not_leak(
    bot: BotRuntime, alone: list[list[tuple[list[ReplyKind], str]]], seed: int
) -> None:
    order = [index for index, script in enumerate(SCRIPTS) for _ in script]
    random.Random(seed).shuffle(order)
    talks = [Talk(bot) for _ in SCRIPTS]
    heard: list[list[tuple[list[ReplyKind], str]]] = [[] for _ in SCRIPTS]
    for index in order:
        heard[index].append(_plain(talks[index], SCRIPTS[index][len(heard[index])]))
    assert heard == alone


def test_sessions_in_parallel_do_not_leak(
    bot: BotRuntime, alone: list[list[tuple[list[ReplyKind], str]]]
) -> None:
    def run(index: int) -> list[tuple[list[ReplyKind], str]]:
        talk = Talk(bot)
        return [_plain(talk, text) for text in SCRIPTS[index]]

    with ThreadPoolExecutor(8) as threads:
        heard = list(threads.map(run, [*range(len(SCRIPTS))] * 3))
    assert heard == alone * 3


def test_form_survives_a_new_runtime(
    bot: BotRuntime, model: Path, live: Live, desk: FakeDesk
) -> None:
    talk = Talk(bot)
    talk.say("我要提诉求")
    talk.say("你能做什么")
    other = BotRuntime(build_actions(live, desk))
    other.load(model)
    try:
        talk.bot = other
        filed = only(talk.say("园区的公共充电桩坏了半个月没人修"), ReplyKind.APPEAL)
        assert filed.appeal is not None
        assert desk.appeals[filed.appeal.no].matter == "园区的公共充电桩坏了半个月没人修"
    finally:
        other.close()


def test_what_was_said_is_not_logged(
    bot: BotRuntime, talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever level the process logs at: Rasa's debug records hold messages and slots."""
    with caplog.at_level("DEBUG"), capture_logs() as lines:
        talk.say("我们的机密电话13800138000，园区停电影响生产")
    assert "13800138000" not in caplog.text + repr(lines)
    assert lines == []


def test_message_is_encoded_on_the_callers_thread(model: Path, live: Live) -> None:
    warmed: list[tuple[str, str]] = []
    runtime = BotRuntime(
        build_actions(live, FakeDesk()),
        warm=lambda text: warmed.append((text, threading.current_thread().name)),
    )
    runtime.load(model)
    try:
        runtime.turn(Turn("s", "m1", "你好", TODAY))
        runtime.turn(Turn("s", "m2", "/greet", TODAY, None, True))
    finally:
        runtime.close()
    assert warmed == [("你好", threading.current_thread().name)]
