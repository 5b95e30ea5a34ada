"""Takes over a changed catalogue while the service runs; one that cannot be used leaves the old in force."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from knowledge.answer import Answerer
from knowledge.live import Live

log = structlog.get_logger("qifu.refresh")

# A fault may lie outside the catalogue (a full disk), so the same version is tried again now and then.
_TRY_AGAIN_S = 60.0


class CatalogueRefresh:
    """Looks every ``every_s`` seconds whether the catalogue has another version, 0: never.

    ``version`` is a cheap fingerprint of what ``build`` would read. A new version must be seen
    twice before it is built: an editor may be in the middle of saving. ``build`` runs on this
    object's thread, so turns go on meanwhile on the old answerer; then ``live`` is exchanged in one
    step. What goes wrong is logged once a version and never ends the thread.
    """

    def __init__(
        self,
        live: Live,
        version: Callable[[], str],
        build: Callable[[], Answerer],
        served: str,
        every_s: float,
        try_again_s: float = _TRY_AGAIN_S,
    ) -> None:
        self._live = live
        self._version = version
        self._build = build
        self._every_s = every_s
        self._try_again_s = try_again_s
        self._served = self._seen = served
        self._refused: tuple[str, str] | None = None
        self._next_try = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="qifu-refresh", daemon=True)

    @property
    def served(self) -> str:
        """The version of the catalogue that answers now."""
        return self._served

    @property
    def is_behind(self) -> bool:
        """Whether there is a newer version that could not be taken over; the log says why."""
        return self._refused is not None

    def start(self) -> None:
        if self._every_s:
            self._thread.start()

    def stop(self, limit_s: float = 10.0) -> None:
        """Ends the thread; a build in progress is waited for within the limit, then given up."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(limit_s)

    def look(self) -> bool:
        """Looks once; whether a new catalogue was taken over. Never raises."""
        found = "unknown"
        try:
            found = self._version()
            return self._is_due(found) and self._take_over(found)
        except Exception as error:  # the edge of the thread: it must outlive any bad catalogue
            self._refuse(found, error)
            return False

    def _watch(self) -> None:
        while not self._stopping.wait(self._every_s):
            self.look()

    def _is_due(self, found: str) -> bool:
        is_settled = found == self._seen
        self._seen = found
        if found == self._served:
            self._refused = None
            return False
        is_refused = self._refused is not None and self._refused[0] == found
        return is_settled and not (is_refused and time.monotonic() < self._next_try)

    def _take_over(self, found: str) -> bool:
        begun = time.monotonic()
        answerer = self._build()
        if self._stopping.is_set():
            return False
        self._live.exchange(answerer)
        log.info(
            "catalogue_taken_over",
            version=found,
            before=self._served,
            policies=len(answerer.catalogue),
            clauses=len(answerer.catalogue.clauses),
            ms=round((time.monotonic() - begun) * 1000),
        )
        self._served, self._refused = found, None
        return True

    def _refuse(self, found: str, error: Exception) -> None:
        refused = (found, f"{type(error).__name__}: {error}")
        if refused != self._refused:
            log.error("catalogue_refused", version=found, served=self._served, error=refused[1])
        self._refused = refused
        self._next_try = time.monotonic() + self._try_again_s
