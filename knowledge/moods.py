"""Hears what a message wants beside facts: another subject, a promise, the year after."""

from __future__ import annotations

import re
from datetime import date

from knowledge.question import is_ellipsis, subject_of, years_of

# Read only so far: whoever changes the subject says so first.
DROPPED_CHARS = 40
_AWAY = (
    r"换(?:一?个|个别的|别的)?(?:话题|问题|主题|题目|事情?|别的)(?:吧|问|说|聊|问问)?"
    r"|(?:先|就)?(?:不|别|唔)(?:再)?(?:问|说|聊|谈|看|讲|管|查|提)(?:这|那|呢)?(?:个|项|条|件|事|它|刚才的?)?(?:事|政策|补贴|话题)?(?:了|先)"
    r"|(?:这|那|呢)(?:个|项|条|件事?)(?:就)?(?:先)?(?:不|别|唔)(?:再)?(?:问|说|聊|谈|看|讲|管|查|提)了"
    r"|(?:还是)?算(?:了|数)(?:吧|啦|罢)?(?:不弄了|不问了|不看了)?"
    r"|(?:说|聊|问)(?:点|个)?别的(?:吧|事)?|问(?:点|个)?(?:其他|其它)的?(?:吧)?|跳过(?:这个|这项)?(?:吧)?|翻篇(?:了|吧)?"
)
_DROPS = re.compile(
    rf"^(?:好(?:的|吧|了)?|行(?:吧|了)?|嗯+|哦+|那|那就|我|我们|咱们?|咱)?[\s，,。.!！~～]*(?:我们|咱们?|我|想|先|就|还是)?(?:{_AWAY})"
    r"(?:[\s，,。.!！~～；;:：]+|$)"
)
_PROMISED = re.compile(
    r"一定|肯定|保证|确保|担保|百分百|百分之百|打包票|稳(?=拿|过|了|的|吗|不)|包(?=过|拿|批)|铁定|板上钉钉"
)
_GRANTED = re.compile(
    r"批(?:下来|准|得下来|给)?|下来|拿(?:得|不)?(?:到|下)|通过|过(?:审|关)?|成功?|领(?:得|不)?到|发(?:给|下来)?|到手|下得来|批了|审核|审批|这钱|钱|报了|报|申请了?"
)
_RELATIVE = {"前年": -2, "去年": -1, "上一年": -1, "上年": -1, "今年": 0, "明年": 1, "下一年": 1}
# 26年的呢; 15年 alone may be a length of time.
_SHORT_YEAR = re.compile(r"(?<![\d满])(1[5-9]|2\d)年(?=的|度|呢|那)")
_IS_THERE = re.compile(r"(?:的|度)?(?:还)?有(?:没有)?(?:吗|么|嘛|冇)?[?？]?$")
_YEAR_ALONE = re.compile(r"(?:20)?\d\d年(?:度|版|口径)?|前年|去年|上一年|上年|今年|明年|下一年")


def drop_subject(text: str) -> str | None:
    """What is left of a folded text that turns away from what was spoken of (换个话题，社保补贴呢).

    ``None`` where it does not turn away, an empty string where it says nothing more.
    """
    found = _DROPS.match(text[:DROPPED_CHARS])
    if found is None:
        return None
    rest = text[found.end() :].strip(" ，,。.!！~～；;:：")
    further = drop_subject(rest) if rest else None
    return rest if further is None else further


def wants_only_promise(text: str) -> bool:
    """Whether a folded text asks to be assured and names nothing: 一定能拿到吗, 保证能批下来吗."""
    if not _PROMISED.search(text):
        return False
    return not subject_of(_GRANTED.sub(" ", _PROMISED.sub(" ", text)))


def other_year(text: str, as_of: date) -> int | None:
    """The year that a folded question puts in the place of another one: 2026年的呢, 去年的呢."""
    if not (is_ellipsis(text) or _IS_THERE.search(text)):
        return None
    if subject_of(_IS_THERE.sub(" ", _YEAR_ALONE.sub(" ", text))):
        return None
    years = sorted(years_of(_SHORT_YEAR.sub(r"20\1年", text)))
    if years:
        return int(years[0])
    said = next((shift for word, shift in _RELATIVE.items() if word in text), None)
    return None if said is None else as_of.year + said
