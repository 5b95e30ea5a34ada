"""Builds the whole product from the settings: catalogue, search, desk, bot, web application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from fastapi import APIRouter, FastAPI

from actions.answering import answer_reply, citation_card
from actions.appeal import PERSON, appeal_reply
from actions.desk import AppealDraft, AppealReason
from actions.registry import build_actions
from actions.replies import Reply, ReplyKind
from bot.runtime import BotRuntime
from bot.training import ensure_model, model_path
from bot.turn import Turn, TurnTrace
from knowledge.answer import Answerer
from knowledge.catalogue import Catalogue
from knowledge.catalogue_index import texts_encoded
from knowledge.composition import NOTHING_FOUND
from knowledge.dense import Progress, RememberingEncoder, VectorCache
from knowledge.encoder import BUILT_IN, WORDS_ONLY, Encoder, load_encoder
from knowledge.live import Live
from knowledge.outcome import Refusal
from knowledge.retrieval import Retriever
from knowledge.store import CatalogueStore
from nlu.sharing import encode_ahead, share_encoder, watch_training
from service.app import create_app
from service.appeals.departments import Department, load_departments
from service.appeals.dispatch import Dispatcher
from service.appeals.routes import MissCounter, appeals_router
from service.catalogue import store_of
from service.console.parts import ConsoleParts
from service.conversations.stream import Hub
from service.conversations.turns import Outcome
from service.db import Database, utc_now
from service.desk import ServiceDesk
from service.limits import TokenBuckets
from service.matching.routes import matching_router
from service.refresh import CatalogueRefresh
from service.rehearsal_desk import guarded
from service.rooms import Rooms, build_rooms, console_parts, staff_routers
from service.settings import Settings

Step = Callable[[str], None]


@dataclass(frozen=True)
class Product:
    """Everything that runs in one process."""

    settings: Settings
    database: Database
    live: Live
    refresh: CatalogueRefresh
    rooms: Rooms
    bot: BotRuntime
    app: FastAPI
    console: ConsoleParts

    @property
    def desk(self) -> ServiceDesk:
        """What the dialogue asks."""
        return self.rooms.desk

    @property
    def answerer(self) -> Answerer:
        """What answers come from now."""
        return self.live.now

    def close(self) -> None:
        self.refresh.stop()
        self.rooms.stop_notices()
        self.bot.close()
        self.database.close()


def build_answerer(
    settings: Settings,
    progress: Progress | None = None,
    encoder: Encoder | None = None,
    store: CatalogueStore | None = None,
    before: Answerer | None = None,
) -> Answerer:
    """Catalogue and search; encodes what the vector cache does not hold yet.

    ``encoder`` is the one of the settings when it is loaded already; absent, it is loaded. ``before`` answers from an
    earlier state of the catalogue, read through the same ``store``: only what has changed since is read, encoded and
    indexed.

    Raises:
        CatalogueError: the catalogue breaks the format.
        EncoderError: the encoder of the settings cannot be used.
    """
    catalogue = (store or store_of(settings)).read()
    encoder = before.encoder if before else encoder or load_encoder(settings.encoder)
    folder = settings.data_dir / "index" / encoder.name.replace("/", "_")
    return Answerer(
        Retriever(
            catalogue,
            encoder,
            VectorCache(settings.data_dir / "vectors"),
            progress=progress,
            folder=folder,
            before=None if before is None else before.retriever,
        ),
        before,
    )


def refresh_of(
    settings: Settings, live: Live, store: CatalogueStore | None = None, served: str | None = None
) -> CatalogueRefresh:
    """What keeps ``live`` up to the catalogue: only what changed is taken in anew.

    ``store`` is the one ``live`` was read through, ``served`` its version before the reading; without them the first
    change is compared policy by policy.
    """
    store = store or store_of(settings)

    def rebuild() -> Answerer:
        return build_answerer(settings, store=store, before=live.now)

    return CatalogueRefresh(
        live, store.version, rebuild, served or store.version(), settings.refresh_s
    )


def encode_ahead_of(
    settings: Settings, changed: Catalogue, progress: Progress | None = None
) -> None:
    """Puts the vectors of ``changed`` policies into the cache that ``build_answerer`` reads.

    So neither the running service, when it takes over the catalogue, nor the first question has to encode them. What
    was encoded is kept when this is broken off.

    Raises:
        EncoderError: the encoder of the settings cannot be used.
    """
    if settings.encoder == WORDS_ONLY:
        return
    encoder = load_encoder(settings.encoder)
    cache = VectorCache(settings.data_dir / "vectors")
    cache.vectors(encoder, texts_encoded(changed), progress)


def build_product(
    settings: Settings,
    step: Step = lambda text: None,
    progress: Progress | None = None,
    now: Callable[[], datetime] = utc_now,
) -> Product:
    """Builds and loads all parts; trains the model first when its data have changed.

    ``step`` is told what begins; ``progress`` counts the sentences being encoded. ``now`` dates what the desk does.

    Raises:
        KnowledgeError, BotError, ServiceError, OSError: naming the part that cannot be built.
    """
    step("打开数据库")
    database = Database.open(settings.database())
    step("读取政策目录，编码条款")
    store = store_of(settings)
    served = store.version()  # before reading, so that what is written meanwhile is noticed
    answerer = build_answerer(settings, progress, store=store)
    live = Live(answerer)
    refresh = refresh_of(settings, live, store, served)
    # Appeals and intents are understood by meaning also where search is told to do without.
    built_in = answerer.encoder if settings.encoder == BUILT_IN else load_encoder(BUILT_IN)
    meaning = built_in if settings.encoder == WORDS_ONLY else answerer.encoder
    encoder = RememberingEncoder(
        meaning, VectorCache(settings.data_dir / "vectors" / "departments")
    )
    departments = load_departments()
    dispatcher = Dispatcher(departments, encoder)
    dispatcher.warm()
    rooms = build_rooms(settings, database, live, dispatcher, encoder, departments, now)
    share_encoder(BUILT_IN, built_in)
    if progress:
        watch_training(progress)
    models = settings.data_dir / "models"
    step("载入对话模型" if model_path(models).exists() else "训练对话模型（首次约半分钟）")
    # What staff only try out must not reach the desk.
    actions = build_actions(live, guarded(rooms.desk))
    bot = BotRuntime(actions, warm=partial(encode_ahead, BUILT_IN))
    bot.load(ensure_model(models))
    hub = Hub()
    console = console_parts(settings, database, live, rooms, bot, hub)
    app = create_app(
        settings,
        database,
        bot,
        fallback_for(live, rooms.desk),
        hub=hub,
        routers=routers_of(console, rooms, departments),
        ready_checks={"bot": lambda: None if bot.is_ready else "no model is loaded"},
        ready_notes={"catalogue": lambda: _catalogue_note(live, refresh)},
        companions=rooms.companions,
    )
    refresh.start()
    return Product(settings, database, live, refresh, rooms, bot, app, console)


def routers_of(
    parts: ConsoleParts, rooms: Rooms, departments: Sequence[Department]
) -> list[APIRouter]:
    """Every room's endpoints, for visitors and for the staff."""
    return [
        appeals_router(MissCounter(), hours=rooms.office.hours),
        matching_router(parts.live, TokenBuckets(parts.settings.messages_per_minute)),
        *staff_routers(parts, rooms, departments),
    ]


