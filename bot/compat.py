"""Lets Rasa 3.6.21, a package of 2023, run on a current Python with current libraries.

``import_rasa()`` comes before any ``import rasa``. Each shim names the line of Rasa that needs it; nothing outside
this module knows Rasa's age.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import logging
import os
import sys
import threading
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

from bot.turn import StandInCalled

# Packages that Rasa imports at module level and that a text bot with RulePolicy never calls. Those that it imports
# inside functions only need no stand-in: where they are missing, the function says so itself.
ABSENT = frozenset(
    {
        "tensorflow",  # rasa/utils/tensorflow/*.py, reached from rasa/core/policies/policy.py
        "keras",  # rasa/utils/tensorflow/models.py, layers.py, transformer.py
        "google",  # rasa/core/channels/hangouts.py
        "cachecontrol",  # the same
        "socketio",  # rasa/core/channels/socketio.py
        "twilio",  # rasa/core/channels/twilio.py
        "slack_sdk",  # rasa/core/channels/slack.py
        "webexteamssdk",  # rasa/core/channels/webexteams.py
        "fbmessenger",  # rasa/core/channels/facebook.py
        "aiogram",  # rasa/core/channels/telegram.py
        "boto3",  # rasa/core/tracker_store.py
        "pymongo",  # the same
        "aiormq",  # rasa/core/brokers/broker.py
        "aio_pika",  # rasa/core/brokers/pika.py
        "matplotlib",  # rasa/utils/plotting.py
        "structlog_sentry",  # rasa/utils/log_utils.py
    }
)

SERVING_MODULES = (
    "rasa.core.run",
    "rasa.graph_components.validators.default_recipe_validator",  # names every classifier
    "rasa.model_training",
)
COMMAND_LINE_MODULES = (
    "rasa.core.test",  # rasa test core
    "rasa.model_testing",
    "rasa.nlu.test",  # rasa test nlu
    "rasa.validator",  # rasa data validate
    "rasa.__main__",
)
LOCK_WAIT_S = 0.02

_lock = threading.Lock()
_done = False


class _StandInType(type):
    """A class that looks like any attribute of an absent package, until somebody calls it for real."""

    origin: str

    def __getattr__(cls, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return _stand_in(f"{cls.origin}.{name}")

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        # Decorators such as @tf.function run while Rasa is imported; they hand the function back.
        if _importing and len(args) == 1 and callable(args[0]) and not kwargs:
            return args[0]
        if _importing:
            return _stand_in(f"{cls.origin}()")
        raise StandInCalled(
            f"{cls.origin} was called, but the package {cls.origin.split('.')[0]!r} is deliberately absent "
            "(bot/compat.py): remove the component, channel or store that needs it from bot/config.yml"
        )


_importing = False


def _stand_in(origin: str) -> type:
    return _StandInType(origin.rpartition(".")[2], (), {"origin": origin})


class _StandInModule(types.ModuleType):
    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return _stand_in(f"{self.__name__}.{name}")


class _StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers for the absent packages while Rasa is being imported."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.split(".")[0] in ABSENT:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _StandInModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        module.__path__ = []


@contextmanager
def _standing_in() -> Iterator[None]:
    """Puts the stand-ins up and takes them down again, so that no later import meets a false neighbour."""
    global _importing
    hook = _StandIns()
    shadowed = {n: m for n, m in sys.modules.items() if n.split(".")[0] in ABSENT}
    for name in shadowed:
        del sys.modules[name]
    sys.meta_path.insert(0, hook)
    _importing = True
    try:
        yield
    finally:
        _importing = False
        sys.meta_path.remove(hook)
        for name in [n for n, m in sys.modules.items() if isinstance(m, _StandInModule)]:
            del sys.modules[name]
        sys.modules.update(shadowed)


def import_rasa() -> None:
    """Imports Rasa and mends it, once for the process; later calls return at once.

    Raises:
        ImportError: Rasa or a library it really needs is not installed.
    """
    global _done
    with _lock:
        if _done:
            return
        _quiet_environment()
        _restore_names()
        with _standing_in(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _import_modules()
        _mend()
        _done = True


def _quiet_environment() -> None:
    # rasa/telemetry.py is_telemetry_enabled
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    # rasa/core/tracker_store.py was written for SQLAlchemy 1.4
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    # rasa/shared/core/generator.py draws a bar for every rule; our own progress says what takes time
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def _restore_names() -> None:
    """Puts back names that current libraries dropped and Rasa imports or mentions."""
    import numpy
    import packaging.version as versions

    if not hasattr(
        versions, "LegacyVersion"
    ):  # rasa/shared/utils/validation.py: from packaging.version import …
        versions.LegacyVersion = type("LegacyVersion", (versions.Version,), {})  # type: ignore[attr-defined]
    if not hasattr(
        numpy, "VisibleDeprecationWarning"
    ):  # rasa/utils/common.py: np.VisibleDeprecationWarning
        numpy.VisibleDeprecationWarning = numpy.exceptions.VisibleDeprecationWarning  # type: ignore[attr-defined]


def _import_modules() -> None:
    importlib.import_module("rasa.core.agent")
    # rasa/engine/recipes/default_components.py imports every component there is; ours lists what a config may name.
    listing = types.ModuleType("rasa.engine.recipes.default_components")
    sys.modules[listing.__name__] = listing
    from rasa.core.policies.memoization import MemoizationPolicy
    from rasa.core.policies.rule_policy import RulePolicy
    from rasa.nlu.classifiers.fallback_classifier import FallbackClassifier

    listing.DEFAULT_COMPONENTS = [  # type: ignore[attr-defined]
        FallbackClassifier,
        RulePolicy,
        MemoizationPolicy,
    ]
    for module in SERVING_MODULES:
        importlib.import_module(module)


def _mend() -> None:
    _build_action_schema_once()
    _remember_event_types()
    _shorten_lock_wait()
    _compare_events_as_jsonpickle_5_will()


def _build_action_schema_once() -> None:
    """rasa/core/actions/action.py RemoteAction._validate_action_result compiles its schema at every call (20 ms).

    An event is then held against the schema of its own type; Rasa's ``oneOf`` tries all 23 in turn (1 ms a turn).
    """
    from jsonschema.validators import validator_for
    from rasa.core.actions.action import RemoteAction

    schema = RemoteAction.action_response_format_spec()
    build = validator_for(schema)
    whole = build(schema)
    kinds = {
        kind["properties"]["event"]["const"]: build(kind)
        for kind in schema["properties"]["events"]["items"]["oneOf"]
    }

    def validate(self: Any, result: dict[str, Any]) -> bool:
        events = result.get("events", [])
        if not isinstance(events, list) or not all(_kind(event) in kinds for event in events):
            whole.validate(result)
            return True
        whole.validate({**result, "events": []})
        for event in events:
            kinds[event["event"]].validate(event)
        return True

    RemoteAction._validate_action_result = validate


def _kind(event: object) -> object:
    return event.get("event") if isinstance(event, dict) else None


def _remember_event_types() -> None:
    """rasa/shared/core/events.py Event.resolve_by_type walks all subclasses with inspect for every stored event."""
    from rasa.shared.core.events import Event

    original: Callable[..., Any] = Event.resolve_by_type
    Event.resolve_by_type = staticmethod(lru_cache(maxsize=None)(original))


def _shorten_lock_wait() -> None:
    """rasa/core/lock_store.py LockStore.lock polls once a second for a busy conversation."""
    from rasa.core.lock_store import LockStore

    original: Callable[..., Any] = LockStore._acquire_lock

    async def acquire(
        self: Any, conversation_id: str, ticket: int, wait_time_in_seconds: float
    ) -> Any:
        return await original(self, conversation_id, ticket, min(wait_time_in_seconds, LOCK_WAIT_S))

    LockStore._acquire_lock = acquire


def _compare_events_as_jsonpickle_5_will() -> None:
    """rasa/shared/core/events.py compares events by ``jsonpickle.encode(…)``, which warns at each call without ``keys``."""
    from rasa.shared.core import events

    encode = partial(events.jsonpickle.encode, keys=True)
    events.jsonpickle = types.SimpleNamespace(encode=encode)


def _report_no_errors() -> None:
    """rasa/utils/log_utils.py configure_structlog builds Sentry's processor; here log lines pass unchanged."""
    from rasa.utils import log_utils

    def build(event_level: int) -> Callable[[Any, str, dict[str, Any]], dict[str, Any]]:
        return lambda logger, method, event: event

    log_utils.SentryProcessor = build


