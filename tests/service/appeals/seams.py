"""Fakes for the two seams of the desk: the clock and the encoder."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from actions.desk import AppealDraft, AppealReason
from knowledge.encoder import Vectors
from service.appeals.clock import SHANGHAI


class Clock:
    """Stands at Monday 2026-11-23, 10:00 in Shanghai, until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 10, tzinfo=SHANGHAI)

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, step: timedelta) -> None:
        self.at += step


class LetterEncoder:
    """Counts characters: texts of the same characters are equal, others hardly alike."""

    name = "letters"
    dim = 256

    def queries(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), self.dim), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for letter in text or "。":
                row[zlib.crc32(letter.encode()) % self.dim] += 1
        unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self.queries(texts)


def draft(
    message_id: str,
    matter: str = "园区停电影响生产",
    session: str = "web-1",
    phone: str | None = None,
    policy_id: str | None = None,
    policy_department: str | None = None,
    credit_code: str | None = None,
    company: str | None = None,
) -> AppealDraft:
    return AppealDraft(
        session=session,
        message_id=message_id,
        matter=matter,
        reason=AppealReason.NO_ANSWER,
        policy_id=policy_id,
        policy_department=policy_department,
        phone=phone,
        credit_code=credit_code,
        company=company,
    )
