"""The console's pages as JSON: catalogue and hit test, enterprises, dashboard."""

from __future__ import annotations

from datetime import date
from enum import IntEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from knowledge.fields import read_fields
from knowledge.labels import Day
from service.console import queries_catalogue, queries_enterprises
from service.console.hit_test import HitTest, hit_test
from service.console.parts import ConsoleParts
from service.console.queries_appeals import departments_seen
from service.console.queries_catalogue import PoliciesFound, PolicyFilter, PolicyView
from service.console.queries_dashboard import Dashboard, Viewer
from service.console.queries_enterprises import EnterpriseLine, EnterpriseView
from service.conversations.routes import clean_text
from service.db import utc_now
from service.limits import caller
from service.matching.operations import match_out
from service.matching.schemas import MatchOut
from service.staff.access import require
from service.staff.audit import record
from service.staff.permissions import Permission, Staff

_MOST_LISTED = 100
_MOST_MATCHES = 200


class HitTestRequest(BaseModel):
    """A question and the day it is asked on; today when absent."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, BeforeValidator(clean_text)]
    as_of: Day | None = None


class Binding(BaseModel):
    """A conversation whose speaker may speak for the enterprise."""

    model_config = ConfigDict(extra="forbid")

    session: str = Field(min_length=1, max_length=64)


class Range(IntEnum):
    """How many days the dashboard looks back, today included."""

    WEEK = 7
    MONTH = 30
    QUARTER = 90


CatalogueReader = Annotated[Staff, Depends(require(Permission.CATALOGUE_READ))]
EnterpriseReader = Annotated[Staff, Depends(require(Permission.ENTERPRISES_READ))]
Binder = Annotated[Staff, Depends(require(Permission.ENTERPRISES_BIND))]
DashboardReader = Annotated[Staff, Depends(require(Permission.DASHBOARD_READ))]
Filter = Annotated[PolicyFilter, Query()]


def console_router(parts: ConsoleParts) -> APIRouter:
    """The endpoints below /api/staff that stand behind the console's pages."""
    router = APIRouter(prefix="/api/staff", tags=["console"])
    _add_catalogue(router, parts)
    _add_enterprises(router, parts)

    @router.get("/dashboard")
    def read_dashboard(staff: DashboardReader, days: Range = Range.MONTH) -> Dashboard:
        """The figures of the last days; a department's appeals are its own."""
        with parts.database.reading() as db:
            return parts.figures.dashboard(db, int(days), utc_now(), viewer_of(staff))

    return router


def viewer_of(staff: Staff) -> Viewer:
    """What the dashboard shows to somebody; what was asked belongs to those who handle question debt."""
    return Viewer(departments_seen(staff), staff.may(Permission.DEBT_READ))


def _add_catalogue(router: APIRouter, parts: ConsoleParts) -> None:
    @router.get("/catalogue")
    def list_policies(
        staff: CatalogueReader,
        wanted: Filter,
    ) -> PoliciesFound:
        """The first policies that fit; ``status`` is judged today."""
        catalogue = parts.live.now.catalogue
        return queries_catalogue.browse(catalogue, wanted, parts.settings.today(), _MOST_LISTED)

    @router.post("/catalogue/hit-test")
    def try_question(staff: CatalogueReader, body: HitTestRequest) -> HitTest:
        """What the bot would answer, and what it weighed; nothing is stored."""
        day = body.as_of or parts.settings.today()
        return hit_test(parts.live.now, parts.rehearse, body.text, day)

    @router.get("/catalogue/{policy_id}")
    def read_policy(
        staff: CatalogueReader, policy_id: str, as_of: Annotated[date | None, Query()] = None
    ) -> PolicyView:
        """One policy with all its clauses and its validity on a day."""
        day = as_of or parts.settings.today()
        return queries_catalogue.policy_view(
            parts.live.now.catalogue, read_fields(), policy_id, day
        )


def _add_enterprises(router: APIRouter, parts: ConsoleParts) -> None:
    database = parts.database

    @router.get("/enterprises")
    def find_enterprises(
        staff: EnterpriseReader, text: Annotated[str, Query(max_length=200)] = ""
    ) -> list[EnterpriseLine]:
        """Those of this credit code, name or alias."""
        with database.reading() as db:
            return queries_enterprises.search(db, parts.names, text)

    @router.get("/enterprises/{credit_code}")
    def read_enterprise(
        request: Request,
        staff: EnterpriseReader,
        credit_code: str,
        purpose: Annotated[str | None, Query(max_length=200)] = None,
    ) -> EnterpriseView:
        """What is known of one; that it was opened is put into the audit log."""
        code = _open(parts, request, staff, credit_code, purpose)
        with database.reading() as db:
            return queries_enterprises.enterprise_view(db, code, read_fields())

    @router.get("/enterprises/{credit_code}/matches")
    def match_enterprise(
        request: Request, staff: EnterpriseReader, credit_code: str
    ) -> list[MatchOut]:
        """Items with the conditions met, failed and unknown, the best first; counts as opening the enterprise."""
        _open(parts, request, staff, credit_code, "匹配政策")
        with database.reading() as db:
            profile = queries_enterprises.profile_to_match(db, credit_code)
        matcher = parts.live.now.matcher
        found = matcher.match(profile, parts.settings.today(), top=_MOST_MATCHES)
        return [match_out(each, matcher.fields) for each in found]

    @router.post("/enterprises/{credit_code}/speakers", status_code=204)
    def bind(staff: Binder, credit_code: str, binding: Binding) -> None:
        """Lets the speaker of a conversation speak for the enterprise."""
        with database.session() as db:
            queries_enterprises.bind_speaker(db, credit_code, binding.session, staff.id, utc_now())

    @router.delete("/enterprises/{credit_code}/speakers/{session}", status_code=204)
    def unbind(staff: Binder, credit_code: str, session: str) -> None:
        """Takes a binding back."""
        with database.session() as db:
            queries_enterprises.unbind_speaker(db, credit_code, session, staff.id, utc_now())


def _open(
    parts: ConsoleParts, request: Request, staff: Staff, credit_code: str, purpose: str | None
) -> str:
    """Puts into the audit log who opens the enterprise; its credit code as stored."""
    with parts.database.session() as db:
        code = queries_enterprises.on_file(db, credit_code).credit_code
        subject, address = ("enterprise", code), caller(request)
        now = utc_now()
        record(db, staff.id, "enterprise_opened", subject, now, purpose=purpose, address=address)
        return code
