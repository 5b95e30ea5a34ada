"""Gives Rasa the intent of a message and the ranking of all intents."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from knowledge.encoder import BUILT_IN
from nlu.intents import Floats, IntentModel
from nlu.sharing import report_training, share_model, shared_encoder

# What goes on about a policy under discussion.
FOLLOW_UP = "ask_policy_detail"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SentenceIntentClassifier(IntentClassifier, GraphComponent):  # type: ignore[misc]
    """Trains, keeps and asks an ``IntentModel``; ``encoder`` in the configuration names the sentence encoder."""

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        model: IntentModel | None = None,
    ) -> None:
        self._setting: str = config["encoder"]
        self._weight: float = config["follow_up_weight"]
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"encoder": BUILT_IN, "follow_up_weight": 1.0}

    @staticmethod
    def required_packages() -> list[str]:
        return ["sklearn"]

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceIntentClassifier:
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        examples = [
            (example.get(TEXT), example.get(INTENT))
            for example in training_data.intent_examples
            if example.get(TEXT) and example.get(INTENT)
        ]
        if not examples:
            return self._resource
        texts, labels = zip(*examples, strict=True)
        self._model = IntentModel.train(
            texts, labels, shared_encoder(self._setting), report_training
        )
        with self._model_storage.write_to(self._resource) as folder:
            self._model.save(folder)
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SentenceIntentClassifier:
        """Raises EncoderError when the encoder is not the one of the training."""
        with ExitStack() as opened:
            try:
                folder = opened.enter_context(model_storage.read_from(resource))
            except (
                ValueError
            ):  # so Rasa says that nothing was kept: there was nothing to learn from
                return cls(config, model_storage, resource)
            model = IntentModel.load(folder)
        model.check_encoder(shared_encoder(config["encoder"]))
        share_model(config["encoder"], model)
        return cls(config, model_storage, resource, model)

    def process(
        self, messages: list[Message], tracker: DialogueStateTracker = None
    ) -> list[Message]:
        """Ranks the intents of each message; ``tracker`` is ``None`` where Rasa tests the model alone.

        Rasa compares its type with what the graph gives, so ``None`` may not be named in it.
        """
        weight = self._weight if _discusses_policy(tracker) else 1.0
        for message in messages:
            text = message.get(TEXT)
            is_said = text and not text.startswith("/")  # Rasa itself reads a button, at the end
            ranking = self._model.classify(text, self._encode) if is_said and self._model else []
            ranking = weighed(ranking, FOLLOW_UP, weight)
            named = [{"name": name, "confidence": chance} for name, chance in ranking]
            best = named[0] if named else {"name": None, "confidence": 0.0}
            message.set(INTENT, best, add_to_output=True)
            message.set(INTENT_RANKING_KEY, named, add_to_output=True)
        return messages

    def _encode(self, text: str) -> Floats:
        vector: Floats = shared_encoder(self._setting).queries([text])[0]
        return vector


def _discusses_policy(tracker: DialogueStateTracker | None) -> bool:
    """Whether a policy is under discussion and no form waits for an answer."""
    if tracker is None or tracker.active_loop_name:
        return False
    return bool(tracker.get_slot("policy_id") or tracker.get_slot("listed"))


def weighed(
    ranking: Sequence[tuple[str, float]], name: str, weight: float
) -> list[tuple[str, float]]:
    """The chances once ``name`` is ``weight`` times as likely beforehand (Bayes), likeliest first."""
    odds = [(label, chance * weight if label == name else chance) for label, chance in ranking]
    total = sum(chance for _, chance in odds) or 1.0
    return sorted(((label, chance / total) for label, chance in odds), key=lambda pair: -pair[1])
