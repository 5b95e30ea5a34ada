"""A service desk in memory, for tests of the dialogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from actions.appeal import OPEN_STATES
from actions.desk import Appeal, AppealDraft, AppealReason, Handoff, SignedAnswer
from knowledge.profile import Known, Profile

DUE_AT = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)  # 18:00 in Shanghai
ANSWERED = frozenset({"answered", "explained"})
OPENS_AT = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # 9:00 in Shanghai
HOURS = "工作日 9:00–12:00、14:00–18:00"
DEPARTMENT = "福田区企业服务中心"


@dataclass(frozen=True)
class Rating:
    """What ``rate`` was called with."""

    session: str
    score: int
    comment: str
    message_id: str


@dataclass
class FakeDesk:
    """Implements ``actions.desk.Desk``: numbers count up, everything goes to one department by one time.

    ``drafts`` holds what was filed, by message; ``supplements`` what was added, by number; ``profiles`` what is on file
    of the enterprise a session is bound to, ``said_facts`` what a session said of it. ``requests`` holds session and
    matter of each wish for a person, by message, in order; nobody answers them unless ``is_manned``. ``signed`` is the
    signed answer in force for a wording.
    """

    appeals: dict[str, Appeal] = field(default_factory=dict)
    drafts: dict[str, AppealDraft] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    supplements: dict[str, list[str]] = field(default_factory=dict)
    ratings: list[Rating] = field(default_factory=list)
    profiles: dict[str, Profile] = field(default_factory=dict)
    said_facts: dict[str, dict[str, Known]] = field(default_factory=dict)
    reactions: dict[str, tuple[bool, str]] = field(default_factory=dict)
    requests: dict[str, tuple[str, str]] = field(default_factory=dict)
    is_manned: bool = True
    signed: dict[str, SignedAnswer] = field(default_factory=dict)
    _by_message: dict[str, str] = field(default_factory=dict)

    def file_appeal(self, draft: AppealDraft) -> Appeal:
        filed = self._by_message.get(draft.message_id)
        if filed:
            return self.appeals[filed]
        for appeal in self.appeals_of(draft.session):
            if appeal.matter == draft.matter and appeal.state in OPEN_STATES:
                return replace(appeal, joined=True)
        no = f"FT-20261123-{len(self.appeals) + 1:04d}"
        appeal = Appeal(no, "dispatched", DEPARTMENT, DUE_AT, draft.matter)
        self.appeals[no] = appeal
        self.owners[no] = draft.session
        self.drafts[draft.message_id] = draft
        self._by_message[draft.message_id] = no
        return appeal

    def request_person(
        self, session: str, message_id: str, matter: str, phone: str | None = None
    ) -> Handoff:
        handoff = Handoff(hours=HOURS, limit_minutes=10)
        if not self.is_manned:
            draft = AppealDraft(session, message_id, matter, AppealReason.HUMAN_WANTED, phone=phone)
            return replace(handoff, appeal=self.file_appeal(draft), opens_at=OPENS_AT)
        self.requests.setdefault(message_id, (session, matter))
        return replace(handoff, position=1, wait_minutes=3)

    def asked_by(self, session: str) -> list[str]:
        """What the session wanted a person for, oldest first."""
        return [matter for asker, matter in self.requests.values() if asker == session]

    def appeals_of(self, session: str, no: str | None = None) -> list[Appeal]:
        own = [appeal for appeal in self.appeals.values() if self.owners[appeal.no] == session]
        return [appeal for appeal in reversed(own) if no in (None, appeal.no)]

    def supplement_appeal(self, session: str, no: str, text: str, message_id: str) -> Appeal | None:
        appeal = self._open(session, no)
        if appeal:
            self.supplements.setdefault(no, []).append(text)
        return appeal

    def withdraw_appeal(self, session: str, no: str, message_id: str) -> Appeal | None:
        appeal = self._open(session, no)
        return self.move(no, "withdrawn") if appeal else None

    def say_solved(
        self, session: str, no: str, solved: bool, note: str, message_id: str
    ) -> Appeal | None:
        own = self.appeals_of(session, no)
        if not own or own[0].state not in ANSWERED:
            return None
        self.reactions[no] = (solved, note)
        return self.move(no, "closed" if solved else "reopened")

    def answered_appeal(self, session: str, message_id: str) -> Appeal | None:
        """The newest answered one: nothing is said between an answer and the next message here."""
        answered = [a for a in self.appeals_of(session) if a.state in ANSWERED]
        return answered[0] if answered else None

    def rate(self, session: str, score: int, comment: str, message_id: str) -> None:
        self.ratings.append(Rating(session, score, comment, message_id))

    def profile_of(self, session: str, called: str | None = None) -> Profile | None:
        return self.profiles.get(session)

    def keep_said_facts(self, session: str, facts: Mapping[str, Known], message_id: str) -> None:
        if session in self.profiles:
            self.said_facts.setdefault(session, {}).update(facts)

    def signed_answer(self, text: str, as_of: date) -> SignedAnswer | None:
        return self.signed.get(text)

    def move(self, no: str, state: str) -> Appeal:
        """Puts an appeal into another state, as a clerk would."""
        self.appeals[no] = replace(self.appeals[no], state=state)
        return self.appeals[no]

    def filed_by(self, session: str) -> list[AppealDraft]:
        """What the session filed, oldest first."""
        return [draft for draft in self.drafts.values() if draft.session == session]

    def _open(self, session: str, no: str) -> Appeal | None:
        found = self.appeals_of(session, no)
        return found[0] if found and found[0].state in OPEN_STATES else None
