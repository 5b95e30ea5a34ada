"""Any sentence-transformers model serves retrieval, whatever its dimension and prompts; vectors of two never mix."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from knowledge.absence import build_index
from knowledge.corpus import Corpus, read_corpus
from knowledge.dense import VectorCache
from knowledge.encoder import Encoder, load_encoder
from knowledge.errors import EncoderError
from knowledge.evaluate_retrieval import build, evaluate_retrieval
from knowledge.index import HybridIndex

DATA = Path(__file__).parent / "data"
PROMPTS = {"query": "为这个句子生成表示以用于检索相关文章:", "document": "文:"}


def write_model(folder: Path, dim: int, prompts: dict[str, str]) -> Path:
    """A model of random weights (seeded), a character a token, as sentence-transformers stores one."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    written = "".join(path.read_text("utf-8") for path in sorted(DATA.glob("*.jsonl")))
    vocabulary = [*special, *sorted(set(written + "".join(PROMPTS.values())))]
    tokenizer = Tokenizer(
        models.WordLevel({token: at for at, token in enumerate(vocabulary)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    wrapped = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", model_max_length=512
    )
    torch.manual_seed(dim)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=dim, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=2 * dim, max_position_embeddings=512,
    )  # fmt: skip
    raw = folder.with_suffix(".raw")
    BertModel(config).save_pretrained(raw)
    wrapped.save_pretrained(raw)
    transformer = Transformer(str(raw), max_seq_length=512)
    modules = [transformer, Pooling(dim, pooling_mode="mean"), Normalize()]
    model = SentenceTransformer(modules=modules, device="cpu", prompts=prompts)
    model.save(str(folder), create_model_card=False)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "tiny", 48, PROMPTS)


@pytest.fixture(scope="module")
def tiny(folder: Path) -> Encoder:
    return load_encoder(str(folder))


@pytest.fixture(scope="module")
def sample() -> Corpus:
    return read_corpus(DATA / "services.docs.jsonl", DATA / "services.queries.jsonl")


def test_a_folder_is_all_it_takes(tiny: Encoder, sample: Corpus, tmp_path: Path) -> None:
    built = build(sample, tiny, VectorCache(tmp_path))
    report = evaluate_retrieval(sample, built)
    assert (tiny.dim, report["encoder"]) == (48, tiny.name)
    assert report["hybrid"]["recall@10"] > report["dense"]["recall@10"]


def test_its_own_prompts_are_used(tiny: Encoder, tmp_path: Path) -> None:
    plain = load_encoder(str(write_model(tmp_path / "plain", 48, {})))
    text = "租房的孩子上一年级"
    np.testing.assert_allclose(
        tiny.queries([text]), plain.queries([PROMPTS["query"] + text]), atol=1e-5
    )
    np.testing.assert_allclose(
        tiny.passages([text]), plain.passages([PROMPTS["document"] + text]), atol=1e-5
    )
    assert abs(float((tiny.queries([text]) @ plain.queries([text]).T)[0, 0])) < 0.9999


class TestMismatch:
    def save(self, encoder: Encoder, sample: Corpus, folder: Path) -> None:
        index = build_index(sample, encoder, VectorCache(folder / "vectors"))
        index.save(folder / "index")

    def test_another_dimension_is_an_error(
        self, tiny: Encoder, sample: Corpus, tmp_path: Path
    ) -> None:
        self.save(tiny, sample, tmp_path)
        wider = load_encoder(str(write_model(tmp_path / "wider", 64, PROMPTS)))
        with pytest.raises(EncoderError, match=r"manifest\.json"):
            HybridIndex.load(tmp_path / "index", wider)

    def test_other_prompts_are_an_error(
        self, tiny: Encoder, sample: Corpus, folder: Path, tmp_path: Path
    ) -> None:
        self.save(tiny, sample, tmp_path)
        told = json.loads((folder / "config_sentence_transformers.json").read_text("utf-8"))
        assert told["prompts"] == PROMPTS
        plain = load_encoder(str(write_model(tmp_path / "plain", 48, {})))
        plain.name = tiny.name  # type: ignore[misc]
        with pytest.raises(EncoderError, match="prompts"):
            HybridIndex.load(tmp_path / "index", plain)

    def test_the_same_model_loads_what_it_stored(
        self, tiny: Encoder, sample: Corpus, folder: Path, tmp_path: Path
    ) -> None:
        self.save(tiny, sample, tmp_path)
        again = load_encoder(str(folder))
        question = sample.queries[0].text
        found = HybridIndex.load(tmp_path / "index", again).rank(question)
        expected = build_index(sample, tiny, VectorCache(tmp_path / "vectors")).rank(question)
        assert [each.id for each in found] == [each.id for each in expected]

    def test_vectors_of_two_models_are_kept_apart(
        self, tiny: Encoder, sample: Corpus, tmp_path: Path
    ) -> None:
        cache = VectorCache(tmp_path / "vectors")
        other = load_encoder(str(write_model(tmp_path / "plain", 48, {})))
        assert build(sample, tiny, cache).encoded == 24
        assert build(sample, other, cache).encoded == 24
