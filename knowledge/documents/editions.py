"""Brings a newly read document together with the edition the catalogue holds, and finds which one that is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace

from rapidfuzz import fuzz

from knowledge.catalogue import Catalogue
from knowledge.documents.blocks import bare
from knowledge.policy import Level, Policy, Status
from knowledge.question import read_places

FIRST_NUMBER = 201
# Concluded from the paper; a person who corrected one took it out of `inferred`.
_CONCLUDED = ("level", "place", "department", "category", "benefit_type")
# What a paper does not give in this form: people add it to the record, and a new edition leaves it alone.
_ADDED_BY_PEOPLE = (
    "source_url", "asked", "industries", "amount_max_cny", "summary", "criteria", "materials", "window", "note", "confidence", "status_as_of",
)  # fmt: skip
_OTHER_PREFIX = {Level.DISTRICT: "XQ", Level.CITY: "QS", Level.PROVINCE: "QP", Level.NATION: "CN"}
_SAME_FILE_TITLE = 40.0


def earlier_edition(catalogue: Catalogue, new: Policy, by_file: str | None) -> Policy | None:
    """The imported policy of which ``new`` is the same document: same 文号, else same title and issuer, else the policy
    ``by_file`` that this file name brought last time, unless the titles have nothing in common.
    """
    imported = [policy for policy in catalogue.policies.values() if policy.wording]
    if new.doc_no:
        for policy in imported:
            if policy.doc_no == new.doc_no and _alike(policy, new):
                return policy
    for policy in imported:
        if bare(policy.title) == bare(new.title) and bare(policy.issuer) == bare(new.issuer):
            return policy
    named = catalogue.policies.get(by_file) if by_file else None
    return named if named is not None and named.wording and _alike(named, new) else None


def _alike(old: Policy, new: Policy) -> bool:
    """One number may send out two papers, and one file name (通知.docx) may hold another paper next year."""
    return fuzz.ratio(old.title, new.title) >= _SAME_FILE_TITLE


def next_id(catalogue: Catalogue, level: Level, place: str | None, used: Collection[str]) -> str:
    """The next free policy id from 201 on, with the prefix the catalogue uses for this place."""
    prefix = _prefix(catalogue, level, place)
    number = FIRST_NUMBER
    while f"{prefix}-{number}" in used or f"{prefix}-{number}" in catalogue.policies:
        number += 1
    return f"{prefix}-{number}"


def _prefix(catalogue: Catalogue, level: Level, place: str | None) -> str:
    """The commonest prefix of policies for ``place``; else that of other places of its level, home left out."""
    policies = catalogue.policies.values()
    own = _commonest(p for p in policies if p.place == place and p.level is level)
    if own:
        return own
    home = {read_places().home, *read_places().around(read_places().home)}
    other = _commonest(p for p in policies if p.level is level and p.place not in home)
    return other or _OTHER_PREFIX[level]


def _commonest(policies: Iterable[Policy]) -> str | None:
    counts = Counter(policy.id.partition("-")[0] for policy in policies)
    return counts.most_common(1)[0][0] if counts else None


def merged(old: Policy, new: Policy) -> Policy:
    """``new`` under the id of ``old``: what the paper says or leaves out counts, what people added stays."""
    kept: dict[str, object] = {key: getattr(old, key) for key in _ADDED_BY_PEOPLE}
    concluded = set(new.inferred)
    for key in _CONCLUDED:
        if key in concluded and key not in old.inferred:
            kept[key] = getattr(old, key)
            concluded.discard(key)
    if old.status is not Status.UNKNOWN and "status" not in old.inferred:
        kept["status"] = old.status
        concluded.discard("status")
    aliases = tuple(dict.fromkeys([*new.aliases, *old.aliases]))
    return replace(
        new,
        id=old.id,
        aliases=aliases,
        inferred=tuple(sorted(concluded)),
        **kept,  # type: ignore[arg-type]
    )


def file_stem(name: str) -> str:
    """A file name without what copying adds to it: ``措施 (1).docx`` is ``措施.docx``."""
    return re.sub(r"\s?[（(]\d{1,2}[）)](?=\.\w+$)", "", name)
