"""Question debt: what opens one, in one transaction with the answer; joined, closed on proof, asked again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from actions.replies import AppealCard, Reply, ReplyKind
from knowledge.catalogue import Catalogue
from knowledge.encoder import Encoder
from knowledge.labels import read_questions
from service.appeals.clock import due_after_working_days
from service.appeals.models import Rating
from service.conversations.models import Owner
from service.db import Database
from service.debt.clause_history import note_catalogue
from service.debt.closing import Grounds, NothingNeeded, Patched, Signed, close_debt
from service.debt.masking import masked
from service.debt.models import Cause, Closure, Debt, DebtMessage, DebtState
from service.debt.operations import assign, join_alike, list_debts, messages_of, reopen
from service.debt.regressions import write_regressions
from service.errors import Conflict, InvalidInput
from service.staff.permissions import Role, Staff
from tests.service.debt.conftest import ANSWER, NOW, REFUSAL, Take, changed_clauses, edited

CENTRE = Staff("s-1", "陈敏", Role.CENTRE)
BACK = Reply(kind=ReplyKind.QUESTION, text="您问的是哪一项？")
FILED = Reply(
    kind=ReplyKind.APPEAL, text="已登记",
    appeal=AppealCard(no="FT-1", state="dispatched", department="x", due_at=NOW),
)  # fmt: skip
LATER = NOW + timedelta(hours=1)


def debts(database: Database, state: DebtState | None = DebtState.OPEN) -> list[Debt]:
    with database.reading() as db:
        return list(list_debts(db, state).debts)


def test_refusal_opens_a_debt_with_owner_and_deadline(database: Database, take: Take) -> None:
    message_id = take("月球补贴怎么申请", REFUSAL)
    (debt,) = debts(database)
    assert (debt.question, debt.cause, debt.times) == ("月球补贴怎么申请", Cause.REFUSAL, 1)
    assert (debt.owner, debt.policy_id) == ("enterprise_service_center", "FT-001")
    assert debt.due_at == due_after_working_days(NOW, 5).due_at
    with database.reading() as db:
        assert [turn.message_id for turn in messages_of(db, debt)] == [message_id]


@pytest.mark.parametrize(
    ("replies", "intent", "confidence", "chance", "cause"),
    [
        ((ANSWER,), "ask_policy", 0.9, 0.9, None),
        ((ANSWER,), "ask_policy", 0.3, 0.9, None),
        ((ANSWER,), "ask_policy", 0.9, 0.3, Cause.LOW_CONFIDENCE),
        ((BACK,), "ask_policy", 0.9, 0.9, Cause.LOW_CONFIDENCE),
        ((ANSWER,), "chitchat", 0.3, None, Cause.LOW_CONFIDENCE),
        ((ANSWER,), "chitchat", 0.9, None, None),
        ((ANSWER, REFUSAL, FILED), "ask_policy", 0.9, 0.9, Cause.REFUSAL),
    ],
)
def test_cause_of_a_debt(
    database: Database,
    take: Take,
    replies: tuple[Reply, ...],
    intent: str,
    confidence: float,
    chance: float | None,
    cause: Cause | None,
) -> None:
    take("这项奖励要怎么申请", *replies, intent=intent, confidence=confidence, chance=chance)
    assert [debt.cause for debt in debts(database)] == ([cause] if cause else [])


def test_a_word_given_to_a_form_is_no_debt(database: Database, take: Take) -> None:
    take("200人", ANSWER, intent="provide_profile", confidence=0.1, chance=None)
    assert debts(database) == []


def test_not_solved_is_about_the_question_before(database: Database, take: Take) -> None:
    take("国高奖励多少钱")
    take("好的谢谢你", intent="thanks", chance=None)
    take("/not_solved", FILED, intent="not_solved", chance=None)
    (debt,) = debts(database)
    assert (debt.question, debt.cause) == ("国高奖励多少钱", Cause.THUMBS_DOWN)
    take("没解决我的问题", FILED, intent="deny", chance=None)
    assert [each.times for each in debts(database)] == [2]


@pytest.mark.parametrize(("score", "count"), [(2, 1), (3, 0)])
def test_low_rating_is_a_thumbs_down(
    database: Database, take: Take, score: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    take("国高奖励多少钱")
    rated: list[str] = []
    monkeypatch.setattr(
        "tests.service.debt.conftest.uuid4", lambda: type("Id", (), {"hex": "rated"})()
    )
    with database.session() as db:
        db.add(Rating(session="web-a", score=score, comment="", message_id="rated", at=NOW))
    rated.append(take("打2分", intent="rate_service", chance=None))
    assert rated == ["rated"]
    assert len(debts(database)) == count


def test_same_words_count_as_one_debt_with_the_gravest_cause(
    database: Database, take: Take
) -> None:
    take("这项奖励，要怎么申请？", chance=0.1)
    take("这项奖励要怎么申请", REFUSAL, conversation="web-b", now=LATER)
    (debt,) = debts(database)
    assert (debt.times, debt.cause, debt.last_at) == (2, Cause.REFUSAL, LATER)
    assert debt.question == "这项奖励，要怎么申请？"


def test_nothing_is_kept_of_a_turn_that_is_not_stored(database: Database, take: Take) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.conversations.turns.store_reply", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            take("月球补贴怎么申请", REFUSAL)
    assert debts(database) == []


def test_no_debt_while_a_person_owns_the_conversation(database: Database, take: Take) -> None:
    from sqlalchemy import update

    from service.conversations import operations
    from service.conversations.models import Conversation

    take("国高奖励多少钱")
    with pytest.MonkeyPatch.context() as patch:
        record = operations.record

        def record_then_owned(db, *rest):  # type: ignore[no-untyped-def]
            found = record(db, *rest)
            db.execute(update(Conversation).values(owner=Owner.PERSON))
            return found

        patch.setattr("service.conversations.operations.record", record_then_owned)
        take("月球补贴怎么申请", REFUSAL)
    assert debts(database) == []


def test_close_meanings_are_joined_and_count_on(
    database: Database, take: Take, encoder: Encoder
) -> None:
    take("我们想把厂搬到月球有补贴吗", REFUSAL)
    take("想把工厂搬到月球，有没有补贴", REFUSAL, conversation="web-b")
    take("人才住房怎么申请要多久", REFUSAL)
    assert join_alike(database, encoder) == 1
    assert join_alike(database, encoder) == 0
    first, other = debts(database)
    assert (first.times, other.times) == (2, 1)
    take("想把工厂搬到月球，有没有补贴", REFUSAL, conversation="web-c")
    assert debts(database)[0].times == 3
    with database.reading() as db:
        assert len(messages_of(db, first)) == 3


def test_other_figures_are_another_debt(database: Database, take: Take, encoder: Encoder) -> None:
    take("2024年的月球补贴还能申请吗", REFUSAL)
    take("2025年的月球补贴还能申请吗", REFUSAL)
    assert join_alike(database, encoder) == 0


@pytest.fixture
def grounds(two: Catalogue) -> Grounds:
    return Grounds(two)


def opened(
    database: Database, take: Take, catalogue: Catalogue, said: str = "月球补贴怎么申请"
) -> int:
    with database.session() as db:
        note_catalogue(db, catalogue, NOW - timedelta(days=1))
    take(said, REFUSAL)
    return debts(database)[0].id


def test_catalogue_patch_must_be_a_clause_that_reads_otherwise(
    database: Database, take: Take, two: Catalogue
) -> None:
    debt_id = opened(database, take, two)
    after = edited(two)
    (clause_id, *_) = changed_clauses(two, after)
    untouched = next(
        i
        for i in after.clauses
        if after.clauses[i].hash == two.clauses[i].hash and i.startswith("FT-001")
    )
    for settlement, said in (
        (Patched("FT-999"), "没有政策"),
        (Patched("FT-002", (clause_id,)), "没有条款"),
        (Patched("FT-001", (untouched,)), "没有改动"),
        (Patched("FT-001"), "没有重新导入"),
    ):
        with pytest.raises(InvalidInput, match=said), database.session() as db:
            close_debt(db, debt_id, CENTRE, settlement, Grounds(after), LATER)
    with database.session() as db:
        note_catalogue(db, after, LATER)
        debt = close_debt(
            db, debt_id, CENTRE, Patched("FT-001", (clause_id,)), Grounds(after), LATER
        )
    assert (debt.state, debt.closure) == (DebtState.CLOSED, Closure.CATALOGUE)
    assert debt.closing == {
        "policy_id": "FT-001",
        "clauses": {clause_id: after.clauses[clause_id].hash},
    }
    with pytest.raises(Conflict), database.session() as db:
        close_debt(
            db, debt_id, CENTRE, NothingNeeded("已经答复过了，不用再改"), Grounds(after), LATER
        )


def test_an_import_since_is_a_patch(database: Database, take: Take, two: Catalogue) -> None:
    debt_id = opened(database, take, two)
    with pytest.raises(InvalidInput), database.session() as db:
        close_debt(db, debt_id, CENTRE, Patched("FT-001"), Grounds(two, {"FT-001": NOW}), LATER)
    with database.session() as db:
        close_debt(db, debt_id, CENTRE, Patched("FT-001"), Grounds(two, {"FT-001": LATER}), LATER)
    assert debts(database) == []


def test_an_answer_must_be_in_force_and_a_reason_long_enough(
    database: Database, take: Take, grounds: Grounds
) -> None:
    debt_id = opened(database, take, grounds.catalogue)
    for settlement in (Signed(1), NothingNeeded("不用改"), NothingNeeded("   " * 20)):
        with pytest.raises(InvalidInput), database.session() as db:
            close_debt(db, debt_id, CENTRE, settlement, grounds, LATER)


def test_regression_is_written_once_masked_and_readable_by_eval(
    database: Database, take: Take, grounds: Grounds, tmp_path: Path
) -> None:
    said = "我们是深圳市甲乙科技有限公司，电话13800138000，信用代码91440300MA5FEQ1234，月球补贴怎么申请"
    debt_id = opened(database, take, grounds.catalogue, said)
    reason = NothingNeeded("区里没有这样的项目，按实答不知道")
    with database.session() as db:
        close_debt(db, debt_id, CENTRE, reason, grounds, LATER, names=["甲乙"])
    path = tmp_path / "eval" / "regressions.jsonl"
    assert write_regressions(database, path) == 1
    foreign = json.dumps({"id": "mine", "text": "国高奖励"}, ensure_ascii=False)
    path.write_text(path.read_text(encoding="utf-8") + foreign + "\n", encoding="utf-8")
    for _ in range(2):
        write_regressions(database, path)
    ours, mine = read_questions(path)
    assert (ours.id, ours.unanswerable, mine.id) == (f"debt-{debt_id}", True, "mine")
    assert "月球补贴怎么申请" in ours.text
    assert not any(secret in ours.text for secret in ("甲乙", "13800138000", "91440300"))


def test_reopened_debt_has_a_new_deadline_and_is_written_anew(
    database: Database, take: Take, grounds: Grounds, tmp_path: Path
) -> None:
    debt_id = opened(database, take, grounds.catalogue)
    with database.session() as db:
        close_debt(
            db, debt_id, CENTRE, NothingNeeded("区里没有这样的项目，按实答不知道"), grounds, LATER
        )
    later = NOW + timedelta(days=30)
    with database.session() as db:
        debt = reopen(db, debt_id, 5, later)
    assert (debt.state, debt.reopened, debt.opened_at) == (DebtState.OPEN, 1, later)
    assert debt.due_at > later
    with database.session() as db:
        close_debt(
            db, debt_id, CENTRE, Patched("FT-001"),
            Grounds(grounds.catalogue, {"FT-001": later + timedelta(days=1)}), later + timedelta(days=2),
        )  # fmt: skip
    path = tmp_path / "regressions.jsonl"
    write_regressions(database, path)
    (question,) = read_questions(path)
    assert (question.policy_id, question.unanswerable) == ("FT-001", False)


def test_words_asked_again_after_closing_open_a_new_debt(
    database: Database, take: Take, grounds: Grounds, encoder: Encoder
) -> None:
    first = opened(database, take, grounds.catalogue, "我们想把厂搬到月球有补贴吗")
    take("想把工厂搬到月球，有没有补贴", REFUSAL)
    join_alike(database, encoder)
    with database.session() as db:
        close_debt(
            db, first, CENTRE, NothingNeeded("区里没有这样的项目，按实答不知道"), grounds, LATER
        )
    take("想把工厂搬到月球，有没有补贴", REFUSAL)
    (again,) = debts(database)
    assert again.id != first
    assert len(debts(database, DebtState.CLOSED)) == 1


def test_list_filters_and_pages(database: Database, take: Take) -> None:
    for number, word in enumerate("甲乙丙"):
        take(f"{word}类企业月球补贴", REFUSAL, now=NOW + timedelta(days=number * 7))
    with database.session() as db:
        assign(db, 2, "s-9")
        page = list_debts(db, limit=2)
        assert ([d.id for d in page.debts], page.total, page.next) == ([1, 2], 3, 2)
        assert [d.id for d in list_debts(db, after=2).debts] == [3]
        assert [d.id for d in list_debts(db, owner="s-9").debts] == [2]
        assert [d.id for d in list_debts(db, text="丙类").debts] == [3]
        assert list_debts(db, text="%").total == 0
        due = datetime(2026, 12, 3, tzinfo=UTC)
        assert [d.id for d in list_debts(db, overdue_at=due).debts] == [1]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("我的电话0755-82918333", "我的电话〔号码〕"),
        ("发到 zhang.san@example.com 吧", "发到 〔邮箱〕 吧"),
        ("身份证44030019900101123X", "身份证〔号码〕"),
        ("营收2000万的企业能申请吗", "营收2000万的企业能申请吗"),
        ("国家高新技术企业奖励多少", "国家高新技术企业奖励多少"),
    ],
)
def test_masking_takes_people_and_leaves_the_question(said: str, kept: str) -> None:
    assert masked(said) == kept


def test_masking_a_hundred_thousand_characters_is_quick() -> None:
    for text in ("1" * 100_000, "a@" * 50_000, "公司" * 50_000, "有限公司" * 25_000):
        assert masked(text)


def test_many_at_once_open_one_debt(database: Database, take: Take) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda i: take("月球补贴怎么申请", REFUSAL, conversation=f"web-{i}"), range(16)
            )
        )
    (debt,) = debts(database)
    assert debt.times == 16
    with database.reading() as db:
        assert len(db.scalars(select(DebtMessage.message_id)).all()) == 16
