"""The sweep: every enterprise of a table against every policy, written as the pairs worth a look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from knowledge.conditions import Checked, check
from knowledge.enterprise_table import SYNTHETIC, EnterpriseTable, Problems
from knowledge.fields import Fields
from knowledge.masks import Plan
from knowledge.pairs import Labels, PairFile, Pairing, written_whole
from knowledge.policy import Policy
from knowledge.profile import Profile
from knowledge.verdicts import Verdict, verdict_of

# Called with how many enterprises are done, and how many there are in all where that is known.
Progress = Callable[[int, int | None], None]


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
    """Holds all enterprises against all policies and writes ``out``, parquet, a row a pair that is not ineligible.

    Its columns are enterprise (``Slice.keys``), policy_id, verdict, and the policy's status on ``day``. The memory
    needed does not grow with the enterprises.

    Raises:
        TableError: a table that cannot be read, or an ``out`` that cannot be written; ``out`` is as it was then.
    """
    plan = Plan.of(policies)
    pairing, done = Pairing(plan), 0
    with written_whole(out, table.file.path) as part, part.open("wb") as file:
        pairs = PairFile(file, Labels.of(plan, day))
        for found in table.slices():
            for block in pairing.blocks(found):
                pairs.add(block)
            done += len(found)
            progress(done, table.file.rows)
        facts = {
            "as_of": day.isoformat(),
            "enterprises": str(done),
            "policies": str(len(plan.policies)),
        }
        pairs.close({**facts, SYNTHETIC: str(table.is_synthetic).lower()})
    return report_of(plan, pairing.counts, done, table.problems, table.is_synthetic)


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
    return verdict_of(each.truth for each in checked), checked
