"""States, moves and the chain of events, on real databases."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from actions.appeal import STATES
from service.appeals.dispatch import Dispatcher
from service.appeals.history import EventsAreFinal, verify_chain
from service.appeals.models import (
    MOVES,
    OPEN_STATES,
    UNANSWERED_STATES,
    Appeal,
    AppealState,
)
from service.appeals.operations import (
    AppealNotFound,
    IllegalMove,
    ReasonMissing,
    get_visible,
    move,
)
from service.appeals.projection import events_of
from service.db import Database
from service.desk import ServiceDesk
from tests.service.appeals.seams import Clock, LetterEncoder, draft

S = AppealState


@pytest.fixture
def no(desk: ServiceDesk) -> str:
    """The number of a dispatched appeal."""
    return desk.file_appeal(draft("m1")).no


def the(db: Session, no: str) -> Appeal:
    return db.scalars(select(Appeal).where(Appeal.no == no)).one()


def test_moves_are_a_whole_table() -> None:
    assert set(MOVES) == set(AppealState)
    assert not MOVES[S.WITHDRAWN]
    assert all(S.WITHDRAWN in MOVES[state] for state in OPEN_STATES)
    assert all(state not in targets for state, targets in MOVES.items())
    reachable, waiting = {S.FILED}, [S.FILED]
    while waiting:
        fresh = MOVES[waiting.pop()] - reachable
        reachable |= fresh
        waiting += fresh
    assert reachable == set(AppealState)
    assert UNANSWERED_STATES < OPEN_STATES


def test_the_usual_way_closes_and_a_doubt_reopens(database: Database, no: str) -> None:
    with database.session() as db:
        for state in (S.ACCEPTED, S.ANSWERED, S.CLOSED):
            appeal = move(db, no, state, "ft-power")
        assert appeal.closed_at is not None
        appeal = move(db, no, S.REOPENED, "requester", note="没解决")
        assert appeal.closed_at is None
    with database.reading() as db:
        appeal = the(db, no)
        events = events_of(db, appeal)
        assert [e.to_state for e in events] == [
            S.FILED, S.DISPATCHED, S.ACCEPTED, S.ANSWERED, S.CLOSED, S.REOPENED
        ]  # fmt: skip
        assert [e.from_state for e in events][1:] == [e.to_state for e in events][:-1]
        assert (appeal.state, appeal.version) == (S.REOPENED, 6)
        assert verify_chain(db, appeal) == []


def test_illegal_moves_name_both_states_and_change_nothing(database: Database, no: str) -> None:
    for to in sorted(set(AppealState) - MOVES[S.DISPATCHED]):
        with (
            pytest.raises(IllegalMove, match=rf"{no}.*已分派.*{STATES[to]}"),
            database.session() as db,
        ):
            move(db, no, to, "staff", note="因为")
    with database.reading() as db:
        assert the(db, no).version == 2


def test_send_back_needs_a_reason_and_happens_at_most_twice(database: Database, no: str) -> None:
    with database.session() as db:
        with pytest.raises(ReasonMissing, match="理由"):
            move(db, no, S.RETURNED, "staff", note="  ")
        for _ in range(2):
            move(db, no, S.RETURNED, "staff", note="不是我局职责")
            move(db, no, S.DISPATCHED, "centre", note="福田区财政局")
        with pytest.raises(IllegalMove, match="已2次"):
            move(db, no, S.RETURNED, "staff", note="不是我局职责")


def test_unknown_number_is_not_found(database: Database) -> None:
    with pytest.raises(AppealNotFound), database.session() as db:
        move(db, "FT-20261123-9999", S.ACCEPTED, "staff")


def test_nothing_opens_an_appeal_but_its_session_or_phone(
    sqlite_database: Database, letters: Dispatcher, clock: Clock
) -> None:
    desk = ServiceDesk(sqlite_database, letters, LetterEncoder(), now=clock)
    bare = desk.file_appeal(draft("m1")).no
    called = desk.file_appeal(draft("m2", "另一件事", phone="13800138000")).no
    with sqlite_database.reading() as db:
        for no in (bare, called, "FT-20261123-9999"):
            for session in (None, "", "web-2"):
                for phone in (None, "", "13900139000"):
                    assert get_visible(db, no, session, phone) is None
        assert get_visible(db, bare, session="web-1") is not None
        assert get_visible(db, called, phone="13800138000") is not None


def test_events_cannot_be_changed_or_deleted(database: Database, no: str) -> None:
    for spoil in (lambda db, e: setattr(e, "note", "别的"), lambda db, e: db.delete(e)):
        with pytest.raises(EventsAreFinal, match="final"), database.session() as db:
            spoil(db, events_of(db, the(db, no))[0])


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE appeal_events SET note = 'x' WHERE seq = 1", "event 1 was changed"),
        ("UPDATE appeal_events SET actor = 'x' WHERE seq = 2", "event 2 was changed"),
        ("DELETE FROM appeal_events WHERE seq = 1", "event 1 is missing"),
        ("DELETE FROM appeal_events WHERE seq = 2", "does not end where"),
        ("UPDATE appeals SET matter = 'x'", "does not follow"),
        ("UPDATE appeals SET state = 'closed'", "state closed does not come"),
    ],
)
def test_tampering_behind_the_code_is_seen(
    database: Database, no: str, statement: str, said: str
) -> None:
    with database.session() as db:
        assert verify_chain(db, the(db, no)) == []
    with database.session() as db:
        db.execute(text(statement))
    with database.reading() as db:
        assert said in " ".join(verify_chain(db, the(db, no)))
