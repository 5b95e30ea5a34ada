"""The measure of dispatching: what it counts by hand, and what the shipped sets must reach."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from knowledge.errors import LabelError
from service.appeals.departments import load_departments
from service.appeals.dispatch import Candidate, Dispatch, Dispatcher
from service.appeals.dispatch_quality import (
    DISPATCH_SETS,
    LabelledMatter,
    evaluate_dispatch,
    read_matters,
    report_lines,
)
from service.appeals.elsewhere import asked_of_elsewhere
from service.eval_commands import eval_app

TAX, MARKET = "国家税务总局深圳市福田区税务局", "深圳市市场监督管理局福田监管局"
CENTRE = "福田区企业服务中心"


class Told(Dispatcher):
    """Says what it is told to say of each matter."""

    def __init__(self, said: dict[str, Dispatch]) -> None:
        self._said = said

    def dispatch(self, matter: str, policy_department: str | None = None) -> Dispatch:
        return self._said[matter]


def said(department: str, confidence: float, *others: str, is_triage: bool = False) -> Dispatch:
    names = others if is_triage else (department, *others)
    candidates = tuple(Candidate(name, confidence, "") for name in names)
    return Dispatch(department, confidence, candidates, is_triage)


def row(id: str, code: str, kind: str = "plain") -> LabelledMatter:
    return LabelledMatter(id=id, kind=kind, departments=(code,), matter=id)


def test_report_counts_what_it_says() -> None:
    rows = [
        row("a", "tax"),
        row("b", "tax"),
        row("c", "tax"),
        row("d", "enterprise_service_center", "vague"),
    ]
    told = Told(
        {
            "a": said(TAX, 0.9),
            "b": said(MARKET, 0.9, TAX),
            "c": said(CENTRE, 0.3, TAX, MARKET, is_triage=True),
            "d": said(CENTRE, 0.2, TAX, is_triage=True),
        }
    )
    report = evaluate_dispatch(rows, told, load_departments())
    assert {k: report[k]["value"] for k in ("top1", "top3", "misled", "triage", "vague_triaged")} == {
        "top1": 0.5, "top3": 1.0, "misled": 0.25, "triage": 0.5, "vague_triaged": 1.0,
    }  # fmt: skip
    assert report["sent_right"]["value"] == 0.5
    # Bins: {a, b} told .9, right .5; {c} told .3, right 1: (2·|.9-.5| + 1·|.3-1|) / 3.
    assert report["calibration"]["ece"] == pytest.approx((0.8 + 0.7) / 3, abs=1e-4)
    assert [each["id"] for each in report["failures"]] == ["b", "c"]
    assert len(report_lines(report)) == 6 + 1 + 2 + 2


def test_shipped_sets_are_large_apart_and_varied() -> None:
    departments = load_departments()
    sets = {
        name: read_matters(DISPATCH_SETS / f"{name}.jsonl", departments)
        for name in ("train", "dev", "test")
    }
    matters = [each.matter for rows in sets.values() for each in rows]
    assert len(matters) >= 200
    assert len(set(matters)) == len(matters)
    assert {each.kind for each in sets["test"]} == {
        "plain", "colloquial", "cantonese", "typo", "long", "two_topics", "street", "old_name",
        "out_of_district", "vague",
    }  # fmt: skip


def test_shipped_test_set_keeps_its_level(dispatcher: Dispatcher) -> None:
    departments = load_departments()
    report = evaluate_dispatch(
        read_matters(DISPATCH_SETS / "test.jsonl", departments), dispatcher, departments
    )
    assert report["top1"]["value"] >= 0.86
    assert report["top3"]["value"] >= 0.97
    assert report["misled"]["value"] <= 0.06
    assert report["vague_triaged"]["value"] == 1.0
    assert report["calibration"]["ece"] <= 0.07


@pytest.mark.parametrize(
    ("matter", "place"),
    [
        ("龙华区的人才补贴怎么没有发", "龙华区"),
        ("我们是东莞的厂，东莞的技改补贴怎么报", "东莞"),
        ("坪山区科创局的电话是多少", "坪山区"),
        ("我们想从南山搬到福田来，有什么支持", None),
        ("税务关系还在宝安，税务局说迁不了", None),
        ("福田和南山的补贴哪个高", None),
        ("区里的研发补贴", None),
        ("深圳市的补贴", None),
    ],
)
def test_what_another_district_grants_is_told_apart(matter: str, place: str | None) -> None:
    assert asked_of_elsewhere(matter) == place


def test_matter_for_another_district_goes_to_triage_with_the_reason(dispatcher: Dispatcher) -> None:
    got = dispatcher.dispatch("宝安区的技改补贴什么时候发")
    assert (got.department, got.is_triage) == (CENTRE, True)
    assert "宝安区" in got.candidates[0].reason


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            '{"id":"a","kind":"plain","departments":["nobody"],"matter":"x"}',
            "no department 'nobody'",
        ),
        ('{"id":"a","kind":"plain","departments":[],"matter":"x"}', "departments"),
        ('{"id":"a","kind":"plain","departments":["tax"],"matter":" "}', "matter"),
        ("", "no matter in it"),
    ],
)
def test_faulty_set_is_refused_by_line_and_field(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(LabelError, match=problem):
        read_matters(path, load_departments())


def test_command_prints_one_json_document(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(
        json.dumps(
            {"id": "a", "kind": "plain", "departments": ["tax"], "matter": "发票额度不够"},
            ensure_ascii=False,
        ),
        encoding="utf-8",
    )
    result = CliRunner().invoke(eval_app, ["dispatch", str(path), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["top1"]["n"] == 1
