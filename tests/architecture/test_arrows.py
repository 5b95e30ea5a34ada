"""The arrows of design.md, chapter 3: who may import whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What the modules of a package, or one module, may import of ours; the longest name that fits counts.
ARROWS: dict[str, set[str]] = {
    "knowledge": {"knowledge"},
    "nlu": {"nlu", "knowledge"},
    "actions": {"actions", "knowledge"},
    "actions.replies": set(),
    "actions.desk": {"knowledge.profile"},
    "actions.match_talk": {"actions", "knowledge", "nlu.profile"},
    "actions.context": set(),
    "actions.base": {"actions.context", "actions.replies"},
    "bot": {"bot", "actions"},
    "bot.compat": {"bot.turn"},
    "bot.turn": {"actions.replies"},
    "bot.tracker_store": set(),
    "service": {"service", "bot", "nlu", "actions", "knowledge"},
}
PACKAGES = ("knowledge", "nlu", "actions", "bot", "service")
# Inside the service: a room may import rooms to its right only.
ROOMS = (
    "console",
    "channels",
    "handoff",
    "conversations",
    "debt",
    "common_issues",
    "appeals",
    "staff",
    "enterprises",
    "recall",
    "matching",
)
# These join the rooms; the rooms do not know them.
ABOVE_THE_ROOMS = {
    "service.affected",
    "service.app",
    "service.assembly",
    "service.cli",
    "service.demo",
    "service.desk",
    "service.gathering",
    "service.doctor",
    "service.office_rules",
    "service.refresh",
    "service.rooms",
}
# Only this module knows Rasa's command line, stand-ins and repairs; these speak to Rasa's objects.
SPEAK_RASA = {"bot.compat", "bot.runtime", "bot.tracker_store", "bot.training"}


@dataclass(frozen=True)
class Import:
    """``importer`` at ``line`` imports ``imported``; ``is_typing`` when only a type checker does."""

    importer: str
    imported: str
    line: int
    is_typing: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(file: Path) -> Iterator[Import]:
    """All imports of a module, wherever they stand in it."""
    importer = module_name(file)
    tree = ast.parse(file.read_text(encoding="utf-8"))
    typing = {
        id(node)
        for each in ast.walk(tree)
        if isinstance(each, ast.If) and "TYPE_CHECKING" in ast.unparse(each.test)
        for node in ast.walk(each)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{importer}:{node.lineno} imports relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (Import(importer, name, node.lineno, id(node) in typing) for name in names)


@pytest.fixture(scope="module")
def imports() -> list[Import]:
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    assert len(files) > 40
    return [each for file in files for each in imports_of(file)]


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def allowed(importer: str) -> set[str]:
    return ARROWS[max((name for name in ARROWS if is_within(importer, name)), key=len)]


def test_packages_import_along_the_arrows(imports: list[Import]) -> None:
    wrong = [
        str(each)
        for each in imports
        if is_ours(each.imported)
        and not any(is_within(each.imported, target) for target in allowed(each.importer))
    ]
    assert wrong == []


def is_ours(name: str) -> bool:
    return name.split(".")[0] in {*PACKAGES, "tests"}


def test_no_product_code_imports_tests(imports: list[Import]) -> None:
    assert [str(each) for each in imports if is_within(each.imported, "tests")] == []


def test_rooms_of_the_service_import_downwards(imports: list[Import]) -> None:
    def room(name: str) -> str | None:
        parts = name.split(".")
        return parts[1] if len(parts) > 2 and parts[0] == "service" and parts[1] in ROOMS else None

    wrong = []
    for each in imports:
        here, there = room(each.importer), room(each.imported)
        if here and there and ROOMS.index(there) < ROOMS.index(here):
            wrong.append(str(each))
        if here and any(is_within(each.imported, module) for module in ABOVE_THE_ROOMS):
            wrong.append(str(each))
    assert wrong == []


def test_only_the_bot_speaks_to_rasa(imports: list[Import]) -> None:
    wrong = [
        str(each)
        for each in imports
        if is_within(each.imported, "rasa")
        and each.importer not in SPEAK_RASA
        and not is_within(each.importer, "nlu.components")
    ]
    assert wrong == []


def test_rasa_is_imported_behind_the_door(imports: list[Import]) -> None:
    """``import_rasa()`` must come first, so nothing that others import may import Rasa at its top."""
    eager = {"bot.tracker_store"}  # itself imported by bot.runtime after import_rasa()
    for name in SPEAK_RASA - eager:
        file = ROOT / f"{name.replace('.', '/')}.py"
        top = ast.parse(file.read_text(encoding="utf-8")).body
        found = [ast.unparse(s) for s in top if isinstance(s, ast.Import | ast.ImportFrom)]
        assert [line for line in found if " rasa" in line and "rasa_sdk" not in line] == [], name
    importers = {i.importer for i in imports if is_within(i.imported, "bot.tracker_store")}
    assert importers == {"bot.runtime"}


def test_knowledge_needs_no_web_and_no_database(imports: list[Import]) -> None:
    heavy = ("fastapi", "starlette", "sqlalchemy", "alembic", "rasa", "rasa_sdk", "uvicorn")
    wrong = [
        str(each)
        for each in imports
        if is_within(each.importer, "knowledge")
        and any(is_within(each.imported, package) for package in heavy)
    ]
    assert wrong == []


def test_check_sees_a_wrong_arrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.architecture.test_arrows.ROOT", tmp_path)
    file = tmp_path / "actions" / "wrong.py"
    file.parent.mkdir()
    file.write_text("def f():\n    from service.db import Database\n", encoding="utf-8")
    (found,) = imports_of(file)
    assert str(found) == "actions.wrong:2 imports service.db.Database"
    with pytest.raises(AssertionError):
        test_packages_import_along_the_arrows([found])
