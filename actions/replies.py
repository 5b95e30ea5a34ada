"""The shape of what the assistant says, as it travels from an action to every channel."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field


class Author(StrEnum):
    BOT = "bot"
    PERSON = "person"
    SYSTEM = "system"


class ReplyKind(StrEnum):
    ANSWER = "answer"
    REFUSAL = "refusal"
    MATCH = "match"
    APPEAL = "appeal"
    QUESTION = "question"
    HANDOFF = "handoff"
    TEXT = "text"


class _Card(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Button(_Card):
    """One offered next step. ``payload`` is what the client sends back as ``text`` when it is pressed."""

    title: str
    payload: str


class CitationCard(_Card):
    """A stored clause as shown to a person; ``quote`` is the clause's text, letter for letter."""

    policy_id: str
    title: str
    doc_no: str | None
    issuer: str
    clause: str
    quote: str
    valid_from: date | None
    valid_to: date | None
    status: str
    url: str | None


class GapCard(_Card):
    """How far a number is from what is needed, in the field's unit; ``text`` is Chinese."""

    amount: float
    unit: str | None
    text: str


class CriterionCard(_Card):
    """One condition of a policy against one enterprise: what it has, what is needed.

    ``have``, ``need`` and ``label`` are Chinese; ``source`` (registry, profile, said, derived) and ``day`` tell where what it has
    is known from. ``clause`` is the id of the clause the condition stands in.
    """

    field: str
    verdict: str
    have: str | None
    need: str
    clause: str | None
    label: str | None = None
    source: str | None = None
    day: date | None = None
    gap: GapCard | None = None


class DatesCard(_Card):
    """Whether an item can be applied for, apart from the verdict; ``text`` is Chinese."""

    state: str
    text: str
    closes: date | None = None
    days_left: int | None = None


class MatchCard(_Card):
    """One policy against one enterprise. ``amount_max_cny`` is in yuan, absent where the record has none."""

    policy_id: str
    title: str
    verdict: str
    score: float
    amount_max_cny: int | None
    criteria: list[CriterionCard] = Field(default_factory=list)
    dates: DatesCard | None = None


class AppealCard(_Card):
    """An appeal (诉求) as its requester sees it. ``due_at`` is an aware time."""

    no: str
    state: str
    department: str
    due_at: datetime


class Reply(_Card):
    """One message of the assistant, the contract of ``POST /api/chat``.

    ``name`` is who said it where ``author`` is a person.
    """

    id: str = Field(default_factory=lambda: uuid4().hex)
    author: Author = Author.BOT
    kind: ReplyKind = ReplyKind.TEXT
    text: str
    citations: list[CitationCard] = Field(default_factory=list)
    matches: list[MatchCard] = Field(default_factory=list)
    appeal: AppealCard | None = None
    buttons: list[Button] = Field(default_factory=list)
    name: str | None = None
