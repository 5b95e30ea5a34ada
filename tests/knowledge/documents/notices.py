"""Writes notices that end other papers, or let them hold for longer, in their real form and our own words."""

from __future__ import annotations

from collections.abc import Sequence

from tests.knowledge.documents.papers import MEASURES_ARTICLES, P, Part

MEASURES_NO = "福科规〔2024〕3号"
MEASURES_TITLE = "福田区支持企业研发创新若干措施"
BUREAU = "深圳市福田区科技创新局"


def notice(
    title: str,
    *body: str | tuple[tuple[str, ...], ...],
    doc_no: str = "福科规〔2025〕1号",
    day: str = "2025年1月10日",
) -> list[Part]:
    """A notice of the bureau under its letterhead, signed and dated."""
    return [
        P(f"{BUREAU}文件", "title"),
        P(doc_no, "centre"),
        P(f"{BUREAU}{title}", "title"),
        P("各有关单位：", "plain"),
        *(P(part) if isinstance(part, str) else part for part in body),
        P("特此通知。"),
        P(BUREAU, "right"),
        P(day, "right"),
    ]


def repeal_of_measures() -> list[Part]:
    return notice(
        f"关于废止《{MEASURES_TITLE}》的通知",
        f"根据《深圳市行政规范性文件管理规定》（深圳市人民政府令第368号）有关规定，经研究，决定废止《{MEASURES_TITLE}》"
        f"（{MEASURES_NO}），自2025年2月1日起停止执行。已受理的申请按原规定办理。",
    )


def repeal_by_list() -> list[Part]:
    """Two lists in one paper: what is repealed, in lines and in a table, and what stays."""
    return notice(
        "关于废止部分规范性文件的通知",
        "为推进依法行政，我局对规范性文件进行了清理，决定废止下列规范性文件：",
        f"1. {BUREAU}关于印发《{MEASURES_TITLE}》的通知（{MEASURES_NO}）",
        "2. 《福田区孵化载体认定办法》（福科规〔2018〕2号）",
        "本通知自2025年2月1日起施行。",
        "附件1",
        "继续有效的规范性文件目录",
        (("序号", "文件名称", "文号"), ("1", "福田区企业研发投入支持指南", "福科规〔2023〕8号")),
        "附件2",
        "废止的规范性文件目录",
        (
            ("序号", "文件名称", "文号"),
            ("1", "福田区技术合同奖励细则", "福科规〔2017〕5号"),
            ("2", "关于印发《福田区科技保险补贴办法》的通知", "福科规〔2016〕9号"),
        ),
    )


def successor(ending: Sequence[str] = ()) -> list[str]:
    """Articles of a later paper whose last one repeals the measures."""
    last = ending or (
        f"第十条 本办法自2026年1月1日起施行，有效期3年，《{MEASURES_TITLE}》（{MEASURES_NO}）同时废止。",
    )
    return [*MEASURES_ARTICLES[:-1], *last]


def successor_paper(ending: Sequence[str] = ()) -> list[Part]:
    return [
        P("深圳市福田区科技创新局关于印发《福田区科技企业梯度培育办法》的通知", "title"),
        P("福科规〔2025〕12号", "centre"),
        P("各有关单位：", "plain"),
        P("现将《福田区科技企业梯度培育办法》印发给你们，请遵照执行。"),
        P(BUREAU, "right"),
        P("2025年12月15日", "right"),
        P("福田区科技企业梯度培育办法", "title"),
        *(P(text, "centre" if "章 " in text[:5] else "body") for text in successor(ending)),
    ]


def extension(words: str) -> list[Part]:
    return notice(
        f"关于延长《{MEASURES_TITLE}》有效期的通知",
        words,
        doc_no="福科规〔2027〕1号",
        day="2027年3月1日",
    )
