"""The commands that measure quality on labelled data: ``qifu eval …``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.terminal import (
    AsJson,
    AsOf,
    counting_bar,
    encoding_bar,
    err,
    print_json,
    print_report,
    settings_with,
)

eval_app = typer.Typer(no_args_is_help=True, help="用标注数据评测。")


@eval_app.command("qa")
def eval_qa(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="标注问题，JSON lines，可以给几个文件。")
    ],
    as_of: AsOf = None,
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option(help="另写一份网页报告，不用联网就能看。")] = None,
    compare: Annotated[
        str | None,
        typer.Option(help="与以前一次比：存过的名字、文件，或 last（同一套题最近一次）。"),
    ] = None,
    save: Annotated[
        str | None, typer.Option(help="这一次存成什么名字；默认是题集名加时间。")
    ] = None,
    no_save: Annotated[bool, typer.Option("--no-save", help="这一次不存。")] = False,
) -> None:
    """政策问答：命中、数字、引用、拒答，带 95% 区间；分组、对比、网页报告。"""
    from knowledge.comparison import compare_runs
    from knowledge.report.lines import comparison_lines, report_lines
    from knowledge.runs import RunStore
    from service.trial import read_trial, try_answers, write_page

    if save and no_save:
        raise typer.BadParameter("--save 与 --no-save 只能用一个")
    trial = read_trial(files, as_of.date() if as_of else None)
    store = RunStore(settings_with().data_dir / "runs")
    # What can be refused is refused before the minute of work, not after it.
    before = store.find(compare, trial.questions) if compare else None
    if not no_save:
        store.prepare(save)
    if html and (html.is_dir() or not html.resolve().parent.is_dir()):
        raise typer.BadParameter(f"{html} 不能写成文件", param_hint="--html")
    run, titles = try_answers(trial, save)
    comparison = compare_runs(before, run) if before else None
    if not no_save:
        err.print(f"已存：{store.save(run)}", markup=False, soft_wrap=True)
    if html:
        write_page(html, run, titles, comparison)
        err.print(f"报告：{html}", markup=False, soft_wrap=True)
    if as_json:
        about = {"name": run.name, **run.identity.model_dump(mode="json")}
        more = {"comparison": comparison} if comparison else {}
        print_json({**run.report, "run": about, **more})
        return
    for line in report_lines(run.report):
        print(line)
    for line in comparison_lines(comparison) if comparison else ():
        print(line)


@eval_app.command("match")
def eval_match(
    file: Annotated[Path, typer.Argument(help="标注的企业，JSON lines：id、profile、labels。")],
    as_json: AsJson = False,
) -> None:
    """资格判定：与标注相同的比例、混淆、不同之处。"""
    from knowledge.evaluate_match import evaluate_match, match_report_lines
    from knowledge.match_labels import read_labelled_profiles
    from knowledge.matching import Matcher
    from service.catalogue import store_of

    catalogue = store_of(settings_with()).read()
    profiles = read_labelled_profiles(file, catalogue.policies)
    with counting_bar("评测", len(profiles)) as advance:
        report = evaluate_match(profiles, Matcher(catalogue), advance)
    if as_json:
        print_json(report)
        return
    for line in match_report_lines(report):
        print(line)


@eval_app.command("dispatch")
def eval_dispatch(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="标注的诉求，JSON lines：id、kind、departments、matter；默认用自带测试集。"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """诉求分派：首派与前三正确率、转人工分拨比例、把握校准，带 95% 区间。"""
    from knowledge.encoder import BUILT_IN, load_encoder
    from service.appeals.departments import load_departments
    from service.appeals.dispatch import Dispatcher
    from service.appeals.dispatch_quality import (
        DISPATCH_SETS,
        evaluate_dispatch,
        read_matters,
        report_lines,
    )

    departments = load_departments()
    rows = read_matters(file or DISPATCH_SETS / "test.jsonl", departments)
    dispatcher = Dispatcher(departments, load_encoder(BUILT_IN))
    dispatcher.warm()
    with counting_bar("评测", len(rows)) as advance:
        report = evaluate_dispatch(rows, dispatcher, departments, advance)
    if as_json:
        print_json(report)
        return
    for line in report_lines(report):
        print(line)


@eval_app.command("nlu")
def eval_nlu(
    file: Annotated[Path, typer.Argument(help="标注话语，JSON lines：id、text、intent。")],
    folds: Annotated[int, typer.Option(min=2, max=10, help="训练集上交叉验证的折数。")] = 5,
    as_json: AsJson = False,
) -> None:
    """意图识别：交叉验证与给定文件上的准确率、宏 F1、混淆、域外 AUC。"""
    from bot.training import NLU_DATA
    from knowledge.encoder import load_encoder
    from nlu.evaluate import evaluate

    encoder = load_encoder(settings_with().encoder)
    report = evaluate(file, sorted(NLU_DATA.glob("*.yml")), encoder, folds)
    print_report(report, as_json)


@eval_app.command("retrieval")
def eval_retrieval(
    queries: Annotated[
        Path, typer.Option("--queries", help="问题，JSON lines：id、text、doc_ids。")
    ],
    docs: Annotated[
        Path | None,
        typer.Option(
            "--docs",
            help="文档，JSON lines：id、title、text；不给则是正在用的政策目录，用机器人自己的检索，"
            "doc_ids 写政策或条款的编号。",
        ),
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option(help="另写一份网页报告，不用联网就能看。")] = None,
) -> None:
    """检索：在外来的文档或政策目录上，合用与只用词、只用义相比，带 95% 区间。"""
    from knowledge.corpus import read_corpus, read_queries
    from knowledge.dense import VectorCache
    from knowledge.encoder import load_encoder
    from knowledge.evaluate_retrieval import (
        build,
        evaluate_retrieval,
        questions_asked,
        report_lines,
        with_intervals,
    )
    from knowledge.report.retrieval import retrieval_page
    from service.trial import catalogue_to_rank

    if html and not html.resolve().parent.is_dir():
        raise typer.BadParameter(f"{html.parent} 不是文件夹", param_hint="--html")
    settings = settings_with(as_of=as_of.date() if as_of else None)
    if docs is None:
        asked = read_queries(queries)
        with encoding_bar() as bar:
            corpus, built = catalogue_to_rank(settings, asked, bar)
    else:
        corpus = read_corpus(docs, queries)
        with encoding_bar() as bar:
            cache = VectorCache(settings.data_dir / "vectors")
            built = build(corpus, load_encoder(settings.encoder), cache, bar)
    with counting_bar("评测", questions_asked(corpus)) as advance:
        report = evaluate_retrieval(corpus, built, advance)
    if html:
        html.write_text(retrieval_page(with_intervals(report)), encoding="utf-8")
        err.print(f"报告：{html}", markup=False, soft_wrap=True)
    if as_json:
        print_json(report)
        return
    for line in report_lines(report):
        print(line)
