"""Works what imported papers do to others into the policies of the catalogue, whichever came first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from knowledge.acts import Act, ActKind, source_of
from knowledge.documents.classify import seat_of
from knowledge.documents.numbers import folded_no
from knowledge.documents.references import names_of
from knowledge.documents.repeals import Aim
from knowledge.policy import Policy, Status, years_after


@dataclass(frozen=True)
class Deed:
    """One paper and all it does to others; a later edition of the paper replaces the deed."""

    file: str
    title: str
    doc_no: str | None
    issuer: str
    aims: tuple[Aim, ...]

    @property
    def source(self) -> str:
        return source_of(self.title, self.doc_no, self.issuer)


@dataclass(frozen=True)
class Effect:
    """What one aim of an imported paper comes to. ``policies`` are the ids it hits; empty: none is in the catalogue."""

    aim: Aim
    policies: tuple[str, ...]


class Aftermath:
    """The deeds of all imported papers, by paper."""

    def __init__(self, deeds: Iterable[Deed]) -> None:
        self._deeds = {deed.source: deed for deed in deeds}

    def put(self, deed: Deed) -> bool:
        """Takes in a deed; whether anything is another by it. A paper that never did anything needs no deed."""
        known = self._deeds.get(deed.source)
        if (known is None and not deed.aims) or (known and known.aims == deed.aims):
            return False
        self._deeds[deed.source] = deed
        return True

    def applied(self, policy: Policy, before: Policy | None = None) -> Policy:
        """``policy`` with what all papers do to it; the same again when applied again.

        ``before`` is the policy as the catalogue has it, where ``policy`` is a new edition of it.
        """
        known = [*policy.acts, *(before.acts if before else ())]
        acts = dict.fromkeys(act for act in known if act.source not in self._deeds)
        acts |= dict.fromkeys(
            _act(deed, aim, policy, known)
            for deed in self._deeds.values()
            for aim in deed.aims
            if hits(deed, aim, policy)
        )
        ordered = tuple(sorted(acts, key=lambda act: act.day or date.min))
        last = max((act.until for act in ordered if act.until), default=None)
        if last is None or (policy.valid_to and policy.valid_to >= last):
            return replace(policy, acts=ordered) if ordered != policy.acts else policy
        status = Status.CURRENT if policy.status is Status.UNKNOWN else policy.status
        return replace(policy, acts=ordered, valid_to=last, status=status)


def effects_of(deed: Deed, policies: Iterable[Policy]) -> tuple[Effect, ...]:
    """What each aim of ``deed`` hits."""
    held = list(policies)
    return tuple(
        Effect(aim, tuple(policy.id for policy in held if hits(deed, aim, policy)))
        for aim in deed.aims
    )


def hits(deed: Deed, aim: Aim, policy: Policy) -> bool:
    """Whether ``aim`` means ``policy``: by its number where both have one, else by its whole title.

    A title alone must also be of the same place, and issued before it was repealed.
    """
    if source_of(policy.title, policy.doc_no, policy.issuer) == deed.source:
        return False
    if aim.doc_no and policy.doc_no:
        return folded_no(aim.doc_no) == folded_no(policy.doc_no)
    if aim.title is None:
        return False
    called = names_of(policy.title).union(*(names_of(alias) for alias in policy.aliases))
    seat = seat_of(deed.issuer, deed.title, deed.doc_no)
    is_of_place = seat is None or seat.place == policy.place
    issued = policy.valid_from or policy.published
    is_older = aim.day is None or issued is None or issued <= aim.day
    return is_of_place and is_older and not called.isdisjoint(names_of(aim.title))


def _act(deed: Deed, aim: Aim, policy: Policy, known: Iterable[Act]) -> Act:
    until = aim.until
    if aim.years:
        told = (a.until for a in known if a.source == deed.source and a.kind is aim.kind)
        counted = years_after(policy.valid_to, aim.years) if policy.valid_to else None
        until = next(filter(None, told), counted)
    return Act(
        aim.kind, deed.title, deed.doc_no, deed.issuer, aim.day, aim.word, aim.clauses, until
    )


def deed_row(deed: Deed) -> dict[str, Any]:
    """A deed as JSON."""
    return {**vars(deed), "aims": [aim_row(aim) for aim in deed.aims]}


def aim_row(aim: Aim) -> dict[str, Any]:
    days = {
        key: day.isoformat() if day else None
        for key, day in (("day", aim.day), ("until", aim.until))
    }
    return {**vars(aim), **days, "kind": aim.kind.value, "clauses": list(aim.clauses)}


def deed_of(row: Mapping[str, Any]) -> Deed:
    """The deed of a row. Raises ``ValueError``, ``KeyError`` or ``TypeError`` where it is damaged."""
    return Deed(
        row["file"], row["title"], row["doc_no"], row["issuer"], tuple(map(_aim_of, row["aims"]))
    )


def _aim_of(row: Mapping[str, Any]) -> Aim:
    return Aim(
        ActKind(row["kind"]),
        row["title"],
        row["doc_no"],
        date.fromisoformat(row["day"]) if row["day"] else None,
        row["word"],
        tuple(row["clauses"]),
        date.fromisoformat(row["until"]) if row["until"] else None,
        row["years"],
    )
