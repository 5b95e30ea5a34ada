"""Measures one enterprise against 3,323 items: ``python -m tests.bench_match``.

The items are synthetic: those of the demo catalogue over and over, their thresholds moved. Prints the medians and 95th
percentiles of each step over many made-up enterprises, and a plain loop over the same conditions beside it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np

from knowledge.bundle import best_bundle
from knowledge.catalogue import Catalogue, read_catalogue
from knowledge.conditions import truth_of
from knowledge.exclusions import read_exclusions
from knowledge.matching import Matcher
from knowledge.next_question import next_question
from knowledge.policy import Criterion, Op
from knowledge.profile import Profile, read_profile
from knowledge.verdicts import verdict_of
from service.matching.operations import Wish, find_matches
from tests.knowledge.enterprises import ENTERPRISES

ITEMS = 3323
ROUNDS = 10
DAY = date(2026, 11, 24)


def main() -> None:
    matcher = Matcher(synthetic(ITEMS))
    facts = [read_profile(raw, matcher.fields)[0] for raw in ENTERPRISES]
    full = [merged(facts, seed) for seed in range(len(facts))]
    print(f"{ITEMS} synthetic items, {len(matcher.table.leaves)} distinct conditions")
    for name, profiles in (("few facts", facts), ("many facts", full)):
        known = np.mean([len(profile.facts) for profile in profiles])
        print(f"{name} ({known:.0f} on average)")
        for step, run in steps(matcher).items():
            times = np.array([timed(run, p) for p in profiles for _ in range(ROUNDS)])
            p50, p95 = np.percentile(times, (50, 95))
            print(f"  {step:24} p50 {p50:7.2f} ms   p95 {p95:7.2f} ms")


def steps(matcher: Matcher) -> dict[str, Callable[[Profile], object]]:
    def loop(profile: Profile) -> object:
        return [verdict_of(truth_of(c, profile) for c in p.criteria) for p in matcher.policies]

    return {
        "verdicts and best ten": lambda p: matcher.match(p, DAY),
        "next question": lambda p: next_question(matcher, p, DAY),
        "near misses": lambda p: matcher.near_misses(p, DAY),
        "bundle": lambda p: best_bundle(matcher.eligible(p, DAY), read_exclusions()),
        "all of it, as JSON": lambda p: find_matches(matcher, Wish(p, DAY)).model_dump_json(),
        "plain loop, verdicts only": loop,
    }


def synthetic(count: int) -> Catalogue:
    """The demo catalogue repeated up to ``count`` items, numbers moved by up to a factor of two."""
    rng = random.Random(0)
    real = list(read_catalogue().policies.values())
    return Catalogue(
        replace(
            real[n % len(real)],
            id=f"SY-{n:04}",
            criteria=tuple(moved(c, rng) for c in real[n % len(real)].criteria),
        )
        for n in range(count)
    )


def moved(criterion: Criterion, rng: random.Random) -> Criterion:
    value = criterion.value
    if criterion.op is Op.OR and isinstance(value, tuple):
        parts = tuple(moved(part, rng) for part in value if isinstance(part, Criterion))
        return replace(criterion, value=parts)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return replace(criterion, value=value * rng.choice([0.5, 0.8, 1, 1.25, 2]))
    return criterion


def merged(profiles: list[Profile], seed: int) -> Profile:
    """The facts of a dozen enterprises in one."""
    rng, whole = random.Random(seed), Profile()
    for profile in rng.sample(profiles, 12):
        whole = whole.with_facts(profile.facts)
    return whole


def timed(run: Callable[[Profile], object], profile: Profile) -> float:
    began = time.perf_counter()
    run(profile)
    return (time.perf_counter() - began) * 1e3


if __name__ == "__main__":
    main()
