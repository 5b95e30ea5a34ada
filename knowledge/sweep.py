"""The sweep: every enterprise of a table against every policy, written as the pairs worth a look."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from knowledge.conditions import Checked, Truth, all_of, check
from knowledge.enterprise_table import SYNTHETIC, EnterpriseTable, Problems
from knowledge.fields import Fields
from knowledge.masks import Plan, Verdict
from knowledge.pairs import PairFile, Pairing, written_whole
from knowledge.policy import Policy
from knowledge.profile import Profile

# Called with how many enterprises are done, and how many there are in all where that is known.
Progress = Callable[[int, int | None], None]
_VERDICTS = {
    Truth.MET: Verdict.ELIGIBLE,
    Truth.UNKNOWN: Verdict.UNKNOWN,
    Truth.FAILED: Verdict.INELIGIBLE,
}


@dataclass(frozen=True)
class SweepReport:
    """What a sweep did. ``pairs`` counts each verdict, the ineligible included, which are not in the file.

    ``conditions`` is how many distinct ones there are; ``unconditional`` are the policies whose record holds none, so
    that everyone is eligible.
    """

    enterprises: int
    policies: int
    conditions: int
    pairs: Counter[Verdict]
    unconditional: tuple[str, ...]
    problems: Problems
    is_synthetic: bool


def sweep(
    policies: Iterable[Policy],
    table: EnterpriseTable,
    out: Path,
    day: date,
    progress: Progress = lambda done, total: None,
) -> SweepReport:
    """Holds all enterprises against all policies and writes ``out``: enterprise, policy_id, verdict.

    What each policy's status is on ``day`` stands in the file's metadata, once. The memory does not grow with the enterprises. While one slice is computed, the last is written.

    Raises:
        TableError: a table that cannot be read, or an ``out`` that cannot be written; ``out`` is as it was then.
    """
    plan = Plan.of(policies)
    pairing, done = Pairing(plan), 0
    with written_whole(out, table.file.path) as part, ThreadPoolExecutor(1) as writing:
        file = PairFile(part)
        last: Future[None] | None = None
        for found in table.slices():
            for batch in pairing.batches(found):
                if last:
                    last.result()
                last = writing.submit(file.add, batch)
            done += len(found)
            progress(done, table.file.rows)
        if last:
            last.result()
        file.close(facts_of(plan, day, done, table.is_synthetic))
    return report_of(plan, pairing.counts, done, table.problems, table.is_synthetic)


def facts_of(plan: Plan, day: date, enterprises: int, is_synthetic: bool) -> dict[str, str]:
    """What the file's metadata tells of the sweep."""
    return {
        "as_of": day.isoformat(),
        "enterprises": str(enterprises),
        "policies": str(len(plan.policies)),
        "status": json.dumps({policy.id: policy.status_on(day) for policy in plan.policies}),
        SYNTHETIC: str(is_synthetic).lower(),
    }


def report_of(
    plan: Plan, pairs: Counter[Verdict], enterprises: int, problems: Problems, is_synthetic: bool
) -> SweepReport:
    bare = tuple(policy.id for policy in plan.policies if not policy.criteria)
    conditions = len(plan.conditions) + len(plan.alternatives)
    return SweepReport(
        enterprises, len(plan.policies), conditions, pairs, bare, problems, is_synthetic
    )


def reasons(
    policy: Policy, profile: Profile, fields: Fields
) -> tuple[Verdict, tuple[Checked, ...]]:
    """Why one pair came out as it did: the verdict with every condition, its fact and its gap."""
    checked = tuple(check(criterion, profile, fields) for criterion in policy.criteria)
    return _VERDICTS[all_of(each.truth for each in checked)], checked
