"""The command line ``qifu``: serve, ask, check, evaluate, diagnose."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from bot.turn import BotError
from knowledge.errors import KnowledgeError
from service.appeal_commands import appeals_app
from service.auth import SessionTokens
from service.catalogue_commands import catalogue_app
from service.debt_commands import debt_app, faq_app
from service.enterprise_commands import enterprises_app
from service.errors import ServiceError
from service.eval_commands import eval_app
from service.match_commands import match
from service.recall_commands import affected
from service.settings import Settings
from service.staff_commands import staff_app
from service.sweep_commands import reach, sweep, whatif
from service.terminal import (
    AsJson,
    AsOf,
    encoding_bar,
    err,
    print_json,
    session_named,
    settings_with,
)

if TYPE_CHECKING:
    from service.assembly import Product
    from service.demo.clock import SetClock
    from service.demo.filling import DemoSignIns

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="企服小福：惠企政策问答、匹配、诉求、转人工。"
)
catalogue_app.command("affected")(affected)
for command in (match, sweep, reach, whatif):
    app.command()(command)
app.add_typer(appeals_app, name="appeals")
app.add_typer(catalogue_app, name="catalogue")
app.add_typer(enterprises_app, name="enterprises")
app.add_typer(eval_app, name="eval")
app.add_typer(staff_app, name="staff")
app.add_typer(debt_app, name="debt")
app.add_typer(faq_app, name="faq")


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
    demo: Annotated[
        bool, typer.Option("--demo", help="数据库为空时放入示范数据；只在本机监听时有效。")
    ] = False,
) -> None:
    """训练（如有需要）、启动服务并打印网址。"""
    from service.app import serve
    from service.assembly import build_product, open_console
    from service.demo.clock import SetClock
    from service.demo.standing import is_demo
    from service.logs import configure

    settings, clock = settings_with(host=host, port=port), SetClock()
    configure(settings)
    with encoding_bar() as bar:
        product = build_product(settings, lambda text: err.print(f"· {text}"), bar, clock)
    try:
        sign_ins = demo_of(product, clock, demo)
        open_console(product, is_demo(product.database))
        serve(product.app, settings, lambda listening: _announce(settings, listening, sign_ins))
    finally:
        product.close()


def demo_of(product: Product, clock: SetClock, is_wanted: bool) -> DemoSignIns | None:
    """Fills in the demo where it is wanted and may be; says why where it may not."""
    from service.demo.filling import IS_DEMO, offer_demo
    from service.demo.standing import is_demo

    if not is_wanted:
        if is_demo(product.database):
            err.print(IS_DEMO, style="yellow", markup=False, soft_wrap=True)
        return None
    err.print("· 准备示范数据")
    offered = offer_demo(product, clock)
    if offered.refused:
        err.print(offered.refused, style="yellow", markup=False, soft_wrap=True)
    product.app.state.demo_sign_ins = offered.sign_ins
    return offered.sign_ins


def _announce(settings: Settings, port: int, sign_ins: DemoSignIns | None = None) -> None:
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = f"http://{shown}:{port}"
    err.print(
        f'企服小福已启动\n  网页     {base}/\n  嵌入示例 <script src="{base}/widget.js" defer></script>',
        markup=False,
    )
    err.print(f"  工作台   {base}/console", markup=False)
    if sign_ins:
        names = "、".join(each.id for each in sign_ins.accounts)
        err.print(
            f"           示范账号 {names}\n           密码都是 {sign_ins.password}",
            markup=False,
            soft_wrap=True,
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

    settings = settings_with(
        as_of=as_of.date() if as_of else None, log_level="error", reply_wait_s=30.0
    )
    configure(settings)
    with encoding_bar() as bar:
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
        print_json(body)
    else:
        for reply in body["replies"]:
            print(_plain(reply))


def _named_session(tokens: SessionTokens, name: str) -> str:
    return tokens.sign(session_named(name)).token


def _plain(reply: dict[str, Any]) -> str:
    lines = [reply["text"]]
    lines += [f"  依据：《{c['title']}》{c['clause']}：{c['quote']}" for c in reply["citations"]]
    if reply["buttons"]:
        lines.append("  " + " ".join(f"[{button['title']}]" for button in reply["buttons"]))
    return "\n".join(lines)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """逐项检查：安装、连通、训练、索引。"""
    from service.doctor import examine

    findings = examine(settings_with())
    if as_json:
        print_json({"ok": all(f.ok for f in findings), "findings": [f.__dict__ for f in findings]})
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

    sys.exit(run(context.args, settings_with().data_dir / "models"))


if __name__ == "__main__":
    main()
