"""Starts the real product as a separate process on loopback, for end-to-end tests and the bench."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
START_LIMIT_S = 240.0


@dataclass
class Server:
    """A running ``qifu up``; ``started_s`` is how long it took until ``/readyz`` said yes."""

    process: subprocess.Popen[bytes]
    url: str
    started_s: float
    log: Path

    def kill(self) -> None:
        """kill -9, as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def resident_mb(self) -> float:
        """Resident memory of the process, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) / 1024


def prepare_data(folder: Path) -> Path:
    """A data folder that already holds the trained model and the vectors of the repository's own."""
    for name in ("models", "vectors"):
        source = Path(os.environ.get("QIFU_TEST_CACHE", ROOT / "var")) / name
        if source.is_dir():
            shutil.copytree(source, folder / name, dirs_exist_ok=True)
    return folder


def start(data: Path, port: int = 0, options: Sequence[str] = (), /, **settings: str) -> Server:
    """Starts ``qifu up`` on ``data`` and waits until it is ready; ``port`` 0 takes a free one."""
    environment = {
        **os.environ,
        "QIFU_DATA_DIR": str(data),
        "QIFU_LOG_FORMAT": "json",
        **{f"QIFU_{name.upper()}": value for name, value in settings.items()},
    }
    log = data / "server.log"
    began = time.monotonic()
    with log.open("a", encoding="utf-8") as sink:
        printed_before = sink.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "up", "--port", str(port), *options],
            cwd=ROOT,
            env=environment,
            stdout=sink,
            stderr=sink,
        )
    address = _address(process, log, printed_before)
    while True:
        try:
            if httpx.get(f"{address}/readyz", timeout=5).status_code == 200:
                return Server(process, address, time.monotonic() - began, log)
        except httpx.TransportError:
            pass
        if process.poll() is not None or time.monotonic() - began > START_LIMIT_S:
            raise RuntimeError(f"the server did not become ready; see {log}")
        time.sleep(0.05)


def _address(process: subprocess.Popen[bytes], log: Path, since: int) -> str:
    """Waits for the printed address."""
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until:
        printed = log.read_bytes()[since:].decode("utf-8", "replace")
        found = re.search(r"(http://127\.0\.0\.1:\d+)/\s", printed)
        if found:
            return found[1]
        if process.poll() is not None:
            raise RuntimeError(
                f"the server ended with code {process.returncode}: {printed[-2000:]}"
            )
        time.sleep(0.05)
    raise RuntimeError(f"the server printed no address; see {log}")


@contextmanager
def running(data: Path, options: Sequence[str] = (), /, **settings: str) -> Iterator[Server]:
    server = start(data, 0, options, **settings)
    try:
        yield server
    finally:
        server.stop()
