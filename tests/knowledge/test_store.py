"""The working catalogue: layers, imports that are whole or nothing, ids that stay, a history that forgets nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from knowledge import store as store_module
from knowledge.catalogue import Catalogue, read_catalogue
from knowledge.dense import VectorCache
from knowledge.documents.changes import PolicyChange
from knowledge.documents.export import write_catalogue
from knowledge.documents.rows import line_of
from knowledge.encoder import Vectors
from knowledge.errors import CatalogueError, UnsupportedDocument
from knowledge.policy import Clause, Facet, Policy, Status
from knowledge.retrieval import Retriever
from knowledge.store import HISTORY_FILE, ROWS_FILE, CatalogueStore, ImportReport, Step
from tests.knowledge.documents.papers import (
    MEASURES_ARTICLES,
    guide,
    measures,
    to_docx,
    to_html,
    to_pdf,
)


@pytest.fixture
def store(tmp_path: Path) -> CatalogueStore:
    return CatalogueStore(tmp_path / "catalogue")


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def take(
    store: CatalogueStore, folder: Path, articles: Sequence[str], name: str = "措施.docx"
) -> PolicyChange:
    """Imports the measures with these articles; the one change it makes."""
    report = store.import_files([put(folder, name, to_docx(measures(articles)))])
    assert report.is_ok, report
    (change,) = report.files[0].changes
    return change


def clauses(store: CatalogueStore) -> dict[str, Clause]:
    return {clause.id: clause for clause in store.read().policies["FT-201"].wording}


def kinds(change: PolicyChange) -> list[tuple[str, str]]:
    return [(each.kind.value, each.label) for each in change.clauses]


def without(*articles: str) -> list[str]:
    return [text for text in MEASURES_ARTICLES if not text.startswith(articles)]


class TestImport:
    def test_document_becomes_a_policy_with_its_clauses(
        self, store: CatalogueStore, tmp_path: Path
    ) -> None:
        change = take(store, tmp_path, MEASURES_ARTICLES)
        assert (change.policy_id, change.is_new) == ("FT-201", True)
        policy = store.read().policies["FT-201"]
        assert policy.title == "福田区支持企业研发创新若干措施"
        assert policy.doc_no == "福科规〔2024〕3号"
        assert policy.issuer == "深圳市福田区科技创新局"
        assert (policy.published, policy.valid_from, policy.valid_to) == (
            date(2024, 3, 8), date(2024, 4, 1), date(2027, 3, 31),
        )  # fmt: skip
        assert policy.status_on(date(2027, 4, 1)) is Status.EXPIRED
        assert policy.amount_max_cny is None
        assert {"level", "place", "department", "category", "benefit_type"} <= set(policy.inferred)
        by_label = {clause.label: clause for clause in policy.wording}
        assert by_label["第三条"].facet is Facet.AMOUNT
        assert by_label["第三条"].path == ("第二章 资助标准", "第三条")
        assert (
            by_label["附件1 第3行"].text
            == "序号：3；项目：研发投入资助；金额：最高50万元；说明：需要申报"
        )

    @pytest.mark.parametrize("make", [to_pdf, to_html])
    def test_other_kinds_bring_the_same_clauses(
        self, store: CatalogueStore, tmp_path: Path, make: object
    ) -> None:
        assert callable(make)
        take(store, tmp_path, MEASURES_ARTICLES)
        before = clauses(store)
        report = store.import_files([put(tmp_path, "另一份", make(measures()))])
        (change,) = report.files[0].changes
        assert (change.policy_id, change.is_nothing, change.kept) == ("FT-201", True, len(before))

    def test_next_document_gets_the_next_id(self, store: CatalogueStore, tmp_path: Path) -> None:
        report = store.import_files(
            [put(tmp_path, "a.docx", to_docx(measures())), put(tmp_path, "b.pdf", to_pdf(guide()))]
        )
        assert [change.policy_id for each in report.files for change in each.changes] == [
            "FT-201",
            "FT-202",
        ]

    def test_prefix_follows_the_place(self, store: CatalogueStore, tmp_path: Path) -> None:
        for name, place, wanted in (
            ("a", "深圳市", "SZ-201"),
            ("b", "深圳市龙岗区", "XQ-201"),
            ("c", "广东省", "GD-201"),
        ):
            articles = [text.replace("福田区", place) for text in MEASURES_ARTICLES]
            parts = [
                type(p)(
                    p.text.replace("深圳市福田区", place)
                    .replace("福田区", place)
                    .replace("福科规", ""),
                    p.kind,
                )
                if not isinstance(p, tuple)
                else p
                for p in measures(articles)
            ]
            report = store.import_files([put(tmp_path, f"{name}.docx", to_docx(parts))])
            assert report.files[0].changes[0].policy_id == wanted

    def test_progress_counts_files_and_pages(self, store: CatalogueStore, tmp_path: Path) -> None:
        steps: list[Step] = []
        files = [
            put(tmp_path, "a.pdf", to_pdf(measures())),
            put(tmp_path, "b.docx", to_docx(guide())),
        ]
        store.import_files(files, steps.append)
        assert steps == [
            Step("a.pdf", 1, 2, 1, 2),
            Step("a.pdf", 1, 2, 2, 2),
            Step("b.docx", 2, 2, 1, 1),
        ]

    def test_dry_run_writes_nothing(self, store: CatalogueStore, tmp_path: Path) -> None:
        report = store.import_files([put(tmp_path, "a.docx", to_docx(measures()))], dry_run=True)
        assert report.files[0].changes[0].is_new
        assert not report.is_written
        assert not store.folder.exists()


class TestReimport:
    def test_nothing_changed(self, store: CatalogueStore, tmp_path: Path) -> None:
        take(store, tmp_path, MEASURES_ARTICLES)
        version = store.version()
        change = take(store, tmp_path, MEASURES_ARTICLES)
        assert change.is_nothing
        assert store.version() == version
        assert len(store.history()) == 1

    def test_changed_clause_keeps_its_id(self, store: CatalogueStore, tmp_path: Path) -> None:
        take(store, tmp_path, MEASURES_ARTICLES)
        before = clauses(store)
        change = take(
            store, tmp_path, [text.replace("十五万元", "二十万元") for text in MEASURES_ARTICLES]
        )
        assert kinds(change) == [("changed", "第三条")]
        (only,) = change.clauses
        assert only.old is not None and only.new is not None
        assert "十五万元" in only.old.text
        assert "二十万元" in only.new.text
        assert set(clauses(store)) == set(before)
        assert clauses(store)[only.id].hash != before[only.id].hash

    def test_renumbered_articles_keep_their_ids(
        self, store: CatalogueStore, tmp_path: Path
    ) -> None:
        take(store, tmp_path, MEASURES_ARTICLES)
        before = clauses(store)
        articles = list(MEASURES_ARTICLES)
        articles.insert(5, "第三条 对新设立的研发机构，按场地面积给予装修支持。")
        change = take(store, tmp_path, renumbered(articles))
        assert [each.label for each in change.clauses if each.kind == "added"] == ["第三条"]
        assert [each for each in change.clauses if each.kind in {"changed", "removed"}] == []
        after = clauses(store)
        assert {i: c.text for i, c in before.items()} == {i: after[i].text for i in before}
        assert (set(after) - set(before)) == {f"FT-201#c{len(before) + 1}"}

    def test_moved_article_keeps_its_id(self, store: CatalogueStore, tmp_path: Path) -> None:
        take(store, tmp_path, MEASURES_ARTICLES)
        articles = without("第七条")
        articles.insert(2, next(text for text in MEASURES_ARTICLES if text.startswith("第七条")))
        change = take(store, tmp_path, articles)
        assert ("moved", "第七条") in kinds(change)
        assert {kind for kind, _ in kinds(change)} == {"moved"}

    def test_removed_number_is_never_given_again(
        self, store: CatalogueStore, tmp_path: Path
    ) -> None:
        more = [*MEASURES_ARTICLES, "第十一条 区财政局负责资金监督检查。"]
        take(store, tmp_path, more)
        last = next(i for i, c in clauses(store).items() if c.label == "第十一条")
        gone = take(store, tmp_path, MEASURES_ARTICLES)
        assert kinds(gone) == [("removed", "第十一条")]
        back = take(
            store, tmp_path, [*MEASURES_ARTICLES, "第十一条 园区运营单位每季度报送入驻名单。"]
        )
        (added,) = back.clauses
        assert added.kind == "added"
        assert int(added.id.rpartition("c")[2]) > int(last.rpartition("c")[2])

    def test_same_document_under_another_name(self, store: CatalogueStore, tmp_path: Path) -> None:
        take(store, tmp_path, MEASURES_ARTICLES)
        assert take(store, tmp_path, MEASURES_ARTICLES, "改名.docx").policy_id == "FT-201"

    def test_new_number_and_title_under_the_same_file_name(
        self, store: CatalogueStore, tmp_path: Path
    ) -> None:
        take(store, tmp_path, MEASURES_ARTICLES)
        parts = [
            type(p)(p.text.replace("研发创新若干措施", "研发创新若干措施（2025年修订）"), p.kind)
            if not isinstance(p, tuple)
            else p
            for p in measures(doc_no="福科规〔2025〕8号")
        ]
        report = store.import_files([put(tmp_path, "措施.docx", to_docx(parts))])
        assert report.files[0].changes[0].policy_id == "FT-201"

    def test_another_paper_under_the_same_file_name_is_another_policy(
        self, store: CatalogueStore, tmp_path: Path
    ) -> None:
        take(store, tmp_path, MEASURES_ARTICLES, "通知.docx")
        report = store.import_files([put(tmp_path, "通知.docx", to_docx(guide()))])
        assert report.files[0].changes[0].policy_id == "FT-202"

    def test_what_people_added_stays(self, store: CatalogueStore, tmp_path: Path) -> None:
        take(store, tmp_path, MEASURES_ARTICLES)
        row = json.loads(line_of(store.read().policies["FT-201"]))
        row |= {
            "amount_max_cny": 500000,
            "aliases": [*row["aliases"], "研发资助"],
            "category": "产业资金",
        }
        row["inferred"].remove("category")
        put(tmp_path, "改.jsonl", json.dumps(row, ensure_ascii=False).encode())
        assert store.import_files([tmp_path / "改.jsonl"]).is_written
        assert take(store, tmp_path, MEASURES_ARTICLES).is_nothing
        policy = store.read().policies["FT-201"]
        assert (policy.amount_max_cny, policy.category) == (500000, "产业资金")
        assert "研发资助" in policy.aliases

    def test_history_tells_each_change(self, store: CatalogueStore, tmp_path: Path) -> None:
        take(store, tmp_path, MEASURES_ARTICLES)
        take(store, tmp_path, [text.replace("十五万元", "二十万元") for text in MEASURES_ARTICLES])
        first, second = store.history()
        assert (first.policy_id, first.file) == ("FT-201", "措施.docx")
        assert len(first.sha256) == 64
        assert (
            first.counts["added"] == first.highest == first.counts["added"] + first.counts["kept"]
        )
        assert second.counts["changed"] == 1
        assert "二十万元" in second.clauses[0]["new"]
        assert first.time <= second.time


def renumbered(articles: Sequence[str]) -> list[str]:
    from knowledge.documents.word_numbers import chinese

    number, done = 0, []
    for text in articles:
        if text.startswith("第") and "条 " in text[:6]:
            number += 1
            text = f"第{chinese(number)}条 {text.partition(' ')[2]}"
        done.append(text)
    return done


class TestWholeOrNothing:
    def test_bad_file_leaves_the_catalogue_alone(
        self, store: CatalogueStore, tmp_path: Path
    ) -> None:
        take(store, tmp_path, MEASURES_ARTICLES)
        version = store.version()
        report = store.import_files([put(tmp_path, "坏.pdf", b"%PDF-1.4 nothing")])
        assert not report.is_ok
        assert store.version() == version

    def folder(self, tmp_path: Path) -> Path:
        put(tmp_path, "来/a.docx", to_docx(measures()))
        put(tmp_path, "来/下/b.pdf", b"%PDF-1.4 nothing")
        put(tmp_path, "来/.c.docx", b"hidden")
        return tmp_path / "来"

    def told(self, report: ImportReport) -> dict[str, bool]:
        return {each.file: not each.problems for each in report.files}

    def test_folder_takes_the_good_ones(self, store: CatalogueStore, tmp_path: Path) -> None:
        report = store.import_files([self.folder(tmp_path)])
        assert self.told(report) == {"a.docx": True, "b.pdf": False}
        assert not report.is_ok
        assert "FT-201" in store.read().policies

    def test_strict_takes_none(self, store: CatalogueStore, tmp_path: Path) -> None:
        report = store.import_files([self.folder(tmp_path)], strict=True)
        assert self.told(report) == {"a.docx": True, "b.pdf": False}
        assert not report.is_written
        assert "FT-201" not in store.read().policies

    def test_empty_folder(self, store: CatalogueStore, tmp_path: Path) -> None:
        (tmp_path / "空").mkdir()
        with pytest.raises(CatalogueError, match="没有文件"):
            store.import_files([tmp_path / "空"])

    def test_same_document_twice_in_one_import(self, store: CatalogueStore, tmp_path: Path) -> None:
        report = store.import_files(
            [
                put(tmp_path, "a.docx", to_docx(measures())),
                put(tmp_path, "b.pdf", to_pdf(measures())),
            ]
        )
        assert self.told(report) == {"a.docx": True, "b.pdf": False}
        assert "a.docx 是同一份" in report.files[1].problems[0]

    def test_what_does_not_fit_is_refused_before_writing(
        self, store: CatalogueStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        take(store, tmp_path, MEASURES_ARTICLES)
        content = (store.folder / ROWS_FILE).read_bytes()
        monkeypatch.setattr(
            store_module, "line_of", lambda policy: line_of(policy).replace('"current"', '"maybe"')
        )
        put(tmp_path, "b.docx", to_docx(guide()))
        with pytest.raises(CatalogueError, match=r"policies\.jsonl:1: status"):
            store.import_files([tmp_path / "b.docx"])
        assert (store.folder / ROWS_FILE).read_bytes() == content
        assert len(store.history()) == 1
        assert not list(store.folder.glob(".staging-*"))

    def test_two_imports_at_once(
        self, store: CatalogueStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store_module, "_LOCK_WAIT_S", 0.05)
        store.folder.mkdir()
        with (
            FileLock(store.folder / ".lock"),
            pytest.raises(CatalogueError, match="另一个导入正在进行"),
        ):
            store.import_files([put(tmp_path, "a.docx", to_docx(measures()))])

    def test_damaged_history_is_named(self, store: CatalogueStore, tmp_path: Path) -> None:
        take(store, tmp_path, MEASURES_ARTICLES)
        with (store.folder / HISTORY_FILE).open("a") as file:
            file.write('{"time": "yesterday"}\n')
        with pytest.raises(CatalogueError, match=r"imports\.jsonl:2"):
            take(store, tmp_path, MEASURES_ARTICLES)


class TestLayers:
    def test_empty_folder_shows_the_base(self, store: CatalogueStore, catalogue: Catalogue) -> None:
        assert store.read().policies == catalogue.policies

    def test_row_replaces_the_base_in_its_place(
        self, store: CatalogueStore, tmp_path: Path, catalogue: Catalogue
    ) -> None:
        row = json.loads(line_of(catalogue.policies["FT-003"]))
        put(
            tmp_path,
            "a.jsonl",
            json.dumps(row | {"title": "新的名称"}, ensure_ascii=False).encode(),
        )
        report = store.import_files([tmp_path / "a.jsonl"])
        (change,) = report.files[0].changes
        assert [fact.key for fact in change.facts] == ["title"]
        merged = store.read()
        assert list(merged.policies) == list(catalogue.policies)
        assert merged.policies["FT-003"].title == "新的名称"

    def test_version_follows_both_layers(self, tmp_path: Path, catalogue: Catalogue) -> None:
        base = tmp_path / "base"
        put(base, "a.jsonl", (line_of(catalogue.policies["FT-001"]) + "\n").encode())
        store = CatalogueStore(tmp_path / "own", base)
        seen = [store.version()]
        put(base, "b.jsonl", (line_of(catalogue.policies["FT-002"]) + "\n").encode())
        seen.append(store.version())
        store.import_files([put(tmp_path, "措施.docx", to_docx(measures()))])
        seen.append(store.version())
        assert len(set(seen)) == 3
        assert set(store.read().policies) == {"FT-001", "FT-002", "FT-201"}

    def test_without_a_base_the_folder_is_all(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogueError):
            CatalogueStore(tmp_path / "own", None).read()

    @pytest.mark.parametrize("name", ["all.jsonl", "all.xlsx"])
    def test_export_and_import_again_changes_nothing(
        self, store: CatalogueStore, tmp_path: Path, name: str
    ) -> None:
        take(store, tmp_path, MEASURES_ARTICLES)
        before = store.read()
        write_catalogue(before, tmp_path / name)
        report = store.import_files([tmp_path / name])
        assert report.is_ok, report.files[0].problems
        assert all(change.is_nothing for change in report.files[0].changes)
        empty = tmp_path / "leer"
        empty.mkdir()
        other = CatalogueStore(
            tmp_path / "other", put(empty, "x.jsonl", (line_of(one(before)) + "\n").encode())
        )
        other.import_files([tmp_path / name])
        assert other.read().policies == before.policies

    def test_export_knows_two_kinds(self, store: CatalogueStore, tmp_path: Path) -> None:
        with pytest.raises(UnsupportedDocument, match=r"\.jsonl 或 \.xlsx"):
            write_catalogue(store.read(), tmp_path / "all.csv")

    def test_written_rows_are_a_catalogue(self, store: CatalogueStore, tmp_path: Path) -> None:
        take(store, tmp_path, MEASURES_ARTICLES)
        assert list(read_catalogue(store.folder).policies) == ["FT-201"]


def one(catalogue: Catalogue) -> Policy:
    return next(iter(catalogue.policies.values()))


class CountingEncoder:
    """Notes what it is asked to encode."""

    name, dim = "counting-1", 8

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self.passages(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        self.encoded += texts
        return np.array(
            [np.random.default_rng(list(t.encode())).normal(size=8) for t in texts], np.float32
        )


def test_only_the_changed_clause_is_encoded_again(store: CatalogueStore, tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "vectors")
    take(store, tmp_path, MEASURES_ARTICLES)
    first = CountingEncoder()
    Retriever(store.read(), first, cache)
    take(store, tmp_path, [text.replace("十五万元", "二十万元") for text in MEASURES_ARTICLES])
    second = CountingEncoder()
    Retriever(store.read(), second, cache)
    assert len(first.encoded) > 500
    assert len(second.encoded) == 1
    assert "二十万元" in second.encoded[0]


def test_what_prepares_sees_only_what_is_new_and_may_stop_the_import(
    store: CatalogueStore, tmp_path: Path
) -> None:
    seen: list[list[str]] = []
    path = put(tmp_path, "措施.docx", to_docx(measures()))

    def stop(changed: Catalogue) -> None:
        raise RuntimeError("no room")

    with pytest.raises(RuntimeError, match="no room"):
        store.import_files([path], prepare=stop)
    assert "FT-201" not in store.read().policies
    for _ in range(2):
        store.import_files([path], prepare=lambda changed: seen.append([*changed.policies]))
    store.import_files([path], dry_run=True, prepare=stop)
    assert seen == [["FT-201"]]
