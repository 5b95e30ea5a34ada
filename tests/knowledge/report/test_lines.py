"""The report in a terminal: measures with targets, groups, and what a comparison says."""

from __future__ import annotations

from knowledge.comparison import compare_runs
from knowledge.report.lines import comparison_lines, report_lines
from knowledge.runs import Run


def test_measures_with_targets_groups_and_failures(run: Run) -> None:
    lines = list(report_lines(run.report))
    (top1,) = [line for line in lines if line.startswith("top1 ")]
    found = run.report["top1"]
    assert f"{found['value']:.3f}  [{found['low']:.3f}, {found['high']:.3f}]" in top1
    assert top1.endswith("政策排第一  ✗ 目标≥92.0%")
    assert not any(line.startswith("status_ok") for line in lines)
    assert any(line.startswith("errors") and line.endswith(" 4") for line in lines)
    assert "按问什么" in lines and "按题集" not in lines
    assert f"failures: {len(run.report['failures'])}" in lines
    assert sum(line.startswith('  {"id"') for line in lines) == len(run.report["failures"])


def test_comparison_tells_every_measure_and_every_question_that_moved(
    before: Run, run: Run
) -> None:
    comparison = compare_runs(before, run)
    lines = list(comparison_lines(comparison))
    assert lines[0].startswith("与 before 相比")
    assert lines[1].endswith("calibration")
    assert any(line.startswith("  top1 ") and "→" in line and "p=" in line for line in lines)
    assert f"变坏的题：{len(comparison['worse'])}" in lines
    for case in comparison["worse"]:
        assert any(line.startswith(f"  {case['id']}  ") for line in lines)


def test_run_against_itself_moved_nothing(run: Run) -> None:
    lines = list(comparison_lines(compare_runs(run, run)))
    assert lines[-2:] == ["变坏的题：0", "变好的题：0"]
    assert not any("↑" in line or "↓" in line for line in lines)
