"""Tells in Chinese what went wrong with a question: what was due, and what came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from knowledge.report.words import FAILURES, group_title, status_title

Titles = Mapping[str, str]
Line = dict[str, str]


def tell_failure(failure: Mapping[str, Any], titles: Titles) -> dict[str, Any]:
    """One failure of a report, readable: the sorts of fault, a tag for each, and lines of due and come."""
    got, want = failure["got"], failure["want"]
    sorts = _sorts_of(got, want)
    return {
        "id": failure["id"],
        "text": failure["text"],
        "sorts": sorts,
        "tags": [FAILURES[sort] for sort in sorts],
        "lines": [line for sort in sorts for line in _lines(sort, got, want, titles)],
    }


def _sorts_of(got: Mapping[str, Any], want: Mapping[str, Any]) -> list[str]:
    """Keys of ``FAILURES``: as ``got`` names them, except for a text, whose fault ``want`` tells.

    That a refusal brought no policy goes without saying.
    """
    found = {*got, *(key for key in ("facts", "forbidden") if key in want)}
    if "refused" in found:
        found.discard("policies")
    return [sort for sort in FAILURES if sort in found]


def _lines(
    sort: str, got: Mapping[str, Any], want: Mapping[str, Any], titles: Titles
) -> Sequence[Line]:
    match sort:
        case "answered":
            return [_line("应为", "不作答"), _line("答成", named(got[sort], titles))]
        case "refused":
            right = named(want.get("policies", ()), titles)
            due = [_line("应为", right)] if right else []
            return [*due, _line("实际", "没有作答")]
        case "offered":
            right = named(want["answered"], titles)
            return [_line("应为", right), _line("反问", named(got[sort], titles))]
        case "policies":
            right, came = named(want[sort], titles), named(got[sort], titles)
            return [_line("应为", right), *([_line("得到", came)] if got[sort] else [])]
        case "facts":
            return [_line("缺", "、".join(want[sort])), _line("答复", got["text"])]
        case "forbidden":
            return [_line("不该说", "、".join(want[sort])), _line("答复", got["text"])]
        case "citations":
            return [_line("引用", f"{got[sort]} 处，与库中条款不一致")]
        case "cited":
            right, came = named(want[sort], titles), named(got[sort], titles)
            return [_line("应引用", right), _line("引用了", came or "没有")]
        case "status":
            return [_line("应标", _statuses(want[sort])), _line("标成", _statuses(got[sort]))]
        case "intent":
            right, came = (group_title("intent", side[sort] or "none") for side in (want, got))
            return [_line("意图", f"应为{right}，听成{came}")]
        case _:
            return [_line("出错", str(got[sort]))]


def named(ids: Iterable[str], titles: Titles) -> str:
    """Policies with their titles; a policy without one by its id alone."""
    return "；".join(f"{each} {titles[each]}" if each in titles else each for each in ids)


def _statuses(given: Mapping[str, str | None]) -> str:
    return "；".join(f"{each} {status_title(status)}" for each, status in given.items()) or "没有"


def _line(title: str, text: str) -> Line:
    return {"title": title, "text": text}
