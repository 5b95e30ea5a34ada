"""Reading a corpus from outside: what is read, and what each defect is called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from knowledge import corpus as corpus_module
from knowledge.corpus import Corpus, read_corpus
from knowledge.errors import LabelError

DATA = Path(__file__).parent / "data"
DOC = {"id": "d1", "title": "租金补贴", "text": "按实际租金的一半补贴。"}
QUERY = {"id": "q1", "text": "租金补多少", "doc_ids": ["d1"]}


def write(path: Path, rows: list[Any]) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def read(folder: Path, docs: list[Any] | None = None, queries: list[Any] | None = None) -> Corpus:
    return read_corpus(
        write(folder / "d.jsonl", [DOC] if docs is None else docs),
        write(folder / "q.jsonl", [QUERY] if queries is None else queries),
    )


def test_the_sample_is_read() -> None:
    corpus = read_corpus(DATA / "services.docs.jsonl", DATA / "services.queries.jsonl")
    assert (len(corpus.documents), len(corpus.queries)) == (24, 27)


def test_a_question_is_answered_by_the_documents_that_are_there(tmp_path: Path) -> None:
    queries = [QUERY, {"id": "q2", "text": "甲", "doc_ids": ["d1", "gone"]}]
    answered = read(tmp_path, queries=queries).answered()
    assert [(query.id, right) for query, right in answered] == [
        ("q1", frozenset({"d1"})),
        ("q2", frozenset({"d1"})),
    ]


@pytest.mark.parametrize("doc_ids", [[], ["gone"], ["gone", "away"]])
def test_a_question_about_an_absent_document(tmp_path: Path, doc_ids: list[str]) -> None:
    corpus = read(tmp_path, queries=[{**QUERY, "doc_ids": doc_ids}])
    assert (corpus.answered(), [query.id for query in corpus.absent()]) == ([], ["q1"])


@pytest.mark.parametrize("title", [None, "", "  "])
def test_a_title_may_be_absent(tmp_path: Path, title: str | None) -> None:
    document = read(tmp_path, docs=[{**DOC, "title": title}]).documents[0]
    assert document.title.strip() == ""


def test_a_document_may_leave_the_title_out(tmp_path: Path) -> None:
    assert read(tmp_path, docs=[{"id": "d1", "text": "甲"}]).documents[0].title == ""


def test_numbers_are_ids_too(tmp_path: Path) -> None:
    corpus = read(tmp_path, [{**DOC, "id": 7}], [{**QUERY, "id": 1, "doc_ids": [7]}])
    assert [right for _, right in corpus.answered()] == [{"7"}]


def test_blank_lines_a_byte_order_mark_and_other_keys_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text(f"\ufeff\n{json.dumps({**DOC, 'url': 'x'})}\r\n\n", "utf-8")
    corpus = read_corpus(tmp_path / "d.jsonl", write(tmp_path / "q.jsonl", [QUERY]))
    assert corpus.documents[0].text == DOC["text"]


def test_a_line_separator_inside_a_text_does_not_end_the_line(tmp_path: Path) -> None:
    text = "第一行\u2028第二行"
    assert read(tmp_path, docs=[{**DOC, "text": text}]).documents[0].text == text


@pytest.mark.parametrize(
    ("docs", "said"),
    [
        (["{"], "d.jsonl:1: line: Invalid JSON"),
        ([DOC, ""  "[1]"], "d.jsonl:2: line: "),
        ([{"title": "甲", "text": "乙"}], "d.jsonl:1: id: Field required"),
        ([{"id": "d1", "title": "甲"}], "d.jsonl:1: text: Field required"),
        ([{**DOC, "id": " "}], "d.jsonl:1: id: is blank"),
        ([{**DOC, "text": "\n\u3000"}], "d.jsonl:1: text: is blank"),
        ([{**DOC, "text": None}], "d.jsonl:1: text: "),
        ([{**DOC, "title": ["甲"]}], "d.jsonl:1: title: "),
        ([DOC, "", DOC], "d.jsonl:3: id: 'd1' is already the id of line 1"),
        ([], "d.jsonl: nothing in it; expected one JSON object a line (id, title, text)"),
    ],
)  # fmt: skip
def test_defects_of_documents_are_named(tmp_path: Path, docs: list[Any], said: str) -> None:
    with pytest.raises(LabelError) as caught:
        read(tmp_path, docs=docs)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("queries", "said"),
    [
        ([{"id": "q1", "text": "甲"}], "q.jsonl:1: doc_ids: Field required"),
        ([{**QUERY, "doc_ids": "d1"}], "q.jsonl:1: doc_ids: "),
        ([{**QUERY, "doc_ids": ["d1", ""]}], "q.jsonl:1: doc_ids.1: is blank"),
        ([{**QUERY, "text": ""}], "q.jsonl:1: text: is blank"),
        ([QUERY, QUERY], "q.jsonl:2: id: 'q1' is already the id of line 1"),
        ([], "nothing in it; expected one JSON object a line (id, text, doc_ids)"),
    ],
)
def test_defects_of_questions_are_named(tmp_path: Path, queries: list[Any], said: str) -> None:
    with pytest.raises(LabelError) as caught:
        read(tmp_path, queries=queries)
    assert said in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"gone\.jsonl: cannot be read"):
        read_corpus(tmp_path / "gone.jsonl", tmp_path / "q.jsonl")


def test_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_bytes(json.dumps(DOC, ensure_ascii=False).encode("gb18030"))
    with pytest.raises(LabelError, match=r"d\.jsonl: byte \d+: not UTF-8"):
        read_corpus(tmp_path / "d.jsonl", tmp_path / "q.jsonl")


def test_a_file_too_large_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_module, "MAX_BYTES", 20)
    with pytest.raises(LabelError, match=r"d\.jsonl: .* MB, at most"):
        read(tmp_path)
