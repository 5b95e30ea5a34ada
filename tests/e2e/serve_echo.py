"""Serves the real application with a slow repeating bot: ``python -m tests.e2e.serve_echo DIR PORT``.

``QIFU_DATABASE_URL`` chooses the database. Prints the port when it listens.
"""

from __future__ import annotations

import sys
import time
import zlib
from pathlib import Path

from bot.turn import Turn
from service import logs
from service.app import create_app, serve
from service.db import Database
from service.settings import Settings
from tests.service.fakes import EchoBot, sorry


def think(turn: Turn) -> None:
    """Takes 5-60 ms, always the same for the same words."""
    time.sleep((5 + zlib.crc32(turn.text.encode()) % 56) / 1000)


def main(folder: str, port: str) -> None:
    settings = Settings(_env_file=None, data_dir=Path(folder), port=int(port), poll_s=0.2)
    logs.configure(settings)
    database = Database.open(settings.database())
    app = create_app(settings, database, EchoBot(think), sorry)
    serve(app, settings, lambda bound: print(bound, flush=True))
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
