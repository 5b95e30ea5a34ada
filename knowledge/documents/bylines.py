"""Reads who issued a paper from a line that names nobody else: under a title, in a letterhead, in a signature."""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.documents.blocks import bare
from knowledge.documents.dates import DAY

_ORGAN = re.compile(
    r"[\u4e00-\u9fff（）()、和 ]{2,40}?(局|委员会|委|办公室|办|人民政府|政府|中心|署|厅|部|总局|管委会|管理局|协会|集团|处|院|会)"
)
_BETWEEN = re.compile(r"[、，,;；\s]+|(?<=[局委办厅部署会])和(?!平)")
_NAMED_AS = re.compile(r"^(?:联合)?(?:发布|制定|发文|印发|颁布)(?:单位|机关|机构|部门)\s?[:：]?\s?")
_ISSUED = re.compile(r"\s?(?:联合)?(?:发布|印发|制定|发文|颁布)$")
_SEAL = re.compile(r"\s?[（(](?:盖章|公章|印章|章|代章|签章)[）)]$")
_AT_THE_END = re.compile(rf"\s*{DAY}$")
_BEGINS_TITLE = re.compile(r"[\u4e00-\u9fff]{2,6}[省市区]|20\d\d|《")
_LONGEST = 120


def is_organ(text: str) -> bool:
    return _ORGAN.fullmatch(bare(text)) is not None


def organs_of(text: str) -> tuple[str, ...]:
    """The offices a line names and nothing else (甲局、乙局); empty where it says more."""
    said = _SEAL.sub("", text.strip())
    if len(said) > _LONGEST:
        return ()
    parts = [part for part in _BETWEEN.split(said) if part]
    if parts and all(len(part) > 2 and is_organ(part) for part in parts):
        return tuple(parts)
    return (bare(said),) if is_organ(said) else ()


def read_byline(text: str) -> str | None:
    """The issuers of a line under a title: 甲局 乙局, （甲局 2024年3月5日）, 甲局、乙局联合发布, joined by 、."""
    if len(text) > _LONGEST:
        return None
    said = re.sub(r"^[（(](.*)[）)]$", r"\1", text.strip())
    said = _AT_THE_END.sub("", _NAMED_AS.sub("", said))
    return "、".join(organs_of(_ISSUED.sub("", said))) or None


def issuers_above(lines: Sequence[str]) -> int:
    """How many lines above a title are the issuers' and no part of it.

    关于… goes on with the issuer's name; a title that begins with a place or a year does not need it.
    """
    count = 0
    while count < len(lines) - 1 and organs_of(lines[count]):
        count += 1
    return count if count and _BEGINS_TITLE.match(lines[count]) else 0