def open_console(product: Product, is_demo: bool = False) -> None:
    """Puts the staff's pages into the product's application; once a process, before it serves.

    ``is_demo``: every page says that the data are made up.
    """
    from service.console.mount import mount_console

    mount_console(product.app, replace(product.console, is_demo=is_demo))


def _catalogue_note(live: Live, refresh: CatalogueRefresh) -> dict[str, object]:
    """Which catalogue is served; ``is_behind`` when a newer one was refused (the log says why)."""
    return {
        "version": refresh.served,
        "policies": len(live.now.catalogue),
        "is_behind": refresh.is_behind,
    }


def fallback_for(live: Live, desk: ServiceDesk) -> Callable[[Turn], Outcome]:
    """What answers when the bot cannot: the catalogue itself, else an appeal."""

    def answer(turn: Turn) -> Outcome:
        answerer = live.now
        found = answerer.answer(turn.text, turn.as_of)
        if not found.refusal:
            cards = [citation_card(each) for each in found.citations]
            sources = tuple((each.clause.id, each.clause.hash) for each in found.citations)
            return Outcome([answer_reply(found, answerer, cards)], trace=TurnTrace(sources=sources))
        if found.refusal is not Refusal.UNCLEAR and not found.refusal.needs_clerk:
            return Outcome([Reply(kind=ReplyKind.QUESTION, text=found.text, buttons=[PERSON])])
        draft = AppealDraft(turn.session, turn.message_id, turn.text, AppealReason.FAILURE)
        text = NOTHING_FOUND if found.refusal is Refusal.UNCLEAR else found.text
        refusal = Reply(kind=ReplyKind.REFUSAL, text=text, buttons=[PERSON])
        return Outcome([refusal, appeal_reply(desk.file_appeal(draft))])

    return answer
