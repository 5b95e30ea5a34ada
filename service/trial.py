"""Plays whole files of labelled questions to a product of its own and keeps what came of it."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bot.training import known_intents
from knowledge.corpus import Corpus, Query
from knowledge.dense import Progress
from knowledge.errors import LabelError
from knowledge.evaluate import judge_answers, report_on
from knowledge.evaluate_retrieval import Built
from knowledge.labels import LabelledQuestion, read_questions
from knowledge.rankers import CatalogueRanker, catalogue_corpus
from knowledge.ranking import CALIBRATION_FILE
from knowledge.runs import (
    Run,
    RunIdentity,
    digest_of_catalogue,
    digest_of_file,
    digest_of_questions,
    record_run,
)
from service.assembly import Product, build_answerer, build_product
from service.db import Database
from service.debt.copying import copy_signed_answers
from service.logs import configure
from service.rehearsal import responder
from service.settings import Settings
from service.terminal import counting_bar, encoding_bar, settings_with


@dataclass(frozen=True)
class Trial:
    """What to play: the files by a name of their own, their questions in order, the day of those that name none."""

    files: Mapping[str, Path]
    questions: Sequence[LabelledQuestion]
    as_of: date | None


def read_trial(paths: Sequence[Path], as_of: date | None) -> Trial:
    """The questions of all files; two files of one name are told apart by their folders.

    Raises:
        LabelError: naming file, line and field of the first defect.
    """
    alike = Counter(path.name for path in paths)
    intents = known_intents()
    files: dict[str, Path] = {}
    questions: list[LabelledQuestion] = []
    for path in paths:
        name = path.name if alike[path.name] == 1 else f"{path.resolve().parent.name}/{path.name}"
        if name in files:
            raise LabelError(f"{path}: given twice, or its folder has the same name as another's")
        files[name] = path
        questions += [
            each.model_copy(update={"file": name}) for each in read_questions(path, intents)
        ]
    return Trial(files, questions, as_of)


def try_answers(trial: Trial, name: str | None) -> tuple[Run, dict[str, str]]:
    """Plays the questions to the real bot and desk, on a database that is thrown away.

    Returns the run, and the titles of the policies by id.

    Raises:
        KnowledgeError, BotError, ServiceError, OSError: the product cannot be built.
    """
    with tempfile.TemporaryDirectory() as scratch:
        # The real desk, on a database of its own: an evaluation must not file appeals in the real one.
        real = settings_with(as_of=trial.as_of, log_level="error")
        settings = real.model_copy(update={"database_url": f"sqlite:///{scratch}/eval.db"})
        configure(settings)
        _take_signed_answers(real, settings)
        with encoding_bar() as bar:
            product = build_product(settings, progress=bar)
        try:
            titles = {p.id: p.title for p in product.answerer.catalogue.policies.values()}
            return _play(trial, name, product, settings), titles
        finally:
            product.close()


def _take_signed_answers(real: Settings, settings: Settings) -> None:
    """What people have signed belongs to what the bot answers, so it is evaluated along."""
    database = Database.open(settings.database())
    try:
        copy_signed_answers(real.database(), database)
    finally:
        database.close()


def _play(trial: Trial, name: str | None, product: Product, settings: Settings) -> Run:
    day = settings.today()
    catalogue = product.answerer.catalogue
    with counting_bar("评测", len(trial.questions)) as advance:
        respond = responder(product.bot, day)
        judged = judge_answers(trial.questions, respond, catalogue, advance, day)
    report: dict[str, Any] = report_on(judged)
    identity = RunIdentity(
        files=list(trial.files),
        file_sha256=[digest_of_file(path) for path in trial.files.values()],
        questions=digest_of_questions(trial.questions),
        as_of=day,
        catalogue=digest_of_catalogue(catalogue),
        encoder=product.answerer.encoder.name,
        calibration=digest_of_file(CALIBRATION_FILE),
        model=product.bot.model.name if product.bot.model else None,
    )
    return record_run(name, identity, report, judged, datetime.now(UTC))


def catalogue_to_rank(
    settings: Settings, queries: Sequence[Query], progress: Progress | None = None
) -> tuple[Corpus, Built]:
    """The catalogue in force as a corpus, ranked by the bot's own search, for ``qifu eval retrieval``."""
    encoded = 0

    def count(done: int, total: int) -> None:
        nonlocal encoded
        encoded = done
        if progress:
            progress(done, total)

    begun = time.perf_counter()
    retriever = build_answerer(settings, count).retriever
    seconds = time.perf_counter() - begun
    corpus, by_clause = catalogue_corpus(retriever.catalogue, queries)
    ranker = CatalogueRanker(retriever, settings.today(), by_clause)
    return corpus, Built(ranker, retriever.encoder.name, seconds, retriever.passages, encoded)


def write_page(
    path: Path, run: Run, titles: dict[str, str], comparison: dict[str, Any] | None
) -> None:
    """Writes the report as one HTML file, whole or not at all. ``OSError`` when it cannot."""
    from knowledge.report.answers import answers_page  # matplotlib: a second, only when asked for

    page = answers_page(run, titles, comparison)
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text(page, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
