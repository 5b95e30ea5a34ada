"""Says how alike two appeals are: by meaning, by the department they went to, by the policy they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.encoder import Encoder, Vectors
from service.appeals.departments import Department

# Fitted on half of tests/service/common_issues/pairs.jsonl (no false pair there, seven in ten found); on the other
# half six in ten are found and three of twenty deliberately near misses get in. Staff confirm every group.
SAME_DEPARTMENT = 0.2
SAME_POLICY = 0.2
ALIKE_FROM = 0.578


@dataclass(frozen=True)
class Placed:
    """An appeal as it is compared: its unit vector about the centre, department and policy."""

    appeal_id: int
    department: str
    policy_id: str | None
    vector: Vectors


class Meaning:
    """Encodes matters about the centre of what people write, without which all are nearly alike."""

    def __init__(self, encoder: Encoder, departments: Sequence[Department]) -> None:
        self._encoder = encoder
        self._examples = [d.example or d.duties[0] for d in departments if d.duties]
        self._centre: Vectors | None = None

    @property
    def name(self) -> str:
        return self._encoder.name

    def vectors(self, matters: Sequence[str]) -> Vectors:
        """Unit rows, shape (n, dim)."""
        if self._centre is None:
            self._centre = self._encoder.queries(self._examples).mean(axis=0)
        rows = self._encoder.queries(list(matters)) - self._centre
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        unit: Vectors = (rows / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)
        return unit


def likeness(one: Placed, others: Sequence[Placed]) -> Vectors:
    """To each of the others, comparable with ``ALIKE_FROM``; appeals about two policies are never alike."""
    if not others:
        return np.zeros(0, np.float32)
    found: Vectors = np.stack([other.vector for other in others]) @ one.vector
    for i, other in enumerate(others):
        found[i] += SAME_DEPARTMENT * (other.department == one.department)
        if one.policy_id and other.policy_id:
            found[i] += SAME_POLICY if one.policy_id == other.policy_id else -2.0
    return found
