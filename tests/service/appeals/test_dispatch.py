"""Dispatching: the rules by case, and the share of right departments on labelled matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.appeals.departments import DepartmentsInvalid, load_departments
from service.appeals.dispatch import TRIAGE_BELOW, TRIAGE_BELOW_WITHOUT_WORDS, Dispatcher
from tests.service.appeals.labelled import labelled_matters

CENTRE = "福田区企业服务中心"


@pytest.mark.parametrize(
    ("named", "department"),
    [
        ("福田区科技创新局", "福田区科技和工业信息化局"),
        ("福田区工业和信息化局", "福田区科技和工业信息化局"),
        ("深圳市福田区科技和工业信息化局", "福田区科技和工业信息化局"),
        (" 福田区投资推广署 ", "福田区投资促进局"),
        ("国家税务总局深圳市税务局", "国家税务总局深圳市福田区税务局"),
        ("财政部、税务总局", "国家税务总局深圳市福田区税务局"),
        ("深圳市工业和信息化局", "深圳市工业和信息化局"),
    ],
)
def test_department_of_the_policy_wins(letters: Dispatcher, named: str, department: str) -> None:
    got = letters.dispatch("园区停电影响生产", named)
    assert (got.department, got.confidence) == (department, 1.0)
    assert len({c.department for c in got.candidates}) == 3
    assert got.candidates[0].department == department
    assert "政策主管部门" in got.candidates[0].reason


def test_policy_of_another_district_goes_to_the_centre_with_the_reason(letters: Dispatcher) -> None:
    got = letters.dispatch("补贴什么时候发", "深圳市龙岗区工业和信息化局")
    assert got.department == CENTRE
    assert "深圳市龙岗区工业和信息化局" in got.candidates[0].reason


def test_every_department_of_the_catalogue_inside_the_city_is_known() -> None:
    names = {
        name for d in load_departments() for name in (d.name, *d.aliases)
    }  # fmt: skip
    assert {
        "福田区企业服务中心", "福田区投资促进局", "福田区发展和改革局", "福田区金融工作局",
        "福田区文化广电旅游体育局", "福田区住房和建设局", "福田区人力资源局", "福田区人才工作局",
        "河套深港科技创新合作区深圳园区发展署", "深圳市科技创新局", "深圳市中小企业服务局",
        "深圳市商务局", "深圳市发展和改革委员会", "深圳市政务服务和数据管理局",
        "深圳市新质生产力科技促进中心", "深圳市社会保险基金管理局",
        "深圳市人力资源和社会保障局", "深圳市文化广电旅游体育局",
    } <= names  # fmt: skip


def test_ten_sub_districts_are_known() -> None:
    assert sum(d.is_street for d in load_departments()) == 10


@pytest.mark.parametrize(
    ("matter", "department"),
    [
        ("车公庙这栋楼物业不管电梯", "福田区沙头街道办事处"),
        ("八卦岭楼下垃圾没人收", "福田区园岭街道办事处"),
        ("大厦电梯坏了物业不修", "福田区属地街道办事处"),
        ("车公庙的公司想问国高奖励", "福田区科技和工业信息化局"),
    ],
)
def test_place_chooses_the_sub_district_only_when_it_is_theirs(
    dispatcher: Dispatcher, matter: str, department: str
) -> None:
    assert dispatcher.dispatch(matter).department == department


def test_longest_word_at_a_place_speaks_alone(dispatcher: Dispatcher) -> None:
    best = dispatcher.dispatch("招应届毕业生的社保补贴").candidates[0]
    assert best.department == "福田区人力资源局"
    assert "社保补贴" in best.reason


def test_city_office_is_considered_only_when_named(dispatcher: Dispatcher) -> None:
    unnamed = [c.department for c in dispatcher.rank("研发补贴没到账")]
    assert "深圳市科技创新局" not in unnamed
    assert dispatcher.dispatch("市科创局的高企培育资助没到账").department == "深圳市科技创新局"


def test_unclear_matter_goes_to_triage_and_keeps_its_confidence(dispatcher: Dispatcher) -> None:
    got = dispatcher.dispatch("嗯嗯那个就是上次那个")
    assert got.department == CENTRE
    assert 0 < got.confidence < TRIAGE_BELOW
    assert len(got.candidates) == 3
    assert got.confidence == got.candidates[0].confidence


def test_meaning_alone_must_be_surer_than_words(dispatcher: Dispatcher) -> None:
    got = dispatcher.dispatch("我们想把厂搬到月球有补贴吗")
    assert not got.candidates[0].words
    assert TRIAGE_BELOW < got.confidence < TRIAGE_BELOW_WITHOUT_WORDS
    assert got.department == CENTRE


def test_confidences_are_a_distribution(dispatcher: Dispatcher) -> None:
    ranked = dispatcher.rank("园区停电影响生产")
    assert sum(c.confidence for c in ranked) == pytest.approx(1.0, abs=0.01)
    assert [c.confidence for c in ranked] == sorted((c.confidence for c in ranked), reverse=True)
    assert all(c.reason for c in ranked)


@pytest.mark.parametrize("matter", ["", "\0", "🙂", "a" * 5000, "％＃＠", "<script>税务</script>"])
def test_any_text_gets_a_department(dispatcher: Dispatcher, matter: str) -> None:
    assert dispatcher.dispatch(matter).department


def test_share_of_right_departments_on_held_out_matters(dispatcher: Dispatcher) -> None:
    """Right: the labelled department got it. Misled: another one did, the centre not counted."""
    names = {d.code: d.name for d in load_departments()}
    rows = [row for row in labelled_matters() if row.half == "held_out"]
    got = [dispatcher.dispatch(row.matter).department for row in rows]
    wanted = [names[row.code] for row in rows]
    hits = sum(g == w for g, w in zip(got, wanted, strict=True))
    misled = sum(g not in (w, CENTRE) for g, w in zip(got, wanted, strict=True))
    assert len(rows) >= 60
    assert hits / len(rows) >= 0.88
    assert misled / len(rows) <= 0.06


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("departments: [", "cannot be read"),
        ("[]", "must hold a list"),
        ("departments: 3", "must hold a list"),
        ("departments: [{code: a}]", "entry 1 needs"),
        ("departments: [{code: a, name: 甲, duty: x}]", "unknown keys duty"),
        ("departments: [{code: a, name: 甲, duties: x}]", "'duties' must be a list"),
        ("departments: [{code: a, name: 甲}]", "'duties' is empty"),
        (
            "departments:\n"
            "  - {code: a, name: 甲, duties: [x]}\n"
            "  - {code: b, name: 乙, duties: [y], aliases: [甲]}",
            "already belongs to a",
        ),
        ("departments: [{code: a, name: 甲, duties: [x]}]", "exactly one entry"),
    ],
)
def test_faulty_table_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "departments.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DepartmentsInvalid, match=said) as raised:
        load_departments(path)
    assert str(path) in raised.value.message


def test_missing_table_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DepartmentsInvalid, match=r"nowhere\.yml"):
        load_departments(tmp_path / "nowhere.yml")
