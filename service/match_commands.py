"""The command ``qifu match``: one enterprise against every item of the catalogue."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.errors import InvalidInput
from service.settings import Settings
from service.terminal import AsJson, AsOf, encoding_bar, err, print_json, settings_with

if TYPE_CHECKING:
    from knowledge.matching import Matcher
    from service.matching.schemas import CriterionOut, MatchAnswer, MatchOut

_VERDICTS = {"eligible": "符合", "unknown": "待确认", "ineligible": "不符合"}
_SIGNS = {"met": "✓", "failed": "✗", "unknown": "?"}


def match(
    profile: Annotated[
        Path, typer.Option("--profile", help="企业的事实，一个 JSON 对象：字段名和值。")
    ],
    need: Annotated[str | None, typer.Option("--need", help="想要什么，用来排先后。")] = None,
    as_of: AsOf = None,
    top: Annotated[int, typer.Option(min=1, max=50, help="最多列出几项。")] = 10,
    as_json: AsJson = False,
) -> None:
    """为一家企业匹配政策：每个条件满足、不满足还是未知，差多少，下一步问什么。"""
    from knowledge.profile import one_width, read_profile
    from service.matching.operations import Wish, find_matches

    settings = settings_with(as_of=as_of.date() if as_of else None)
    raw, day, wanted = _read(profile), settings.today(), one_width(need or "")
    matcher, similarity = _prepare(settings, wanted, day)
    known, problems = read_profile(raw, matcher.fields, day=day)
    found = find_matches(matcher, Wish(known, day, similarity, top), problems)
    for problem in found.problems:
        err.print(f"{problem.field}：{problem.message}", style="yellow", markup=False)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    for line in _lines(found):
        print(line)


def _read(path: Path) -> Mapping[str, object]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path}：不是有效的 JSON：{error}", "profile") from error
    if not isinstance(raw, dict):
        raise InvalidInput(f"{path}：应为一个 JSON 对象：字段名和值。", "profile")
    return raw


def _prepare(settings: Settings, need: str, day: date) -> tuple[Matcher, dict[str, float] | None]:
    """The matcher, and how near each item is to the need; without a need no encoder is loaded."""
    from knowledge.matching import Matcher
    from knowledge.similarity import similarity_to
    from service.catalogue import store_of

    if not need:
        return Matcher(store_of(settings).read()), None
    from service.assembly import build_answerer

    with encoding_bar() as bar:
        answerer = build_answerer(settings, bar)
    return answerer.matcher, similarity_to(need, answerer.retriever, day)


def _lines(found: MatchAnswer) -> Iterator[str]:
    if not found.matches:
        yield "目录里没有可以匹配的政策。"
    for number, each in enumerate(found.matches, 1):
        yield from _item(f"{number}. ", each)
    if found.near_misses:
        yield "\n只差一个条件的："
    for near in found.near_misses:
        yield f"- 《{near.title}》{_amount(near.amount_max_cny)}：{_criterion(near.missing)}；{near.dates.text}"
    bundle = found.bundle
    if len(bundle.items) > 1 or bundle.dropped:
        yield f"\n可以同时申报的组合，记录的最高额合计{_amount(bundle.total_cny) or '没有写'}："
        for item in bundle.items:
            yield f"- 《{item.title}》{_amount(item.amount_max_cny)}"
        for dropped in bundle.dropped:
            yield f"  不与《{dropped.title}》同时申报：{dropped.reason}"
        for limit in bundle.limits:
            yield f"  注意：{limit.reason}"
    if found.next_question:
        yield f"\n再告诉我一件事，约能定下{found.next_question.settles:.0f}项：{found.next_question.question}"


def _item(mark: str, match: MatchOut) -> Iterator[str]:
    yield f"{mark}{_VERDICTS[match.verdict]} 《{match.title}》{_amount(match.amount_max_cny)}｜{match.dates.text}"
    for each in match.criteria:
        yield f"   {_SIGNS[each.verdict]} {_criterion(each)}"


def _criterion(criterion: CriterionOut) -> str:
    gap = f"，{criterion.gap.text}" if criterion.gap else ""
    return f"{criterion.need}（贵公司：{criterion.have or '未提供'}{gap}）"


def _amount(amount_cny: Any) -> str:
    from knowledge.composition import in_words

    return f"最高{in_words(amount_cny)}" if amount_cny else ""
