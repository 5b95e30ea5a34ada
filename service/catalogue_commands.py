"""The commands on the policy catalogue: ``qifu catalogue …``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from service.catalogue import store_of
from service.terminal import AsJson, AsOf, encoding_bar, err, print_json, settings_with

if TYPE_CHECKING:
    from knowledge.catalogue import Catalogue
    from knowledge.dense import Progress as Encoding
    from knowledge.documents.aftermath import Effect
    from knowledge.documents.changes import ClauseChange, PolicyChange
    from knowledge.retrieval import ClauseHit, Hit
    from knowledge.store import FileResult, Progress, Step
    from service.settings import Settings

catalogue_app = typer.Typer(no_args_is_help=True, help="政策目录。")

_SIGNS = {"added": "+", "changed": "~", "removed": "-", "moved": ">"}
_NAMES = {"added": "新增", "changed": "修改", "removed": "删除", "moved": "移位", "kept": "不变"}
_SHOWN_FACTS = (
    "title",
    "doc_no",
    "issuer",
    "place",
    "published",
    "valid_from",
    "valid_to",
    "department",
)
_LONGEST_QUOTE = 160


@catalogue_app.command("check")
def catalogue_check(
    source: Annotated[
        Path | None, typer.Argument(help="文件或文件夹；不给则检查正在用的目录。")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """严格检查政策目录；每个问题一行：文件:行: 字段: 原因。"""
    from knowledge.catalogue import read_catalogue
    from knowledge.errors import CatalogueError

    try:
        catalogue = read_catalogue(source) if source else store_of(settings_with()).read()
    except CatalogueError as error:
        if as_json:
            print_json({"ok": False, "problems": error.problems})
            sys.exit(2)
        raise
    if as_json:
        print_json(
            {
                "ok": True,
                "policies": len(catalogue),
                "clauses": len(catalogue.clauses),
                "problems": [],
            }
        )
    else:
        print(f"{len(catalogue)} 项政策，{len(catalogue.clauses)} 个条款，没有问题")


@catalogue_app.command("search")
def catalogue_search(
    question: Annotated[str, typer.Argument(help="要查的话。")],
    top: Annotated[int, typer.Option(min=1, max=50, help="列出几项。")] = 5,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """命中测试：与机器人同一个检索；列出政策、把握、条款，以及为什么（共有的词、语义相近度）。"""
    from service.assembly import build_answerer

    settings = settings_with(as_of=as_of.date() if as_of else None)
    with encoding_bar() as bar:
        retriever = build_answerer(settings, bar).retriever
    found = retriever.search_clauses(question, top, as_of=settings.today())
    hits = [_hit_row(hit, clauses) for hit, clauses in found]
    if as_json:
        print_json({"question": question, "hits": hits})
        return
    for number, hit in enumerate(hits, 1):
        words = " ".join(hit["matched"]) or "无"
        print(
            f"{number}. {hit['policy_id']}《{hit['title']}》 把握 {hit['chance']:.2f}；共有的词：{words}"
        )
        for clause in hit["clauses"]:
            near = "" if clause["cosine"] is None else f"，相近 {clause['cosine']:.2f}"
            print(
                f"   {clause['label']}（词分 {clause['score']:.1f}{near}；共有的词：{_words(clause)}）"
            )
            print(f"   {clause['text'][:_LONGEST_QUOTE]}")


def _words(clause: dict[str, Any]) -> str:
    """The words a clause shares with the question; those that stand only in its title or headings are told as such."""
    named = set(clause["in_title"])
    parts = [" ".join(word for word in clause["matched"] if word not in named)]
    if named:
        parts.append(f"标题里的 {' '.join(clause['in_title'])}")
    return "；".join(part for part in parts if part) or "无"


def _hit_row(hit: Hit, clauses: Sequence[ClauseHit]) -> dict[str, Any]:
    return {
        "policy_id": hit.policy.id,
        "title": hit.policy.title,
        "chance": round(hit.chance, 4),
        "score": round(hit.score, 4),
        "cosine": hit.cosine,
        "matched": list(hit.matched),
        "clauses": [
            {
                "id": each.clause.id,
                "label": each.clause.label,
                "text": each.clause.text,
                "score": round(each.score, 4),
                "cosine": each.cosine,
                "matched": list(each.matched),
                "in_title": list(each.in_title),
            }
            for each in clauses
        ],
    }


@catalogue_app.command("import")
def catalogue_import(
    sources: Annotated[
        list[Path],
        typer.Argument(help="docx、pdf、html、xlsx、jsonl 文件，或文件夹。", metavar="FILE|DIR"),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看会有哪些变化，不写入。")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="有一个文件不行，就全都不导入。")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """导入政策文件；再次导入同一文件会列出逐条的变化，没有变的条款编号不变。"""
    from knowledge.errors import CatalogueError

    try:
        settings = settings_with()
        with _import_bar() as (reading, encoding):
            report = store_of(settings).import_files(
                sources,
                reading,
                strict=strict,
                dry_run=dry_run,
                prepare=lambda changed: _encode(settings, changed, encoding),
            )
    except CatalogueError as error:
        if as_json:
            print_json({"ok": False, "written": False, "files": [], "problems": error.problems})
            sys.exit(2)
        raise
    if as_json:
        print_json(
            {
                "ok": report.is_ok,
                "written": report.is_written,
                "dry_run": dry_run,
                "files": [_file_row(result) for result in report.files],
            }
        )
    else:
        for result in report.files:
            _tell(result)
        _tell_end(dry_run, report.is_ok, report.is_written)
    sys.exit(0 if report.is_ok else 2)


@catalogue_app.command("export")
def catalogue_export(
    out: Annotated[Path, typer.Option("--out", help="写到这个 .jsonl 或 .xlsx 文件。")],
    as_json: AsJson = False,
) -> None:
    """导出正在用的目录；改好后可以再导入。"""
    from knowledge.documents.export import write_catalogue

    catalogue = store_of(settings_with()).read()
    write_catalogue(catalogue, out)
    if as_json:
        print_json({"ok": True, "policies": len(catalogue), "out": str(out)})
    else:
        print(f"{len(catalogue)} 项政策已导出到 {out}")


def _encode(settings: Settings, changed: Catalogue, progress: Encoding) -> None:
    from service.assembly import encode_ahead_of

    encode_ahead_of(settings, changed, progress)


@contextmanager
def _import_bar() -> Iterator[tuple[Progress, Encoding]]:
    """Files and pages read so far, then clauses encoded so far, on stderr."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=err, transient=True) as bar:
        task = bar.add_task("读取", total=None)

        def show(step: Step) -> None:
            name = f"读取 {step.number}/{step.files} {step.file}"
            bar.update(task, description=name, completed=step.page, total=step.pages)

        encoding = bar.add_task("编码条款", total=None, visible=False)
        yield (
            show,
            lambda done, total: bar.update(encoding, completed=done, total=total, visible=True),
        )


