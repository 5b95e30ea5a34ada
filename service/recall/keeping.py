"""Keeps, with each answer, the clauses it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from actions.replies import Reply, ReplyKind
from knowledge.policy import clause_hash
from service.recall.models import SOURCES, SourceKind

_KEEP = insert(SOURCES)  # built once: every turn with an answer runs it


def keep_sources(
    session: Session,
    message_id: str,
    conversation_id: str,
    replies: Sequence[Reply],
    sources: Iterable[tuple[str, str]],
    now: datetime,
) -> None:
    """Stores the clauses (id, hash) behind the replies to a message, in the caller's transaction.

    To be called once a message. A clause given with two hashes (the catalogue was exchanged within
    the turn) is kept with the last one.
    """
    hashes = dict(sources)
    if not hashes:
        return
    cards = [card for reply in replies for card in reply.citations]
    told = {card.policy_id: card.status for card in cards}
    # A clause may be repealed alone, so each counts by what its own card said.
    of_clause = {(c.policy_id, clause_hash(c.clause, c.quote)): c.status for c in cards}
    listed = {policy_id for reply in replies for policy_id in _listed(reply)}
    rows = []
    for clause_id, kept_hash in hashes.items():
        policy_id = clause_id.partition("#")[0]
        rows.append(
            {
                "message_id": message_id,
                "clause_id": clause_id,
                "clause_hash": kept_hash,
                "policy_id": policy_id,
                "conversation_id": conversation_id,
                "kind": SourceKind.MATCH if policy_id in listed else SourceKind.ANSWER,
                "status": of_clause.get((policy_id, kept_hash), told.get(policy_id)),
                "answered_at": now,
            }
        )
    session.execute(_KEEP, rows)


def _listed(reply: Reply) -> set[str]:
    """The policies a reply offers to choose from; none when it speaks of one policy."""
    cited = {card.policy_id for card in reply.citations}
    matched = {card.policy_id for card in reply.matches}
    is_list = reply.kind is ReplyKind.MATCH or len(cited) > 1
    return cited | matched if is_list else matched
