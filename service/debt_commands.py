"""The commands on question debt and signed answers: ``qifu debt …``, ``qifu faq …``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.settings import Settings
from service.terminal import AsJson, AsOf, print_json, settings_with

if TYPE_CHECKING:
    from service.db import Database
    from service.debt.models import SignedAnswer
    from service.staff.permissions import Staff

debt_app = typer.Typer(no_args_is_help=True, help="问题欠账：没答好的问题，谁负责、何时还清。")
faq_app = typer.Typer(no_args_is_help=True, help="人工审定答复：一人撰写、另一人审定。")
_DAY = ["%Y-%m-%d"]
StaffName = Annotated[str, typer.Option("--staff", help="谁在操作：姓名或账号。")]


@debt_app.command("list")
def list_(
    closed: Annotated[bool, typer.Option("--closed", help="列已关闭的。")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="只列过期未还的。")] = False,
    owner: Annotated[str, typer.Option(help="只列这个负责人的。")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """先把意思相同的并成一条，再按期限先后列出。"""
    from knowledge.encoder import BUILT_IN, load_encoder
    from service.db import utc_now
    from service.debt.models import DebtState
    from service.debt.operations import join_alike, list_debts

    with _database(settings_with()) as database:
        join_alike(database, load_encoder(BUILT_IN))
        with database.reading() as db:
            state = DebtState.CLOSED if closed else DebtState.OPEN
            due = utc_now() if overdue else None
            page = list_debts(db, state, owner=owner, overdue_at=due, limit=limit)
    if as_json:
        rows = [
            {"id": d.id, "question": d.question, "cause": d.cause, "times": d.times, "owner": d.owner,
             "due_at": d.due_at.isoformat(), "closure": d.closure, "reopened": d.reopened}
            for d in page.debts
        ]  # fmt: skip
        print_json({"total": page.total, "debts": rows})
        return
    for debt in page.debts:
        print(
            f"#{debt.id}  {_CAUSES[debt.cause]} ×{debt.times}  {_local(debt.due_at)} 前  {debt.owner}  {debt.question[:60]}"
        )
    print(f"共 {page.total} 条。")


@debt_app.command()
def show(debt_id: Annotated[int, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """一条欠账的全部问法和消息编号。"""
    from service.debt.operations import get_debt, messages_of

    with _database(settings_with()) as database, database.reading() as db:
        debt = get_debt(db, debt_id)
        turns = messages_of(db, debt)
    if as_json:
        told = [
            {"message_id": t.message_id, "cause": t.cause, "question": t.question} for t in turns
        ]
        print_json({"id": debt.id, "question": debt.question, "state": debt.state, "closure": debt.closure,
                    "closing": debt.closing, "messages": told})  # fmt: skip
        return
    print(f"#{debt.id} {debt.question}\n  {debt.state} {debt.closure or ''} {debt.closing or ''}")
    for turn in turns:
        print(
            f"  {_local(turn.at)}  {turn.message_id}  {_CAUSES[turn.cause]}  {turn.question[:80]}"
        )


@debt_app.command()
def close(
    debt_id: Annotated[int, typer.Argument(metavar="ID")],
    staff: StaffName,
    policy: Annotated[str | None, typer.Option(help="目录已更新：政策编号。")] = None,
    clause: Annotated[list[str] | None, typer.Option(help="改了的条款编号，可以给几条。")] = None,
    faq: Annotated[int | None, typer.Option(help="已有审定答复：答复编号。")] = None,
    reason: Annotated[str | None, typer.Option(help="不需处理：理由，至少 10 个字。")] = None,
) -> None:
    """关闭一条欠账：目录已更新、审定答复、不需处理的理由，三者取一；并记入回归题。"""
    from service.catalogue import store_of
    from service.db import utc_now
    from service.debt.clause_history import note_catalogue
    from service.debt.closing import Grounds, close_debt
    from service.debt.regressions import regressions_path, write_regressions
    from service.debt.routes import settlement_of

    settlement = settlement_of(policy, clause or [], faq, reason)
    settings = settings_with()
    store = store_of(settings)
    grounds = Grounds(store.read(), {record.policy_id: record.time for record in store.history()})
    with _database(settings) as database:
        with database.session() as db:
            note_catalogue(db, grounds.catalogue, utc_now())
            debt = close_debt(db, debt_id, _staff(staff), settlement, grounds, utc_now())
        path = regressions_path(settings.data_dir)
        count = write_regressions(database, path)
    print(f"#{debt.id} 已关闭；回归题共 {count} 道：{path}")


@debt_app.command()
def check(as_of: AsOf = None, as_json: AsJson = False) -> None:
    """把回归题再问一遍；答坏了的重新打开。有答坏的，退出码为 1。"""
    from service.debt.operations import reopen
    from service.debt.regressions import debt_of, regressions_path, write_regressions
    from service.trial import read_trial, try_answers

    settings = settings_with(as_of=as_of.date() if as_of else None)
    path = regressions_path(settings.data_dir)
    with _database(settings) as database:
        if not write_regressions(database, path):
            _report([], [], 0, as_json)
            return
        trial = read_trial([path], settings.as_of)
        run, _ = try_answers(trial, None)
        failed = [str(each["id"]) for each in run.report["failures"]]
        reopened = []
        for question_id in failed:
            debt_id = debt_of(question_id)
            if debt_id is None:
                continue
            with database.session() as db:
                reopened.append(reopen(db, debt_id, settings.debt_working_days, _now()).id)
    _report(failed, reopened, len(run.outcomes), as_json)
    raise typer.Exit(1 if failed else 0)


def _report(failed: list[str], reopened: list[int], asked: int, as_json: bool) -> None:
    if as_json:
        print_json({"asked": asked, "failed": failed, "reopened": reopened})
        return
    print(f"回归题 {asked} 道，答坏 {len(failed)} 道。")
    for question_id in failed:
        print(f"  × {question_id}")
    if reopened:
        print(f"重新打开：{'、'.join(f'#{each}' for each in reopened)}")


@faq_app.command("list")
def faq_list(as_json: AsJson = False) -> None:
    """全部审定答复，新的在前。"""
    from service.debt.signing import list_answers

    settings = settings_with()
    with _database(settings) as database, database.reading() as db:
        answers = list_answers(db)
    if as_json:
        print_json({"answers": [_told(each, settings.today()) for each in answers]})
        return
    for each in answers:
        expired = "（已过期）" if each.valid_until < settings.today() else ""
        why = f"：{each.suspended_because}" if each.suspended_because else ""
        print(
            f"#{each.id}  {_STATES[each.state]}{expired}{why}  至 {each.valid_until}  {each.question[:60]}"
        )
    print(f"共 {len(answers)} 条。")


@faq_app.command("add")
def faq_add(
    question: Annotated[str, typer.Argument(help="问题。")],
    text: Annotated[str, typer.Option(help="答复。")],
    clause: Annotated[list[str], typer.Option(help="依据的条款编号，可以给几条。")],
    until: Annotated[datetime, typer.Option(formats=_DAY, help="有效到哪一天。")],
    staff: StaffName,
    variant: Annotated[list[str] | None, typer.Option(help="其他问法，可以给几条。")] = None,
) -> None:
    """写一条草稿；要另一个人审定才生效。"""
    from service.catalogue import store_of
    from service.debt.signing import AnswerDraft, add_answer

    settings = settings_with()
    draft = AnswerDraft(
        question, text, tuple(clause), settings.today(), until.date(), tuple(variant or ())
    )
    with _database(settings) as database, database.session() as db:
        answer = add_answer(db, draft, _staff(staff), store_of(settings).read(), _now())
    print(f"#{answer.id} 已存为草稿，待另一人审定。")


@faq_app.command("approve")
def faq_approve(answer_id: Annotated[int, typer.Argument(metavar="ID")], staff: StaffName) -> None:
    """审定：撰写人自己不能审定。"""
    from service.catalogue import store_of
    from service.debt.signing import approve

    settings = settings_with()
    catalogue = store_of(settings).read()
    with _database(settings) as database, database.session() as db:
        answer = approve(db, answer_id, _staff(staff), catalogue, settings.today(), _now())
    print(f"#{answer.id} 已生效，有效至 {answer.valid_until}。")


@faq_app.command("suspend")
def faq_suspend(
    answer_id: Annotated[int, typer.Argument(metavar="ID")],
    reason: Annotated[str, typer.Option(help="暂停的理由。")],
) -> None:
    """暂停一条生效的答复。"""
    from service.debt.signing import suspend

    with _database(settings_with()) as database, database.session() as db:
        answer = suspend(db, answer_id, reason, _now())
    print(f"#{answer.id} {_STATES[answer.state]}。")


_CAUSES = {"thumbs_down": "没解决", "refusal": "没答上", "low_confidence": "没把握"}
_STATES = {"draft": "草稿", "in_force": "生效", "suspended": "暂停"}


def _told(answer: SignedAnswer, today: date) -> dict[str, Any]:
    return {
        "id": answer.id,
        "question": answer.question,
        "state": answer.state,
        "is_expired": answer.valid_until < today,
        "valid_until": answer.valid_until,
        "author": answer.author_name,
        "approver": answer.approver_name,
        "suspended_because": answer.suspended_because,
    }


def _staff(name: str) -> Staff:
    """Whoever has the command line has the machine: they act with the rights of the centre, under their name."""
    from service.staff.permissions import Role, Staff

    return Staff(f"cli:{name}"[:64], name[:100], Role.CENTRE)


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    from service.db import Database

    database = Database.open(settings.database())
    try:
        yield database
    finally:
        database.close()


def _now() -> datetime:
    from service.db import utc_now

    return utc_now()


def _local(at: datetime) -> str:
    from service.settings import LOCAL_ZONE

    return f"{at.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}"
