"""The demo in the real product: every state, real events, once; and nothing of it where it must not be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from service.appeals.clock import is_working_time
from service.appeals.history import verify_chain
from service.appeals.models import Appeal, AppealEvent, AppealState, EventKind
from service.assembly import Product, build_product
from service.cli import demo_of
from service.common_issues.models import CommonIssue, IssueState
from service.conversations.models import Conversation, Message, OutboxRow, Owner
from service.db import Base, Database, utc_now
from service.debt.models import Debt, DebtState, SignedAnswer, SignedState
from service.demo import filling
from service.demo.clock import SetClock
from service.demo.filling import IS_DEMO, REFUSED_EXPOSED, REFUSED_REAL, offer_demo
from service.enterprises.models import Enterprise, Speaker
from service.settings import Settings
from service.staff import audit
from service.staff.accounts import default_passwords, sign_in
from service.staff.permissions import Role
from tests.server import prepare_data


@pytest.fixture(scope="module")
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, clock: SetClock) -> Iterator[Product]:
    data: Path = prepare_data(tmp_path_factory.mktemp("demo"))
    built = build_product(Settings(_env_file=None, data_dir=data), now=clock)
    yield built
    built.close()


@pytest.fixture(scope="module")
def offered(product: Product, clock: SetClock) -> filling.DemoSignIns:
    found = offer_demo(product, clock)
    assert found.sign_ins is not None
    return found.sign_ins


def rows_of(product: Product) -> dict[str, int]:
    with product.database.reading() as db:
        return {
            table.name: db.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


@pytest.mark.usefixtures("offered")
def test_appeals_stand_in_every_state_by_whole_histories(product: Product) -> None:
    with product.database.reading() as db:
        appeals = list(db.scalars(select(Appeal)))
        assert {appeal.state for appeal in appeals} == set(AppealState) - {AppealState.FILED}
        assert [problem for appeal in appeals for problem in verify_chain(db, appeal)] == []
        assert {"paused", "extension_asked", "rated", "warned"} <= set(
            db.scalars(select(AppealEvent.kind).distinct())
        )
        assert any(appeal.is_closed_automatically for appeal in appeals)
        assert any(appeal.is_arbitrated for appeal in appeals)
        assert any(appeal.next_check_at is not None for appeal in appeals)
        assert audit.verify(db) == []


@pytest.mark.usefixtures("offered")
def test_nothing_happens_later_than_now_nor_warns_outside_hours(product: Product) -> None:
    with product.database.reading() as db:
        for column in (AppealEvent.at, Message.received_at, OutboxRow.created_at):
            newest = db.scalar(select(func.max(column)))
            assert newest is not None
            assert newest <= utc_now()
        warned = db.scalars(select(AppealEvent.at).where(AppealEvent.kind == EventKind.WARNED))
        assert all(is_working_time(at) for at in warned)
        late = select(Appeal.no).where(Appeal.next_check_at < utc_now())
        if is_working_time(utc_now()):
            assert list(db.scalars(late)) == []  # the watch has nothing to catch up with
        order = select(AppealEvent).order_by(AppealEvent.appeal_id, AppealEvent.seq)
        before = None
        for event in db.scalars(order):
            if before is not None and before.appeal_id == event.appeal_id:
                assert before.at <= event.at
            before = event


@pytest.mark.usefixtures("offered")
def test_conversations_are_in_every_hand(product: Product) -> None:
    with product.database.reading() as db:
        talks = select(Conversation.owner).where(Conversation.id.startswith("demo-talk"))
        assert set(db.scalars(talks)) == set(Owner)
        assert db.scalar(select(func.count()).select_from(Speaker))
        names = set(db.scalars(select(Enterprise.name)))
        assert all("（示范）" in name for name in names)
        answered = db.scalars(select(Message.intent).where(Message.intent.is_not(None)))
        assert len(set(answered)) >= 5  # said by the real bot, which knows what was meant
        lines = db.scalars(select(OutboxRow.body))
        authors = Counter(body["author"] for body in lines)
        assert min(authors["bot"], authors["person"], authors["system"]) >= 3


@pytest.mark.usefixtures("offered")
def test_common_issues_debts_and_answers(product: Product) -> None:
    with product.database.reading() as db:
        issues = set(db.scalars(select(CommonIssue.state)))
        assert {IssueState.PROPOSED, IssueState.CONFIRMED} <= issues
        debts = list(db.scalars(select(Debt)))
        assert {DebtState.OPEN, DebtState.CLOSED} <= {debt.state for debt in debts}
        assert {"refusal", "thumbs_down"} <= {debt.cause for debt in debts}
        assert {"demo-chen"} <= {debt.owner for debt in debts}
        states = set(db.scalars(select(SignedAnswer.state)))
        assert states == {SignedState.IN_FORCE, SignedState.DRAFT}
    found = product.rooms.desk.signed_answer("政府产业空间怎么申请入驻", product.settings.today())
    assert found is not None
    assert found.approver == "郑文静（示范）"


def test_everybody_signs_in_with_the_password_shown(
    product: Product, offered: filling.DemoSignIns
) -> None:
    with product.database.session() as db:
        for each in (offered.accounts[0], offered.accounts[-1]):
            got = sign_in(db, each.id, offered.password, default_passwords(), utc_now())
            assert got is not None
    assert len({each.role for each in offered.accounts}) >= len(Role)


def test_asking_again_changes_nothing(
    product: Product, clock: SetClock, offered: filling.DemoSignIns
) -> None:
    before = rows_of(product)
    assert offer_demo(product, clock).sign_ins == offered
    assert rows_of(product) == before


def test_a_database_reached_from_outside_is_let_alone(product: Product, clock: SetClock) -> None:
    exposed = product.settings.model_copy(update={"host": "0.0.0.0"})
    before = rows_of(product)
    assert offer_demo(replace(product, settings=exposed), clock).refused == REFUSED_EXPOSED
    assert rows_of(product) == before


def test_a_real_database_is_let_alone(product: Product, clock: SetClock, tmp_path: Path) -> None:
    real = Database.open(f"sqlite:///{tmp_path / 'real.db'}")
    with real.session() as db:
        db.add(Conversation(id="web-1", channel="web"))
    other = replace(product, database=real)
    before = rows_of(other)
    assert offer_demo(other, clock).refused == REFUSED_REAL
    assert rows_of(other) == before
    real.close()


@pytest.mark.usefixtures("offered")
def test_starting_without_the_demo_on_its_database_warns(
    product: Product, clock: SetClock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo_of(product, clock, False) is None
    assert IS_DEMO in capsys.readouterr().err


def test_a_real_database_is_said_to_be_left_alone(
    product: Product, clock: SetClock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = Database.open(f"sqlite:///{tmp_path / 'real.db'}")
    with real.session() as db:
        db.add(Conversation(id="web-1", channel="web"))
    assert demo_of(replace(product, database=real), clock, True) is None
    assert REFUSED_REAL in capsys.readouterr().err
    assert demo_of(replace(product, database=real), clock, False) is None
    assert capsys.readouterr().err == ""
    real.close()
