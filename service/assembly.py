"""Builds the whole product from the settings: catalogue, search, desk, bot, web application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI

from actions.appeal import PERSON, appeal_reply
from actions.desk import AppealDraft, AppealReason
from actions.policy import answer_reply
from actions.registry import build_actions
from actions.replies import Reply, ReplyKind
from bot.runtime import BotRuntime
from bot.training import ensure_model, model_path
from bot.turn import Turn
from knowledge.answer import Answerer
from knowledge.catalogue import DEMO_CATALOGUE, read_catalogue
from knowledge.dense import Progress, RememberingEncoder, VectorCache
from knowledge.encoder import BUILT_IN, load_encoder
from knowledge.retrieval import Retriever
from nlu.sharing import encode_ahead, share_encoder, watch_training
from service.app import create_app
from service.appeals.departments import load_departments
from service.appeals.dispatch import Dispatcher
from service.appeals.routes import MissCounter, appeals_router
from service.db import Database
from service.desk import ServiceDesk
from service.settings import Settings

Step = Callable[[str], None]


@dataclass(frozen=True)
class Product:
    """Everything that runs in one process."""

    settings: Settings
    database: Database
    answerer: Answerer
    desk: ServiceDesk
    bot: BotRuntime
    app: FastAPI

    def close(self) -> None:
        self.bot.close()
        self.database.close()


def build_answerer(settings: Settings, progress: Progress | None = None) -> Answerer:
    """Catalogue and search; encodes what the vector cache does not hold yet.

    Raises:
        CatalogueError: the catalogue breaks the format.
        EncoderError: the encoder of the settings cannot be used.
    """
    catalogue = read_catalogue(settings.catalogue or DEMO_CATALOGUE)
    encoder = load_encoder(settings.encoder)
    return Answerer(
        Retriever(catalogue, encoder, VectorCache(settings.data_dir / "vectors"), progress=progress)
    )


def build_product(
    settings: Settings, step: Step = lambda text: None, progress: Progress | None = None
) -> Product:
    """Builds and loads all parts; trains the model first when its data have changed.

    ``step`` is told what begins; ``progress`` counts the sentences being encoded.

    Raises:
        KnowledgeError, BotError, ServiceError, OSError: naming the part that cannot be built.
    """
    step("打开数据库")
    database = Database.open(settings.database())
    step("读取政策目录，编码条款")
    answerer = build_answerer(settings, progress)
    encoder = RememberingEncoder(
        answerer.encoder, VectorCache(settings.data_dir / "vectors" / "departments")
    )
    dispatcher = Dispatcher(load_departments(), encoder)
    dispatcher.warm()
    desk = ServiceDesk(database, dispatcher, encoder)
    share_encoder(
        BUILT_IN, answerer.encoder if settings.encoder == BUILT_IN else load_encoder(BUILT_IN)
    )
    if progress:
        watch_training(progress)
    models = settings.data_dir / "models"
    step("载入对话模型" if model_path(models).exists() else "训练对话模型（首次约半分钟）")
    bot = BotRuntime(build_actions(answerer, desk), warm=partial(encode_ahead, BUILT_IN))
    bot.load(ensure_model(models))
    app = create_app(
        settings,
        database,
        bot,
        fallback_for(answerer, desk),
        routers=[appeals_router(MissCounter())],
        ready_checks={"bot": lambda: None if bot.is_ready else "no model is loaded"},
    )
    return Product(settings, database, answerer, desk, bot, app)


def fallback_for(answerer: Answerer, desk: ServiceDesk) -> Callable[[Turn], Sequence[Reply]]:
    """What answers when the bot cannot: the catalogue itself, else an appeal."""

    def answer(turn: Turn) -> Sequence[Reply]:
        found = answerer.answer(turn.text, turn.as_of)
        if not found.refusal:
            return [answer_reply(found, answerer)]
        draft = AppealDraft(turn.session, turn.message_id, turn.text, AppealReason.FAILURE)
        refusal = Reply(kind=ReplyKind.REFUSAL, text=found.text, buttons=[PERSON])
        return [refusal, appeal_reply(desk.file_appeal(draft))]

    return answer
