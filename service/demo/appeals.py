"""Files the demo's appeals and leads each through its steps, by the operations the desk itself uses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select

from actions.appeal import appeal_reply
from actions.desk import AppealDraft, AppealReason
from service.appeals import handling
from service.appeals.departments import directory
from service.appeals.models import Appeal
from service.appeals.rounds import look
from service.appeals.staff_routes import STEPS, Step
from service.common_issues import operations as issues
from service.common_issues.grouping import group_open_appeals
from service.common_issues.likeness import Meaning
from service.common_issues.models import CommonIssue, CommonIssueMember
from service.conversations.turns import Claim, Outcome
from service.db import Database
from service.demo import script
from service.demo.clock import SetClock, WorkingDays
from service.demo.people import place
from service.demo.script import Common, Matter
from service.demo.standing import BY
from service.demo.talking import Stage
from service.desk import ServiceDesk
from service.rooms import Rooms
from service.staff.permissions import Role, Staff


class Handling:
    """Where the demo's appeals are handled; ``numbers`` are those filed, by key."""

    def __init__(
        self, database: Database, rooms: Rooms, stage: Stage, clock: SetClock,
        staff: Mapping[str, Staff], days: WorkingDays, now: datetime,
    ) -> None:  # fmt: skip
        self._database, self._rooms, self._stage, self._clock = database, rooms, stage, clock
        self._staff, self._days, self._now = staff, days, now
        self._centre = next(each for each in staff.values() if each.role is Role.CENTRE)
        self.numbers: dict[str, str] = {}

    def tell(self, matter: Matter) -> None:
        """One appeal from its filing to where it stands now."""
        at = self._days.ago(matter.days_ago)
        session = f"demo-appeal-{matter.key}"
        self._stage.say(session, matter.matter, at, lambda claim: self._file(matter, claim))
        no = self.numbers[matter.key]
        with self._database.session() as db:
            place(db, session, None, matter.enterprise, BY, self._now)
        self._direct(no, matter.department, self._days.later(at, 0.05))
        for step in matter.steps:
            at = self._days.later(at, step.after)
            self._pass_time(no, at)
            self._do(session, no, step, at)
        self._pass_time(no, self._now)

    def group(self, common: Common, meaning: Meaning) -> None:
        """Proposes what is alike as common issues, confirms the one that holds the appeal named."""
        group_open_appeals(self._database, meaning, self._days.ago(0.2))
        with self._database.session() as db:
            query = (
                select(CommonIssue)
                .join(CommonIssueMember, CommonIssueMember.issue_id == CommonIssue.id)
                .join(Appeal, Appeal.id == CommonIssueMember.appeal_id)
                .where(Appeal.no == self.numbers[common.has])
            )
            issue = db.scalars(query).one_or_none()
            if issue is not None:
                at = self._days.ago(0.1)
                issues.confirm(db, issue.no, self._staff[common.by], common.title, at)

    def _file(self, matter: Matter, claim: Claim) -> Outcome:
        desk: ServiceDesk = self._rooms.desk
        draft = AppealDraft(
            session=claim.conversation_id,
            message_id=claim.message_id,
            matter=matter.matter,
            reason=AppealReason.REQUESTED,
            phone=matter.phone,
            credit_code=matter.enterprise,
        )
        filed = desk.file_appeal(draft)
        self.numbers[matter.key] = filed.no
        return Outcome([appeal_reply(filed)])

    def _direct(self, no: str, department: str, at: datetime) -> None:
        """What the bot dispatched elsewhere the centre dispatches anew."""
        wanted = directory().today(department)
        assert wanted is not None, department
        with self._clock.at(at), self._database.session() as db:
            if db.scalars(select(Appeal.department).where(Appeal.no == no)).one() != wanted.name:
                handling.dispatch_to(db, no, self._centre, department, now=at)

    def _do(self, session: str, no: str, step: script.Step, at: datetime) -> None:
        if step.say is not None:
            self._stage.say(session, step.say.replace("{no}", no), at)
        elif step.do == "rate-by-visitor":
            with self._clock.at(at):
                self._rooms.desk.rate(session, step.fields["satisfied"], "", f"{no}-rated")
        elif step.do is not None:
            _, _, do = STEPS[step.do]
            hours = self._rooms.office.hours()
            with self._clock.at(at), self._database.session() as db:
                who = self._staff[step.by] if step.by else self._lead(no)
                do(db, no, who, Step.model_validate(step.fields), at, hours)

    def _lead(self, no: str) -> Staff:
        """Somebody of the department that leads now; the centre where the demo has nobody there."""
        with self._database.reading() as db:
            leading = db.scalars(select(Appeal.department).where(Appeal.no == no)).one()
        own = (
            who for who in self._staff.values()
            if who.department and leading in directory().names_of(who.department)
        )  # fmt: skip
        return next(own, self._centre)

    def _pass_time(self, no: str, until: datetime) -> None:
        """Lets the watch do what it would have done until then: warn, end pauses, close."""
        while True:
            with self._database.reading() as db:
                due = db.scalars(select(Appeal.next_check_at).where(Appeal.no == no)).one()
            if due is None or due > until:
                return
            with self._clock.at(due), self._database.session() as db:
                look(db, no, due)
