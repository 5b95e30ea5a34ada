"""Encodes many passages with the built-in model in torch, in a process of its own that gives its memory back."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import EncoderError

Vectors = NDArray[np.float32]

_HEAD = struct.Struct("<I")
_BATCH = 16
_SCRIPT = "from knowledge.bulk import serve; serve()"


def can_run() -> bool:
    """Whether torch and sentence-transformers are installed; neither is imported."""
    return all(find_spec(name) is not None for name in ("torch", "sentence_transformers"))


class BulkEncoder:
    """The torch twin of the built-in engine: vectors interchange with it (cosine .9999, a test holds that).

    Its process starts with the first text and ends with ``close``. ``name`` is the built-in engine's, because its
    vectors are stored as that engine's own.
    """

    def __init__(self, name: str, dim: int) -> None:
        self.name, self.dim = name, dim
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None

    def queries(self, texts: Sequence[str]) -> Vectors:
        raise NotImplementedError("the bulk encoder reads passages only")

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Shape ``(len(texts), dim)``; texts of like length together are fastest.

        Raises:
            EncoderError: the process cannot start or has died; carries its last words.
        """
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        process = self._process or self._start()
        request = json.dumps(list(texts)).encode("ascii")
        size = 4 * self.dim * len(texts)
        try:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(_HEAD.pack(len(request)) + request)
            process.stdin.flush()
            raw = process.stdout.read(size)
        except OSError:
            raw = b""
        if len(raw) != size:
            raise EncoderError(f"the bulk encoder's process ended: {self._last_words()}")
        return np.frombuffer(raw, np.float32).reshape(len(texts), self.dim).copy()

    def close(self) -> None:
        """Ends the process; the next text would start another."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None and process.stdout is not None
            with suppress(OSError):  # it died before it read everything
                process.stdin.close()
            process.stdout.close()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    def _start(self) -> subprocess.Popen[bytes]:
        root = str(Path(__file__).resolve().parents[1])
        paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
        self._errors = TemporaryFile()  # noqa: SIM115  # closed by close()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
        )
        return self._process

    def _last_words(self) -> str:
        if self._errors is None:
            return "it said nothing"
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def serve() -> None:
    """The process's side: reads lists of texts from standard input, writes their vectors, until the input ends."""
    # Standard output carries vectors only, whatever a library prints.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    import torch

    from knowledge.encoder import BUILT_IN_TORCH, load_encoder

    # One thread a batch and a batch a core: OpenMP's own threads wait for each other, and under load lose
    # nine tenths of the speed (measured, docs/scale.md).
    torch.set_num_threads(1)
    encoder = load_encoder(BUILT_IN_TORCH)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while head := sys.stdin.buffer.read(_HEAD.size):
            texts = json.loads(sys.stdin.buffer.read(_HEAD.unpack(head)[0]))
            batches = [texts[at : at + _BATCH] for at in range(0, len(texts), _BATCH)]
            for vectors in pool.map(encoder.passages, batches):
                answers.write(np.ascontiguousarray(vectors, np.float32).tobytes())
            answers.flush()
