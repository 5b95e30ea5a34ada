"""Runs Rasa inside this process: loads a model, swaps it while serving, runs one turn with a time limit."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actions.base import best_intent
from actions.context import TurnContext, turn_context
from actions.replies import Button, Reply
from bot.compat import forgiving_age, import_rasa, quiet_logs
from bot.turn import Turn, TurnFailed, TurnResult, TurnTimeout, TurnTrace

if TYPE_CHECKING:
    from rasa.core.agent import Agent
    from rasa_sdk import Action

TURN_LIMIT_S = 8.0
# A thread cannot be stopped: an action that hangs keeps its own until it ends, so there must be spare ones.
ACTION_THREADS = 32
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DISCLOSURE = "您好，我是企服机器人小福。"


class BotRuntime:
    """A loaded model, ready to run turns from any thread.

    Rasa lives on one event loop of its own. ``warm`` is called with each typed message on the caller's thread, so
    that the costly encoding of several messages runs in parallel and Rasa finds it done.
    """

    def __init__(
        self, actions: Iterable[Action], warm: Callable[[str], object] | None = None
    ) -> None:
        import_rasa()
        quiet_logs()
        self._warm = warm
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(ACTION_THREADS, "action"))
        self._thread = threading.Thread(target=self._loop.run_forever, name="rasa", daemon=True)
        self._thread.start()
        self._endpoint = _in_process_endpoint(actions)
        self._agent: Agent | None = None
        self.model: Path | None = None

    def load(self, model: Path) -> None:
        """Loads ``model`` and puts it in place of the one in use; turns in progress end on the old one.

        Raises:
            TurnFailed: the file is no model this version can load; the old one stays in use.
        """
        try:
            with forgiving_age():
                agent = _load_agent(model, self._endpoint)
        except (
            Exception
        ) as error:  # rasa raises whatever a component raises; the old model must survive it
            raise TurnFailed(f"model {model.name} cannot be loaded: {error}") from error
        self._agent, self.model = agent, model

    @property
    def is_ready(self) -> bool:
        return self._agent is not None

    def turn(self, turn: Turn, timeout_s: float = TURN_LIMIT_S) -> TurnResult:
        """Runs one turn and returns what to say and the state to keep. Safe to call from many threads.

        Raises:
            ValueError: the session id is not 1-64 characters of ``[A-Za-z0-9_-]``.
            TurnTimeout: the turn took longer than ``timeout_s`` seconds.
            TurnFailed: no model is loaded, the turn raised, or it ended without a reply.
        """
        if not _SESSION.fullmatch(turn.session):
            raise ValueError(
                f"session {turn.session[:80]!r}: use 1-64 characters of A-Z a-z 0-9 _ -"
            )
        agent = self._agent
        if agent is None:
            raise TurnFailed("no model is loaded; call load() first")
        if self._warm is not None and not turn.is_button:
            self._warm(turn.text)
        future = asyncio.run_coroutine_threadsafe(_run(agent, turn), self._loop)
        try:
            return future.result(timeout_s)
        except FutureTimeout as error:
            future.cancel()
            raise TurnTimeout(
                f"message {turn.message_id}: no answer within {timeout_s:g} s"
            ) from error
        except TurnFailed:
            raise
        except (
            Exception
        ) as error:  # the edge to Rasa: any failure of a turn has one name on our side
            raise TurnFailed(
                f"message {turn.message_id}: {type(error).__name__}: {error}"
            ) from error

    def close(self) -> None:
        """Stops Rasa's loop; turns in progress are dropped and will be replayed by whoever recorded them."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        if not self._thread.is_alive():
            self._loop.close()


def _in_process_endpoint(actions: Iterable[Action]) -> Any:
    """Where Rasa's RemoteAction sends its calls: straight into the SDK's executor, no HTTP."""
    from rasa.utils.endpoints import EndpointConfig
    from rasa_sdk.executor import ActionExecutor

    executor = ActionExecutor()
    for action in actions:
        executor.register_action(action)

    class InProcess(EndpointConfig):  # type: ignore[misc]
        async def request(
            self,
            method: str = "post",
            subpath: str | None = None,
            content_type: str | None = None,
            compress: bool = False,
            **kwargs: Any,
        ) -> Any:
            return await executor.run(kwargs["json"])

    # No action of ours reads the domain; without this flag Rasa serialises all of it at every call.
    return InProcess(url="http://in-process/", enable_selective_domain=True)


def _load_agent(model: Path, endpoint: Any) -> Agent:
    from rasa.core.agent import Agent

    from bot.tracker_store import TurnTrackerStore

    agent = Agent(action_endpoint=endpoint, tracker_store=TurnTrackerStore(None))
    agent.load_model(str(model))
    return agent


async def _run(agent: Agent, turn: Turn) -> TurnResult:
    from rasa.core.channels.channel import CollectingOutputChannel, UserMessage

    from bot.tracker_store import current_state, saved_tracker, write_state

    context = TurnContext(turn.session, turn.message_id, turn.as_of)
    turn_context.set(context)
    current_state.set(turn.state)
    saved_tracker.set(None)
    output = CollectingOutputChannel()
    text = turn.text if turn.is_button else neutralise_command(turn.text)
    await agent.handle_message(
        UserMessage(
            text, output, turn.session, input_channel=turn.channel, metadata={"id": turn.message_id}
        )
    )
    replies = [_reply(message) for message in output.messages]
    tracker = saved_tracker.get()
    if not replies or tracker is None:
        cause = "; ".join(context.failures) or "no action said anything"
        raise TurnFailed(f"message {turn.message_id}: the turn ended without a reply ({cause})")
    if turn.state is None:
        replies[0] = _disclosed(replies[0])
    intent, confidence = best_intent(tracker.latest_message.parse_data)
    sources = tuple(dict.fromkeys(context.sources))
    chance = context.chances[0] if context.chances else None
    trace = TurnTrace(intent, confidence, tuple(context.candidates), sources, chance)
    return TurnResult(tuple(replies), write_state(tracker), trace)


def neutralise_command(text: str) -> str:
    """A typed text must not reach Rasa as ``/intent`` or ``/restart``; only our own buttons may."""
    stripped = text.lstrip()
    return "／" + stripped[1:] if stripped.startswith("/") else text


def _reply(message: dict[str, Any]) -> Reply:
    """A structured reply travels in ``custom``; a plain domain response is a text with buttons."""
    if "custom" in message:
        return Reply.model_validate(message["custom"])
    buttons = [Button(title=b["title"], payload=b["payload"]) for b in message.get("buttons") or []]
    return Reply(text=message.get("text") or "", buttons=buttons)


def _disclosed(reply: Reply) -> Reply:
    """The first thing the bot says in a conversation says that it is a machine."""
    if "机器人" in reply.text:
        return reply
    return reply.model_copy(update={"text": f"{_DISCLOSURE}\n{reply.text}"})
