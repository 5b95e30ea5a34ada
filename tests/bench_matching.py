"""Measures the sweep of all enterprises against all items: ``python -m tests.bench_matching``.

Enterprises and items are SYNTHETIC (``tests.synthetic``). Each run is a process of its own, so that its peak memory is its
own. Beside the sweep stand, on the same data and in the same run, Polars expressions and a plain Python loop over
``truth_of``; the loop is measured on a sample of enterprises and scaled up. Polars must come to the same counts.
Writes artifacts/matching_scale.json and docs/plots/matching-growth.svg.
"""

from __future__ import annotations

import argparse
import json
import operator
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from knowledge.catalogue import Catalogue, read_catalogue
from knowledge.conditions import all_of, truth_of
from knowledge.documents.export import write_catalogue
from knowledge.enterprise_table import EnterpriseTable
from knowledge.fields import read_fields
from knowledge.masks import Masks, Plan
from knowledge.policy import Criterion, Op, Policy
from knowledge.sweep import sweep
from knowledge.verdicts import Verdict
from tests import synthetic
from tests.server import ROOT

DAY = date(2026, 11, 1)
RUNS = 5
LOOPED = 200  # enterprises the plain loop is measured on
POLARS_ITEMS = 200  # items in one query
ENTERPRISES = (22_468, 44_937, 89_874, synthetic.ENTERPRISES, 2 * synthetic.ENTERPRISES)
ITEMS = (415, 831, 1_661, synthetic.ITEMS, 2 * synthetic.ITEMS)


def run_sweep(folder: Path, enterprises: int, items: int) -> dict[str, Any]:
    """The whole: read parquet, judge, write the pairs."""
    policies = catalogue_of(folder, items)
    before = peak_mb()
    took = timed(
        lambda: sweep(policies, table_of(folder, enterprises), folder / "out.parquet", DAY)
    )
    report = took.pop("result")
    file = (folder / "out.parquet").stat().st_size
    counts: dict[str, int] = {verdict.value: report.pairs[verdict] for verdict in Verdict}
    about = {"conditions": report.conditions, "file_mb": round(file / 1e6)}
    return {**took, "start_mb": before, "peak_mb": peak_mb(), "pairs": counts, **about}


def run_masks(folder: Path, enterprises: int, items: int) -> dict[str, Any]:
    """Counts of each verdict; the columns are in memory, no pair is written."""
    plan = Plan.of(catalogue_of(folder, items))
    slices = list(table_of(folder, enterprises).slices())

    def count() -> list[int]:
        sums = [0, 0]
        for found in slices:
            masks = Masks(plan, found.columns, len(found))
            for number in range(len(plan.items)):
                counts = masks.counts(number)
                sums[0] += counts[Verdict.ELIGIBLE]
                sums[1] += counts[Verdict.UNKNOWN]
        return sums

    took = timed(count)
    return {**took, "peak_mb": peak_mb()}


def run_polars(folder: Path, enterprises: int, items: int) -> dict[str, Any]:
    """The same counts by Polars expressions over a frame in memory, on all cores."""
    policies = catalogue_of(folder, items)
    frame = pl.read_parquet(enterprises_file(folder, enterprises))

    def count() -> list[int]:
        sums = [0, 0]
        for first in range(0, len(policies), POLARS_ITEMS):
            some = policies[first : first + POLARS_ITEMS]
            met = [_all(policy.criteria).alias(policy.id) for policy in some]
            asked = frame.lazy().select(met)
            found = asked.select(
                pl.all().sum().name.suffix("+"), pl.all().null_count().name.suffix("?")
            ).collect()
            row = found.row(0)
            sums[0] += sum(row[: len(some)])
            sums[1] += sum(row[len(some) :])
        return sums

    took = timed(count)
    return {**took, "peak_mb": peak_mb(), "threads": pl.thread_pool_size()}


def run_loop(folder: Path, enterprises: int, items: int) -> dict[str, Any]:
    """One enterprise after the other, one item after the other, on a sample; ``wall_s`` is scaled up."""
    policies = catalogue_of(folder, items)
    found = next(table_of(folder, enterprises).slices(LOOPED))
    profiles = [found.profile(row) for row in range(len(found))]

    def judge() -> int:
        return sum(
            len(all_of(truth_of(c, profile) for c in policy.criteria))
            for profile in profiles
            for policy in policies
        )

    took = timed(judge)
    took.pop("result")
    scale = enterprises / len(profiles)
    return {
        "measured": len(profiles),
        "measured_s": took["wall_s"],
        "wall_s": took["wall_s"] * scale,
    }


STEPS: dict[str, Callable[[Path, int, int], dict[str, Any]]] = {
    "sweep": run_sweep,
    "masks": run_masks,
    "polars": run_polars,
    "loop": run_loop,
}


def timed(call: Callable[[], Any]) -> dict[str, Any]:
    """The result, seconds on the clock and of processor time."""
    wall, used = time.perf_counter(), time.process_time()
    result = call()
    return {
        "result": result,
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - used,
    }


def peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _all(criteria: Iterable[Criterion]) -> pl.Expr:
    return pl.all_horizontal([_expression(criterion) for criterion in criteria])


