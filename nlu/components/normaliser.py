"""The first step of the pipeline: every message in one written form."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.normalise import normalise_text

ORIGINAL_TEXT = "original_text"


# A featurizer runs on training data too, a plain component would not.
@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class TextNormaliser(GraphComponent):  # type: ignore[misc]
    """Replaces a message's text by its normalised form; what was typed stays in the metadata.

    A message that begins with ``/`` is a button of ours and passes unchanged: the runtime lets no other through.
    """

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TextNormaliser:
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            text = message.get(TEXT)
            if not text or text.startswith("/"):
                continue
            plain = normalise_text(text)
            if plain != text:
                metadata = {**(message.get(METADATA) or {}), ORIGINAL_TEXT: text}
                message.set(METADATA, metadata, add_to_output=True)
                message.set(TEXT, plain, add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self.process(training_data.training_examples)
        return training_data
