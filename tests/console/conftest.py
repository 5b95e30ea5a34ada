"""A running product with an account of each role, and one browser a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Page, expect

from knowledge.profile import Known, Source
from service.conversations.models import Conversation, Owner
from service.db import Database, utc_now
from service.enterprises.models import EnterpriseImport, EnterpriseProfile
from service.enterprises.operations import EnterpriseFacts, upsert_enterprise
from service.enterprises.profiles import keep_said_facts
from service.staff import accounts
from service.staff.accounts import Passwords
from service.staff.permissions import Role
from tests.browser.pages import ARTIFACTS, NO_CHROMIUM, find_chromium, open_browser
from tests.knowledge.roster.companies import code_of
from tests.server import Server, prepare_data, running
from tests.service.staff.conftest import PASSWORD, new_account

NAME, CODE, SESSION = "深圳市云帆智能科技有限公司", code_of(1), "web-spoken"
TODAY = "2026-11-23"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = prepare_data(tmp_path_factory.mktemp("console"))
    _fill(data)
    with running(data, as_of=TODAY) as server:
        yield server


def _fill(data: Path) -> None:
    database = Database.open(f"sqlite:///{data / 'qifu.db'}")
    quick = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with database.session() as db:
        for role in Role:
            accounts.create_account(db, new_account(f"u-{role}", role), quick, "cli", utc_now())
        row = upsert_enterprise(db, EnterpriseFacts(CODE, NAME, "福田区", ("云帆老张",)))
        taken = EnterpriseImport(file="f", source="registry", day=date(2026, 10, 31), rows=1)
        db.add_all([taken, Conversation(id=SESSION, channel="web", owner=Owner.BOT)])
        db.flush()
        facts = {
            "registered_district": ["福田区", taken.id],
            "employees": [86, taken.id],
            "qualifications": [["国家高新技术企业"], taken.id],
        }
        db.add(EnterpriseProfile(enterprise_id=row.id, facts=facts))
        db.flush()
        said = {"employees": Known(120, Source.SAID, date(2026, 11, 20))}
        keep_said_facts(db, row, said, SESSION)
    database.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = find_chromium()
    if executable is None:
        pytest.skip(NO_CHROMIUM)
    expect.set_options(timeout=15_000)
    with open_browser(executable) as browser:
        yield browser


@dataclass
class Console:
    """Somebody's browser at the console. ``complaints`` is what its console said was wrong."""

    page: Page
    url: str
    complaints: list[str]

    def open(self, path: str) -> int:
        """Goes to a page and waits until it is filled; its HTTP status."""
        answer = self.page.goto(f"{self.url}/console{path}")
        assert answer is not None
        if answer.status == 200:
            expect(self.page.locator(".qf-main")).to_be_visible()
            expect(self.page.locator(".qf-loading")).to_have_count(0)
        return answer.status

    def screenshot(self, name: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        path = ARTIFACTS / f"console-{name}.png"
        self.page.screenshot(path=path, animations="disabled", full_page=True)


class Seats:
    """Signs people in, each once; their browsers stay open until the end of the file."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser, self._url = browser, url
        self._open: dict[Role, Console] = {}

    def of(self, role: Role) -> Console:
        if role not in self._open:
            self._open[role] = self._sign_in(role)
        console = self._open[role]
        console.complaints.clear()
        console.page.set_viewport_size({"width": 1280, "height": 900})
        return console

    def _sign_in(self, role: Role) -> Console:
        page = self._browser.new_context(locale="zh-CN").new_page()
        console = Console(page, self._url, [])
        page.on("pageerror", lambda error: console.complaints.append(str(error)))
        page.on(
            "console",
            lambda line: console.complaints.append(line.text) if line.type == "error" else None,
        )
        page.goto(f"{self._url}/console/sign-in")
        page.fill("#login", f"u-{role}")
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "sign-in" not in url)
        return console


@pytest.fixture(scope="module")
def seats(browser: Browser, product: Server) -> Seats:
    return Seats(browser, product.url)
