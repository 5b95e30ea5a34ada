"""What the parts of one process share, so that a message is encoded at most once and on the right thread."""

from __future__ import annotations

import threading

from knowledge.encoder import Encoder, load_encoder
from nlu.intents import IntentModel, Progress

_LOADED: dict[str, Encoder] = {}
_LOADING = threading.Lock()
_MODELS: dict[str, IntentModel] = {}
_WATCHERS: list[Progress] = []


def share_encoder(setting: str, encoder: Encoder) -> None:
    """From now on ``setting`` means this encoder, already loaded by somebody else."""
    with _LOADING:
        _LOADED[setting] = encoder


def shared_encoder(setting: str) -> Encoder:
    """The encoder a setting names, loaded on first use.

    Raises:
        EncoderError: the setting names no usable model.
    """
    with _LOADING:
        if setting not in _LOADED:
            _LOADED[setting] = load_encoder(setting)
        return _LOADED[setting]


def share_model(setting: str, model: IntentModel) -> None:
    """Notes the intent model in use with this encoder."""
    with _LOADING:
        _MODELS[setting] = model


def encode_ahead(setting: str, text: str) -> None:
    """Encodes a message if its intent will need that, on the caller's thread instead of Rasa's only one."""
    model = _MODELS.get(setting)
    if model is None or model.needs_vector(text):
        shared_encoder(setting).queries([text])


def watch_training(progress: Progress) -> None:
    """``progress(done, total)`` counts the training examples encoded from now on."""
    with _LOADING:
        _WATCHERS[:] = [progress]


def report_training(done: int, total: int) -> None:
    """Tells whoever watches how far the encoding of the training examples is."""
    for progress in tuple(_WATCHERS):
        progress(done, total)
