"""What is kept of each answer, and which answers a changed catalogue no longer bears out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event, select, update

from actions.desk import AppealReason
from actions.replies import CitationCard, Reply, ReplyKind
from bot.turn import TurnTrace
from knowledge.acts import Act, ActKind
from knowledge.catalogue import Catalogue
from knowledge.policy import Policy, Status
from service.affected import Affected, Change, affected
from service.appeals.models import Appeal, AppealState
from service.conversations import operations, turns
from service.conversations.models import Conversation, OutboxRow, Owner
from service.conversations.operations import Backlog, Incoming
from service.conversations.turns import Claim, Lease, Outcome
from service.db import Database
from service.recall.models import AnswerSource, SourceKind

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
MINE = Lease("here:1:a:b", NOW + timedelta(seconds=30))
FIRST, SECOND = "FT-001", "FT-002"


def policy_until(catalogue: Catalogue, policy_id: str, valid_to: date | None) -> Policy:
    return replace(
        catalogue.policies[policy_id],
        published=None,
        valid_from=None,
        valid_to=valid_to,
        status=Status.CURRENT,
    )


@pytest.fixture
def two(catalogue: Catalogue) -> Catalogue:
    """Two policies in force, the first until the end of the year."""
    return Catalogue(
        [
            policy_until(catalogue, FIRST, date(2026, 12, 31)),
            policy_until(catalogue, SECOND, date(2030, 12, 31)),
        ]
    )


def changed(catalogue: Catalogue, policy_id: str, **changes: object) -> Catalogue:
    """The catalogue with one policy edited."""
    return Catalogue(
        replace(policy, **changes) if policy.id == policy_id else policy  # type: ignore[arg-type]
        for policy in catalogue.policies.values()
    )


def card(catalogue: Catalogue, policy_id: str, facet: str, status: str | None) -> CitationCard:
    policy, clause = catalogue.policies[policy_id], catalogue.clauses[f"{policy_id}#{facet}"]
    return CitationCard(
        policy_id=policy_id,
        title=policy.title,
        doc_no=policy.doc_no,
        issuer=policy.issuer,
        clause=clause.label,
        quote=clause.text,
        valid_from=policy.valid_from,
        valid_to=policy.valid_to,
        status=status or "",
        url=policy.source_url,
    )


def say(database: Database, text: str, conversation: str = "web-a", at: datetime = NOW) -> Claim:
    incoming = Incoming(conversation, uuid4().hex, uuid4().hex, text)
    with database.session() as session:
        claim = operations.record(session, incoming, MINE, Backlog(500, 20), at).claim
    assert claim is not None
    return claim


def answer(
    database: Database,
    catalogue: Catalogue,
    clauses: Iterable[str],
    question: str = "能拿多少钱",
    conversation: str = "web-a",
    at: datetime = NOW,
    status: str | None = "current",
    kind: ReplyKind = ReplyKind.ANSWER,
) -> str:
    """Asks and answers from these clauses; without a status the answer cites nothing."""
    claim = say(database, question, conversation, at)
    split = [clause.split("#") for clause in clauses]
    cards = [card(catalogue, policy, facet, status) for policy, facet in split]
    sources = tuple((clause, catalogue.clauses[clause].hash) for clause in clauses)
    reply = Reply(kind=kind, text="答", citations=cards if status else [])
    outcome = Outcome([reply], "s", TurnTrace("ask_policy", 0.9, (), sources))
    with database.session() as session:
        assert turns.finish(session, claim, outcome, MINE, at).answer
    return claim.message_id


def file_appeal(
    database: Database,
    policy_id: str | None,
    no: str = "FT-20261123-0001",
    state: AppealState = AppealState.DISPATCHED,
    at: datetime = NOW,
) -> None:
    with database.session() as session:
        session.add(
            Appeal(
                no=no,
                session="web-a",
                source_message_id=no,
                reason=AppealReason.NOT_SOLVED,
                matter="没解决",
                state=state,
                department="福田区科技创新局",
                dispatch_confidence=1.0,
                dispatch_candidates=[],
                policy_id=policy_id,
                received_at=at,
                due_at=at,
                calendar_known=True,
                chain_head="",
            )
        )


def find(
    database: Database,
    catalogue: Catalogue,
    as_of: date = TODAY,
    since: date | None = None,
    policy_id: str | None = None,
) -> list[Affected]:
    with database.reading() as session:
        return affected(session, catalogue, as_of, since, policy_id)


def told(found: list[Affected]) -> list[tuple[str, str | None, Change, list[str]]]:
    return [
        (each.policy_id, each.clause_id, each.change, [use.message_id for use in each.uses])
        for each in found
    ]


# -- keeping ---------------------------------------------------------------------------------------


def test_an_answer_keeps_its_clauses_as_they_read(database: Database, two: Catalogue) -> None:
    message = answer(database, two, ["FT-001#amount", "FT-001#conditions"])
    with database.reading() as session:
        rows = session.scalars(select(AnswerSource).order_by(AnswerSource.clause_id)).all()
    assert [(row.clause_id, row.clause_hash) for row in rows] == [
        (clause, two.clauses[clause].hash) for clause in ("FT-001#amount", "FT-001#conditions")
    ]
    assert {
        (r.message_id, r.policy_id, r.conversation_id, r.kind, r.status, r.answered_at)
        for r in rows
    } == {(message, FIRST, "web-a", SourceKind.ANSWER, "current", NOW)}


@pytest.mark.parametrize("kind", [ReplyKind.ANSWER, ReplyKind.MATCH])
def test_a_list_of_policies_is_told_from_an_answer(
    database: Database, two: Catalogue, kind: ReplyKind
) -> None:
    answer(database, two, ["FT-001#amount", "FT-002#amount"], kind=kind)
    with database.reading() as session:
        kinds = session.scalars(select(AnswerSource.kind)).all()
    assert kinds == [SourceKind.MATCH, SourceKind.MATCH]


def test_a_clause_met_in_two_versions_within_a_turn_is_kept_once(
    database: Database, two: Catalogue
) -> None:
    claim = say(database, "能拿多少钱")
    sources = (("FT-001#amount", "old"), ("FT-001#amount", "new"))
    outcome = Outcome([Reply(text="答")], "s", TurnTrace(sources=sources))
    with database.session() as session:
        assert turns.finish(session, claim, outcome, MINE, NOW).answer
    with database.reading() as session:
        assert session.scalars(select(AnswerSource.clause_hash)).all() == ["new"]


def test_replies_that_are_dropped_keep_nothing(database: Database, two: Catalogue) -> None:
    claim = say(database, "能拿多少钱")
    with database.session() as session:
        session.execute(update(Conversation).values(owner=Owner.PERSON))
    trace = TurnTrace(sources=(("FT-001#amount", "x"),))
    with database.session() as session:
        turns.finish(session, claim, Outcome([Reply(text="答")], "s", trace), MINE, NOW)
    with database.reading() as session:
        assert session.scalars(select(AnswerSource)).all() == []
        assert session.scalars(select(OutboxRow)).all() == []


def test_an_answer_and_its_clauses_are_stored_together_or_not_at_all(
    database: Database, two: Catalogue
) -> None:
    claim = say(database, "能拿多少钱")
    trace = TurnTrace(sources=(("FT-001#amount", "x"),))
    outcome = Outcome([Reply(text="答")], "s", trace)
    with pytest.raises(ZeroDivisionError), database.session() as session:
        turns.finish(session, claim, outcome, MINE, NOW)
        raise ZeroDivisionError
    with database.reading() as session:
        assert session.scalars(select(AnswerSource)).all() == []
        assert session.scalars(select(OutboxRow)).all() == []


def test_all_clauses_of_an_answer_are_one_statement(database: Database, two: Catalogue) -> None:
    inserted = statements_of(database.engine, "INSERT INTO answer_sources")
    answer(database, two, ["FT-001#amount", "FT-001#conditions", "FT-001#department"])
    answer(database, two, [])
    assert len(inserted) == 1


def statements_of(engine: Engine, beginning: str) -> list[str]:
    """Every statement from now on that begins so; a batch counts once."""
    seen: list[str] = []

    def note(*arguments: object) -> None:
        if str(arguments[2]).startswith(beginning):
            seen.append(str(arguments[2]))

    event.listen(engine, "before_cursor_execute", note)
    return seen


# -- finding ---------------------------------------------------------------------------------------


def test_nothing_changed_lists_nothing(database: Database, two: Catalogue) -> None:
    answer(database, two, ["FT-001#amount", "FT-002#conditions"])
    file_appeal(database, FIRST)
    assert find(database, two) == []


def test_a_changed_clause_lists_the_answers_that_rest_on_it(
    database: Database, two: Catalogue
) -> None:
    first = answer(database, two, ["FT-001#amount"], "首次认定奖励多少")
    later = answer(
        database, two, ["FT-001#amount"], "奖励多少", "web-b", at=NOW + timedelta(hours=1)
    )
    answer(database, two, ["FT-001#conditions", "FT-002#amount"])
    (found,) = find(database, changed(two, FIRST, summary="给予20万元奖励。"))
    assert told([found]) == [(FIRST, "FT-001#amount", Change.CHANGED, [first, later])]
    assert (found.title, found.label) == (two.policies[FIRST].title, "扶持内容")
    assert [(use.question, use.conversation_id) for use in found.uses] == [
        ("首次认定奖励多少", "web-a"),
        ("奖励多少", "web-b"),
    ]


def test_a_clause_changed_back_is_not_affected(database: Database, two: Catalogue) -> None:
    answer(database, two, ["FT-001#amount"])
    edited = changed(two, FIRST, summary="另一句话。")
    assert find(database, edited)
    assert find(database, changed(edited, FIRST, summary=two.policies[FIRST].summary)) == []


def test_an_answer_given_after_the_change_is_not_affected(
    database: Database, two: Catalogue
) -> None:
    edited = changed(two, FIRST, summary="给予20万元奖励。")
    before = answer(database, two, ["FT-001#amount"])
    answer(database, edited, ["FT-001#amount"], at=NOW + timedelta(hours=1))
    assert told(find(database, edited)) == [(FIRST, "FT-001#amount", Change.CHANGED, [before])]


def test_a_removed_clause_and_a_removed_policy_are_listed(
    database: Database, two: Catalogue
) -> None:
    one = answer(database, two, ["FT-001#window"])
    other = answer(database, two, ["FT-002#amount"])
    less = Catalogue([replace(two.policies[FIRST], window=None)])
    found = find(database, less)
    assert told(found) == [
        (FIRST, "FT-001#window", Change.REMOVED, [one]),
        (SECOND, "FT-002#amount", Change.REMOVED, [other]),
    ]
    assert [each.title for each in found] == [two.policies[FIRST].title, None]


def test_a_policy_that_ran_out_since_the_answer_is_listed(
    database: Database, two: Catalogue
) -> None:
    message = answer(database, two, ["FT-001#amount"])
    answer(database, two, ["FT-002#amount"])
    assert find(database, two, date(2026, 12, 31)) == []
    assert told(find(database, two, date(2027, 1, 1))) == [
        (FIRST, "FT-001#amount", Change.EXPIRED, [message])
    ]


def test_a_repealed_policy_and_an_appeal_on_it_are_listed(
    database: Database, two: Catalogue
) -> None:
    message = answer(database, two, ["FT-001#amount"])
    file_appeal(database, FIRST)
    act = Act(ActKind.REPEALED, "关于废止有关措施的通知", "福府规〔2026〕9号", "某局", TODAY)
    (found,) = find(database, changed(two, FIRST, acts=(act,)))
    assert (found.change, [use.message_id for use in found.uses]) == (Change.EXPIRED, [message])
    assert [appeal.no for appeal in found.appeals] == ["FT-20261123-0001"]
    later = replace(act, day=TODAY + timedelta(days=1))
    assert find(database, changed(two, FIRST, acts=(later,))) == []


def test_a_policy_that_was_expired_when_it_was_told_is_not_listed(
    database: Database, two: Catalogue
) -> None:
    answer(database, two, ["FT-001#amount"], status="expired", at=NOW + timedelta(days=60))
    assert find(database, two, date(2027, 3, 1)) == []


def test_an_end_put_forward_counts_by_what_was_told(database: Database, two: Catalogue) -> None:
    message = answer(database, two, ["FT-001#amount"])
    ended = changed(two, FIRST, valid_to=date(2026, 6, 30))
    assert told(find(database, ended)) == [(FIRST, "FT-001#amount", Change.EXPIRED, [message])]


def test_without_a_told_status_the_day_of_the_answer_decides(
    database: Database, two: Catalogue
) -> None:
    # 16:30 UTC on the last day is already the first day after it in Shenzhen.
    before = answer(
        database, two, ["FT-001#amount"], status=None, at=datetime(2026, 12, 31, 15, tzinfo=UTC)
    )
    answer(
        database, two, ["FT-001#amount"], status=None, at=datetime(2026, 12, 31, 16, 30, tzinfo=UTC)
    )
    found = find(database, two, date(2027, 1, 2))
    assert told(found) == [(FIRST, "FT-001#amount", Change.EXPIRED, [before])]


def test_a_policy_said_to_be_expired_and_renewed_is_listed(
    database: Database, two: Catalogue
) -> None:
    message = answer(database, two, ["FT-001#amount"], status="expired")
    assert told(find(database, two)) == [(FIRST, "FT-001#amount", Change.RENEWED, [message])]


def test_a_clause_changed_and_expired_is_listed_for_both(
    database: Database, two: Catalogue
) -> None:
    answer(database, two, ["FT-001#validity"])
    ended = changed(two, FIRST, valid_to=date(2026, 6, 30))
    assert [each.change for each in find(database, ended)] == [Change.CHANGED, Change.EXPIRED]


def test_a_list_of_policies_is_listed_as_such(database: Database, two: Catalogue) -> None:
    answer(database, two, ["FT-001#amount", "FT-002#amount"])
    (found,) = find(database, changed(two, SECOND, summary="另一句话。"))
    assert [use.kind for use in found.uses] == [SourceKind.MATCH]


def test_since_and_policy_narrow_the_list(database: Database, two: Catalogue) -> None:
    answer(database, two, ["FT-001#amount"], at=datetime(2026, 11, 20, 15, 59, tzinfo=UTC))
    late = answer(database, two, ["FT-001#amount"], at=datetime(2026, 11, 20, 16, 0, tzinfo=UTC))
    answer(database, two, ["FT-002#amount"])
    nothing = Catalogue([replace(two.policies[FIRST], id="FT-999", wording=())])
    assert told(find(database, nothing, since=date(2026, 11, 21), policy_id=FIRST)) == [
        (FIRST, "FT-001#amount", Change.REMOVED, [late])
    ]
    assert len(find(database, nothing)) == 2


# -- appeals ---------------------------------------------------------------------------------------


def test_open_appeals_on_the_policy_come_along(database: Database, two: Catalogue) -> None:
    answer(database, two, ["FT-001#amount"])
    file_appeal(database, FIRST)
    file_appeal(database, FIRST, "FT-20261123-0002", AppealState.CLOSED)
    file_appeal(database, FIRST, "FT-20261123-0003", AppealState.WITHDRAWN)
    file_appeal(database, SECOND, "FT-20261123-0004")
    file_appeal(database, None, "FT-20261123-0005")
    (found,) = find(database, changed(two, FIRST, summary="另一句话。"))
    assert [appeal.no for appeal in found.appeals] == ["FT-20261123-0001"]


@pytest.mark.parametrize(
    ("edit", "change"),
    [
        (lambda two: Catalogue([two.policies[SECOND]]), Change.REMOVED),
        (lambda two: changed(two, FIRST, valid_to=date(2026, 11, 24)), Change.EXPIRED),
    ],
)
def test_an_open_appeal_is_listed_although_no_answer_rests_on_the_policy(
    database: Database,
    two: Catalogue,
    edit: Callable[[Catalogue], Catalogue],
    change: Change,
) -> None:
    file_appeal(database, FIRST)
    (found,) = find(database, edit(two), date(2026, 12, 1))
    assert told([found]) == [(FIRST, None, change, [])]
    assert [appeal.no for appeal in found.appeals] == ["FT-20261123-0001"]
    assert find(database, edit(two), date(2026, 12, 1), since=date(2026, 11, 24)) == []


def test_an_appeal_on_a_policy_that_had_ended_before_is_not_listed(
    database: Database, two: Catalogue
) -> None:
    file_appeal(database, FIRST, at=NOW + timedelta(days=60))
    assert find(database, two, date(2027, 3, 1)) == []


def test_an_appeal_filed_before_its_policy_was_changed_by_an_import_is_listed(
    database: Database, two: Catalogue
) -> None:
    """It may have been filed because the record lacked what the import brought; no answer rests on that."""
    file_appeal(database, FIRST)
    file_appeal(database, SECOND, "FT-20261123-0002", at=NOW + timedelta(days=2))
    changed = {FIRST: NOW + timedelta(days=1), SECOND: NOW + timedelta(days=1)}
    with database.reading() as session:
        (found,) = affected(session, two, TODAY, imported=changed)
    assert (found.policy_id, found.change, found.uses) == (FIRST, Change.CHANGED, ())
    assert [appeal.no for appeal in found.appeals] == ["FT-20261123-0001"]
