"""Checks unified social credit codes, and says what is off in a wrong one."""

from __future__ import annotations

from stdnum.cn import uscc
from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError


def checked_code(text: str) -> tuple[str | None, str]:
    """The 18 characters in upper case, or ``None`` with what is off, in Chinese for who typed it."""
    try:
        return str(uscc.validate(text.upper())), ""
    except ValidationError as problem:
        return None, what_is_off(uscc.compact(text).upper(), problem)


def what_is_off(code: str, problem: ValidationError) -> str:
    """Why a compact code is refused, in words for the person who typed it."""
    if isinstance(problem, InvalidLength):
        return f"统一社会信用代码应为18位，收到的是{len(code)}位"
    if isinstance(problem, InvalidChecksum):
        return "最后一位校验码对不上，请核对是否有笔误"
    letters = "、".join(sorted(set(code) & set("IOSVZ")))
    if letters:
        return f"统一社会信用代码里不会出现字母{letters}，请核对是否与数字混淆"
    return "格式不对：前两位之后应是6位数字的行政区划码"