def _file_row(result: FileResult) -> dict[str, Any]:
    from knowledge.store import clause_row

    return {
        "file": result.file,
        "kind": result.kind.value if result.kind else None,
        "ok": not result.problems,
        "problems": list(result.problems),
        "notice": result.notice,
        "effects": [_effect_row(effect) for effect in result.effects],
        "policies": [
            {
                "id": change.policy_id,
                "title": change.title,
                "is_new": change.is_new,
                "unchanged": change.is_nothing,
                "counts": change.counts(),
                "facts": [
                    {"key": fact.key, "old": fact.old, "new": fact.new} for fact in change.facts
                ],
                "clauses": [clause_row(each) for each in change.clauses],
            }
            for change in result.changes
        ],
    }


def _effect_row(effect: Effect) -> dict[str, Any]:
    from knowledge.documents.aftermath import aim_row

    return {**aim_row(effect.aim), "policies": list(effect.policies)}


def _tell_effect(effect: Effect) -> None:
    aim = effect.aim
    name = "".join(
        [f"《{aim.title}》" if aim.title else "", f"（{aim.doc_no}）" if aim.doc_no else ""]
    )
    since = f"自{aim.day}起" if aim.day else ""
    if aim.kind.value == "repealed":
        what = f"{since}{aim.word}{name}{'、'.join(aim.clauses)}"
    else:
        until = f"至{aim.until}" if aim.until else f"{aim.years}年"
        what = f"有效期延长{until}：{name}"
    held = "、".join(effect.policies) or "目录中没有（已记下，以后导入时照此处理）"
    print(f"  ! {what} → {held}")


def _tell(result: FileResult) -> None:
    for problem in result.problems:
        err.print(problem, style="red", markup=False, soft_wrap=True)
    if result.notice:
        print(f"{result.file}：《{result.notice}》只涉及其他文件的效力，不作为政策收录")
    elif result.effects:
        print(f"{result.file}：同时涉及其他文件的效力")
    for effect in result.effects:
        _tell_effect(effect)
    changed = [change for change in result.changes if not change.is_nothing]
    unchanged = len(result.changes) - len(changed)
    for change in changed:
        _tell_change(result.file, change)
    if unchanged == 1 and not changed:
        (only,) = result.changes
        print(f"{result.file} → {only.policy_id}《{only.title}》：没有变化")
    elif unchanged:
        print(f"{result.file}：{unchanged} 项政策没有变化")


def _tell_change(file: str, change: PolicyChange) -> None:
    from knowledge.documents.sheet import NAMES

    counts = "，".join(f"{_NAMES[kind]} {n}" for kind, n in change.counts().items() if n)
    print(
        f"{file} → {change.policy_id}《{change.title}》{'（新）' if change.is_new else ''}：{counts or '只改了字段'}"
    )
    if change.is_new:
        said = {fact.key: fact.new for fact in change.facts}
        for key in _SHOWN_FACTS:
            print(f"  {NAMES[key]}：{said.get(key) or '没有写明'}")
    for fact in change.facts:
        if not change.is_new:
            print(f"  * {NAMES[fact.key]}：{_short(fact.old)} → {_short(fact.new)}")
        elif fact.key == "inferred":
            inferred = "、".join(NAMES[key] for key in fact.new)
            print(f"  由系统推断、请核对：{inferred}")
    for clause in change.clauses:
        if not change.is_new:
            _tell_clause(clause)


def _tell_clause(change: ClauseChange) -> None:
    old, new = change.old, change.new
    name = f"{change.label}（{change.id}）"
    if old and new and old.label != new.label:
        name = f"{old.label} → {name}"
    print(f"  {_SIGNS[change.kind.value]} {_NAMES[change.kind.value]} {name}")
    is_moved = change.kind.value == "moved"
    if old and not is_moved:
        print(f"      旧：{_short(old.text)}")
    if new and not is_moved:
        print(f"      新：{_short(new.text)}")
    if is_moved and old and new and old.facet != new.facet:
        print(f"      归类：{old.facet.value} → {new.facet.value}")


def _short(value: object) -> str:
    text = "无" if value in (None, []) else str(value).replace("\n", " ")
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}……"


def _tell_end(dry_run: bool, is_ok: bool, is_written: bool) -> None:
    if dry_run:
        print("这是试运行，没有写入")
    elif not is_ok and not is_written:
        err.print("没有写入任何内容，目录保持原样", style="red")
    elif not is_ok:
        err.print("有文件没有导入，见上；其余的已写入", style="red")
