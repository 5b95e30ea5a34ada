"""The command line ``qifu``: serve, ask, check, evaluate, diagnose."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from bot.turn import BotError
from knowledge.errors import KnowledgeError
from service.auth import SessionTokens
from service.errors import ServiceError
from service.settings import Settings

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="企服小福：惠企政策问答、匹配、诉求、转人工。"
)
catalogue_app = typer.Typer(no_args_is_help=True, help="政策目录。")
eval_app = typer.Typer(no_args_is_help=True, help="用标注数据评测。")
app.add_typer(catalogue_app, name="catalogue")
app.add_typer(eval_app, name="eval")

err = Console(stderr=True, highlight=False)
AsJson = Annotated[bool, typer.Option("--json", help="标准输出只有一个 JSON 文档。")]
AsOf = Annotated[
    datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="按这一天的情况回答。")
]


def main() -> None:
    """Runs the command line; what a user can mend ends in one line and exit code 2."""
    try:
        app()
    except (KnowledgeError, BotError, ServiceError) as error:
        _fail(str(error))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        _fail(f"设置 QIFU_{name}：{first['msg']}" if name else f"设置：{first['msg']}")
    except OSError as error:
        _fail(f"{error.filename or '系统'}：{error.strerror or error}")
    except SQLAlchemyError as error:
        _fail(f"数据库：{str(error).splitlines()[0]}")


def _fail(message: str) -> None:
    err.print(message or "unknown error", style="red", markup=False, soft_wrap=True)
    sys.exit(2)


@app.command()
def up(
    host: Annotated[str | None, typer.Option(help="监听地址，默认只在本机。")] = None,
    port: Annotated[int | None, typer.Option(help="端口，默认 8000。")] = None,
) -> None:
    """训练（如有需要）、启动服务并打印网址。"""
    from service.app import serve
    from service.assembly import build_product
    from service.logs import configure

    settings = _settings(host=host, port=port)
    configure(settings)
    with _encoding_bar() as bar:
        product = build_product(settings, lambda text: err.print(f"· {text}"), bar)
    try:
        serve(product.app, settings, lambda listening: _announce(settings, listening))
    finally:
        product.close()


def _announce(settings: Settings, port: int) -> None:
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = f"http://{shown}:{port}"
    err.print(
        f'企服小福已启动\n  网页     {base}/\n  嵌入示例 <script src="{base}/widget.js" defer></script>',
        markup=False,
    )
    err.print(f"  接口     {base}/docs\n按 Ctrl+C 停止", markup=False)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="要问的话。")],
    session: Annotated[str | None, typer.Option(help="会话名；同名的接着上一句。")] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """问一句，走与网页相同的一轮对话。"""
    from fastapi.testclient import TestClient

    from service.assembly import build_product
    from service.logs import configure

    settings = _settings(
        as_of=as_of.date() if as_of else None, log_level="error", reply_wait_s=30.0
    )
    configure(settings)
    with _encoding_bar() as bar:
        product = build_product(settings, progress=bar)
    token = _named_session(product.app.state.tokens, session) if session else None
    try:
        with TestClient(product.app) as client:
            response = client.post("/api/chat", json={"session": token, "text": question})
    finally:
        product.close()
    body = response.json()
    if response.status_code >= 400:
        _fail(f"{body['error']['where'] or '请求'}：{body['error']['message']}")
    if as_json:
        _print_json(body)
    else:
        for reply in body["replies"]:
            print(_plain(reply))


def _named_session(tokens: SessionTokens, name: str) -> str:
    """The same name always means the same conversation on this machine."""
    return tokens.sign(f"cli-{hashlib.sha256(name.encode()).hexdigest()[:32]}").token


def _plain(reply: dict[str, Any]) -> str:
    lines = [reply["text"]]
    lines += [f"  依据：《{c['title']}》{c['clause']}：{c['quote']}" for c in reply["citations"]]
    if reply["buttons"]:
        lines.append("  " + " ".join(f"[{button['title']}]" for button in reply["buttons"]))
    return "\n".join(lines)


@catalogue_app.command("check")
def catalogue_check(
    source: Annotated[
        Path | None, typer.Argument(help="文件或文件夹；不给则检查自带的目录。")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """严格检查政策目录；每个问题一行：文件:行: 字段: 原因。"""
    from knowledge.catalogue import DEMO_CATALOGUE, read_catalogue
    from knowledge.errors import CatalogueError

    path = source or _settings().catalogue or DEMO_CATALOGUE
    try:
        catalogue = read_catalogue(path)
    except CatalogueError as error:
        if as_json:
            _print_json({"ok": False, "problems": error.problems})
            sys.exit(2)
        raise
    if as_json:
        _print_json(
            {
                "ok": True,
                "policies": len(catalogue),
                "clauses": len(catalogue.clauses),
                "problems": [],
            }
        )
    else:
        print(f"{len(catalogue)} 项政策，{len(catalogue.clauses)} 个条款，没有问题")


@eval_app.command("qa")
def eval_qa(
    file: Annotated[Path, typer.Argument(help="标注问题，JSON lines。")],
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """政策问答：命中、数字、引用、拒答，带 95% 区间。"""
    from knowledge.evaluate import evaluate_answers
    from knowledge.labels import read_questions
    from service.assembly import build_product
    from service.logs import configure
    from service.rehearsal import responder

    questions = read_questions(file)
    with tempfile.TemporaryDirectory() as scratch:
        # The real desk, on a database of its own: an evaluation must not file appeals in the real one.
        day = as_of.date() if as_of else None
        settings = _settings(
            as_of=day, log_level="error", database_url=f"sqlite:///{scratch}/eval.db"
        )
        configure(settings)
        with _encoding_bar() as bar:
            product = build_product(settings, progress=bar)
        try:
            with _bar("评测", len(questions)) as advance:
                respond = responder(product.bot, settings.today())
                report = evaluate_answers(questions, respond, product.answerer.catalogue, advance)
        finally:
            product.close()
    _print_report(report, as_json)


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

    encoder = load_encoder(_settings().encoder)
    report = evaluate(file, sorted(NLU_DATA.glob("*.yml")), encoder, folds)
    _print_report(report, as_json)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """逐项检查：安装、连通、训练、索引。"""
    from service.doctor import examine

    findings = examine(_settings())
    if as_json:
        _print_json({"ok": all(f.ok for f in findings), "findings": [f.__dict__ for f in findings]})
    else:
        for finding in findings:
            print(f"{'✓' if finding.ok else '✗'} {finding.part}：{finding.said}")
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


@app.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": [],
    }
)
def rasa(context: typer.Context) -> None:
    """Rasa 自己的命令行，例如 qifu rasa data validate、qifu rasa test。"""
    from bot.command_line import run

    sys.exit(run(context.args, _settings().data_dir / "models"))


def _settings(**overrides: Any) -> Settings:
    return Settings(**{name: value for name, value in overrides.items() if value is not None})


def _print_json(document: object) -> None:
    print(json.dumps(document, ensure_ascii=False, default=_json_value))


def _json_value(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")


def _print_report(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        _print_json(report)
        return
    for name, value in report.items():
        if isinstance(value, dict) and {"value", "low", "high", "n"} <= value.keys():
            if value["value"] is not None:
                print(
                    f"{name:24} {value['value']:.3f}  [{value['low']:.3f}, {value['high']:.3f}]  n={value['n']}"
                )
        elif isinstance(value, list):
            print(f"{name}: {len(value)}")
            for row in value:
                print(f"  {json.dumps(row, ensure_ascii=False)}")
        else:
            print(f"{name:24} {json.dumps(value, ensure_ascii=False)}")


@contextmanager
def _bar(title: str, total: int) -> Iterator[Callable[[], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda: progress.advance(task)


@contextmanager
def _encoding_bar() -> Iterator[Callable[[int, int], None]]:
    """A progress bar that appears only when something really has to be encoded."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("编码语句", total=None, visible=False)
        yield lambda done, total: progress.update(task, completed=done, total=total, visible=True)


if __name__ == "__main__":
    main()
