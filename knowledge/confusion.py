"""Counts what was taken for what, and how far the told chances came true."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import binomtest

from knowledge.catalogue import Catalogue
from knowledge.measures import Case, stored_clause
from knowledge.policy import Facet

BINS = 10
UNTOLD = "none"
_BRACKET = re.compile(r"[（(]")
# These facets have few clauses of their own; any of these answers them (knowledge/answer.py).
_ANSWERED_BY = {
    Facet.PROCESS: {Facet.PROCESS, Facet.WINDOW, Facet.MATERIALS, Facet.DEPARTMENT},
    Facet.OVERVIEW: {Facet.OVERVIEW, Facet.AMOUNT, Facet.CONDITIONS},
}


def confused_policies(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Answers whose first policy is wrong, as pairs, most frequent first.

    ``siblings`` tells that the policy got and one wanted share the title before its first bracket; ``ids`` are the
    questions.
    """
    pairs: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for case in cases:
        wanted, got = case.question.right_policies, case.outcome.policies[:1]
        if case.question.is_findable and got and not wanted & set(got):
            pairs.setdefault((tuple(sorted(wanted)), got[0]), []).append(case.question.id)
    catalogue = cases[0].catalogue if cases else None
    return [
        {
            "want": list(wanted),
            "got": got,
            "n": len(ids),
            "siblings": catalogue is not None
            and any(are_siblings(each, got, catalogue) for each in wanted),
            "ids": ids,
        }
        for (wanted, got), ids in sorted(pairs.items(), key=lambda item: -len(item[1]))
    ]


def are_siblings(one: str, other: str, catalogue: Catalogue) -> bool:
    """Whether two policies differ only in what their titles put in brackets, as variants of one item do."""
    if one not in catalogue.policies or other not in catalogue.policies:
        return False
    return base_title(catalogue.policies[one].title) == base_title(catalogue.policies[other].title)


def base_title(title: str) -> str:
    """The title before its first bracket: 福田区国高企业认定支持（存量企业） → 福田区国高企业认定支持."""
    return _BRACKET.split(title, maxsplit=1)[0].strip()


def confused_facets(cases: Sequence[Case]) -> dict[str, Any]:
    """The facet wanted (rows) against the facet shown (columns), over answers from a right policy.

    A facet counts as shown when one of the cited clauses answers it; otherwise the first clause tells the column.
    """
    seen: Counter[tuple[str, str]] = Counter()
    for case in cases:
        wanted = case.question.facet
        right = case.question.is_findable and case.finds(case.outcome.policies[:1])
        if wanted in set(Facet) and right and not case.outcome.refused:
            seen[Facet(wanted), _shown(case, Facet(wanted))] += 1
    order = [facet.value for facet in Facet]
    return _matrix(seen, [*order, UNTOLD])


def _shown(case: Case, wanted: Facet) -> str:
    clauses = [stored_clause(cited, case.catalogue) for cited in case.outcome.citations]
    facets = [clause.facet for clause in clauses if clause is not None]
    if _ANSWERED_BY.get(wanted, {wanted}) & set(facets):
        return wanted
    return facets[0] if facets else UNTOLD


def intent_matrix(cases: Sequence[Case]) -> dict[str, Any]:
    """The intent wanted (rows) against the intent understood (columns)."""
    seen = Counter(
        (case.question.intent, case.outcome.intent or UNTOLD)
        for case in cases
        if case.question.intent
    )
    names = {name for pair in seen for name in pair}
    order = Counter({name: sum(n for pair, n in seen.items() if name in pair) for name in names})
    return _matrix(seen, [name for name, _ in order.most_common()])


def _matrix(seen: Counter[tuple[str, str]], order: Sequence[str]) -> dict[str, Any]:
    """``counts[i][j]`` is how often ``labels[i]`` was taken for ``labels[j]``; labels never seen are left out."""
    labels = [str(name) for name in order if any(name in pair for pair in seen)]
    return {
        "labels": labels,
        "counts": [[seen[want, got] for got in labels] for want in labels],
    }


def reliability(cases: Sequence[Case]) -> dict[str, Any] | None:
    """The chance told against the share that came true, in ten bins of equal width; ``None`` when none was told.

    True is: the first policy considered, answered from or not, is a right one; for an unanswerable question it
    never is. Left out, as when the chance was fitted (knowledge/calibrate.py): follow-ups, and questions whose
    policy is right while the detail is not recorded. ``brier`` is the mean squared error (Brier 1950), ``gap`` the mean
    distance between chance and share over the bins, weighted by their size (expected calibration error, Naeini 2015).
    """
    told = [
        (case.outcome.chance, bool(_first(case) & case.question.right_policies))
        for case in cases
        if case.outcome.chance is not None and _is_fitted_for(case)
    ]
    if not told:
        return None
    chance = np.array([each for each, _ in told])
    true = np.array([each for _, each in told])
    number = np.minimum((chance * BINS).astype(int), BINS - 1)
    bins = [_bin(index, chance[number == index], true[number == index]) for index in set(number)]
    gap = sum(each["n"] * abs(each["chance"] - each["value"]) for each in bins) / len(told)
    return {
        "bins": sorted(bins, key=lambda each: float(each["from"])),
        "brier": round(float(np.mean((chance - true) ** 2)), 4),
        "gap": round(gap, 4),
        "n": len(told),
    }


def _bin(index: int, chance: Any, true: Any) -> dict[str, Any]:
    interval = binomtest(int(true.sum()), len(true)).proportion_ci(0.95, "wilson")
    return {
        "from": round(float(index) / BINS, 2),
        "to": round(float(index + 1) / BINS, 2),
        "chance": round(float(chance.mean()), 4),
        "value": round(float(true.mean()), 4),
        "low": round(float(interval.low), 4),
        "high": round(float(interval.high), 4),
        "n": len(true),
    }


def _first(case: Case) -> set[str]:
    return set() if case.question.unanswerable else set(case.outcome.considered[:1])


def _is_fitted_for(case: Case) -> bool:
    question = case.question
    if question.context or (question.unanswerable and question.policy_id):
        return False
    return question.unanswerable or bool(question.right_policies)