def _evaluate_actions_only() -> None:
    """rasa/core/test.py counts entities that policies extract; ours extract none, and sklearn refuses empty lists."""
    import rasa.core.test

    rasa.core.test.evaluate_entities = lambda *args, **kwargs: {}


@contextmanager
def forgiving_age() -> Iterator[None]:
    """While Rasa trains or loads, its libraries warn of their own age; nobody here can act on that."""
    with warnings.catch_warnings():
        for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        # rasa/shared/core/domain.py: an entity and a slot of one name (policy_id) no longer fill each other; meant so.
        warnings.filterwarnings("ignore", "Slot auto-fill has been removed", UserWarning)
        yield


def quiet_logs(level: int = logging.WARNING) -> None:
    """Keeps Rasa's debug records out of our logs: they hold slot values, that is personal data, and cost time."""
    for name in ("rasa", "rasa_sdk", "apscheduler", "sanic", "matplotlib"):
        logging.getLogger(name).setLevel(level)
    import structlog

    # Only Rasa's own loggers: how the process logs is the business of whoever runs it.
    quiet = structlog.make_filtering_bound_logger(level)
    for name, module in list(sys.modules.items()):
        if name.startswith("rasa.") and "structlogger" in vars(module):
            vars(module)["structlogger"] = structlog.wrap_logger(None, wrapper_class=quiet)


def run_command_line(arguments: Sequence[str]) -> int:
    """Rasa's own command line (``qifu rasa …``); returns its exit code."""
    import_rasa()
    with _lock, _standing_in(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in COMMAND_LINE_MODULES:
            importlib.import_module(module)
    import rasa.__main__

    _report_no_errors()
    _evaluate_actions_only()
    kept = sys.argv
    sys.argv = ["rasa", *arguments]
    try:
        rasa.__main__.main()
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    finally:
        sys.argv = kept
    return 0