def _expression(criterion: Criterion) -> pl.Expr:
    column, value = pl.col(criterion.field), criterion.value
    if isinstance(value, tuple):
        parts = [part for part in value if isinstance(part, Criterion)]
        if criterion.op is Op.OR:
            return pl.any_horizontal([_expression(part) for part in parts])
        if criterion.op is Op.IN:
            return column.is_in(list(value))
        some = pl.any_horizontal([column.list.contains(str(each)) for each in value])
        return some if criterion.op is Op.INCLUDES_ANY else ~some
    if isinstance(value, bool):
        return column if value else ~column
    compared: pl.Expr = _COMPARED[criterion.op](column, value)
    return compared


_COMPARED: dict[Op, Callable[[Any, Any], Any]] = {
    Op.EQ: operator.eq,
    Op.GTE: operator.ge,
    Op.GT: operator.gt,
    Op.LTE: operator.le,
    Op.LT: operator.lt,
}


def enterprises_file(folder: Path, count: int) -> Path:
    file = folder / f"enterprises-{count}.parquet"
    if not file.exists():
        synthetic.write_enterprises(file, count)
    return file


def table_of(folder: Path, count: int) -> EnterpriseTable:
    return EnterpriseTable(enterprises_file(folder, count), read_fields())


def catalogue_of(folder: Path, count: int) -> list[Policy]:
    file = folder / f"items-{count}.jsonl"
    if not file.exists():
        write_catalogue(Catalogue(synthetic.items(count)), file)
    return list(read_catalogue(file).policies.values())


def child(step: str, folder: Path, enterprises: int, items: int) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "tests.bench_matching",
        "--step",
        step,
        "--folder",
        str(folder),
    ]
    command += ["--enterprises", str(enterprises), "--items", str(items)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def repeated(step: str, folder: Path, enterprises: int, items: int, runs: int) -> dict[str, Any]:
    """The median of several runs, and the fastest: nearer to what an idle machine gives."""
    found = [child(step, folder, enterprises, items) for _ in range(runs)]
    times: dict[str, Any] = {
        name: round(statistics.median(each[name] for each in found), 2)
        for name in ("wall_s", "cpu_s")
        if name in found[0]
    }
    best = round(min(each["wall_s"] for each in found), 2)
    row: dict[str, Any] = {**found[-1], **times, "best_s": best}
    print(step, enterprises, items, json.dumps(row), flush=True)
    return row


def measure(folder: Path, runs: int) -> dict[str, Any]:
    size = (synthetic.ENTERPRISES, synthetic.ITEMS)
    report: dict[str, Any] = {"synthetic": True, "enterprises": size[0], "items": size[1]}
    enterprises_file(folder, size[0])
    catalogue_of(folder, size[1])
    for step in STEPS:
        report[step] = repeated(step, folder, *size, 1 if step == "loop" else runs)
    pairs = [report["sweep"]["pairs"][key] for key in ("eligible", "unknown")]
    assert report["masks"]["result"] == report["polars"]["result"] == pairs
    report["ratios"] = {
        "polars / masks": round(report["polars"]["wall_s"] / report["masks"]["wall_s"], 1),
        "loop / masks": round(report["loop"]["wall_s"] / report["masks"]["wall_s"]),
        "loop / sweep": round(report["loop"]["wall_s"] / report["sweep"]["wall_s"]),
    }
    report["by_enterprises"] = growth([(count, size[1]) for count in ENTERPRISES], folder, runs)
    report["by_items"] = growth([(size[0], count) for count in ITEMS], folder, runs)
    return report


def growth(sizes: Sequence[tuple[int, int]], folder: Path, runs: int) -> list[dict[str, Any]]:
    rows = []
    for enterprises, items in sizes:
        enterprises_file(folder, enterprises)
        catalogue_of(folder, items)
        row = {"enterprises": enterprises, "items": items}
        rows.append({**row, **repeated("sweep", folder, enterprises, items, runs)})
    return rows


def plot(report: dict[str, Any], target: Path) -> None:
    from matplotlib import use

    use("Agg")
    from matplotlib import pyplot, rcParams

    rcParams["svg.hashsalt"] = "qifu"
    figure, axes = pyplot.subplots(1, 3, figsize=(13, 3.8))
    for axis, key, by in (
        (axes[0], "by_enterprises", "enterprises"),
        (axes[1], "by_items", "items"),
    ):
        rows = report[key]
        sizes = [row[by] / 1000 for row in rows]
        axis.plot(sizes, [row["wall_s"] for row in rows], "o-", label="clock, median")
        axis.plot(sizes, [row["best_s"] for row in rows], "o--", label="clock, fastest run")
        axis.plot(sizes, [row["cpu_s"] for row in rows], "o:", label="processor, both cores")
        axis.set(
            xlabel=f"thousand {by} (synthetic)", ylabel="s", title=f"Sweep, by {by}", xlim=0, ylim=0
        )
        axes[2].plot(
            [size / sizes[-1] for size in sizes],
            [row["peak_mb"] for row in rows],
            "o-",
            label=f"by {by}",
        )
    axes[2].set(xlabel="share of the largest", ylabel="MB", title="Peak memory", xlim=0, ylim=0)
    for axis in axes:
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8)
    figure.tight_layout()
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--enterprises", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--items", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        print(json.dumps(STEPS[given.step](given.folder, given.enterprises, given.items)))
        return
    folder = given.folder or Path(tempfile.mkdtemp(prefix="qifu-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        report = measure(folder, given.runs)
    finally:
        if given.folder is None:
            shutil.rmtree(folder)
    target = ROOT / "artifacts" / "matching_scale.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    plot(report, ROOT / "docs" / "plots" / "matching-growth.svg")


if __name__ == "__main__":
    main()
