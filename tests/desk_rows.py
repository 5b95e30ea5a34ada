"""Made-up rows of a full desk: enterprises, conversations, appeals and what belongs to them.

Everything follows from the sizes: equal sizes give equal rows. Hashes of chains are zeros.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from actions.replies import CitationCard, Reply, ReplyKind
from service.appeals.clock import DISTRICT_HOURS, SHANGHAI, due_after_working_days
from service.appeals.departments import load_departments
from service.appeals.models import AppealState
from service.appeals.repeats import searchable
from service.appeals.worktime import minute_of, worked_between
from tests.desk_words import TOPICS, company, matter, sentence

NOW = datetime(2026, 11, 23, 10, tzinfo=SHANGHAI)
STAFF = 200
_DAYS = 90
_ZEROS = "0" * 64
_OPEN = (AppealState.DISPATCHED, AppealState.ACCEPTED, AppealState.RETURNED, AppealState.REOPENED)
_FAITHFUL = 100  # conversations that go on for the whole time
_CHATTY_SHARE = 0.005  # of all messages are in one conversation

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Sizes:
    """How much of each."""

    messages: int = 1_000_000
    appeals: int = 100_000
    enterprises: int = 20_000
    audit: int = 50_000
    debts: int = 20_000

    @property
    def conversations(self) -> int:
        return max(20, self.messages * 12 // 100)


@dataclass(frozen=True)
class Filling:
    """Rows of one table, in the order of its ``columns``."""

    table: str
    columns: str
    count: int
    rows: Callable[[], Iterator[Row]]


def fillings(sizes: Sizes) -> list[Filling]:
    """All of it, what is pointed at first."""
    talk = _Talk(sizes)
    appeals = _Appeals(sizes)
    n = sizes.conversations
    return [
        Filling("enterprises", "id credit_code name name_key district contact_aliases is_verified created_at updated_at",
                sizes.enterprises, lambda: _enterprises(sizes.enterprises)),
        Filling("staff_accounts", "id name role department password_hash is_active is_demo failures created_at",
                STAFF, _accounts),
        Filling("staff_sessions", "token_hash staff_id csrf created_at seen_at expires_at", STAFF, _sessions),
        Filling("service_groups", "id name commissioner street lead_department", 300, _groups),
        Filling("conversations", "id channel owner created_at updated_at owner_since owner_staff owner_name group_id revision",
                n, talk.conversations),
        Filling("enterprise_speakers", "session enterprise_id bound_by bound_at", n // 3, talk.speakers),
        Filling("messages", "seq id conversation_id client_id text is_button status attempts received_at answered_at intent confidence candidates",
                sizes.messages, talk.messages),
        Filling("outbox", "id conversation_id message_id position body status created_at", sizes.messages, talk.replies),
        Filling("answer_sources", "message_id clause_id clause_hash policy_id conversation_id kind status answered_at",
                sizes.messages * 8 // 10, talk.sources),
        Filling("handoff_reads", "staff_id conversation_id seq at", n // 2, talk.reads),
        Filling("appeals", appeals.COLUMNS, sizes.appeals, appeals.rows),
        Filling("appeal_parties", "appeal_id department is_lead", sizes.appeals * 11 // 10, appeals.parties),
        Filling("appeal_texts", "appeal_id text", sizes.appeals, appeals.texts),
        Filling("appeal_events", "appeal_id seq at kind actor to_state prev_hash hash", sizes.appeals * 4, appeals.events),
        Filling("ratings", "session appeal_id score comment message_id at", sizes.appeals // 4, appeals.ratings),
        Filling("common_issues", "id title state created_at version", 300, _issues),
        Filling("common_issue_members", "issue_id appeal_id likeness added_by added_at", 3000, lambda: _members(sizes)),
        Filling("question_debts", "id question normal cause state times first_at last_at owner opened_at due_at calendar_known reopened",
                sizes.debts, lambda: _debts(sizes.debts)),
        Filling("signed_answers", "id question variants text clauses state valid_from valid_until author author_name created_at version",
                300, _answers),
        Filling("audit_entries", "id at staff_id action subject_kind subject_id detail prev_hash hash",
                sizes.audit, lambda: _audit(sizes)),
    ]  # fmt: skip


def token_of(staff: int) -> str:
    """The token of the sign-in of a member of the staff, 1 to ``STAFF``."""
    return f"token-of-s{staff}"


def conversation_id(number: int) -> str:
    return f"web-{number:07d}"


def _enterprises(count: int) -> Iterator[Row]:
    rng = random.Random(1)
    for number in range(1, count + 1):
        name = company(rng)
        aliases = [f"小{number}号"] if number % 100 == 0 else []
        yield (number, f"9144030{number:011d}", name, name, "福田区", json.dumps(aliases),
               True, NOW, NOW)  # fmt: skip


def _accounts() -> Iterator[Row]:
    for number in range(1, STAFF + 1):
        yield f"s{number}", f"专员{number}", "commissioner", None, "-", True, False, 0, NOW


def _sessions() -> Iterator[Row]:
    from service.staff.accounts import _hashed

    for number in range(1, STAFF + 1):
        later = NOW + timedelta(days=3650)
        yield _hashed(token_of(number)), f"s{number}", f"c{number}", NOW, later, later


def _groups() -> Iterator[Row]:
    for number in range(300):
        yield f"g{number}", f"第{number}互动群", f"s{number % STAFF + 1}", "梅林街道", None


class _Talk:
    """What was said: each conversation lasts a while, some go on for ever, one is very long."""

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        rng, count, n = random.Random(2), sizes.messages, sizes.conversations
        self._of: list[int] = []
        self._first: dict[int, int] = {}
        self._last: dict[int, int] = {}
        spread = min(30.0, n / 20)
        for number in range(count):
            lot = rng.random()
            if lot < _CHATTY_SHARE:
                which = 0
            elif lot < 0.015:
                which = rng.randrange(1, _FAITHFUL) % n
            else:
                which = min(n - 1, max(0, int(number * n / count + rng.gauss(0, spread))))
            self._of.append(which)
            self._first.setdefault(which, number)
            self._last[which] = number
        self._kind = random.Random(3).choices(
            ("answer", "refusal", "question"), (80, 12, 8), k=count
        )

    def at(self, number: int) -> datetime:
        """When a message came."""
        back = (self._sizes.messages - number) / self._sizes.messages
        return NOW - timedelta(minutes=1) - timedelta(days=_DAYS) * back

    def conversations(self) -> Iterator[Row]:
        rng, n = random.Random(4), self._sizes.conversations
        last = self._sizes.messages - 1
        for number in range(n):
            lot, staff = rng.random(), None
            owner = "closed" if lot < 0.3 else "bot"
            if number >= n - n // 60:  # the newest are being served by people
                owner = rng.choices(("person", "queued", "bot", "closed"), (78, 3, 17, 2))[0]
            if owner == "person":
                staff = f"s{rng.randrange(1, STAFF + 1)}"
            end = self.at(self._last.get(number, last * number // n))
            begin = self.at(self._first.get(number, last * number // n))
            yield (
                conversation_id(number), "web", owner, begin, end,
                end if owner in ("person", "queued") else None, staff,
                f"专员{staff[1:]}" if staff else None,
                f"g{number % 300}" if number % 5 == 0 else None, 3,
            )  # fmt: skip

    def speakers(self) -> Iterator[Row]:
        for number in range(0, self._sizes.conversations // 3 * 3, 3):
            yield conversation_id(number), number % self._sizes.enterprises + 1, "s1", NOW

    def messages(self) -> Iterator[Row]:
        rng = random.Random(5)
        candidates = json.dumps([["FT-001", 3.2], ["FT-002", 1.1]])
        for number, which in enumerate(self._of):
            at = self.at(number)
            yield (
                number + 1, f"m{number:07d}", conversation_id(which), f"k{number}",
                sentence(rng, number), False, "answered", 1, at,
                at + timedelta(seconds=rng.uniform(0.3, 3)), "ask_policy", 0.9, candidates,
            )  # fmt: skip

    def replies(self) -> Iterator[Row]:
        bodies = {kind: _body(kind) for kind in ("answer", "refusal", "question")}
        for number, which in enumerate(self._of):
            name = f"m{number:07d}"
            body = bodies[self._kind[number]].replace("@id", f"{name}-0")
            yield (f"{name}-0", conversation_id(which), name, 0, body, "acked",
                   self.at(number) + timedelta(seconds=1))  # fmt: skip

    def sources(self) -> Iterator[Row]:
        for number, which in enumerate(self._of):
            if self._kind[number] == "answer":
                policy = f"FT-{number * 7919 % 60:03d}"
                yield (f"m{number:07d}", f"{policy}#amount", "0" * 16, policy,
                       conversation_id(which), "answer", "current",
                       self.at(number) + timedelta(seconds=1))  # fmt: skip

    def reads(self) -> Iterator[Row]:
        n = self._sizes.conversations
        for number in range(n - n // 2, n):
            last = self._last.get(number, 0)
            yield f"s{number * 31 % STAFF + 1}", conversation_id(number), last, self.at(last)


def _body(kind: str) -> str:
    card = CitationCard(
        policy_id="FT-001", title="国高奖励", doc_no=None, issuer="福田区", clause="第八条",
        quote="上年度获得国家高新技术企业认定的，给予一次性奖励。" * 4, valid_from=None, valid_to=None,
        status="current", url=None,
    )  # fmt: skip
    is_answer = kind == "answer"
    text = (
        "按第八条，一次性奖励十万元。" * 6 if is_answer else "目录里没有这方面的依据，可以转人工。"
    )
    reply = Reply(id="@id", kind=ReplyKind(kind), text=text, citations=[card] if is_answer else [])
    return json.dumps(reply.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))


class _Appeals:
    """Appeals of two years; one in fifty is open, as at a desk that keeps up."""

    COLUMNS = (
        "id no session source_message_id reason matter state department dispatch_confidence dispatch_candidates company"
        " credit_code received_at due_at calendar_known clock_hours clock_budget clock_used clock_since closed_at solved satisfied"
        " version chain_head"
    )

    def __init__(self, sizes: Sizes) -> None:
        self._count, self._sizes = sizes.appeals, sizes
        self._names = [d.name for d in load_departments()]

    @cached_property
    def _all(self) -> list[dict[str, Any]]:
        return list(self._made())

    def _made(self) -> Iterator[dict[str, Any]]:
        rng = random.Random(6)
        companies = [company(random.Random(k)) for k in range(2000)]
        hours = str(DISTRICT_HOURS)
        candidates = json.dumps(
            [{"department": "x", "confidence": 0.8, "reason": "", "words": []}] * 3
        )
        for number in range(1, self._count + 1):
            is_open = number > self._count - self._count // 50
            days = 25 if is_open else 2 * 365
            at = NOW - timedelta(days=days) * (
                (self._count - number + 1) / (self._count // 50 if is_open else self._count)
            )
            due = due_after_working_days(at).due_at
            closed = None if is_open else at + timedelta(days=rng.uniform(0.5, 11))
            code = f"9144030{number % self._sizes.enterprises + 1:011d}"
            yield {
                "id": number,
                "no": f"FT-{at:%Y%m%d}-{number:06d}",
                "session": conversation_id(number % self._sizes.conversations),
                "source_message_id": f"a{number}",
                "reason": "requested",
                "matter": matter(rng, number),
                "state": str(rng.choice(_OPEN) if is_open else AppealState.CLOSED),
                "department": rng.choice(self._names),
                "dispatch_confidence": 0.8,
                "dispatch_candidates": candidates,
                "company": companies[number % 2000],
                "credit_code": code if number % 2 else None,
                "received_at": at,
                "due_at": due,
                "calendar_known": True,
                "clock_hours": hours,
                "clock_budget": worked_between(minute_of(at), minute_of(due), DISTRICT_HOURS),
                "clock_used": 0,
                "clock_since": at if is_open else None,
                "closed_at": closed,
                "solved": None if is_open else rng.random() < 0.9,
                "satisfied": None if is_open else rng.choice((1, 3, 4, 5, 5)),
                "version": 4,
                "chain_head": _ZEROS,
            }

    def _kept(self, *names: str) -> Iterator[Row]:
        for each in self._all:
            yield tuple(each[name] for name in names)

    def rows(self) -> Iterator[Row]:
        return self._kept(*self.COLUMNS.split())

    def parties(self) -> Iterator[Row]:
        for number, department in self._kept("id", "department"):
            yield number, department, True
            if number % 10 == 0:
                yield number, next(n for n in self._names if n != department), False

    def texts(self) -> Iterator[Row]:
        for number, text, name in self._kept("id", "matter", "company"):
            yield number, searchable(f"{text} {name}")

    def events(self) -> Iterator[Row]:
        for number, at, closed, state in self._kept("id", "received_at", "closed_at", "state"):
            steps: list[tuple[datetime, str]] = [(at, "filed"), (at, "dispatched")]
            if closed is None:
                steps.append((at + timedelta(hours=1), state))
            else:
                steps += [(closed - timedelta(hours=9), "answered"), (closed, "closed")]
            for seq, (when, to) in enumerate(steps, start=1):
                yield number, seq, when, "moved", "system", to, _ZEROS, _ZEROS

    def ratings(self) -> Iterator[Row]:
        for number, session, closed in self._kept("id", "session", "closed_at"):
            if number % 4 == 0 and closed is not None:
                yield session, number, number % 5 + 1, "", f"r{number}", closed


def _issues() -> Iterator[Row]:
    states = ("proposed", "confirmed", "answered", "dismissed")
    for number in range(1, 301):
        yield number, TOPICS[number % len(TOPICS)], states[number % 4], NOW, 1


def _members(sizes: Sizes) -> Iterator[Row]:
    first = max(1, sizes.appeals - 3000)
    for number in range(min(3000, sizes.appeals - 1)):
        yield number % 300 + 1, first + number, 0.9, "system", NOW


def _debts(count: int) -> Iterator[Row]:
    rng = random.Random(8)
    for number in range(1, count + 1):
        at = NOW - timedelta(days=365) * ((count - number + 1) / count)
        question = f"{sentence(rng, number)}（{number}）"
        state = "open" if rng.random() < 0.15 else "closed"
        yield (number, question, question[:200], rng.choice(("refusal", "thumbs_down")), state,
               rng.randint(1, 9), at, at, f"s{number % STAFF + 1}", at,
               at + timedelta(days=7), True, 0)  # fmt: skip


def _answers() -> Iterator[Row]:
    states = ("draft", "in_force", "suspended")
    for number in range(1, 301):
        question = f"第{number}个问题怎么办理"
        yield (number, question, json.dumps([question]), "请携带材料到窗口办理。" * 10,
               json.dumps([["FT-001#amount", "0" * 16]]), states[number % 3], NOW.date(),
               NOW.date() + timedelta(days=300), "s1", "专员1", NOW, 1)  # fmt: skip


def _audit(sizes: Sizes) -> Iterator[Row]:
    rng = random.Random(9)
    actions: Sequence[str] = (
        "conversation_opened",
        "enterprise_opened",
        "signed_in",
        "appeal_opened",
    )
    for number in range(1, sizes.audit + 1):
        at = NOW - timedelta(days=_DAYS) * ((sizes.audit - number + 1) / sizes.audit)
        subject = conversation_id(rng.randrange(sizes.conversations))
        yield (number, at, f"s{rng.randrange(1, STAFF + 1)}", rng.choice(actions), "conversation",
               subject, "{}", _ZEROS, _ZEROS)  # fmt: skip
