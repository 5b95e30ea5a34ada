"""Makes .venv from a bare Python 3.11: uv, the CPU build of torch, the pinned requirements, the qifu command.

Runs with the standard library only. Does nothing when nothing has changed; says in one line what failed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "setup.log"
TORCH = "torch==2.13.0"
# Imported at every start; without bytecode Rasa alone takes several seconds longer to import.
COMPILED = [
    "rasa",
    "rasa_sdk",
    "sqlalchemy",
    "sanic",
    "sanic_routing",
    "redis",
    "fastapi",
    "starlette",
    "pydantic",
    "pydantic_core",
    "uvicorn",
    "alembic",
    "numpy",
    "scipy",
    "sklearn",
    "faiss",
    "bm25s",
    "jsonschema",
    "aiohttp",
    "networkx",
    "dask",
    "apscheduler",
    "ruamel",
    "structlog",
    "rich",
    "typer",
    "httpx",
    "chinese_calendar",
    "typing_extensions.py",
    "pytz",
    "prompt_toolkit",
    "questionary",
    "terminaltables",
    "jwt",
    "cryptography",
    "yaml",
    "regex",
    "tqdm",
    "joblib",
    "requests",
]


class StepFailed(Exception):
    """A step of the set-up ended badly; the message is the line to show."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="also what the tests need")
    dev = parser.parse_args().dev
    try:
        set_up(dev)
    except StepFailed as error:
        print(f"set-up failed: {error}", file=sys.stderr)
        return 1
    return 0


def set_up(dev: bool) -> None:
    if not (3, 11) <= sys.version_info[:2] < (3, 13):
        raise StepFailed(
            f"Python 3.11 or 3.12 is needed, this is {sys.version.split()[0]}; try PYTHON=python3.11"
        )
    stamp, wanted = VENV / (".ready-dev" if dev else ".ready"), fingerprint(dev)
    if any(
        s.exists() and s.read_text() == fingerprint(s.name.endswith("dev"))
        for s in {stamp, VENV / ".ready-dev"}
    ):
        return
    steps: list[tuple[str, Callable[[], None]]] = [
        ("virtual environment", make_venv),
        ("uv", get_uv),
        ("torch (CPU build)", install_torch),
        ("packages", lambda: install_packages(dev)),
        ("the qifu command", install_project),
        ("bytecode", compile_bytecode),
    ]
    for number, (name, step) in enumerate(steps, 1):
        print(f"[{number}/{len(steps)}] {name} …", end=" ", flush=True)
        started = time.monotonic()
        step()
        print(f"{time.monotonic() - started:.0f} s", flush=True)
    stamp.write_text(wanted)


def fingerprint(dev: bool) -> str:
    """Changes when anything that decides the content of the environment changes."""
    digest = hashlib.sha256(f"{sys.version}{ROOT}".encode())
    for name in (requirements(dev), "pyproject.toml", ".ci/bootstrap.py"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def requirements(dev: bool) -> str:
    return "requirements-dev.txt" if dev else "requirements.txt"


def make_venv() -> None:
    if PYTHON.exists() and run_ok(
        [str(PYTHON), "-c", f"import sys; exit(sys.version_info[:2] != {sys.version_info[:2]})"]
    ):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise StepFailed(f"python -m venv: {(made.stdout + made.stderr).strip().splitlines()[-1]}")


def get_uv() -> None:
    if not run_ok([str(PYTHON), "-m", "uv", "--version"]):
        run(
            [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"],
            "installing uv",
        )


def install_torch() -> None:
    """A wheel from PIP_FIND_LINKS, else uv's CPU index, else the plain package with its own needs."""
    if run_ok(
        [
            str(PYTHON),
            "-c",
            f"from importlib.metadata import version as v; exit(v('torch').split('+')[0] != '{TORCH.split('==')[1]}')",
        ]
    ):
        return
    folders = os.environ.get("PIP_FIND_LINKS", "").split()
    links = [word for folder in folders for word in ("--find-links", folder)]
    if links and run_ok([*pip(), "--no-deps", "--no-index", *links, TORCH]):
        return
    if run_ok([*pip(), "--no-deps", "--torch-backend", "cpu", TORCH]):
        return
    run([*pip(), TORCH], "installing torch")


def install_packages(dev: bool) -> None:
    run([*pip(), "--no-deps", "-r", requirements(dev)], f"installing {requirements(dev)}")


def install_project() -> None:
    run([*pip(), "--no-deps", "--no-build-isolation", "--editable", "."], "installing the project")


def compile_bytecode() -> None:
    site = next((VENV / "lib").glob("python3.*")) / "site-packages"
    paths = [str(site / name) for name in COMPILED if (site / name).exists()]
    run([str(PYTHON), "-m", "compileall", "-q", "-j", "0", *paths], "compiling bytecode")


def pip() -> list[str]:
    return [str(PYTHON), "-m", "uv", "pip", "install", "--quiet", "--python", str(PYTHON)]


def run_ok(command: list[str]) -> bool:
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0


def run(command: list[str], what: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}")
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines() or ["no output"]
        raise StepFailed(f"{what}: {lines[-1].strip()} (all of it in {LOG.relative_to(ROOT)})")


if __name__ == "__main__":
    sys.exit(main())
