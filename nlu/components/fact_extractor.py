"""Gives Rasa the facts of a message as entities with typed values and units."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from nlu.fact import Fact
from nlu.facts import extract


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class FactExtractor(GraphComponent):  # type: ignore[misc]
    """Adds one entity a fact; ``unit`` and ``note`` are extra keys, absent where the fact has none."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> FactExtractor:
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            text = message.get(TEXT)
            if not text or text.startswith("/"):
                continue
            entities = [self._entity(fact) for fact in extract(text)]
            message.set(ENTITIES, [*message.get(ENTITIES, []), *entities], add_to_output=True)
        return messages

    def _entity(self, fact: Fact) -> dict[str, Any]:
        entity: dict[str, Any] = {
            "entity": fact.kind,
            "value": fact.value,
            "start": fact.start,
            "end": fact.end,
            "extractor": type(self).__name__,
        }
        if fact.unit is not None:
            entity["unit"] = fact.unit
        if fact.note is not None:
            entity["note"] = fact.note
        return entity
