"""One sentence encoder for the whole process, so that a message is encoded once for intent and search."""

from __future__ import annotations

import threading

from knowledge.encoder import Encoder, load_encoder

_LOADED: dict[str, Encoder] = {}
_LOADING = threading.Lock()


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
