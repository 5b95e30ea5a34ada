"""The three components inside Rasa: trained, kept in its storage, loaded, asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot.compat import import_rasa
from knowledge.errors import EncoderError
from nlu.sharing import share_encoder, shared_encoder
from tests.nlu.fakes import HashEncoder
from tests.nlu.test_intents import LABELS, TEXTS

if TYPE_CHECKING:
    from rasa.engine.storage.storage import ModelStorage
    from rasa.shared.nlu.training_data.message import Message

CONFIG = {"encoder": "hash", "follow_up_weight": 4.0}


@pytest.fixture(scope="module", autouse=True)
def rasa() -> None:
    import_rasa()


@pytest.fixture(autouse=True)
def encoder() -> Iterator[HashEncoder]:
    hashing = HashEncoder()
    share_encoder("hash", hashing)
    yield hashing


@pytest.fixture
def storage(tmp_path: Path) -> ModelStorage:
    from rasa.engine.storage.local_model_storage import LocalModelStorage

    created: ModelStorage = LocalModelStorage.create(tmp_path)
    return created


def message(text: str | None, **data: Any) -> Message:
    from rasa.shared.nlu.training_data.message import Message

    return Message(data={"text": text, **data})


def context() -> Any:
    from rasa.engine.graph import ExecutionContext, GraphSchema

    return ExecutionContext(GraphSchema({}), node_name="node")


def resource() -> Any:
    from rasa.engine.storage.resource import Resource

    return Resource("classifier")


def trained(storage: ModelStorage, texts: list[str], labels: list[str]) -> Any:
    from rasa.shared.nlu.training_data.training_data import TrainingData

    from nlu.components.intent_classifier import SentenceIntentClassifier

    examples = [message(text, intent=label) for text, label in zip(texts, labels, strict=True)]
    classifier = SentenceIntentClassifier.create(CONFIG, storage, resource(), context())
    classifier.train(TrainingData(examples))
    return SentenceIntentClassifier.load(CONFIG, storage, resource(), context())


def normaliser(storage: ModelStorage) -> Any:
    from nlu.components.normaliser import TextNormaliser

    return TextNormaliser.create({}, storage, resource(), context())


def extractor(storage: ModelStorage) -> Any:
    from nlu.components.fact_extractor import FactExtractor

    return FactExtractor.create({}, storage, resource(), context())


def test_normaliser_keeps_what_was_typed(storage: ModelStorage) -> None:
    [said] = normaliser(storage).process([message("@小福 國高", metadata={"group": "g1"})])
    assert said.get("text") == "国高"
    assert said.get("metadata") == {"group": "g1", "original_text": "@小福 國高"}


@pytest.mark.parametrize("text", ["/greet", '/ask{"a": "ｂ"}', "", None])
def test_buttons_and_silence_pass_every_component_unchanged(
    storage: ModelStorage, text: str | None
) -> None:
    classifier = trained(storage, TEXTS, LABELS)
    [said] = [message(text)]
    for component in (normaliser(storage), classifier, extractor(storage)):
        component.process([said])
    assert said.get("text") == text
    assert said.get("entities") is None
    assert (said.get("intent") or {"name": None})["name"] is None


def test_typed_slash_never_becomes_a_command(storage: ModelStorage) -> None:
    [said] = normaliser(storage).process([message("／restart")])
    assert not said.get("text").startswith("/")


def test_training_data_is_normalised_too(storage: ModelStorage) -> None:
    from rasa.shared.nlu.training_data.training_data import TrainingData

    data = TrainingData([message("國高補貼", intent="ask_policy")])
    normaliser(storage).process_training_data(data)
    assert data.training_examples[0].get("text") == "国高补贴"


def test_loaded_classifier_sets_intent_and_full_ranking(storage: ModelStorage) -> None:
    [said] = trained(storage, TEXTS, LABELS).process([message("国高补贴")])
    assert said.get("intent")["name"] == "ask_policy"
    assert 0 < said.get("intent")["confidence"] <= 1
    assert len(said.get("intent_ranking")) == 3
    assert {"intent", "intent_ranking"} <= said.output_properties


def test_classifier_without_examples_knows_nothing(storage: ModelStorage) -> None:
    [said] = trained(storage, [], []).process([message("你好")])
    assert said.get("intent") == {"name": None, "confidence": 0.0}


def test_model_of_another_encoder_is_refused(storage: ModelStorage) -> None:
    from nlu.components.intent_classifier import SentenceIntentClassifier

    trained(storage, TEXTS, LABELS)
    share_encoder("hash", HashEncoder("hash-2"))
    with pytest.raises(EncoderError, match="train it again"):
        SentenceIntentClassifier.load(CONFIG, storage, resource(), context())


def test_facts_become_entities_with_units(storage: ModelStorage) -> None:
    [said] = extractor(storage).process([message("营收3200万，86个人")])
    assert said.get("entities") == [
        {"entity": "amount", "value": 32_000_000, "unit": "CNY", "start": 2, "end": 7, "extractor": "FactExtractor"},
        {"entity": "headcount", "value": 86, "unit": "人", "start": 8, "end": 12, "extractor": "FactExtractor"},
    ]  # fmt: skip


def test_refused_credit_code_carries_its_reason(storage: ModelStorage) -> None:
    [said] = extractor(storage).process([message("91110000600037341M")])
    assert "校验码" in said.get("entities")[0]["note"]


def test_encoder_is_loaded_once_and_shared(encoder: HashEncoder) -> None:
    assert shared_encoder("hash") is encoder is shared_encoder("hash")


def test_a_follow_up_is_likelier_while_a_policy_is_under_discussion(storage: ModelStorage) -> None:
    from nlu.components.intent_classifier import weighed

    ranking = [("submit_appeal", 0.6), ("ask_policy_detail", 0.3), ("greet", 0.1)]
    found = weighed(ranking, "ask_policy_detail", 4.0)
    assert [name for name, _ in found] == ["ask_policy_detail", "submit_appeal", "greet"]
    assert [chance for _, chance in found] == pytest.approx([1.2 / 1.9, 0.6 / 1.9, 0.1 / 1.9])
    assert weighed([], "ask_policy_detail", 4.0) == []


@pytest.mark.parametrize(
    ("slots", "loop", "discusses"),
    [
        ({}, None, False),
        ({"policy_id": "FT-001"}, None, True),
        ({"listed": ["FT-001"]}, None, True),
        ({"policy_id": "FT-001"}, "appeal_form", False),
    ],
)
def test_a_policy_is_under_discussion_unless_a_form_waits(
    slots: dict[str, object], loop: str | None, discusses: bool
) -> None:
    from nlu.components.intent_classifier import _discusses_policy

    class Tracker:
        active_loop_name = loop

        def get_slot(self, name: str) -> object:
            return slots.get(name)

    assert _discusses_policy(Tracker()) is discusses
    assert _discusses_policy(None) is False
