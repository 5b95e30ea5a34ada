"""Small worlds for tests of answers: policies made for one case, an encoder that costs nothing, cuts set by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from knowledge.answer import Answerer
from knowledge.catalogue import Catalogue
from knowledge.dense import VectorCache
from knowledge.encoder import Vectors
from knowledge.lexical import tokens
from knowledge.policy import Clause, Criterion, Facet, Level, Op, Policy, Status
from knowledge.ranking import Calibration, Calibrations, read_calibrations
from knowledge.retrieval import Retriever

# Nothing is left to the learned chance: whatever is found first is the answer, or is asked back about.
ALWAYS_ANSWER = {"answer_from": 0.0, "clarify_from": 0.0}
ALWAYS_ASK_BACK = {"answer_from": 1.01, "clarify_from": 0.0}
NEVER_ANSWER = {"answer_from": 1.01, "clarify_from": 1.01}


class HashedEncoder:
    """Texts that share words lie near to each other; the same text has the same vector in every process."""

    name, dim = "hashed", 64

    def queries(self, texts: Sequence[str]) -> Vectors:
        vectors = np.full((len(texts), self.dim), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for word in tokens(text):
                vectors[row, crc32(word.encode()) % self.dim] += 1
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    passages = queries


def policy(policy_id: str, title: str, **values: Any) -> Policy:
    """A policy in force in Futian, with a summary, unless told otherwise."""
    plain = Policy(
        id=policy_id,
        title=title,
        aliases=(),
        level=Level.DISTRICT,
        place="福田区",
        issuer="福田区某局",
        doc_no=None,
        source_url=None,
        published=None,
        valid_from=None,
        valid_to=None,
        status=Status.CURRENT,
        category="产业资金",
        industries=(),
        benefit_type="一次性奖励",
        amount_max_cny=None,
        summary=f"对{title}的企业，给予一次性奖励10万元。",
        criteria=(),
        materials=(),
        window=None,
        department="福田区某局",
        phone=None,
        confidence="high",
        note=None,
        inferred=(),
        status_as_of=date(2026, 11, 24),
    )
    return replace(plain, **values)


def document(policy_id: str, title: str, *clauses: tuple[Facet, str], **values: Any) -> Policy:
    """An imported document: no summary, its own wording, one article a clause."""
    wording = tuple(
        Clause(f"{policy_id}#c{n}", policy_id, facet, f"第{n}条", text, (f"第{n}条",), 1)
        for n, (facet, text) in enumerate(clauses, 1)
    )
    return policy(policy_id, title, **{"summary": None, "wording": wording, **values})


def retriever_of(
    policies: Iterable[Policy], folder: Path, cuts: dict[str, float] | None = None
) -> Retriever:
    """Search over these policies; ``cuts`` replace those learned (``ALWAYS_ANSWER``)."""
    learned = read_calibrations()
    calibrations = Calibrations(_cut(learned.both, cuts), _cut(learned.words, cuts))
    return Retriever(Catalogue(policies), HashedEncoder(), VectorCache(folder), calibrations)


def _cut(learned: Calibration, cuts: dict[str, float] | None) -> Calibration:
    if cuts is None:
        return learned
    answer_from, clarify_from = cuts["answer_from"], cuts["clarify_from"]
    return replace(learned, answer_from=answer_from, clarify_from=clarify_from, sure_from=1.01)


def answerer_of(
    policies: Iterable[Policy], folder: Path, cuts: dict[str, float] | None = None
) -> Answerer:
    """Answers from these policies; see ``retriever_of``."""
    return Answerer(retriever_of(policies, folder, cuts))


LOCAL = Criterion("registered_district", Op.EQ, "福田区", "注册地在福田区")
TOWN = (
    policy(
        "TT-001",
        "福田区无人机奖励",
        amount_max_cny=1_000_000,
        materials=("飞行执照", "营业执照"),
        criteria=(LOCAL,),
        window="每年三月",
    ),
    policy(
        "TT-002",
        "福田区直播电商奖励",
        amount_max_cny=500_000,
        materials=("直播间租约",),
        status=Status.EXPIRED,
    ),
    policy("TT-003", "福田区咖啡馆补贴", valid_from=date(2027, 1, 1), phone="0755-12345678"),
    policy("TT-004", "南山区无人机奖励", place="南山区", amount_max_cny=300_000),
    policy(
        "TT-005",
        "深圳市无人机奖励",
        place="深圳市",
        level=Level.CITY,
        amount_max_cny=2_000_000,
        category="全市产业发展资金",
        status=Status.UNKNOWN,
    ),
    policy("TT-006", "福田区菜市场改造", amount_max_cny=500_000, benefit_type="改造补贴"),
)
