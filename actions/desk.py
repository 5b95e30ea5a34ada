"""What the dialogue asks of the service desk, without knowing how the desk keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from knowledge.profile import Known, Profile


class AppealReason(StrEnum):
    """Why an appeal is filed; decides its first handling rule and how the person is told."""

    NO_ANSWER = "no_answer"
    LOW_CONFIDENCE = "low_confidence"
    NOT_SOLVED = "not_solved"
    REQUESTED = "requested"
    HUMAN_WANTED = "human_wanted"
    FAILURE = "failure"


@dataclass(frozen=True)
class AppealDraft:
    """An appeal about to be filed.

    ``message_id`` is the idempotency key: filing twice for one message returns the first appeal. ``policy_department``
    is the department named by the policy under discussion, absent when there is none.
    """

    session: str
    message_id: str
    matter: str
    reason: AppealReason
    policy_id: str | None = None
    policy_department: str | None = None
    phone: str | None = None
    credit_code: str | None = None
    company: str | None = None


@dataclass(frozen=True)
class Appeal:
    """An appeal as the desk holds it. ``due_at`` is aware. ``joined`` means a repeat that joined an open one.

    ``progress`` is its clock in words (``剩余2个工作日（…前答复）``), empty when no answer is owed.
    """

    no: str
    state: str
    department: str
    due_at: datetime
    matter: str
    joined: bool = False
    progress: str = ""


@dataclass(frozen=True)
class Handoff:
    """What came of asking for a person.

    Queued: ``position`` (from 1) and ``wait_minutes`` are set; nobody within ``limit_minutes`` and the
    desk files an appeal by itself. Nobody there: ``appeal`` is filed and ``opens_at`` (aware) says
    when people answer again, absent when they do now. Neither: a person serves the session already.
    ``hours`` are the desk's hours in words.
    """

    hours: str
    limit_minutes: int
    position: int | None = None
    wait_minutes: int | None = None
    opens_at: datetime | None = None
    appeal: Appeal | None = None


@dataclass(frozen=True)
class SignedAnswer:
    """An answer two people stand for. ``clauses`` are what it cites, each with the hash it had when it was signed."""

    id: int
    question: str
    text: str
    clauses: tuple[tuple[str, str], ...]
    approver: str
    valid_until: date


class Desk(Protocol):
    """Every call works on the appeals of one session only and may be repeated safely for one ``message_id``."""

    def file_appeal(self, draft: AppealDraft) -> Appeal:
        """Files the appeal, or joins the open one of the same session on the same matter."""
        ...

    def request_person(
        self, session: str, message_id: str, matter: str, phone: str | None = None
    ) -> Handoff:
        """Puts the session into the queue for a person, once; files an appeal at once when nobody will come."""
        ...

    def appeals_of(self, session: str, no: str | None = None) -> list[Appeal]:
        """The session's appeals, newest first; with ``no`` that one only. Empty when none is visible to it."""
        ...

    def supplement_appeal(self, session: str, no: str, text: str, message_id: str) -> Appeal | None:
        """Adds what the person said to an open appeal; ``None`` when there is no such open appeal of the session."""
        ...

    def withdraw_appeal(self, session: str, no: str, message_id: str) -> Appeal | None:
        """Withdraws an open appeal; ``None`` when there is no such open appeal of the session."""
        ...

    def say_solved(
        self, session: str, no: str, solved: bool, note: str, message_id: str
    ) -> Appeal | None:
        """Solved closes an answered appeal, not solved reopens it with a shorter clock.

        ``None`` when there is no such answered appeal of the session.
        """
        ...

    def answered_appeal(self, session: str, message_id: str) -> Appeal | None:
        """The appeal whose answer is the last thing told to the person before this message, if any."""
        ...

    def profile_of(self, session: str, called: str | None = None) -> Profile | None:
        """What is on file of the enterprise the speaker is bound to; ``None`` for nobody bound.

        ``called`` is a name or credit code the speaker gave. It proves nothing: the desk decides whether this speaker
        may see what is on file under it.
        """
        ...

    def keep_said_facts(self, session: str, facts: Mapping[str, Known], message_id: str) -> None:
        """Keeps what the speaker said of the enterprise they are bound to; of nobody bound nothing is kept."""
        ...

    def rate(self, session: str, score: int, comment: str, message_id: str) -> None:
        """Keeps a rating of the service, 1 (worst) to 5 (best), on the session's newest appeal or conversation."""
        ...

    def signed_answer(self, text: str, as_of: date) -> SignedAnswer | None:
        """The signed answer in force that day for exactly this question; ``None`` where there is none."""
        ...
