"""Repeals and extensions in the working catalogue: whichever paper comes first, once or twice, in full or in part."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from knowledge.acts import ActKind
from knowledge.errors import CatalogueError
from knowledge.policy import Policy, Status
from knowledge.store import DEEDS_FILE, CatalogueStore, FileResult
from tests.knowledge.documents.notices import (
    MEASURES_NO,
    MEASURES_TITLE,
    extension,
    notice,
    repeal_by_list,
    repeal_of_measures,
    successor_paper,
)
from tests.knowledge.documents.papers import P, Part, measures, to_docx


@pytest.fixture
def store(tmp_path: Path) -> CatalogueStore:
    return CatalogueStore(tmp_path / "catalogue")


class Desk:
    """Imports papers under file names, one import each."""

    def __init__(self, store: CatalogueStore, folder: Path) -> None:
        self.store, self.folder = store, folder

    def take(self, name: str, parts: list[Part], dry_run: bool = False) -> FileResult:
        path = self.folder / name
        path.write_bytes(to_docx(parts))
        report = self.store.import_files([path], dry_run=dry_run)
        assert report.is_ok, report
        return report.files[0]

    @property
    def measures(self) -> Policy:
        return self.store.read().policies["FT-201"]


@pytest.fixture
def desk(store: CatalogueStore, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path)


BEFORE, AFTER = date(2025, 1, 31), date(2025, 2, 1)


def test_a_notice_ends_the_policy_and_is_none_itself(desk: Desk) -> None:
    desk.take("措施.docx", measures())
    size = len(desk.store.read())
    result = desk.take("废止.docx", repeal_of_measures())
    assert result.notice == f"深圳市福田区科技创新局关于废止《{MEASURES_TITLE}》的通知"
    assert [effect.policies for effect in result.effects] == [("FT-201",)]
    assert [change.policy_id for change in result.changes] == ["FT-201"]
    assert len(desk.store.read()) == size
    assert desk.measures.status_on(BEFORE) is Status.CURRENT
    assert desk.measures.status_on(AFTER) is Status.EXPIRED
    act = desk.measures.repeal_on(AFTER)
    assert act is not None
    assert (act.doc_no, act.issuer) == ("福科规〔2025〕1号", "深圳市福田区科技创新局")


def test_the_notice_may_come_first(desk: Desk) -> None:
    result = desk.take("废止.docx", repeal_of_measures())
    assert [effect.policies for effect in result.effects] == [()]
    change = desk.take("措施.docx", measures()).changes[0]
    assert "acts" in {fact.key for fact in change.facts}
    assert desk.measures.status_on(AFTER) is Status.EXPIRED


def test_both_in_one_import_in_any_order(store: CatalogueStore, tmp_path: Path) -> None:
    for name, parts in (("乙措施.docx", measures()), ("甲废止.docx", repeal_of_measures())):
        (tmp_path / name).write_bytes(to_docx(parts))
    for names in (["甲废止.docx", "乙措施.docx"], ["乙措施.docx", "甲废止.docx"]):
        other = CatalogueStore(tmp_path / f"catalogue-{names[0]}")
        report = other.import_files([tmp_path / name for name in names])
        assert report.is_ok
        assert other.read().policies["FT-201"].status_on(AFTER) is Status.EXPIRED


def test_importing_again_changes_nothing(desk: Desk) -> None:
    desk.take("措施.docx", measures())
    desk.take("废止.docx", repeal_of_measures())
    version, before = desk.store.version(), desk.measures
    again = desk.take("废止.docx", repeal_of_measures())
    assert [change for change in again.changes if not change.is_nothing] == []
    assert all(change.is_nothing for change in desk.take("措施.docx", measures()).changes)
    assert (desk.store.version(), desk.measures) == (version, before)
    assert len(desk.store.deeds()) == 1


def test_a_dry_run_lists_and_writes_nothing(desk: Desk) -> None:
    desk.take("措施.docx", measures())
    version = desk.store.version()
    result = desk.take("废止.docx", repeal_of_measures(), dry_run=True)
    assert [effect.policies for effect in result.effects] == [("FT-201",)]
    assert desk.store.version() == version
    assert desk.store.deeds() == []


def test_a_corrected_notice_takes_its_repeal_back(desk: Desk) -> None:
    desk.take("措施.docx", measures())
    desk.take("废止.docx", repeal_of_measures())
    other = notice(
        "关于废止《福田区孵化载体认定办法》的通知",
        "决定废止《福田区孵化载体认定办法》（福科规〔2018〕2号）。",
    )
    desk.take("废止.docx", other)
    assert desk.measures.acts == ()
    assert desk.measures.status_on(AFTER) is Status.CURRENT


def test_what_the_catalogue_does_not_hold_is_told(desk: Desk) -> None:
    desk.take("措施.docx", measures())
    effects = desk.take("清理.docx", repeal_by_list()).effects
    assert [effect.policies for effect in effects] == [("FT-201",), (), (), ()]


def test_a_successor_ends_the_policy_from_its_first_day_on(desk: Desk) -> None:
    desk.take("措施.docx", measures())
    result = desk.take("办法.docx", successor_paper())
    assert [change.policy_id for change in result.changes] == ["FT-202", "FT-201"]
    assert desk.measures.status_on(date(2025, 12, 31)) is Status.CURRENT
    assert desk.measures.status_on(date(2026, 1, 1)) is Status.EXPIRED
    assert desk.store.read().policies["FT-202"].status_on(date(2026, 1, 1)) is Status.CURRENT
    again = desk.take("办法.docx", successor_paper())
    assert all(change.is_nothing for change in again.changes)
    assert [effect.policies for effect in again.effects] == [("FT-201",)]


def test_a_part_may_be_repealed(desk: Desk) -> None:
    desk.take("措施.docx", measures())
    words = f"自2025年2月1日起，停止执行《{MEASURES_TITLE}》（{MEASURES_NO}）第三条。"
    desk.take("停止.docx", notice(f"关于停止执行《{MEASURES_TITLE}》部分条款的通知", words))
    assert desk.measures.status_on(AFTER) is Status.CURRENT
    over = {
        c.label
        for c in desk.measures.wording
        if desk.measures.status_of(c, AFTER) is Status.EXPIRED
    }
    assert over == {"第三条"}


def test_a_number_alone_is_enough_and_another_number_is_another_paper(desk: Desk) -> None:
    desk.take("措施.docx", measures())
    title = "关于废止部分文件的通知"
    desk.take("甲.docx", notice(title, f"决定废止《{MEASURES_TITLE}》（福科规〔2021〕7号）。"))
    assert desk.measures.acts == ()
    desk.take("乙.docx", notice(title, "决定废止福科规[2024]3号文件。", doc_no="福科规〔2025〕2号"))
    assert desk.measures.status_on(date(2025, 6, 1)) is Status.EXPIRED


def test_a_title_without_a_number_needs_the_same_place(desk: Desk) -> None:
    desk.take("措施.docx", measures())
    words = f"决定废止《{MEASURES_TITLE}》。"
    foreign: list[Part] = [
        P(
            part.text.replace("福田区科技创新局", "南山区科技创新局").replace("福科规", "深南科规"),
            part.kind,
        )
        for part in notice("关于废止有关措施的通知", words)
        if isinstance(part, P)
    ]
    desk.take("外区.docx", foreign)
    assert desk.measures.acts == ()
    desk.take("本区.docx", notice("关于废止有关措施的通知", words))
    assert desk.measures.status_on(date(2025, 6, 1)) is Status.EXPIRED


def test_an_item_of_the_shipped_catalogue_is_ended_too(desk: Desk) -> None:
    numbered = [p for p in desk.store.read().policies.values() if p.doc_no == "福府办规〔2023〕4号"]
    assert numbered
    words = (
        "决定废止《福田区支持产业发展若干措施》（福府办规〔2023〕4号），自2025年2月1日起停止执行。"
    )
    desk.take("废止.docx", notice("关于废止《福田区支持产业发展若干措施》的通知", words))
    for each in numbered:
        assert desk.store.read().policies[each.id].status_on(AFTER) is Status.EXPIRED
        assert each.status_on(AFTER) is not Status.EXPIRED


@pytest.mark.parametrize(
    ("words", "last"),
    [
        (f"《{MEASURES_TITLE}》（{MEASURES_NO}）有效期延长至2028年12月31日。", date(2028, 12, 31)),
        (
            f"《{MEASURES_TITLE}》（{MEASURES_NO}）将于2027年3月31日到期，现决定有效期延长2年。",
            date(2029, 3, 31),
        ),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_an_extension_moves_the_last_day_once(
    desk: Desk, words: str, last: date, is_first: bool
) -> None:
    if is_first:
        desk.take("延期.docx", extension(words))
    desk.take("措施.docx", measures())
    for _ in range(2):
        result = desk.take("延期.docx", extension(words))
        assert result.notice is not None
        desk.take("措施.docx", measures())
        assert desk.measures.valid_to == last
    assert [act.kind for act in desk.measures.acts] == [ActKind.EXTENDED]
    assert desk.measures.status_on(last) is Status.CURRENT


def test_a_notice_imported_as_a_policy_before_is_taken_out(desk: Desk) -> None:
    words = "现将有关事项通知如下。"
    desk.take("通知.docx", notice("关于科技资金有关事项的通知", words))
    title = "深圳市福田区科技创新局关于废止有关措施的通知"
    rows = desk.store.folder / "policies.jsonl"
    rows.write_text(
        rows.read_text(encoding="utf-8").replace(
            "深圳市福田区科技创新局关于科技资金有关事项的通知", title
        ),
        encoding="utf-8",
    )
    assert desk.store.read().policies["FT-201"].title == title
    repeal = notice("关于废止有关措施的通知", "决定废止《福田区旧措施》（福科规〔2018〕2号）。")
    desk.take("通知.docx", repeal)
    assert "FT-201" not in desk.store.read().policies
    assert desk.take("措施.docx", measures()).changes[0].policy_id == "FT-202"


def test_a_damaged_record_is_named(desk: Desk) -> None:
    desk.take("废止.docx", repeal_of_measures())
    path = desk.store.folder / DEEDS_FILE
    path.write_text(path.read_text(encoding="utf-8") + "{}\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"deeds\.jsonl:2"):
        desk.take("措施.docx", measures())
