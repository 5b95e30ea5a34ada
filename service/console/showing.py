"""Puts what the database holds into words and HTML for the console; every value is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.appeals.departments import directory
from service.console import appeal_words, texts
from service.db import utc_now
from service.handoff.inbox import InboxRow

SHANGHAI = ZoneInfo("Asia/Shanghai")
_TEMPLATES = Path(__file__).parent / "templates"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        clock=clock,
        date=day,
        time=clock_time,
        moment=moment,
        names=texts.visitor_name,
        owners=texts.owner_words,
        tones=texts.OWNER_TONES,
        intents=texts.INTENTS,
        verdicts=texts.VERDICTS,
        verdict_tones=texts.VERDICT_TONES,
        states=appeal_words.STATES,
        state_tones=appeal_words.STATE_TONES,
        extensions=appeal_words.EXTENSIONS,
        has_clock=appeal_words.has_clock,
        clock_tone=appeal_words.clock_tone,
        department=lambda name: directory().shown(name),
        kinds=texts.KINDS,
        kind_tones=texts.KIND_TONES,
        causes=texts.CAUSES,
        cause_tones=texts.CAUSE_TONES,
        closures=texts.CLOSURES,
        signed_states=texts.SIGNED_STATES,
        signed_tones=texts.SIGNED_TONES,
    )
    return environment


def html_of(template: str, **values: object) -> str:
    """One of the templates, filled in."""
    return _environment().get_template(template).render(**values)


def inbox_rows(
    rows: Sequence[InboxRow], chosen: str | None, looked_for: str | None, me: str
) -> str:
    """The inbox's list; a row that looks the same to several people is made once."""
    if not rows:
        return html_of("inbox_rows.html", rows=(), chosen=chosen, looked_for=looked_for, me=me)
    today = utc_now().astimezone(SHANGHAI).date()
    return "".join(
        _inbox_row(row, row.conversation_id == chosen, row.assigned_to == me, today) for row in rows
    )


@lru_cache(5000)
def _inbox_row(row: InboxRow, is_chosen: bool, is_suggested: bool, _today: date) -> str:
    # Times are shown as seen from today.
    return html_of(
        "inbox_rows.html",
        rows=(row,),
        chosen=row.conversation_id if is_chosen else None,
        looked_for=None,
        me=row.assigned_to if is_suggested else "",
    )


def clock(at: datetime) -> str:
    """``14:05`` today, ``11-23`` this year, else with the year, in Beijing time."""
    local, now = at.astimezone(SHANGHAI), utc_now().astimezone(SHANGHAI)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    return f"{local:%m-%d}" if local.year == now.year else f"{local:%Y-%m-%d}"


def day(at: datetime) -> str:
    """``2026年11月23日`` in Beijing time."""
    local = at.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日"


def clock_time(at: datetime) -> str:
    """``14:05`` in Beijing time."""
    return f"{at.astimezone(SHANGHAI):%H:%M}"


def moment(at: datetime) -> str:
    """``2026-11-23 14:05`` in Beijing time."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
