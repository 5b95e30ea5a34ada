"""Measures the product as a user would meet it: ``make bench``. Prints a table, writes artifacts/bench.json."""

from __future__ import annotations

import asyncio
import itertools
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import httpx
from rich.console import Console
from rich.table import Table

from knowledge.labels import read_questions
from tests.server import ROOT, Server, prepare_data, start

SESSIONS = 16
TURNS_EACH = 40
SINGLE_TURNS = 200
LONG_SESSION = 100
QUESTIONS = ROOT / "knowledge" / "data" / "eval"
UTTERANCES = ROOT / "nlu" / "eval" / "dev.jsonl"
NO_LIMITS = {"messages_per_minute": "0", "sessions_per_minute": "0"}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = prepare_data(Path(folder))
        start(data, **NO_LIMITS).stop()  # trains and encodes if the repository has not yet
        server = start(data, **NO_LIMITS)
        try:
            report = measure(server)
        finally:
            server.stop()
    show(report)
    target = ROOT / "artifacts" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def measure(server: Server) -> dict[str, Any]:
    texts = [
        q.text for name in ("dev", "test") for q in read_questions(QUESTIONS / f"{name}.jsonl")
    ]
    texts = [text for text in texts if len(text) <= 200]
    report: dict[str, Any] = {"start_s": round(server.started_s, 2)}
    with httpx.Client(base_url=server.url, timeout=30) as client:
        single = [ask(client, text, None)[0] for text in texts[:SINGLE_TURNS]]
        report["turn_ms"] = {"p50": percentile(single, 50), "p95": percentile(single, 95)}
        report["long_session_ms"] = long_session(client, texts)
    mixed = [u["text"] for u in map(json.loads, UTTERANCES.read_text("utf-8").splitlines())]
    report["turns_per_s"] = {
        "mixed": round(asyncio.run(crowd(server.url, mixed)), 1),
        "questions": round(asyncio.run(crowd(server.url, texts)), 1),
    }
    report["resident_mb"] = round(server.resident_mb())
    return report


def long_session(client: httpx.Client, texts: list[str]) -> dict[str, float]:
    """Medians of the first and last ten turns of one session, each question new to the process."""
    session: str | None = None
    times = []
    for number, text in zip(range(LONG_SESSION), itertools.cycle(texts), strict=False):
        elapsed, session = ask(client, f"{text}（第{number}问）", session)
        times.append(elapsed)
    first, last = statistics.median(times[:10]), statistics.median(times[-10:])
    return {
        "first_ten": round(first, 1),
        "last_ten": round(last, 1),
        "ratio": round(last / first, 2),
    }


def ask(client: httpx.Client, text: str, session: str | None) -> tuple[float, str]:
    """One turn: milliseconds and the session token."""
    began = time.perf_counter()
    response = client.post("/api/chat", json={"session": session, "text": text})
    elapsed = (time.perf_counter() - began) * 1e3
    response.raise_for_status()
    body = response.json()
    assert body["replies"], body
    return elapsed, body["session"]


async def crowd(url: str, texts: list[str]) -> float:
    """Turns per second of ``SESSIONS`` people asking at once, each waiting for the answer."""
    timeout = aiohttp.ClientTimeout(60)
    async with aiohttp.ClientSession(url, timeout=timeout) as client:

        async def person(number: int) -> None:
            session = None
            for turn in range(TURNS_EACH):
                text = texts[(number * TURNS_EACH + turn) % len(texts)]
                body = {"session": session, "text": text}
                async with client.post("/api/chat", json=body, raise_for_status=True) as response:
                    answer = await response.json()
                assert answer["replies"], answer
                session = answer["session"]

        began = time.perf_counter()
        await asyncio.gather(*(person(number) for number in range(SESSIONS)))
        return SESSIONS * TURNS_EACH / (time.perf_counter() - began)


def percentile(values: list[float], percent: int) -> float:
    return round(statistics.quantiles(values, n=100)[percent - 1], 1)


def show(report: dict[str, Any]) -> None:
    table = Table("measured", "value", "target")
    turn, long = report["turn_ms"], report["long_session_ms"]
    table.add_row("start, model and vectors cached", f"{report['start_s']} s", "≤ 10 s")
    table.add_row(
        "one turn over HTTP, p50 / p95", f"{turn['p50']} / {turn['p95']} ms", "≤ 30 / 80 ms"
    )
    table.add_row(
        "100 turns in one session, last ten / first ten",
        f"{long['last_ten']} / {long['first_ten']} ms = {long['ratio']}",
        "≤ 1.5",
    )
    rate = report["turns_per_s"]
    table.add_row(
        f"turns per second, {SESSIONS} sessions, all kinds of messages", f"{rate['mixed']}", "≥ 60"
    )
    table.add_row(
        "the same, policy questions only, 25 % without an answer", f"{rate['questions']}", "≥ 60"
    )
    table.add_row("resident memory while serving", f"{report['resident_mb']} MB", "≤ 800 MB")
    Console().print(table)


if __name__ == "__main__":
    main()
